"""What is to be seen of the objects that are watched, as rows. Pure: the same objects and time give the same rows.

Messages come from clusters and from probes' answers: whatever would move a terminal's cursor is taken out of them here,
so that nothing behind this module has to think of it.
"""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from litmus import api
from litmus.api import engine as words
from litmus.api.result import NO_FAIL_STEP
from litmus.kube import clock, results

# A run undoes its faults at their deadline, which takes a moment; only later is it late.
_GRACE = timedelta(seconds=3)
PAST_RUNS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The objects of a cluster, and in ``troubles`` why those of a kind can't be had or may be old."""

    namespace: str = ""  # '' for all
    engines: list[api.ChaosEngine] = field(default_factory=list)
    results: list[api.ChaosResult] = field(default_factory=list)
    schedules: list[api.ChaosSchedule] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """One experiment of an engine that runs, or the engine itself before its first and after its last one."""

    engine: str
    experiment: str
    place: str  # '2/3'
    step: str
    targets: tuple[str, ...]
    began: datetime | None
    ends: datetime | None
    now: datetime

    @property
    def left_s(self) -> float | None:
        """Seconds of chaos that are left; None before it began."""
        return max(0.0, (self.ends - self.now).total_seconds()) if self.began and self.ends else None

    @property
    def done(self) -> float:
        """The part of the chaos that is over, 0 to 1."""
        if not self.began or not self.ends or self.ends <= self.began:
            return 0.0
        return min(1.0, max(0.0, (self.now - self.began) / (self.ends - self.began)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Overdue:
    """An open fault whose deadline is past."""

    result: str
    mechanism: str
    where: str
    deadline: datetime | None  # None if nobody can read it
    late_s: float
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PastRun:
    """The verdict of a run that is over."""

    verdict: str
    engine: str
    experiment: str
    number: int
    finished: datetime | None
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A schedule and when it starts its next engine."""

    name: str
    state: str
    next: datetime | None
    running: int
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Everything that is to be seen at one moment."""

    now: datetime
    namespace: str
    troubles: tuple[str, ...]
    overdue: tuple[Overdue, ...]
    running: tuple[Running, ...]
    past: tuple[PastRun, ...]
    planned: tuple[Planned, ...]


def view(seen: Seen, now: datetime) -> View:
    """The rows at this time, whose zone is that of all times in them."""
    return View(
        now=now,
        namespace=seen.namespace,
        troubles=tuple(clean(trouble) for trouble in seen.troubles),
        overdue=tuple(sorted(_overdue(seen, now), key=lambda row: -row.late_s)),
        running=tuple(_running(seen, now)),
        past=tuple(_past(seen, now)),
        planned=tuple(sorted(_planned(seen, now), key=lambda row: (row.next is None, row.next or now, row.name))),
    )


def clean(text: str) -> str:
    """One line without characters that a terminal obeys."""
    return "".join(character if character.isprintable() else " " for character in text).strip()


def _name(seen: Seen, one: api.ChaosEngine | api.ChaosResult | api.ChaosSchedule, name: str = "") -> str:
    meta = one.metadata
    return clean((name or meta.name) if seen.namespace else f"{meta.namespace}/{name or meta.name}")


def _time(text: str | None, now: datetime) -> datetime | None:
    try:
        return clock.parse(text).astimezone(now.tzinfo) if text else None
    except (ValueError, OverflowError):
        return None


def _running(seen: Seen, now: datetime) -> Iterator[Running]:
    of_engine: dict[tuple[str, str], list[api.ChaosResult]] = {}
    for result in seen.results:
        of_engine.setdefault((result.metadata.namespace, result.spec.engine), []).append(result)
    for engine in sorted(seen.engines, key=lambda one: (one.metadata.namespace, one.metadata.name)):
        if engine.unfinished and engine.status.engine_status not in ("completed", "stopped"):
            yield from _of_engine(
                seen, engine, of_engine.get((engine.metadata.namespace, engine.metadata.name), []), now
            )


def _of_engine(seen: Seen, engine: api.ChaosEngine, found: list[api.ChaosResult], now: datetime) -> Iterator[Running]:
    """A row for each experiment under way; one for the engine where none is."""
    wanted = engine.spec.experiments
    stopping = "" if engine.wanted else "stopping"
    current = [result for result in found if _goes_on(result, engine)]
    for result in current:
        run = result.status.run
        number = next((i for i, entry in enumerate(wanted, 1) if _is_of(result, entry)), 1)
        yield Running(
            engine=_name(seen, engine),
            experiment=clean(result.spec.experiment),
            place=f"{number}/{len(wanted)}",
            step=clean(stopping or run.step or result.status.experimentstatus.phase),
            targets=tuple(_targets(result)),
            began=_time(run.chaos_started_at, now),
            ends=_time(run.chaos_ends_at, now),
            now=now,
        )
    if not current:
        number, experiment, step = _between(engine)
        yield Running(
            engine=_name(seen, engine),
            experiment=clean(experiment),
            place=f"{number}/{len(wanted)}",
            step=clean(stopping or step),
            targets=(),
            began=None,
            ends=None,
            now=now,
        )


def _is_of(result: api.ChaosResult, entry: api.EngineExperiment) -> bool:
    return result.spec.experiment == entry.name and result.spec.instance in ("", entry.instance)


def _goes_on(result: api.ChaosResult, engine: api.ChaosEngine) -> bool:
    """Whether it is of the run that the engine makes now; an image of the original does not say which it is of."""
    run = result.status.run
    ours = run.engine_uid in ("", engine.metadata.uid)
    return ours and not run.finished_at and result.status.verdict == "Awaited"


def _between(engine: api.ChaosEngine) -> tuple[int, str, str]:
    """The number and name of the experiment that is next, and what it waits for."""
    entries = dict(enumerate(engine.status.experiments, start=1))
    for number, wanted in enumerate(engine.spec.experiments, start=1):
        entry = entries.get(number)
        if entry is None or entry.verdict not in words.FINAL_VERDICTS:
            if not engine.status.engine_status:
                return number, wanted.name, "waits for the operator"
            return number, wanted.name, entry.status if entry else "the runner starts"
    return len(engine.spec.experiments), engine.spec.experiments[-1].name, "all done, the operator clears up"


def _targets(result: api.ChaosResult) -> Iterator[str]:
    """Who is hit: what the run says of its targets, before that the open records of the ledger."""
    if result.status.targets:
        yield from dict.fromkeys(clean(target.name) for target in result.status.targets)
        return
    for fault in result.status.faults:
        if fault.open:
            yield from (clean(target.name) for target in fault.targets)


def _overdue(seen: Seen, now: datetime) -> Iterator[Overdue]:
    for result in seen.results:
        for fault in result.status.faults:
            if not fault.open or not results.undoable(fault):
                continue  # the record of a kill stays open until the application has recovered
            deadline = _time(fault.deadline, now)
            late = now - deadline if deadline else timedelta.max
            if late > _GRACE:
                yield Overdue(
                    result=_name(seen, result),
                    mechanism=clean(fault.mechanism),
                    where=clean(_where(fault)),
                    deadline=deadline,
                    late_s=late.total_seconds(),
                    id=fault.id,
                )


def _where(fault: api.Fault) -> str:
    hit = some([target.name for target in fault.targets])
    return " on ".join(part for part in (hit, fault.node if fault.node != hit else "") if part) or "nobody"


def some(named: Iterable[str], most: int = 3) -> str:
    """The first of the names, and how many more there are."""
    every = list(named)
    return ", ".join(every[:most]) + (f" +{len(every) - most}" if len(every) > most else "")


def _past(seen: Seen, now: datetime) -> Iterator[PastRun]:
    """The last runs, newest first. Results may be many, so rows are made only of the runs that are shown."""
    newest = heapq.nlargest(PAST_RUNS, _ended(seen.results), key=lambda ended: ended[0])
    for (finished, _, _, number), verdict, why, result in newest:
        yield PastRun(
            verdict=verdict,
            engine=_name(seen, result, result.spec.engine),
            experiment=clean(result.spec.experiment),
            number=number,
            finished=_time(finished, now),
            why="" if why == NO_FAIL_STEP else clean(why),
        )


_Ended = tuple[tuple[str, str, str, int], str, str, api.ChaosResult]


def _ended(found: Iterable[api.ChaosResult]) -> Iterator[_Ended]:
    """Every run that is over: when, which, its verdict and why. Times are UTC and of one form, so text sorts them."""
    for result in found:
        run, status, meta = result.status.run, result.status, result.metadata
        for past in status.history.runs:
            if past.number != run.number:
                when = (past.finished_at or "", meta.namespace, meta.name, past.number)
                yield when, past.verdict, past.fail_step, result
        if status.verdict in words.FINAL_VERDICTS:
            when = (run.finished_at or "", meta.namespace, meta.name, run.number)
            yield when, status.verdict, status.experimentstatus.fail_step, result


def _planned(seen: Seen, now: datetime) -> Iterator[Planned]:
    for schedule in seen.schedules:
        progress, state = schedule.status.schedule, schedule.spec.schedule_state
        yield Planned(
            name=_name(seen, schedule),
            state=clean(progress.status) if state == "active" and progress.status else state,
            next=_time(progress.expected_next_run_time, now) if state == "active" else None,
            running=len(schedule.status.active),
            message=clean(progress.message),
        )
