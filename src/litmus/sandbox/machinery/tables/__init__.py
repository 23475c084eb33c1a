"""Tables: what ``kubectl get`` shows of objects is decided by the server, in rows and columns.

Source: the API concepts, "Receiving resources as Tables".
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal, Protocol

from litmus.sandbox.machinery import conversion, objects
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.resources import Resource

from . import cluster, form, network, pods, storage, workloads
from .form import Printer

__all__ = ["Custom", "Include", "of", "partial"]

META = "meta.k8s.io/v1"
Include = Literal["None", "Metadata", "Object"]


class Custom(Protocol):
    """The columns of a custom kind, from its definition."""

    @property
    def column_definitions(self) -> list[Obj]:
        """As they stand in a Table, the name first."""

    def cells(self, obj: Obj, *, now: datetime) -> list[Any]:
        """The cells of an object's row."""


def _default_cells(obj: Obj, now: datetime) -> list[Any]:
    return [objects.name(obj), objects.meta(obj).get("creationTimestamp", form.UNKNOWN)]


_DEFAULT = Printer((form.NAME, form.CREATED), _default_cells)
_PRINTERS: dict[str, Printer] = {
    "pods": pods.PODS,
    **workloads.PRINTERS,
    **network.PRINTERS,
    **cluster.PRINTERS,
    **storage.PRINTERS,
}


def of(
    resource: Resource,
    found: Sequence[Obj],
    *,
    now: datetime,
    meta: Obj | None = None,
    include: Include = "Metadata",
    columns: bool = True,
    custom: Custom | None = None,
) -> Obj:
    """A Table of objects; what ``-o wide`` adds is always there, under columns of priority 1.

    ``meta``: the list's (or single object's) metadata; ``include``: what each row says of its object; ``columns``:
    whether to say the columns, as all but the first message of a watch do not; ``custom``: of a custom resource.
    """
    printer = _PRINTERS.get(resource.storage, _DEFAULT)
    if custom is not None:
        definitions = custom.column_definitions
        rows = [{"cells": custom.cells(obj, now=now), "object": _object(obj, include)} for obj in found]
    else:
        definitions = [column.definition for column in printer.columns] if columns else []
        rows = [_row(printer, resource, obj, now, include) for obj in found]
    return {
        "kind": "Table",
        "apiVersion": META,
        "metadata": meta or {},
        "columnDefinitions": definitions if columns else None,
        "rows": rows,
    }


def _row(printer: Printer, resource: Resource, obj: Obj, now: datetime, include: Include) -> Obj:
    stored = conversion.to_storage(resource, obj, version=resource.storage_api_version)
    row: Obj = {"cells": printer.cells(stored, now)}
    if conditions := printer.conditions(obj):
        row["conditions"] = conditions
    return {**row, "object": _object(obj, include)}


def _object(obj: Obj, include: Include) -> Obj | None:
    if include == "None":
        return None
    return partial(obj) if include == "Metadata" else obj


def partial(obj: Obj) -> Obj:
    """The metadata alone."""
    return {"kind": "PartialObjectMetadata", "apiVersion": META, "metadata": objects.meta(obj)}
