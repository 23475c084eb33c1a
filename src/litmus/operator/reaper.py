"""The reaper: looks at every open record of the ledger, and undoes what nobody else looks after any more.

A run undoes its own faults; when its pod is gone, or a deadline is past, the reaper does: through the API server where
the recipe says how, else by a helper pod that it sends to the node. What can't be undone is called out as a Warning
event and tried again until it is. It finds the results by a label, so that thousands of finished ones cost one small
list.
"""

import asyncio
import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from litmus import api
from litmus.api import names
from litmus.kube import Cluster, clock, errors, events, helpers, kinds, node_revert, recipes, results

from . import metrics

log = logging.getLogger(__name__)

PERIOD_S = 1.0
# A run that lives reverts at the deadline; this much later it is helped, within the 5 s of design.md, section 1.
_MARGIN = timedelta(seconds=3)
# Pauses between tries of what could not be undone, in seconds. A node that comes back is waited for.
_AGAIN_S = (1.0, 2.0, 5.0, 10.0)
# A node that is slow to start pods gets no quicker by being sent more of them.
_AT_ONCE_ON_A_NODE = 4


@dataclass(slots=True)
class _Effort:
    """What has been tried for one record."""

    failures: int = 0
    not_before: float = 0.0
    task: "asyncio.Task[None] | None" = None


@dataclass(slots=True, kw_only=True)
class Reaper:
    """``namespace``: where the results are, '*' for everywhere; ``own_namespace``: where its helper pods run."""

    cluster: Cluster
    poster: events.Poster
    namespace: str
    own_namespace: str
    image: helpers.Image
    figures: metrics.Figures = field(default_factory=metrics.Figures)
    _nodes: dict[str, asyncio.Semaphore] = field(default_factory=dict)
    _efforts: dict[tuple[str, str], _Effort] = field(default_factory=dict)

    async def forever(self) -> None:
        """Looks at all open records every second. What it began is cancelled with it, and found again by the next."""
        try:
            await self._sweep()
            while True:
                try:
                    await self.look()
                except errors.KubeError as error:
                    log.warning("the ledger could not be read, it is tried again: %s", error)
                except Exception:
                    # The outermost loop of the reaper: it must outlive whatever stands in a result.
                    log.exception("defect: the ledger is looked at again")
                await asyncio.sleep(PERIOD_S)
        finally:
            await self.close()

    async def _sweep(self) -> None:
        """Removes helper pods whose operator died before it could."""
        try:
            labels = f"{names.COMPONENT}={names.REVERT_COMPONENT}"
            for pod in await self.cluster.select(kinds.POD, namespace=self.own_namespace, labels=labels):
                if pod.over:
                    await self.cluster.delete(kinds.POD, pod.metadata.name, namespace=self.own_namespace, grace_s=0)
        except errors.KubeError as error:
            log.warning("helper pods of an earlier operator could not be removed: %s", error)

    async def close(self) -> None:
        """Ends what is under way."""
        tasks = [effort.task for effort in self._efforts.values() if effort.task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def look(self) -> None:
        """Closes records that have nothing to undo, and begins to undo those that have and are due."""
        labels = f"{names.OPEN_FAULTS_LABEL}=true"
        found = await self.cluster.select(kinds.RESULT, namespace=self.namespace, labels=labels)
        self._forget(
            {(result.metadata.uid, fault.id) for result in found for fault in result.status.faults if fault.open}
        )
        for result in found:
            over = await self._over(result)
            for fault in result.status.faults:
                if fault.open and results.undoable(fault) and (over or await self._is_late(result, fault)):
                    self._begin(result, fault)
            if over:
                await self._settle(result)

    async def idle(self) -> None:
        """Waits until what was begun is done, or has failed for now."""
        await asyncio.gather(*(effort.task for effort in self._efforts.values() if effort.task))

    async def _over(self, result: api.ChaosResult) -> bool:
        """Whether the pod of the run looks after its records no more."""
        run = result.status.run
        if not run.pod or run.finished_at:
            return True
        pod = await self.cluster.find(kinds.POD, run.pod, namespace=result.metadata.namespace)
        return pod is None or pod.over

    async def _is_late(self, result: api.ChaosResult, fault: api.Fault) -> bool:
        """Whether a living run should have undone it and has sent nobody: two helpers only slow each other down."""
        if not _past(fault.deadline):
            return False
        namespace = result.metadata.namespace
        on_node = fault.undo.get("kind") == node_revert.KIND
        return not (on_node and await node_revert.under_way(self.cluster, fault.undo, namespace=namespace))

    def _forget(self, open_: set[tuple[str, str]]) -> None:
        for key, effort in list(self._efforts.items()):
            if key not in open_ and (effort.task is None or effort.task.done()):
                del self._efforts[key]

    def _begin(self, result: api.ChaosResult, fault: api.Fault) -> None:
        effort = self._efforts.setdefault((result.metadata.uid, fault.id), _Effort())
        busy = effort.task is not None and not effort.task.done()
        if not busy and asyncio.get_running_loop().time() >= effort.not_before:
            effort.task = asyncio.create_task(self._undo(result, fault, effort))

    async def _undo(self, result: api.ChaosResult, fault: api.Fault, effort: _Effort) -> None:
        where = f"{result.metadata.namespace}/{result.metadata.name}"
        try:
            state, said = await self._revert(result, fault)
            await self._close(result, {fault.id: (state, f"by the operator: {said}")})
            self.figures.reaped(state)
        except Exception as error:  # noqa: BLE001 - one record that can't be undone must not keep the others from it
            effort.not_before = asyncio.get_running_loop().time() + _AGAIN_S[min(effort.failures, len(_AGAIN_S) - 1)]
            effort.failures += 1
            self.figures.reaped("failed")
            if effort.failures == 1:
                self.figures.left_over(fault.mechanism)
            log.error("a fault could not be undone", extra={"result": where, "fault": fault.id, "why": str(error)})
            await self.poster.post(
                result,
                "FaultNotReverted",
                f"{fault.mechanism} on {_place(fault)} is not undone yet, it is tried again: {error}",
                warning=True,
            )
            return
        log.info("a fault was undone", extra={"result": where, "fault": fault.id, "said": said})
        await self.poster.post(result, "FaultReverted", f"{fault.mechanism} on {_place(fault)}: {said}")

    async def _revert(self, result: api.ChaosResult, fault: api.Fault) -> tuple[metrics.Reaped, str]:
        """The record's next state, and how it was undone. Raises KubeError when it could not be."""
        undo = fault.undo
        if recipes.known(undo):
            done = await recipes.revert(self.cluster, undo)
            if left := await recipes.leftovers(self.cluster, undo):
                raise errors.Conflict(left)
        else:
            done = await self._on_node(result, fault)
        return ("moot" if done.moot else "reverted"), done.message

    async def _on_node(self, result: api.ChaosResult, fault: api.Fault) -> recipes.Done:
        undo = fault.undo
        if undo.get("kind") != node_revert.KIND:
            raise errors.Invalid(f"this release knows no way back of the kind {undo.get('kind')!r}; undo it by hand")
        async with self._nodes.setdefault(fault.node, asyncio.Semaphore(_AT_ONCE_ON_A_NODE)):
            return await node_revert.revert(
                self.cluster,
                undo=undo,
                node=fault.node,
                image=self.image,
                namespace=result.metadata.namespace,
                pod_namespace=self.own_namespace,
                metadata={
                    "name": f"litmus-revert-{undo['session']}",
                    "labels": {names.COMPONENT: names.REVERT_COMPONENT, names.PART_OF: "litmus"},
                },
            )

    async def _settle(self, result: api.ChaosResult) -> None:
        """Closes what has nothing to undo."""
        await self._close(result, {})

    async def _close(self, result: api.ChaosResult, states: dict[str, tuple[str, str]]) -> None:
        meta = result.metadata

        def write(seen: api.ChaosResult) -> dict[str, object] | None:
            if seen.metadata.uid != meta.uid:
                return None
            faults = [
                results.moved(fault, *states[fault.id]) if fault.open and fault.id in states else results.settled(fault)
                for fault in seen.status.faults
            ]
            return None if faults == seen.status.faults else results.ledger_patch(seen, faults)

        try:
            await self.cluster.update(kinds.RESULT, meta.name, write, namespace=meta.namespace)
        except errors.NotFound:
            log.info("the result is gone", extra={"result": f"{meta.namespace}/{meta.name}"})


def _place(fault: api.Fault) -> str:
    shown = ", ".join(target.name for target in fault.targets[:3])
    more = f" and {len(fault.targets) - 3} more" if len(fault.targets) > 3 else ""
    return " on node ".join(part for part in (f"{shown}{more}", fault.node) if part) or "nobody"


def _past(deadline: str) -> bool:
    """Whether a fault should have ended; a deadline that nobody can read has passed."""
    try:
        return datetime.now(UTC) > clock.parse(deadline) + _MARGIN
    except ValueError:
        return True
