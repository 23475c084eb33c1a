"""Events, as they are stored: core/v1. Source: pkg/apis/core/validation/events.go; API reference "Event"."""

from typing import ClassVar

from litmus.sandbox.machinery import names, objects, status
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.status import Cause

from . import Strategy, causes

_TIMES = ("firstTimestamp", "lastTimestamp", "eventTime")
_TYPES = ("Normal", "Warning")
_NO_NAMESPACE = ("default", "kube-system")
"""Where events about cluster-scoped objects stand."""
_LENGTH, _NOTE_LENGTH = 128, 1024
_IMMUTABLE = (
    *("involvedObject", "reason", "message", "source", "firstTimestamp", "lastTimestamp", "count", "type", "eventTime"),
    *("action", "related", "reportingComponent", "reportingInstance"),
)


class Events(Strategy):
    """Events of core/v1, old and new ones: a new one has an ``eventTime``."""

    create_on_update: ClassVar = True

    def default(self, obj: Obj) -> None:
        obj.setdefault("involvedObject", {})
        obj.setdefault("source", {})
        for field in _TIMES:
            obj.setdefault(field, None)
        obj.setdefault("reportingComponent", "")
        obj.setdefault("reportingInstance", "")

    def validate(self, obj: Obj) -> list[Cause]:
        """An event about an object stands in the object's namespace; a new one says who reports what."""
        here = objects.namespace(obj)
        found = _new(obj) if obj.get("eventTime") else _old(obj)
        return [*found, *(causes.each("namespace", here, names.subdomain(here)) if here else [])]

    def name_causes(self, name: str) -> list[Cause]:
        return causes.each("metadata.name", name, names.path_segment(name))


class NewEvents(Events):
    """The same objects written through events.k8s.io/v1, which is strict."""

    def validate(self, obj: Obj) -> list[Cause]:
        found = super().validate(obj)
        if "resourceVersion" in obj["metadata"]:
            return found  # an update, whose rules are others
        if not obj.get("eventTime"):
            found.append(status.required("eventTime"))
        if obj.get("type") not in _TYPES:
            found.append(status.invalid_value("type", "", f"has invalid value: {obj.get('type', '')}"))
        unset = [field for field in ("firstTimestamp", "lastTimestamp", "count", "source") if obj.get(field)]
        return [*found, *_series(obj), *(status.invalid_value(field, "", "needs to be unset") for field in unset)]

    def validate_update(self, new: Obj, old: Obj) -> list[Cause]:
        found = _series(new) if new.get("series") != old.get("series") else []
        for field in _IMMUTABLE:
            shown = "reportingController" if field == "reportingComponent" else field
            found += causes.immutable(shown, new.get(field), old.get(field))
        return found


def _about(obj: Obj) -> str:
    return str((obj["involvedObject"] or {}).get("namespace", ""))


def _elsewhere(about: str) -> list[Cause]:
    return [status.invalid_value("involvedObject.namespace", about, "does not match event.namespace")]


def _old(obj: Obj) -> list[Cause]:
    about, here = _about(obj), objects.namespace(obj)
    fits = about == here if about else here in ("", "default")
    return [] if fits else _elsewhere(about)


def _new(obj: Obj) -> list[Cause]:
    about, here = _about(obj), objects.namespace(obj)
    found = [] if about or here in _NO_NAMESPACE else _elsewhere(about)
    who = obj.get("reportingComponent") or ""
    if not who:
        found.append(status.required("reportingController"))
    found += causes.each("reportingController", who, names.qualified(who))
    for field in ("reportingInstance", "action", "reason"):
        value = obj.get(field) or ""
        if not value:
            found.append(status.required(field))
        elif len(value) > _LENGTH:
            found.append(status.invalid_value(field, "", f"can have at most {_LENGTH} characters"))
    if len(obj.get("message") or "") > _NOTE_LENGTH:
        found.append(status.invalid_value("message", "", f"can have at most {_NOTE_LENGTH} characters"))
    return found


def _series(obj: Obj) -> list[Cause]:
    series = obj.get("series")
    if series is None:
        return []
    found = []
    if (series.get("count") or 0) < 2:
        found.append(status.invalid_value("series.count", "", "should be at least 2"))
    if not series.get("lastObservedTime"):
        found.append(status.required("series.lastObservedTime"))
    return found
