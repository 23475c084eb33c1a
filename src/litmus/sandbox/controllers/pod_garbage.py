"""Pods that nobody will clean up any more: without a node to end them, or long over.

Source: "Pod Lifecycle", section "Garbage collection of Pods", of the Kubernetes documentation;
k8s.io/kubernetes/pkg/controller/podgc.
"""

from collections.abc import Callable, Iterable, Mapping

from ..machinery import conditions, objects
from ..machinery.cluster import Cluster
from ..machinery.objects import Key, Obj

ALL = [Key("", "pods")]
THRESHOLD = 12_500  # terminated pods that may stay
QUARANTINE_S = 40.0  # how long a node must be missing: it may be made again under its name
OUT_OF_SERVICE = "node.kubernetes.io/out-of-service"


class PodGarbage:
    """One sweep over all pods when something ends or a node goes."""

    name = "pod-garbage-collector"

    def __init__(self, cluster: Cluster, *, threshold: int = THRESHOLD, quarantine_s: float = QUARANTINE_S) -> None:
        """``threshold``: pods that are over and stay, the oldest go first; ``quarantine_s``: see ``QUARANTINE_S``."""
        self._cluster = cluster
        self._threshold, self._quarantine_s = threshold, quarantine_s
        self._missing: dict[str, float] = {}  # node → since when, in seconds
        self.watches: Mapping[str, Callable[[Obj], Iterable[Key]]] = {
            "pods": lambda pod: ALL if _over(pod) or objects.leaving(pod) or self._homeless(pod) else [],
            "nodes": self._node,
        }

    def _node(self, node: Obj) -> list[Key]:
        return ALL if self._cluster.get("nodes", objects.name(node)) is None or _out_of_service(node) else []

    def _homeless(self, pod: Obj) -> bool:
        node = pod["spec"].get("nodeName")
        return bool(node) and self._cluster.get("nodes", node) is None

    def reconcile(self, key: Key) -> float | None:
        """Remove what has to go; seconds until a node has been missing for long enough."""
        self._terminated()
        for pod in self._cluster.list("pods"):
            if objects.leaving(pod) and (not pod["spec"].get("nodeName") or self._given_up(pod)):
                self._remove(pod)
        return self._orphaned()

    def _terminated(self) -> None:
        over = [pod for pod in self._cluster.list("pods") if _over(pod)]
        surplus = len(over) - self._threshold
        if surplus > 0:
            over.sort(key=lambda pod: (objects.meta(pod).get("creationTimestamp", ""), objects.name(pod)))
            for pod in over[:surplus]:
                self._remove(pod)

    def _given_up(self, pod: Obj) -> bool:
        """The node is not ready, and a person has tainted it as out of service."""
        node = self._cluster.get("nodes", pod["spec"].get("nodeName") or "")
        if node is None or not _out_of_service(node):
            return False
        return (conditions.find(node, "Ready") or {}).get("status") != "True"

    def _orphaned(self) -> float | None:
        homeless = [pod for pod in self._cluster.list("pods") if self._homeless(pod)]
        nodes = {pod["spec"]["nodeName"] for pod in homeless}
        now = self._cluster.now().timestamp()
        self._missing = {node: self._missing.get(node, now) for node in nodes}
        for pod in homeless:
            if now - self._missing[pod["spec"]["nodeName"]] >= self._quarantine_s:
                self._fail(pod)
                self._remove(pod)
        waits = [since + self._quarantine_s - now for since in self._missing.values()]
        return min((wait for wait in waits if wait > 0), default=None)

    def _fail(self, pod: Obj) -> None:
        """Who waits for its end must not wait for ever."""
        if _over(pod):
            return
        changed = objects.copy(pod)
        changed.setdefault("status", {})["phase"] = "Failed"
        conditions.put(
            changed,
            "DisruptionTarget",
            "True",
            now=self._cluster.now(),
            reason="DeletionByPodGC",
            message="PodGC: node no longer exists",
        )
        self._cluster.update_status("pods", changed)

    def _remove(self, pod: Obj) -> None:
        self._cluster.delete("pods", objects.name(pod), objects.namespace(pod), uid=objects.uid(pod), grace_s=0)


def _over(pod: Obj) -> bool:
    return (pod.get("status") or {}).get("phase") in {"Succeeded", "Failed"}


def _out_of_service(node: Obj) -> bool:
    return any(taint.get("key") == OUT_OF_SERVICE for taint in (node.get("spec") or {}).get("taints") or [])
