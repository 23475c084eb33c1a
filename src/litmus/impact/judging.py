"""How a criterion is judged.

*met*: the measured value keeps the limit, and there were enough samples that a breach could have shown.
*missed*: the value breaks the limit, and so does the whole of its interval: chance is no explanation.
*inconclusive*: everything else. The explanation says what would tell.

Enough samples: twenty; for an availability of A % as many that a single failure would not break it, 100/(100-A); for
a quantile as many that one lies beyond it, such as 100 for P99. With several signals each has to keep every
criterion; the worst one is shown."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from litmus.api.impact import Criterion, Judgement

from . import intervals
from .criteria import QUANTILES, Wanted
from .intervals import Measured
from .times import Times
from .windows import Figures, Windows

FEWEST = 20
_ORDER: tuple[Judgement, ...] = ("missed", "inconclusive", "met")


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What one signal has to say. ``error``: how often an interval may miss the truth."""

    windows: Windows
    fault: Figures
    times: Times
    error: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """A criterion before one signal. ``level``: what is compared with the limit, a factor if that is one.

    ``too_few``: why the samples could not have shown a breach, '' if they could.
    """

    what: str
    unit: str
    observed: Measured
    level: Measured
    too_few: str = ""


def judge(wanted: Wanted, signals: Mapping[str, Evidence], *, confidence: float) -> Criterion:
    """The criterion, judged by each signal; that of the worst."""
    if not signals:
        return Criterion(
            name=wanted.name,
            asked=wanted.asked,
            judgement="inconclusive",
            explanation="There was no continuous signal; add a trafficProbe, or an httpProbe in mode Continuous.",
        )
    each = [_one(wanted, probe, evidence, confidence) for probe, evidence in signals.items()]
    return min(each, key=lambda c: (_ORDER.index(c.judgement), _severity(wanted, c)))


def _severity(wanted: Wanted, criterion: Criterion) -> float:
    value = criterion.observed.value
    if value is None:
        return -math.inf
    return value if wanted.at_least else -value


def _one(wanted: Wanted, probe: str, evidence: Evidence, confidence: float) -> Criterion:
    case = _CASES[wanted.name](wanted, evidence)
    judgement, why = _judged(wanted, case)
    return Criterion(
        name=wanted.name,
        asked=wanted.asked,
        observed=case.observed.figure(case.unit),
        judgement=judgement,
        explanation=_sentence(wanted, case, probe, judgement=judgement, why=why, confidence=confidence),
    )


def _judged(wanted: Wanted, case: _Case) -> tuple[Judgement, str]:
    level = case.level
    best = level.high if wanted.at_least else level.low
    if not wanted.allows(best):
        return "missed", ""
    if level.value is None:
        return "inconclusive", level.note or case.observed.note
    if not wanted.allows(level.value):
        return "inconclusive", "the interval includes what was asked; a longer chaos or a higher rate would tell"
    if case.too_few:
        return "inconclusive", case.too_few
    return "met", ""


def _sentence(wanted: Wanted, case: _Case, probe: str, *, judgement: Judgement, why: str, confidence: float) -> str:
    """The value with its interval, and what would have met the criterion."""
    value = _with_interval(case.observed, case.unit, confidence)
    if wanted.relative:
        value += f", {_with_interval(case.level, 'x baseline', confidence)}"
    outcome = {
        "met": f"which meets {wanted.asked!r}",
        "missed": f"{wanted.asked!r} would have passed",
        "inconclusive": f"which does not settle {wanted.asked!r}{f': {why}' if why else ''}",
    }[judgement]
    return f"Probe {probe}: {case.what} was {value}; {outcome}."


def _with_interval(measured: Measured, unit: str, confidence: float) -> str:
    known = measured.value is not None and math.isfinite(measured.value)
    low, high = math.isfinite(measured.low), math.isfinite(measured.high)
    if not known and low and measured.low > 0:  # it was not seen to its end
        return f"at least {_short(measured.low)} {unit}"
    text = f"{_short(measured.value or 0.0)} {unit}" if known else f"not measured ({measured.note or 'unbounded'})"
    if low and high:
        return f"{text} ({confidence:.0%} interval {_short(measured.low)} to {_short(measured.high)})"
    if low or high:
        bound = f"at least {_short(measured.low)}" if low else f"at most {_short(measured.high)}"
        return f"{text} ({bound} {unit})"
    return text


def _short(value: float) -> str:
    """Four digits that count, and no more."""
    return f"{value:.4g}" if abs(value) < 1000 else f"{value:.0f}"


def _availability(wanted: Wanted, seen: Evidence) -> _Case:
    measured = seen.fault.availability
    needed = max(FEWEST, math.ceil(100 / (100 - wanted.limit) - 1e-9) if wanted.limit < 100 else 0)
    too_few = _too_few(len(seen.windows.fault), needed, "during the fault")
    return _Case(what="availability during the fault", unit="%", observed=measured, level=measured, too_few=too_few)


def _latency(wanted: Wanted, seen: Evidence) -> _Case:
    p = QUANTILES[wanted.name]
    measured = level = seen.fault.latency[p]
    needed = max(FEWEST, math.ceil(1 / (1 - p) - 1e-9))
    too_few = _too_few(len(seen.windows.fault), needed, "during the fault")
    if wanted.relative:
        level = intervals.compared(seen.windows.baseline, seen.windows.fault, p, error=seen.error)
        too_few = too_few or _too_few(len(seen.windows.baseline), needed, "before the injection")
    return _Case(
        what=f"P{100 * p:.0f} of the latency during the fault",
        unit="ms",
        observed=measured,
        level=level,
        too_few=too_few,
    )


def _recovery(wanted: Wanted, seen: Evidence) -> _Case:
    return _time("time to recover", seen.times.to_recover)


def _time_to_impact(wanted: Wanted, seen: Evidence) -> _Case:
    return _time("time to the first impact", seen.times.to_impact)


def _outage(wanted: Wanted, seen: Evidence) -> _Case:
    outage = seen.times.outage
    blind = outage.value == 0 and wanted.limit < outage.high < math.inf
    too_few = f"two good samples were {outage.high:.3g} s apart; a higher rate would tell" if blind else ""
    return _time("the longest outage", outage, too_few)


def _time(what: str, measured: Measured, too_few: str = "") -> _Case:
    return _Case(what=what, unit="s", observed=measured, level=measured, too_few=too_few)


def _too_few(count: int, needed: int, when: str) -> str:
    if count >= needed:
        return ""
    return f"there were {count} samples {when} and it takes {needed}; a longer window or a higher rate gives them"


_CASES: dict[str, Callable[[Wanted, Evidence], _Case]] = {
    "availability": _availability,
    "recovery": _recovery,
    "outage": _outage,
    "timeToImpact": _time_to_impact,
    **dict.fromkeys(QUANTILES, _latency),
}
