"""Takes the pods that have no node, the important ones first, and gives each the best node that can take it.

A pod that fits nowhere says so in its condition PodScheduled and in an event, and waits until something changes that
could help: a node, a pod that leaves, a claim that is bound. Source: "Kubernetes Scheduler", "Pod Scheduling Readiness"
and "Pod Priority and Preemption" of the Kubernetes documentation.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from litmus.sandbox.machinery import conditions, objects
from litmus.sandbox.machinery.cluster import Cluster
from litmus.sandbox.machinery.objects import Key, Obj

from . import filters, preemption, scores
from .filters import No
from .snapshot import Snapshot, node_of, over, priority

NAME = "default-scheduler"
QUEUE = [Key("", "queue")]  # one decision concerns all: who comes first, and what is left for the others
IN_A_ROW = 20  # decisions before somebody else gets a turn
OWNERS = ("services", "replicationcontrollers", "replicasets.apps", "statefulsets.apps")
# How a real server's scheduler says that dynamic resources could not help either.
NO_DEVICES = "no new claims to deallocate, "


COMPANY, CLAIMS = "company", "claims"


def _matters(pod: Obj) -> frozenset[str]:
    """What besides room on the nodes the place of a pod depends on: the coming of other pods, its claims."""
    found = set()
    if pod["spec"].get("affinity") or pod["spec"].get("topologySpreadConstraints"):
        found.add(COMPANY)
    if filters.claim_names(pod):
        found.add(CLAIMS)
    return frozenset(found)


class Scheduler:
    """A controller with one key, the queue."""

    name = "scheduler"

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        # By uid, the pods that fit nowhere as things are, and what besides room could change that.
        self._hopeless: dict[str, frozenset[str]] = {}
        self._seen: dict[str, object] = {}  # by uid, what decisions depend on, so that heartbeats cause none
        self.watches: Mapping[str, Callable[[Obj], Iterable[Key]]] = {
            "pods": self._pod,
            "nodes": self._node,
            "persistentvolumeclaims": self._volume,
            "persistentvolumes": self._volume,
        }

    def _pod(self, pod: Obj) -> Iterable[Key]:
        """A pod that waits; or one on a node, whose coming, end or departure may let others in."""
        spec = pod["spec"]
        if not self._news("pods", pod, (spec, objects.labels(pod), over(pod), objects.leaving(pod))):
            return []
        if not node_of(pod):
            self._hopeless.pop(objects.uid(pod), None)
        elif over(pod) or objects.uid(pod) not in self._seen:
            self._hopeless.clear()
        else:
            self._retry(COMPANY)
        return QUEUE

    def _node(self, node: Obj) -> Iterable[Key]:
        status = node.get("status") or {}
        matters = (objects.labels(node), node.get("spec"), status.get("allocatable"), objects.leaving(node))
        if not self._news("nodes", node, matters):
            return []
        self._hopeless.clear()
        return QUEUE

    def _volume(self, volume: Obj) -> Iterable[Key]:
        self._retry(CLAIMS)
        return QUEUE

    def _retry(self, what: str) -> None:
        self._hopeless = {uid: matters for uid, matters in self._hopeless.items() if what not in matters}

    def _news(self, resource: str, obj: Obj, matters: object) -> bool:
        """Whether something that matters is not as it was; what is gone is forgotten."""
        uid = objects.uid(obj)
        there = self._cluster.get(resource, objects.name(obj), objects.namespace(obj))
        if there is None or objects.uid(there) != uid:
            return self._seen.pop(uid, None) is not None
        before, self._seen[uid] = self._seen.get(uid), matters
        return before != matters

    def reconcile(self, key: Key) -> float | None:
        """Decide about some pods; 0 when more are waiting."""
        waiting = self._waiting()
        if not waiting:
            return None
        snapshot = self._snapshot()
        for pod in waiting[:IN_A_ROW]:
            self._schedule(pod, snapshot)
        return 0.0 if len(waiting) > IN_A_ROW else None

    def _waiting(self) -> list[Obj]:
        """By priority, then by age; gated pods and those of other schedulers are not ours."""
        found = []
        for pod in self._cluster.list("pods"):
            if node_of(pod) or over(pod) or objects.leaving(pod) or objects.uid(pod) in self._hopeless:
                continue
            if pod["spec"].get("schedulerName", NAME) != NAME:
                continue
            if pod["spec"].get("schedulingGates"):
                self._gated(pod)
                continue
            found.append(pod)
        return sorted(found, key=lambda pod: (-priority(pod), objects.meta(pod).get("creationTimestamp", "")))

    def _snapshot(self) -> Snapshot:
        return Snapshot(
            [node for node in self._cluster.list("nodes") if not objects.leaving(node)],
            self._cluster.list("pods"),
            namespaces=self._cluster.list("namespaces"),
            owners=[owner for resource in OWNERS for owner in self._cluster.list(resource)],
            claims=self._cluster.list("persistentvolumeclaims"),
            volumes=self._cluster.list("persistentvolumes"),
        )

    def _schedule(self, pod: Obj, snapshot: Snapshot) -> None:
        nodes = len(snapshot.places)
        why = filters.hopeless(pod, snapshot)
        if not nodes:
            self._give_up(pod, "no nodes available to schedule pods", snapshot)
            return
        if why:
            self._give_up(pod, filters.sentence(nodes, [], first=why) + " not found", snapshot)
            return
        seen = snapshot.with_nominated(pod)
        refusals: dict[str, No] = {}
        for name, place in seen.places.items():
            no = filters.refused(pod, place, seen)
            if no is not None:
                refusals[name] = no
        free = [place for name, place in seen.places.items() if name not in refusals]
        if free:
            self._bind(pod, scores.best(pod, free, seen).name, snapshot)
        else:
            said = filters.sentence(nodes, refusals.values())
            self._make_room(pod, snapshot, refusals, f"{said} {NO_DEVICES}preemption: ")

    def _bind(self, pod: Obj, node: str, snapshot: Snapshot) -> None:
        self._cluster.bind(pod, node)
        bound = self._cluster.get("pods", objects.name(pod), objects.namespace(pod))
        if bound is None:
            return
        snapshot.add(bound)
        snapshot.nominated = [one for one in snapshot.nominated if objects.uid(one) != objects.uid(pod)]
        message = f"Successfully assigned {objects.namespace(pod)}/{objects.name(pod)} to {node}"
        self._cluster.event(pod, reason="Scheduled", message=message, component=NAME, action="Binding")

    def _make_room(self, pod: Obj, snapshot: Snapshot, refusals: dict[str, No], said: str) -> None:
        """Delete less important pods if that helps; the pod is asked about again when they are gone."""
        excluded = preemption.excluded(pod, snapshot)
        if excluded:
            self._give_up(pod, said + excluded, snapshot, keep_nomination=True)
            return
        budgets = self._cluster.list("poddisruptionbudgets.policy")
        victims, why = preemption.choose(pod, snapshot, refusals, budgets)
        if victims is None:
            self._give_up(pod, said + filters.sentence(len(refusals), why.values()), snapshot)
            return
        # A real scheduler gives no reasons after `preemption:` when it found a way.
        self._give_up(pod, said.removesuffix(f" {NO_DEVICES}preemption: "), snapshot, nominate=victims.node)
        self._evict(victims.pods, pod, victims.node)

    def _evict(self, victims: Sequence[Obj], pod: Obj, node: str) -> None:
        for victim in victims:
            marked = objects.copy(victim)
            conditions.put(
                marked,
                "DisruptionTarget",
                "True",
                now=self._cluster.now(),
                reason="PreemptionByScheduler",
                message=f"{NAME}: preempting to accommodate a higher priority pod",
            )
            self._cluster.update_status("pods", marked)
            message = f"Preempted by pod {objects.uid(pod)} on node {node}"
            self._cluster.event(victim, reason="Preempted", message=message, component=NAME, action="Preempting")
            self._cluster.delete("pods", objects.name(victim), objects.namespace(victim), uid=objects.uid(victim))

    def _give_up(
        self, pod: Obj, message: str, snapshot: Snapshot, *, nominate: str = "", keep_nomination: bool = False
    ) -> None:
        """Say why, until something changes."""
        changed = objects.copy(pod)
        conditions.put(
            changed, "PodScheduled", "False", now=self._cluster.now(), reason="Unschedulable", message=message
        )
        if nominate:
            changed["status"]["nominatedNodeName"] = nominate
        elif not keep_nomination:
            changed["status"].pop("nominatedNodeName", None)
        changed = self._cluster.update_status("pods", changed)
        if nominate:
            snapshot.add(changed)
        self._cluster.event(
            pod, reason="FailedScheduling", message=message, component=NAME, kind="Warning", action="Scheduling"
        )
        self._hopeless[objects.uid(pod)] = _matters(pod)

    def _gated(self, pod: Obj) -> None:
        changed = objects.copy(pod)
        conditions.put(
            changed,
            "PodScheduled",
            "False",
            now=self._cluster.now(),
            reason="SchedulingGated",
            message="Scheduling is blocked due to non-empty scheduling gates",
        )
        self._cluster.update_status("pods", changed)
