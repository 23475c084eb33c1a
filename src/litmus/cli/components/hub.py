"""The hub as a Deployment: the catalogue under an address of the cluster, for ``kubectl apply -f`` and browsers.

It asks nothing of the cluster, so its account has no rights and no token. What it fetches of the hubs that users add
lies in a volume that goes with the pod, and is fetched again.
"""

from litmus.hub.documents import Comment

from .. import parts
from ..helm.holes import Holes, optional
from ..parts import Document, Installation
from ._component import Component, Option

NAME = "chaos-hub"
PORT = 8080
LABELS = {"app.kubernetes.io/name": parts.NAME, "app.kubernetes.io/component": "hub"}

HUBS = "[]\n"
_SERVICES = ("ClusterIP", "NodePort", "LoadBalancer")
_TEXTS = {"type": "object", "additionalProperties": {"type": "string"}}
_CUSTOM_HUBS = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {name: {"type": "string", "minLength": 1} for name in ("name", "url", "branch")},
        "required": ["name", "url"],
        "additionalProperties": False,
    },
}

_HUBS = "/etc/litmus/hub"
_HUBS_FILE = "hubs.yaml"
_CLONES = "/var/lib/litmus"


def _manifests(wanted: Installation) -> list[Document]:
    account: Document = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": parts.meta(wanted, "hub", name=NAME),
        Comment("It has no rights, and the pod does not even get a token."): None,
        "automountServiceAccountToken": False,
    }
    hubs = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": parts.meta(wanted, "hub", name=NAME),
        "data": {_HUBS_FILE: HUBS},
    }
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": parts.meta(wanted, "hub", name=NAME),
        "spec": {
            "type": "ClusterIP",
            "selector": LABELS,
            "ports": [{"name": "http", "port": PORT, "targetPort": "http", "protocol": "TCP"}],
        },
    }
    return [
        account,
        hubs,
        service,
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": parts.meta(wanted, "hub", name=NAME),
            "spec": _spec(wanted),
        },
    ]


def _spec(wanted: Installation) -> Document:
    return {
        "replicas": 1,
        "selector": {"matchLabels": LABELS},
        "template": {
            "metadata": {"labels": parts.labels("hub")},
            "spec": {
                "serviceAccountName": NAME,
                "automountServiceAccountToken": False,
                "terminationGracePeriodSeconds": 5,
                "securityContext": {**parts.pod_security(), "fsGroup": parts.USER},
                "containers": [_container(wanted)],
                "volumes": [
                    {"name": "hubs", "configMap": {"name": NAME}},
                    {"name": "clones", "emptyDir": {"sizeLimit": "1Gi"}},
                ],
            },
        },
    }


def _container(wanted: Installation) -> Document:
    return {
        "name": "hub",
        "image": wanted.image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["litmus", "hub", "serve"],
        "args": [
            *("--host", "0.0.0.0", "--port", str(PORT)),
            Comment("Image that the experiments name which it hands out."),
            *("--image", wanted.image),
        ],
        "env": [
            Comment("The only places that it writes to."),
            {"name": "HOME", "value": _CLONES},
            {"name": "TMPDIR", "value": _CLONES},
        ],
        "ports": [{"name": "http", "containerPort": PORT, "protocol": "TCP"}],
        "readinessProbe": {**parts.http_probe("/readyz", "http"), "periodSeconds": 2, "failureThreshold": 3},
        "livenessProbe": {**parts.http_probe("/healthz", "http"), "initialDelaySeconds": 10, "failureThreshold": 6},
        "resources": {"requests": {"cpu": "10m", "memory": "96Mi"}, "limits": {"memory": "384Mi"}},
        "securityContext": parts.container_security(),
        "volumeMounts": [
            {"name": "hubs", "mountPath": _HUBS, "readOnly": True},
            {"name": "clones", "mountPath": _CLONES},
        ],
    }


def _template(manifests: list[Document], holes: Holes) -> None:
    made = {manifest["kind"]: manifest for manifest in manifests}
    service, hubs = made["Service"], made["ConfigMap"]
    service["metadata"] = {
        **service["metadata"],
        holes.block(optional("annotations", ".Values.hub.service.annotations")): None,
    }
    service["spec"]["type"] = holes.value("{{ .Values.hub.service.type }}")
    service["spec"]["ports"][0]["port"] = holes.value("{{ .Values.hub.service.port }}")
    hubs["data"] = {holes.block(_listed_hubs): None}


def _listed_hubs(indent: int) -> str:
    pad = " " * indent
    return f"{pad}{_HUBS_FILE}: |\n{pad}  {{{{- toYaml .Values.hub.customHubs | nindent {indent + 2} }}}}"


def _reach(namespace: str) -> str:
    forward = f"kubectl -n {namespace} port-forward service/{NAME} {PORT}:http"
    return f"To look at it: {forward}, and open http://localhost:{PORT}"


COMPONENT = Component(
    name="hub",
    help="the catalogue of experiments, its pages and its API",
    manifests=_manifests,
    deployment=NAME,
    labels=LABELS,
    theirs=frozenset({"ConfigMap"}),
    reach=_reach,
    values=(
        Option("service.type", "ClusterIP", "Type of its Service.", {"type": "string", "enum": [*_SERVICES]}),
        Option("service.port", PORT, "Port of its Service.", {"type": "integer", "minimum": 1, "maximum": 65535}),
        Option("service.annotations", {}, "Annotations of its Service.", _TEXTS),
        Option("customHubs", [], "Hubs of your own, beside ours: name, url and, if wanted, branch.", _CUSTOM_HUBS),
    ),
    template=_template,
)
