"""Whether selectors hold: of nodes for pods, of pods for each other, of tolerations for taints.

Source: "Assigning Pods to Nodes" and "Taints and Tolerations" of the Kubernetes documentation.
"""

from collections.abc import Iterable, Mapping

from litmus.sandbox.machinery import objects
from litmus.sandbox.machinery.objects import Obj


def node_selector_holds(selector: Obj, node: Obj) -> bool:
    """A v1.NodeSelector: one of its terms holds. A term without anything in it holds for no node."""
    return any(node_term_holds(term, node) for term in selector.get("nodeSelectorTerms") or [])


def node_term_holds(term: Obj, node: Obj) -> bool:
    """All expressions of a v1.NodeSelectorTerm hold, about labels and about the field ``metadata.name``."""
    expressions, fields = term.get("matchExpressions") or [], term.get("matchFields") or []
    if not expressions and not fields:
        return False
    labels, named = objects.labels(node), {"metadata.name": objects.name(node)}
    return all(_holds(one, labels) for one in expressions) and all(_holds(one, named) for one in fields)


def _holds(expression: Obj, labels: Mapping[str, str]) -> bool:
    """One requirement: In, NotIn, Exists, DoesNotExist, and Gt and Lt for nodes."""
    value, wanted = labels.get(expression["key"]), expression.get("values") or []
    match expression["operator"]:
        case "In":
            return value is not None and value in wanted
        case "NotIn":
            return value is None or value not in wanted
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case "Gt" | "Lt" as operator:
            try:
                found, bound = int(value or ""), int(wanted[0])
            except (ValueError, IndexError):
                return False
            return found > bound if operator == "Gt" else found < bound
        case _:
            return False


def tolerates(toleration: Obj, taint: Obj) -> bool:
    """An empty key with Exists tolerates everything; an empty effect every effect of the key."""
    if toleration.get("effect") and toleration["effect"] != taint["effect"]:
        return False
    if toleration.get("key") and toleration["key"] != taint["key"]:
        return False
    operator = toleration.get("operator") or "Equal"
    if operator == "Exists":
        return True
    return operator == "Equal" and (toleration.get("value") or "") == (taint.get("value") or "")


def tolerated(taint: Obj, tolerations: Iterable[Obj]) -> bool:
    """One of the tolerations covers the taint."""
    return any(tolerates(toleration, taint) for toleration in tolerations)


def taints(node: Obj, *effects: str) -> list[Obj]:
    """The taints of a node that have one of the effects."""
    return [taint for taint in (node.get("spec") or {}).get("taints") or [] if taint["effect"] in effects]


def allowed_by_affinity(pod: Obj, node: Obj) -> bool:
    """The node has the labels of ``nodeSelector`` and meets the required node affinity."""
    spec = pod["spec"]
    if not (spec.get("nodeSelector") or {}).items() <= objects.labels(node).items():
        return False
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    return required is None or node_selector_holds(required, node)
