"""DaemonSets: a copy of a pod on all nodes, or on those that a selector, affinity and tolerations leave.

Documentation: "DaemonSet" and "Perform a Rolling Update on a DaemonSet": OnDelete replaces pods that somebody deletes,
RollingUpdate ends outdated pods within maxUnavailable, or first makes their successors within maxSurge.
Source of the rules: pkg/controller/daemon.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from litmus.sandbox.machinery import objects, status
from litmus.sandbox.machinery.cluster import Cluster
from litmus.sandbox.machinery.objects import Key, Obj

from . import daemon_pods, owners, pods, revisions, rollouts
from .daemon_pods import Place

RESOURCE = "daemonsets.apps"
BACK_OFF_S = (1.0, 900.0)
"""How long a node is left alone after its daemon pod has failed, at first and at most; doubling in between."""


@dataclass(frozen=True, slots=True)
class _Work:
    """One reconcile: the set, the nodes by name with what is wanted there, and the pods by node, oldest first."""

    daemon_set: Obj
    places: dict[str, Place]
    pods: dict[str, list[Obj]]
    digest: str
    now: datetime

    @property
    def min_ready_s(self) -> int:
        found: int = self.daemon_set["spec"].get("minReadySeconds", 0)
        return found

    @property
    def desired(self) -> int:
        return sum(place.starts for place in self.places.values())

    def is_updated(self, pod: Obj) -> bool:
        return objects.labels(pod).get(revisions.POD_LABEL) == self.digest

    def is_available(self, pod: Obj) -> bool:
        return pods.is_available(pod, self.min_ready_s, self.now)

    def surge(self) -> int:
        """How many nodes may have two pods during an update; 0: the old pod goes first."""
        return self._allowed("maxSurge", 0) if self.rolling else 0

    def unavailable(self) -> int:
        """How many nodes may be without an available pod during an update."""
        found = self._allowed("maxUnavailable", 1)
        return found if found or self.surge() else 1

    @property
    def rolling(self) -> bool:
        strategy = self.daemon_set["spec"].get("updateStrategy") or {}
        return bool(strategy.get("type", "RollingUpdate") == "RollingUpdate")

    def _allowed(self, field: str, default: int) -> int:
        strategy = self.daemon_set["spec"].get("updateStrategy") or {}
        return rollouts.share((strategy.get("rollingUpdate") or {}).get(field, default), self.desired, up=True)


class DaemonSets:
    """Keeps DaemonSets."""

    name = "daemonset-controller"

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._nodes: dict[str, Obj] = {}  # what of each node matters here, as last seen
        self._failures: dict[tuple[str, str], tuple[float, datetime]] = {}  # uid and node → pause, since
        concerned = owners.concerned(cluster, RESOURCE, kind="DaemonSet", selector=owners.by_selector)
        self.watches: Mapping[str, Callable[[Obj], Iterable[Key]]] = {
            RESOURCE: owners.itself,
            "pods": concerned,
            "nodes": self._all,
            revisions.RESOURCE: concerned,
        }

    def _all(self, node: Obj) -> Iterable[Key]:
        """Every DaemonSet, when a node came, went, or changed in what matters here: heartbeats do not."""
        name = objects.name(node)
        relevant: Obj | None = {"labels": objects.labels(node), "taints": (node.get("spec") or {}).get("taints")}
        if self._cluster.get("nodes", name) is None:
            relevant = None
        if self._nodes.get(name) == relevant:
            return []
        if relevant is None:
            del self._nodes[name]
        else:
            self._nodes[name] = relevant
        return [objects.key(daemon_set) for daemon_set in self._cluster.list(RESOURCE)]

    def reconcile(self, key: Key) -> float | None:
        """Creates and deletes pods node by node, and writes the status."""
        daemon_set = self._cluster.get(RESOURCE, key.name, key.namespace)
        if daemon_set is None or objects.leaving(daemon_set):
            return None
        known = revisions.listed(self._cluster, daemon_set)
        collisions = daemon_set.get("status", {}).get("collisionCount") or 0
        current = revisions.current(self._cluster, daemon_set, known, label=revisions.POD_LABEL, collisions=collisions)
        digest = objects.labels(current)[revisions.POD_LABEL]
        work = self._look(daemon_set, digest)
        try:
            again_s = self._manage(work)
            if work.rolling:
                self._update(self._look(daemon_set, digest))
        finally:
            work = self._look(daemon_set, digest)
            self._write_status(work)
        hashes = {objects.labels(pod).get(revisions.POD_LABEL) for on_node in work.pods.values() for pod in on_node}
        live = [objects.name(one) for one in known if objects.labels(one).get(revisions.POD_LABEL) in hashes]
        revisions.forget(self._cluster, daemon_set, known, live=[objects.name(current), *live])
        on_all = (pod for on_node in work.pods.values() for pod in on_node)
        waits = [again_s, pods.next_available_s(on_all, work.min_ready_s, work.now)]
        return min((wait for wait in waits if wait is not None), default=None)

    def _look(self, daemon_set: Obj, digest: str) -> _Work:
        found = owners.claim(self._cluster, daemon_set, "pods", daemon_set["spec"]["selector"])
        general = daemon_pods.general(daemon_set)
        by_node: dict[str, list[Obj]] = {}
        for pod in sorted(found, key=lambda pod: objects.meta(pod).get("creationTimestamp", "")):
            by_node.setdefault(daemon_pods.node_of(pod), []).append(pod)
        places = {objects.name(node): daemon_pods.place(general, node) for node in self._cluster.list("nodes")}
        return _Work(daemon_set, places, by_node, digest, self._cluster.now())

    # A pod where one is wanted, none elsewhere

    def _manage(self, work: _Work) -> float | None:
        missing, surplus, waits = [], [], []
        for node, place in work.places.items():
            there = work.pods.get(node, [])
            if place.starts and not there:
                missing.append(node)
            elif place.stays:
                doomed, wait_s = self._tidy(work, node, there)
                surplus += doomed
                waits += [wait_s] if wait_s is not None else []
            else:
                surplus += [pod for pod in there if not objects.leaving(pod)]
        for node, on_node in work.pods.items():
            if node not in work.places:  # a pod that was never bound, for a node that is gone
                surplus += [pod for pod in on_node if not pod["spec"].get("nodeName") and not objects.leaving(pod)]
        self._change(work, missing, surplus)
        return min(waits, default=None)

    def _tidy(self, work: _Work, node: str, there: list[Obj]) -> tuple[list[Obj], float | None]:
        """Of the pods on a node: those that are over, and all but one of those that run; and when to look again."""
        doomed, running, wait_s = [], [], None
        for pod in there:
            if objects.leaving(pod):
                continue
            if pods.phase(pod) == "Failed":
                wait_s = self._pause_s(work, node)
                if wait_s is None:
                    self._tell_over(work, pod, node, "failed", "try to kill it", kind="Warning")
                    doomed.append(pod)
            elif pods.phase(pod) == "Succeeded":
                self._tell_over(work, pod, node, "succeeded", "try to delete it")
                doomed.append(pod)
            else:
                running.append(pod)
        if work.surge() == 0:
            running.sort(key=lambda pod: not pod["spec"].get("nodeName"))
            return [*doomed, *running[1:]], wait_s
        return [*doomed, *self._succeeded(work, running)], wait_s

    def _succeeded(self, work: _Work, running: list[Obj]) -> list[Obj]:
        """During a surge: old pods whose successor is available or that are not available themselves, and doubles."""
        old = [pod for pod in running if not work.is_updated(pod)]
        new = [pod for pod in running if work.is_updated(pod)]
        doomed = [*old[:-1], *new[1:]]
        if old and new and (work.is_available(new[0]) or not work.is_available(old[-1])):
            doomed.append(old[-1])
        return doomed

    def _pause_s(self, work: _Work, node: str) -> float | None:
        """Seconds that the node is still left alone; None when its failed pod may go now, which starts a pause."""
        key = (objects.uid(work.daemon_set), node)
        first_s, longest_s = BACK_OFF_S
        pause_s, since = self._failures.get(key, (0.0, work.now))
        passed_s = (work.now - since).total_seconds()
        if passed_s < pause_s:
            return pause_s - passed_s
        forgotten = passed_s > 2 * longest_s
        self._failures[key] = (first_s if forgotten or not pause_s else min(longest_s, pause_s * 2), work.now)
        return None

    def _tell_over(self, work: _Work, pod: Obj, node: str, what: str, then: str, *, kind: str = "Normal") -> None:
        message = f"Found {what} daemon pod {objects.key(pod)} on node {node}, will {then}"
        reason = "FailedDaemonPod" if what == "failed" else "SucceededDaemonPod"
        self._cluster.event(work.daemon_set, reason=reason, message=message, component=self.name, kind=kind)

    # Outdated pods

    def _update(self, work: _Work) -> None:
        if work.surge() > 0:
            self._update_by_surge(work)
        else:
            self._update_in_place(work)

    def _update_in_place(self, work: _Work) -> None:
        free, unhealthy, candidates = work.unavailable(), [], []
        for node, place in work.places.items():
            there = work.pods.get(node, [])
            if not place.starts and not there:
                continue
            old = [pod for pod in there if not work.is_updated(pod)]
            pod = there[0] if len(there) == 1 else None
            if pod is None or objects.leaving(pod):
                free -= 1
            elif not old:
                free -= not work.is_available(pod)
            elif not work.is_available(pod):
                unhealthy.append(pod)
                free -= 1
            else:
                candidates.append(pod)
        self._change(work, [], [*unhealthy, *candidates[: max(0, free)]])

    def _update_by_surge(self, work: _Work) -> None:
        free, missing = work.surge(), []
        surplus = []
        for node, place in work.places.items():
            there = [pod for pod in work.pods.get(node, []) if not objects.leaving(pod)]
            old = [pod for pod in there if not work.is_updated(pod)]
            if old and len(old) < len(there):
                free -= 1  # both are there: `_tidy` ends the old one once the new one is available
            elif old and place.starts:
                if not work.is_available(old[-1]):
                    surplus.append(old[-1])
                else:
                    missing.append(node)
        self._change(work, missing[: max(0, free)], surplus)

    def _change(self, work: _Work, missing: Iterable[str], surplus: Iterable[Obj]) -> None:
        """Creates and deletes; raises the first Refusal after everything else has been done."""
        refusals: list[status.Refusal] = []
        for pod in surplus:
            self._attempt(refusals, lambda pod=pod: self._delete(work, pod))  # type: ignore[misc]
        for node in missing:
            self._attempt(refusals, lambda node=node: self._create(work, node))  # type: ignore[misc]
        if refusals:
            raise refusals[0]

    def _attempt(self, refusals: list[status.Refusal], write: Callable[[], object]) -> None:
        try:
            write()
        except status.Refusal as refusal:
            if not pods.namespace_is_going(refusal):
                refusals.append(refusal)

    def _create(self, work: _Work, node: str) -> None:
        made = daemon_pods.make(work.daemon_set, node, digest=work.digest)
        pods.create(self._cluster, work.daemon_set, made, component=self.name)

    def _delete(self, work: _Work, pod: Obj) -> None:
        pods.delete(self._cluster, work.daemon_set, pod, component=self.name)

    # What to say

    def _write_status(self, work: _Work) -> None:
        new = self._status(work)
        if new != work.daemon_set.get("status"):
            self._cluster.update_status(RESOURCE, {**work.daemon_set, "status": new})

    def _status(self, work: _Work) -> Obj:
        wanted = [there for node, place in work.places.items() if place.starts and (there := work.pods.get(node))]
        astray = [node for node, place in work.places.items() if not place.starts and work.pods.get(node)]
        available = sum(any(map(work.is_available, there)) for there in wanted)
        optional = {
            "updatedNumberScheduled": sum(any(map(work.is_updated, there)) for there in wanted),
            "numberAvailable": available,
            "numberUnavailable": work.desired - available,
        }
        before = work.daemon_set.get("status", {})
        found: dict[str, Any] = {
            "currentNumberScheduled": len(wanted),
            "numberMisscheduled": len(astray),
            "desiredNumberScheduled": work.desired,
            "numberReady": sum(any(map(pods.is_ready, there)) for there in wanted),
            "observedGeneration": objects.meta(work.daemon_set).get("generation", 1),
            **{field: count for field, count in optional.items() if count},
            **({"collisionCount": before["collisionCount"]} if before.get("collisionCount") else {}),
        }
        return found
