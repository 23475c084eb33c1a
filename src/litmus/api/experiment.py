"""ChaosExperiment: how to run one experiment - image, command, permissions and default tunables."""

from typing import Annotated, Any, Literal

from msgspec import Meta, field

from .meta import API_VERSION, ConfigMapMount, EnvVar, ObjectMeta, SecretMount, Shape


class PolicyRule(Shape, frozen=True, kw_only=True):
    api_groups: list[str]
    resources: list[str]
    verbs: list[str]


class HostFileVolume(Shape, frozen=True, kw_only=True):
    name: str
    mount_path: str
    node_path: str
    type: str | None = None


class SecurityContext(Shape, frozen=True, kw_only=True):
    pod_security_context: dict[str, Any] = {}
    container_security_context: dict[str, Any] = {}


class Definition(Shape, frozen=True, kw_only=True):
    image: Annotated[str, Meta(description="Container image of the experiment.")]
    image_pull_policy: Literal["", "Always", "IfNotPresent", "Never"] = ""
    scope: Annotated[Literal["Namespaced", "Cluster", ""], Meta(description="Informational.")] = ""
    permissions: Annotated[list[PolicyRule], Meta(description="What its service account needs.")] = []
    env: Annotated[list[EnvVar], Meta(description="Default tunables.")] = []
    command: list[str] = []
    args: list[str] = []
    labels: dict[str, str] = {}
    configmaps: Annotated[list[ConfigMapMount], Meta(description="ConfigMaps to mount (spelling of 1.10).")] = []
    config_maps: Annotated[list[ConfigMapMount], Meta(description="ConfigMaps to mount (spelling of 3.x).")] = []
    secrets: list[SecretMount] = []
    host_file_volumes: list[HostFileVolume] = []
    experimentannotations: Annotated[dict[str, str], Meta(description="Annotations of the pod (1.10).")] = {}
    experiment_annotations: Annotated[dict[str, str], Meta(description="Annotations of the pod (3.x).")] = {}
    security_context: SecurityContext = SecurityContext()
    host_pid: bool = field(name="hostPID", default=False)


class ExperimentSpec(Shape, frozen=True, kw_only=True):
    definition: Definition


class Description(Shape, frozen=True, kw_only=True):
    message: Annotated[str, Meta(description="What the experiment does, for people.")] = ""


class ChaosExperiment(Shape, frozen=True, kw_only=True):
    """An installed experiment; engines refer to it by name."""

    api_version: str = API_VERSION
    kind: str = "ChaosExperiment"
    metadata: ObjectMeta = ObjectMeta()
    description: Description = Description()
    spec: ExperimentSpec
    status: dict[str, Any] = {}
