"""Whether the fault's window differs from the baseline: three tests share one error rate, alpha.

*Episodes* (half of alpha): a stretch of failing or slow slots during the fault that noise does not explain
(``episodes``) makes it worse. That sees what is short but dense.

*Availability* (a quarter): a conditional binomial test compares the failures of both windows, divided by their design
effect; the baseline counts as if another hundred samples had had half a failure, so that a short one proves little.

*Latency* (a quarter): all good answers of both windows are ranked; the windows are cut into blocks of equal length
whose mean ranks are compared by Welch's test, with the variance that their correlation from one block to the next
suggests. Ranks are bounded, so heavy tails do no harm, and blocks carry the correlation of samples near to each
other.

A slow drift that has nothing to do with the fault is a difference too: no test can tell which it was.
"""

import math
import statistics
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

from . import dependence, episodes, tails
from .episodes import Noise
from .samples import Sample

Difference = Literal["worse", "no difference", "better", "inconclusive"]

FEWEST = 20
_BLOCKS = 8
_LONGEST_S = 5.0
_PER_BLOCK = 4
_DOUBT_SAMPLES, _DOUBT_FAILURES = 100.0, 0.5


def differs(
    baseline: Sequence[Sample], fault: Sequence[Sample], known: Noise | None, *, start: float, alpha: float
) -> Difference:
    """``inconclusive`` when a window has fewer than twenty samples, or when only the latency could not be compared."""
    if min(len(baseline), len(fault)) < FEWEST or known is None:
        return "inconclusive"
    if episodes.find(fault, known, start=start, alpha=alpha / 2):
        return "worse"
    found = {_availability(baseline, fault, alpha=alpha / 4)}
    if any(s.good and s.latency_ms is not None for s in (*baseline, *fault)):
        found.add(_latency(baseline, fault, alpha=alpha / 4))
    for word in ("worse", "inconclusive", "better"):
        if word in found:
            return word
    return "no difference"


def _availability(baseline: Sequence[Sample], fault: Sequence[Sample], *, alpha: float) -> Difference:
    effect = dependence.of_failures([*baseline, *fault], noise=dependence.noise_s(baseline))
    usual = (sum(not s.good for s in baseline) + _DOUBT_FAILURES) / effect
    now = sum(not s.good for s in fault) / effect
    share = len(fault) / (len(baseline) + _DOUBT_SAMPLES + len(fault))
    if now > 0 and tails.beta(share, now, usual + 1) < alpha / 2:
        return "worse"
    if tails.beta(1 - share, usual, now + 1) < alpha / 2:
        return "better"
    return "no difference"


def _latency(baseline: Sequence[Sample], fault: Sequence[Sample], *, alpha: float) -> Difference:
    windows = [[(s.at, s.latency_ms) for s in w if s.good and s.latency_ms is not None] for w in (baseline, fault)]
    if min(map(len, windows)) < FEWEST:
        return "inconclusive"
    rank = _ranks([latency for window in windows for _, latency in window])
    length = min(_LONGEST_S, *((window[-1][0] - window[0][0]) / _BLOCKS for window in windows))
    before, during = (_blocks([(at, rank[ms]) for at, ms in window], length) for window in windows)
    if min(len(before), len(during)) < _BLOCKS - 1:
        return "inconclusive"
    t, freedom = _welch(before, during)
    if tails.student(t, freedom) >= alpha:
        return "no difference"
    return "worse" if t > 0 else "better"


def _ranks(values: Sequence[float]) -> dict[float, float]:
    """The mean rank of each value."""
    ranks: dict[float, float] = {}
    ordered = sorted(values)
    begin = 0
    for place, value in enumerate(ordered):
        if place + 1 == len(ordered) or ordered[place + 1] != value:
            ranks[value] = (begin + place) / 2
            begin = place + 1
    return ranks


def _blocks(window: Sequence[tuple[float, float]], length: float) -> list[float]:
    """Means over pieces of ``length`` seconds; the rest at the end and pieces with too few values are left out."""
    if length <= 0:
        return []
    start = window[0][0]
    whole = math.floor((window[-1][0] - start) / length + 1e-6)
    pieces: list[list[float]] = [[] for _ in range(whole)]
    for at, value in window:
        place = math.floor((at - start) / length + 1e-6)
        if place < whole:
            pieces[place].append(value)
    fewest = min(_PER_BLOCK, len(window) / (2 * max(1, whole)))
    return [statistics.fmean(piece) for piece in pieces if len(piece) >= fewest and piece]


def _welch(before: Sequence[float], during: Sequence[float]) -> tuple[float, float]:
    """Welch's t and its degrees of freedom, both for blocks that may be correlated."""
    growth = _correlated(before, during)
    parts = [(statistics.variance(blocks) * growth / len(blocks), len(blocks) / growth) for blocks in (before, during)]
    square = sum(part for part, _ in parts)
    apart = statistics.fmean(during) - statistics.fmean(before)
    if square <= 0:
        return (math.copysign(1e9, apart) if apart else 0.0), 1.0
    freedom = square**2 / sum(part**2 / max(1.0, count - 1) for part, count in parts)
    return apart / math.sqrt(square), max(1.0, freedom)


def _correlated(*windows: Sequence[float]) -> float:
    """By how much correlation between neighbours raises the variance of a mean."""
    product = square = 0.0
    count = 0
    for blocks in windows:
        mean = statistics.fmean(blocks)
        off = [value - mean for value in blocks]
        product += sum(left * right for left, right in pairwise(off))
        square += sum(value * value for value in off)
        count += len(off)
    if square <= 0:
        return 1.0
    # the estimate is too low by about (1 + 4r)/n in a short series
    correlation = product / square + 1.5 * len(windows) / count
    correlation = min(0.8, max(0.0, correlation))
    return (1 + correlation) / (1 - correlation)
