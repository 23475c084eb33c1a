"""Spreading pods evenly over zones, nodes and other domains.

Source: "Pod Topology Spread Constraints" of the Kubernetes documentation, with its cluster-level default constraints
for the pods of services and workloads; k8s.io/kubernetes/pkg/scheduler/framework/plugins/podtopologyspread.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from litmus.sandbox.machinery import objects, selectors
from litmus.sandbox.machinery.objects import Obj

from . import matching
from .snapshot import Place, Snapshot

HOSTNAME, ZONE = "kubernetes.io/hostname", "topology.kubernetes.io/zone"
DEFAULTS = (  # System defaults; they only score
    {"topologyKey": HOSTNAME, "maxSkew": 3, "whenUnsatisfiable": "ScheduleAnyway"},
    {"topologyKey": ZONE, "maxSkew": 5, "whenUnsatisfiable": "ScheduleAnyway"},
)


@dataclass(slots=True)
class Constraint:
    """A constraint and how many matching pods are in each domain that counts."""

    topology_key: str
    max_skew: int
    min_domains: int
    itself: int  # 1 when the pod matches its own selector
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def least(self) -> int:
        if len(self.counts) < self.min_domains:
            return 0
        return min(self.counts.values(), default=0)


def constraints(pod: Obj, when: str, snapshot: Snapshot) -> list[Constraint]:
    """The constraints with ``whenUnsatisfiable`` DoNotSchedule or ScheduleAnyway, counted."""
    about = ("spreading", when, objects.uid(pod))
    if about not in snapshot.remembered:
        asked = pod["spec"].get("topologySpreadConstraints") or []
        chosen = [one for one in asked if one["whenUnsatisfiable"] == when]
        keys = [one["topologyKey"] for one in chosen]
        if not asked and when == "ScheduleAnyway":
            chosen = _defaults(pod, snapshot)  # with these a node needs no label of theirs
        snapshot.remembered[about] = [_counted(one, pod, snapshot, keys or [one["topologyKey"]]) for one in chosen]
    found: list[Constraint] = snapshot.remembered[about]
    return found


def _defaults(pod: Obj, snapshot: Snapshot) -> list[Obj]:
    """For a pod that a service or a workload selects: spread over nodes, then zones."""
    labels: dict[str, str] = {}
    expressions: list[Any] = []
    for owner in snapshot.owners:
        if objects.namespace(owner) != objects.namespace(pod):
            continue
        selector = (owner.get("spec") or {}).get("selector")
        if not selector:
            continue
        if owner.get("kind") not in {"Service", "ReplicationController"}:
            if selectors.from_label_selector(selector).matches(pod):
                labels |= selector.get("matchLabels") or {}
                expressions += selector.get("matchExpressions") or []
        elif selector.items() <= objects.labels(pod).items():
            labels |= selector
    if not labels and not expressions:
        return []
    return [{**one, "labelSelector": {"matchLabels": labels, "matchExpressions": expressions}} for one in DEFAULTS]


def _counted(asked: Obj, pod: Obj, snapshot: Snapshot, keys: list[str]) -> Constraint:
    selector = selectors.from_label_selector(_with_label_keys(asked, pod))
    key = asked["topologyKey"]
    found = Constraint(
        topology_key=key,
        max_skew=asked["maxSkew"],
        min_domains=asked.get("minDomains") or 1,
        itself=int(selector.matches(pod)),
    )
    for place in snapshot.places.values():
        # A node counts only when it has the keys of all constraints, and by default when the pod may be there.
        if not all(one in place.labels for one in keys) or not _counts(asked, pod, place):
            continue
        matching_pods = sum(
            selector.matches(other)
            for other in place.pods
            if objects.namespace(other) == objects.namespace(pod) and not objects.leaving(other)
        )
        found.counts[place.labels[key]] += matching_pods
    return found


def _counts(asked: Obj, pod: Obj, place: Place) -> bool:
    """nodeAffinityPolicy (Honor by default) and nodeTaintsPolicy (Ignore by default)."""
    if asked.get("nodeAffinityPolicy", "Honor") == "Honor" and not matching.allowed_by_affinity(pod, place.node):
        return False
    if asked.get("nodeTaintsPolicy", "Ignore") == "Ignore":
        return True
    tolerations = pod["spec"].get("tolerations") or []
    taints = matching.taints(place.node, "NoSchedule", "NoExecute")
    return all(matching.tolerated(taint, tolerations) for taint in taints)


def _with_label_keys(asked: Obj, pod: Obj) -> Obj | None:
    selector: Obj | None = asked.get("labelSelector")
    labels = objects.labels(pod)
    more = [
        {"key": key, "operator": "In", "values": [labels[key]]}
        for key in asked.get("matchLabelKeys") or []
        if key in labels
    ]
    if selector is None or not more:
        return selector
    return {**selector, "matchExpressions": [*(selector.get("matchExpressions") or []), *more]}


def has_labels(pod: Obj, place: Place, snapshot: Snapshot) -> bool:
    """A node outside of all domains cannot take a pod that must be spread over them."""
    return all(one.topology_key in place.labels for one in constraints(pod, "DoNotSchedule", snapshot))


def even_enough(pod: Obj, place: Place, snapshot: Snapshot) -> bool:
    """With the pod here no domain would have more than ``maxSkew`` pods above the emptiest."""
    for one in constraints(pod, "DoNotSchedule", snapshot):
        here = one.counts[place.labels[one.topology_key]]  # asking a Counter adds nothing to it
        if here + one.itself - one.least > one.max_skew:
            return False
    return True
