"""Definitions and their objects."""

from collections.abc import Iterator
from typing import Any

from tests.cluster.conformance.steps import APPLY, MERGE, STRATEGIC, TABLE, Step, cluster, grouped, meta

_APIEXT = "/apis/apiextensions.k8s.io/v1"
_GROUP = "conformance.example.com"


def _definition(**schema: Any) -> dict[str, Any]:
    names = {"plural": "things", "singular": "thing", "kind": "Thing", "shortNames": ["th"]}
    spec = {
        "type": "object", "required": ["size"],
        "properties": {
            "size": {"type": "integer", "minimum": 1, "maximum": 9}, "color": {"type": "string", "enum": ["red", "blue"], "default": "red"},
            "name": {"type": "string", "pattern": "^[a-z]+$", "maxLength": 5}, "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 2},
            "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}, "either": {"x-kubernetes-int-or-string": True},
        },
    }  # fmt: skip
    status = {"type": "object", "properties": {"ready": {"type": "boolean"}, "replicas": {"type": "integer"}}}
    properties = {"spec": spec, "status": status}
    columns = [
        {"name": "Size", "type": "integer", "jsonPath": ".spec.size"},
        {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
    ]
    version = {
        "name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object", "properties": properties, **schema}},
        "subresources": {"status": {}}, "additionalPrinterColumns": columns,
    }  # fmt: skip
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": meta(f"things.{_GROUP}"),
        "spec": {"group": _GROUP, "scope": "Namespaced", "names": names, "versions": [version]},
    }


def _thing(name: str = "t", /, **spec: Any) -> dict[str, Any]:
    return {"apiVersion": f"{_GROUP}/v1", "kind": "Thing", "metadata": meta(name), "spec": {"size": 3, **spec}}


def custom() -> Iterator[Step]:
    crds = cluster(_APIEXT, "customresourcedefinitions")
    one = f"{crds}/things.{_GROUP}"
    things = grouped(f"{_GROUP}/v1", "things")
    wrong_name = _definition()
    wrong_name["metadata"] = meta("wrong.example.com")
    yield Step(name="crd: a wrong name", method="POST", path=crds, body=wrong_name)
    yield Step(
        name="crd: no structural schema",
        method="POST",
        path=crds,
        body=_definition(properties={"spec": {"properties": {}}}),
    )
    yield Step(name="crd: create", method="POST", path=crds, body=_definition())
    yield Step(name="crd: established", method="GET", path=one, until="status.conditions.1.status=True")
    yield Step(name="crd: served", method="GET", path=things, until="kind=ThingList")
    yield Step(name="crd: discovery", method="GET", path=f"/apis/{_GROUP}/v1")
    yield Step(name="custom: create", method="POST", path=things, body=_thing(either=7))
    yield Step(name="custom: defaults", method="GET", path=f"{things}/t")
    yield Step(
        name="custom: unknown fields are pruned",
        method="POST",
        path=things,
        body=_thing("p", unknown=1, free={"kept": 1}),
    )
    yield Step(
        name="custom: the status is dropped",
        method="POST",
        path=f"{things}?dryRun=All",
        body={**_thing("q"), "status": {"ready": True}},
    )
    mistakes: dict[str, dict[str, Any]] = {
        "too large": {"size": 10}, "too small": {"size": 0}, "an enum": {"color": "green"}, "a pattern": {"name": "ABC"}, "too long": {"name": "abcdef"},
        "too many": {"tags": ["a", "b", "c"]}, "a type": {"size": "three"}, "several": {"size": 10, "color": "green"}, "null": {"size": None},
        "int or string": {"either": True},
    }  # fmt: skip
    for name, spec in mistakes.items():
        # a real server finds several mistakes in any order
        ignore = ("message", "details.causes") if name == "several" else ()
        yield Step(
            name=f"custom refused: {name}", method="POST", path=things, body=_thing("bad", **spec), ignore=ignore
        )
    yield Step(name="custom refused: no size", method="POST", path=things, body={**_thing("bad"), "spec": {}})
    yield Step(name="custom refused: strategic patch", method="PATCH", path=f"{things}/t", type=STRATEGIC, body={})
    yield Step(name="custom refused: update without a version", method="PUT", path=f"{things}/t", body=_thing(size=4))
    yield Step(
        name="custom: update",
        method="PUT",
        path=f"{things}/t",
        body={**_thing(size=4), "metadata": meta("t", resourceVersion="{rv:custom: create}")},
    )
    yield Step(
        name="custom: the main resource leaves the status alone",
        method="PATCH",
        path=f"{things}/t",
        type=MERGE,
        body={"status": {"ready": True}},
    )
    yield Step(
        name="custom: the status subresource leaves the rest alone",
        method="PATCH",
        path=f"{things}/t/status",
        type=MERGE,
        body={"status": {"ready": True}, "spec": {"size": 9}},
    )
    yield Step(
        name="custom: apply",
        method="PATCH",
        path=f"{things}/t?fieldManager=m",
        type=APPLY,
        body=_thing(size=4, color="blue"),
    )
    yield Step(
        name="custom: apply conflict",
        method="PATCH",
        path=f"{things}/t?fieldManager=n",
        type=APPLY,
        body=_thing(size=5),
    )
    yield Step(
        name="custom: apply by force",
        method="PATCH",
        path=f"{things}/t?fieldManager=n&force=true",
        type=APPLY,
        body=_thing(size=5),
    )
    yield Step(name="custom: table", method="GET", path=things, accept=TABLE)
    yield Step(name="custom: list", method="GET", path=things)
    yield Step(name="crd: delete", method="DELETE", path=one)
    yield Step(name="crd: gone", method="GET", path=one, gone=True)
