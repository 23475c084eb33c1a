"""Kubernetes objects as plain JSON: the few questions that everybody asks of them.

An object that comes out of the store is shared: nobody changes it, who wants to change one takes a ``copy``.
"""

import copy as _copy
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

Obj = dict[str, Any]
_CENTURY_S = 100 * 365.25 * 86400


class Key(NamedTuple):
    """Which object of a resource; ``namespace`` is '' for cluster-scoped ones."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


def copy(obj: Obj) -> Obj:
    """A deep copy that may be changed."""
    return _copy.deepcopy(obj)


def meta(obj: Obj) -> Obj:
    """The metadata, {} when there is none."""
    found: Obj = obj.get("metadata") or {}
    return found


def name(obj: Obj) -> str:
    """Its name, '' when it has none yet."""
    found: str = meta(obj).get("name", "")
    return found


def namespace(obj: Obj) -> str:
    """Its namespace, '' when it has none."""
    found: str = meta(obj).get("namespace", "")
    return found


def uid(obj: Obj) -> str:
    """Its uid, '' before it was stored."""
    found: str = meta(obj).get("uid", "")
    return found


def labels(obj: Obj) -> dict[str, str]:
    """Its labels, {} when there are none."""
    found: dict[str, str] = meta(obj).get("labels") or {}
    return found


def annotations(obj: Obj) -> dict[str, str]:
    """Its annotations, {} when there are none."""
    found: dict[str, str] = meta(obj).get("annotations") or {}
    return found


def key(obj: Obj) -> Key:
    """Which object it is among those of its resource."""
    return Key(namespace(obj), name(obj))


def leaving(obj: Obj) -> bool:
    """Whether its deletion has begun."""
    return bool(meta(obj).get("deletionTimestamp"))


def controller_of(obj: Obj) -> Obj | None:
    """The owner reference of the managing controller, if there is one."""
    return next((owner for owner in meta(obj).get("ownerReferences") or [] if owner.get("controller")), None)


def timestamp(moment: datetime | None = None) -> str:
    """A metav1.Time: RFC 3339 in UTC with whole seconds."""
    return (moment or datetime.now(UTC)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def micro_timestamp(moment: datetime | None = None) -> str:
    """A metav1.MicroTime: RFC 3339 in UTC with six digits of fraction."""
    return (moment or datetime.now(UTC)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def moment(text: str) -> datetime:
    """The time that a Time or MicroTime names."""
    return datetime.fromisoformat(text)


def span(seconds: float) -> timedelta:
    """That many seconds, a century at most: clients may say up to 2^63 of them, and the calendar ends in 9999."""
    return timedelta(seconds=max(-_CENTURY_S, min(seconds, _CENTURY_S)))
