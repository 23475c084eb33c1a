"""How lists and maps of the built-in kinds are merged, by definition and field: what Python types do not say.

One line a definition, its fields with what is special about them. ``name*[a,b]``: a list that server-side apply merges
by the keys a and b (list type map) and a strategic merge patch by the first of them; ``name[a]``: by server-side apply
alone; ``name{}``: a list that is a set, with ``*`` also for strategic merge patches; ``name~[a]``: by a strategic merge
patch alone; ``+retainKeys`` and ``=replace`` name that patch strategy. Every other list is atomic.

Facts from the OpenAPI document of Kubernetes 1.37 (x-kubernetes-list-type, -list-map-keys, -map-type,
-patch-merge-key, -patch-strategy), for the kinds in ``machinery.resources``.
"""

import re
from dataclasses import dataclass
from functools import cache

from .form import ListType

_LISTS = """
admissionregistration.v1.MutatingWebhook: matchConditions*[name]
admissionregistration.v1.MutatingWebhookConfiguration: webhooks*[name]
admissionregistration.v1.ValidatingWebhook: matchConditions*[name]
admissionregistration.v1.ValidatingWebhookConfiguration: webhooks*[name]
apiextensions.v1.CustomResourceDefinitionStatus: conditions[type]
apiextensions.v1.JSONSchemaProps: x-kubernetes-validations*[rule]
apiregistration.v1.APIServiceStatus: conditions*[type]
apps.v1.DaemonSetStatus: conditions*[type]
apps.v1.DeploymentSpec: strategy+retainKeys
apps.v1.DeploymentStatus: conditions*[type]
apps.v1.ReplicaSetStatus: conditions*[type]
apps.v1.StatefulSetStatus: conditions*[type]
autoscaling.v2.HorizontalPodAutoscalerStatus: conditions*[type]
batch.v1.JobSchedulingConfiguration: resourceClaims*[name]
batch.v1.JobStatus: conditions~[type]
batch.v1.PodFailurePolicyOnExitCodesRequirement: values{}
batch.v1.UncountedTerminatedPods: failed{} succeeded{}
core.v1.ComponentStatus: conditions*[type]
core.v1.Container: env*[name] ports*[containerPort,protocol] volumeDevices*[devicePath] volumeMounts*[mountPath]
core.v1.ContainerRestartRuleOnExitCodes: values{}
core.v1.ContainerStatus: allocatedResourcesStatus*[name] volumeMounts*[mountPath]
core.v1.EphemeralContainer: env*[name] ports*[containerPort,protocol]
core.v1.EphemeralContainer: volumeDevices*[devicePath] volumeMounts*[mountPath]
core.v1.NamespaceStatus: conditions*[type]
core.v1.NodeAllocatableResourceClaimStatus: containers{} mapping*[name] overhead*[name]
core.v1.NodePodPreemptionPolicy: disableResizePreemption{}
core.v1.NodeSpec: podCIDRs*{}
core.v1.NodeStatus: addresses*[type] conditions*[type]
core.v1.PersistentVolumeClaimStatus: conditions*[type]
core.v1.PodSpec: containers*[name] ephemeralContainers*[name] evictionResponders*[name] hostAliases*[ip]
core.v1.PodSpec: imagePullSecrets*[name] initContainers*[name] resourceClaims*[name]+retainKeys schedulingGates*[name]
core.v1.PodSpec: topologySpreadConstraints*[topologyKey,whenUnsatisfiable] volumes*[name]+retainKeys
core.v1.PodStatus: conditions*[type] hostIPs~[ip] nodeAllocatableResourceClaimStatuses*[resourceClaimName] podIPs*[ip]
core.v1.PodStatus: resourceClaimStatuses*[name]+retainKeys volumeHealth[name]
core.v1.PodVolumeHealth: healthConditions*[status,reason]
core.v1.ReplicationControllerStatus: conditions*[type]
core.v1.ResourceRequirements: claims[name]
core.v1.ResourceStatus: resources[resourceID]
core.v1.ServiceAccount: secrets*[name]
core.v1.ServiceSpec: ports*[port,protocol]
core.v1.ServiceStatus: conditions*[type]
core.v1.VolumeHealthStatus: healthConditions*[status,reason]
core.v1.VolumeMount: bindMountOptions{}
discovery.v1.Endpoint: addresses{}
meta.v1.ObjectMeta: finalizers*{} ownerReferences*[uid]
policy.v1.PodDisruptionBudgetSpec: selector=replace
policy.v1.PodDisruptionBudgetStatus: conditions*[type]
storage.v1.CSIDriverSpec: volumeLifecycleModes{}
storage.v1.CSINodeSpec: drivers*[name]
storage.v1.CSINodeStatus: storageHealth*[name]
"""
_ATOMIC_OBJECTS = """
core.v1.ConfigMapKeySelector core.v1.EndpointAddress core.v1.EndpointPort core.v1.EvictionResponder
core.v1.FileKeySelector core.v1.LocalObjectReference core.v1.NodeSelector core.v1.NodeSelectorTerm
core.v1.ObjectFieldSelector core.v1.ObjectReference core.v1.ResourceFieldSelector core.v1.ScopeSelector
core.v1.SecretKeySelector core.v1.SecretReference core.v1.TopologySelectorTerm core.v1.TypedLocalObjectReference
discovery.v1.EndpointPort meta.v1.LabelSelector meta.v1.OwnerReference networking.v1.ServiceBackendPort rbac.v1.RoleRef
rbac.v1.Subject
"""
_ATOMIC_FIELDS = """
core.v1.PodSpec.nodeSelector core.v1.ReplicationControllerSpec.selector core.v1.ServiceSpec.selector
"""
_GRANULAR_FIELDS = """
core.v1.PersistentVolumeClaimStatus.allocatedResourceStatuses core.v1.PersistentVolumeSpec.claimRef
"""

ATOMIC_OBJECTS = frozenset(_ATOMIC_OBJECTS.split())
"""Definitions whose objects have one owner as a whole."""
ATOMIC_FIELDS = frozenset(_ATOMIC_FIELDS.split())
"""Fields (definition.field) whose maps have one owner as a whole."""
GRANULAR_FIELDS = frozenset(_GRANULAR_FIELDS.split())
"""Fields that say granular though their definition is atomic, or say it without need."""

_ENTRY = re.compile(
    r"(?P<field>[\w-]+)(?P<strategic>[*~]?)(?P<set>\{\})?(?:\[(?P<keys>[\w,]+)\])?(?:[+=](?P<more>\w+))?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """How one field is merged."""

    list_type: ListType = "atomic"
    map_keys: tuple[str, ...] = ()
    merge_key: str = ""
    patch_strategy: tuple[str, ...] = ()


@cache
def table() -> dict[tuple[str, str], Merge]:
    """(definition without its prefix, field) → how it is merged."""
    found = {}
    for line in _LISTS.split("\n"):
        definition, _, entries = line.partition(":")
        for entry in entries.split():
            match = _ENTRY.fullmatch(entry)
            assert match, entry  # the table above is at fault
            found[definition, match["field"]] = _merge(match)
    return found


def _merge(match: re.Match[str]) -> Merge:
    keys = tuple((match["keys"] or "").split(",")) if match["keys"] else ()
    merged = bool(match["strategic"])
    listed: ListType = "set" if match["set"] else "map" if keys and match["strategic"] != "~" else "atomic"
    strategies = (["merge"] if merged else []) + ([match["more"]] if match["more"] else [])
    return Merge(
        list_type=listed,
        map_keys=keys if listed == "map" else (),
        merge_key=keys[0] if merged and keys else "",
        patch_strategy=tuple(strategies),
    )
