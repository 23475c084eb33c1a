"""ChaosResult: the verdict of one experiment of one engine, who was hit, and the ledger of faults.

``status.experimentstatus`` is the contract of 1.10. Everything beside it is ours: ``run`` (where the run stands),
``targets`` (who was hit and what was measured), ``faults`` (the ledger: what was changed and how to undo it, written
*before* the change), ``history`` (counts over all runs).
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from .impact import Impact
from .meta import API_VERSION, ObjectMeta, Shape

Verdict = Literal["Awaited", "Pass", "Fail", "Stopped", "Error"]
Phase = Literal["Running", "Completed", "Stopped", "Error"]
FaultState = Literal["planned", "injected", "proven", "reverted", "moot", "lost"]

OPEN_STATES: tuple[FaultState, ...] = ("planned", "injected", "proven")
NO_FAIL_STEP = "N/A"


class ErrorOutput(Shape, frozen=True, kw_only=True):
    error_code: Annotated[str, Meta(description="A stable code, for instance TARGET_SELECTION_ERROR.")] = ""
    reason: Annotated[str, Meta(description="One sentence for people.")] = ""


class ExperimentOutcome(Shape, frozen=True, kw_only=True):
    phase: Phase = "Running"
    verdict: Verdict = "Awaited"
    fail_step: Annotated[str, Meta(description="Which check failed, with the values seen; N/A on success.")] = (
        NO_FAIL_STEP
    )
    probe_success_percentage: str = "Awaited"
    error_output: ErrorOutput | None = None


class Run(Shape, frozen=True, kw_only=True):
    """Where the latest run stands."""

    engine_uid: Annotated[str, Meta(description="uid of the engine of this run.")] = ""
    number: Annotated[int, Meta(description="Counts the runs of this result from 1.")] = 0
    pod: Annotated[str, Meta(description="Pod of the experiment.")] = ""
    step: Annotated[str, Meta(description="What the experiment is doing.")] = ""
    started_at: str | None = None
    chaos_started_at: str | None = None
    chaos_ends_at: Annotated[str | None, Meta(description="When the chaos is planned to end.")] = None
    finished_at: Annotated[str | None, Meta(description="Set by the experiment's very last write.")] = None


class Target(Shape, frozen=True, kw_only=True):
    """One object that was hit, with what was asked and what was measured. Times in seconds after the injection."""

    name: str
    namespace: str = ""
    kind: str = "Pod"
    uid: str = ""
    node: str = ""
    container: str | None = None
    injected_at: str | None = None
    gone_after_seconds: Annotated[float | None, Meta(description="Until the pod or container was gone.")] = None
    replaced_by: Annotated[str | None, Meta(description="Pod or container that took its place.")] = None
    ready_after_seconds: Annotated[float | None, Meta(description="Until the replacement was Ready.")] = None
    asked: str = ""
    delivered: str = ""
    asked_value: Annotated[float | None, Meta(description="What was asked, where it is one figure.")] = None
    delivered_value: Annotated[float | None, Meta(description="What was measured, in the same unit.")] = None
    unit: Annotated[str | None, Meta(description="Of these two figures, such as ms or %.")] = None


class FaultTarget(Shape, frozen=True, kw_only=True):
    name: str
    namespace: str = ""
    uid: str = ""
    container: str = ""


class Fault(Shape, frozen=True, kw_only=True):
    """One record of the ledger: one mechanism on one node, with its targets and the way back."""

    id: str
    mechanism: str
    node: str = ""
    targets: list[FaultTarget] = []
    undo: Annotated[dict[str, Any], Meta(description="Recipe that restores what was there; {kind: none} if nothing.")]
    deadline: Annotated[str, Meta(description="When the fault must have ended.")]
    state: FaultState = "planned"
    message: str = ""
    updated_at: str | None = None

    @property
    def open(self) -> bool:
        return self.state in OPEN_STATES


class ProbeStatus(Shape, frozen=True, kw_only=True):
    """1.10: what came of a probe, as a sentence by phase (beforeChaos, afterChaos, continuous, onChaos…)."""

    name: str
    type: str = ""
    status: dict[str, str] = {}


class ProbeVerdict(Shape, frozen=True, kw_only=True):
    verdict: Literal["Passed", "Failed", "N/A", "Awaited"] = "Awaited"
    description: Annotated[str, Meta(description="The observed value, the expected one, and when.")] = ""


class ProbeOutcome(Shape, frozen=True, kw_only=True):
    """3.x: what came of a probe."""

    name: str
    type: str = ""
    mode: str = ""
    status: ProbeVerdict = ProbeVerdict()


class PastRun(Shape, frozen=True, kw_only=True):
    """One run of the past, in a few figures."""

    number: int
    verdict: Verdict
    started_at: str | None = None
    finished_at: str | None = None
    fail_step: str = NO_FAIL_STEP
    probe_success_percentage: str = ""
    availability: Annotated[float | None, Meta(description="During the fault, in percent.")] = None
    recovery_seconds: float | None = None


class History(Shape, frozen=True, kw_only=True):
    passed_runs: int = 0
    failed_runs: int = 0
    stopped_runs: int = 0
    error_runs: int = 0
    runs: Annotated[list[PastRun], Meta(description="The last 20 runs, oldest first.")] = []


class ResultStatus(Shape, frozen=True, kw_only=True):
    experimentstatus: ExperimentOutcome = ExperimentOutcome()
    experiment_status: Annotated[
        dict[str, Any], Meta(description="What an experiment image of 3.x writes instead of experimentstatus.")
    ] = {}
    run: Run = Run()
    targets: list[Target] = []
    faults: list[Fault] = []
    history: History = History()
    probe_status: Annotated[list[ProbeStatus], Meta(description="Of every probe, in the spelling of 1.10.")] = []
    probe_statuses: Annotated[list[ProbeOutcome], Meta(description="Of every probe, in the spelling of 3.x.")] = []
    impact: Impact | None = None

    @property
    def verdict(self) -> Verdict:
        """The verdict in the spelling of 1.10, else in that of 3.x."""
        later: Any = self.experiment_status.get("verdict")
        known = later in ("Pass", "Fail", "Stopped", "Error")
        return later if self.experimentstatus.verdict == "Awaited" and known else self.experimentstatus.verdict


class ResultSpec(Shape, frozen=True, kw_only=True):
    engine: Annotated[str, Meta(description="Name of the engine.")] = ""
    experiment: Annotated[str, Meta(description="Name of the experiment.")] = ""
    instance: Annotated[str, Meta(description="INSTANCE_ID, when set.")] = ""


class ChaosResult(Shape, frozen=True, kw_only=True):
    """What became of one experiment of one engine."""

    api_version: str = API_VERSION
    kind: str = "ChaosResult"
    metadata: ObjectMeta = ObjectMeta()
    spec: ResultSpec = ResultSpec()
    status: ResultStatus = ResultStatus()


def plain(value: msgspec.Struct) -> dict[str, Any]:
    """The JSON form of a struct, with every default written out, as people read it in a result."""
    names = {f.name: f.encode_name for f in msgspec.structs.fields(value)}
    return {names[k]: msgspec.to_builtins(v) for k, v in msgspec.structs.asdict(value).items() if v is not None}
