"""One result and what was around it: all that a report is written from."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from litmus import api
from litmus.api import names
from litmus.api import score as scores
from litmus.kube.objects import Event

# The words of ``versions``, in the order of a report.
LITMUS, KUBERNETES, IMAGE = "litmus", "kubernetes", "experimentImage"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """``engine`` is None where nobody has it any more; ``events`` are those of the engine and of the result."""

    result: api.ChaosResult
    engine: api.ChaosEngine | None = None
    events: tuple[Event, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.result.metadata.name

    @property
    def experiment(self) -> str:
        return self.result.spec.experiment or self.name

    @property
    def verdict(self) -> api.Verdict:
        return self.result.status.verdict

    @property
    def why(self) -> str:
        """The sentence of a verdict that is not Pass; '' where there is none."""
        status = self.result.status.experimentstatus
        if status.fail_step not in ("", "N/A"):
            return status.fail_step
        return status.error_output.reason if status.error_output else ""

    @property
    def entry(self) -> api.EngineExperiment | None:
        """What the engine asked for."""
        experiments = self.engine.spec.experiments if self.engine else []
        engine = self.result.spec.engine
        return next((e for e in experiments if names.result(engine, e.name, e.instance) == self.name), None) or next(
            (e for e in experiments if e.name == self.result.spec.experiment), None
        )

    @property
    def tunables(self) -> dict[str, str]:
        """What the engine sets; a value that it takes from elsewhere is not shown."""
        env = self.entry.spec.components.env if self.entry else []
        return {variable.name: variable.value for variable in env if variable.value is not None}

    @property
    def application(self) -> str:
        """Whom the engine names, in a few words."""
        if self.engine is None:
            return ""
        spec = self.engine.spec
        if spec.selectors:
            workloads = [f"{w.kind} {w.names or w.labels} ({w.namespace})" for w in spec.selectors.workloads]
            return ", ".join([*workloads, *(f"pods {p.names} ({p.namespace})" for p in spec.selectors.pods)])
        info = spec.appinfo
        return f"{info.appkind} {info.applabel} ({info.appns})".strip() if info.applabel else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Some records, and the resilience score of their engines where these are known."""

    records: tuple[Record, ...]
    score: scores.Score | None = None
    created: str


def scored(engines: Iterable[api.ChaosEngine], results: Iterable[api.ChaosResult]) -> scores.Score | None:
    """The score of these engines together; None without an engine."""
    found = list(engines)
    return scores.of_engines(found, {result.metadata.name: result for result in results}) if found else None
