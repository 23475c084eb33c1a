"""Startup, readiness and liveness probes: how often, how many failures count, and what is told.

Source: Kubernetes documentation, "Configure Liveness, Readiness and Startup Probes", and pkg/kubelet/prober: while a
startup probe has not succeeded the others wait; liveness counts as successful until it fails ``failureThreshold`` times
in a row; readiness is false until it succeeds ``successThreshold`` times.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from litmus.sandbox.machinery.objects import Obj

Kind = Literal["startup", "readiness", "liveness"]

# A kubelet hears of a start when it next looks at its runtime, a second later at most (pkg/kubelet/pleg), and then asks
# at once. Here it hears at once, so it is in that second that a port may still be closed without anybody noticing.
_UNNOTICED_S = 1.0
_AGAIN_S = 0.1


class Answer(NamedTuple):
    """What one attempt found. ``error``: it could not be made, which counts for nothing."""

    success: bool
    output: str = ""
    error: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """The numbers of a probe with Kubernetes' defaults; durations in seconds."""

    initial_delay_s: float = 0.0
    period_s: float = 10.0
    timeout_s: float = 1.0
    successes: int = 1
    failures: int = 3

    @classmethod
    def of(cls, probe: Obj) -> "Schedule":
        return cls(
            initial_delay_s=float(probe.get("initialDelaySeconds") or 0),
            period_s=float(probe.get("periodSeconds") or 10),
            timeout_s=float(probe.get("timeoutSeconds") or 1),
            successes=int(probe.get("successThreshold") or 1),
            failures=int(probe.get("failureThreshold") or 3),
        )


@dataclass(slots=True)
class Tally:
    """Counts equal answers in a row; ``result`` changes once there are enough of them."""

    schedule: Schedule
    result: bool | None = None
    _latest: bool | None = None
    _run: int = 0

    def record(self, success: bool) -> bool:
        """Another answer; whether ``result`` changed."""
        self._run = self._run + 1 if success == self._latest else 1
        self._latest = success
        enough = self.schedule.successes if success else self.schedule.failures
        if self._run < enough or self.result == success:
            return False
        self.result = success
        return True


Ask = Callable[[Obj, float], Awaitable[Answer]]
"""(probe, timeout in seconds) → what it found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Whom a prober tells. ``changed(kind, result)``; ``unhealthy(kind, answer)`` for each attempt that failed."""

    changed: Callable[[Kind, bool], None]
    unhealthy: Callable[[Kind, Answer], None]


async def watch(container: Obj, ask: Ask, told: Told) -> None:
    """Probes a running container until it is cancelled, or until liveness or startup failed for good."""
    startup, noticed = container.get("startupProbe"), asyncio.get_running_loop().time() + _UNNOTICED_S
    if startup and not await _probe("startup", startup, ask, told, noticed=noticed, until=True):
        return
    if not startup:
        told.changed("startup", True)
    async with asyncio.TaskGroup() as group:
        readiness, liveness = container.get("readinessProbe"), container.get("livenessProbe")
        if readiness:
            group.create_task(_probe("readiness", readiness, ask, told, noticed=noticed))
        else:
            told.changed("readiness", True)
        if liveness:
            group.create_task(_probe("liveness", liveness, ask, told, noticed=noticed))


async def _probe(kind: Kind, probe: Obj, ask: Ask, told: Told, *, noticed: float, until: bool | None = None) -> bool:
    """Asks again and again; ends when the result is ``until``, or False for liveness and startup.

    ``noticed``: from when on a closed port is a failure, in the loop's time. Commands are never run more often for it.
    """
    schedule = Schedule.of(probe)
    tally = Tally(schedule, result=True if kind == "liveness" else None)
    await asyncio.sleep(schedule.initial_delay_s)
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + schedule.period_s
        answer = await ask(probe, schedule.timeout_s)
        if not answer.success and "exec" not in probe and loop.time() + _AGAIN_S < noticed:
            await asyncio.sleep(_AGAIN_S)
            continue
        if not answer.success:
            told.unhealthy(kind, answer)
        if not answer.error and tally.record(answer.success):
            told.changed(kind, answer.success)
            if answer.success is until or (kind != "readiness" and not answer.success):
                return answer.success
        await asyncio.sleep(max(0.0, due - loop.time()))
