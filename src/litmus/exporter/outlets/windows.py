"""Chaos windows: when a run hit whom, read from ChaosResults, and what changed since the last look. Pure.

A window belongs to one run of one experiment of one engine. It is *begun* with the first injection, *ended* when the
experiment is done with its chaos, and has its *verdict* when the run is over; a run that hit nothing has only the last.
The times are those that the result states, not those at which we saw it, so that an exporter that comes late, or twice,
tells the same. A fault that nobody could undo outlives its run, and so does the window. An experiment image that is not
ours writes no times into its result; such runs have no windows.
"""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from litmus import api
from litmus.api.result import Fault, PastRun, ProbeOutcome, Run, Target
from litmus.kube import clock
from litmus.kube.results import MAX_TARGETS

Kind = Literal["begun", "ended", "verdict"]

# What an experiment says in run.step once it is done with its chaos (experiments/lifecycle.py, steady_state.py).
_AFTER = ("ramp time after", "post-chaos check", "measuring the recovery", "probes after")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAMESPACE = uuid.UUID("6a3c6f7e-3d0f-5c52-9a70-2f6d1c2d8f10")


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """One run of one experiment. ``number`` counts the result's runs; ``uid`` names this one, everywhere and for ever.

    ``begun`` and ``finished`` are those of the run; ``started`` and ``ended`` those of its chaos. ``signals``: of
    probes whose impact was measured, from when to when they were asked.
    """

    namespace: str
    engine: str
    engine_uid: str
    experiment: str
    result: str
    result_uid: str
    run: int
    uid: uuid.UUID
    verdict: api.Verdict
    fail_step: str
    targets: tuple[Target, ...]
    faults: tuple[Fault, ...]
    probes: tuple[ProbeOutcome, ...]
    signals: Mapping[str, tuple[datetime, datetime]]
    begun: datetime
    started: datetime | None
    ended: datetime | None
    finished: datetime | None

    @property
    def over(self) -> bool:
        """Whether nothing more will be learned of it."""
        return self.finished is not None


@dataclass(frozen=True, slots=True)
class Change:
    kind: Kind
    window: Window

    @property
    def at(self) -> datetime:
        """When it happened."""
        window = self.window
        match self.kind:
            case "begun":
                return window.started or window.begun
            case "ended":
                return window.ended or window.begun
            case "verdict":
                return window.finished or window.begun


def of(result: api.ChaosResult) -> Window | None:
    """The window of a result's latest run; None when the result does not say when that run began."""
    status, run = result.status, result.status.run
    begun = when(run.started_at)
    if begun is None:
        return None
    faults = tuple(fault for fault in status.faults if _of_run(fault, begun))
    started = _started(result, faults)
    finished = when(run.finished_at)
    acting = any(fault.state in ("injected", "proven") and _lasts(fault) for fault in faults)
    over = not acting and (finished is not None or run.step.startswith(_AFTER))
    return Window(
        namespace=result.metadata.namespace,
        engine=result.spec.engine,
        engine_uid=run.engine_uid,
        experiment=result.spec.experiment,
        result=result.metadata.name,
        result_uid=result.metadata.uid,
        run=run.number,
        uid=uuid.uuid5(_NAMESPACE, f"{result.metadata.uid}/{run.engine_uid}/{run.number}/{run.started_at}"),
        verdict=status.verdict,
        fail_step=status.experimentstatus.fail_step,
        targets=tuple(status.targets),
        faults=faults,
        probes=tuple(status.probe_statuses),
        signals=_signals(result),
        begun=begun,
        started=started,
        ended=max(started, _ended(result, faults, run) or finished or started) if started and over else None,
        finished=finished,
    )


def changes(before: Window | None, after: Window) -> Iterator[Change]:
    """What happened to a window between two looks at it; ``before`` is None at the first."""
    if after.started and not (before and before.started):
        yield Change("begun", after)
    if after.ended and not (before and before.ended):
        yield Change("ended", after)
    if after.over and not (before and before.over):
        yield Change("verdict", after)


def closed(window: Window, now: datetime, *, history: list[PastRun] | None = None) -> Window:
    """A window whose end was never seen: as the result's history has it, else ended now, with the verdict it had."""
    if window.over and (window.ended or not window.started):
        return window
    past = next((one for one in history or [] if one.number == window.run and _same(one, window)), None)
    finished = window.finished or (when(past.finished_at) if past else None) or now
    return replace(
        window,
        verdict=past.verdict if past else window.verdict,
        fail_step=past.fail_step if past else window.fail_step,
        ended=(window.ended or max(window.started, now if window.over else finished)) if window.started else None,
        finished=finished,
    )


class Watcher:
    """Remembers the latest window of each result, and says what is new in it."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], Window] = {}

    def see(self, result: api.ChaosResult, now: datetime) -> list[Change]:
        """A result as it is now."""
        key = (result.metadata.namespace, result.metadata.name)
        before, after = self._known.get(key), of(result)
        told: list[Change] = []
        if before and (after is None or after.uid != before.uid):
            told += changes(before, closed(before, now, history=result.status.history.runs))
            before = None
        if after is None:
            self._known.pop(key, None)
            return told
        if before and before.started and after.started:
            # Of a long run the result forgets its first targets; of two guesses the earlier one saw more.
            after = replace(after, started=after.started if _measured(result) else min(before.started, after.started))
        # Of a run that is over, only what tells it from the next one is kept: there may be ten thousand of them.
        self._known[key] = replace(after, targets=(), faults=(), probes=(), signals={}) if after.over else after
        return [*told, *changes(before, after)]

    def gone(self, namespace: str, name: str, now: datetime) -> list[Change]:
        """A result that was deleted: what was open in it ends now."""
        before = self._known.pop((namespace, name), None)
        return list(changes(before, closed(before, now))) if before else []


def _started(result: api.ChaosResult, faults: tuple[Fault, ...]) -> datetime | None:
    """The first injection: as the analysis of the impact has it, else as the account of the targets has it."""
    if measured := _measured(result):
        return measured[0]
    status = result.status
    hits = [at for target in status.targets if (at := when(target.injected_at))]
    hits += [at for fault in faults if fault.state == "injected" and (at := when(fault.updated_at))]
    clocked = when(status.run.chaos_started_at)
    if not hits:
        return clocked if any(fault.state == "proven" for fault in faults) else None
    if clocked and len(status.targets) >= MAX_TARGETS:
        hits.append(clocked)  # the first targets are no longer listed
    return min(hits)


def _ended(result: api.ChaosResult, faults: tuple[Fault, ...], run: Run) -> datetime | None:
    """The end of the chaos. A kill is over at once, and its window is the planned one; else the undoing counts."""
    if measured := _measured(result):
        return measured[1]
    undone = [at for fault in faults if not fault.open and _lasts(fault) and (at := when(fault.updated_at))]
    if undone:
        return max(undone)
    ends = [at for at in (when(run.chaos_ends_at), when(run.finished_at)) if at]
    return min(ends) if ends else None


def _measured(result: api.ChaosResult) -> tuple[datetime, datetime] | None:
    impact = result.status.impact
    for signal in impact.signals if impact else ():
        start, end = when(signal.fault.start), when(signal.fault.end)
        if start and end and start <= end:
            return start, end
    return None


def _signals(result: api.ChaosResult) -> dict[str, tuple[datetime, datetime]]:
    found = {}
    for signal in result.status.impact.signals if result.status.impact else ():
        parts = (signal.baseline, signal.fault, signal.recovery)
        starts, ends = [when(part.start) for part in parts], [when(part.end) for part in parts]
        known = [at for at in (*starts, *ends) if at]
        if known:
            found[signal.probe] = (min(known), max(known))
    return found


def _lasts(fault: Fault) -> bool:
    """Whether it has something to undo; a kill has not."""
    return fault.undo.get("kind") != "none"


def _of_run(fault: Fault, begun: datetime) -> bool:
    """Records that an earlier run left open stay in the ledger."""
    at = when(fault.updated_at)
    return at is None or at >= begun


def _same(past: PastRun, window: Window) -> bool:
    return when(past.started_at) == window.begun


def when(stamp: str | None) -> datetime | None:
    """A time of a result, in UTC; what can't be, or can't be read, is unknown: others may write results too."""
    try:
        found = clock.parse(stamp).astimezone(UTC) if stamp else None
    except (ValueError, OverflowError):
        return None
    return found if found and found >= _EPOCH else None
