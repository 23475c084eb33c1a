"""Whether a figure differs between two runs, or between two sets of runs, and how sure that is.

*Two sets.* The exact permutation test on ranks: under the hypothesis that it makes no difference, every way of
dealing the runs into the two sets is as likely as any other. Ranks, because a run that never recovered has no number
but is the worst of all, and because one slow run must not decide. The difference is that of Hodges and Lehmann, with
the interval that the same test gives.

*Two single runs.* The interval of the difference from the intervals of the two figures (Zou's and Donner's method),
widened to the error rate wanted. That says whether these two runs differ; how much runs differ among themselves one
run can't tell.

Several figures are judged at once: the error rate holds for all of them together (Holm; Bonferroni for intervals).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from statistics import NormalDist, median
from typing import Literal

Judgement = Literal["worse", "better", "no certain change", "inconclusive"]
_EXACT = 40  # runs in both sets; beyond, the normal approximation is good


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A figure of one run; an infinite one is worse than any number, as of a run that never recovered."""

    value: float
    low: float = -math.inf
    high: float = math.inf
    error: float = 0.01  # of its interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """How a figure changed. ``chance``: of a difference so large without a cause, None where an interval decides."""

    before: float | None
    after: float | None
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    chance: float | None = None
    judgement: Judgement
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """The same figure of the runs before and after."""

    before: Sequence[Value]
    after: Sequence[Value]
    more_is_better: bool


def judge(pairs: Mapping[str, Pair], *, error: float) -> dict[str, Comparison]:
    """All figures, at an error rate for all of them together."""
    told = {name: pair for name, pair in pairs.items() if pair.before and pair.after}
    singles = {name: pair for name, pair in told.items() if len(pair.before) == len(pair.after) == 1}
    share = error / max(1, len(told))
    found = {name: _intervals(pair, error=share) for name, pair in singles.items()}
    tested = {name: _ranks(pair, error=share) for name, pair in told.items() if name not in singles}
    found |= _holm(tested, pairs, error=error, among=len(told))
    return {name: found.get(name) or _missing(pair) for name, pair in pairs.items()}


def chance(before: Sequence[float], after: Sequence[float]) -> float:
    """The two-sided chance of ranks so uneven, were the runs dealt by lot. Exact up to 40 runs, ties included."""
    ranks = _doubled_ranks([*before, *after])
    size, count = len(after), len(ranks)
    seen, mean = sum(ranks[len(before) :]), size * (count + 1)
    off = abs(seen - mean)
    if count <= _EXACT:
        ways = _ways(ranks, size)
        return sum(n for total, n in ways.items() if abs(total - mean) >= off) / math.comb(count, size)
    ties = sum(n**3 - n for n in (ranks.count(rank) for rank in set(ranks)))
    variance = size * (count - size) / 12 * (count + 1 - ties / (count * (count - 1)))
    if variance <= 0:
        return 1.0
    return min(1.0, 2 * NormalDist().cdf(-max(0.0, off / 2 - 0.5) / math.sqrt(variance)))


def least_chance(before: int, after: int) -> float:
    """The smallest chance that so many runs can show at all."""
    return min(1.0, 2 / math.comb(before + after, after))


def enough(error: float) -> int:
    """How many runs on each side can show a difference at this error rate."""
    return next(n for n in range(2, 1000) if least_chance(n, n) <= error)


def _ranks(pair: Pair, *, error: float) -> Comparison:
    before, after = ([v.value for v in values] for values in (pair.before, pair.after))
    middle = median(before), median(after)
    shifts = sorted(b - a for a, b in product(before, after) if not (math.isinf(a) and math.isinf(b)))
    shift = median(shifts) if shifts else 0.0
    low, high = _between(shifts, len(before), len(after), error=error)
    least = least_chance(len(before), len(after))
    note = ""
    if least > error:
        runs = f"{len(before)} and {len(after)} runs can show nothing at this error rate"
        note = f"{runs}; {enough(error)} on each side can"
    return Comparison(
        before=_finite(middle[0]),
        after=_finite(middle[1]),
        difference=_finite(shift),
        low=_finite(low),
        high=_finite(high),
        chance=chance(before, after),
        judgement="inconclusive" if note else "no certain change",
        note=note,
    )


def _holm(
    tested: Mapping[str, Comparison], pairs: Mapping[str, Pair], *, error: float, among: int
) -> dict[str, Comparison]:
    """The smallest chances first, each against its share of the error rate, until one is too large."""
    found = dict(tested)
    order = sorted(tested, key=lambda name: tested[name].chance or 0.0)
    for place, name in enumerate(order):
        if (tested[name].chance or 0.0) > error / (among - place):
            break
        pair = pairs[name]
        more = _mean_rank(pair) > 0
        found[name] = replace(found[name], judgement="better" if more == pair.more_is_better else "worse", note="")
    return found


def _mean_rank(pair: Pair) -> float:
    """Above 0 where the later runs rank higher."""
    before, after = ([v.value for v in values] for values in (pair.before, pair.after))
    ranks = _doubled_ranks([*before, *after])
    return sum(ranks[len(before) :]) - len(after) * (len(ranks) + 1)


def _intervals(pair: Pair, *, error: float) -> Comparison:
    a, b = (_widened(values[0], error=error) for values in (pair.before, pair.after))
    shown = Comparison(before=_finite(a.value), after=_finite(b.value), judgement="inconclusive")
    if math.isinf(a.value) or math.isinf(b.value):
        if math.isinf(a.value) and math.isinf(b.value):
            return replace(shown, note="neither has a number")
        low, high = b.low - a.high, b.high - a.low
    else:
        difference = b.value - a.value
        low = difference - math.hypot(b.value - b.low, a.high - a.value)
        high = difference + math.hypot(b.high - b.value, a.value - a.low)
        shown = replace(shown, difference=difference)
    if math.isnan(low) or math.isnan(high) or (math.isinf(low) and math.isinf(high)):
        return replace(shown, note="no interval is known, so one run each can't tell")
    shown = replace(shown, low=_finite(low), high=_finite(high))
    if low <= 0 <= high:
        return replace(shown, judgement="no certain change")
    return replace(shown, judgement="better" if (low > 0) == pair.more_is_better else "worse")


def _widened(value: Value, *, error: float) -> Value:
    """The interval at another error rate, as if it were that of a normal distribution on each side."""
    if error >= value.error or math.isinf(value.value):
        return value
    factor = NormalDist().inv_cdf(error / 2) / NormalDist().inv_cdf(value.error / 2)
    low = value.value - factor * (value.value - value.low)
    high = value.value + factor * (value.high - value.value)
    return replace(value, low=low, high=high, error=error)


def _between(shifts: Sequence[float], before: int, after: int, *, error: float) -> tuple[float, float]:
    """The interval of the shift: as many of the outermost differences are left out as the test allows."""
    if len(shifts) < before * after:
        return -math.inf, math.inf
    if before + after <= _EXACT:
        ways, every = _ways([2 * n for n in range(1, before + after + 1)], after), math.comb(before + after, after)
        least, below, out = after * (after + 1), 0, 0
        while (below := below + ways.get(least + 2 * out, 0)) / every <= error / 2:
            out += 1
    else:
        spread = math.sqrt(before * after * (before + after + 1) / 12)
        out = max(0, math.floor(before * after / 2 + NormalDist().inv_cdf(error / 2) * spread))
    if out == 0:
        return -math.inf, math.inf
    return shifts[out - 1], shifts[-out]


def _ways(ranks: Sequence[int], size: int) -> dict[int, int]:
    """In how many ways ``size`` of the ranks have each sum."""
    sums: list[dict[int, int]] = [{0: 1}, *({} for _ in range(size))]
    for rank in ranks:
        for taken in range(size, 0, -1):
            for total, ways in sums[taken - 1].items():
                sums[taken][total + rank] = sums[taken].get(total + rank, 0) + ways
    return sums[size]


def _doubled_ranks(values: Sequence[float]) -> list[int]:
    """Twice the rank of each value, so that ties, which share the mean of their ranks, are whole numbers."""
    ordered = sorted(values)
    first = {value: ordered.index(value) for value in set(values)}
    times = {value: ordered.count(value) for value in first}
    return [2 * first[value] + times[value] + 1 for value in values]


def _missing(pair: Pair) -> Comparison:
    before, after = (median(v.value for v in values) if values else None for values in (pair.before, pair.after))
    side = "either side" if not pair.before and not pair.after else "before" if not pair.before else "after"
    return Comparison(
        before=before if before is None else _finite(before),
        after=after if after is None else _finite(after),
        judgement="inconclusive",
        note=f"not measured {side}" if side != "either side" else "not measured on either side",
    )


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
