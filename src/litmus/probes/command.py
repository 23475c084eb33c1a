"""cmdProbe: a command of the engine's author whose output is compared.

``inline``, which is also meant where there is no source, runs it in the experiment's own pod (``shell``); a source
names an image, in whose pod it is run (``command_pod``). In both an exit status other than 0 is a failed observation,
whatever was printed: half an output is no answer. The standard output alone is compared, without the blanks around it.
"""

import time

from litmus import api

from . import comparators, shell, sources
from .contract import Observation, ProbeError, Prober, Surroundings

_INPUTS = "cmdProbe/inputs"
_SHOWN = 200


def check(probe: api.Probe) -> list[str]:
    """One sentence for each thing that is wrong with the inputs, with its path inside the probe."""
    given = probe.cmd
    if given is None:
        return [f"{_INPUTS}: missing; a probe of type cmdProbe needs command and comparator"]
    found = []
    if not given.command.strip():
        found.append(f"{_INPUTS}.command: {given.command!r} does nothing; write a command of the shell")
    elif "\0" in given.command:
        found.append(f"{_INPUTS}.command: holds a NUL character, which no command can; remove it")
    try:
        comparators.read(given.comparator, path=f"{_INPUTS}.comparator")
    except ProbeError as error:
        found.append(str(error))
    return found + sources.mistakes(given.source, path=f"{_INPUTS}.source")


def prober(probe: api.Probe, surroundings: Surroundings) -> Prober:
    """Raises ProbeError with the first thing that is wrong."""
    if (given := probe.cmd) is None or (wrong := check(probe)):
        raise ProbeError(wrong[0] if given else check(probe)[0])
    comparator = comparators.read(given.comparator, path=f"{_INPUTS}.comparator")
    source = sources.read(given.source)
    if source is None:
        return Inline(given.command, comparator)
    from .command_pod import InPod

    return InPod(given.command, comparator, source, surroundings)


class Inline:
    """Runs the command here."""

    def __init__(self, command: str, comparator: comparators.Check) -> None:
        self._command = command
        self._comparator = comparator

    async def once(self, *, timeout_s: float) -> Observation:
        at, began = time.time(), time.perf_counter()
        ended = await shell.run(self._command, timeout_s=timeout_s)
        took_ms = round((time.perf_counter() - began) * 1000, 3)
        return observation(ended, self._comparator, at=at, timeout_s=timeout_s, took_ms=took_ms)

    async def aclose(self) -> None:
        """Nothing is held between two runs."""


def observation(
    ended: shell.Ended, comparator: comparators.Check, *, at: float, timeout_s: float, took_ms: float | None
) -> Observation:
    """What one run of a command says. Raises ProbeError for an output that can't be compared."""
    expected = f"exit status 0 and {comparator.describe()}"
    if ended.status is None:
        return Observation(at, False, f"no end within {timeout_s:g} s", expected, latency_ms=took_ms, error="timeout")
    if ended.status:
        seen = f"exit status {ended.status}" + (f": {_short(ended.complaint)}" if ended.complaint else "")
        return Observation(at, False, seen, expected, latency_ms=took_ms, error="exit-status")
    held = comparator.holds(ended.output)
    return Observation(
        at,
        held,
        repr(_short(ended.output)),
        comparator.describe(),
        latency_ms=took_ms,
        error="" if held else "wrong-output",
        output=ended.output,
    )


def _short(text: str) -> str:
    """A text of a stranger that fits into a result."""
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
