"""A signal in at most 240 pieces, for plots."""

import math
from collections.abc import Sequence

from litmus.api.impact import Slice

from .samples import Sample

MOST = 240
_LENGTHS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0)


def slices(samples: Sequence[Sample]) -> tuple[float, list[Slice]]:
    """Seconds of a slice, and those slices that have samples; latencies are those of what was answered."""
    if not samples:
        return 1.0, []
    start, span = samples[0].at, samples[-1].at - samples[0].at
    # not finer than three samples a slice: a quantile of less is a dot
    finest = max(span / (MOST - 1), 3 * span / len(samples))
    length = next((each for each in _LENGTHS if each >= finest), _LENGTHS[-1] * math.ceil(finest / _LENGTHS[-1]))
    pieces: dict[int, list[Sample]] = {}
    for sample in samples:
        pieces.setdefault(math.floor((sample.at - start) / length + 1e-6), []).append(sample)
    return length, [_slice(number * length, piece) for number, piece in sorted(pieces.items())]


def _slice(at: float, samples: Sequence[Sample]) -> Slice:
    times = sorted(s.latency_ms for s in samples if s.good and s.latency_ms is not None)
    good = sum(s.good for s in samples)
    return Slice(
        at=round(at, 3), good=good, bad=len(samples) - good, p50=_quantile(times, 0.50), p95=_quantile(times, 0.95)
    )


def _quantile(times: Sequence[float], p: float) -> float | None:
    return round(times[max(0, math.ceil(len(times) * p - 1e-9) - 1)], 3) if times else None
