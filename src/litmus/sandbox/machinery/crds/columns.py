"""Printer columns of custom kinds: what ``kubectl get`` shows of them.

Source: the Kubernetes documentation, "Additional printer columns"; the meta.k8s.io/v1 Table.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from litmus.sandbox.machinery import objects
from litmus.sandbox.machinery.objects import Obj

from . import ages, jsonpath

_NAME_TEXT = (
    "Name must be unique within a namespace. Is required when creating resources, although some resources may allow a "
    "client to request the generation of an appropriate name automatically. Name is primarily intended for creation "
    "idempotence and configuration definition. Cannot be updated. More info: "
    "https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names"
)
_AGE_TEXT = (
    "CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed "
    "to be set in happens-before order across separate operations. Clients may not set this value. It is represented "
    "in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: "
    "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata"
)
_NAME: Obj = {"name": "Name", "type": "string", "format": "name", "description": _NAME_TEXT, "priority": 0}
_AGE: Obj = {
    "name": "Age",
    "type": "date",
    "description": _AGE_TEXT,
    "jsonPath": ".metadata.creationTimestamp",
}


def of(version: Obj) -> list[Obj]:
    """The additional columns of a version, as they are written; the age when there are none."""
    return version.get("additionalPrinterColumns") or [_AGE]


def definitions(columns: Sequence[Obj]) -> list[Obj]:
    """The ``columnDefinitions`` of a Table: the name and the given columns."""
    return [_NAME, *[_definition(column) for column in columns]]


def _definition(column: Obj) -> Obj:
    described = (
        column.get("description") or f"Custom resource definition column (in JSONPath format): {column['jsonPath']}"
    )
    return {
        "name": column["name"],
        "type": column["type"],
        "format": column.get("format", ""),
        "description": described,
        "priority": column.get("priority", 0),
    }


def cells(columns: Sequence[Obj], obj: Obj, *, now: datetime) -> list[Any]:
    """The ``cells`` of an object's row; None where there is no value of the column's type."""
    return [objects.name(obj), *[_cell(column, obj, now) for column in columns]]


def _cell(column: Obj, obj: Obj, now: datetime) -> Any:
    found = jsonpath.find(column["jsonPath"], obj)
    if not found:
        return None
    value, kind = found[0], column["type"]
    if kind == "string":
        return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), sort_keys=True)
    if kind == "date":
        return _date(value, now)
    if kind == "boolean":
        return value if isinstance(value, bool) else None
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return int(value) if kind == "integer" else value


def _date(value: Any, now: datetime) -> str | None:
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return "<invalid>"
    return ages.said(now - (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC))
