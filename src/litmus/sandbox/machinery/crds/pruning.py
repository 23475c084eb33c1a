"""Pruning: what the schema of a custom kind does not name is dropped, and told.

``apiVersion``, ``kind`` and ``metadata`` always stay, at the root and in embedded resources.
Source: the Kubernetes documentation, "CustomResourceDefinitions", Field pruning and Controlling pruning.
"""

from typing import Any

from litmus.sandbox.machinery.objects import Obj

from .validation import child

_META = ("apiVersion", "kind", "metadata")
_PRESERVE = "x-kubernetes-preserve-unknown-fields"


def prune(props: Obj, value: Any, path: str = "") -> list[str]:
    """Drops unknown fields below ``value``, in place; returns their paths in the order of the document."""
    if isinstance(value, list):
        schema = props.get("items")
        if not isinstance(schema, dict):
            schema = {_PRESERVE: True} if props.get(_PRESERVE) else {}
        return [lost for index, item in enumerate(value) for lost in prune(schema, item, f"{path}[{index}]")]
    return _prune_object(props, value, path) if isinstance(value, dict) else []


def _prune_object(props: Obj, value: Obj, path: str) -> list[str]:
    known = props.get("properties") or {}
    others = props.get("additionalProperties")
    meta = not path or bool(props.get("x-kubernetes-embedded-resource"))
    lost: list[str] = []
    for name in list(value):
        if meta and name in _META:
            continue
        at = child(path, name)
        if name in known:
            lost += prune(known[name], value[name], at)
        elif others:
            lost += prune(others if isinstance(others, dict) else {}, value[name], at)
        elif not props.get(_PRESERVE):
            del value[name]
            lost.append(at)
    return lost
