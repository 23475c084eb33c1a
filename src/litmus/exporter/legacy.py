"""The metrics of the original's exporter, with its names and labels: those of 1.10, and those of 3.x.

What its code gets wrong is right here: series go with their result, ``fault_name`` is the experiment of the result and
not the first one of its engine, ``experiments_run_count`` is a sum, "waiting" counts what has no verdict yet, and the
times come from the result, so that they outlive the events that the original reads them from.
"""

from collections.abc import Callable, Iterator

from . import bands, seen
from .exposition import Family, Sample
from .known import Known

_ENGINE = ("engine_namespace", "engine_name")
_RESULT = ("chaosresult_namespace", "chaosresult_name", "chaosengine_name", "chaosengine_context", "fault_name")
_VERDICT = (
    *_RESULT,
    "chaosresult_verdict",
    "probe_success_percentage",
    "app_label",
    "app_namespace",
    "app_kind",
    "workflow_name",
)
_WAITING = ("N/A", "Awaited", "")

Count = Callable[[seen.Engine], int]
Figure = Callable[[seen.Result], float | None]


def families(*, pulse_s: float) -> list[Family[Known]]:
    """All of them. ``pulse_s``: so long a new verdict shows as 1, in the original TSDB_SCRAPE_INTERVAL."""
    return [*_of_1_10(), *_of_results(pulse_s), *_sums()]


def _of_1_10() -> Iterator[Family[Known]]:
    counts: dict[str, tuple[str, Count]] = {
        "experiments_count": ("Experiments", lambda engine: len(engine.entries)),
        "passed_experiments": ("Experiments that passed", lambda engine: _with(engine, "Pass")),
        "failed_experiments": ("Experiments that failed", lambda engine: _with(engine, "Fail")),
        "waiting_experiments": ("Experiments without a verdict", lambda engine: _with(engine, *_WAITING)),
    }
    for name, (what, count) in counts.items():
        yield Family(
            name=f"chaosengine_{name}",
            help=f"{what} of an engine with monitoring: true.",
            labels=_ENGINE,
            samples=_by_engine(count),
        )
    for name in ("experiments_count", "passed_experiments", "failed_experiments"):
        what, count = counts[name]
        yield Family(
            name=f"cluster_overall_{name}",
            help=f"{what} of all engines with monitoring: true.",
            samples=_over_engines(count),
        )
    yield Family(
        name="cluster_overall_RunningExperiment",
        help="1 for each experiment that runs, of engines with monitoring: true.",
        labels=(*_ENGINE, "result_name"),
        samples=_running,
    )


def _monitored(known: Known) -> Iterator[seen.Engine]:
    return (engine for engine in known.engines if engine.monitoring)


def _with(engine: seen.Engine, *verdicts: str) -> int:
    return sum(entry.verdict in verdicts for entry in engine.entries)


def _by_engine(count: Count) -> Callable[[Known], Iterator[Sample]]:
    return lambda known: (((engine.namespace, engine.name), count(engine)) for engine in _monitored(known))


def _over_engines(count: Count) -> Callable[[Known], Iterator[Sample]]:
    return lambda known: iter([((), sum(count(engine) for engine in _monitored(known)))])


def _running(known: Known) -> Iterator[Sample]:
    for engine in _monitored(known):
        for entry in engine.entries:
            if entry.verdict == "Awaited":
                yield (engine.namespace, engine.name, f"{engine.name}-{entry.name}"), 1


def _of_results(pulse_s: float) -> Iterator[Family[Known]]:
    yield _figure("passed_experiments", "Runs that passed.", lambda result: result.runs[0])
    yield _figure("failed_experiments", "Runs that failed.", lambda result: result.runs[1])
    yield Family(
        name="litmuschaos_awaited_experiments",
        help="1 as long as the verdict of the latest run is awaited.",
        labels=(*_RESULT, "workflow_name"),
        samples=lambda known: (
            ((*_labels(known, result), _workflow(known, result)), _awaited(result)) for result in known.results
        ),
    )
    yield Family(
        name="litmuschaos_experiment_verdict",
        help="The verdict of the latest run: 1 when it is new, 0 later and while it is awaited.",
        labels=_VERDICT,
        samples=lambda known: (_verdict(known, result, pulse_s) for result in known.results),
    )
    yield _figure(
        "probe_success_percentage", "Probes of the latest run that passed, in percent.", lambda r: r.percentage or 0.0
    )
    yield _figure("experiment_start_time", "When the latest run began, in seconds since 1970.", _started)
    yield _figure("experiment_end_time", "When the latest run ended, in seconds since 1970.", _ended)
    yield _figure(
        "experiment_chaos_injected_time", "When it first injected something, in seconds since 1970.", _injected
    )
    yield _figure(
        "experiment_total_duration", "Seconds that the latest run took.", lambda r: max(0.0, _ended(r) - _started(r))
    )


def _figure(name: str, help_: str, value: Figure) -> Family[Known]:
    return Family(
        name=f"litmuschaos_{name}",
        help=help_,
        labels=_RESULT,
        samples=lambda known: (
            (_labels(known, result), figure) for result in known.results if (figure := value(result)) is not None
        ),
    )


def _labels(known: Known, result: seen.Result) -> tuple[str, ...]:
    engine = known.engine_of(result)
    return result.namespace, result.name, result.engine, engine.context if engine else "", result.fault


def _workflow(known: Known, result: seen.Result) -> str:
    engine = known.engine_of(result)
    return engine.workflow if engine else ""


def _verdict(known: Known, result: seen.Result, pulse_s: float) -> Sample:
    engine = known.engine_of(result)
    app = (engine.app_label, engine.app_namespace, engine.app_kind, engine.workflow) if engine else ("", "", "", "")
    new = result.final and result.finished is not None and known.now - result.finished <= pulse_s
    percentage = f"{result.percentage or 0.0:f}"  # with six decimals, as the original writes it
    return (*_labels(known, result), result.verdict, percentage, *app), int(new)


def _awaited(result: seen.Result) -> int:
    return int(not result.final)


def _started(result: seen.Result) -> float:
    return result.started or 0.0


def _ended(result: seen.Result) -> float:
    return result.finished or 0.0


def _injected(result: seen.Result) -> float:
    band = bands.of(result)
    return band.started if band else 0.0


def _sums() -> Iterator[Family[Known]]:
    figures: dict[str, tuple[str, Callable[[seen.Result], int]]] = {
        "passed_experiments": ("Runs that passed", lambda result: result.runs[0]),
        "failed_experiments": ("Runs that failed", lambda result: result.runs[1]),
        "awaited_experiments": ("Results whose verdict is awaited", _awaited),
        "experiments_run_count": (
            "Runs that passed, failed or are awaited",
            lambda result: result.runs[0] + result.runs[1] + _awaited(result),
        ),
        "experiments_installed_count": ("Results there are", lambda result: 1),
    }
    for name, (what, figure) in figures.items():
        yield Family(
            name=f"litmuschaos_namespace_scoped_{name}",
            help=f"{what}, by namespace.",
            labels=("chaosresult_namespace",),
            samples=_by_namespace(figure),
        )
        yield Family(
            name=f"litmuschaos_cluster_scoped_{name}",
            help=f"{what}, in all namespaces that are watched.",
            samples=_overall(figure),
        )


def _by_namespace(figure: Callable[[seen.Result], int]) -> Callable[[Known], Iterator[Sample]]:
    def samples(known: Known) -> Iterator[Sample]:
        sums: dict[str, int] = {}
        for result in known.results:
            sums[result.namespace] = sums.get(result.namespace, 0) + figure(result)
        return (((namespace,), total) for namespace, total in sums.items())

    return samples


def _overall(figure: Callable[[seen.Result], int]) -> Callable[[Known], Iterator[Sample]]:
    return lambda known: iter([((), sum(figure(result) for result in known.results))])
