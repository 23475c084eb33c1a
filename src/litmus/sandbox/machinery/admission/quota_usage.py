"""What of a ResourceQuota is used: counted from the objects that exist.

The quota controller shows it in the status, admission compares it with the limits.
Source: documentation "Resource Quotas"; pkg/quota/v1/evaluator/core.
"""

from collections.abc import Mapping

from litmus.sandbox.machinery import quantity
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.quantity import Quantity
from litmus.sandbox.machinery.strategies import qos

from . import pod_resources
from .request import Reader

COUNTED = (
    *("configmaps", "persistentvolumeclaims", "replicationcontrollers", "resourcequotas", "secrets", "services"),
    "pods",
)
_OVER = ("Succeeded", "Failed")
_COMPUTED = ("cpu", "memory", "ephemeral-storage")
_SHORT = {"requests.cpu": "cpu", "requests.memory": "memory", "requests.ephemeral-storage": "ephemeral-storage"}
Usage = dict[str, Quantity]


def used(reader: Reader, quota: Obj) -> Usage:
    """Resource of the quota's hard limits → what the namespace uses of it."""
    namespace = quota["metadata"].get("namespace", "")
    hard = quota["spec"].get("hard") or {}
    found = dict.fromkeys(hard, quantity.ZERO)
    for resource in sorted({_resource(name) for name in hard} - {""}):
        for obj in reader.list(resource, namespace):
            if in_scope(quota, resource, obj):
                for name, amount in of(resource, obj).items():
                    if name in found:
                        found[name] += amount
    return found


def of(resource: str, obj: Obj) -> Usage:
    """What one object uses, in all names by which quotas know it."""
    one = Quantity(quantity.NANO)
    found = {f"count/{resource}": one}
    if resource in COUNTED:
        found[resource] = one
    match resource:
        case "pods":
            return _of_pod(obj, found)
        case "services":
            return found | _of_service(obj)
        case "persistentvolumeclaims":
            requests = obj["spec"].get("resources", {}).get("requests") or {}
            found["requests.storage"] = quantity.of(requests.get("storage", 0))
    return found


def missing(quota: Obj, pod: Obj) -> dict[str, list[str]]:
    """Limited resource → containers that do not say how much of it they want; they cannot be accounted for."""
    said: dict[str, list[str]] = {}
    for name in quota["spec"].get("hard") or {}:
        kind, _, resource = name.rpartition(".")
        if resource not in _COMPUTED or kind not in ("", "requests", "limits"):
            continue
        silent = [
            container.get("name", "")
            for group in ("containers", "initContainers")
            for container in pod["spec"].get(group, ())
            if resource not in ((container.get("resources") or {}).get(kind or "requests") or {})
        ]
        if silent:
            said[name] = silent
    return said


def in_scope(quota: Obj, resource: str, obj: Obj) -> bool:
    """Whether a quota with scopes is about this object; scopes are about pods only."""
    spec = quota["spec"]
    rules = [{"scopeName": scope, "operator": "Exists"} for scope in spec.get("scopes") or []]
    rules += (spec.get("scopeSelector") or {}).get("matchExpressions") or []
    return not rules or (resource == "pods" and all(_matches(rule, obj) for rule in rules))


def _matches(rule: Mapping[str, object], pod: Obj) -> bool:
    scope = rule.get("scopeName")
    ends = pod["spec"].get("activeDeadlineSeconds") is not None
    match scope:
        case "Terminating" | "NotTerminating":
            return ends == (scope == "Terminating")
        case "BestEffort" | "NotBestEffort":
            return (qos.of(pod) == "BestEffort") == (scope == "BestEffort")
        case "PriorityClass":
            return _has_class(rule, pod["spec"].get("priorityClassName", ""))
    return False


def _has_class(rule: Mapping[str, object], name: str) -> bool:
    values = rule.get("values")
    listed = isinstance(values, list) and name in values
    match rule.get("operator"):
        case "In":
            return listed
        case "NotIn":
            return not listed
        case "DoesNotExist":
            return not name
    return bool(name)


def _resource(name: str) -> str:
    """Which objects a limit is about, '' when we count none of them."""
    if name.startswith("count/"):
        return name.removeprefix("count/")
    if name in COUNTED:
        return name
    if name.startswith("services."):
        return "services"
    if name == "requests.storage" or name.endswith("/persistentvolumeclaims"):
        return "persistentvolumeclaims"
    return "pods"


def _of_pod(pod: Obj, found: Usage) -> Usage:
    if (pod.get("status") or {}).get("phase") in _OVER:
        return {"count/pods": found["count/pods"]}
    for kind in ("requests", "limits"):
        for name, amount in pod_resources.total(pod, kind).items():
            found[f"{kind}.{name}"] = quantity.of(amount)
    for long, short in _SHORT.items():
        if long in found:
            found[short] = found[long]
    return found


def _of_service(service: Obj) -> Usage:
    spec = service["spec"]
    kind, ports = spec.get("type"), len(spec.get("ports") or ())
    found: Usage = {}
    if kind == "LoadBalancer":
        found["services.loadbalancers"] = Quantity(quantity.NANO)
    if kind == "NodePort" or (kind == "LoadBalancer" and spec.get("allocateLoadBalancerNodePorts", True)):
        found["services.nodeports"] = Quantity(ports * quantity.NANO)
    return found
