"""The pieces of a Kubernetes object that all four kinds share, and the shape of our own structs.

Decoding is lenient on purpose: a cluster may send fields of releases that we do not know, and they are ignored.
What a *user* writes is checked by ``litmus.api.strict``, which names the path of a mistake.
"""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

GROUP = "litmuschaos.io"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"


class Shape(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """What our structs have in common: frozen, camelCase outside, defaults left out.

    msgspec does not inherit ``kw_only``, and type checkers do not see an inherited ``frozen``: each class says both.
    """


class OwnerReference(Shape, frozen=True, kw_only=True):
    api_version: str
    kind: str
    name: str
    uid: str
    controller: bool | None = None
    block_owner_deletion: bool | None = None


class ObjectMeta(Shape, frozen=True, kw_only=True):
    name: str = ""
    generate_name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None
    deletion_grace_period_seconds: int | None = None
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    owner_references: list[OwnerReference] = []
    finalizers: list[str] = []


class LocalObjectReference(Shape, frozen=True, kw_only=True):
    name: Annotated[str, Meta(description="Name of an object in the same namespace.")] = ""


class KeySelector(Shape, frozen=True, kw_only=True):
    """One key of a ConfigMap or Secret."""

    name: str = ""
    key: str
    optional: bool | None = None


class FieldSelector(Shape, frozen=True, kw_only=True):
    api_version: str | None = None
    field_path: str


class ResourceFieldSelector(Shape, frozen=True, kw_only=True):
    container_name: str | None = None
    divisor: Annotated[int | str | None, Meta(description="A Kubernetes quantity.")] = None
    resource: str


class EnvVarSource(Shape, frozen=True, kw_only=True):
    config_map_key_ref: KeySelector | None = None
    secret_key_ref: KeySelector | None = None
    field_ref: FieldSelector | None = None
    resource_field_ref: ResourceFieldSelector | None = None


class EnvVar(Shape, frozen=True, kw_only=True):
    name: Annotated[str, Meta(description="Name of the tunable, for instance TOTAL_CHAOS_DURATION.")]
    value: Annotated[str | None, Meta(description="Its value; always text, so numbers are quoted.")] = None
    value_from: Annotated[EnvVarSource | None, Meta(description="Where to read the value from instead.")] = None


class Toleration(Shape, frozen=True, kw_only=True):
    key: str | None = None
    operator: str | None = None
    value: str | None = None
    effect: str | None = None
    toleration_seconds: int | None = None


class ResourceRequirements(Shape, frozen=True, kw_only=True):
    limits: dict[str, int | str] = {}
    requests: dict[str, int | str] = {}


class ConfigMapMount(Shape, frozen=True, kw_only=True):
    name: Annotated[str, Meta(description="Name of a ConfigMap in the engine's namespace.")]
    mount_path: Annotated[str, Meta(description="Folder in the container where it appears.")]
    data: Annotated[dict[str, str], Meta(description="Accepted for compatibility; the ConfigMap itself counts.")] = {}


class SecretMount(Shape, frozen=True, kw_only=True):
    name: Annotated[str, Meta(description="Name of a Secret in the engine's namespace.")]
    mount_path: Annotated[str, Meta(description="Folder in the container where it appears.")]


def present(value: Any) -> Any:
    """A manifest without its nulls: to Kubernetes a null is an absent field, and our types know only absence."""
    if isinstance(value, dict):
        return {key: present(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [present(inner) for inner in value]
    return value
