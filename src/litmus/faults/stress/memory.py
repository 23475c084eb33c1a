"""memory-stress: workers that hold memory. Proof: resident bytes of the target's control group, before and after."""

import signal
from dataclasses import dataclass
from typing import ClassVar

from .. import accounting
from ..contract import FaultError, Proof, TargetGoneError
from .fault import Stress

_MIB = 1 << 20
# Resident memory must rise by this share of what is asked.
_DELIVERED = 0.8
# Or be at this share of the limit, or the OOM killer must have struck.
_AT_LIMIT = 0.9
# Zeroing pages is no faster on a slow node, in bytes per second.
_SLOWEST = 200 * _MIB
_START_S = 3.0


@dataclass(slots=True, kw_only=True)
class MemoryStress(Stress):
    """Holds ``bytes``, or ``percent`` of the limit, or of the node's memory where there is no limit.

    All ``workers`` together hold that much, and then they wait, so that memory is stressed and not the processor.
    """

    kind: ClassVar[str] = "memory-stress"

    workers: int = 1
    bytes: int = 0
    percent: float = 0.0
    _asked: int = 0
    _limit: int | None = None

    def _size(self) -> str:
        """A share of the node is never more than what is available: the OOM killer would choose among everybody."""
        if (self.bytes > 0) == (self.percent > 0) or self.percent > 100 or self.workers < 1:
            raise FaultError("either a number of bytes or a percentage up to 100 must be given, and at least 1 worker")
        self._limit = accounting.memory_limit(self._own_groups)
        total, available = accounting.node_memory()
        whole = min(self._limit or total, total)
        self._asked = self.bytes or int(whole * self.percent / 100)
        words = f"{self._asked / _MIB:.0f} MiB of memory"
        if not self.container_id and self._asked > available:
            words += f", of which {available / _MIB:.0f} MiB are available,"
            self._asked = available
        return f"{words} held by {self.workers} workers"

    def _options(self, step: int, steps: int) -> list[str]:
        size = self._asked * (step + 1) // steps - self._asked * step // steps
        return [
            *("--vm", str(self.workers), "--vm-bytes", str(size)),
            # All pages are there from the start, are written once, and held until the end.
            *("--vm-populate", "--vm-method", "write64", "--vm-hang", "0"),
        ]

    def prove(self) -> Proof:
        """Waits until the memory is there, but no longer than a slow node would take."""
        asked = int(self._asked * self._share)
        before = self._before or accounting.read(self._own_groups)
        highest = before

        def reached() -> bool:
            nonlocal highest
            try:
                now = accounting.read(self._own_groups)
            except TargetGoneError:
                return False
            highest = max(highest, now, key=lambda reading: (reading.oom_kills, reading.resident_bytes))
            return self._delivered(asked, before, highest)

        reached_in_time = self._until(reached, _START_S + asked / _SLOWEST)
        failure = self._failure()
        if self._main_ended():
            return self._proof_of_an_end(asked)
        rise = highest.resident_bytes - before.resident_bytes
        words = f"resident memory of {self._where} rose by {rise / _MIB:.0f} MiB to {_mib(highest.resident_bytes)}"
        words += f", of {_mib(self._limit)} allowed" if self._limit is not None else ""
        kills = highest.oom_kills - before.oom_kills
        words += f"; the kernel's OOM killer struck {kills} times at the limit" if kills else ""
        return Proof(
            asked=f"{asked / _MIB:.0f} MiB more resident memory",
            delivered=failure or words,
            holds=reached_in_time and not failure,
            asked_value=round(asked / _MIB, 1),
            delivered_value=round(rise / _MIB, 1),
            unit="MiB",
        )

    def _proof_of_an_end(self, asked: int) -> Proof:
        """Where the kernel kills all of a container at its limit (``memory.oom.group``), the target ends at once.

        Raises TargetGoneError when the stress was not killed with it: then something else ended the target.
        """
        if not any(child.ended() and child.status == -signal.SIGKILL for child in self._children):
            raise TargetGoneError(f"the main process of {self._where} ended while its memory was measured")
        limit = f" of {_mib(self._limit)}" if self._limit is not None else ""
        return Proof(
            asked=f"{asked / _MIB:.0f} MiB more resident memory",
            delivered=f"the kernel killed all of {self._where} at its limit{limit}",
            holds=True,
        )

    def _delivered(self, asked: int, before: accounting.Reading, now: accounting.Reading) -> bool:
        rise = now.resident_bytes - before.resident_bytes
        full = self._limit is not None and now.resident_bytes >= _AT_LIMIT * self._limit and rise > 0
        return rise >= _DELIVERED * asked or full or now.oom_kills > before.oom_kills


def _mib(size: int) -> str:
    return f"{size / _MIB:.0f} MiB"
