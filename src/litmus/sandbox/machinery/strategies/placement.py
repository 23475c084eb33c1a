"""Where a pod may run: tolerations, affinity, spread. Source: pkg/apis/core/validation; "Assigning Pods to Nodes"."""

from litmus.sandbox.machinery import names, status
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.status import Cause

from . import causes

TAINT_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
_WEIGHT = "must be in the range 1-100"
_UNSATISFIABLE = ("DoNotSchedule", "ScheduleAnyway")


def tolerations(found: list[Obj], at: str) -> list[Cause]:
    """``tolerations`` of a pod's spec."""
    said: list[Cause] = []
    for index, toleration in enumerate(found):
        field = f"{at}[{index}]"
        key, operator, effect = (toleration.get(name, "") for name in ("key", "operator", "effect"))
        if key:
            said += causes.each(f"{field}.key", key, names.qualified(key))
        if not key and operator != "Exists":
            why = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
            said.append(status.invalid_value(f"{field}.operator", operator, why))
        if toleration.get("tolerationSeconds") is not None and effect != "NoExecute":
            why = "effect must be 'NoExecute' when `tolerationSeconds` is set"
            said.append(status.invalid_value(f"{field}.effect", effect, why))
        said += _toleration_value(toleration, field)
        if effect and effect not in TAINT_EFFECTS:
            said.append(causes.unsupported(f"{field}.effect", effect, TAINT_EFFECTS))
    return said


def affinity(found: Obj | None, at: str) -> list[Cause]:
    """``affinity`` of a pod's spec."""
    rules = found or {}
    said = _node_affinity(rules.get("nodeAffinity"), f"{at}.nodeAffinity")
    for kind in ("podAffinity", "podAntiAffinity"):
        terms = rules.get(kind) or {}
        for index, term in enumerate(terms.get(_REQUIRED) or []):
            said += _pod_term(term, f"{at}.{kind}.{_REQUIRED}[{index}]")
        for index, weighted in enumerate(terms.get(_PREFERRED) or []):
            field = f"{at}.{kind}.{_PREFERRED}[{index}]"
            said += _weight(weighted, field)
            said += _pod_term(weighted.get("podAffinityTerm") or {}, f"{field}.podAffinityTerm")
    return said


def spread(constraints: list[Obj], at: str) -> list[Cause]:
    """``topologySpreadConstraints`` of a pod's spec."""
    said: list[Cause] = []
    for index, constraint in enumerate(constraints):
        field = f"{at}[{index}]"
        if constraint.get("maxSkew", 0) <= 0:
            said.append(
                status.invalid_value(f"{field}.maxSkew", constraint.get("maxSkew", 0), "must be greater than zero")
            )
        if not constraint.get("topologyKey"):
            said.append(status.required(f"{field}.topologyKey", "can not be empty"))
        action = constraint.get("whenUnsatisfiable", "")
        if action not in _UNSATISFIABLE:
            said.append(causes.unsupported(f"{field}.whenUnsatisfiable", action, _UNSATISFIABLE))
    return said


def node_selector(selector: Obj, at: str) -> list[Cause]:
    """A NodeSelector: what nodes a pod or a volume needs."""
    terms = selector.get("nodeSelectorTerms") or []
    if not terms:
        return [status.required(f"{at}.nodeSelectorTerms", "must have at least one node selector term")]
    said: list[Cause] = []
    for index, term in enumerate(terms):
        said += _node_term(term, f"{at}.nodeSelectorTerms[{index}]")
    return said


def _toleration_value(toleration: Obj, at: str) -> list[Cause]:
    operator, value = toleration.get("operator", ""), toleration.get("value", "")
    if operator in ("", "Equal"):
        wrong = names.label_value(value)
        return [status.invalid_value(f"{at}.operator", value, ";".join(wrong))] if wrong else []
    if operator == "Exists":
        why = "value must be empty when `operator` is 'Exists'"
        return [status.invalid_value(f"{at}.operator", toleration, why)] if value else []
    return [causes.unsupported(f"{at}.operator", operator, ("Equal", "Exists"))]


def _node_affinity(rules: Obj | None, at: str) -> list[Cause]:
    found = rules or {}
    said: list[Cause] = []
    if found.get(_REQUIRED) is not None:
        said += node_selector(found[_REQUIRED], f"{at}.{_REQUIRED}")
    for index, preferred in enumerate(found.get(_PREFERRED) or []):
        field = f"{at}.{_PREFERRED}[{index}]"
        said += _weight(preferred, field)
        said += _node_term(preferred.get("preference") or {}, f"{field}.preference")
    return said


def _node_term(term: Obj, at: str) -> list[Cause]:
    said: list[Cause] = []
    for index, rule in enumerate(term.get("matchExpressions") or []):
        field = f"{at}.matchExpressions[{index}]"
        operator, values = rule.get("operator", ""), rule.get("values") or []
        if operator in ("In", "NotIn") and not values:
            said.append(status.required(f"{field}.values", "must be specified when `operator` is 'In' or 'NotIn'"))
        elif operator in ("Exists", "DoesNotExist") and values:
            why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
            said.append(status.forbidden_field(f"{field}.values", why))
        elif operator in ("Gt", "Lt") and len(values) != 1:
            why = "must be specified single value when `operator` is 'Lt' or 'Gt'"
            said.append(status.required(f"{field}.values", why))
        elif operator not in ("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"):
            said.append(status.invalid_value(f"{field}.operator", operator, "not a valid selector operator"))
        said += causes.each(f"{field}.key", rule.get("key", ""), names.qualified(rule.get("key", "")))
    return said


def _pod_term(term: Obj, at: str) -> list[Cause]:
    said = causes.label_selector(f"{at}.labelSelector", term.get("labelSelector"))
    for namespace in term.get("namespaces") or []:
        said += causes.each(f"{at}.namespace", namespace, names.label(namespace))
    return said + _topology_key(term.get("topologyKey", ""), f"{at}.topologyKey")


def _topology_key(key: str, field: str) -> list[Cause]:
    said = [] if key else [status.required(field, "can not be empty")]
    return said + causes.each(field, key, names.qualified(key))


def _weight(weighted: Obj, at: str) -> list[Cause]:
    weight = weighted.get("weight", 0)
    return [] if 1 <= weight <= 100 else [status.invalid_value(f"{at}.weight", weight, _WEIGHT)]
