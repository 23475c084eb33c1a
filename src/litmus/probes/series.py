"""What a probe that goes on and on has seen: every observation, in some twenty bytes each.

A trafficProbe makes ten observations a second and may make a thousand, for an hour, in a pod with little memory; only
the first failure and the latest observation are kept in full.
"""

import math
from array import array
from collections.abc import Iterator
from dataclasses import dataclass

from .contract import Observation

_KINDS = 200  # of errors; a prober has a bounded set of them


@dataclass(frozen=True, slots=True)
class Point:
    """What is left of an observation."""

    at: float
    passed: bool
    latency_ms: float | None
    error: str


class Series:
    """Observations in the order in which they were made."""

    def __init__(self) -> None:
        self.failures = 0
        self.passed_in_a_row = 0
        self.first_failure: Observation | None = None
        self.last: Observation | None = None
        self._at = array("d")
        self._latency = array("d")
        self._outcome = array("B")  # 0: passed; else the kind of the error
        self._kinds: list[str] = [""]

    def add(self, seen: Observation) -> None:
        self.last = seen
        self.passed_in_a_row = self.passed_in_a_row + 1 if seen.passed else 0
        if not seen.passed:
            self.failures += 1
            self.first_failure = self.first_failure or seen
        self._at.append(seen.at)
        self._latency.append(math.nan if seen.latency_ms is None else seen.latency_ms)
        self._outcome.append(0 if seen.passed else self._kind(seen.error or "failed"))

    def __len__(self) -> int:
        return len(self._at)

    def __iter__(self) -> Iterator[Point]:
        for at, latency, outcome in zip(self._at, self._latency, self._outcome, strict=True):
            yield Point(at, not outcome, None if math.isnan(latency) else latency, self._kinds[outcome])

    def _kind(self, error: str) -> int:
        if error in self._kinds[1:]:
            return self._kinds.index(error, 1)
        if len(self._kinds) > _KINDS:
            return self._kind("other") if "other" in self._kinds else self._kinds.index(self._kinds[-1])
        self._kinds.append(error if len(self._kinds) < _KINDS else "other")
        return len(self._kinds) - 1
