"""TaintNodesByCondition: a new node takes no pods before it has been seen to be ready.

Source: documentation "Taint Nodes by Condition"; plugin/pkg/admission/nodetaint.
"""

from .request import Request

NOT_READY = "node.kubernetes.io/not-ready"


def admit(request: Request) -> None:
    """Adds the taint; the node controller takes it off."""
    if not request.creates("nodes"):
        return
    spec = request.obj.setdefault("spec", {})
    taint = {"key": NOT_READY, "effect": "NoSchedule"}
    known = [(found.get("key"), found.get("effect")) for found in spec.get("taints", ())]
    if (NOT_READY, "NoSchedule") not in known:
        spec["taints"] = [*spec.get("taints", ()), taint]
