"""A run in the order of time: what litmus did, what was hit, what the signal showed, what the events say."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from . import wording
from .record import Record
from .wording import Say

Sort = Literal["run", "chaos", "target", "fault", "signal", "event", "warning"]


@dataclass(frozen=True, slots=True)
class Moment:
    at: datetime
    sort: Sort
    text: str


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of the run. ``name`` is English: the key of its translation and of its colour."""

    name: Literal["before", "ramp", "chaos", "after"]
    start: datetime
    end: datetime

    @property
    def seconds(self) -> float:
        return (self.end - self.start).total_seconds()


def of(record: Record, say: Say) -> list[Moment]:
    """Everything of the latest run that has a time, in its order."""
    found = [
        *_run(record, say),
        *_targets(record, say),
        *_faults(record, say),
        *_signals(record, say),
        *_events(record),
    ]
    return sorted(found, key=lambda moment: moment.at)


def phases(record: Record) -> list[Phase]:
    """Checks, ramp, chaos, ramp, recovery and checks - as far as the result knows when they were."""
    run = record.result.status.run
    begun, ended = wording.when(run.started_at), wording.when(run.finished_at)
    chaos, over = window(record)
    if begun is None or ended is None or chaos is None or over is None:
        return []
    ramp = timedelta(seconds=_ramp_s(record))
    points: list[tuple[Literal["before", "ramp", "chaos", "after"], datetime]] = [
        ("before", max(begun, chaos - ramp)),
        ("ramp", chaos),
        ("chaos", over),
        ("ramp", min(ended, over + ramp)),
        ("after", ended),
    ]
    found, last = [], begun
    for name, until in points:
        if until > last:
            found.append(Phase(name, last, until))
            last = until
    return found


def window(record: Record) -> tuple[datetime | None, datetime | None]:
    """When the chaos began and ended: as the signal's analysis has it, else as the run planned it."""
    run, impact = record.result.status.run, record.result.status.impact
    if impact and impact.signals:
        fault = impact.signals[0].fault
        start, end = wording.when(fault.start), wording.when(fault.end)
        if start and end and start < end:
            return start, end
    start, end, finished = (wording.when(t) for t in (run.chaos_started_at, run.chaos_ends_at, run.finished_at))
    return start, min(end, finished) if end and finished else end


def injections(record: Record) -> list[datetime]:
    """When something was injected, each instant once."""
    found = {at for target in record.result.status.targets if (at := _injected(record, target.injected_at))}
    return sorted(found)


def _injected(record: Record, stamp: str | None) -> datetime | None:
    """When a target was hit. Its stamp has whole seconds, so the first would seem to come before the chaos began."""
    at, (start, _) = wording.when(stamp), window(record)
    return start if at and start and timedelta(0) < start - at < timedelta(seconds=1) else at


def _ramp_s(record: Record) -> float:
    try:
        return max(0.0, float(record.tunables.get("RAMP_TIME", "") or 0))
    except ValueError:
        return 0.0


def _run(record: Record, say: Say) -> Iterator[Moment]:
    run = record.result.status.run
    start, end = window(record)
    if begun := wording.when(run.started_at):
        yield Moment(begun, "run", say("The run begins: {pod}").format(pod=run.pod or record.experiment))
    if start and (ramp := _ramp_s(record)):
        yield Moment(start - timedelta(seconds=ramp), "run", say("Ramp time, {span}").format(span=wording.span(ramp)))
    if start:
        yield Moment(start, "chaos", say("The chaos begins"))
    if end:
        yield Moment(end, "chaos", say("The chaos ends"))
    if finished := wording.when(run.finished_at):
        yield Moment(finished, "run", say("The run ends: {verdict}").format(verdict=record.verdict))


def _targets(record: Record, say: Say) -> Iterator[Moment]:
    for target in record.result.status.targets:
        at = _injected(record, target.injected_at)
        if at is None:
            continue
        name = f"{target.name}/{target.container}" if target.container else target.name
        asked = f": {target.asked}" if target.asked else ""
        yield Moment(at, "target", say("Hit: {target}").format(target=f"{target.kind} {name}{asked}"))
        if target.gone_after_seconds is not None:
            yield Moment(at + _later(target.gone_after_seconds), "target", say("Gone: {target}").format(target=name))
        if target.ready_after_seconds is not None:
            ready = say("Ready again: {target}").format(target=target.replaced_by or name)
            yield Moment(at + _later(target.ready_after_seconds), "target", ready)


def _faults(record: Record, say: Say) -> Iterator[Moment]:
    for fault in record.result.status.faults:
        at = wording.when(fault.updated_at)
        if at is not None:
            where = f" ({fault.node})" if fault.node else ""
            text = say("Fault {what}: {state}").format(what=f"{fault.mechanism}{where}", state=fault.state)
            yield Moment(at, "fault", f"{text} - {fault.message}" if fault.message else text)


def _signals(record: Record, say: Say) -> Iterator[Moment]:
    impact = record.result.status.impact
    for signal in impact.signals if impact else ():
        if hit := wording.when(signal.impact_at):
            yield Moment(hit, "signal", say("{probe}: first impact").format(probe=signal.probe))
        if recovered := wording.when(signal.steady_at):
            yield Moment(recovered, "signal", say("{probe}: steady again").format(probe=signal.probe))


def _events(record: Record) -> Iterator[Moment]:
    earliest = _earliest(record)
    finished = wording.when(record.result.status.run.finished_at)
    for event in record.events:
        at = wording.when(event.last_timestamp) or wording.when(event.first_timestamp)
        if at is None or (earliest and at < earliest):
            continue  # of an earlier run
        if finished and at > finished + timedelta(minutes=10):
            continue  # of a later one
        yield Moment(at, "warning" if event.type == "Warning" else "event", f"{event.reason}: {event.message}")


def _earliest(record: Record) -> datetime | None:
    """From when on events are of this run: of its preparation too, but not of the run before and what came after it."""
    status = record.result.status
    begun = wording.when(status.run.started_at)
    if begun is None:
        return None
    before = [wording.when(past.finished_at) for past in status.history.runs if past.number < status.run.number]
    ends = [end + timedelta(seconds=10) for end in before if end is not None]
    return max([begun - timedelta(minutes=2), *(min(end, begun) for end in ends)])


def _later(seconds: float) -> timedelta:
    return timedelta(seconds=max(0.0, min(seconds, 1e6)))
