"""trafficProbe, one of ours: a light generator of requests, whose samples are what the impact of a run is measured by.

In the modes that last it is a stream at the rate of its inputs (see ``pace``); in the others it is one request. The
requests come from the experiment's own pod, or from a pod of our image beside the application (``traffic_pod``), which
does not share the fate of the experiment's node.
"""

import resource
from collections.abc import AsyncGenerator
from contextlib import suppress

from litmus import api

from .aim import INPUTS, Aim, check, read, source
from .contract import Observation, ProbeError, Prober, Surroundings
from .pace import Pace
from .requesting import Requests

__all__ = ["Traffic", "check", "prober"]

# Beside the open requests: what the process has open anyway.
_OTHER_FILES = 256


def prober(probe: api.Probe, surroundings: Surroundings) -> Prober:
    """Raises ProbeError with the first thing that is wrong."""
    aim = read(probe)
    if probe.traffic is None or source(probe.traffic) == "experiment":
        return Traffic(aim)
    if not surroundings.pod:
        raise ProbeError(f"{INPUTS}.source: 'pod' needs the experiment to run in a pod, too; write experiment instead")
    from .traffic_pod import PodTraffic

    return PodTraffic(aim, surroundings)


class Traffic:
    """Requests from this process."""

    def __init__(self, aim: Aim) -> None:
        self._aim = aim
        self._requests = Requests(aim)

    async def once(self, *, timeout_s: float) -> Observation:
        return await self._pace(min(timeout_s, self._aim.timeout_s)).once()

    def stream(self) -> AsyncGenerator[Observation]:
        """As ``Pace.stream``."""
        _allow_files(int(self._aim.rate * self._aim.timeout_s) + _OTHER_FILES)
        return self._pace(self._aim.timeout_s).stream()

    async def aclose(self) -> None:
        await self._requests.aclose()

    def _pace(self, timeout_s: float) -> Pace:
        return Pace(self._requests.ask, rate=self._aim.rate, timeout_s=timeout_s, expected=self._aim.expected)


def _allow_files(wanted: int) -> None:
    """As many as may be open at once, as far as the process may allow itself; a shortage is told when it comes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
