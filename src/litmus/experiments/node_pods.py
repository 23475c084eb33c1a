"""The pods of a node, and waiting until some of them are gone from it - told by their uids, not by their names."""

import asyncio
from collections.abc import Iterable

from litmus.kube import Cluster, errors, kinds
from litmus.kube.objects import Pod

_LOOK_S = 0.3


async def on(cluster: Cluster, node: str) -> list[Pod]:
    """The pods of every namespace that are bound to a node, in the order of their names."""
    pods = await cluster.select(kinds.POD, namespace="*", fields=f"spec.nodeName={node}")
    return sorted(pods, key=lambda pod: (pod.metadata.namespace, pod.metadata.name))


async def gone(cluster: Cluster, node: str, pods: Iterable[Pod], *, deadline_s: float) -> None:
    """Waits until none of the pods is on the node. Raises TimedOut with those that are, after so many seconds."""
    clock = asyncio.get_running_loop().time
    give_up = clock() + deadline_s
    wanted = {pod.metadata.uid for pod in pods}
    while left := [pod for pod in await on(cluster, node) if pod.metadata.uid in wanted]:
        if clock() > give_up:
            raise errors.TimedOut(
                f"after {deadline_s:.0f} s there are still {', '.join(map(_described, left[:5]))} on node {node}"
            )
        await asyncio.sleep(_LOOK_S)


def _described(pod: Pod) -> str:
    meta = pod.metadata
    blocked = f", finalizers {', '.join(meta.finalizers)}" if meta.finalizers else ""
    grace = f", grace period {pod.spec.termination_grace_period_seconds} s" if meta.deletion_timestamp else ""
    return f"{meta.namespace}/{meta.name} ({'ending' if meta.deletion_timestamp else 'not ending'}{grace}{blocked})"
