"""What a continuous signal is made of.

A sample is one request of a probe (or one reading), with the instant at which it began. Failures carry their kind; what
failed has no answer, so wherever times of answers are compared it counts as slower than everything that was answered.
That way a fault cannot make an application look fast by making its slow answers fail.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sample:
    """One request. ``at``: when it began, in seconds of UNIX time. ``error``: the kind of a failure, '' of a success.

    ``latency_ms`` of a failure is how long it took to fail, where that is known: it tells which requests were under way
    when the fault came.
    """

    at: float
    good: bool
    latency_ms: float | None = None
    error: str = ""

    @property
    def ended(self) -> float:
        """When it was answered, or failed."""
        return self.at + (self.latency_ms or 0.0) / 1000

    @property
    def answered_ms(self) -> float | None:
        """Milliseconds until the answer: infinite for a failure, None where nobody measured."""
        return self.latency_ms if self.good else math.inf


def in_order(samples: Iterable[Sample]) -> list[Sample]:
    """The samples by time; those of one instant in an order that depends on nothing but themselves."""
    return sorted(samples, key=lambda s: (s.at, s.good, -1.0 if s.latency_ms is None else s.latency_ms, s.error))
