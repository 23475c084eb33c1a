"""What happens to each packet, and when it goes on: pure, and the same for the same seed.

The order of the decisions is netem's (net/sched/sch_netem.c, netem_enqueue): duplication, loss, delay or reordering,
rate, corruption. One thing differs: netem mixes each random number with the one before, which narrows them so that a
correlated loss of 10 % with 50 % correlation comes out below 1 %. Here only the order of lucky and unlucky packets is
correlated (a Gaussian copula), and the share stays what was asked for.
"""

import math
from collections import deque
from dataclasses import dataclass
from random import Random

from .engine import Impairment

LINK_HEADER = 14  # bytes of Ethernet, which netem counts in a rate
RATE_BACKLOG = 1000  # packets that wait for a slow link; netem's default limit


class Luck:
    """Evenly distributed numbers between 0 and 1, each correlated with the one before. ``correlation`` in percent."""

    def __init__(self, random: Random, correlation: float) -> None:
        self._random = random
        self._weight = min(correlation, 100.0) / 100
        self._rest = math.sqrt(1 - self._weight**2)
        self._last = random.gauss(0, 1)

    def draw(self) -> float:
        if not self._weight:
            return self._random.random()
        self._last = self._weight * self._last + self._rest * self._random.gauss(0, 1)
        return 0.5 * (1 + math.erf(self._last / math.sqrt(2)))

    def hits(self, percent: float) -> bool:
        """Whether this one is among so many percent; without a draw where it is certain."""
        if percent <= 0 or percent >= 100:
            return percent >= 100
        return self.draw() * 100 < percent


@dataclass(frozen=True, slots=True)
class Fate:
    """When a packet goes on, in seconds of the clock that was given; one time for each copy, none when it is lost."""

    times: tuple[float, ...]
    corrupt: bool = False


LOST = Fate(())


class Scheduler:
    """The fate of each packet of one direction, in the order in which they come."""

    def __init__(self, impairment: Impairment, random: Random) -> None:
        self.impairment = impairment
        duplication, loss, delay, reordering, corruption = (Luck(random, impairment.correlation) for _ in range(5))
        self._duplication, self._loss, self._corruption = duplication, loss, corruption
        self._delay, self._reordering = delay, reordering
        self._link = _Link(impairment.rate_kbit)

    def fate(self, now: float, length: int) -> Fate:
        """``length`` in bytes from the IP header on."""
        what = self.impairment
        copies = 1 + self._duplication.hits(what.duplication) - self._loss.hits(what.loss)
        if copies <= 0:
            return LOST
        if not (what.delay_ms or what.jitter_ms or what.rate_kbit):
            times: tuple[float, ...] = (now,) * copies
        else:
            planned = [self._time(now, length) for _ in range(copies)]
            times = tuple(time for time in planned if time is not None)
        return Fate(times, corrupt=bool(times) and self._corruption.hits(what.corruption))

    def _time(self, now: float, length: int) -> float | None:
        what = self.impairment
        if self._reordering.hits(what.reordering):
            return now
        delay_ms = what.delay_ms
        if what.jitter_ms:
            delay_ms += what.jitter_ms * (2 * self._delay.draw() - 1)
        return self._link.pass_on(now + max(0.0, delay_ms) / 1000, length)


class _Link:
    """A link that is as slow as asked: each packet starts when the one before has left, and not too many may wait."""

    def __init__(self, rate_kbit: float) -> None:
        self._bytes_per_s = rate_kbit * 1000 / 8
        self._leaving: deque[float] = deque()
        self._free = 0.0

    def pass_on(self, due: float, length: int) -> float | None:
        """When a packet that reaches the link when it is due has left it; None when there is no room to wait."""
        if not self._bytes_per_s:
            return due
        while self._leaving and self._leaving[0] <= due:
            self._leaving.popleft()
        if len(self._leaving) >= RATE_BACKLOG:
            return None
        self._free = max(due, self._free) + (length + LINK_HEADER) / self._bytes_per_s
        self._leaving.append(self._free)
        return self._free
