"""Who wrote what: ``metadata.managedFields``, kept by every write as a real server keeps it.

A manager that applies owns what it applied last; a manager that updates owns what it changed, until somebody else
changes that or takes it away. Source: the API concepts, "Field management"; k8s.io/apimachinery/pkg/util/managedfields
and sigs.k8s.io/structured-merge-diff, merge.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, NamedTuple

from litmus.sandbox.machinery import objects
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.schemas.form import Schema

from . import field_sets, typed, zero
from .field_sets import FieldSet, Path

APPLY: Literal["Apply"] = "Apply"
UPDATE: Literal["Update"] = "Update"
BEFORE_FIRST_APPLY = "before-first-apply"
"""Owns what an object had that nobody was recorded for."""
ANCIENT = "ancient-changes"
UPDATERS_MAX = 10
"""More managers that update are folded into ``ancient-changes``, the oldest first."""

# What nobody owns, because the server sets it or it says which object is meant.
_NAMES_THE_OBJECT = frozenset(
    {("f:apiVersion",), ("f:kind",), ("f:metadata",)}
    | {
        ("f:metadata", f"f:{name}")
        for name in (
            "name", "namespace", "creationTimestamp", "selfLink", "uid", "clusterName", "generation", "managedFields",
            "resourceVersion",
        )
    }
)  # fmt: skip


class Manager(NamedTuple):
    """Who: a manager is a name together with how and through what it writes."""

    operation: str
    name: str
    api_version: str
    subresource: str = ""

    def __str__(self) -> str:
        """As messages about conflicts name it."""
        through = f' with subresource "{self.subresource}"' if self.subresource else ""
        using = f" using {self.api_version}" if self.operation == UPDATE else ""
        return f'"{self.name}"{through}{using}'


@dataclass(frozen=True, slots=True)
class Owned:
    """What a manager owns. ``time`` is a timestamp, '' when unknown."""

    fields: FieldSet
    api_version: str
    time: str = ""


Managers = dict[Manager, Owned]


def manager(operation: str, name: str, api_version: str, subresource: str = "") -> Manager:
    """One who applies is the same whatever version it uses."""
    return Manager(operation, name, "" if operation == APPLY else api_version, subresource)


def decoded(entries: Iterable[Mapping[str, Any]]) -> Managers:
    """Reads ``managedFields``; what is no entry at all makes it empty, as on a real server."""
    found: Managers = {}
    for entry in entries:
        operation = entry.get("operation")
        if operation not in (APPLY, UPDATE) or entry.get("fieldsType", "FieldsV1") != "FieldsV1":
            return {}
        version = entry.get("apiVersion", "")
        who = manager(operation, entry.get("manager", ""), version, entry.get("subresource", ""))
        fields = field_sets.from_fields_v1(entry.get("fieldsV1") or {})
        found[who] = Owned(fields, version, entry.get("time") or "")
    return found


def encoded(managers: Managers) -> list[Obj]:
    """Writes ``managedFields``: those who apply first, then by time and name."""
    owning = [(who, owned) for who, owned in managers.items() if owned.fields]
    owning.sort(
        key=lambda item: (item[0].operation, item[1].time, item[0].name, item[1].api_version, item[0].subresource)
    )
    return [_entry(who, owned) for who, owned in owning]


def _entry(who: Manager, owned: Owned) -> Obj:
    found = {
        "manager": who.name,
        "operation": who.operation,
        "apiVersion": owned.api_version,
        "time": owned.time,
        "fieldsType": "FieldsV1",
        "fieldsV1": field_sets.to_fields_v1(owned.fields),
        "subresource": who.subresource,
    }
    return {name: value for name, value in found.items() if value != "" or name == "manager"}


def same(one: list[Obj] | None, other: list[Obj] | None) -> bool:
    """Whether two ``managedFields`` differ in nothing but times: then there is no reason to write."""
    return [{**entry, "time": ""} for entry in one or ()] == [{**entry, "time": ""} for entry in other or ()]


def stripped(fields: FieldSet) -> FieldSet:
    """Less what nobody owns."""
    return fields - _NAMES_THE_OBJECT


def not_through(subresource: str) -> tuple[Path, ...]:
    """The fields that a write through an endpoint cannot change, whatever it sends ("reset fields").

    Source: the GetResetFields functions of the strategies.
    """
    return (("f:spec",),) if subresource == "status" else ()


def settle(managers: Managers, difference: typed.Difference, *, writer: Manager | None) -> dict[Manager, FieldSet]:
    """Takes from everybody but the writer what it has changed or removed; returns who lost what by a change."""
    lost: dict[Manager, FieldSet] = {}
    for who, owned in list(managers.items()):
        if who == writer:
            continue
        taken = owned.fields & difference.written
        if taken:
            lost[who] = taken
        left = owned.fields - taken - difference.removed
        if left:
            managers[who] = replace(owned, fields=left)
        else:
            del managers[who]
    return lost


def updated(
    old: Obj | None,
    new: Obj,
    *,
    schema: Schema,
    name: str,
    api_version: str,
    subresource: str = "",
    now: datetime,
) -> list[Obj]:
    """The ``managedFields`` of ``new`` after an update, create or patch that turned ``old`` into it.

    ``name``: the manager's; ``api_version``: of the request. An object that has lost its managedFields stays without,
    until somebody applies. Source: managedfields/internal/fieldmanager.go, Update.
    """
    sent = objects.meta(new).get("managedFields")
    known = objects.meta(old).get("managedFields") if old is not None else None
    if sent == [{}]:  # the way to give them up
        return []
    managers = decoded(sent or ()) if sent and not subresource else {}
    managers = managers or decoded(known or ())
    if old is not None and not managers:
        return []
    before = bare(old) if old is not None else zero.of(schema, new)
    difference = typed.compared(schema, before, bare(new)).without(not_through(subresource))
    settle(managers, difference, writer=None)
    fields = stripped(difference.written)
    if fields:
        who = manager(UPDATE, name, api_version, subresource)
        if who in managers:
            fields |= managers[who].fields
        managers[who] = Owned(fields, api_version, objects.timestamp(now))
    _fold(managers)
    return encoded(managers)


def bare(obj: Obj) -> Obj:
    """The object less its managedFields, which nobody owns; the rest is shared."""
    meta = objects.meta(obj)
    if "managedFields" not in meta:
        return obj
    return {**obj, "metadata": {name: value for name, value in meta.items() if name != "managedFields"}}


def _fold(managers: Managers) -> None:
    """Merges the oldest of too many updaters into one for each version."""
    updaters = sorted((who for who in managers if who.operation == UPDATE), key=lambda who: (managers[who].time, who))
    count = len(updaters)
    first: dict[str, Manager] = {}
    for who in updaters:
        if count <= UPDATERS_MAX:
            break
        owned = managers[who]
        if owned.api_version not in first:
            first[owned.api_version] = who
            continue
        bucket = Manager(UPDATE, ANCIENT, owned.api_version)
        older = managers.get(bucket) or managers.pop(first[owned.api_version])
        del managers[who]
        managers[bucket] = replace(owned, fields=older.fields | owned.fields)
        count -= 1
