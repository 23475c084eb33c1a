"""Which of the nodes that may take a pod is the best for it: a table of opinions from 0 to 100, each with a weight.

Weights are those of kube-scheduler's default profile. Locality of images says nothing here, because an image of the
sandbox is a command that every node has. Source: "Kubernetes Scheduler" and "Resource Bin Packing" of the
documentation; k8s.io/kubernetes/pkg/scheduler/framework/plugins.
"""

import math
from collections.abc import Callable, Sequence

from litmus.sandbox.machinery.objects import Obj

from . import affinity, amounts, matching, spreading
from .snapshot import Place, Snapshot

HIGHEST = 100.0
Opinion = Callable[[Obj, Sequence[Place], Snapshot], list[float]]


def tolerated_softly(pod: Obj, places: Sequence[Place], snapshot: Snapshot) -> list[float]:
    """The fewer taints PreferNoSchedule are not tolerated, the better."""
    tolerations = [
        one for one in pod["spec"].get("tolerations") or [] if one.get("effect") in (None, "", "PreferNoSchedule")
    ]
    bad = [
        sum(not matching.tolerated(taint, tolerations) for taint in matching.taints(place.node, "PreferNoSchedule"))
        for place in places
    ]
    return [HIGHEST - score for score in _share(bad)]


def preferred_nodes(pod: Obj, places: Sequence[Place], snapshot: Snapshot) -> list[float]:
    """The weights of the preferred node affinities that hold."""
    node_affinity = (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}
    terms = node_affinity.get("preferredDuringSchedulingIgnoredDuringExecution") or []
    return _share([sum(one["weight"] for one in terms if _prefers(one["preference"], place.node)) for place in places])


def _prefers(preference: Obj, node: Obj) -> bool:
    empty = not preference.get("matchExpressions") and not preference.get("matchFields")
    return empty or matching.node_term_holds(preference, node)


def spread_evenly(pod: Obj, places: Sequence[Place], snapshot: Snapshot) -> list[float]:
    """The fewer pods of the same kind are in the domains of a node, the better; rare domains weigh less."""
    wanted = spreading.constraints(pod, "ScheduleAnyway", snapshot)
    asked = bool(pod["spec"].get("topologySpreadConstraints"))
    if not wanted:
        return [0.0] * len(places)
    crowd: list[float | None] = []
    for place in places:
        if asked and any(one.topology_key not in place.labels for one in wanted):
            crowd.append(None)  # a node without the label is the last choice
            continue
        crowd.append(
            sum(
                one.counts[place.labels[one.topology_key]] * math.log(len(one.counts) + 2) + one.max_skew - 1
                for one in wanted
                if one.topology_key in place.labels
            )
        )
    known = [count for count in crowd if count is not None]
    most, least = max(known, default=0.0), min(known, default=0.0)
    return [
        0.0 if count is None else HIGHEST if most == 0 else HIGHEST * (most + least - count) / most for count in crowd
    ]


def preferred_company(pod: Obj, places: Sequence[Place], snapshot: Snapshot) -> list[float]:
    """The weights of the preferred pod affinities that would be met, between the least and the most liked node."""
    weights = affinity.liking(pod, snapshot)
    sums = [
        sum(weight for (key, value), weight in weights.items() if place.labels.get(key) == value) for place in places
    ]
    least, most = min(sums), max(sums)
    return [HIGHEST * (found - least) / (most - least) if most > least else 0.0 for found in sums]


def least_allocated(pod: Obj, places: Sequence[Place], snapshot: Snapshot) -> list[float]:
    """The more cpu and memory would be left, the better."""
    return [HIGHEST * sum(1 - used for used in _used(pod, place)) / len(amounts.ASSUMED) for place in places]


def balanced(pod: Obj, places: Sequence[Place], snapshot: Snapshot) -> list[float]:
    """The closer the used shares of cpu and memory are to each other, the better."""
    return [HIGHEST * (1 - abs(cpu - memory) / 2) for cpu, memory in (_used(pod, place) for place in places)]


def _used(pod: Obj, place: Place) -> list[float]:
    """The shares of cpu and memory that would be taken, at most 1."""
    allocatable, more = place.allocatable, amounts.assumed(pod)
    return [
        min(1.0, (place.assumed[name] + more[name]) / allocatable[name]) if allocatable[name] else 1.0
        for name in amounts.ASSUMED
    ]


def _share(values: Sequence[float]) -> list[float]:
    """In proportion to the highest."""
    most = max(values, default=0)
    return [HIGHEST * value / most if most else 0.0 for value in values]


OPINIONS: tuple[tuple[Opinion, int], ...] = (
    (tolerated_softly, 3),
    (preferred_nodes, 2),
    (spread_evenly, 2),
    (preferred_company, 2),
    (least_allocated, 1),
    (balanced, 1),
)


def best(pod: Obj, places: Sequence[Place], snapshot: Snapshot) -> Place:
    """The node with the highest score; of equals the one with the fewest pods, then the first by name."""
    if len(places) == 1:
        return places[0]
    totals = [0.0] * len(places)
    for opinion, weight in OPINIONS:
        totals = [total + weight * score for total, score in zip(totals, opinion(pod, places, snapshot), strict=True)]
    ranked = sorted(
        zip(totals, places, strict=True), key=lambda one: (-round(one[0], 6), len(one[1].pods), one[1].name)
    )
    return ranked[0][1]
