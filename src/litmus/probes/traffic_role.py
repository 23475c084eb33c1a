"""``litmus traffic AIM``: what a pod beside the application runs. Its log is what the experiment hears.

One line of JSON a second, with the observations since the last one: ``seq`` counts the lines, ``now`` is this node's
clock when the line was written, each of ``samples`` is [milliseconds before now, latency in milliseconds, place in
``outcomes``], and each of ``outcomes`` [kind of the error, what was observed].
"""

import asyncio
import signal
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import aclosing

import msgspec

from .aim import Aim
from .contract import Observation, ProbeError
from .traffic import Traffic

EVERY_S = 1.0
STARTED, SAMPLES, FAILED = "started", "samples", "failed"


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``seq`` and ``event`` are what ``kube.report`` reads."""

    seq: int
    event: str
    now: float
    samples: list[tuple[float, float, int]] = []
    outcomes: list[tuple[str, str]] = []
    why: str = ""


class Teller:
    """Writes the lines, each of which is numbered and has its time."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write
        self._seq = 0

    def tell(self, event: str, observations: Iterable[Observation] = (), *, why: str = "") -> None:
        """One line."""
        now = time.time()
        self._seq += 1
        outcomes: dict[tuple[str, str], int] = {}
        samples = []
        for seen in observations:
            place = outcomes.setdefault((seen.error, seen.observed), len(outcomes))
            samples.append((round((now - seen.at) * 1000, 1), seen.latency_ms or 0.0, place))
        line = Line(seq=self._seq, event=event, now=now, samples=samples, outcomes=list(outcomes), why=why)
        self._write(msgspec.json.encode(line).decode() + "\n")


def main(arguments: list[str]) -> int:
    """Exit status 0 after SIGTERM, 1 when no more requests can be sent, 4 for what is no aim."""
    try:
        aim = msgspec.json.decode(arguments[0], type=Aim)
        once = arguments[1:] == ["once"]
    except (IndexError, msgspec.DecodeError) as error:
        sys.stderr.write(f"usage: litmus traffic AIM, a pod of a trafficProbe: {error}\n")
        return 4
    return asyncio.run(_run(aim, once=once))


async def _run(aim: Aim, *, once: bool) -> int:
    traffic, teller, stop = Traffic(aim), Teller(_out), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    teller.tell(STARTED)
    try:
        if once:
            teller.tell(SAMPLES, [await traffic.once(timeout_s=aim.timeout_s)])
        else:
            await follow(traffic, teller, stop)
    except ProbeError as error:
        teller.tell(FAILED, why=str(error))
        return 1
    finally:
        await traffic.aclose()
    return 0


async def follow(traffic: Traffic, teller: Teller, stop: asyncio.Event) -> None:
    """Tells what it sees once a second - even if that is nothing - until ``stop``. Raises ProbeError."""
    seen: list[Observation] = []

    note = seen.append  # at once, which a comprehension would not do

    async def collect() -> None:
        async with aclosing(traffic.stream()) as observations:
            async for observation in observations:
                note(observation)

    tasks = [asyncio.create_task(collect()), asyncio.create_task(stop.wait())]
    try:
        done: set[asyncio.Task[object]] = set()
        while not done:
            done, _ = await asyncio.wait(tasks, timeout=EVERY_S, return_when=asyncio.FIRST_COMPLETED)
            teller.tell(SAMPLES, seen)
            seen.clear()
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _out(line: str) -> None:
    sys.stdout.write(line)
    sys.stdout.flush()
