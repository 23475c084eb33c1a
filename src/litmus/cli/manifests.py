"""What an installation of the operator is made of, as manifests. Pure.

The operator breaks nothing itself: it starts runner pods, and helper pods that revert. Its role is the least that this
takes, each rule with its reason.
"""

from collections.abc import Sequence

from litmus.api import crds, names
from litmus.experiments.declaration import Permission
from litmus.hub import documents
from litmus.hub.documents import Comment

from . import parts
from .components import Component
from .parts import NAME, Document, Installation
from .roles import granted

POD_LABELS = {"name": "chaos-operator"}
HEALTH_PORT = 8081
METRICS = "metrics"  # the name of that port, for PodMonitors
_LITMUS = "litmuschaos.io"
_READ = ("get", "list", "watch")


WATCHED = (
    Permission(
        groups=(_LITMUS,),
        resources=("chaosengines", "chaosschedules"),
        verbs=(*_READ, "update", "patch"),
        reason="follow engines and schedules, and write their status and finalizer",
    ),
    Permission(
        groups=(_LITMUS,), resources=("chaosengines",), verbs=("create",), reason="start the engines of schedules"
    ),
    Permission(
        groups=(_LITMUS,),
        resources=("chaosresults",),
        verbs=(*_READ, "create", "update", "patch"),
        reason="settle results that an experiment could not finish, and close the ledger of faults",
    ),
    Permission(
        groups=(_LITMUS,), resources=("chaosexperiments",), verbs=_READ, reason="see which experiments are installed"
    ),
    Permission(
        groups=("",),
        resources=("pods",),
        verbs=(*_READ, "create", "delete"),
        reason="run one runner pod per engine, and end the pods of a run that is stopped",
    ),
    Permission(
        groups=("batch",),
        resources=("jobs",),
        verbs=("get", "list", "delete"),
        reason="end the experiments of a run that is stopped",
    ),
    Permission(
        groups=("",),
        resources=("events",),
        verbs=("create", "get", "patch"),
        reason="tell users what happens to their engines",
    ),
    Permission(
        groups=("apps", "apps.openshift.io", "argoproj.io"),
        resources=("deployments", "statefulsets", "daemonsets", "deploymentconfigs", "rollouts"),
        verbs=("get", "list"),
        reason="check that the application carries the annotation that allows chaos",
    ),
    Permission(
        groups=("apps",),
        resources=("deployments", "statefulsets"),
        verbs=("patch",),
        reason="put back the replicas of a run that died",
    ),
)
OWN = (
    Permission(
        groups=("",),
        resources=("configmaps",),
        verbs=_READ,
        reason="obey the switch that stops all chaos, and the caps of the administrator",
    ),
    Permission(
        groups=("coordination.k8s.io",),
        resources=("leases",),
        verbs=("get", "create", "update", "patch"),
        reason="elect the one operator that acts",
    ),
)
CLUSTERWIDE = (
    Permission(
        groups=("",),
        resources=("nodes",),
        verbs=("get", "list", "patch"),
        reason="lift the cordons and taints of a run that died, and see whether a node still exists",
    ),
    Permission(
        groups=("apiextensions.k8s.io",),
        resources=("customresourcedefinitions",),
        verbs=_READ,
        reason="notice definitions that are installed or upgraded while the operator runs",
    ),
)


def definitions() -> list[Document]:
    """The CustomResourceDefinitions."""
    return list(crds.all_crds())


def operator(wanted: Installation) -> list[Document]:
    """Everything but the definitions, in the order in which it has to be created."""
    first: list[Document] = []
    if wanted.namespace:
        first = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": wanted.namespace}}]
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": parts.meta(wanted, "operator-serviceaccount")}
    return [*first, account, *_access(wanted), _deployment(wanted)]


def render(wanted: Installation, components: Sequence[Component] = (), *, heading: str = "") -> str:
    """The whole installation as one file for ``kubectl apply``."""
    more = [manifest for component in components for manifest in component.manifests(wanted)]
    return documents.write([*definitions(), *operator(wanted), *more], heading=heading)


def _access(wanted: Installation) -> list[Document]:
    if wanted.scope == "namespaced":
        return granted("Role", (*WATCHED, *OWN), wanted)
    return [*granted("ClusterRole", (*WATCHED, *CLUSTERWIDE), wanted), *granted("Role", OWN, wanted)]


def _deployment(wanted: Installation) -> Document:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": parts.meta(wanted, "operator", name=names.OPERATOR_NAME),
        "spec": {
            "replicas": wanted.replicas,
            "selector": {"matchLabels": dict(POD_LABELS)},
            "template": {
                "metadata": {
                    "labels": parts.labels("operator") | POD_LABELS,
                    "annotations": parts.scraped(HEALTH_PORT),
                },
                "spec": {
                    "serviceAccountName": NAME,
                    Comment("It gives up its lease when it ends, so that another operator goes on at once."): None,
                    "terminationGracePeriodSeconds": 10,
                    "securityContext": parts.pod_security(),
                    "containers": [_container(wanted)],
                },
            },
        },
    }


def _container(wanted: Installation) -> Document:
    return {
        "name": "chaos-operator",
        "image": wanted.image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["litmus", "operator"],
        "env": [
            Comment("Image of the runner pods, unless an engine names its own."),
            {"name": "CHAOS_RUNNER_IMAGE", "value": wanted.image},
            *parts.watch_namespace(wanted, whose="Whose engines it runs"),
            {"name": "OPERATOR_NAMESPACE", **parts.field("metadata.namespace")},
            {"name": "POD_NAME", **parts.field("metadata.name")},
        ],
        Comment("Its metrics, and its health for the kubelet."): None,
        "ports": [{"name": METRICS, "containerPort": HEALTH_PORT, "protocol": "TCP"}],
        "readinessProbe": {**parts.http_probe("/readyz", METRICS), "periodSeconds": 1, "failureThreshold": 3},
        # A node that is short of processor time may need a minute for the start; that is no reason to begin anew.
        "startupProbe": {**parts.http_probe("/healthz", METRICS), "periodSeconds": 1, "failureThreshold": 180},
        "livenessProbe": {**parts.http_probe("/healthz", METRICS), "periodSeconds": 2, "failureThreshold": 10},
        "resources": {"requests": {"cpu": "20m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}},
        "securityContext": parts.container_security(),
    }
