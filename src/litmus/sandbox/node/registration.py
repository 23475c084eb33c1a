"""The Node object of this node and its Lease: registered at the start, renewed as long as the node lives.

Source: Kubernetes documentation, "Nodes" (self-registration, node status, heartbeats), "Leases". The lease is renewed
every second, more often than a real kubelet does, because a laptop's user does not want to wait 40 s for NotReady.
"""

import asyncio
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from litmus.sandbox import client
from litmus.sandbox.machinery import objects
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.status import Refusal

from . import machine
from .pulling import Images

log = logging.getLogger(__name__)

LEASE_NAMESPACE = "kube-node-lease"
LEASE_S = 40
RENEW_S = 1.0
STATUS_S = 10.0
RETRY_S = 0.5
PODS = 110
_RESERVED_MEMORY = 100 * 1024 * 1024
"""What a kubelet keeps back before it evicts pods (evictionHard, memory.available)."""
_IMAGES_SHOWN = 50
_CONDITIONS = (
    ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
)


@dataclass(slots=True, kw_only=True)
class Registration:
    """``capacity`` and ``allocatable`` as in the status of a Node."""

    api: client.Client
    name: str
    ip: str
    labels: Mapping[str, str]
    capacity: Mapping[str, str]
    allocatable: Mapping[str, str]
    images: Images
    pod_range: str
    node: Obj = field(default_factory=dict)
    _info: Mapping[str, str] = field(default_factory=dict)
    _since: dict[str, str] = field(default_factory=dict)

    async def register(self) -> None:
        """Makes the Node, or takes over the one that an earlier life has left; tries until it is done."""
        self._info = machine.node_info(self.name)
        while True:
            try:
                self.node = await self._registered()
                return
            except client.Unreachable as error:
                log.info("waiting for the API server: %s", error)
            except Refusal as refusal:
                log.warning("node %s can not be registered: %s", self.name, refusal)
            await asyncio.sleep(RETRY_S)

    def story(self) -> Iterator[tuple[str, str]]:
        """Reason and message of the events that tell of a kubelet's start."""
        yield "Starting", "Starting kubelet."
        yield "NodeAllocatableEnforced", "Updated Node Allocatable limit across pods"
        for reason in ("NodeHasSufficientMemory", "NodeHasNoDiskPressure", "NodeHasSufficientPID", "NodeReady"):
            yield reason, f"Node {self.name} status is now: {reason}"

    async def renew(self) -> None:
        """Renews the lease until it is cancelled."""
        loop = asyncio.get_running_loop()
        lease: Obj = {}
        while True:
            due = loop.time() + RENEW_S
            lease = await self._renewed(lease)
            await asyncio.sleep(max(0.0, due - loop.time()))

    async def report(self) -> None:
        """Writes the status from time to time until it is cancelled."""
        while True:
            await asyncio.sleep(STATUS_S)
            try:
                await self.api.patch(
                    "nodes", self.name, {"status": self.status()}, subresource="status", kind="strategic"
                )
            except client.Unreachable as error:
                log.info("the node's status can not be written: %s", error)
            except Refusal as refusal:
                log.warning("the node's status is refused: %s", refusal)
                if refusal.code == 404:
                    await self.register()  # somebody deleted the Node, and the kubelet lives

    def status(self) -> Obj:
        """The status of this moment."""
        now = objects.timestamp()
        conditions = []
        for kind, status, reason, message in _CONDITIONS:
            since = self._since.setdefault(kind, now)
            times = {"lastHeartbeatTime": now, "lastTransitionTime": since}
            conditions.append({"type": kind, "status": status, "reason": reason, "message": message, **times})
        images = [
            {"names": [pulled.id, pulled.name], "sizeBytes": pulled.size} for pulled in self.images.known.values()
        ]
        return {
            "addresses": [{"type": "InternalIP", "address": self.ip}, {"type": "Hostname", "address": self.name}],
            "allocatable": dict(self.allocatable),
            "capacity": dict(self.capacity),
            "conditions": conditions,
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
            "images": images[:_IMAGES_SHOWN],
            "nodeInfo": dict(self._info),
        }

    async def _registered(self) -> Obj:
        labels = {
            "beta.kubernetes.io/arch": machine.architecture(),
            "beta.kubernetes.io/os": "linux",
            "kubernetes.io/arch": machine.architecture(),
            "kubernetes.io/hostname": self.name,
            "kubernetes.io/os": "linux",
            **self.labels,
        }
        annotations = {"volumes.kubernetes.io/controller-managed-attach-detach": "true"}
        meta = {"name": self.name, "labels": labels, "annotations": annotations}
        wanted = {"apiVersion": "v1", "kind": "Node", "metadata": meta, "spec": {"podCIDR": self.pod_range,
                  "podCIDRs": [self.pod_range]}, "status": self.status()}  # fmt: skip
        try:
            await self.api.create("nodes", wanted)
        except Refusal as refusal:
            if refusal.code != 409:
                raise
            await self.api.patch("nodes", self.name, {"metadata": {"labels": labels}})
        # Not every server keeps the status of an object that is created.
        return await self.api.patch(
            "nodes", self.name, {"status": self.status()}, subresource="status", kind="strategic"
        )

    async def _renewed(self, lease: Obj) -> Obj:
        """The lease as it is now; {} when it is to be looked up again."""
        spec = {
            "holderIdentity": self.name,
            "leaseDurationSeconds": LEASE_S,
            "renewTime": objects.micro_timestamp(datetime.now(UTC)),
        }
        try:
            if lease:
                return await self.api.update("leases.coordination.k8s.io", {**lease, "spec": spec})
            return await self._found_or_made(spec)
        except client.Unreachable as error:
            log.info("the lease can not be renewed: %s", error)
            return lease
        except Refusal as refusal:
            log.info("the lease is refused: %s", refusal)
            return {}

    async def _found_or_made(self, spec: Obj) -> Obj:
        try:
            return await self.api.get("leases.coordination.k8s.io", self.name, LEASE_NAMESPACE)
        except Refusal as refusal:
            if refusal.code != 404:
                raise
        owner = {"apiVersion": "v1", "kind": "Node", "name": self.name, "uid": objects.uid(self.node)}
        meta = {"name": self.name, "namespace": LEASE_NAMESPACE, "ownerReferences": [owner]}
        lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": meta, "spec": spec}
        return await self.api.create("leases.coordination.k8s.io", lease)


def amounts(found: machine.Capacity, *, cpu: str = "", memory: str = "", pods: int = PODS) -> tuple[Obj, Obj]:
    """Capacity and allocatable of a Node; ``cpu`` and ``memory`` (quantities) replace what the machine has."""
    capacity = {
        "cpu": cpu or str(found.cpus),
        "ephemeral-storage": f"{found.disk // 1024}Ki",
        "hugepages-1Gi": "0",
        "hugepages-2Mi": "0",
        "memory": memory or f"{found.memory // 1024}Ki",
        "pods": str(pods),
    }
    allocatable = capacity | {"ephemeral-storage": str(found.disk * 9 // 10)}
    if not memory:
        allocatable["memory"] = f"{(found.memory - _RESERVED_MEMORY) // 1024}Ki"
    return capacity, allocatable
