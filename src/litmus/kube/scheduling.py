"""Where the scheduler may put a pod, as far as taints, cordons and node selectors tell. Pure.

The rules are those of Kubernetes' documentation "Taints and Tolerations".
"""

from collections.abc import Iterable, Mapping, Sequence

from litmus.api.meta import Toleration

from .objects import Node, Taint


def tolerates(tolerations: Iterable[Toleration], taint: Taint) -> bool:
    """Whether one of them tolerates the taint for good; one for some seconds only puts the end off."""
    return any(_matches(one, taint) and one.toleration_seconds is None for one in tolerations)


def tolerates_a_while(tolerations: Iterable[Toleration], taint: Taint) -> bool:
    """Whether one of them tolerates the taint, for good or for some seconds."""
    return any(_matches(one, taint) for one in tolerations)


def _matches(toleration: Toleration, taint: Taint) -> bool:
    if toleration.effect and toleration.effect != taint.effect:
        return False
    if toleration.operator == "Exists":
        return not toleration.key or toleration.key == taint.key
    return toleration.key == taint.key and (toleration.value or "") == taint.value


def admits(node: Node, *, selector: Mapping[str, str], tolerations: Sequence[Toleration]) -> bool:
    """Whether a new pod may be placed on a node, if there is room."""
    if not node.ready or node.spec.unschedulable:
        return False
    if any(node.metadata.labels.get(key) != value for key, value in selector.items()):
        return False
    return all(taint.effect == "PreferNoSchedule" or tolerates(tolerations, taint) for taint in node.spec.taints)
