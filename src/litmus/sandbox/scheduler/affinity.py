"""Pods that want to be near other pods, or away from them.

Every question here is about topology domains: the nodes that share the value of a label. What a pod asks for is counted
once over the cluster and then looked up for each node. Source: "Inter-pod affinity and anti-affinity" in "Assigning
Pods to Nodes"; k8s.io/kubernetes/pkg/scheduler/framework/plugins/interpodaffinity.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from litmus.sandbox.machinery import objects, selectors
from litmus.sandbox.machinery.objects import Obj

from .snapshot import Place, Snapshot

Domain = tuple[str, str]  # topology key and its value
HARD_WEIGHT = 1  # what a required affinity of a pod that is there adds to the score, as by default


@dataclass(slots=True)
class Term:
    """One PodAffinityTerm of a pod, ready to be asked about other pods."""

    topology_key: str
    selector: selectors.Selector
    namespaces: frozenset[str]
    weight: int = 1

    def holds(self, pod: Obj) -> bool:
        return objects.namespace(pod) in self.namespaces and self.selector.matches(pod)

    def domain(self, place: Place) -> Domain | None:
        value = place.labels.get(self.topology_key)
        return None if value is None else (self.topology_key, value)


def required(pod: Obj, side: str, snapshot: Snapshot) -> list[Term]:
    """The required terms of ``podAffinity`` or ``podAntiAffinity``."""
    return _remembered(pod, side, snapshot)[0]


def preferred(pod: Obj, side: str, snapshot: Snapshot) -> list[Term]:
    """The preferred terms with their weights."""
    return _remembered(pod, side, snapshot)[1]


def _remembered(pod: Obj, side: str, snapshot: Snapshot) -> tuple[list[Term], list[Term]]:
    asked = (pod["spec"].get("affinity") or {}).get(side)
    if not asked:
        return [], []
    about = ("terms", side, objects.uid(pod))
    if about not in snapshot.remembered:
        hard = asked.get("requiredDuringSchedulingIgnoredDuringExecution") or []
        soft = asked.get("preferredDuringSchedulingIgnoredDuringExecution") or []
        snapshot.remembered[about] = (
            [_term(term, pod, snapshot) for term in hard],
            [_term(one["podAffinityTerm"], pod, snapshot, weight=one["weight"]) for one in soft],
        )
    found: tuple[list[Term], list[Term]] = snapshot.remembered[about]
    return found


def _term(term: Obj, pod: Obj, snapshot: Snapshot, *, weight: int = 1) -> Term:
    named = set(term.get("namespaces") or [])
    if term.get("namespaceSelector") is not None:
        chosen = selectors.from_label_selector(term["namespaceSelector"])
        named |= {name for name, labels in snapshot.namespaces.items() if chosen.matches_labels(labels)}
    elif not named:
        named = {objects.namespace(pod)}
    selector = selectors.from_label_selector(_with_label_keys(term, pod))
    return Term(term["topologyKey"], selector, frozenset(named), weight)


def _with_label_keys(term: Obj, pod: Obj) -> Obj | None:
    """``matchLabelKeys`` and ``mismatchLabelKeys`` take the values of the pod itself."""
    selector: Obj | None = term.get("labelSelector")
    labels = objects.labels(pod)
    more = [
        {"key": key, "operator": operator, "values": [labels[key]]}
        for keys, operator in (("matchLabelKeys", "In"), ("mismatchLabelKeys", "NotIn"))
        for key in term.get(keys) or []
        if key in labels
    ]
    if selector is None or not more:
        return selector
    return {**selector, "matchExpressions": [*(selector.get("matchExpressions") or []), *more]}


@dataclass(slots=True)
class Needs:
    """What a pod requires, and what the pods that are there require of it, counted by domain."""

    affinity: list[Term]
    anti_affinity: list[Term]
    near: list[Counter[Domain]] = field(default_factory=list)  # by term of ``affinity``: pods that hold all terms
    away: Counter[Domain] = field(default_factory=Counter)
    shunned: set[Domain] = field(default_factory=set)  # where a pod is that does not want this one
    first: bool = False  # nobody matches yet, and the pod matches its own terms


def needs(pod: Obj, snapshot: Snapshot) -> Needs:
    """What keeps the pod from some domains, counted once for all nodes."""
    about = ("needs", objects.uid(pod))
    if about not in snapshot.remembered:
        snapshot.remembered[about] = _count(pod, snapshot)
    found: Needs = snapshot.remembered[about]
    return found


def _count(pod: Obj, snapshot: Snapshot) -> Needs:
    counted = Needs(required(pod, "podAffinity", snapshot), required(pod, "podAntiAffinity", snapshot))
    counted.near = [Counter() for _ in counted.affinity]
    for other, place in snapshot.pods():
        if counted.affinity and all(term.holds(other) for term in counted.affinity):
            for term, domains in zip(counted.affinity, counted.near, strict=True):
                domains.update(_domains([term], place))
        counted.away.update(_domains([term for term in counted.anti_affinity if term.holds(other)], place))
        theirs = required(other, "podAntiAffinity", snapshot)
        counted.shunned.update(_domains([term for term in theirs if term.holds(pod)], place))
    counted.first = not any(counted.near) and all(term.holds(pod) for term in counted.affinity)
    return counted


def _domains(terms: Iterable[Term], place: Place) -> list[Domain]:
    return [domain for term in terms if (domain := term.domain(place)) is not None]


def near_enough(pod: Obj, place: Place, snapshot: Snapshot) -> bool:
    """Every required affinity holds here; the first pod of a group that wants its own company may be anywhere."""
    wanted = needs(pod, snapshot)
    domains = [term.domain(place) for term in wanted.affinity]
    if any(domain is None for domain in domains):
        return False
    if wanted.affinity and wanted.first:
        return True
    return all(counts[domain] > 0 for domain, counts in zip(domains, wanted.near, strict=True) if domain is not None)


def far_enough(pod: Obj, place: Place, snapshot: Snapshot) -> bool:
    """No pod that this one must not be near is in its domain."""
    wanted = needs(pod, snapshot)
    return not any(wanted.away[domain] for domain in _domains(wanted.anti_affinity, place))


def welcome(pod: Obj, place: Place, snapshot: Snapshot) -> bool:
    """No pod that is there already must not be near this one."""
    return not any(place.labels.get(key) == value for key, value in needs(pod, snapshot).shunned)


def liking(pod: Obj, snapshot: Snapshot) -> Counter[Domain]:
    """By domain: the weights of the preferences that would be met there, of this pod and of those that are there."""
    about = ("liking", objects.uid(pod))
    if about not in snapshot.remembered:
        snapshot.remembered[about] = _weigh(pod, snapshot)
    found: Counter[Domain] = snapshot.remembered[about]
    return found


def _weigh(pod: Obj, snapshot: Snapshot) -> Counter[Domain]:
    weights: Counter[Domain] = Counter()

    def count(terms: Iterable[Term], about: Obj, place: Place, sign: int) -> None:
        for term in terms:
            domain = term.domain(place)
            if domain is not None and term.holds(about):
                weights[domain] += sign * term.weight

    for other, place in snapshot.pods():
        for side, sign in (("podAffinity", 1), ("podAntiAffinity", -1)):
            count(preferred(pod, side, snapshot), other, place, sign)
            count(preferred(other, side, snapshot), pod, place, sign)
        count(required(other, "podAffinity", snapshot), pod, place, HARD_WEIGHT)
    return weights
