"""Defaults of custom objects, and null where a field may not be null.

A default fills a field that is missing, or null without being nullable; any other null of that kind is dropped.
Source: the Kubernetes documentation, "CustomResourceDefinitions", Defaulting and Defaulting and Nullable.
"""

import copy
from typing import Any

from litmus.sandbox.machinery.objects import Obj


def default(props: Obj, value: Any) -> None:
    """Fills in the defaults below ``value``, in place."""
    if isinstance(value, list):
        items = props.get("items")
        if isinstance(items, dict):
            for item in value:
                default(items, item)
    elif isinstance(value, dict):
        _default_object(props, value)


def _default_object(props: Obj, value: Obj) -> None:
    known = props.get("properties") or {}
    for name, inner in known.items():
        missing = name not in value or _stray_null(inner, value[name])
        if missing and "default" in inner:
            value[name] = copy.deepcopy(inner["default"])
        elif missing:
            value.pop(name, None)
        if name in value:
            default(inner, value[name])
    others = props.get("additionalProperties")
    if isinstance(others, dict):
        for name in [name for name in value if name not in known]:
            if _stray_null(others, value[name]):
                del value[name]
            else:
                default(others, value[name])


def _stray_null(props: Obj, value: Any) -> bool:
    return value is None and not props.get("nullable")
