"""cpu-stress: workers that compute. Proof: CPU seconds per second, of the workers and of the target's control group."""

import math
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from .. import accounting, marked, processes
from ..contract import FaultError, Proof
from .fault import Stress

# The workers must get this share of what is asked.
_DELIVERED = 0.75
# Or the group uses this share of what it may, so that more could not be had in it.
_AT_LIMIT = 0.9
# Or the node's processors are idle for less than this share of the time, so that more could not be had on it.
_NODE_BUSY = 0.1
_WINDOW_S = 2.0
_START_S = 5.0


@dataclass(slots=True, kw_only=True)
class CpuStress(Stress):
    """``workers`` at ``load_percent`` of a processor each; 0 workers: as many as the target may use processors."""

    kind: ClassVar[str] = "cpu-stress"

    workers: int = 1
    load_percent: float = 100.0
    _asked: float = 0.0
    _ceiling: float = 0.0
    _count: int = 0

    def _size(self) -> str:
        if not 0 < self.load_percent <= 100 or self.workers < 0:
            raise FaultError(f"{self.workers} workers at {self.load_percent:g} % can't be had; 0 to 100 % each")
        self._ceiling = accounting.cpu_limit(self._own_groups)
        self._count = self.workers or math.ceil(self._ceiling)
        self._asked = min(self._count * self.load_percent / 100, self._ceiling)
        return f"{self._count} workers at {self.load_percent:g} % of a processor each"

    def _options(self, step: int, steps: int) -> list[str]:
        load = self.load_percent * (step + 1) / steps - self.load_percent * step / steps
        # Whole percents are all that stress-ng takes; one method, because the others differ in speed and in memory.
        return ["--cpu", str(self._count), "--cpu-load", str(max(1, round(load))), "--cpu-method", "int64"]

    def prove(self) -> Proof:
        """Watches for two seconds, after the workers have come up; once more if that was not enough.

        A slow node has workers that still start when the first one works already.
        """
        self._until(lambda: self._worked() > 0, _START_S)
        proof = self._measured()
        return proof if proof.holds else self._measured()

    def _measured(self) -> Proof:
        asked = self._asked * self._share
        first, worked, idle = accounting.read(self._own_groups), self._worked(), _idle_s()
        self._until(lambda: time.monotonic() >= first.at + _WINDOW_S, _WINDOW_S)
        last = accounting.read(self._own_groups)
        span_s = last.at - first.at
        group = (last.cpu_s - first.cpu_s) / span_s
        own = (self._worked() - worked) / span_s
        idle_share = (_idle_s() - idle) / span_s / (os.cpu_count() or 1)
        failure = self._failure()
        at_limit = group >= _AT_LIMIT * self._ceiling
        holds = not failure and own > 0 and (own >= _DELIVERED * asked or at_limit or idle_share < _NODE_BUSY)
        words = f"{own:.2f} CPU seconds per second by the stress, {group:.2f} in all of {self._where}"
        if at_limit:
            words += ", which is its limit"
        elif holds and own < _DELIVERED * asked:
            words += f"; the node's processors are idle for only {idle_share:.0%} of the time"
        return Proof(
            asked=f"{asked:.2f} CPU seconds per second, of {self._ceiling:g} that {self._where} may use",
            delivered=failure or words,
            holds=holds,
            asked_value=round(asked, 3),
            delivered_value=round(own, 3),
            unit="CPU seconds per second",
        )

    def _worked(self) -> float:
        """CPU seconds of the stress processes so far."""
        return sum(_cpu_of(pid) for pid in marked.find(self.fault_id))


def _cpu_of(pid: int) -> float:
    """User and system time, fields 14 and 15 of proc_pid_stat(5), in seconds."""
    try:
        words = (processes.PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def _idle_s(stat: Path = Path("/proc/stat")) -> float:
    """Idle seconds of all processors together (proc_stat(5))."""
    with stat.open() as lines:
        return int(lines.readline().split()[4]) / os.sysconf("SC_CLK_TCK")
