"""What keeps the controllers going: events become keys, keys become reconciles, refusals become later attempts.

Everything runs in one thread, so a reconcile sees a cluster that nobody else changes meanwhile, and a key that comes in
while its own reconcile writes is simply asked about once more. Two ways to drive it: ``run`` for ever, for a cluster
that lives, and ``settle`` for tests, which has no loop and whose time is the injected clock.

Source: the work queues of k8s.io/client-go/util/workqueue (one entry a key, back-off from 5 ms, doubling); the longest
pause is 30 s here and 1000 s there, because people watch a sandbox.
"""

import asyncio
import heapq
import itertools
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from litmus.sandbox.machinery import status, store
from litmus.sandbox.machinery.objects import Key, Obj

log = logging.getLogger(__name__)

FIRST_PAUSE_S = 0.005
LONGEST_PAUSE_S = 30.0
CLOCK_TICK_S = 1e-6  # the resolution of a datetime
TURNS_IN_A_ROW = 20
"""Reconciles before the event loop gets its turn: people's requests are answered while 200 pods are made."""

COSTLY_S = 0.001
REST = 10
"""A key whose reconcile took more than COSTLY_S of the processor rests for REST times as long, so that what 200 pods of
one service do within some milliseconds is answered once. What is small is never kept waiting."""


class Controller(Protocol):
    """One kind of object, kept as its specification says."""

    name: str
    watches: Mapping[str, Callable[[Obj], Iterable[Key]]]
    """Resource → which of our keys an object concerns; asked for its new and for its previous state."""

    def reconcile(self, key: Key) -> float | None:
        """Take the next step for one key; returns the seconds until asked again without an event, or None."""


class Watched(Protocol):
    """What the loop needs of a cluster."""

    @property
    def now(self) -> Callable[[], datetime]: ...
    def list(self, resource: str) -> Sequence[Obj]: ...
    def subscribe(self, resource: str, listener: store.Listener) -> Callable[[], None]: ...


class Unsettled(Exception):
    """The controllers keep each other busy without end; the message names the keys."""


@dataclass(frozen=True, slots=True)
class _Item:
    controller: int
    key: Key


class Queue:
    """The keys that wait for a reconcile, each at most once, and those that are asked about again later.

    ``spent_s`` says how much time of the processor this thread has used so far; without it no key ever rests.
    """

    def __init__(
        self, cluster: Watched, controllers: Sequence[Controller], *, spent_s: Callable[[], float] = lambda: 0.0
    ) -> None:
        self._cluster = cluster
        self._controllers = controllers
        self._ready: dict[_Item, None] = {}  # ordered: first come, first served
        self._due: dict[_Item, float] = {}
        self._later: list[tuple[float, int, _Item]] = []
        self._numbers = itertools.count()
        self._failures: dict[_Item, int] = {}
        self._spent_s = spent_s
        self._resting: dict[_Item, bool] = {}  # and whether something happened meanwhile
        self._rests: list[tuple[float, int, _Item]] = []
        self.added = asyncio.Event()

    def start(self) -> Callable[[], None]:
        """Listen, and queue every object that is there now; returns how to stop listening."""
        resources = list(dict.fromkeys(name for controller in self._controllers for name in controller.watches))
        stops = [self._cluster.subscribe(resource, self._listener(resource)) for resource in resources]
        for resource in resources:
            for obj in self._cluster.list(resource):
                self.notice(resource, obj, None)

        def stop() -> None:
            for stop_one in stops:
                stop_one()

        return stop

    def _listener(self, resource: str) -> store.Listener:
        return lambda event: self.notice(resource, event.obj, event.previous)

    def notice(self, resource: str, obj: Obj, previous: Obj | None) -> None:
        """Queue the keys that an object in its new or previous state concerns."""
        states = [obj] if previous is None else [previous, obj]
        for number, controller in enumerate(self._controllers):
            concerned = controller.watches.get(resource)
            if concerned is None:
                continue
            for key in dict.fromkeys(key for state in states for key in concerned(state)):
                self._add(_Item(number, key))

    def _add(self, item: _Item) -> None:
        if item in self._resting:
            self._resting[item] = True
        else:
            self._ready[item] = None
        self.added.set()

    def now_s(self) -> float:
        return self._cluster.now().timestamp()

    @property
    def pending(self) -> list[str]:
        """The keys that wait right now, for messages."""
        return [f"{self._controllers[item.controller].name} {item.key}" for item in self._ready]

    def next_due_s(self) -> float | None:
        """Seconds until a key is due without an event; 0 when one waits; None when nothing is planned."""
        if self._ready:
            return 0.0
        while self._later and self._due.get(self._later[0][2]) != self._later[0][0]:
            heapq.heappop(self._later)  # an entry that an earlier one has overtaken
        due = [entries[0][0] for entries in (self._later, self._rests) if entries]
        return max(0.0, min(due) - self.now_s()) if due else None

    def turn(self, *, resilient: bool) -> bool:
        """Reconcile the next key; False when none waits. A resilient turn survives a defect in a controller too."""
        self._collect_due()
        if not self._ready:
            return False
        item = next(iter(self._ready))
        del self._ready[item]
        self._due.pop(item, None)
        controller = self._controllers[item.controller]
        began_s = self._spent_s()
        try:
            again_s = controller.reconcile(item.key)
        except status.Refusal as refusal:
            self._retry(item, f"{refusal.code} {refusal.reason}: {refusal.message}")
        except Exception:
            if not resilient:
                raise
            log.exception("%s failed on %s; this is a defect of the sandbox", controller.name, item.key)
            self._retry(item, "defect")
        else:
            self._failures.pop(item, None)
            if again_s is not None:
                self._plan(item, again_s)
        self._rest(item, self._spent_s() - began_s)
        return True

    def _rest(self, item: _Item, took_s: float) -> None:
        if took_s <= COSTLY_S:
            return
        heapq.heappush(self._rests, (self.now_s() + REST * took_s, next(self._numbers), item))
        concerned_itself = item in self._ready
        self._ready.pop(item, None)
        self._resting[item] = concerned_itself or self._resting.get(item, False)

    def _retry(self, item: _Item, why: str) -> None:
        failures = self._failures.get(item, 0)
        self._failures[item] = failures + 1
        pause_s = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** min(failures, 30))
        log.info("%s: %s is tried again in %.3g s: %s", self._controllers[item.controller].name, item.key, pause_s, why)
        self._plan(item, pause_s)

    def _plan(self, item: _Item, after_s: float) -> None:
        due = self.now_s() + max(0.0, after_s)
        if due < self._due.get(item, float("inf")):
            self._due[item] = due
            heapq.heappush(self._later, (due, next(self._numbers), item))

    def _collect_due(self) -> None:
        now = self.now_s()
        while self._later and self._later[0][0] <= now:
            due, _, item = heapq.heappop(self._later)
            if self._due.get(item) == due:
                del self._due[item]
                self._ready[item] = None
        while self._rests and self._rests[0][0] <= now:
            _, _, item = heapq.heappop(self._rests)
            if self._resting.pop(item, False):
                self._ready[item] = None


async def run(cluster: Watched, controllers: Sequence[Controller]) -> None:
    """Keep the controllers going until cancelled."""
    queue = Queue(cluster, controllers, spent_s=time.thread_time)
    stop = queue.start()
    try:
        while True:
            for _ in range(TURNS_IN_A_ROW):
                if not queue.turn(resilient=True):
                    await _wait(queue)
                    break
            else:
                await asyncio.sleep(0)
    finally:
        stop()


async def _wait(queue: Queue) -> None:
    queue.added.clear()
    try:
        async with asyncio.timeout(queue.next_due_s()):
            await queue.added.wait()
    except TimeoutError:
        pass  # a planned key has come due


def settle(
    cluster: Watched,
    controllers: Sequence[Controller],
    *,
    advance: Callable[[float], object] | None = None,
    for_s: float = 0.0,
    most: int = 20_000,
) -> None:
    """Reconcile until no key waits; with ``advance`` (moves the clock on by seconds) also what comes due in ``for_s``.

    The clock stands ``for_s`` later in the end. Raises Unsettled after ``most`` reconciles, and whatever a controller
    raises that is no Refusal.
    """
    queue = Queue(cluster, controllers)
    end = queue.now_s() + for_s
    stop = queue.start()
    try:
        for _ in range(most):
            if queue.turn(resilient=False):
                continue
            left_s = end - queue.now_s()
            wait_s = queue.next_due_s()
            if advance is None or left_s < CLOCK_TICK_S:
                return
            advance(left_s if wait_s is None else min(left_s, max(wait_s, CLOCK_TICK_S)))
        raise Unsettled(f"still busy after {most} reconciles: {', '.join(queue.pending) or 'planned keys'}")
    finally:
        stop()
