"""StatefulSets: pods with a sticky identity, made, updated and ended in order.

Documentation: "StatefulSets" - "Deployment and Scaling Guarantees" (a pod is made when all before it are ready, ended
when all after it are gone), "Pod Management Policies" (Parallel waits for nobody), "Update strategies" (RollingUpdate
from the largest ordinal down to the partition, OnDelete) and "Minimum ready seconds".
Source of the order of steps: pkg/controller/statefulset/stateful_set_control.go.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from litmus.sandbox.machinery import objects, status
from litmus.sandbox.machinery.cluster import Cluster
from litmus.sandbox.machinery.objects import Key, Obj

from . import owners, pods, revisions, rollouts, stateful_pods

RESOURCE = "statefulsets.apps"
CLAIMS = "persistentvolumeclaims"
HASH_LABEL = "controller.kubernetes.io/hash"


@dataclass(frozen=True, slots=True)
class _Work:
    """One reconcile: the set, its pods by ordinal, the revision it was at and the one it goes to."""

    stateful_set: Obj
    pods: dict[int, Obj]
    current: Obj
    update: Obj

    @property
    def ordered(self) -> bool:
        return bool(self.stateful_set["spec"].get("podManagementPolicy", "OrderedReady") == "OrderedReady")

    @property
    def min_ready_s(self) -> int:
        found: int = self.stateful_set["spec"].get("minReadySeconds", 0)
        return found

    @property
    def partition(self) -> int:
        found: int = (self._strategy.get("rollingUpdate") or {}).get("partition", 0)
        return found

    @property
    def rolling(self) -> bool:
        return bool(self._strategy.get("type", "RollingUpdate") == "RollingUpdate")

    @property
    def most_unavailable(self) -> int:
        given = (self._strategy.get("rollingUpdate") or {}).get("maxUnavailable", 1)
        return max(1, rollouts.share(given, rollouts.replicas(self.stateful_set), up=True))

    @property
    def _strategy(self) -> Obj:
        found: Obj = self.stateful_set["spec"].get("updateStrategy") or {}
        return found


class StatefulSets:
    """Keeps StatefulSets."""

    name = "statefulset-controller"

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        concerned = owners.concerned(cluster, RESOURCE, kind="StatefulSet", selector=owners.by_selector)
        self.watches: Mapping[str, Callable[[Obj], Iterable[Key]]] = {
            RESOURCE: owners.itself,
            "pods": concerned,
            revisions.RESOURCE: concerned,
        }

    def reconcile(self, key: Key) -> float | None:
        """Takes the next step for each ordinal that may take one, and writes the status."""
        stateful_set = self._cluster.get(RESOURCE, key.name, key.namespace)
        if stateful_set is None:
            return None
        known = revisions.listed(self._cluster, stateful_set)
        if objects.leaving(stateful_set):
            return None
        work = self._look(stateful_set, known)
        try:
            self._act(work)
        finally:
            work = _Work(stateful_set, self._pods(stateful_set), work.current, work.update)
            self._write_status(work)
        live = [objects.name(work.current), objects.name(work.update), *map(stateful_pods.revision, work.pods.values())]
        revisions.forget(self._cluster, stateful_set, known, live=live)
        return pods.next_available_s(work.pods.values(), work.min_ready_s, self._cluster.now())

    def _look(self, stateful_set: Obj, known: list[Obj]) -> _Work:
        before = stateful_set.get("status", {})
        update = revisions.current(
            self._cluster, stateful_set, known, label=HASH_LABEL, collisions=before.get("collisionCount") or 0
        )
        at = before.get("currentRevision")
        current = next((one for one in known if objects.name(one) == at), update)
        return _Work(stateful_set, self._pods(stateful_set), current, update)

    def _pods(self, stateful_set: Obj) -> dict[int, Obj]:
        def is_member(pod: Obj) -> bool:
            return stateful_pods.ordinal(stateful_set, pod) is not None

        found = owners.claim(self._cluster, stateful_set, "pods", stateful_set["spec"]["selector"], may_adopt=is_member)
        numbered = ((stateful_pods.ordinal(stateful_set, pod), pod) for pod in found)
        return dict(sorted((number, pod) for number, pod in numbered if number is not None))

    # What to do

    def _act(self, work: _Work) -> None:
        for number in stateful_pods.ordinals(work.stateful_set):
            if not self._keep(work, number) and work.ordered:
                return
        if not self._shrink(work):
            return
        if work.rolling:
            self._update(work)

    def _keep(self, work: _Work, number: int) -> bool:
        """Sees to one wanted ordinal; whether the ones after it may go ahead."""
        pod = work.pods.get(number)
        if pod is None:
            self._create(work, number)
            return False
        if pods.is_over(pod) and not objects.leaving(pod):
            self._replace_finished(work, pod)
            return False
        if objects.leaving(pod):
            return False
        self._keep_claims(work, pod, number)
        if not stateful_pods.is_identified(work.stateful_set, pod):
            named = objects.copy(pod)
            stateful_pods.identify(work.stateful_set, named)
            self._cluster.update("pods", named)
        return self._is_healthy(work, pod)

    def _is_healthy(self, work: _Work, pod: Obj) -> bool:
        return pods.is_active(pod) and pods.is_available(pod, work.min_ready_s, self._cluster.now())

    def _shrink(self, work: _Work) -> bool:
        """Ends the ordinals that are not wanted, the largest first; whether all of them are gone."""
        wanted = stateful_pods.ordinals(work.stateful_set)
        surplus = [work.pods[number] for number in sorted(work.pods, reverse=True) if number not in wanted]
        unhealthy = [pod for _, pod in sorted(work.pods.items()) if not self._is_healthy(work, pod)]
        for pod in surplus:
            if objects.leaving(pod):
                if work.ordered:
                    return False
                continue
            if work.ordered and not self._is_healthy(work, pod) and pod is not unhealthy[0]:
                return False  # an unhealthy one before it has to recover first
            self._own_claims(work, pod)
            self._delete(work, pod)
            if work.ordered:
                return False
        return not surplus

    def _update(self, work: _Work) -> None:
        """Ends outdated pods from the largest ordinal down, as many at a time as may be unavailable."""
        free = work.most_unavailable
        for number in sorted(work.pods, reverse=True):
            pod = work.pods[number]
            if free <= 0 or number - stateful_pods.start(work.stateful_set) < work.partition:
                return
            if stateful_pods.revision(pod) != objects.name(work.update) and not objects.leaving(pod):
                self._delete(work, pod)
                free -= 1
            elif not self._is_healthy(work, pod):
                free -= 1

    # Pods

    def _create(self, work: _Work, number: int) -> None:
        first = stateful_pods.start(work.stateful_set)
        outdated = work.rolling and number < first + work.partition
        revision = work.current if outdated else work.update
        made = stateful_pods.make(
            work.stateful_set, revisions.template(revision), number, revision=objects.name(revision)
        )
        self._keep_claims(work, made, number)
        self._do(work, made, "create", lambda: self._cluster.create("pods", made))

    def _replace_finished(self, work: _Work, pod: Obj) -> None:
        failed = pods.phase(pod) == "Failed"
        what = "failed" if failed else "terminated"
        self._cluster.event(
            work.stateful_set,
            reason="RecreatingFailedPod" if failed else "RecreatingTerminatedPod",
            message=f"StatefulSet {objects.key(work.stateful_set)} is recreating {what} Pod {objects.name(pod)}",
            component=self.name,
            kind="Warning" if failed else "Normal",
        )
        self._delete(work, pod)

    def _delete(self, work: _Work, pod: Obj) -> None:
        namespace, name = objects.key(pod)
        self._do(work, pod, "delete", lambda: self._cluster.delete("pods", name, namespace, uid=objects.uid(pod)))

    def _do(self, work: _Work, pod: Obj, verb: str, write: Callable[[], object]) -> None:
        what = f"{verb} Pod {objects.name(pod)} in StatefulSet {objects.name(work.stateful_set)}"
        self._told(work, verb, write, success=f"{what} successful", failure=f"{what} failed error: ")

    def _told(self, work: _Work, verb: str, write: Callable[[], object], *, success: str, failure: str) -> None:
        try:
            write()
        except status.Refusal as refusal:
            if not pods.namespace_is_going(refusal):
                self._cluster.event(
                    work.stateful_set,
                    reason=f"Failed{verb.capitalize()}",
                    message=f"{failure}{refusal.message}",
                    component=self.name,
                    kind="Warning",
                )
            raise
        reason = f"Successful{verb.capitalize()}"
        self._cluster.event(work.stateful_set, reason=reason, message=success, component=self.name)

    # Claims

    def _keep_claims(self, work: _Work, pod: Obj, number: int) -> None:
        """Creates the claims of an ordinal that are missing; those of earlier pods are used again."""
        namespace, set_name = objects.namespace(work.stateful_set), objects.name(work.stateful_set)
        for name, template in stateful_pods.claims(work.stateful_set, number).items():
            if self._cluster.get(CLAIMS, name, namespace) is None:
                made = stateful_pods.claim(work.stateful_set, name, template)
                self._told(
                    work,
                    "create",
                    lambda made=made: self._cluster.create(CLAIMS, made),  # type: ignore[misc]
                    success=f"create Claim {name} Pod {objects.name(pod)} in StatefulSet {set_name} success",
                    failure=f"create Claim {name} for Pod {objects.name(pod)} in StatefulSet {set_name} failed error: ",
                )
        if objects.uid(pod):
            self._own_claims(work, pod)

    def _own_claims(self, work: _Work, pod: Obj) -> None:
        number = stateful_pods.ordinal(work.stateful_set, pod)
        assert number is not None  # `_pods` keeps no others
        for name in stateful_pods.claims(work.stateful_set, number):
            held = self._cluster.get(CLAIMS, name, objects.namespace(pod))
            if held is None:
                continue
            wanted = stateful_pods.claim_owners(work.stateful_set, pod, held)
            if wanted != (objects.meta(held).get("ownerReferences") or []):
                changed = objects.copy(held)
                changed["metadata"]["ownerReferences"] = wanted
                self._cluster.update(CLAIMS, changed)

    # What to say

    def _write_status(self, work: _Work) -> None:
        new = self._status(work)
        if new != work.stateful_set.get("status"):
            self._cluster.update_status(RESOURCE, {**work.stateful_set, "status": new})

    def _status(self, work: _Work) -> Obj:
        current, update = objects.name(work.current), objects.name(work.update)
        mine = list(work.pods.values())
        staying = [pod for pod in mine if not objects.leaving(pod)]
        now = self._cluster.now()
        counts = {
            "readyReplicas": sum(pods.phase(pod) == "Running" and pods.is_ready(pod) for pod in mine),
            "currentReplicas": sum(stateful_pods.revision(pod) == current for pod in staying),
            "updatedReplicas": sum(stateful_pods.revision(pod) == update for pod in staying),
        }
        replicas = rollouts.replicas(work.stateful_set)
        done = (counts["updatedReplicas"], counts["readyReplicas"], len(mine)) == (replicas, replicas, replicas)
        if work.rolling and done:
            current, counts["currentReplicas"] = update, counts["updatedReplicas"]
        found: dict[str, Any] = {
            "observedGeneration": objects.meta(work.stateful_set).get("generation", 1),
            "replicas": len(mine),
            "availableReplicas": sum(
                pods.phase(pod) == "Running" and pods.is_available(pod, work.min_ready_s, now) for pod in mine
            ),
            **{field: count for field, count in counts.items() if count},
            "currentRevision": current,
            "updateRevision": update,
            "collisionCount": work.stateful_set.get("status", {}).get("collisionCount") or 0,
        }
        return found
