"""Rules about custom objects beyond their values: lists that are sets or maps, and resources embedded in them.

Source: the Kubernetes documentation, "Server-Side Apply", merge strategy; apiextensions-apiserver's schema/listtype and
schema/objectmeta.
"""

import json
from typing import Any

from litmus.sandbox.machinery import names, status
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.status import Cause

from .validation import child


def causes(props: Obj, value: Any, path: str = "") -> list[Cause]:
    """Items that stand twice in a set or map list, and embedded resources that say too little."""
    found: list[Cause] = []
    if isinstance(value, list):
        found += _duplicates(props, value, path)
        items = props.get("items") or {}
        for index, item in enumerate(value):
            found += causes(items, item, f"{path}[{index}]")
    elif isinstance(value, dict):
        if props.get("x-kubernetes-embedded-resource"):
            found += _embedded(value, path)
        known = props.get("properties") or {}
        others = props.get("additionalProperties")
        for name, inner in value.items():
            schema = known.get(name) or (others if isinstance(others, dict) else {})
            found += causes(schema, inner, child(path, name))
    return found


def _duplicates(props: Obj, value: list[Any], path: str) -> list[Cause]:
    kind = props.get("x-kubernetes-list-type")
    if kind not in ("set", "map"):
        return []
    keys = props.get("x-kubernetes-list-map-keys") or []
    found, seen = [], set()
    for index, item in enumerate(value):
        shown = {key: item[key] for key in keys if key in item} if kind == "map" and isinstance(item, dict) else item
        mark = json.dumps(shown, sort_keys=True)
        if mark in seen:
            found.append(status.duplicate(f"{path}[{index}]", shown))
        seen.add(mark)
    return found


def _embedded(value: Obj, path: str) -> list[Cause]:
    """An embedded resource names its kind. Source: the documentation of CRDs, "RawExtension"."""
    found = []
    for name in ("apiVersion", "kind"):
        said = value.get(name)
        if not said:
            found.append(status.required(child(path, name), "must not be empty"))
        elif name == "kind" and isinstance(said, str) and (wrong := names.label_1035(said.lower())):
            text = f"may have mixed case, but should otherwise match: {','.join(wrong)}"
            found.append(status.invalid_value(child(path, name), said, text))
    return found
