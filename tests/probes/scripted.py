"""Probers that answer by a script, in virtual time, and probes that are asked of them."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Any

import msgspec

from litmus import api
from litmus.probes import reading
from litmus.probes.contract import Observation, ProbeError

PATH = "spec.experiments[0].spec.probe"
START = 1_700_000_000.0


def probe(name: str, mode: str, kind: str = "httpProbe", **run_properties: Any) -> api.Probe:
    inputs = {
        "httpProbe": {"httpProbe/inputs": {"url": "http://web", "expectedResponseCode": "200"}},
        "cmdProbe": {
            "cmdProbe/inputs": {"command": "true", "comparator": {"type": "int", "criteria": "==", "value": "1"}}
        },
        "trafficProbe": {"trafficProbe/inputs": {"url": "http://web"}},
    }
    manifest = {"name": name, "mode": mode, "type": kind, "runProperties": run_properties, **inputs[kind]}
    return msgspec.convert(manifest, api.Probe)


def checked(*probes: api.Probe) -> tuple[reading.Checked, ...]:
    return tuple(
        reading.Checked(probe=one, plan=reading.properties.read(one.run_properties, path=""), path=f"{PATH}[{place}]")
        for place, one in enumerate(probes)
    )


class Prober:
    """Answers by ``says(seconds)``: True, False, a text that is its output, or an exception; ``takes_s`` each time."""

    def __init__(self, says: Callable[[float], object], *, takes_s: float = 0.0, obedient: bool = True) -> None:
        self.says = says
        self.takes_s = takes_s
        self.obedient = obedient
        self.asked: list[float] = []
        self.timeouts: list[float] = []
        self.closed = 0

    async def once(self, *, timeout_s: float) -> Observation:
        now = asyncio.get_running_loop().time()
        self.asked.append(round(now, 3))
        self.timeouts.append(round(timeout_s, 3))
        slow = self.takes_s > timeout_s and self.obedient
        await asyncio.sleep(min(self.takes_s, timeout_s) if slow else self.takes_s)
        if slow:
            return Observation(START + now, False, "nothing", "an answer", error="timeout")
        return observation(self.says(now), now)

    async def aclose(self) -> None:
        self.closed += 1


class InPod(Prober):
    """Asks from a pod, which needs ``starts_s`` to start and may need 90 s."""

    start_s = 90.0

    def __init__(self, says: Callable[[float], object], *, starts_s: float, **how: Any) -> None:
        super().__init__(says, **how)
        self.starts_s = starts_s

    async def once(self, *, timeout_s: float) -> Observation:
        await asyncio.sleep(self.starts_s)
        return await super().once(timeout_s=timeout_s)


class Stream(Prober):
    """Ten observations a second; ``ends`` has what was let go of, in order."""

    def __init__(self, says: Callable[[float], object], **how: Any) -> None:
        super().__init__(says, **how)
        self.ends: list[str] = []

    async def stream(self) -> AsyncGenerator[Observation]:
        try:
            while True:
                yield await self.once(timeout_s=1)
                await asyncio.sleep(0.1)
        finally:
            self.ends.append("stream")

    async def aclose(self) -> None:
        await super().aclose()
        self.ends.append("prober")


def observation(said: object, now: float) -> Observation:
    if isinstance(said, Exception):
        raise said
    passed = said is not False
    output = said if isinstance(said, str) else ""
    return Observation(
        START + now,
        passed,
        "200" if passed else "503",
        "200",
        latency_ms=5.0,
        error="" if passed else "http-503",
        output=output,
    )


def always(_: float) -> bool:
    return True


def never(_: float) -> bool:
    return False


def broken(_: float) -> ProbeError:
    return ProbeError("kubectl is not there; name an image that has it")


def down(start: float, end: float) -> Callable[[float], bool]:
    """An application that is down from one moment to another."""
    return lambda now: not start <= now < end
