"""Events, as they are stored: core/v1. Source: pkg/apis/core/validation/events.go; API reference "Event"."""

from litmus.sandbox.machinery import names, objects, status
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.status import Cause

from . import Strategy, causes

_TIMES = ("firstTimestamp", "lastTimestamp", "eventTime")


class Events(Strategy):
    def default(self, obj: Obj) -> None:
        obj.setdefault("involvedObject", {})
        obj.setdefault("source", {})
        for field in _TIMES:
            obj.setdefault(field, None)
        obj.setdefault("reportingComponent", "")
        obj.setdefault("reportingInstance", "")

    def validate(self, obj: Obj) -> list[Cause]:
        """An event about an object stands in the object's namespace; about a cluster's object in ``default``."""
        about = (obj["involvedObject"] or {}).get("namespace", "")
        here = objects.namespace(obj)
        if about:
            if about != here:
                why = "does not match event.namespace"
                return [status.invalid_value("involvedObject.namespace", about, why)]
        elif here not in ("default", "kube-system") and obj["involvedObject"].get("kind", "") in (
            "",
            "Node",
            "Namespace",
            "PersistentVolume",
        ):
            return [status.invalid_value("involvedObject.namespace", about, "does not match event.namespace")]
        return causes.each("namespace", here, names.subdomain(here)) if here else []

    def name_causes(self, name: str) -> list[Cause]:
        return causes.each("metadata.name", name, names.path_segment(name))
