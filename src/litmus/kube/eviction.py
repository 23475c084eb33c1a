"""Evictions: deletions that ask a PodDisruptionBudget first, and take its no for an answer.

A refusal is asked again until a deadline, because a budget allows more once what was evicted is replaced elsewhere.
"""

import asyncio

from . import errors
from .cluster import Cluster
from .objects import Pod

# The clusters of today, and those before 1.22, which know only the older one.
_VERSIONS = ("v1", "v1beta1")
_AGAIN_S = 1.0


class Evictor:
    """Evicts pods of one cluster, in the version of the API that it serves."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._versions: tuple[str, ...] = _VERSIONS

    async def evict(self, pod: Pod, *, deadline_s: float) -> None:
        """Returns when the eviction was granted: the pod gets its grace period. A pod that is gone is fine.

        Raises OverBudget with the name of the budget after ``deadline_s`` seconds of refusals.
        """
        clock = asyncio.get_running_loop().time
        give_up = clock() + deadline_s
        while True:
            try:
                return await self._ask(pod)
            except errors.OverBudget as refusal:
                if clock() + _AGAIN_S > give_up:
                    raise errors.OverBudget(
                        f"pod {pod.metadata.namespace}/{pod.metadata.name} could not be evicted within "
                        f"{deadline_s:.0f} s: {refusal}"
                    ) from refusal
            await asyncio.sleep(_AGAIN_S)

    async def _ask(self, pod: Pod) -> None:
        """Asks in the versions that may work, and remembers which one did."""
        for version in self._versions:
            try:
                await self._cluster.evict(
                    pod.metadata.name, namespace=pod.metadata.namespace, uid=pod.metadata.uid, version=version
                )
            except (errors.NotFound, errors.Conflict):
                pass  # gone, or another pod has its name
            except errors.Invalid:
                if version == self._versions[-1]:
                    raise
                continue  # this cluster does not know that version
            except errors.OverBudget:
                self._versions = (version,)
                raise
            self._versions = (version,)
            return
