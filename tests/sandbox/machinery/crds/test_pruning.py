"""Pruning of what a schema does not name."""

from typing import Any

import pytest

from litmus.sandbox.machinery.crds import pruning

KEEP = {"x-kubernetes-preserve-unknown-fields": True}
LEAF = {"type": "object", "properties": {"a": {"type": "string"}}}
PROPS = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "properties": {
                "leaf": LEAF,
                "list": {"type": "array", "items": LEAF},
                "map": {"type": "object", "additionalProperties": LEAF},
                "strings": {"type": "object", "additionalProperties": {"type": "string"}},
                "open": {"type": "object", **KEEP, "properties": {"leaf": LEAF}},
                "any": KEEP,
                "emb": {"type": "object", "x-kubernetes-embedded-resource": True, "properties": {"spec": LEAF}},
            },
        }
    },
}


@pytest.mark.parametrize(
    ("spec", "kept", "lost"),
    [
        ({"leaf": {"a": "x", "b": 1}, "c": 2}, {"leaf": {"a": "x"}}, ["spec.leaf.b", "spec.c"]),
        ({"list": [{"a": "x"}, {"b": 1}]}, {"list": [{"a": "x"}, {}]}, ["spec.list[1].b"]),
        ({"map": {"k": {"b": 1}}}, {"map": {"k": {}}}, ["spec.map.k.b"]),
        ({"strings": {"k": "v"}}, {"strings": {"k": "v"}}, []),
        ({"open": {"z": {"y": 1}, "leaf": {"b": 1}}}, {"open": {"z": {"y": 1}, "leaf": {}}}, ["spec.open.leaf.b"]),
        ({"any": [{"z": 1}]}, {"any": [{"z": 1}]}, []),
        (
            {"emb": {"apiVersion": "v1", "kind": "K", "metadata": {"name": "n"}, "spec": {"b": 1}, "x": 1}},
            {"emb": {"apiVersion": "v1", "kind": "K", "metadata": {"name": "n"}, "spec": {}}},
            ["spec.emb.spec.b", "spec.emb.x"],
        ),
        ({"leaf": "no object"}, {"leaf": "no object"}, []),
    ],
)
def test_unknown_fields_are_dropped_and_told(spec: Any, kept: Any, lost: list[str]) -> None:
    obj = {"apiVersion": "g/v1", "kind": "K", "metadata": {"name": "n"}, "spec": spec}
    assert pruning.prune(PROPS, obj) == lost
    assert obj == {"apiVersion": "g/v1", "kind": "K", "metadata": {"name": "n"}, "spec": kept}


def test_only_the_root_keeps_its_meta_fields() -> None:
    obj = {"kind": "K", "spec": {"kind": "K"}}
    assert pruning.prune(PROPS, obj) == ["spec.kind"]
