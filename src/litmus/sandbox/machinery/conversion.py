"""One stored object, several faces: the versions of a custom resource, and events in their two groups.

Kubernetes keeps an object in its storage version and converts on the way in and out. Versions of a custom resource
with the conversion strategy None differ in ``apiVersion`` alone. An Event of ``events.k8s.io/v1`` is the same object
as one of core ``v1`` under other field names (k8s.io/api/events/v1).
"""

from .objects import Obj
from .resources import Resource

_EVENTS_GROUP = "events.k8s.io"
# events.k8s.io/v1 → core v1
_EVENT_FIELDS = {
    "note": "message",
    "regarding": "involvedObject",
    "reportingController": "reportingComponent",
    "deprecatedSource": "source",
    "deprecatedFirstTimestamp": "firstTimestamp",
    "deprecatedLastTimestamp": "lastTimestamp",
    "deprecatedCount": "count",
}
_LEFT_OUT = ("reportingController", "reportingInstance")  # when empty; in core they are written all the same
_CORE_FIELDS = {core: modern for modern, core in _EVENT_FIELDS.items()}


def _renamed(obj: Obj, names: dict[str, str], api_version: str) -> Obj:
    return {names.get(field, field): value for field, value in obj.items()} | {"apiVersion": api_version}


def to_storage(resource: Resource, obj: Obj, *, version: str) -> Obj:
    """The object as it is stored; ``version`` is the apiVersion of the storage. The argument stays as it was."""
    if resource.group == _EVENTS_GROUP and resource.stored_as:
        return _renamed(obj, _EVENT_FIELDS, "v1")
    return obj if obj.get("apiVersion") == version else {**obj, "apiVersion": version}


def from_storage(resource: Resource, obj: Obj) -> Obj:
    """The object as this group and version shows it; a shared one stays as it was."""
    if obj.get("apiVersion") == resource.group_version:
        return obj
    if resource.group == _EVENTS_GROUP and resource.stored_as:
        shown = _renamed(obj, _CORE_FIELDS, resource.group_version)
        return {field: value for field, value in shown.items() if value != "" or field not in _LEFT_OUT}
    return {**obj, "apiVersion": resource.group_version}
