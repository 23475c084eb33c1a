"""The exporter as a Deployment: what chaos does in the cluster, as metrics for Prometheus.

Its account may read engines, results and experiments, in the namespaces that the operator looks after, and post the
events that tell of chaos windows; it can change nothing else. The pod says by annotations where its metrics are; so
does the Service, by the name of its port, for who prefers a ServiceMonitor.
"""

from litmus.experiments.declaration import Permission

from .. import parts
from ..helm.holes import Holes, optional
from ..parts import Document, Installation
from ..roles import RoleKind, granted
from ._component import Component, Option

NAME = "chaos-exporter"
PORT = 8080
METRICS = "metrics"
# Of the original, by which the ServiceMonitors in the field select it.
APP = {"app": NAME}
LABELS = {"app.kubernetes.io/name": parts.NAME, "app.kubernetes.io/component": "exporter"}
# Metrics of ten thousand results fit (benchmarks/exporter.py).
RESOURCES = {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"memory": "384Mi"}}

_TEXTS = {"type": "object", "additionalProperties": {"type": "string"}}
ALLOWED = (
    Permission(
        groups=("litmuschaos.io",),
        resources=("chaosengines", "chaosresults", "chaosexperiments"),
        verbs=("get", "list", "watch"),
        reason="tell what chaos does",
    ),
    Permission(
        groups=("",),
        resources=("events",),
        verbs=("get", "create", "patch"),
        reason="post when the chaos of a run began and ended; --no-events does without",
    ),
)


def _manifests(wanted: Installation) -> list[Document]:
    kind: RoleKind = "ClusterRole" if wanted.scope == "cluster" else "Role"
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _meta(wanted),
        "spec": {
            "type": "ClusterIP",
            "selector": LABELS,
            "ports": [{"name": METRICS, "port": PORT, "targetPort": METRICS, "protocol": "TCP"}],
        },
    }
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": parts.meta(wanted, "exporter", name=NAME)},
        *granted(kind, ALLOWED, wanted, component="exporter", name=NAME),
        service,
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": _meta(wanted), "spec": _spec(wanted)},
    ]


def _meta(wanted: Installation) -> Document:
    meta = parts.meta(wanted, "exporter", name=NAME)
    return meta | {"labels": meta["labels"] | APP}


def _spec(wanted: Installation) -> Document:
    return {
        "replicas": 1,
        "selector": {"matchLabels": LABELS},
        "template": {
            "metadata": {"labels": parts.labels("exporter") | APP, "annotations": parts.scraped(PORT)},
            "spec": {
                "serviceAccountName": NAME,
                "terminationGracePeriodSeconds": 5,
                "securityContext": parts.pod_security(),
                "containers": [_container(wanted)],
            },
        },
    }


def _container(wanted: Installation) -> Document:
    return {
        "name": "exporter",
        "image": wanted.image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["litmus", "exporter"],
        "args": ["--port", parts.quoted(PORT)],
        "env": [*parts.watch_namespace(wanted, whose="Whose engines and results it tells of")],
        # Whom else it tells (docs/windows.md), with the keys and tokens for it; whoever wants that makes the Secret.
        "envFrom": [{"secretRef": {"name": NAME, "optional": True}}],
        "ports": [{"name": METRICS, "containerPort": PORT, "protocol": "TCP"}],
        "readinessProbe": {**parts.http_probe("/readyz", METRICS), "periodSeconds": 2, "failureThreshold": 3},
        # A node that is short of processor time may need a minute for the start; that is no reason to begin anew.
        "startupProbe": {**parts.http_probe("/healthz", METRICS), "periodSeconds": 1, "failureThreshold": 180},
        "livenessProbe": {**parts.http_probe("/healthz", METRICS), "periodSeconds": 5, "failureThreshold": 6},
        "resources": RESOURCES,
        "securityContext": parts.container_security(),
    }


def _template(manifests: list[Document], holes: Holes) -> None:
    service = next(manifest for manifest in manifests if manifest["kind"] == "Service")
    service["metadata"] = {
        **service["metadata"],
        holes.block(optional("annotations", ".Values.exporter.service.annotations")): None,
    }
    service["spec"]["ports"][0]["port"] = holes.value("{{ .Values.exporter.service.port }}")


def _reach(namespace: str) -> str:
    forward = f"kubectl -n {namespace} port-forward service/{NAME} {PORT}:{METRICS}"
    return f"To look at its metrics: {forward}, and open http://localhost:{PORT}/metrics"


COMPONENT = Component(
    name="exporter",
    help="the metrics of engines, results and faults, for Prometheus",
    manifests=_manifests,
    deployment=NAME,
    labels=LABELS,
    reach=_reach,
    values=(
        Option("service.port", PORT, "Port of its Service.", {"type": "integer", "minimum": 1, "maximum": 65535}),
        Option("service.annotations", {}, "Annotations of its Service.", _TEXTS),
    ),
    template=_template,
)
