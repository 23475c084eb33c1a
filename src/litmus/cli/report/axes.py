"""Scales of a plot: where a value lies, and the round numbers at its edge."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)


@dataclass(frozen=True, slots=True)
class Axis:
    """From values to places: ``low`` lies at ``start``, ``high`` at ``end``; ``logarithmic`` if so."""

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool = False

    def __call__(self, value: float) -> float:
        share: float
        if self.logarithmic:
            share = math.log(max(value, self.low) / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return self.start + min(1.0, max(0.0, share)) * (self.end - self.start)


def times(low: float, high: float, *, most: int) -> list[float]:
    """Round seconds from ``low`` to ``high``, at most about ``most``; 0 is one of them where it lies between."""
    step = next((s for s in _STEPS_S if (high - low) / s <= most), _STEPS_S[-1])
    return [step * n for n in range(math.ceil(low / step), math.floor(high / step) + 1)]


def seconds(value: float, *, span: float) -> str:
    """``+30 s``; in minutes where a plot shows many of them."""
    sign = "+" if value > 0 else "−" if value < 0 else ""
    if span <= 300 or not value:
        return f"{sign}{abs(value):g} s"
    minutes, rest = divmod(abs(round(value)), 60)
    return f"{sign}{minutes}:{rest:02d}"


def percentages(values: Sequence[float]) -> tuple[float, list[float]]:
    """The lowest value that a plot of these percentages shows, and its ticks: what is rare must still be seen."""
    least = min(values, default=100.0)
    for floor, ticks in ((99.0, [99, 99.5, 100]), (90.0, [90, 95, 100]), (50.0, [50, 75, 100])):
        if floor + (100 - floor) * 0.15 <= least < 100:
            return floor, [float(tick) for tick in ticks]
    return 0.0, [0.0, 50.0, 100.0]


def latencies(values: Sequence[float], *, start: float, end: float) -> tuple[Axis, list[float]]:
    """An axis for milliseconds from its bottom to its top; logarithmic where the largest dwarfs the usual ones."""
    positive = sorted(v for v in values if v > 0) or [1.0]
    largest, usual = positive[-1], positive[len(positive) // 2]
    if largest > 20 * usual:
        low, high = (10.0 ** edge(math.log10(v)) for edge, v in ((math.floor, positive[0]), (math.ceil, largest)))
        exponents = range(round(math.log10(low)), round(math.log10(max(high, low * 10))) + 1)
        return Axis(low, max(high, low * 10), start, end, True), [10.0**e for e in exponents]
    step = _round_step(largest / 3)
    top = step * math.ceil(largest / step)
    return Axis(0.0, top, start, end), [step * n for n in range(round(top / step) + 1)]


def _round_step(least: float) -> float:
    power = 10.0 ** math.floor(math.log10(least))
    return next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= least * 0.999)
