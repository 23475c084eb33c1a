"""One task for every engine and schedule that needs attention, woken by what the cluster reports and by a heartbeat.

kopf delivers the changes. Its own daemons are not used: they keep their progress in annotations of the user's object,
and without these a finalizer that could not be removed at once would stay for ever.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from litmus.kube import errors

from .decide import Action

log = logging.getLogger(__name__)

# Looked at this often even if nothing is reported: a watch may lose an event.
_HEARTBEAT_S = 5.0
_RETRY_S = (0.2, 0.5, 1.0, 2.0, 5.0)
# After a defect of ours: it may be that of a moment, and a traceback every few seconds would drown what else is said.
_AFTER_DEFECT_S = 30.0


@dataclass(frozen=True, slots=True)
class Pause:
    """There is nothing to do for so many seconds, unless something changes."""

    seconds: float


Reconcile = Callable[[], Awaitable[Action | Pause]]


@dataclass(slots=True)
class _Kept:
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None
    behind: bool = True  # its step is under way, or failed and is to be tried again


class Keeper:
    """Runs at most one reconciliation per object at a time, and as many objects as there are."""

    def __init__(self, *, took: Callable[[float], None] = lambda seconds: None) -> None:
        self._kept: dict[str, _Kept] = {}
        self._took = took  # told how long each step took

    def attend(self, uid: str, reconcile: Reconcile) -> None:
        """Starts to look after an engine, or wakes the task that does."""
        kept = self._kept.setdefault(uid, _Kept())
        kept.wake.set()
        if kept.task is None:
            kept.task = asyncio.create_task(self._keep(uid, kept, reconcile))

    def wake(self, uid: str) -> None:
        """Something of this engine has changed."""
        if uid in self._kept:
            self._kept[uid].wake.set()

    def wake_all(self) -> None:
        """Something that concerns all has changed."""
        for kept in self._kept.values():
            kept.wake.set()

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def behind(self) -> int:
        """How many objects have a step that is due, under way, or to be tried again."""
        return sum(kept.behind or kept.wake.is_set() for kept in self._kept.values())

    async def close(self) -> None:
        """Cancels every task and waits for them."""
        tasks = [kept.task for kept in self._kept.values() if kept.task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _keep(self, uid: str, kept: _Kept, reconcile: Reconcile) -> None:
        failures = 0
        clock = asyncio.get_running_loop().time
        try:
            while True:
                kept.wake.clear()
                kept.behind = True
                pause = _HEARTBEAT_S
                action: Action | Pause
                began = clock()
                try:
                    action = await reconcile()
                    failures = 0
                    kept.behind = False
                except errors.KubeError as error:
                    log.warning("reconciliation failed, it is tried again: %s", error, extra={"uid": uid})
                    pause = _RETRY_S[min(failures, len(_RETRY_S) - 1)]
                    failures += 1
                    action = Action.WAIT
                except Exception:
                    # The outermost loop of this object: a defect must not take the others down with it.
                    log.exception(
                        "defect: tried again in %g s, or at the next change", _AFTER_DEFECT_S, extra={"uid": uid}
                    )
                    pause = _AFTER_DEFECT_S
                    action = Action.WAIT
                self._took(clock() - began)
                if action is Action.IDLE:
                    if not kept.wake.is_set():
                        return
                elif isinstance(action, Pause):
                    await _either(kept.wake, action.seconds)
                elif action is Action.WAIT:
                    await _either(kept.wake, pause)
        finally:
            self._kept.pop(uid, None)


async def _either(wake: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await wake.wait()
    except TimeoutError:
        pass
