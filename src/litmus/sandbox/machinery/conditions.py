"""Conditions in a status: one entry a type, whose transition time moves only when its status does.

``find`` and ``put`` work on an object; the others on a list of conditions, for those who write a whole status anew.
Source: the API conventions, "Typical status properties".
"""

from collections.abc import Sequence
from datetime import datetime

from . import objects
from .objects import Obj


def find(obj: Obj, kind: str) -> Obj | None:
    """The condition of that type, if the object has one."""
    return named((obj.get("status") or {}).get("conditions"), kind)


def put(obj: Obj, kind: str, value: str, *, now: datetime, reason: str = "", message: str = "", **more: object) -> None:
    """Sets a condition in place; the time of the transition stays while ``value`` ("True", "False", "Unknown") does."""
    stamp = objects.timestamp(now)
    condition = {"type": kind, "status": value, **more, "lastTransitionTime": stamp}
    if reason:
        condition["reason"] = reason
    if message:
        condition["message"] = message
    listed = obj.setdefault("status", {}).setdefault("conditions", [])
    for number, known in enumerate(listed):
        if known.get("type") == kind:
            if known.get("status") == value:
                condition["lastTransitionTime"] = known.get("lastTransitionTime", stamp)
            listed[number] = condition
            return
    listed.append(condition)


def named(listed: Sequence[Obj] | None, type_: str) -> Obj | None:
    """The condition of a type, or None."""
    return next((condition for condition in listed or () if condition["type"] == type_), None)


def is_true(listed: Sequence[Obj] | None, type_: str) -> bool:
    """Whether the condition is there with status True."""
    found = named(listed, type_)
    return found is not None and found["status"] == "True"


def without(listed: Sequence[Obj] | None, type_: str) -> list[Obj]:
    """The list less one type."""
    return [condition for condition in listed or () if condition["type"] != type_]


def merged(listed: Sequence[Obj] | None, new: Obj) -> list[Obj]:
    """The list with ``new``, which goes to the end; unchanged when the same status and reason stand there already."""
    current = named(listed, new["type"])
    if current is not None and (current["status"], current.get("reason")) == (new["status"], new.get("reason")):
        return list(listed or ())
    if current is not None and current["status"] == new["status"] and "lastTransitionTime" in current:
        new = {**new, "lastTransitionTime": current["lastTransitionTime"]}
    return [*without(listed, new["type"]), new]
