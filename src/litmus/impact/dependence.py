"""How many independent observations a window is worth.

Samples at a steady rate are not independent: failures come in bursts, slow answers too. An interval that takes each
sample for itself would be too narrow by the square root of the *design effect*, which is estimated here in two ways.

*Failures.* What noise can do at once is assumed to be over within a quarter of a second, or within the longest burst
that the baseline showed: the failures of such a piece of time count as one event. An outage of ten seconds is then 40
events and not a single one, as a blind estimate of the correlation would have it - which could never tell a fault
from bad luck.

*Slow answers.* The variance of means over blocks, of every length that leaves at least eight blocks; the largest
ratio to the variance of independent samples counts. It is bounded by what a correlation over some seconds can do, for
the reason above."""

from collections.abc import Sequence
from itertools import accumulate, pairwise

from .samples import Sample

NOISE_S = 0.25
BURST_S = 0.1  # how long a burst of failures that is noise lasts on average
LATENCY_NOISE_S = 3.0
_BLOCKS = 8


def noise_s(baseline: Sequence[Sample]) -> float:
    """How long a burst of failures may be noise, in seconds: a quarter, or the longest that the baseline has."""
    longest, first = NOISE_S, None
    for sample in baseline:
        if sample.good:
            first = None
        else:
            first = sample.at if first is None else first
            longest = max(longest, sample.at - first)
    return longest


def of_failures(samples: Sequence[Sample], *, noise: float) -> float:
    """The design effect of failures: 1 for single ones, up to how many fall into a piece of noise."""
    sizes: list[int] = []
    until = float("-inf")
    for sample in samples:
        if not sample.good:
            if sample.at >= until:
                until = sample.at + noise
                sizes.append(0)
            sizes[-1] += 1
    return sum(size * size for size in sizes) / sum(sizes) if sizes else 1.0


def of_marks(marks: Sequence[bool], *, bound: float) -> float:
    """The design effect of marks in the order of time, such as "slower than x"; at most ``bound``."""
    count, marked = len(marks), sum(marks)
    spread = marked * (count - marked) / count**2 if count else 0.0
    if not spread:
        return 1.0
    sums = [0, *accumulate(marks)]
    largest, length = 1.0, 2
    while count // length >= _BLOCKS:
        at = sums[::length]
        blocks = len(at) - 1
        mean = at[-1] / blocks
        square = sum((right - left - mean) ** 2 for left, right in pairwise(at)) / (blocks - 1)
        largest = max(largest, square / (length * spread))
        length *= 2
    return max(1.0, min(largest, bound))
