"""Defaults of custom objects."""

from typing import Any

import pytest

from litmus.sandbox.machinery.crds import defaulting

PROPS = {
    "type": "object",
    "properties": {
        "text": {"type": "string", "default": "abc"},
        "flag": {"type": "boolean", "default": True},
        "plain": {"type": "integer"},
        "maybe": {"type": "string", "nullable": True, "default": "x"},
        "nested": {"type": "object", "default": {}, "properties": {"a": {"type": "integer", "default": 3}}},
        "list": {"type": "array", "items": {"type": "object", "properties": {"n": {"type": "integer", "default": 1}}}},
        "map": {
            "type": "object",
            "additionalProperties": {"type": "object", "properties": {"n": {"type": "integer", "default": 1}}},
        },
    },
}
ALL = {"text": "abc", "flag": True, "maybe": "x", "nested": {"a": 3}}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ALL),
        ({"text": "", "flag": False}, {**ALL, "text": "", "flag": False}),
        ({"text": None, "plain": None}, ALL),
        ({"maybe": None}, {**ALL, "maybe": None}),
        ({"nested": {"a": 0}}, {**ALL, "nested": {"a": 0}}),
        ({"list": [{}, {"n": 2}]}, {**ALL, "list": [{"n": 1}, {"n": 2}]}),
        ({"map": {"k": {}, "gone": None}}, {**ALL, "map": {"k": {"n": 1}}}),
        ({"list": "no list"}, {**ALL, "list": "no list"}),
    ],
)
def test_what_is_missing_or_null_without_being_nullable_is_filled_in(given: Any, expected: Any) -> None:
    defaulting.default(PROPS, given)
    assert given == expected


def test_objects_do_not_share_their_defaults() -> None:
    one: dict[str, Any] = {}
    other: dict[str, Any] = {}
    defaulting.default(PROPS, one)
    defaulting.default(PROPS, other)
    one["nested"]["a"] = 7
    assert other["nested"] == {"a": 3}
