"""Values with their confidence intervals: proportions, quantiles, and how two quantiles compare.

A proportion has Clopper's and Pearson's exact interval, a quantile the order statistics that a binomial count bounds; both
with the number of samples divided by their design effect (``dependence``). No resampling: the forms are closed, hold for
the small counts that availability is about, and the same samples give the same figure everywhere.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from litmus.api.impact import Figure

from . import dependence, tails
from .samples import Sample

UNANSWERED = "more requests failed than the quantile leaves out"


@dataclass(frozen=True, slots=True)
class Measured:
    """A value between two bounds; infinite where it has none. None where too little was seen to tell."""

    value: float | None = None
    low: float = -math.inf
    high: float = math.inf
    note: str = ""

    def figure(self, unit: str) -> Figure:
        """As it stands in a result, which has no infinity."""
        value, low, high = (
            round(v, 3) if v is not None and math.isfinite(v) else None for v in (self.value, self.low, self.high)
        )
        return Figure(value=value, low=low, high=high, unit=unit, note=self.note)


def availability(samples: Sequence[Sample], *, noise: float, error: float) -> Measured:
    """Percentage of good samples."""
    if not samples:
        return Measured(note="no samples")
    failed = sum(not s.good for s in samples)
    effect = dependence.of_failures(samples, noise=noise)
    low, high = tails.proportion(failed / effect, len(samples) / effect, error=error)
    return Measured(100 * (1 - failed / len(samples)), 100 * (1 - high), 100 * (1 - low))


def quantile(samples: Sequence[Sample], p: float, *, error: float) -> Measured:
    """Milliseconds within which the share ``p`` of the requests was answered; a failed one never was."""
    times = [t for s in samples if (t := s.answered_ms) is not None]
    if not any(math.isfinite(t) for t in times):
        return Measured(math.inf, 0.0, note=UNANSWERED) if times and _timed(samples) else Measured(note="no latencies")
    ordered = sorted(times)
    count = len(ordered)
    value = ordered[max(0, math.ceil(count * p - 1e-9) - 1)]
    span = samples[-1].at - samples[0].at
    bound = count / span * dependence.LATENCY_NOISE_S if span > 0 else float(count)
    effect = dependence.of_marks([t > value or math.isinf(t) for t in times], bound=bound)
    below, above = tails.ranks(p, count / effect, error=error)
    low = 0.0 if below is None else ordered[min(count, max(1, math.floor(below * effect))) - 1]
    high = math.inf if above is None else ordered[min(count, math.ceil(above * effect)) - 1]
    return Measured(value, min(low, value), max(high, value), UNANSWERED if math.isinf(value) else "")


def ratio(above: Measured, below: Measured) -> Measured:
    """How many times the one value is the other, with the interval of Zou's and Donner's method on logarithms."""
    if above.value is None or not below.value or math.isinf(below.value):
        return Measured(note="nothing to compare with")
    if math.isinf(above.low):
        return Measured(math.inf, math.inf)
    down = math.hypot(_log(above.value, above.low), _log(below.high, below.value))
    up = math.hypot(_log(above.high, above.value), _log(below.value, below.low))
    if math.isinf(above.value):
        # the estimate itself is unbounded: the lower bound is that of the worst case
        return Measured(math.inf, above.low / below.high if below.high < math.inf else 0.0)
    value = above.value / below.value
    return Measured(value, value * math.exp(-down), value * math.exp(up) if up < 700 else math.inf)


def scaled(measured: Measured, factor: float) -> Measured:
    """In another unit."""
    value = None if measured.value is None else measured.value * factor
    return replace(measured, value=value, low=measured.low * factor, high=measured.high * factor)


def _timed(samples: Sequence[Sample]) -> bool:
    return any(s.latency_ms is not None for s in samples)


def _log(larger: float, smaller: float) -> float:
    if math.isinf(larger):
        return 0.0 if math.isinf(smaller) else math.inf
    return math.log(larger / smaller) if smaller > 0 else math.inf
