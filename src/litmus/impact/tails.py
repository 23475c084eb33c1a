"""Tails of the binomial distribution, for counts that need not be whole, and of Student's t.

Counts of correlated samples are divided by their design effect (``dependence``), which leaves fractions; the incomplete
beta function takes them as they are. It is computed by its continued fraction (Abramowitz & Stegun 26.5.8, evaluated as
Lentz proposed), inverses by bisection that the secant helps (Illinois).
"""

import math
from collections.abc import Callable

_TINY = 1e-300
_ENOUGH = 1e-11


def beta(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function I_x(a, b), for positive a and b."""
    if x <= 0:
        return 0.0
    if x >= 1:
        return 1.0
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    if x > (a + 1) / (a + b + 2):
        return 1 - front * _fraction(1 - x, b, a) / b
    return front * _fraction(x, a, b) / a


def student(t: float, freedom: float) -> float:
    """The chance of a deviation at least as large as t, to either side."""
    return beta(freedom / (freedom + t * t), freedom / 2, 0.5)


def proportion(count: float, of: float, *, error: float) -> tuple[float, float]:
    """Clopper's and Pearson's interval of a proportion; ``error`` is shared by both sides."""
    side = error / 2
    low = 0.0 if count <= 0 else root(lambda p: beta(p, count, of - count + 1) - side, 0.0, count / of)
    high = 1.0 if count >= of else root(lambda p: 1 - side - beta(p, count + 1, of - count), count / of, 1.0)
    return low, high


def ranks(p: float, of: float, *, error: float) -> tuple[float | None, float | None]:
    """Between which of ``of`` ordered values the p-quantile lies; None where no value bounds it.

    The chance that fewer than ``rank`` of them lie below the quantile is binomial.
    """
    side = error / 2
    below = above = None
    if (1 - p) ** of <= side:
        below = root(lambda rank: 1 - beta(p, rank, of - rank + 1) - side, 1.0, max(1.0, of * p + 1))
    if p**of <= side:
        above = root(lambda rank: beta(p, rank, of - rank + 1) - side, min(of, of * p), of)
    return below, above


def root(f: Callable[[float], float], low: float, high: float) -> float:
    """Where a monotone function changes its sign; the nearer end if it does not."""
    at_low, at_high = f(low), f(high)
    if at_low * at_high > 0:
        return low if abs(at_low) < abs(at_high) else high
    width = _ENOUGH * max(1.0, abs(high))
    for turn in range(80):
        if high - low < width:
            break
        middle = (low + high) / 2 if turn % 3 == 2 else high - at_high * (high - low) / ((at_high - at_low) or _TINY)
        at = f(middle)
        if abs(at) < _ENOUGH:
            return middle
        if at * at_high > 0:
            high, at_high, at_low = middle, at, at_low / 2
        else:
            low, at_low, at_high = middle, at, at_high / 2
    return (low + high) / 2


def _fraction(x: float, a: float, b: float) -> float:
    c, d = 1.0, 1 / _away(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, 500):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d, c = 1 / _away(1 + term * d), _away(1 + term / c)
            value *= c * d
        if abs(c * d - 1) < _ENOUGH:
            break
    return value


def _away(value: float) -> float:
    """The value, kept away from zero."""
    return value if abs(value) > _TINY else _TINY
