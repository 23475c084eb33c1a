"""ReplicaSets and replication controllers: a stable set of replica pods running at any given time.

Documentation: "ReplicaSet" and "ReplicationController". A set creates pods from its
template and deletes pods until as many are active as it asks for; pods that match its selector and belong to nobody
become its own. Source of status and events: pkg/controller/replicaset.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from litmus.sandbox.machinery import conditions, objects, status
from litmus.sandbox.machinery.cluster import Cluster
from litmus.sandbox.machinery.objects import Key, Obj

from . import owners, pods

BURST = 500
"""Pods that one reconcile creates or deletes at most."""


class ReplicaSets:
    """ReplicaSets."""

    name = "replicaset-controller"
    kind = "ReplicaSet"
    resource = "replicasets.apps"

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        concerned = owners.concerned(cluster, self.resource, kind=self.kind, selector=self.selector)
        self.watches: Mapping[str, Callable[[Obj], Iterable[Key]]] = {
            self.resource: owners.itself,
            "pods": concerned,
        }

    def selector(self, replica_set: Obj) -> Obj | None:
        """The LabelSelector of one of them."""
        return owners.by_selector(replica_set)

    def reconcile(self, key: Key) -> float | None:
        """Adopts, creates or deletes, and writes the status."""
        replica_set = self._cluster.get(self.resource, key.name, key.namespace)
        if replica_set is None:
            return None
        found = owners.claim(self._cluster, replica_set, "pods", self.selector(replica_set) or {})
        refusal = None
        if not objects.leaving(replica_set):
            try:
                found = self._scale(replica_set, found)
            except status.Refusal as refused:
                refusal = refused
                found = owners.owned(self._cluster, replica_set, "pods")
        self._write_status(replica_set, found, refusal)
        if refusal is not None and not pods.namespace_is_going(refusal):
            raise refusal
        min_ready_s = replica_set["spec"].get("minReadySeconds", 0)
        return pods.next_available_s(filter(pods.is_active, found), min_ready_s, self._cluster.now())

    def _scale(self, replica_set: Obj, found: list[Obj]) -> list[Obj]:
        active = [pod for pod in found if pods.is_active(pod)]
        missing = replica_set["spec"].get("replicas", 1) - len(active)
        if missing > 0:
            template = replica_set["spec"]["template"]
            for _ in range(min(missing, BURST)):
                pod = pods.from_template(template, replica_set)
                found = [*found, pods.create(self._cluster, replica_set, pod, component=self.name)]
        elif missing < 0:
            order = pods.first_to_go(active, self._related(replica_set), self._cluster.now())
            for pod in order[: min(-missing, BURST)]:
                pods.delete(self._cluster, replica_set, pod, component=self.name)
            found = owners.owned(self._cluster, replica_set, "pods")
        return found

    def _related(self, replica_set: Obj) -> list[Obj]:
        """The active pods of all sets with the same owner: those of one Deployment spread over nodes together."""
        owner = objects.controller_of(replica_set)
        siblings = {objects.uid(replica_set)}
        if owner is not None:
            for other in self._cluster.list(self.resource, objects.namespace(replica_set)):
                if (objects.controller_of(other) or {}).get("uid") == owner["uid"]:
                    siblings.add(objects.uid(other))
        return [
            pod
            for pod in self._cluster.list("pods", objects.namespace(replica_set))
            if pods.is_active(pod) and (objects.controller_of(pod) or {}).get("uid") in siblings
        ]

    def _write_status(self, replica_set: Obj, found: list[Obj], refusal: status.Refusal | None) -> None:
        new = self._status(replica_set, found)
        failure = self._failure(replica_set, found, refusal)
        if failure:
            new["conditions"] = failure
        if new != replica_set.get("status"):
            self._cluster.update_status(self.resource, {**replica_set, "status": new})

    def _status(self, replica_set: Obj, found: list[Obj]) -> dict[str, Any]:
        spec, now = replica_set["spec"], self._cluster.now()
        active = [pod for pod in found if pods.is_active(pod)]
        template_labels = (spec["template"].get("metadata") or {}).get("labels") or {}
        counts = {
            "fullyLabeledReplicas": sum(template_labels.items() <= objects.labels(pod).items() for pod in active),
            "readyReplicas": sum(map(pods.is_ready, active)),
            "availableReplicas": sum(pods.is_available(pod, spec.get("minReadySeconds", 0), now) for pod in active),
        }
        terminating = {"terminatingReplicas": sum(map(pods.is_terminating, found))} if self._counts_terminating else {}
        return {
            "replicas": len(active),
            **{field: count for field, count in counts.items() if count},
            **terminating,
            "observedGeneration": objects.meta(replica_set).get("generation", 1),
        }

    _counts_terminating = True

    def _failure(self, replica_set: Obj, found: list[Obj], refusal: status.Refusal | None) -> list[Obj]:
        listed = replica_set.get("status", {}).get("conditions")
        if refusal is None:
            return conditions.without(listed, "ReplicaFailure")
        if conditions.named(listed, "ReplicaFailure") is not None:
            return list(listed)
        missing = replica_set["spec"].get("replicas", 1) - sum(map(pods.is_active, found))
        failure = {
            "type": "ReplicaFailure",
            "status": "True",
            "lastTransitionTime": objects.timestamp(self._cluster.now()),
            "reason": "FailedCreate" if missing > 0 else "FailedDelete",
            "message": refusal.message,
        }
        return [*(listed or []), failure]


class ReplicationControllers(ReplicaSets):
    """The older form, whose selector is a plain map of labels."""

    name = "replication-controller"
    kind = "ReplicationController"
    resource = "replicationcontrollers"
    _counts_terminating = False

    def selector(self, replica_set: Obj) -> Obj | None:
        labels = replica_set.get("spec", {}).get("selector")
        return {"matchLabels": labels} if labels else None
