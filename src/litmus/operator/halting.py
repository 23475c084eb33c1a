"""The first moments after all chaos was stopped, before any engine is ended: everybody is told, and what can be undone
from here is.

A run that is stopped undoes its own fault. Where many are stopped at once, all of them do so while the cluster ends
their pods, and the last one waits for the work of all the others. Most ways back are one write to the API server, which
this process does for fifty faults in the time in which one pod ends. The records stay open: a run may put its fault a
moment after it was undone here, so it undoes it again, and closes them.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial

from litmus import api
from litmus.api import names
from litmus.kube import Cluster, errors, kinds, recipes

from .rules import Rules

log = logging.getLogger(__name__)

# The runs, and after them the reaper, undo what is not undone here by then, in seconds.
_LIMIT_S = 5.0
# More at once would wait for each other in this process, and the API server has other clients.
_AT_ONCE = 8


class Halt:
    """``namespace``: where the engines are, '*' for everywhere; ``over``: whether engines may be reconciled."""

    def __init__(self, cluster: Cluster, rules: Rules, *, namespace: str, wake: Callable[[], None]) -> None:
        self.over = asyncio.Event()
        self.over.set()
        self._cluster = cluster
        self._rules = rules
        self._namespace = namespace
        self._wake = wake
        self._stopped = False
        self._task: asyncio.Task[None] | None = None

    def changed(self) -> None:
        """Other rules hold: wakes whom they concern, after everything was undone if all is stopped now."""
        stopped, before = bool(self._rules.stopped), self._stopped
        self._stopped = stopped
        if stopped and not before:
            self.over.clear()
            self._task = asyncio.create_task(self._undo_all())
        elif self.over.is_set():
            self._wake()

    async def close(self) -> None:
        """Ends what is under way."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _undo_all(self) -> None:
        try:
            async with asyncio.timeout(_LIMIT_S):
                labels = f"{names.OPEN_FAULTS_LABEL}=true"
                found = await self._cluster.select(kinds.RESULT, namespace=self._namespace, labels=labels)
                places = asyncio.Semaphore(_AT_ONCE)
                await asyncio.gather(*(self._undo(result, places) for result in found))
        except (TimeoutError, errors.KubeError) as error:
            log.warning("not everything was undone at once, the runs do it: %s", str(error) or "no time left")
        finally:
            self.over.set()
            self._wake()

    async def _undo(self, result: api.ChaosResult, places: asyncio.Semaphore) -> None:
        """First the engine is told: a run that finds its fault gone looks there for the reason."""
        where, engine = result.metadata.namespace, result.spec.engine
        stop = {"spec": {"engineState": "stop"}}
        steps: list[Callable[[], Awaitable[object]]] = [
            lambda: self._cluster.patch(kinds.ENGINE, engine, stop, namespace=where),
            *(partial(recipes.end_at_once, self._cluster, fault.undo) for fault in result.status.faults if fault.open),
        ]
        async with places:
            for step in steps:
                try:
                    await step()
                except Exception as error:  # noqa: BLE001 - what can't be done here must keep nothing else from it
                    log.warning("left to the run: %r", error, extra={"engine": f"{where}/{engine}"})
