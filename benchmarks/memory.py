"""Resident memory of processes of this machine, as the kernel tells it in ``/proc/<pid>/status``.

VmRSS is what a process has in memory now, VmHWM the most that it ever had; shared pages count in both, see proc(5). One
MB is 1,024 kB of /proc, as in the measurements that the budgets come from. The kernel keeps VmRSS by counters per core
which are added up late: it may be wrong by some hundred kB.
"""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from litmus.faults import processes

_KB_PER_MB = 1024
_STILL_S = 1.0


@dataclass(frozen=True, slots=True)
class Resident:
    """One reading, in MB."""

    now: float
    peak: float


def parse(status: str) -> Resident | None:
    """The reading in a ``/proc/<pid>/status``; None for a process that has no memory left, or never had any."""
    fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    if "VmRSS" not in fields or "VmHWM" not in fields:
        return None
    return Resident(now=_mb(fields["VmRSS"]), peak=_mb(fields["VmHWM"]))


def _mb(value: str) -> float:
    number, unit = value.split()
    if unit != "kB":
        raise ValueError(f"{value.strip()!r}: the kernel writes kB")
    return int(number) / _KB_PER_MB


def read(pid: int, *, proc: Path = processes.PROC) -> Resident | None:
    """A reading of a process; None when it has ended."""
    try:
        return parse((proc / str(pid) / "status").read_text())
    except (FileNotFoundError, ProcessLookupError):
        return None


@dataclass(slots=True)
class Sampled:
    """The main process of a container, read again and again until it has ended."""

    container_id: str
    readings: list[Resident] = field(default_factory=list)
    _pid: int = 0

    def sample(self) -> None:
        """Takes a reading, if the process is there and runs on this machine."""
        if not self._pid:
            found = processes.main_process(self.container_id)
            self._pid = found.pid if found else 0
        reading = read(self._pid) if self._pid else None
        if reading:
            self.readings.append(reading)


async def settled(pid: int, *, deadline_s: float) -> Resident:
    """The reading at which the process has stopped growing and shrinking: twice the same, a second apart.

    Raises TimeoutError when it does not settle, ProcessLookupError when it ends.
    """
    async with asyncio.timeout(deadline_s):
        before = _present(pid)
        while True:
            await asyncio.sleep(_STILL_S)
            after = _present(pid)
            if after == before:
                return after
            before = after


def _present(pid: int) -> Resident:
    reading = read(pid)
    if reading is None:
        raise ProcessLookupError(f"process {pid} has ended")
    return reading
