"""Episodes: the stretches of a signal that a disturbance explains far better than noise does.

The signal is cut into slots of a quarter of a second (longer where samples are rarer, or where the baseline has longer
bursts). A slot is *failing* if a request in it failed, *slow* if the median of its answers is beyond that of every slot
of the baseline, and by half beyond the usual. How often noise makes a slot so is known from the baseline, plus a little
doubt: as if another hundred samples had had half a failure, because a short baseline without any failure does not prove
that there never is one. And noise comes in bursts, of a tenth of a second on average: a failing slot after a failing
slot says less.

Each slot then scores the logarithm of how much likelier it is under a disturbance (most slots off, or one in three)
than under noise. Stretches of the largest score are found by Page's cumulative sum, which starts again from zero
whenever it would be negative. A stretch counts if its score is beyond log(slots x tests / alpha): by Wald's
inequality noise alone then makes one in at most a share alpha of all runs. Slow slots are correlated: their scores
have to be beyond that limit times their design effect."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from . import dependence
from .samples import Sample

_DOUBT_SAMPLES, _DOUBT_FAILURES = 100.0, 0.5
_DISTURBED = (0.9, 0.35)
_FEWEST_SLOTS = 8
_MOST_TOGETHER = 8.0
_FEWEST_SAMPLES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """What the baseline says about slots.

    ``slow_ms`` is None where it can't tell which answers are slow. ``slow_slots``: the design effect of slots with slow
    answers, about as many as those that are slow together.
    """

    slot_s: float
    failing: float
    slow: float
    slow_ms: float | None
    slow_slots: float = 1.0

    def off(self, sample: Sample) -> bool:
        """Whether a sample failed or is slow."""
        return not sample.good or (
            self.slow_ms is not None and sample.latency_ms is not None and sample.latency_ms > self.slow_ms
        )


@dataclass(frozen=True, slots=True)
class Episode:
    """Which samples were off first and last, by their number; which one was in order again; the share of those off."""

    first: int
    last: int
    after: int | None
    share: float


def noise(baseline: Sequence[Sample]) -> Noise | None:
    """None when there are too few samples to know it."""
    if len(baseline) < _FEWEST_SAMPLES:
        return None
    gap = (baseline[-1].at - baseline[0].at) / (len(baseline) - 1)
    slot = max(dependence.noise_s(baseline), gap)
    slots = _slots(baseline, start=baseline[0].at, slot=slot)
    each = len(baseline) / len(slots)
    failing = sum(any(not s.good for s in samples) for _, samples in slots)
    slow_ms = _threshold(slots)
    doubt = _DOUBT_SAMPLES / each
    return Noise(
        slot_s=slot,
        failing=(failing + _DOUBT_FAILURES) / (len(slots) + doubt),
        slow=1 / (len(slots) + 1),
        slow_ms=slow_ms,
        slow_slots=_together(slots),
    )


def find(
    samples: Sequence[Sample], known: Noise, *, start: float, alpha: float, slots_of_all: int = 0
) -> list[Episode]:
    """The episodes among ordered samples from ``start`` on, in order.

    ``slots_of_all``: among how many slots it is searched in all, where that is more than these samples fill.
    """
    slots = _slots(samples, start=start, slot=known.slot_s)
    if not slots:
        return []
    lasting = max(known.failing, math.exp(-known.slot_s / dependence.BURST_S))
    marks = [([any(not s.good for s in each) for _, each in slots], (known.failing, lasting), 1.0)]
    if known.slow_ms is not None:
        marks.append(([_middle(each) > known.slow_ms for _, each in slots], (known.slow,) * 2, known.slow_slots))
    enough = math.log(max(len(slots), slots_of_all) * len(marks) * len(_DISTURBED) / alpha)
    stretches = [stretch for off, usual, together in marks for stretch in _found(off, usual, enough * together)]
    return [e for first, last in _united(stretches) if (e := _episode(samples, known, slots[first : last + 1]))]


def slots_in(seconds: float, known: Noise) -> int:
    """How many slots a stretch of time has."""
    return max(1, math.ceil(seconds / known.slot_s))


def _slots(samples: Sequence[Sample], *, start: float, slot: float) -> list[tuple[int, list[Sample]]]:
    """The slots that have samples, each with the number of its first one."""
    found: list[tuple[int, list[Sample]]] = []
    current = -1
    for number, sample in enumerate(samples):
        # a hair to the right, so that samples on the very edge fall to one side whatever the clock's zero
        place = max(0, math.floor((sample.at - start) / slot + 1e-3))
        if place != current:
            current = place
            found.append((number, []))
        found[-1][1].append(sample)
    return found


def _middle(samples: Sequence[Sample]) -> float:
    """The median time of an answer, failures being infinite; below everything if nobody measured it."""
    times = sorted(t for s in samples if (t := s.answered_ms) is not None)
    return times[len(times) // 2] if times else -math.inf


def _threshold(slots: Sequence[tuple[int, list[Sample]]]) -> float | None:
    """Beyond which the median of a slot is slow: half as much again as usual, and as no slot of the baseline is."""
    middles = sorted(m for _, samples in slots if math.isfinite(m := _middle(samples)))
    if len(middles) < _FEWEST_SLOTS or not all(m > 0 for m in middles):
        return None
    usual, high = middles[len(middles) // 2], middles[math.ceil(0.9 * len(middles)) - 1]
    return max(usual * max(1.5, (high / usual) ** 3), middles[-1])


def _together(slots: Sequence[tuple[int, list[Sample]]]) -> float:
    """The design effect of slots whose answers are slower than usual."""
    middles = [m for _, samples in slots if math.isfinite(m := _middle(samples))]
    if not middles:
        return 1.0
    usual = sorted(middles)[len(middles) // 2]
    return dependence.of_marks([m > usual for m in middles], bound=_MOST_TOGETHER)


def _found(off: Sequence[bool], usual: tuple[float, float], enough: float) -> list[tuple[int, int]]:
    """Dense stretches, then what is left of sparse ones: a stray failure near an outage is no part of it."""
    found: list[tuple[int, int]] = []
    for likely in _DISTURBED:
        rest: list[bool | None] = list(off)
        for first, last in found:
            rest[first : last + 1] = [None] * (last + 1 - first)
        found += _stretches(rest, usual, likely, enough)
    return found


def _stretches(
    off: Sequence[bool | None], usual: tuple[float, float], likely: float, enough: float
) -> list[tuple[int, int]]:
    """The first and the last slot of each stretch whose score is enough; None separates.

    ``usual``: how often noise makes a slot off, after one in order and after one that is off.
    """
    alone, lasting = usual
    if likely < 1.5 * alone:
        return []
    up, again = math.log(likely / alone), max(0.0, math.log(likely / lasting))
    down = math.log((1 - likely) / (1 - alone))
    found: list[tuple[int, int]] = []
    score = best = 0.0
    first = last = 0
    before: bool | None = False
    for place, mark in enumerate([*off, None]):
        if mark and score == 0:
            first = place
        score = 0.0 if mark is None else max(0.0, score + ((again if before else up) if mark else down))
        before = mark
        if score > best:
            best, last = score, place
        # far below its peak, a stretch has ended even if the sum is still positive
        if score == 0 or score < best - enough:
            if best > enough:
                found.append((first, last))
            score = best = 0.0
    return found


def _united(stretches: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    united: list[tuple[int, int]] = []
    for first, last in sorted(stretches):
        if united and first <= united[-1][1] + 1:
            united[-1] = (united[-1][0], max(last, united[-1][1]))
        else:
            united.append((first, last))
    return united


def _episode(samples: Sequence[Sample], known: Noise, slots: Sequence[tuple[int, list[Sample]]]) -> Episode | None:
    """From the first sample that was off to the last one."""
    off = [number for slot in slots for number in _off(slot, known)]
    if not off:
        return None
    first, last = off[0], off[-1]
    failed = not samples[last].good
    after = (n for n in range(last + 1, len(samples)) if samples[n].good and (failed or not known.off(samples[n])))
    return Episode(first, last, next(after, None), len(off) / (last + 1 - first))


def _off(slot: tuple[int, list[Sample]], known: Noise) -> list[int]:
    """Which samples of a slot were off; where some failed only those: a slow one beside them may be healthy."""
    begin, samples = slot
    failed = [number for number, sample in enumerate(samples, begin) if not sample.good]
    return failed or [number for number, sample in enumerate(samples, begin) if known.off(sample)]
