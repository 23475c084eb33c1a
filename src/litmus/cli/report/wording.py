"""Figures, times and verdicts in words, in the reader's language.

Every sentence is a template that is translated first and filled in afterwards (``hub.translations``). What a result
says in its own words - a fail step, an explanation, an event - is quoted as it is: a report must not say it
differently.
"""

import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeGuard

from litmus.api.impact import Criterion, Figure, Impact
from litmus.kube import clock

from .record import Record

Say = Callable[[str], str]

NONE = "–"
_CRITERIA = {
    "availability": "Availability",
    "recovery": "Time to recover",
    "outage": "Longest outage",
    "timeToImpact": "Time to first impact",
    "latencyP50": "Latency p50",
    "latencyP95": "Latency p95",
    "latencyP99": "Latency p99",
}


def number(value: float, unit: str) -> str:
    """As many places as a reader can use: two of a percentage, one of seconds, three digits of milliseconds."""
    if unit == "%":
        return f"{value:.2f}".rstrip("0").rstrip(".")
    if unit == "s":
        return f"{value:.1f}"
    if unit == "ms" and abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def value(figure: Figure) -> str:
    """The number alone: ``87.3 %``; what was bounded from below only, ``> 30 s``."""
    unit = f" {figure.unit}" if figure.unit else ""
    if known(figure.value):
        return f"{number(figure.value, figure.unit)}{unit}"
    if known(figure.low) and figure.low > 0 and not known(figure.high):
        return f"> {number(figure.low, figure.unit)}{unit}"
    return NONE


def interval(figure: Figure, say: Say) -> str:
    """``82.1 to 91.4``; '' without one, or where it has no width."""
    low, high = figure.low, figure.high
    if not known(figure.value) or (known(low) and known(high) and low == high):
        return ""
    if known(low) and known(high):
        return say("{low} to {high}").format(low=number(low, figure.unit), high=number(high, figure.unit))
    if known(low):
        return say("at least {low}").format(low=number(low, figure.unit))
    if known(high):
        return say("at most {high}").format(high=number(high, figure.unit))
    return ""


def figure(shown: Figure, say: Say) -> str:
    """The number with its interval and its note."""
    bounds = interval(shown, say)
    told = f"{value(shown)} ({bounds})" if bounds else value(shown)
    return f"{told}, {shown.note}" if shown.note and told != NONE else shown.note or told


def known(bound: float | None) -> TypeGuard[float]:
    """Whether there is a number: a result has no infinity, but a file that somebody made may."""
    return bound is not None and math.isfinite(bound)


def criterion(shown: Criterion, say: Say) -> str:
    """Its name for people."""
    return say(_CRITERIA[shown.name]) if shown.name in _CRITERIA else shown.name


def when(text: str | None) -> datetime | None:
    """The time that a result names, None where it names none that can be read."""
    try:
        return clock.parse(text) if text else None
    except ValueError:
        return None


def utc(at: datetime | None, *, day: bool = True) -> str:
    """``2026-05-04 12:03:04 UTC``."""
    if at is None:
        return NONE
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC" if day else "%H:%M:%S UTC")


def span(seconds: float) -> str:
    """``45 s``, ``2 min 5 s``, ``1 h 3 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f} s" if 0 < seconds < 10 else f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s".removesuffix(" 0 s")
    return f"{whole // 3600} h {whole % 3600 // 60} min".removesuffix(" 0 min")


def lasted(start: str | None, end: str | None) -> str:
    """How long something took."""
    begun, ended = when(start), when(end)
    return span((ended - begun).total_seconds()) if begun and ended else NONE


def why(record: Record, say: Say) -> str:
    """Why the verdict is what it is, in one sentence."""
    status = record.result.status
    if record.why:
        return record.why
    match record.verdict:
        case "Awaited":
            step = status.run.step or "…"
            return say("no verdict yet; the run is at: {step}").format(step=step)
        case "Pass":
            return _why_passed(status.impact, say)
        case _:
            return say("the result does not say why")


def _why_passed(impact: Impact | None, say: Say) -> str:
    if impact and impact.criteria:
        met = [c for c in impact.criteria if c.judgement == "met"]
        listed = ", ".join(f"{criterion(c, say)} {value(c.observed)} ({c.asked})" for c in met)
        if len(met) == len(impact.criteria):
            return say("every criterion was met: {list}").format(list=listed)
    if impact and impact.signals:
        during = figure(impact.signals[0].fault.availability, say)
        return say("the application held; availability during the chaos: {figure}").format(figure=during)
    return say("the application was healthy after the chaos")
