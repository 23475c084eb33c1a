"""Our own metrics over the state of the cluster. Those with a memory are in ``counting``, the original's in ``legacy``.

Labels are bounded: by namespaces, engines, their experiments and probes, and by the targets of results that are there.
Messages and names of pods that come and go never become labels.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from . import bands, counting, legacy, seen
from .exposition import Family, Sample
from .known import Known

RUN = ("namespace", "engine", "experiment")
_TARGET = (*RUN, "mechanism", "target", "unit")
_ENDINGS = ("passed", "failed", "stopped", "error")

Figure = Callable[[seen.Result], float | None]


def families(counted: counting.Counted, *, pulse_s: float) -> list[Family[Known]]:
    """Every family but those of ``counted.registry``, the original's first. ``pulse_s``: see ``legacy.families``."""
    return [
        *legacy.families(pulse_s=pulse_s),
        *_of_runs(),
        *_of_chaos(),
        *_of_faults(),
        *_of_measurements(),
        *_of_history(),
        *counted.families(),
        *_of_the_exporter(),
    ]


def _of_runs() -> Iterator[Family[Known]]:
    yield Family(
        name="litmus_run_info",
        help="1 for the latest run of each experiment; uid is that of its engine.",
        labels=(*RUN, "result", "uid", "verdict"),
        samples=_each(lambda result: [((*result.key, result.name, result.engine_uid, result.verdict), 1)]),
    )
    yield _time("litmus_run_started_timestamp_seconds", "When the latest run began.", lambda result: result.started)
    yield _time("litmus_run_finished_timestamp_seconds", "When the latest run ended.", lambda result: result.finished)


def _of_chaos() -> Iterator[Family[Known]]:
    yield Family(
        name="litmus_chaos_active",
        help="1 between the first injection and the end of the chaos, else 0; the verdict is Awaited meanwhile.",
        labels=(*RUN, "verdict"),
        samples=_each(lambda result: [((*result.key, result.verdict), _active(result))]),
    )
    yield Family(
        name="litmus_chaos_started_timestamp_seconds",
        help="When the latest run first injected something; run counts the runs of a result from 1.",
        labels=(*RUN, "run", "verdict"),
        samples=_each(lambda result: _moment(result, lambda band: band.started)),
    )
    yield Family(
        name="litmus_chaos_ended_timestamp_seconds",
        help="When the chaos of the latest run was over; missing until then.",
        labels=(*RUN, "run", "verdict"),
        samples=_each(lambda result: _moment(result, lambda band: band.ended)),
    )


def _active(result: seen.Result) -> int:
    band = bands.of(result)
    return int(band is not None and band.ended is None)


def _moment(result: seen.Result, choose: Callable[[bands.Band], float | None]) -> Iterator[Sample]:
    band = bands.of(result)
    moment = choose(band) if band else None
    if moment is not None:
        yield (*result.key, str(result.number), result.verdict), moment


def _of_faults() -> Iterator[Family[Known]]:
    yield Family(
        name="litmus_faults",
        help="Records in the ledger of the latest run; planned, injected and proven ones are open.",
        labels=(*RUN, "mechanism", "state"),
        samples=_each(_faults),
    )
    yield Family(
        name="litmus_faults_open_past_deadline",
        help="Open records that have something to undo and are past their deadline by more than 5 s.",
        labels=(*RUN, "mechanism"),
        samples=_past_deadline,
    )


def _faults(result: seen.Result) -> Iterator[Sample]:
    for (mechanism, state), number in Counter((fault.mechanism, fault.state) for fault in result.faults).items():
        yield (*result.key, mechanism, state), number


def _past_deadline(known: Known) -> Iterator[Sample]:
    """0 as well, as long as there is a ledger: an alert must be able to end."""
    for result in known.latest:
        for mechanism in {fault.mechanism for fault in result.faults if fault.lasts}:
            ours = [fault for fault in result.faults if fault.mechanism == mechanism]
            yield (*result.key, mechanism), sum(counting.late(fault, now=known.now) for fault in ours)


def _of_measurements() -> Iterator[Family[Known]]:
    yield Family(
        name="litmus_asked_value",
        help="What was asked of a fault on one target, in the unit of the label.",
        labels=_TARGET,
        samples=_each(lambda result: _measured(result, lambda found: found.asked)),
    )
    yield Family(
        name="litmus_delivered_value",
        help="What was measured there, in the same unit.",
        labels=_TARGET,
        samples=_each(lambda result: _measured(result, lambda found: found.delivered)),
    )
    yield Family(
        name="litmus_recovery_seconds",
        help="From the end of the chaos to the steady state, by the signal of a probe; of kills the longest.",
        labels=(*RUN, "signal"),
        samples=_each(_recovery),
    )
    yield Family(
        name="litmus_availability_ratio",
        help="Samples of a probe's signal that were good; window is baseline, fault or recovery.",
        labels=(*RUN, "signal", "window"),
        samples=_each(_availability),
    )


def _measured(result: seen.Result, choose: Callable[[seen.Measured], float | None]) -> Iterator[Sample]:
    for found in result.measured:
        value = choose(found)
        if value is not None:
            yield (*result.key, result.mechanism, found.target, found.unit), value


def _recovery(result: seen.Result) -> Iterator[Sample]:
    for signal in result.signals:
        if signal.recovery_s is not None:
            yield (*result.key, signal.probe), signal.recovery_s


def _availability(result: seen.Result) -> Iterator[Sample]:
    for signal in result.signals:
        for window, ratio in signal.availability:
            yield (*result.key, signal.probe, window), ratio


def _of_history() -> Iterator[Family[Known]]:
    for place, ending in enumerate(_ENDINGS):
        yield Family(
            name=f"litmus_experiments_{ending}_total",
            help=f"Runs that ended so: {ending}. From the history of the result, so it outlives the exporter.",
            labels=RUN,
            type="counter",
            samples=_each(lambda result, place=place: [(result.key, result.runs[place])]),  # type: ignore[misc]
        )
    yield Family(
        name="litmus_resilience_score",
        help="Probes that passed, weighted by experiment, from 0 to 100; of engines whose runs are over.",
        labels=("namespace", "engine"),
        samples=lambda known: (((engine.namespace, engine.name), value) for engine, value in known.scores()),
    )


def _of_the_exporter() -> Iterator[Family[Known]]:
    yield Family(
        name="litmus_exporter_source_up",
        help="1 if the exporter can read that kind of object; at 0 its other metrics are missing or old.",
        labels=("kind",),
        samples=lambda known: [((kind,), int(up)) for kind, up, _ in known.sources],
    )
    yield Family(
        name="litmus_exporter_objects",
        help="Objects of that kind that the exporter knows of.",
        labels=("kind",),
        samples=lambda known: [((kind,), number) for kind, _, number in known.sources],
    )


def _each(samples: Callable[[seen.Result], Iterable[Sample]]) -> Callable[[Known], Iterator[Sample]]:
    """Over the latest result of each experiment."""
    return lambda known: (sample for result in known.latest for sample in samples(result))


def _time(name: str, help_: str, value: Figure) -> Family[Known]:
    return Family(
        name=name,
        help=f"{help_} In seconds since 1970.",
        labels=RUN,
        samples=_each(lambda result: [(result.key, at)] if (at := value(result)) is not None else []),
    )
