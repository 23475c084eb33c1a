"""When the impact began, how long recovery took, and the longest outage. Seconds.

*Time to impact*: from the injection to the first request of the first episode (``episodes``) before the end of the
chaos.

*Time to recover*: from the end of the chaos - of kills: from each of them until the next one, the worst counts - to
the first good and fast request after the last episode. That request must be followed by a second of signal, and by
four more, without an episode going on: else the figure has no value and its lower bound says how long it had not
recovered.

*Longest outage*: the longest time in which no request succeeded, from the first that failed to the first good one
after.

Samples are points, so what happened between two of them is known up to their distance: a figure's interval is what
fits the samples before and after. Where a disturbance hits only a share of the requests, its first and last victim
tell less; the interval then covers as many unharmed ones as chance may have put before and after them."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from . import episodes
from .episodes import Episode, Noise
from .intervals import Measured
from .samples import Sample
from .windows import Run

STEADY_S = 1.0
STEADY_SAMPLES = 5
TOO_FEW = "too few samples before the injection to know what is usual"


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """The three figures, in seconds; ``impact_at`` and ``steady_at``, when the first two end, in UNIX time."""

    to_impact: Measured
    to_recover: Measured
    outage: Measured
    impact_at: float | None = None
    steady_at: float | None = None


@dataclass(frozen=True, slots=True)
class _Round:
    """The signal from an injection to the next one, or to the end of the run, and what disturbed it."""

    start: float
    end: float
    samples: tuple[Sample, ...]
    episodes: list[Episode]


def times(samples: Sequence[Sample], known: Noise | None, run: Run, *, alpha: float) -> Times:
    """``samples``: those of fault and recovery, in order. ``alpha``: of seeing an episode where there is none."""
    lost = outage(samples, run)
    if known is None:
        return Times(to_impact=Measured(note=TOO_FEW), to_recover=Measured(note=TOO_FEW), outage=lost)
    rounds = _rounds(samples, known, run, alpha=alpha)
    to_impact, impact_at = _impact(rounds, run, alpha)
    to_recover, steady_at = _recovery(rounds, run, alpha)
    return Times(to_impact=to_impact, to_recover=to_recover, outage=lost, impact_at=impact_at, steady_at=steady_at)


def outage(samples: Sequence[Sample], run: Run) -> Measured:
    """The longest time without a success; of samples without a failure, 0 with their largest gap as upper bound."""
    if not samples:
        return Measured(note="no samples")
    value = low = high = 0.0
    before = first = last = None
    for sample in samples:
        if sample.good:
            if first is not None and last is not None:
                value, low = max(value, sample.at - first), max(low, last - first)
            high = max(high, sample.at - (before if before is not None else first if first is not None else sample.at))
            before, first = sample.at, None
        else:
            first, last = sample.at if first is None else first, sample.at
    if first is None or last is None:
        return Measured(value, low, high)
    open_for = last - first
    if open_for < value:
        return Measured(value, low, max(high, run.end - first))
    return Measured(
        None if open_for > 0 else value, max(low, open_for), math.inf, "no success since, when the run ended"
    )


def _rounds(samples: Sequence[Sample], known: Noise, run: Run, *, alpha: float) -> list[_Round]:
    starts = run.injections if run.instant else (run.start,)
    ends = (*starts[1:], run.end)
    in_all = episodes.slots_in(run.end - run.start, known)
    found = []
    for start, end in zip(starts, ends, strict=True):
        its = tuple(s for s in samples if s.at < end and (s.at >= start or start == run.start)) if end > start else ()
        if end == run.end:
            its = tuple(s for s in samples if s.at >= start or start == run.start)
        found.append(_Round(start, end, its, episodes.find(its, known, start=start, alpha=alpha, slots_of_all=in_all)))
    return found


def _impact(rounds: Sequence[_Round], run: Run, alpha: float) -> tuple[Measured, float | None]:
    for one in rounds:
        for episode in one.episodes:
            first = one.samples[episode.first]
            if first.at > run.chaos_end:
                break
            hidden = _hidden(episode, alpha)
            unharmed = [s.at for s in one.samples[: episode.first]]
            since = unharmed[-1 - hidden] if len(unharmed) > hidden else one.start
            value = max(0.0, first.at - one.start)
            return Measured(value, min(value, max(0.0, since - one.start)), value), first.at
    return Measured(math.inf, note="no impact seen"), None


def _recovery(rounds: Sequence[_Round], run: Run, alpha: float) -> tuple[Measured, float | None]:
    """The worst of all rounds, and when it ended; a round that ended before it had recovered adds its lower bound
    only.
    """
    starts = [one.start if run.instant else run.chaos_end for one in rounds]
    each = [_recovered(one, since, alpha) for one, since in zip(rounds, starts, strict=True)]
    last = each[-1]
    low = max(m.low for m in each)
    if last.value is None:
        return replace(last, low=low), None
    since, worst = max(
        ((since, m) for since, m in zip(starts, each, strict=True) if m.value is not None),
        key=lambda pair: pair[1].value or 0.0,
    )
    if low > (worst.value or 0.0):
        return Measured(None, low, note="the next injection came before it had recovered"), None
    figure = replace(worst, low=low, high=max(m.high for m in each if m.value is not None))
    return figure, since + worst.value if worst.value else None


def _recovered(one: _Round, since: float, alpha: float) -> Measured:
    """How long after ``since`` the signal of a round was steady again."""
    after = [number for number, s in enumerate(one.samples) if s.at >= since]
    watched = one.samples[-1].at - since if after else 0.0
    if len(after) < STEADY_SAMPLES or watched < STEADY_S:
        return Measured(None, 0.0, note=f"the run was watched for too short a time: {max(0.0, watched):.1f} s")
    ends = [e for e in one.episodes if e.last >= after[0]]
    if not ends:
        note = "steady again before the chaos ended" if one.episodes else "no disturbance seen"
        return Measured(0.0, 0.0, one.samples[after[0]].at - since, note)
    episode = ends[-1]
    harmed = one.samples[episode.last].at
    good = episode.after
    followed = len(one.samples) - good if good is not None else 0
    if good is None or followed < STEADY_SAMPLES or one.samples[-1].at - one.samples[good].at < STEADY_S:
        return Measured(None, max(0.0, harmed - since), note=f"not recovered {one.end - since:.1f} s after")
    value = one.samples[good].at - since
    beyond = min(len(one.samples) - 1, good + _hidden(episode, alpha))
    return Measured(value, max(0.0, harmed - since), max(value, one.samples[beyond].at - since))


def _hidden(episode: Episode, alpha: float) -> int:
    """How many unharmed requests in a row chance allows inside the episode, to either side of those it hit."""
    if episode.share >= 1:
        return 0
    return math.floor(math.log(alpha) / math.log(1 - episode.share))


def started(injections: Iterable[float], chaos_start: float) -> tuple[float, ...]:
    """The injections in order; where none was recorded, the start of the chaos."""
    return tuple(sorted(set(injections))) or (chaos_start,)
