"""What a run learned of the application, beside its verdict: probes and measured impact, and what is kept of past runs.

Plain values in, parts of a result's status out; who writes them is ``results``.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from litmus import api
from litmus.api.impact import Figure, Impact
from litmus.api.result import History, PastRun, ProbeOutcome, ProbeStatus, ProbeVerdict, ResultStatus

KEPT_RUNS = 20
_LONGEST_REASON = 400
_NOT_EVALUATED = "not evaluated: the run ended before"


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """Of one run. ``statuses`` and ``outcomes`` are the same probes in the spelling of 1.10 and of 3.x."""

    statuses: Sequence[ProbeStatus] = ()
    outcomes: Sequence[ProbeOutcome] = ()
    percentage: str = ""
    impact: Impact | None = None


def status(found: Findings) -> dict[str, Any]:
    """The part of a result's status that a run's findings are."""
    impact = {} if found.impact is None else {"impact": api.plain(found.impact)}
    return {
        "probeStatus": [api.plain(one) for one in found.statuses],
        "probeStatuses": [api.plain(one) for one in found.outcomes],
        **impact,
    }


def abandoned(seen: ResultStatus) -> Findings:
    """The findings of a run that can't give its own any more: what was awaited never came."""
    return Findings(
        statuses=[
            msgspec.structs.replace(one, status={phase: _ended(text) for phase, text in one.status.items()})
            for one in seen.probe_status
        ],
        outcomes=[
            msgspec.structs.replace(one, status=ProbeVerdict(verdict="N/A", description=_NOT_EVALUATED))
            if one.status.verdict == "Awaited"
            else one
            for one in seen.probe_statuses
        ],
    )


def remembered(history: History, run: PastRun) -> History:
    """The history with one more run, of which the latest are kept."""
    return msgspec.structs.replace(history, runs=[*history.runs, run][-KEPT_RUNS:])


def past(seen: ResultStatus, verdict: api.Verdict, *, fail_step: str, percentage: str, at: str) -> PastRun:
    """A run that ended just now. Of several signals the worst figure is kept; what did not recover has none."""
    signals = seen.impact.signals if seen.impact else []
    return PastRun(
        number=seen.run.number,
        verdict=verdict,
        started_at=seen.run.started_at,
        finished_at=at,
        fail_step=fail_step if len(fail_step) <= _LONGEST_REASON else f"{fail_step[:_LONGEST_REASON]}…",
        probe_success_percentage=percentage,
        availability=min(_values(signal.fault.availability for signal in signals), default=None),
        recovery_seconds=_recovery([signal.time_to_recover for signal in signals]),
    )


def _recovery(figures: Sequence[Figure]) -> float | None:
    """The longest. A figure that has a lower bound alone is of an application that was not well again."""
    if any(figure.value is None and figure.low for figure in figures):
        return None
    return max(_values(figures), default=None)


def _values(figures: Iterable[Figure]) -> list[float]:
    return [figure.value for figure in figures if figure.value is not None]


def _ended(text: str) -> str:
    return f"N/A: {_NOT_EVALUATED}" if text == "Awaited" else text
