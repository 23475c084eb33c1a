"""Requests at a steady rate, whatever becomes of them: every slot of the rate has its own, and none waits for another.

A client that sends the next request only after the last answer asks least while the application hangs, and so hardly
notices ("coordinated omission"). Here the clock decides when to ask, and a latency counts from the slot's own time, not
from when we came round to it.

What is late because of *us* - a node without processor time, a laptop that slept - is nobody's outage: slots that we
come to late by more than ``LATE_S`` are not sent, and a request that we could not give up in time is not counted. Both
are in ``missed``.
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress

from .contract import Observation, ProbeError
from .dialling import Outcome, Trace

log = logging.getLogger(__name__)

LATE_S = 0.25
# Observations that nobody has taken yet; nothing is sent while there are more.
MOST_UNREAD = 10_000

Ask = Callable[[Trace], Awaitable[Outcome]]


class Pace:
    """The requests of one probe. ``rate``: a second. ``timeout_s``: of one, from its slot on."""

    def __init__(self, ask: Ask, *, rate: float, timeout_s: float, expected: str) -> None:
        self._ask = ask
        self._step = 1 / rate
        self._timeout_s = timeout_s
        self._expected = expected
        self.missed = 0

    async def once(self) -> Observation:
        """One request, now. Raises ProbeError."""
        observation = await self._measured(asyncio.get_running_loop().time(), at=time.time())
        if observation is None:
            raise ProbeError("the request could not be timed: this node had no processor time for it; try again")
        return observation

    async def stream(self) -> AsyncGenerator[Observation]:
        """Observations in the order in which requests end, until it is closed; those under way then are dropped.

        ``at`` is the time of the slot: UNIX time at the start plus what the monotonic clock says since, so that a
        clock that is set meanwhile moves nothing. Raises ProbeError when no more requests can be sent.
        """
        done: asyncio.Queue[Observation | None] = asyncio.Queue()
        sending = asyncio.create_task(self._send(done))
        sending.add_done_callback(lambda _: done.put_nowait(None))
        try:
            while (observation := await done.get()) is not None:
                yield observation
            await sending
        finally:
            sending.cancel()
            with suppress(asyncio.CancelledError, ProbeError):
                await sending
            if self.missed:
                log.warning("slots of a trafficProbe came too late to count", extra={"missed": self.missed})

    async def _send(self, done: "asyncio.Queue[Observation | None]") -> None:
        loop = asyncio.get_running_loop()
        start = slot = loop.time()
        to_unix_s = time.time() - start
        number = 0
        try:
            async with asyncio.TaskGroup() as group:
                while True:
                    late_s = loop.time() - slot
                    sendable = late_s <= LATE_S and done.qsize() < MOST_UNREAD
                    if sendable:
                        group.create_task(self._put(done, slot, at=slot + to_unix_s))
                    slots = 1 if sendable else max(1, int(late_s / self._step))
                    self.missed += 0 if sendable else slots
                    number += slots
                    slot = start + number * self._step
                    await asyncio.sleep(max(0.0, slot - loop.time()))
        except BaseExceptionGroup as failures:
            raise _first(failures) from None

    async def _put(self, done: "asyncio.Queue[Observation | None]", slot: float, *, at: float) -> None:
        observation = await self._measured(slot, at=at)
        if observation is None:
            self.missed += 1
        else:
            done.put_nowait(observation)

    async def _measured(self, slot: float, *, at: float) -> Observation | None:
        """None where it was given up too late, which is our fault."""
        loop = asyncio.get_running_loop()
        trace = Trace()
        try:
            async with asyncio.timeout_at(slot + self._timeout_s):
                ended = await self._ask(trace)
        except TimeoutError:
            if loop.time() - slot > self._timeout_s + LATE_S:
                return None
            ended = trace.too_long(self._timeout_s)
        took_ms = round((loop.time() - slot) * 1000, 3)
        return Observation(at, not ended.error, ended.observed, self._expected, latency_ms=took_ms, error=ended.error)


def _first(failures: BaseExceptionGroup[BaseException]) -> BaseException:
    first: BaseException = failures
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return first
