"""Conditions in a status. Source: the API conventions, "Typical status properties"."""

from datetime import datetime

from . import objects
from .objects import Obj


def find(obj: Obj, kind: str) -> Obj | None:
    """The condition of that type, if the object has one."""
    listed = (obj.get("status") or {}).get("conditions") or []
    return next((condition for condition in listed if condition.get("type") == kind), None)


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
