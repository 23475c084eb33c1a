"""Requests and limits of containers. Source: pkg/apis/core/validation, ValidateContainerResourceRequirements."""

from litmus.sandbox.machinery import names, quantity, status
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.status import Cause

from . import causes

_CONTAINER = ("cpu", "memory", "ephemeral-storage")
_STANDARD = (*_CONTAINER, "storage", "pods", "services", "configmaps", "secrets", "persistentvolumeclaims")
NOT_STANDARD = "must be a standard resource type or fully qualified"
NOT_FOR_CONTAINERS = "must be a standard resource for containers"


def requirements(resources: Obj | None, at: str) -> list[Cause]:
    """``at`` is the path of the resources."""
    limits = (resources or {}).get("limits") or {}
    requests = (resources or {}).get("requests") or {}
    said: list[Cause] = []
    for kind, amounts in (("limits", limits), ("requests", requests)):
        for name in sorted(amounts):
            said += _name(name, f"{at}.{kind}[{name}]")
            said += amount(name, amounts[name], f"{at}.{kind}[{name}]")
            if kind == "requests" and name in limits:
                said += _within(name, amounts[name], limits[name], f"{at}.requests")
            elif kind == "requests" and _extended(name):
                said.append(status.required(f"{at}.limits", "Limit must be set for non overcommitable resources"))
    return said


def amount(name: str, value: str, field: str) -> list[Cause]:
    """One amount of a ResourceList: not negative, and whole where pieces are counted."""
    found = quantity.of(value)
    if found.nano < 0:
        return [status.invalid_value(field, str(found), causes.NEGATIVE)]
    if _extended(name) and found.nano % quantity.NANO:
        return [status.invalid_value(field, str(found), "must be an integer")]
    return []


def _within(name: str, request: str, limit: str, field: str) -> list[Cause]:
    asked, most = quantity.of(request), quantity.of(limit)
    if _extended(name) and not asked.same(most):
        return [status.invalid_value(field, str(asked), f"must be equal to {name} limit of {most}")]
    if asked > most:
        return [status.invalid_value(field, str(asked), f"must be less than or equal to {name} limit of {most}")]
    return []


def _extended(name: str) -> bool:
    """A resource that a device plug-in offers, or huge pages: no overcommitment."""
    return ("/" in name and "kubernetes.io/" not in name) or name.startswith("hugepages-")


def _name(name: str, field: str) -> list[Cause]:
    texts = names.qualified(name)
    if "/" in name or name.startswith("hugepages-") or name in _CONTAINER:
        return causes.each(field, name, texts)
    if not texts and name not in _STANDARD:
        texts = [NOT_STANDARD]
    return causes.each(field, name, [*texts, NOT_FOR_CONTAINERS])
