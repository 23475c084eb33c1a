"""The life of a node: its heartbeats, what its silence means, and the taints that say so to everybody else.

A node renews its Lease in ``kube-node-lease``; when neither that nor its status has changed for the grace period, its
conditions become Unknown, it is tainted as unreachable, and its pods are no longer ready. Who is evicted for it is the
business of ``taint_eviction``. Source: "Nodes", sections "Heartbeats" and "Node controller", of the Kubernetes
documentation; k8s.io/kubernetes/pkg/controller/nodelifecycle. The grace period is 4 s here and 50 s there (40 s up to
1.31): on one machine a node that lives is heard from at once, and people wait for what they watch.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from ..machinery import conditions, objects
from ..machinery.cluster import Cluster
from ..machinery.objects import Key, Obj

GRACE_S = 4.0
LEASES = "leases.coordination.k8s.io"
LEASE_NAMESPACE = "kube-node-lease"
COMPONENT = "node-controller"
TTL = "node.alpha.kubernetes.io/ttl"  # how long a node may cache secrets; it does not here

NOT_READY = "node.kubernetes.io/not-ready"
UNREACHABLE = "node.kubernetes.io/unreachable"
UNSCHEDULABLE = "node.kubernetes.io/unschedulable"
# Condition type and value → the taint that goes with it
_BY_CONDITION = {
    ("Ready", "False"): NOT_READY,
    ("Ready", "Unknown"): UNREACHABLE,
    ("MemoryPressure", "True"): "node.kubernetes.io/memory-pressure",
    ("DiskPressure", "True"): "node.kubernetes.io/disk-pressure",
    ("PIDPressure", "True"): "node.kubernetes.io/pid-pressure",
    ("NetworkUnavailable", "True"): "node.kubernetes.io/network-unavailable",
}
_OURS = {*_BY_CONDITION.values(), UNSCHEDULABLE}
SILENT = (NOT_READY, UNREACHABLE)
_REPORTED = ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure")


class NodeLife:
    """``grace_s``: how long a node may be silent."""

    name = "node-lifecycle-controller"

    def __init__(self, cluster: Cluster, *, grace_s: float = GRACE_S) -> None:
        self._cluster = cluster
        self._grace_s = grace_s
        # When a heartbeat was last seen to change, by our own clock: those of others may be wrong.
        self._heard: dict[str, tuple[object, datetime]] = {}
        self._known: dict[str, str] = {}  # node → uid
        self.watches: Mapping[str, Callable[[Obj], Iterable[Key]]] = {
            "nodes": self._nodes,
            LEASES: lambda lease: [Key("", objects.name(lease))] if objects.namespace(lease) == LEASE_NAMESPACE else [],
            "pods": self._stranded,
        }

    def _nodes(self, node: Obj) -> list[Key]:
        """Whether one node is ready matters to the others: when none is, nobody is evicted."""
        return [objects.key(node), *(Key("", name) for name in self._known if name != objects.name(node))]

    def _stranded(self, pod: Obj) -> list[Key]:
        node = pod["spec"].get("nodeName")
        found = self._cluster.get("nodes", node) if node else None
        return [Key("", node)] if found and ready(found) == "Unknown" else []

    def reconcile(self, key: Key) -> float | None:
        """Listen for one node; seconds until its silence would be too long."""
        node = self._cluster.get("nodes", key.name)
        if node is None:
            self._leave(key.name)
            return None
        node = self._welcome(node)
        silent_s = self._silent_s(node)
        if silent_s >= self._grace_s:
            node = self._silence(node)
        node = self._taint(node)
        if ready(node) == "Unknown":
            self._strand_pods(node)
        return max(0.0, self._grace_s - silent_s) if silent_s < self._grace_s else None

    def _welcome(self, node: Obj) -> Obj:
        name = objects.name(node)
        if self._known.get(name) == objects.uid(node):
            return node
        self._known[name] = objects.uid(node)
        self._heard.pop(name, None)
        message = f"Node {name} event: Registered Node {name} in Controller"
        self._cluster.event(node, reason="RegisteredNode", message=message, component=COMPONENT)
        if TTL in objects.annotations(node):
            return node
        changed = objects.copy(node)
        changed["metadata"].setdefault("annotations", {})[TTL] = "0"
        return self._cluster.update("nodes", changed)

    def _leave(self, name: str) -> None:
        uid = self._known.pop(name, None)
        self._heard.pop(name, None)
        if uid is not None:
            gone = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "uid": uid}}
            message = f"Node {name} event: Removing Node {name} from Controller"
            self._cluster.event(gone, reason="RemovingNode", message=message, component=COMPONENT)

    def _silent_s(self, node: Obj) -> float:
        """Seconds since the last heartbeat."""
        name, now = objects.name(node), self._cluster.now()
        lease = self._cluster.get(LEASES, name, LEASE_NAMESPACE)
        condition = conditions.find(node, "Ready") or {}
        beat = (((lease or {}).get("spec") or {}).get("renewTime"), condition.get("lastHeartbeatTime"))
        heard, at = self._heard.get(name, (None, now))
        if heard != beat:
            self._heard[name] = beat, now
            return 0.0
        return (now - at).total_seconds()

    def _silence(self, node: Obj) -> Obj:
        """Nothing that the node has said about itself is known any more."""
        changed = objects.copy(node)
        for kind in _REPORTED:
            known = conditions.find(node, kind)
            if known is not None and known.get("status") == "Unknown":
                continue
            reason, message = "NodeStatusUnknown", "Kubelet stopped posting node status."
            if known is None:
                reason, message = "NodeStatusNeverUpdated", "Kubelet never posted node status."
            beat = (known or objects.meta(node)).get("lastHeartbeatTime") or objects.meta(node).get("creationTimestamp")
            conditions.put(
                changed,
                kind,
                "Unknown",
                now=self._cluster.now(),
                reason=reason,
                message=message,
                lastHeartbeatTime=beat,
            )
        if changed == node:
            return node
        was_ready = ready(node) == "True"
        changed = self._cluster.update_status("nodes", changed)
        self._keep_silent(changed)
        if was_ready:
            name = objects.name(node)
            message = f"Node {name} status is now: NodeNotReady"
            self._cluster.event(changed, reason="NodeNotReady", message=message, component=COMPONENT)
        return changed

    def _keep_silent(self, node: Obj) -> None:
        """Our own write is no heartbeat."""
        heard, at = self._heard[objects.name(node)]
        condition = conditions.find(node, "Ready") or {}
        assert isinstance(heard, tuple)
        self._heard[objects.name(node)] = (heard[0], condition.get("lastHeartbeatTime")), at

    def _taint(self, node: Obj) -> Obj:
        """The taints that are ours follow the conditions; those of people stay."""
        there = (node.get("spec") or {}).get("taints") or []
        wanted = self._wanted(node)
        kept = [taint for taint in there if taint["key"] not in _OURS or (taint["key"], taint["effect"]) in wanted]
        known = {(taint["key"], taint["effect"]) for taint in kept}
        stamp = objects.timestamp(self._cluster.now())
        new = [
            {"key": key, "effect": effect, "timeAdded": stamp} for key, effect in wanted if (key, effect) not in known
        ]
        if not new and len(kept) == len(there):
            return node
        changed = objects.copy(node)
        changed.setdefault("spec", {})["taints"] = [*kept, *new]
        if not changed["spec"]["taints"]:
            del changed["spec"]["taints"]
        return self._cluster.update("nodes", changed)

    def _wanted(self, node: Obj) -> list[tuple[str, str]]:
        found = [
            (key, "NoSchedule")
            for (kind, value), key in _BY_CONDITION.items()
            if (conditions.find(node, kind) or {}).get("status") == value
        ]
        if (node.get("spec") or {}).get("unschedulable"):
            found.append((UNSCHEDULABLE, "NoSchedule"))
        if any(ready(other) == "True" for other in self._cluster.list("nodes")):
            # With no node ready it is rather we who are cut off, and there is nowhere to go.
            found += [(key, "NoExecute") for key, _ in list(found) if key in SILENT]
        return found

    def _strand_pods(self, node: Obj) -> None:
        """Nobody can say that they are ready, so they get no more work."""
        for pod in self._cluster.list("pods", fields=f"spec.nodeName={objects.name(node)}"):
            condition = conditions.find(pod, "Ready")
            if condition is None or condition.get("status") != "True":
                continue
            changed = objects.copy(pod)
            more = {
                name: value for name, value in condition.items() if name not in ("type", "status", "lastTransitionTime")
            }
            conditions.put(changed, "Ready", "False", now=self._cluster.now(), **more)
            self._cluster.update_status("pods", changed)
            said = "Node is not ready"
            self._cluster.event(pod, reason="NodeNotReady", message=said, component=COMPONENT, kind="Warning")


def ready(node: Obj) -> str:
    """The value of a node's condition Ready, '' when it has none yet."""
    return str((conditions.find(node, "Ready") or {}).get("status", ""))
