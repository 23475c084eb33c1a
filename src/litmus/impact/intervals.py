"""Values with their confidence intervals: proportions, quantiles, and how two quantiles compare.

A proportion has Clopper's and Pearson's exact interval, a quantile the order statistics that a binomial count bounds;
both with the number of samples divided by their design effect (``dependence``). No resampling: the forms are closed,
hold for the small counts that availability is about, and the same samples give the same figure everywhere."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

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

    def times(self, factor: float) -> "Measured":
        """In another unit."""
        value = None if self.value is None else self.value * factor
        return Measured(value, self.low * factor, self.high * factor, self.note)

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
    order = _order(samples, p)
    if order is None:
        return Measured(note="no latencies")
    below, above = tails.ranks(p, order.count, error=error)
    return _between(order, below, above, order.count)


def compared(before: Sequence[Sample], during: Sequence[Sample], p: float, *, error: float) -> Measured:
    """How many times the quantile of ``before`` that of ``during`` is.

    The interval has those factors by which the one window may be stretched without the other denying it (Mathisen's
    test, inverted): how many answers of the one lie below the quantile of the other varies as a binomial count of as
    many samples as both are worth together. It assumes no shape, and needs no bound of the baseline's own tail."""
    usual, now = _order(before, p), _order(during, p)
    if usual is None or now is None:
        return Measured(note="no latencies to compare")
    if math.isinf(usual.value) or usual.value <= 0:
        return Measured(note="the baseline has no such quantile")
    together = 1 / (1 / usual.count + 1 / now.count)
    below, above = tails.ranks(p, together, error=error)
    found = _between(now, below, above, together)
    return found.times(1 / usual.value)


@dataclass(frozen=True, slots=True)
class _Order:
    """Times in ascending order with one quantile; ``count``: how many independent ones they are worth."""

    times: list[float]
    value: float
    count: float


def _order(samples: Sequence[Sample], p: float) -> _Order | None:
    """None when nobody measured latencies."""
    if not any(s.latency_ms is not None for s in samples):
        return None
    times = [t for s in samples if (t := s.answered_ms) is not None]
    ordered = sorted(times)
    value = ordered[max(0, math.ceil(len(ordered) * p - 1e-9) - 1)]
    span = samples[-1].at - samples[0].at
    bound = len(ordered) / span * dependence.LATENCY_NOISE_S if span > 0 else float(len(ordered))
    effect = dependence.of_marks([t > value or math.isinf(t) for t in times], bound=bound)
    return _Order(ordered, value, len(ordered) / effect)


def _between(order: _Order, below: float | None, above: float | None, of: float) -> Measured:
    """The quantile between the times at two ranks among ``of``."""
    times, count = order.times, len(order.times)
    low = 0.0 if below is None else times[min(count, max(1, math.floor(below / of * count))) - 1]
    high = math.inf if above is None else times[min(count, math.ceil(above / of * count)) - 1]
    note = UNANSWERED if math.isinf(order.value) else ""
    return Measured(order.value, min(low, order.value), max(high, order.value), note)
