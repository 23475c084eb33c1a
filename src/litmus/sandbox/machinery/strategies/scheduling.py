"""PriorityClasses. Source: pkg/apis/scheduling/{v1/defaults.go,validation}; doc. "Pod Priority and Preemption"."""

from typing import ClassVar

from litmus.sandbox.machinery import objects, status
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.status import Cause

from . import Strategy, causes

HIGHEST = 1_000_000_000
SYSTEM_PREFIX = "system-"
_SYSTEM = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}
_POLICIES = ("PreemptLowerPriority", "Never")


class PriorityClasses(Strategy):
    generation_of: ClassVar = ("value", "description", "globalDefault")

    def default(self, obj: Obj) -> None:
        obj.setdefault("value", 0)
        obj.setdefault("preemptionPolicy", "PreemptLowerPriority")

    def validate(self, obj: Obj) -> list[Cause]:
        name, value = objects.name(obj), obj["value"]
        if name.startswith(SYSTEM_PREFIX):
            if _SYSTEM.get(name) == value:
                return []
            why = "priority class names with 'system-' prefix are reserved for system use only. error: "
            known = (
                f"value of {name} PriorityClass must be {_SYSTEM[name]}"
                if name in _SYSTEM
                else f"{name} is not a known system priority class"
            )
            return [status.forbidden_field("metadata.name", why + known)]
        if value > HIGHEST:
            why = f"maximum allowed value of a user defined priority is {HIGHEST}"
            return [status.forbidden_field("value", why)]
        if obj["preemptionPolicy"] not in _POLICIES:
            return [causes.unsupported("preemptionPolicy", obj["preemptionPolicy"], _POLICIES)]
        return []

    def validate_update(self, new: Obj, old: Obj) -> list[Cause]:
        said: list[Cause] = []
        if new["value"] != old["value"]:
            said.append(status.forbidden_field("value", "may not be changed in an update."))
        return said + causes.immutable("preemptionPolicy", new["preemptionPolicy"], old["preemptionPolicy"])
