"""PodDisruptionBudgets, resource quotas and limit ranges: what a namespace may use and how far it may be disturbed.

Source: pkg/apis/policy/validation, pkg/apis/core/{v1/defaults.go,validation}; documentation "Disruptions", "Resource
Quotas", "Limit Ranges".
"""

from typing import ClassVar

from litmus.sandbox.machinery import names, quantity, status
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.status import Cause

from . import Strategy, amounts, causes, workload

_SHOWN = ("disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods")
_BUDGET = ("minAvailable", "selector", "maxUnavailable", "unhealthyPodEvictionPolicy")
_EVICTION = ("IfHealthyBudget", "AlwaysAllow")
_PIECES = (
    *("pods", "services", "replicationcontrollers", "resourcequotas", "secrets", "configmaps"),
    *("persistentvolumeclaims", "services.nodeports", "services.loadbalancers"),
)
_QUOTA = (
    *_PIECES,
    *("cpu", "memory", "ephemeral-storage", "requests.cpu", "requests.memory", "requests.storage"),
    *("requests.ephemeral-storage", "limits.cpu", "limits.memory", "limits.ephemeral-storage"),
)
_LIMITS = ("max", "min", "default", "defaultRequest", "maxLimitRequestRatio")


class DisruptionBudgets(Strategy):
    generation_of: ClassVar = ("spec",)
    unconditional_update: ClassVar = False

    def default(self, obj: Obj) -> None:
        obj.setdefault("spec", {})
        found = obj.setdefault("status", {})
        for field in _SHOWN:
            found.setdefault(field, 0)

    def validate(self, obj: Obj) -> list[Cause]:
        spec = obj["spec"]
        said: list[Cause] = []
        if "minAvailable" in spec and "maxUnavailable" in spec:
            shown = {field[0].upper() + field[1:]: spec.get(field) for field in _BUDGET}
            said.append(status.invalid_value("spec", shown, "minAvailable and maxUnavailable cannot be both set"))
        for field in ("minAvailable", "maxUnavailable"):
            if field in spec:
                said += workload.int_or_percent(spec[field], f"spec.{field}")
                said += workload.at_most_all(spec[field], f"spec.{field}")
        said += causes.label_selector("spec.selector", spec.get("selector"))
        policy = spec.get("unhealthyPodEvictionPolicy")
        if policy is not None and policy not in _EVICTION:
            said.append(causes.unsupported("spec.unhealthyPodEvictionPolicy", policy, _EVICTION))
        return said


class Quotas(Strategy):
    def default(self, obj: Obj) -> None:
        spec = obj.setdefault("spec", {})
        found = obj.setdefault("status", {})
        for amount_list in (spec.get("hard"), found.get("hard"), found.get("used")):
            amounts.resource_list(amount_list)

    def validate(self, obj: Obj) -> list[Cause]:
        said: list[Cause] = []
        for name, value in sorted((obj["spec"].get("hard") or {}).items()):
            field = f"spec.hard[{name}]"
            said += _quota_name_causes(name, field)
            found = quantity.of(value)
            if found.nano < 0:
                said.append(status.invalid_value(field, str(found), causes.NEGATIVE))
            elif found.nano % quantity.NANO and name in _PIECES:
                said.append(status.invalid_value(field, str(found), "must be an integer"))
        return said

    def validate_update(self, new: Obj, old: Obj) -> list[Cause]:
        return causes.immutable("spec.scopes", new["spec"].get("scopes"), old["spec"].get("scopes"))


def _quota_name_causes(name: str, field: str) -> list[Cause]:
    texts = names.qualified(name)
    if "/" not in name and name not in _QUOTA:
        texts += ["must be a standard resource type or fully qualified"] if not texts else []
        texts.append("must be a standard resource for quota")
    return causes.each(field, name, texts)


class LimitRanges(Strategy):
    """What is not said of a container's defaults follows from its maximum and its minimum."""

    create_on_update: ClassVar = True

    def default(self, obj: Obj) -> None:
        for item in obj.setdefault("spec", {}).get("limits") or ():
            for field in _LIMITS:
                amounts.resource_list(item.get(field))
            if item.get("type") == "Container":
                _container_defaults(item)

    def validate(self, obj: Obj) -> list[Cause]:
        said: list[Cause] = []
        seen: set[str] = set()
        for index, item in enumerate(obj["spec"].get("limits") or []):
            field, kind = f"spec.limits[{index}]", item.get("type", "")
            said += causes.each(f"{field}.type", kind, names.qualified(kind))
            if kind in seen:
                said.append(status.duplicate(f"{field}.type", kind))
            seen.add(kind)
            for name in sorted({name for kind in _LIMITS for name in item.get(kind) or {}}):
                said += _order_causes(item, name, field)
        return said


def _container_defaults(item: Obj) -> None:
    default = {**(item.get("max") or {}), **(item.get("default") or {})}
    request = {**(item.get("min") or {}), **default, **(item.get("defaultRequest") or {})}
    if default:
        item["default"] = default
    if request:
        item["defaultRequest"] = request


def _order_causes(item: Obj, name: str, at: str) -> list[Cause]:
    """min ≤ defaultRequest ≤ default ≤ max."""
    said: list[Cause] = []
    for low, high, at_field, why in (
        ("min", "max", "min", "min value {low} is greater than max value {high}"),
        ("min", "defaultRequest", "defaultRequest", "min value {low} is greater than default request value {high}"),
        ("defaultRequest", "max", "defaultRequest", "default request value {low} is greater than max value {high}"),
        (
            "defaultRequest",
            "default",
            "defaultRequest",
            "default request value {low} is greater than default limit value {high}",
        ),
        ("min", "default", "default", "min value {low} is greater than default value {high}"),
        ("default", "max", "default", "default value {low} is greater than max value {high}"),
    ):
        least, most = (item.get(low) or {}).get(name), (item.get(high) or {}).get(name)
        if least is not None and most is not None and quantity.of(least) > quantity.of(most):
            value = (item.get(at_field) or {})[name]
            said.append(status.invalid_value(f"{at}.{at_field}[{name}]", value, why.format(low=least, high=most)))
    return said
