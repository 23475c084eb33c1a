"""What the exporter reads of engines and results: few fields, and nothing that it would refuse to read.

The types of ``litmus.api`` are not used here: they keep every field, which for ten thousand results is too much, and
they refuse a verdict that they don't know, while one odd object must not hide the others.
"""

from typing import Any

from litmus.api import ObjectMeta, Shape


class Outcome(Shape, frozen=True, kw_only=True):
    verdict: str = "Awaited"
    phase: str = ""
    probe_success_percentage: str | int | float = ""


class Run(Shape, frozen=True, kw_only=True):
    engine_uid: str = ""
    number: int = 0
    step: str = ""
    started_at: str = ""
    chaos_started_at: str = ""
    chaos_ends_at: str = ""
    finished_at: str = ""


class Target(Shape, frozen=True, kw_only=True):
    name: str = ""
    container: str = ""
    injected_at: str = ""
    asked_value: float | None = None
    delivered_value: float | None = None
    unit: str = ""


class Fault(Shape, frozen=True, kw_only=True):
    id: str = ""
    mechanism: str = ""
    undo: dict[str, Any] = {}
    deadline: str = ""
    state: str = "planned"
    updated_at: str = ""


class ProbeVerdict(Shape, frozen=True, kw_only=True):
    verdict: str = "Awaited"


class Probe(Shape, frozen=True, kw_only=True):
    name: str = ""
    type: str = ""
    status: ProbeVerdict = ProbeVerdict()


class History(Shape, frozen=True, kw_only=True):
    passed_runs: int = 0
    failed_runs: int = 0
    stopped_runs: int = 0
    error_runs: int = 0


class Figure(Shape, frozen=True, kw_only=True):
    value: float | None = None


class Window(Shape, frozen=True, kw_only=True):
    start: str = ""
    end: str = ""
    availability: Figure = Figure()


class Signal(Shape, frozen=True, kw_only=True):
    probe: str = ""
    baseline: Window = Window()
    fault: Window = Window()
    recovery: Window = Window()
    time_to_recover: Figure = Figure()


class Impact(Shape, frozen=True, kw_only=True):
    signals: list[Signal] = []


class ResultStatus(Shape, frozen=True, kw_only=True):
    """``experimentstatus`` is the spelling of 1.10 and ours, ``experimentStatus`` that of 3.x."""

    experimentstatus: Outcome = Outcome()
    experiment_status: Outcome = Outcome()
    run: Run = Run()
    targets: list[Target] = []
    faults: list[Fault] = []
    history: History = History()
    probe_statuses: list[Probe] = []
    impact: Impact = Impact()


class ResultSpec(Shape, frozen=True, kw_only=True):
    engine: str = ""
    experiment: str = ""
    instance: str = ""


class Result(Shape, frozen=True, kw_only=True):
    metadata: ObjectMeta = ObjectMeta()
    spec: ResultSpec = ResultSpec()
    status: ResultStatus = ResultStatus()


class Variable(Shape, frozen=True, kw_only=True):
    name: str = ""
    value: str | int | float | bool = ""


class Components(Shape, frozen=True, kw_only=True):
    env: list[Variable] = []


class Attributes(Shape, frozen=True, kw_only=True):
    components: Components = Components()
    weight: int = 10


class Entry(Shape, frozen=True, kw_only=True):
    name: str = ""
    spec: Attributes = Attributes()


class AppInfo(Shape, frozen=True, kw_only=True):
    appns: str = ""
    applabel: str = ""
    appkind: str = ""


class EngineSpec(Shape, frozen=True, kw_only=True):
    appinfo: AppInfo = AppInfo()
    engine_state: str = "active"
    monitoring: bool = False
    experiments: list[Entry] = []


class ExperimentStatus(Shape, frozen=True, kw_only=True):
    name: str = ""
    verdict: str = "N/A"


class EngineStatus(Shape, frozen=True, kw_only=True):
    engine_status: str = ""
    experiments: list[ExperimentStatus] = []


class Engine(Shape, frozen=True, kw_only=True):
    metadata: ObjectMeta = ObjectMeta()
    spec: EngineSpec = EngineSpec()
    status: EngineStatus = EngineStatus()


class Experiment(Shape, frozen=True, kw_only=True):
    metadata: ObjectMeta = ObjectMeta()
