"""A client that asks the application again and again: what it saw itself, with its own clock and sockets.

Every slot of the rate has its own request, so that one that hangs does not keep the next from being sent. A connection
is made anew for each request: a kept one would go on talking to the pod that it first reached.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Sample:
    """One request: when it was sent (seconds since the epoch), how long it took, and what was wrong, '' if nothing."""

    at: float
    took_s: float
    problem: str = ""

    @property
    def ok(self) -> bool:
        return not self.problem


@dataclass(frozen=True, slots=True)
class Window:
    """The requests of a stretch of time."""

    samples: Sequence[Sample]

    @property
    def availability(self) -> float | None:
        """The share of requests that were answered well, in percent; None without requests."""
        return 100 * sum(sample.ok for sample in self.samples) / len(self.samples) if self.samples else None

    @property
    def median_ms(self) -> float | None:
        """The median time of the good answers."""
        taken = sorted(sample.took_s for sample in self.samples if sample.ok)
        return taken[len(taken) // 2] * 1000 if taken else None

    @property
    def problems(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for sample in self.samples:
            if not sample.ok:
                found[sample.problem] = found.get(sample.problem, 0) + 1
        return found

    @property
    def longest_outage_s(self) -> float:
        """The longest time from a failed request to the next good one, in seconds; 0 when all were good."""
        longest, began = 0.0, None
        for sample in self.samples:
            if sample.ok:
                longest = max(longest, sample.at - began) if began is not None else longest
                began = None
            elif began is None:
                began = sample.at
        if began is not None:
            longest = max(longest, self.samples[-1].at + self.samples[-1].took_s - began)
        return longest


@dataclass(slots=True)
class Traffic:
    """GET / of one address, ``rate`` times a second; an answer that takes ``timeout_s`` has failed."""

    host: str
    port: int
    rate: float = 20.0
    timeout_s: float = 1.0
    _samples: list[Sample] = field(default_factory=list)

    async def run(self) -> None:
        """Sends until cancelled."""
        loop = asyncio.get_running_loop()
        slot = loop.time()
        async with asyncio.TaskGroup() as group:
            while True:
                group.create_task(self._ask())
                slot += 1 / self.rate
                await asyncio.sleep(max(0.0, slot - loop.time()))

    def between(self, start: float, end: float) -> Window:
        """The requests that were sent in that time, in their order (seconds since the epoch)."""
        return Window(sorted((s for s in self._samples if start <= s.at < end), key=lambda sample: sample.at))

    async def _ask(self) -> None:
        at, began = time.time(), time.perf_counter()
        try:
            async with asyncio.timeout(self.timeout_s):
                problem = await self._answer()
        except TimeoutError:
            problem = "timeout"
        except ConnectionRefusedError:
            problem = "connection refused"
        except (OSError, asyncio.IncompleteReadError):
            problem = "connection broken"
        self._samples.append(Sample(at, time.perf_counter() - began, problem))

    async def _answer(self) -> str:
        reader, writer = await asyncio.open_connection(self.host, self.port)
        try:
            writer.write(f"GET / HTTP/1.1\r\nHost: {self.host}\r\nConnection: close\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n")
            await reader.read()
        finally:
            writer.close()
        words = head.split()
        return (
            ""
            if len(words) > 1 and words[1].startswith(b"2")
            else f"HTTP {words[1].decode() if len(words) > 1 else '?'}"
        )
