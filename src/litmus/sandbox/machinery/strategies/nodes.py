"""Nodes. Source: pkg/apis/core/{v1/defaults.go,validation}, pkg/registry/core/node; documentation "Nodes"."""

from litmus.sandbox.machinery import names, quantity, status
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.status import Cause

from . import Strategy, amounts, causes, placement

_INFO = (
    *("machineID", "systemUUID", "bootID", "kernelVersion", "osImage", "containerRuntimeVersion", "kubeletVersion"),
    *("kubeProxyVersion", "operatingSystem", "architecture"),
)
_UPDATABLE = (
    "node updates may only change labels, taints, or capacity (or configSource, if the DynamicKubeletConfig feature "
    "gate is enabled)"
)
_CHANGEABLE = ("taints", "unschedulable", "configSource", "providerID", "podCIDR", "podCIDRs", "externalID")


class Nodes(Strategy):
    def default(self, obj: Obj) -> None:
        spec = obj.setdefault("spec", {})
        if spec.get("podCIDR") and not spec.get("podCIDRs"):
            spec["podCIDRs"] = [spec["podCIDR"]]
        found = obj.setdefault("status", {})
        amounts.resource_list(found.get("capacity"))
        amounts.resource_list(found.get("allocatable"))
        if "capacity" in found:
            found.setdefault("allocatable", dict(found["capacity"]))
        found.setdefault("daemonEndpoints", {}).setdefault("kubeletEndpoint", {}).setdefault("Port", 0)
        info = found.setdefault("nodeInfo", {})
        for field in _INFO:
            info.setdefault(field, "")

    def validate(self, obj: Obj) -> list[Cause]:
        said = _taint_causes(obj["spec"].get("taints") or [], "metadata.taints")  # sic
        for kind in ("capacity", "allocatable"):
            for name, value in sorted((obj["status"].get(kind) or {}).items()):
                if quantity.of(value).nano < 0:
                    said.append(status.invalid_value(f"status.{kind}.{name}", value, causes.NEGATIVE))
        return said

    def validate_update(self, new: Obj, old: Obj) -> list[Cause]:
        spec, known = new["spec"], old["spec"]
        for field in ("podCIDR", "providerID"):
            if known.get(field) and spec.get(field) != known[field]:
                why = "node updates may not change " + (
                    'podCIDR except from "" to valid' if field == "podCIDR" else 'providerID except from "" to valid'
                )
                return [status.forbidden_field("spec.podCIDRs" if field == "podCIDR" else "spec.providerID", why)]
        for field in {*spec, *known} - set(_CHANGEABLE):
            if spec.get(field) != known.get(field):
                return [status.forbidden_field("spec", _UPDATABLE)]
        return []


def _taint_causes(taints: list[Obj], at: str) -> list[Cause]:
    said: list[Cause] = []
    seen: set[tuple[str, str]] = set()
    for index, taint in enumerate(taints):
        field, key, effect = f"{at}[{index}]", taint.get("key", ""), taint.get("effect", "")
        said += causes.each(f"{field}.key", key, names.qualified(key))
        wrong = names.label_value(taint.get("value", ""))
        if wrong:
            said.append(status.invalid_value(f"{field}.value", taint["value"], ";".join(wrong)))
        if not effect:
            said.append(status.required(f"{field}.effect"))
        elif effect not in placement.TAINT_EFFECTS:
            said.append(causes.unsupported(f"{field}.effect", effect, placement.TAINT_EFFECTS))
        if (key, effect) in seen:
            why = "taints must be unique by key and effect pair"
            shown = {"Key": key, "Value": taint.get("value", ""), "Effect": effect, "TimeAdded": taint.get("timeAdded")}
            duplicate = status.duplicate(field, shown)
            said.append(Cause(duplicate.reason, duplicate.field, f"{duplicate.message}: {why}"))
        seen.add((key, effect))
    return said
