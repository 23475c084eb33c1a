"""Pods leave a node with a taint NoExecute: at once, or when their toleration has run out.

Source: "Taints and Tolerations", section "Taint based Evictions", of the Kubernetes documentation;
k8s.io/kubernetes/pkg/controller/tainteviction.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from ..machinery import conditions, objects
from ..machinery.admission import default_toleration_seconds
from ..machinery.cluster import Cluster
from ..machinery.objects import Key, Obj
from ..scheduler import matching
from . import node_life

COMPONENT = "taint-eviction-controller"


class TaintEviction:
    """``longest_s``: how long pods that say nothing about it stay on a silent node, in seconds; None for 300."""

    name = "taint-eviction-controller"

    def __init__(self, cluster: Cluster, *, longest_s: float | None = None) -> None:
        self._cluster = cluster
        self._longest_s = longest_s
        self._since: dict[str, datetime] = {}  # uid of a pod → since when it is to go
        self.watches: Mapping[str, Callable[[Obj], Iterable[Key]]] = {
            "nodes": self._pods,
            "pods": lambda pod: [objects.key(pod)] if pod["spec"].get("nodeName") else [],
        }

    def _pods(self, node: Obj) -> list[Key]:
        """Those on a node that has such a taint, or had one."""
        if not matching.taints(node, "NoExecute"):
            return []
        return [objects.key(pod) for pod in self._cluster.list("pods", fields=f"spec.nodeName={objects.name(node)}")]

    def reconcile(self, key: Key) -> float | None:
        """Delete the pod when its time has come; seconds until then."""
        pod = self._cluster.get("pods", key.name, key.namespace)
        if pod is None or objects.leaving(pod) or not pod["spec"].get("nodeName"):
            return None
        node = self._cluster.get("nodes", pod["spec"]["nodeName"])
        taints = matching.taints(node, "NoExecute") if node else []
        wait_s = self._stays_s(pod, taints) if taints else None
        if wait_s is None:
            self._forget(pod)
            return None
        left_s = wait_s - (self._cluster.now() - self._begin(pod)).total_seconds()
        if left_s > 0:
            return left_s
        self._evict(pod)
        return None

    def _begin(self, pod: Obj) -> datetime:
        return self._since.setdefault(objects.uid(pod), self._cluster.now())

    def _stays_s(self, pod: Obj, taints: list[Obj]) -> float | None:
        """How long the pod tolerates all of the taints; None for ever."""
        tolerations = pod["spec"].get("tolerations") or []
        used: list[Obj] = []
        for taint in taints:
            found = [toleration for toleration in tolerations if matching.tolerates(toleration, taint)]
            if not found:
                return 0.0
            used += found
        limits = [self._limit_s(toleration) for toleration in used if "tolerationSeconds" in toleration]
        return max(0.0, min(limits)) if limits else None

    def _limit_s(self, toleration: Obj) -> float:
        said_s = float(toleration["tolerationSeconds"])
        by_default = toleration.get("key") in node_life.SILENT and said_s == default_toleration_seconds.SECONDS
        return min(said_s, self._longest_s) if by_default and self._longest_s is not None else said_s

    def _forget(self, pod: Obj) -> None:
        if self._since.pop(objects.uid(pod), None) is not None:
            message = f"Cancelling deletion of Pod {objects.namespace(pod)}/{objects.name(pod)}"
            self._cluster.event(pod, reason="TaintManagerEviction", message=message, component=COMPONENT)

    def _evict(self, pod: Obj) -> None:
        self._since.pop(objects.uid(pod), None)
        changed = objects.copy(pod)
        conditions.put(
            changed,
            "DisruptionTarget",
            "True",
            now=self._cluster.now(),
            reason="DeletionByTaintManager",
            message="Taint manager: deleting due to NoExecute taint",
        )
        self._cluster.update_status("pods", changed)
        message = f"Marking for deletion Pod {objects.namespace(pod)}/{objects.name(pod)}"
        self._cluster.event(pod, reason="TaintManagerEviction", message=message, component=COMPONENT)
        self._cluster.delete("pods", objects.name(pod), objects.namespace(pod), uid=objects.uid(pod))
