"""What the exporter keeps of an engine and of a result: numbers and short words, the times as seconds since 1970.

Everything else of an object is forgotten at once, so that ten thousand results stay small. Words that many objects
share (verdicts, mechanisms, names of experiments) are kept once.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from sys import intern

from litmus.api.result import OPEN_STATES
from litmus.kube import clock
from litmus.kube.results import MAX_TARGETS

from . import wire

FINAL = frozenset({"Pass", "Fail", "Stopped", "Error"})
_UNDONE_BY_NOBODY = "none"


@dataclass(frozen=True, slots=True)
class Fault:
    """One record of the ledger. ``lasts``: it has something to undo."""

    id: str
    mechanism: str
    state: str
    lasts: bool
    deadline: float | None
    updated: float | None

    @property
    def open(self) -> bool:
        return self.state in OPEN_STATES

    @property
    def acts(self) -> bool:
        """Whether something is broken now that has to be put back."""
        return self.lasts and self.state in ("injected", "proven")


@dataclass(frozen=True, slots=True)
class Probe:
    name: str
    type: str
    verdict: str


@dataclass(frozen=True, slots=True)
class Measured:
    """Asked against delivered of one target."""

    target: str
    unit: str
    asked: float | None
    delivered: float | None


@dataclass(frozen=True, slots=True)
class Signal:
    """Availability is a ratio by window."""

    probe: str
    availability: tuple[tuple[str, float], ...]
    recovery_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """``experiment`` is the name in the engine, with the instance where there is one: it tells two of them apart."""

    uid: str
    namespace: str
    name: str
    engine: str
    experiment: str
    fault: str
    verdict: str
    percentage: float | None
    engine_uid: str
    number: int
    step: str
    started: float | None
    chaos_started: float | None
    chaos_planned_end: float | None
    finished: float | None
    injected: float | None
    crowded: bool
    analysed: tuple[float, float] | None
    mechanism: str
    faults: tuple[Fault, ...]
    probes: tuple[Probe, ...]
    measured: tuple[Measured, ...]
    signals: tuple[Signal, ...]
    runs: tuple[int, int, int, int]

    @property
    def key(self) -> tuple[str, str, str]:
        return self.namespace, self.engine, self.experiment

    @property
    def final(self) -> bool:
        return self.verdict in FINAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One experiment of an engine, with the verdict that the engine notes."""

    name: str
    instance: str
    weight: int
    verdict: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    uid: str
    namespace: str
    name: str
    monitoring: bool
    stopping: bool
    status: str
    context: str
    workflow: str
    app_namespace: str
    app_label: str
    app_kind: str
    entries: tuple[Entry, ...]


def result(read: wire.Result) -> Result:
    """What is kept of a ChaosResult."""
    status, run = read.status, read.status.run
    outcome = status.experimentstatus if _has_verdict(status.experimentstatus) else status.experiment_status
    faults = tuple(_fault(fault) for fault in status.faults)
    instance = f"-{read.spec.instance}" if read.spec.instance else ""
    return Result(
        uid=read.metadata.uid,
        namespace=intern(read.metadata.namespace),
        name=read.metadata.name,
        engine=read.spec.engine,
        experiment=intern(read.spec.experiment + instance),
        fault=intern(read.spec.experiment),
        verdict=intern(outcome.verdict),
        percentage=_percentage(outcome.probe_success_percentage),
        engine_uid=run.engine_uid,
        number=run.number,
        step=intern(run.step),
        started=seconds(run.started_at),
        chaos_started=seconds(run.chaos_started_at),
        chaos_planned_end=seconds(run.chaos_ends_at),
        finished=seconds(run.finished_at),
        injected=_first(status.targets),
        crowded=len(status.targets) >= MAX_TARGETS,
        analysed=_analysed(status.impact),
        mechanism=faults[0].mechanism if faults else intern(read.spec.experiment),
        faults=faults,
        probes=tuple(Probe(intern(p.name), intern(p.type), intern(p.status.verdict)) for p in status.probe_statuses),
        measured=tuple(_measured(status.targets)),
        signals=tuple(_signal(signal) for signal in status.impact.signals),
        runs=(
            status.history.passed_runs,
            status.history.failed_runs,
            status.history.stopped_runs,
            status.history.error_runs,
        ),
    )


def engine(read: wire.Engine) -> Engine:
    """What is kept of a ChaosEngine."""
    meta, spec = read.metadata, read.spec
    return Engine(
        uid=meta.uid,
        namespace=intern(meta.namespace),
        name=meta.name,
        monitoring=spec.monitoring,
        stopping=spec.engine_state not in ("active", "") or meta.deletion_timestamp is not None,
        status=intern(read.status.engine_status),
        context=meta.labels.get("context", ""),
        workflow=meta.labels.get("workflow_name", ""),
        app_namespace=intern(spec.appinfo.appns),
        app_label=intern(spec.appinfo.applabel),
        app_kind=intern(spec.appinfo.appkind),
        entries=tuple(_entries(read)),
    )


def seconds(stamp: str) -> float | None:
    """Seconds since 1970; None for nothing, or for what is no time."""
    try:
        return clock.parse(stamp).timestamp() if stamp else None
    except (ValueError, OverflowError):
        return None


def _has_verdict(outcome: wire.Outcome) -> bool:
    return outcome.verdict != "Awaited" or bool(outcome.phase)


def _percentage(written: str | float) -> float | None:
    try:
        value = float(str(written).removesuffix("%"))
    except ValueError:
        return None
    return min(100.0, max(0.0, value)) if math.isfinite(value) else None


def _fault(fault: wire.Fault) -> Fault:
    return Fault(
        id=fault.id,
        mechanism=intern(fault.mechanism),
        state=intern(fault.state),
        lasts=fault.undo.get("kind") != _UNDONE_BY_NOBODY,
        deadline=seconds(fault.deadline),
        updated=seconds(fault.updated_at),
    )


def _first(targets: list[wire.Target]) -> float | None:
    """The first injection, as long as the result still knows it: of a long run only the latest targets are kept."""
    if len(targets) >= MAX_TARGETS:
        return None
    return min((at for target in targets if (at := seconds(target.injected_at)) is not None), default=None)


def _analysed(impact: wire.Impact) -> tuple[float, float] | None:
    """Start and end of the chaos as the analysis of the signals has them: to the millisecond."""
    if not impact.signals:
        return None
    start, end = seconds(impact.signals[0].fault.start), seconds(impact.signals[0].fault.end)
    return (start, end) if start is not None and end is not None and start < end else None


def _measured(targets: list[wire.Target]) -> Iterator[Measured]:
    """The latest measurement of each target."""
    latest: dict[tuple[str, str], Measured] = {}
    for target in targets:
        if target.asked_value is None and target.delivered_value is None:
            continue
        name = f"{target.name}/{target.container}" if target.container else target.name
        found = Measured(name, intern(target.unit), target.asked_value, target.delivered_value)
        latest[name, target.unit] = found
    yield from latest.values()


def _signal(signal: wire.Signal) -> Signal:
    windows = (("baseline", signal.baseline), ("fault", signal.fault), ("recovery", signal.recovery))
    return Signal(
        probe=intern(signal.probe),
        availability=tuple(
            (name, window.availability.value / 100) for name, window in windows if window.availability.value is not None
        ),
        recovery_s=signal.time_to_recover.value,
    )


def _entries(read: wire.Engine) -> Iterator[Entry]:
    """In their order, by which an engine notes them; two may have one name."""
    noted = read.status.experiments
    for index, entry in enumerate(read.spec.experiments):
        by_place = noted[index] if index < len(noted) and noted[index].name == entry.name else None
        found = by_place or next((one for one in noted if one.name == entry.name), None)
        instance = next((str(v.value) for v in entry.spec.components.env if v.name == "INSTANCE_ID"), "")
        yield Entry(
            name=intern(entry.name),
            instance=instance,
            weight=entry.spec.weight,
            verdict=intern(found.verdict) if found else "N/A",
        )
