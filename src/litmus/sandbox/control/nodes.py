"""The node processes of a sandbox: started, seen to end, and started again when somebody asks.

When a process ends without being told to, the machine that it plays has lost its power: what it ran is ended, too,
and the control plane learns what a cloud would tell it, that the node is out of service. Then its pods need not wait
for it. Source: the Kubernetes documentation, "Node Shutdowns", "Non-graceful node shutdown handling".
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from litmus.sandbox.lifecycle.folder import Folder
from litmus.sandbox.machinery import objects
from litmus.sandbox.machinery.cluster import Cluster
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.node import processes

from .children import Children

log = logging.getLogger(__name__)

OUT_OF_SERVICE = "node.kubernetes.io/out-of-service"
MODULE = "litmus.sandbox.node"


@dataclass(slots=True)
class Nodes:
    """``network``: the second byte of the sandbox's loopback addresses; the third one is the number of the node."""

    names: Sequence[str]
    network: int
    folder: Folder
    children: Children
    stopping: bool = field(default=False)

    def kubeconfig(self, name: str) -> Path:
        """The file with which a node authenticates."""
        return self.folder.pki / f"{name}.kubeconfig"

    async def start_missing(self) -> list[str]:
        """Starts those that do not run; their names."""
        missing = [name for name in self.names if not self.children.running(name)]
        for name in missing:
            folder = self.folder.node(name)
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            await self.children.start(
                name,
                MODULE,
                f"--name={name}",
                f"--kubeconfig={self.kubeconfig(name)}",
                f"--dir={folder}",
                f"--pod-range=127.{self.network}.{self.names.index(name) + 1}.0/24",
                f"--images={self.folder.images}",
            )
        return missing

    async def look_after(self, name: str, cluster: Cluster, *, again: asyncio.Condition) -> None:
        """Follows one node through its lives, until cancelled. ``again`` is notified when nodes were started."""
        while True:
            code = await self.children.ended(name)
            if self.stopping:
                return
            log.warning("%s ended with status %d", name, code)
            await asyncio.to_thread(self._sweep, name)
            _retaint(cluster, name, [{"key": OUT_OF_SERVICE, "value": "nodeshutdown", "effect": "NoExecute"}])
            async with again:
                await again.wait_for(lambda: self.children.running(name))
            _retaint(cluster, name, [])

    def restored(self, cluster: Cluster) -> None:
        """What an earlier life has left of nodes: those that there are no more go, the others are in service again."""
        for node in cluster.list("nodes"):
            if objects.name(node) in self.names:
                _retaint(cluster, objects.name(node), [])
            else:
                cluster.delete("nodes", objects.name(node))

    def _sweep(self, name: str) -> None:
        """Ends what a node has left."""
        try:
            processes.sweep(self.folder.node(name), name=processes.NODE)
        except TimeoutError as error:
            log.warning("%s", error)


def _retaint(cluster: Cluster, name: str, taints: list[Obj]) -> None:
    """Puts a node out of service, or back into it."""
    node = cluster.get("nodes", name)
    if node is None:
        return
    present = node["spec"].get("taints") or []
    kept = [taint for taint in present if taint["key"] != OUT_OF_SERVICE]
    if [*kept, *taints] == present:
        return
    changed = objects.copy(node)
    changed["spec"]["taints"] = [*kept, *taints]
    cluster.update("nodes", changed)
