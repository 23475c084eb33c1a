"""One evaluation of a probe: its question, asked as often as its attempts allow, until one answer is as expected."""

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
    last: Observation | None = None

    def hear(seen: Observation) -> Observation:
        nonlocal last
        last = seen
        note(seen)
        return seen

    limit = asyncio.timeout(plan.evaluation_timeout_s)
    try:
        async with limit:
            return await _attempts(prober, plan, hear)
    except TimeoutError:
        if not limit.expired():
            raise
    return hear(_given_up(plan, last))


async def _attempts(prober: Prober, plan: Plan, hear: Callable[[Observation], Observation]) -> Observation:
    attempt = _window if plan.window else _question
    seen = await attempt(prober, plan, hear)
    for _ in range(1, plan.attempts):
        if seen.passed:
            break
        await asyncio.sleep(plan.interval_s)
        seen = await attempt(prober, plan, hear)
    return seen


async def _question(prober: Prober, plan: Plan, hear: Callable[[Observation], Observation]) -> Observation:
    return hear(await ask(prober, timeout_s=plan.timeout_s))


async def _window(prober: Prober, plan: Plan, hear: Callable[[Observation], Observation]) -> Observation:
    """An attempt of 1.10: one question after the other until the window closes."""
    loop = asyncio.get_running_loop()
    closes = loop.time() + plan.timeout_s
    pause = max(plan.interval_s, _LEAST_PAUSE_S)
    while True:
        seen = hear(await ask(prober, timeout_s=closes - loop.time()))
        if seen.passed or closes - loop.time() <= pause:
            return seen
        await asyncio.sleep(pause)


async def ask(prober: Prober, *, timeout_s: float) -> Observation:
    """One question, which ends even if the prober forgets to cancel it."""
    at = time.time()
    limit = asyncio.timeout(timeout_s + _GRACE_S)
    try:
        async with limit:
            return await prober.once(timeout_s=timeout_s)
    except TimeoutError:
        if not limit.expired():
            raise
    return Observation(at, False, f"no answer after {timeout_s:g} s", "an answer", error="timeout")


def _given_up(plan: Plan, last: Observation | None) -> Observation:
    before = f"{last.observed}, and " if last else ""
    expected = last.expected if last else "an answer"
    observed = f"{before}no other answer when the evaluationTimeout of {plan.evaluation_timeout_s:g} s was over"
    return Observation(time.time(), False, observed, expected, error="timeout")
