"""The few fields of Kubernetes' own kinds that we read. Lenient: every field has a default.

The generated models of the client libraries refuse an object that lacks a 'required' field, which real servers do send
(reference/python-measurements.md, A.2), so these are ours.
"""

from typing import Any

from msgspec import field

from litmus.api import ObjectMeta, Shape
from litmus.api.meta import LocalObjectReference, Toleration


class Resources(Shape, frozen=True, kw_only=True):
    limits: dict[str, str] = {}


class Container(Shape, frozen=True, kw_only=True):
    name: str = ""
    image: str = ""
    image_pull_policy: str = "IfNotPresent"
    resources: Resources = Resources()


class PodSpec(Shape, frozen=True, kw_only=True):
    node_name: str = ""
    restart_policy: str = "Always"
    termination_grace_period_seconds: int = 30
    host_network: bool = False
    containers: list[Container] = []
    image_pull_secrets: list[LocalObjectReference] = []
    tolerations: list[Toleration] = []
    volumes: list[dict[str, Any]] = []


class StateWaiting(Shape, frozen=True, kw_only=True):
    reason: str = ""
    message: str = ""


class StateTerminated(Shape, frozen=True, kw_only=True):
    exit_code: int = 0
    signal: int = 0
    reason: str = ""
    message: str = ""


class ContainerState(Shape, frozen=True, kw_only=True):
    waiting: StateWaiting | None = None
    running: dict[str, Any] | None = None
    terminated: StateTerminated | None = None


class ContainerStatus(Shape, frozen=True, kw_only=True):
    name: str = ""
    ready: bool = False
    restart_count: int = 0
    container_id: str = field(name="containerID", default="")
    state: ContainerState = ContainerState()
    last_state: ContainerState = ContainerState()


class Condition(Shape, frozen=True, kw_only=True):
    type: str = ""
    status: str = ""
    reason: str = ""
    message: str = ""


class PodStatus(Shape, frozen=True, kw_only=True):
    phase: str = ""
    reason: str = ""
    message: str = ""
    pod_ip: str = field(name="podIP", default="")
    conditions: list[Condition] = []
    container_statuses: list[ContainerStatus] = []


class Pod(Shape, frozen=True, kw_only=True):
    metadata: ObjectMeta = ObjectMeta()
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()

    @property
    def ready(self) -> bool:
        """Running, not on its way out, and every container ready (the AUT check of the reference, 4.2)."""
        statuses = self.status.container_statuses
        return (
            self.status.phase == "Running"
            and self.metadata.deletion_timestamp is None
            and bool(statuses)
            and all(container.ready for container in statuses)
        )

    @property
    def runs(self) -> bool:
        """Whether a container of it runs right now."""
        return any(container.state.running is not None for container in self.status.container_statuses)

    @property
    def over(self) -> bool:
        """Whether all its containers have ended for good."""
        return self.status.phase in ("Succeeded", "Failed")

    @property
    def owner(self) -> tuple[str, str, str]:
        """Kind, name and uid of the controller; three empty strings for a bare pod."""
        for ref in self.metadata.owner_references:
            if ref.controller:
                return ref.kind, ref.name, ref.uid
        return "", "", ""

    def container(self, name: str) -> ContainerStatus | None:
        return next((c for c in self.status.container_statuses if c.name == name), None)


class LabelSelector(Shape, frozen=True, kw_only=True):
    match_labels: dict[str, str] = {}
    match_expressions: list[dict[str, Any]] = []


class WorkloadSpec(Shape, frozen=True, kw_only=True):
    replicas: int | None = None
    selector: LabelSelector | None = None


class WorkloadStatus(Shape, frozen=True, kw_only=True):
    observed_generation: int = 0
    replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int | None = None


class Workload(Shape, frozen=True, kw_only=True):
    """A Deployment, StatefulSet, DaemonSet, DeploymentConfig or Rollout, as far as we care."""

    kind: str = ""
    metadata: ObjectMeta = ObjectMeta()
    spec: WorkloadSpec = WorkloadSpec()
    status: WorkloadStatus = WorkloadStatus()


class JobStatus(Shape, frozen=True, kw_only=True):
    active: int = 0
    succeeded: int = 0
    failed: int = 0
    conditions: list[Condition] = []


class Job(Shape, frozen=True, kw_only=True):
    metadata: ObjectMeta = ObjectMeta()
    status: JobStatus = JobStatus()


class EventObject(Shape, frozen=True, kw_only=True):
    kind: str = ""
    name: str = ""
    namespace: str = ""
    uid: str = ""


class Event(Shape, frozen=True, kw_only=True):
    metadata: ObjectMeta = ObjectMeta()
    involved_object: EventObject = EventObject()
    reason: str = ""
    message: str = ""
    type: str = "Normal"
    count: int = 1
    first_timestamp: str | None = None
    last_timestamp: str | None = None


class DisruptionBudgetStatus(Shape, frozen=True, kw_only=True):
    disruptions_allowed: int = 0


class DisruptionBudgetSpec(Shape, frozen=True, kw_only=True):
    min_available: int | str | None = None
    max_unavailable: int | str | None = None
    selector: LabelSelector | None = None


class DisruptionBudget(Shape, frozen=True, kw_only=True):
    metadata: ObjectMeta = ObjectMeta()
    spec: DisruptionBudgetSpec = DisruptionBudgetSpec()
    status: DisruptionBudgetStatus = DisruptionBudgetStatus()


class Named(Shape, frozen=True, kw_only=True):
    """Any object of which only the metadata matters."""

    kind: str = ""
    metadata: ObjectMeta = ObjectMeta()


class ConfigMap(Shape, frozen=True, kw_only=True):
    metadata: ObjectMeta = ObjectMeta()
    data: dict[str, str] = {}


class Taint(Shape, frozen=True, kw_only=True):
    """All fields that Kubernetes has, so that a list of taints can be written back as it was read."""

    key: str = ""
    value: str = ""
    effect: str = ""
    time_added: str | None = None

    def __str__(self) -> str:
        return f"{self.key}={self.value}:{self.effect}" if self.value else f"{self.key}:{self.effect}"


class NodeSpec(Shape, frozen=True, kw_only=True):
    unschedulable: bool = False
    taints: list[Taint] = []


class NodeInfo(Shape, frozen=True, kw_only=True):
    boot_id: str = field(name="bootID", default="")
    kernel_version: str = ""
    container_runtime_version: str = ""


class NodeAddress(Shape, frozen=True, kw_only=True):
    type: str = ""
    address: str = ""


class NodeStatus(Shape, frozen=True, kw_only=True):
    conditions: list[Condition] = []
    addresses: list[NodeAddress] = []
    node_info: NodeInfo = NodeInfo()
    capacity: dict[str, str] = {}
    allocatable: dict[str, str] = {}


class Node(Shape, frozen=True, kw_only=True):
    metadata: ObjectMeta = ObjectMeta()
    spec: NodeSpec = NodeSpec()
    status: NodeStatus = NodeStatus()

    @property
    def ready(self) -> bool:
        """Whether its kubelet reports, and says that it can run pods."""
        return any(c.type == "Ready" and c.status == "True" for c in self.status.conditions)


class ScaleTarget(Shape, frozen=True, kw_only=True):
    kind: str = ""
    name: str = ""


class AutoscalerSpec(Shape, frozen=True, kw_only=True):
    scale_target_ref: ScaleTarget = ScaleTarget()
    min_replicas: int | None = None
    max_replicas: int = 0


class Autoscaler(Shape, frozen=True, kw_only=True):
    """A HorizontalPodAutoscaler."""

    metadata: ObjectMeta = ObjectMeta()
    spec: AutoscalerSpec = AutoscalerSpec()
