"""One evaluation of a probe: its question, asked as often as its attempts allow, until one answer is as expected.

A prober that runs in a pod of its own has ``start_s``: how long that pod may need until it asks. This time is not the
probe's own, so every limit of the engine - probeTimeout, the window of 1.10, evaluationTimeout - is put off by it.
"""

import asyncio
import time
from collections.abc import Callable

from .contract import Observation, Prober
from .properties import Plan

# A question cancels itself; one that does not is cancelled by us a little later, in seconds.
_GRACE_S = 2.0
# Between the questions of a window of 1.10, whatever the interval says.
_LEAST_PAUSE_S = 0.1


async def evaluate(prober: Prober, plan: Plan, note: Callable[[Observation], None]) -> Observation:
    """The first answer that is as expected, else the last one. ``note`` hears of every one.

    Raises ProbeError when the probe can't be evaluated.
    """
    return await _Evaluation(prober, plan, note).run()


async def ask(prober: Prober, *, timeout_s: float) -> Observation:
    """One question, which ends even if the prober forgets to cancel it."""
    at = time.time()
    limit = asyncio.timeout(start_s(prober) + timeout_s + _GRACE_S)
    try:
        async with limit:
            return await prober.once(timeout_s=timeout_s)
    except TimeoutError:
        if not limit.expired():
            raise
    return Observation(at, False, f"no answer after {timeout_s:g} s", "an answer", error="timeout")


def start_s(prober: Prober) -> float:
    """The longest that the pod of a prober may need before it asks, in seconds; 0 for one that has none."""
    return float(getattr(prober, "start_s", 0.0))


class _Evaluation:
    """One that is under way. ``_started_s``: what pods have needed to start so far, in seconds."""

    def __init__(self, prober: Prober, plan: Plan, note: Callable[[Observation], None]) -> None:
        self._prober = prober
        self._plan = plan
        self._note = note
        self._last: Observation | None = None
        self._started_s = 0.0
        self._limit = asyncio.timeout(plan.evaluation_timeout_s)

    async def run(self) -> Observation:
        try:
            async with self._limit:
                return await self._attempts()
        except TimeoutError:
            if not self._limit.expired():
                raise
        return self._hear(self._given_up())

    async def _attempts(self) -> Observation:
        plan = self._plan
        attempt = self._window if plan.window else self._question
        seen = await attempt()
        for _ in range(1, plan.attempts):
            if seen.passed:
                break
            await asyncio.sleep(plan.interval_s)
            seen = await attempt()
        return seen

    async def _question(self) -> Observation:
        return await self._ask(self._plan.timeout_s)

    async def _window(self) -> Observation:
        """An attempt of 1.10: one question after the other until the window closes."""
        now = asyncio.get_running_loop().time
        closes = now() + self._plan.timeout_s - self._started_s
        pause = max(self._plan.interval_s, _LEAST_PAUSE_S)
        while True:
            seen = await self._ask(closes + self._started_s - now())
            if seen.passed or closes + self._started_s - now() <= pause:
                return seen
            await asyncio.sleep(pause)

    async def _ask(self, timeout_s: float) -> Observation:
        """One question; an observation's time is when it was asked, which is when a pod had started."""
        now = asyncio.get_running_loop().time
        began, at, longest_s = now(), time.time(), start_s(self._prober)
        self._put_off(longest_s)
        seen = await ask(self._prober, timeout_s=timeout_s)
        needed_s = min(max(seen.at - at, 0.0), longest_s, now() - began)
        self._started_s += needed_s
        self._put_off(needed_s - longest_s)
        return self._hear(seen)

    def _put_off(self, seconds: float) -> None:
        due = self._limit.when()
        if seconds and due is not None:
            self._limit.reschedule(due + seconds)

    def _hear(self, seen: Observation) -> Observation:
        self._last = seen
        self._note(seen)
        return seen

    def _given_up(self) -> Observation:
        last = self._last
        before = f"{last.observed}, and " if last else ""
        expected = last.expected if last else "an answer"
        limit_s = self._plan.evaluation_timeout_s or 0.0
        observed = f"{before}no other answer when the evaluationTimeout of {limit_s:g} s was over"
        return Observation(time.time(), False, observed, expected, error="timeout")
