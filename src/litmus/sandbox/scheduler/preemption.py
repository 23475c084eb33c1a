"""Who has to go so that a more important pod can run.

On every node: leave out all pods of lower priority; if that would do, take back as many as possible, first those that a
PodDisruptionBudget protects, the important ones before the others. The node where least harm is done is chosen.
Source: "Pod Priority and Preemption" of the Kubernetes documentation;
k8s.io/kubernetes/pkg/scheduler/framework/preemption.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from litmus.sandbox.machinery import objects, selectors
from litmus.sandbox.machinery.objects import Obj

from . import filters
from .filters import No
from .snapshot import Place, Snapshot, priority

NOT_HELPFUL = No(("Preemption is not helpful for scheduling",), final=True)
NO_VICTIMS = No(("No preemption victims found for incoming pod",), final=True)


@dataclass(frozen=True, slots=True)
class Victims:
    """Who leaves one node; ``broken``: how many budgets would not have allowed it."""

    node: str
    pods: list[Obj]
    broken: int = 0

    @property
    def harm(self) -> tuple[int, int, int, int, float]:
        """Compared in this order; of victims of the same importance the younger ones are spared least."""
        priorities = [priority(pod) for pod in self.pods]
        most = max(priorities, default=0)
        begun = [
            objects.moment(text).timestamp()
            for pod in self.pods
            if priority(pod) == most and (text := (pod.get("status") or {}).get("startTime"))
        ]
        return self.broken, most, sum(priorities), len(self.pods), -min(begun, default=0.0)


def excluded(pod: Obj, snapshot: Snapshot) -> str:
    """Why the pod may not push others out at all, '' when it may."""
    if pod["spec"].get("preemptionPolicy") == "Never":
        return "not eligible due to preemptionPolicy=Never."
    place = snapshot.places.get((pod.get("status") or {}).get("nominatedNodeName") or "")
    if place and any(objects.leaving(other) and priority(other) < priority(pod) for other in place.pods):
        return "not eligible due to a terminating pod on the nominated node."
    return ""


def choose(
    pod: Obj, snapshot: Snapshot, refusals: Mapping[str, No], budgets: Sequence[Obj]
) -> tuple[Victims | None, dict[str, No]]:
    """The least harmful way to make room, or None and what is in the way on each node.

    ``refusals``: why each node cannot take the pod as things are.
    """
    candidates: list[Victims] = []
    why: dict[str, No] = {}
    for name, no in refusals.items():
        found = NOT_HELPFUL if no.final else _on(snapshot.places[name], pod, snapshot, budgets)
        if isinstance(found, Victims):
            candidates.append(found)
        else:
            why[name] = found
    best = min(candidates, key=lambda victims: (victims.harm, victims.node), default=None)
    return best, why


def _on(place: Place, pod: Obj, snapshot: Snapshot, budgets: Sequence[Obj]) -> Victims | No:
    lower = [other for other in place.pods if priority(other) < priority(pod)]
    if not lower:
        return NO_VICTIMS
    no = _refused(pod, place.name, snapshot.without(lower))
    if no is not None:
        return no
    protected = _protected(lower, budgets)
    spared: list[str] = []
    # The first to be taken back are those that a budget protects, then the important and the old.
    for other in sorted(lower, key=lambda one: (objects.uid(one) not in protected, -priority(one), _started(one))):
        spared.append(objects.uid(other))
        gone = [one for one in lower if objects.uid(one) not in spared]
        if _refused(pod, place.name, snapshot.without(gone)) is not None:
            spared.pop()
    victims = [one for one in lower if objects.uid(one) not in spared]
    return Victims(place.name, victims, sum(objects.uid(one) in protected for one in victims))


def _refused(pod: Obj, node: str, snapshot: Snapshot) -> No | None:
    seen = snapshot.with_nominated(pod)
    return filters.refused(pod, seen.places[node], seen)


def _started(pod: Obj) -> str:
    return (pod.get("status") or {}).get("startTime") or objects.meta(pod).get("creationTimestamp") or ""


def _protected(pods: Iterable[Obj], budgets: Sequence[Obj]) -> set[str]:
    """The uids of the pods whose going no budget has room for any more."""
    left = [int((budget.get("status") or {}).get("disruptionsAllowed") or 0) for budget in budgets]
    found: set[str] = set()
    for pod in pods:
        for number, budget in enumerate(budgets):
            if objects.namespace(budget) != objects.namespace(pod):
                continue
            if not selectors.from_label_selector(budget["spec"].get("selector")).matches(pod):
                continue
            left[number] -= 1
            if left[number] < 0:
                found.add(objects.uid(pod))
    return found
