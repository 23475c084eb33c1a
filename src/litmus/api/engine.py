"""ChaosEngine: binds experiments to an application. Every field of 1.10 and of 3.x is accepted."""

from typing import Annotated, Any, Literal

from msgspec import Meta

from .meta import (
    API_VERSION,
    ConfigMapMount,
    EnvVar,
    LocalObjectReference,
    ObjectMeta,
    ResourceRequirements,
    SecretMount,
    Shape,
    Toleration,
)
from .probe import Probe
from .result import Verdict

AppKind = Literal["", "deployment", "statefulset", "daemonset", "deploymentconfig", "rollout"]
EngineStatusWord = Literal["", "initialized", "completed", "stopped"]

RUNNING = "Running"
COMPLETED = "Completed"
WAITING = "Waiting for Job Creation"
NOT_FOUND = "ChaosExperiment Not Found"
ABORTED = "Forcefully Aborted"
SKIPPED = "Skipped"


class AppInfo(Shape, frozen=True, kw_only=True):
    appns: Annotated[str, Meta(description="Namespace of the application; empty means the engine's own.")] = ""
    applabel: Annotated[str, Meta(description="Label selector of the application, for instance app=nginx.")] = ""
    appkind: Annotated[AppKind, Meta(description="Kind of the workload; empty means pods of any owner or none.")] = ""


class WorkloadSelector(Shape, frozen=True, kw_only=True):
    kind: Literal["deployment", "statefulset", "daemonset", "deploymentconfig", "rollout"]
    namespace: str
    names: Annotated[str, Meta(description="Names of workloads, separated by commas.")] = ""
    labels: Annotated[str, Meta(description="Label selector; give names or labels, not both.")] = ""


class PodSelector(Shape, frozen=True, kw_only=True):
    namespace: str
    names: Annotated[str, Meta(description="Names of pods, separated by commas.")]


class Selectors(Shape, frozen=True, kw_only=True):
    workloads: list[WorkloadSelector] = []
    pods: list[PodSelector] = []


class Runner(Shape, frozen=True, kw_only=True):
    image: Annotated[str, Meta(description="Image of the runner; empty means the operator's own.")] = ""
    type: Annotated[str, Meta(description="Accepted for compatibility.")] = ""
    args: list[str] = []
    command: list[str] = []
    image_pull_policy: Literal["", "Always", "IfNotPresent", "Never"] = ""
    image_pull_secrets: list[LocalObjectReference] = []
    runnerannotation: Annotated[dict[str, str], Meta(description="Annotations of the runner pod (1.10).")] = {}
    runner_annotations: Annotated[dict[str, str], Meta(description="Annotations of the runner pod (3.x).")] = {}
    runner_labels: dict[str, str] = {}
    node_selector: dict[str, str] = {}
    config_maps: list[ConfigMapMount] = []
    secrets: list[SecretMount] = []
    tolerations: list[Toleration] = []
    resources: ResourceRequirements | None = None


class Components(Shape, frozen=True, kw_only=True):
    runner: Runner = Runner()
    sidecar: Annotated[list[dict[str, Any]], Meta(description="Accepted, not acted on.")] = []


class StatusCheckTimeouts(Shape, frozen=True, kw_only=True):
    delay: Annotated[int, Meta(description="Accepted; the application is looked at when it changes.", ge=0)] = 2
    timeout: Annotated[int, Meta(description="Seconds that the application has to be healthy.", ge=0)] = 180


class ExperimentComponents(Shape, frozen=True, kw_only=True):
    env: Annotated[list[EnvVar], Meta(description="Tunables; they override those of the ChaosExperiment.")] = []
    config_maps: list[ConfigMapMount] = []
    configmaps: list[ConfigMapMount] = []
    secrets: list[SecretMount] = []
    experimentannotation: Annotated[dict[str, str], Meta(description="Annotations of the pod (1.10).")] = {}
    experiment_annotations: Annotated[dict[str, str], Meta(description="Annotations of the pod (3.x).")] = {}
    experiment_image: Annotated[str, Meta(description="Overrides the image of the ChaosExperiment.")] = ""
    experiment_image_pull_secrets: list[LocalObjectReference] = []
    node_selector: dict[str, str] = {}
    status_check_timeouts: StatusCheckTimeouts = StatusCheckTimeouts()
    resources: ResourceRequirements | None = None
    tolerations: list[Toleration] = []


class ExperimentAttributes(Shape, frozen=True, kw_only=True):
    rank: Annotated[int | None, Meta(description="Accepted; the order of the list counts.")] = None
    components: ExperimentComponents = ExperimentComponents()
    probe: list[Probe] = []
    impact: Annotated[
        dict[str, str],
        Meta(
            description="Steady-state criteria by figure, such as availability: '>= 99%', recovery: '<= 20s', "
            "latencyP95: '<= 2x baseline'; they need a probe with a continuous signal."
        ),
    ] = {}
    weight: Annotated[int, Meta(description="Of this experiment in the resilience score.", ge=0, le=10)] = 10


class EngineExperiment(Shape, frozen=True, kw_only=True):
    name: Annotated[str, Meta(description="Name of a ChaosExperiment in the engine's namespace.", min_length=1)]
    spec: ExperimentAttributes = ExperimentAttributes()

    @property
    def instance(self) -> str:
        """INSTANCE_ID, which is appended to the name of the result."""
        return next((v.value or "" for v in self.spec.components.env if v.name == "INSTANCE_ID"), "")


class EngineSpec(Shape, frozen=True, kw_only=True):
    appinfo: AppInfo = AppInfo()
    selectors: Annotated[Selectors | None, Meta(description="Targets in the spelling of 3.x, instead of appinfo.")] = (
        None
    )
    annotation_check: Annotated[
        Literal["true", "false"],
        Meta(description='Whether the application must carry litmuschaos.io/chaos="true". A string.'),
    ] = "true"
    default_health_check: Annotated[
        bool | None, Meta(description="false skips the health checks of the application; checked when absent.")
    ] = None
    engine_state: Annotated[
        Literal["active", "stop", ""], Meta(description="active runs; stop aborts and reverts; empty means active.")
    ] = "active"
    auxiliary_app_info: Annotated[
        str, Meta(description="Further applications that must be healthy: namespace:label,namespace:label.")
    ] = ""
    chaos_service_account: Annotated[str, Meta(description="Service account of the runner and the experiments.")] = ""
    components: Components = Components()
    monitoring: Annotated[bool, Meta(description="Whether the 1.10 metrics of the exporter count this engine.")] = False
    job_clean_up_policy: Annotated[
        Literal["delete", "retain", ""], Meta(description="What becomes of jobs and runner pod afterwards.")
    ] = "delete"
    termination_grace_period_seconds: Annotated[
        Annotated[int, Meta(ge=0)] | None, Meta(description="Grace period in seconds of the pods of a run.")
    ] = None
    experiments: Annotated[list[EngineExperiment], Meta(description="Run in this order.", min_length=1)]


class ExperimentStatus(Shape, frozen=True, kw_only=True):
    """One line of ``status.experiments``."""

    name: str
    runner: str = ""
    experiment_pod: str = "Yet to be launched"
    status: str = WAITING
    verdict: Literal["N/A", "Awaited", "Pass", "Fail", "Stopped", "Error"] = "N/A"
    last_update_time: str | None = None


class EngineStatus(Shape, frozen=True, kw_only=True):
    engine_status: EngineStatusWord = ""
    experiments: list[ExperimentStatus] = []


class ChaosEngine(Shape, frozen=True, kw_only=True):
    """The declaration of one run: which experiments, on which application, with which service account."""

    api_version: str = API_VERSION
    kind: str = "ChaosEngine"
    metadata: ObjectMeta = ObjectMeta()
    spec: EngineSpec
    status: EngineStatus = EngineStatus()

    @property
    def active(self) -> bool:
        """Whether the user wants the engine to run; an absent state means active (reference, 1.1)."""
        return self.spec.engine_state in ("active", "")

    @property
    def wanted(self) -> bool:
        """Active, and not on its way out."""
        return self.active and self.metadata.deletion_timestamp is None

    @property
    def unfinished(self) -> bool:
        """Active, or asked to stop and not there yet."""
        return self.active or self.status.engine_status == "initialized"


FINAL_VERDICTS: tuple[Verdict, ...] = ("Pass", "Fail", "Stopped", "Error")
__all__ = [
    "ABORTED",
    "COMPLETED",
    "FINAL_VERDICTS",
    "NOT_FOUND",
    "RUNNING",
    "SKIPPED",
    "WAITING",
    "AppInfo",
    "ChaosEngine",
    "EngineExperiment",
    "EngineSpec",
    "EngineStatus",
    "ExperimentStatus",
]
