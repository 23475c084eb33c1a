"""One outlet's deliveries: a bounded queue, in order, tried again with growing pauses until a deadline.

Who puts something in never waits: a receiver that is slow or dead costs a place in its own queue and nothing else. The
order is kept, because an end that arrives before its beginning helps nobody; so a receiver that is down holds back
what follows, and what gets too old meanwhile is given up, the oldest first.
"""

import asyncio
import logging
import random
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

log = logging.getLogger(__name__)

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0


class NotTaken(Exception):
    """The receiver did not take it now and may take it later, if it says so after ``after_s`` seconds."""

    def __init__(self, why: str, *, after_s: float | None = None) -> None:
        super().__init__(why)
        self.after_s = after_s


class Refused(Exception):
    """The receiver will never take it: asking again is of no use."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    send: Callable[[], Awaitable[None]]
    until: float


class Delivery:
    """Sends what is ``put``, as long as ``run`` runs. ``receiver``: who takes it, for the log; it holds no secret."""

    def __init__(
        self, receiver: str, *, deadline_s: float = 600.0, most: int = 1000, rng: random.Random | None = None
    ) -> None:
        self.receiver = receiver
        self.failures = 0  # attempts that failed, and what found no place in the queue
        self._deadline_s = deadline_s
        self._most = most
        self._rng = rng or random.Random()
        self._queue: deque[_Waiting] = deque()
        self._more = asyncio.Event()
        self._failed = 0  # of these, since the receiver last took something

    def put(self, send: Callable[[], Awaitable[None]]) -> None:
        """``send`` is called until it returns. It raises NotTaken or Refused when the receiver did not take it."""
        if len(self._queue) >= self._most:
            self._fails(f"{self._most} messages wait already")
            return
        self._queue.append(_Waiting(send, asyncio.get_running_loop().time() + self._deadline_s))
        self._more.set()

    async def run(self) -> None:
        """Delivers until it is cancelled."""
        while True:
            while self._queue:
                await self._deliver(self._queue[0])
                self._queue.popleft()
            self._more.clear()
            await self._more.wait()

    async def emptied(self, patience_s: float) -> None:
        """Gives what still waits a last chance when the process ends: returns when all is sent or time is up."""
        try:
            async with asyncio.timeout(patience_s):
                while self._queue:
                    await self._deliver(self._queue[0])
                    self._queue.popleft()
        except TimeoutError:
            log.warning("what waits for %s was not sent before the end: %d messages", self.receiver, len(self._queue))

    async def _deliver(self, waiting: _Waiting) -> None:
        clock = asyncio.get_running_loop().time
        pause_s = FIRST_PAUSE_S
        while clock() < waiting.until:
            try:
                await waiting.send()
            except Refused as error:
                self._fails(str(error))
                return
            except NotTaken as error:
                self._fails(str(error))
                # Not in step with the other senders that the same receiver has just turned away.
                drawn = pause_s * self._rng.uniform(0.5, 1.0)
                asked = error.after_s or 0.0
                if clock() + max(drawn, asked) >= waiting.until:
                    return
                await asyncio.sleep(max(drawn, asked))
                pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
            else:
                self._taken()
                return

    def _fails(self, why: str) -> None:
        """Counts every failure and tells of the first alone: a receiver may be down for days."""
        self.failures += 1
        self._failed += 1
        if self._failed == 1:
            log.warning("%s does not take chaos windows: %s", self.receiver, why)

    def _taken(self) -> None:
        if self._failed:
            log.info("%s takes chaos windows again after %d failures", self.receiver, self._failed)
        self._failed = 0
