"""Resources described as data: group, version, plural, scope and the Python type of an object.

``lightkube``'s generic resources carry the requests; its generated models are not used (see ``objects``).
"""

from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Generic, TypeVar

from lightkube import generic_resource
from lightkube.core import resource as core

from litmus import api

from . import objects

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Kind(Generic[T]):
    """One kind of a cluster, and the type that its objects are decoded into."""

    group: str
    version: str
    kind: str
    plural: str
    type: type[T]
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    def __str__(self) -> str:
        return self.kind


def raw(kind: Kind[Any]) -> Kind[dict[str, Any]]:
    """The same kind with its objects left as they come."""
    return replace(kind, type=dict)


def resource(kind: Kind[Any]) -> Any:
    """The client library's class for a kind, the same one whatever Python type its objects are decoded into."""
    return _resource(kind.group, kind.version, kind.kind, kind.plural, kind.namespaced)


@cache
def _resource(group: str, version: str, kind: str, plural: str, namespaced: bool) -> Any:
    # The library refuses to register a kind of the core group twice, even when it is the same.
    make = generic_resource.create_namespaced_resource if namespaced else generic_resource.create_global_resource
    return make(group, version, kind, plural)


@cache
def eviction(version: str) -> Any:
    """The client library's class for an Eviction of that version of the group policy, created on a pod."""
    pod = core.ResourceDef("", "v1", "Pod")
    kind = core.ResourceDef("policy", version, "Eviction")
    about = core.ApiInfo(resource=kind, parent=pod, plural="pods", verbs=["post"], action="eviction")
    return type("PodEviction", (core.NamespacedSubResource, generic_resource.Generic), {"_api_info": about})


ENGINE = Kind(api.GROUP, api.VERSION, "ChaosEngine", "chaosengines", api.ChaosEngine)
EXPERIMENT = Kind(api.GROUP, api.VERSION, "ChaosExperiment", "chaosexperiments", api.ChaosExperiment)
RESULT = Kind(api.GROUP, api.VERSION, "ChaosResult", "chaosresults", api.ChaosResult)
SCHEDULE = Kind(api.GROUP, api.VERSION, "ChaosSchedule", "chaosschedules", api.ChaosSchedule)

POD = Kind("", "v1", "Pod", "pods", objects.Pod)
EVENT = Kind("", "v1", "Event", "events", objects.Event)
NODE = Kind("", "v1", "Node", "nodes", objects.Node, namespaced=False)
NAMESPACE = Kind("", "v1", "Namespace", "namespaces", objects.Named, namespaced=False)
CONFIG_MAP = Kind("", "v1", "ConfigMap", "configmaps", objects.ConfigMap)
SECRET = Kind("", "v1", "Secret", "secrets", objects.Named)
SERVICE = Kind("", "v1", "Service", "services", objects.Named)
SERVICE_ACCOUNT = Kind("", "v1", "ServiceAccount", "serviceaccounts", objects.Named)
JOB = Kind("batch", "v1", "Job", "jobs", objects.Job)
DEPLOYMENT = Kind("apps", "v1", "Deployment", "deployments", objects.Workload)
STATEFUL_SET = Kind("apps", "v1", "StatefulSet", "statefulsets", objects.Workload)
DAEMON_SET = Kind("apps", "v1", "DaemonSet", "daemonsets", objects.Workload)
DEPLOYMENT_CONFIG = Kind("apps.openshift.io", "v1", "DeploymentConfig", "deploymentconfigs", objects.Workload)
ROLLOUT = Kind("argoproj.io", "v1alpha1", "Rollout", "rollouts", objects.Workload)
CRD = Kind("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", dict, False)
LEASE = Kind("coordination.k8s.io", "v1", "Lease", "leases", dict)
CLUSTER_ROLE = Kind("rbac.authorization.k8s.io", "v1", "ClusterRole", "clusterroles", objects.Named, namespaced=False)
CLUSTER_ROLE_BINDING = Kind(
    "rbac.authorization.k8s.io", "v1", "ClusterRoleBinding", "clusterrolebindings", objects.Named, namespaced=False
)
ROLE = Kind("rbac.authorization.k8s.io", "v1", "Role", "roles", objects.Named)
ROLE_BINDING = Kind("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings", objects.Named)
ACCESS_REVIEW = Kind("authorization.k8s.io", "v1", "SubjectAccessReview", "subjectaccessreviews", dict, False)
# Of the operator of Prometheus, where there is one.
SERVICE_MONITOR = Kind("monitoring.coreos.com", "v1", "ServiceMonitor", "servicemonitors", dict)
POD_MONITOR = Kind("monitoring.coreos.com", "v1", "PodMonitor", "podmonitors", dict)
PROMETHEUS_RULE = Kind("monitoring.coreos.com", "v1", "PrometheusRule", "prometheusrules", dict)
# Which of the two a cluster serves is found out by asking (1.20 has only v1beta1, 1.25 only v1).
DISRUPTION_BUDGETS = (
    Kind("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets", objects.DisruptionBudget),
    Kind("policy", "v1beta1", "PodDisruptionBudget", "poddisruptionbudgets", objects.DisruptionBudget),
)

# What we read of them is the same in both (1.20 has no v2).
AUTOSCALERS = (
    Kind("autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", objects.Autoscaler),
    Kind("autoscaling", "v1", "HorizontalPodAutoscaler", "horizontalpodautoscalers", objects.Autoscaler),
)

WORKLOADS: dict[str, Kind[objects.Workload]] = {
    "deployment": DEPLOYMENT,
    "statefulset": STATEFUL_SET,
    "daemonset": DAEMON_SET,
    "deploymentconfig": DEPLOYMENT_CONFIG,
    "rollout": ROLLOUT,
}


def of_manifest(manifest: dict[str, Any]) -> Kind[Any]:
    """The kind of a manifest that we generated. Raises KeyError for one that is not in this module."""
    return _BY_NAME[manifest["apiVersion"], manifest["kind"]]


_BY_NAME = {(k.api_version, k.kind): k for k in list(globals().values()) if isinstance(k, Kind)}
