"""Counters and histograms: what happened since the exporter started, by comparing each result with what it was before.

They begin at 0 with every start of the exporter, as Prometheus expects it of a counter: ``rate`` and ``increase`` are
right across a restart, and nothing is counted twice. A series is there with 0 before anything is counted in it, else
Prometheus could not see the first step. What a watch saw is timed by the clock of the exporter, because stamps of
Kubernetes have whole seconds.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter, Histogram

from . import seen
from .exposition import Family
from .known import Known

# Promised is the deadline and 5 s (design.md §1); the stamps of the ledger have whole seconds.
GRACE_S = 6.0
_SPANS_S = (0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 13.0, 20.0, 30.0, 60.0, 120.0)
_BY_FAULT = ("namespace", "experiment", "mechanism")
_PROBE_WORDS = ("Passed", "Failed", "N/A")


def late(fault: seen.Fault, *, now: float) -> bool:
    """Whether a fault that has something to undo is past its deadline and what is granted after it."""
    return fault.lasts and fault.open and fault.deadline is not None and now > fault.deadline + GRACE_S


@dataclass(slots=True)
class _Record:
    """One open record of the ledger, as long as it is followed."""

    planned: float | None = None
    left: bool = False


@dataclass(slots=True)
class Counted:
    """``clock`` gives seconds since 1970."""

    clock: Callable[[], float]
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    inject: Histogram = field(init=False)
    revert: Histogram = field(init=False)
    leftovers: Counter = field(init=False)
    # A plain table: ten thousand children of a Counter would take some fifty megabytes.
    probes: dict[tuple[str, ...], int] = field(default_factory=dict)
    _records: dict[tuple[str, str], _Record] = field(default_factory=dict)
    _stopped: dict[tuple[str, str], float] = field(default_factory=dict)
    # The series of each result, by its uid.
    _series: dict[str, set[tuple[str, ...]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.inject = Histogram(
            "litmus_time_to_inject_seconds",
            "From the record of a fault in the ledger to its injection.",
            _BY_FAULT,
            registry=self.registry,
            buckets=_SPANS_S,
        )
        self.revert = Histogram(
            "litmus_time_to_revert_seconds",
            "From the planned end of the chaos, or from the abort, to the last trace of a fault being gone.",
            _BY_FAULT,
            registry=self.registry,
            buckets=_SPANS_S,
        )
        self.leftovers = Counter(
            "litmus_leftovers",
            "Faults that outlived their run, or their deadline by more than 5 s, or that were lost.",
            ("mechanism",),
            registry=self.registry,
        )

    def families(self) -> list[Family[Known]]:
        """What is counted here and is not in the registry."""
        return [
            Family(
                name="litmus_probe_outcomes_total",
                help="Outcomes of probes, one per probe and run, since the exporter started.",
                labels=("namespace", "engine", "experiment", "probe", "type", "status"),
                type="counter",
                samples=lambda known: list(self.probes.items()),
            )
        ]

    def result(self, before: seen.Result | None, now: seen.Result | None) -> None:
        """One change of a result. The same one twice is what was there at the start, of which nothing is counted."""
        if now is None:
            if before is not None:
                self._forget(before)
            return
        self._announce(now)
        if before is now:
            self._begin(now)
            return
        self._faults(before, now)
        self._probes(before, now)

    def engine(self, before: seen.Engine | None, now: seen.Engine | None) -> None:
        """One change of an engine: its abort is where the time to revert begins."""
        if now is None or not now.stopping:
            for one in (before, now):
                if one is not None:
                    self._stopped.pop((one.namespace, one.name), None)
        elif before is not now:
            self._stopped.setdefault((now.namespace, now.name), self.clock())

    def overdue(self, results: Iterable[seen.Result]) -> None:
        """Counts the faults that have passed their deadline meanwhile; asked before every scrape."""
        now = self.clock()
        for result in results:
            for fault in result.faults:
                if late(fault, now=now):
                    self._left(result, fault)

    def _announce(self, result: seen.Result) -> None:
        for fault in result.faults:
            labels = (result.namespace, result.experiment, fault.mechanism)
            self.inject.labels(*labels)
            if fault.lasts:
                self.revert.labels(*labels)
                self.leftovers.labels(fault.mechanism)
        for probe in result.probes:
            for word in _PROBE_WORDS:
                series = (*result.key, probe.name, probe.type, word)
                self.probes.setdefault(series, 0)
                self._series.setdefault(result.uid, set()).add(series)

    def _begin(self, result: seen.Result) -> None:
        """A fault that is left over already was counted by the exporter before this one, or by nobody; it is open."""
        for fault in result.faults:
            if fault.open and (result.finished is not None or late(fault, now=self.clock())):
                self._records[result.uid, fault.id] = _Record(left=True)

    def _faults(self, before: seen.Result | None, now: seen.Result) -> None:
        earlier = {fault.id: fault for fault in before.faults} if before else {}
        for fault in now.faults:
            was = earlier.get(fault.id)
            if was == fault and now.finished is None:
                continue
            if fault.state == "planned":
                if was is None or not was.open:
                    self._records[now.uid, fault.id] = _Record(planned=self.clock())
                continue
            self._moved(now, was, fault)
        for id_ in earlier.keys() - {fault.id for fault in now.faults}:
            self._records.pop((now.uid, id_), None)

    def _moved(self, result: seen.Result, was: seen.Fault | None, fault: seen.Fault) -> None:
        record = self._records.get((result.uid, fault.id))
        labels = (result.namespace, result.experiment, fault.mechanism)
        if record and record.planned is not None and fault.state in ("injected", "proven", "reverted"):
            self.inject.labels(*labels).observe(max(0.0, self.clock() - record.planned))
            record.planned = None
        if fault.lasts and fault.open and result.finished is not None:
            self._left(result, fault)
        if was is None or not was.open or fault.open:
            return
        if fault.state == "lost" or (fault.lasts and _was_late(fault)):
            self._left(result, fault)
        if fault.lasts and fault.state == "reverted" and (due := self._due(result, fault)) is not None:
            self.revert.labels(*labels).observe(max(0.0, self.clock() - due))
        self._records.pop((result.uid, fault.id), None)

    def _due(self, result: seen.Result, fault: seen.Fault) -> float | None:
        """When the fault should have begun to end."""
        planned = result.chaos_planned_end if result.chaos_planned_end is not None else fault.deadline
        stopped = self._stopped.get((result.namespace, result.engine))
        return min((at for at in (planned, stopped) if at is not None), default=None)

    def _left(self, result: seen.Result, fault: seen.Fault) -> None:
        record = self._records.setdefault((result.uid, fault.id), _Record())
        if not record.left:
            record.left = True
            self.leftovers.labels(fault.mechanism).inc()

    def _probes(self, before: seen.Result | None, now: seen.Result) -> None:
        same_run = before is not None and (before.number, before.started) == (now.number, now.started)
        told = {(p.name, p.type): p.verdict for p in before.probes} if before and same_run else {}
        for probe in now.probes:
            if probe.verdict in _PROBE_WORDS and told.get((probe.name, probe.type)) != probe.verdict:
                self.probes[*now.key, probe.name, probe.type, probe.verdict] += 1

    def _forget(self, result: seen.Result) -> None:
        for fault in result.faults:
            self._records.pop((result.uid, fault.id), None)
        for series in self._series.pop(result.uid, ()):
            self.probes.pop(series, None)


def _was_late(fault: seen.Fault) -> bool:
    known = fault.deadline is not None and fault.updated is not None
    return known and fault.updated > fault.deadline + GRACE_S  # type: ignore[operator]  # both are known
