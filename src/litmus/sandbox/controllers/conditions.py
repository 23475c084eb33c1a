"""Lists of conditions in a status: one entry a type, whose transition time moves only when its status does.

Source: the API conventions, "Typical status properties".
"""

from collections.abc import Sequence

from litmus.sandbox.machinery.objects import Obj


def find(listed: Sequence[Obj] | None, type_: str) -> Obj | None:
    """The condition of a type, or None."""
    return next((condition for condition in listed or () if condition["type"] == type_), None)


def is_true(listed: Sequence[Obj] | None, type_: str) -> bool:
    """Whether the condition is there with status True."""
    found = find(listed, type_)
    return found is not None and found["status"] == "True"


def without(listed: Sequence[Obj] | None, type_: str) -> list[Obj]:
    """The list less one type."""
    return [condition for condition in listed or () if condition["type"] != type_]


def merged(listed: Sequence[Obj] | None, new: Obj) -> list[Obj]:
    """The list with ``new``, which goes to the end; unchanged when the same status and reason stand there already."""
    current = find(listed, new["type"])
    if current is not None and (current["status"], current.get("reason")) == (new["status"], new.get("reason")):
        return list(listed or ())
    if current is not None and current["status"] == new["status"] and "lastTransitionTime" in current:
        new = {**new, "lastTransitionTime": current["lastTransitionTime"]}
    return [*without(listed, new["type"]), new]
