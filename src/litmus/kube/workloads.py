"""From what an engine names to the pods that are meant, with nothing but the right to list pods.

The smallest role can't read ReplicaSets, so the Deployment of a pod is told from its owner's name: Kubernetes names a
ReplicaSet ``<deployment>-<pod-template-hash>`` and puts the hash on the pod as a label.
"""

from litmus import api
from litmus.api import names, targeting

from . import errors, kinds
from .cluster import Cluster
from .objects import LabelSelector, Pod

_HASH_LABELS = {"pod-template-hash": "deployment", "rollouts-pod-template-hash": "rollout"}
_DIRECT_OWNERS = {"StatefulSet": "statefulset", "DaemonSet": "daemonset"}
_DEPLOYMENT_CONFIG_LABEL = "deploymentconfig"


def workload_of(pod: Pod) -> tuple[str, str]:
    """The app kind and name of the workload that a pod belongs to; two empty strings for a bare pod."""
    kind, name, _ = pod.owner
    if kind in _DIRECT_OWNERS:
        return _DIRECT_OWNERS[kind], name
    labels = pod.metadata.labels
    if kind == "ReplicaSet":
        for label, app_kind in _HASH_LABELS.items():
            suffix = f"-{labels.get(label, '')}"
            if label in labels and name.endswith(suffix):
                return app_kind, name.removesuffix(suffix)
    if kind == "ReplicationController" and _DEPLOYMENT_CONFIG_LABEL in labels:
        return "deploymentconfig", labels[_DEPLOYMENT_CONFIG_LABEL]
    return kind.lower(), name


def belongs(pod: Pod, target: targeting.AppTarget) -> bool:
    """Whether a pod is one of the application's, and not one of ours or one that has ended."""
    if names.CHAOS_UID in pod.metadata.labels or pod.over:
        return False
    if pod.metadata.labels.get("name") == "chaos-operator":
        return False
    if target.kind == targeting.POD:
        return pod.metadata.name in target.names
    if target.kind == targeting.ANY_OWNER:
        return not target.names or pod.metadata.name in target.names
    kind, name = workload_of(pod)
    return kind == target.kind and (not target.names or name in target.names)


async def pods(cluster: Cluster, target: targeting.AppTarget) -> list[Pod]:
    """The application's pods, by name. Pods of 3.x targets are all looked for by name, so a missing one is an error."""
    found = await cluster.select(kinds.POD, namespace=target.namespace, labels=target.labels)
    return sorted((p for p in found if belongs(p, target)), key=lambda p: p.metadata.name)


async def annotated(cluster: Cluster, target: targeting.AppTarget) -> tuple[list[str], int]:
    """Names of the target's workloads that carry the chaos annotation, and how many workloads there are at all.

    An application without a workload kind is annotated on its pods.
    """
    objects: list[tuple[str, api.ObjectMeta]]
    if target.kind in (targeting.ANY_OWNER, targeting.POD):
        objects = [(p.metadata.name, p.metadata) for p in await pods(cluster, target)]
    else:
        kind = kinds.WORKLOADS[target.kind]
        workloads = await cluster.select(kind, namespace=target.namespace, labels=target.labels)
        objects = [
            (w.metadata.name, w.metadata) for w in workloads if not target.names or w.metadata.name in target.names
        ]
    willing = [name for name, meta in objects if meta.annotations.get(names.CHAOS_ANNOTATION) == "true"]
    return willing, len(objects)


def selects(selector: LabelSelector | None, labels: dict[str, str]) -> bool:
    """Whether a Kubernetes label selector matches; an absent selector matches nothing, an empty one everything."""
    if selector is None:
        return False
    if any(labels.get(key) != value for key, value in selector.match_labels.items()):
        return False
    return all(_expression(rule, labels) for rule in selector.match_expressions)


def _expression(rule: dict[str, object], labels: dict[str, str]) -> bool:
    key, values = str(rule.get("key")), rule.get("values") or []
    match rule.get("operator"):
        case "In":
            return labels.get(key) in values  # type: ignore[operator]  # the API server has checked that it is a list
        case "NotIn":
            return labels.get(key) not in values  # type: ignore[operator]  # as above
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
    return False


async def nodes_with(cluster: Cluster, label: str) -> set[str]:
    """Names of the nodes that carry a label. Raises Forbidden with what to grant."""
    try:
        return {node.metadata.name for node in await cluster.select(kinds.NODE, labels=label)}
    except errors.Forbidden as error:
        raise errors.Forbidden(
            f"NODE_LABEL needs the right to list nodes: grant it to the service account by a ClusterRole ({error})"
        ) from error
