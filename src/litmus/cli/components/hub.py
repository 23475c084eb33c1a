"""The hub as a Deployment: the catalogue under an address of the cluster, for ``kubectl apply -f`` and browsers.

It asks nothing of the cluster, so its account has no rights and no token. What it fetches of the hubs that users add
lies in a volume that goes with the pod, and is fetched again. Tokens and keys for that are in a Secret that only users
make.
"""

from litmus.hub import registry
from litmus.hub.documents import Comment, Quoted

from .. import parts
from ..helm.holes import Holes, optional
from ..parts import Document, Installation
from ._component import Component, Option

NAME = "chaos-hub"
PORT = 8080
LABELS = {"app.kubernetes.io/name": parts.NAME, "app.kubernetes.io/component": "hub"}

HUBS = "hubs: []\n"
_SERVICES = ("ClusterIP", "NodePort", "LoadBalancer")
_TEXTS = {"type": "object", "additionalProperties": {"type": "string"}}
_CUSTOM_HUBS = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {name: {"type": "string", "minLength": 1} for name in registry.Added.__struct_encode_fields__},
        "required": ["name", "url"],
        "additionalProperties": False,
    },
}
_SYNC_EVERY_S = 3600

_HUBS = "/etc/litmus/hub"
_HUBS_FILE = "hubs.yaml"
_CREDENTIALS = "/etc/litmus/credentials"
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
                    Comment("Tokens and keys of hubs: kubectl create secret generic chaos-hub --from-file=…"),
                    {
                        "name": "credentials",
                        "secret": {"secretName": NAME, "optional": True, "defaultMode": 0o440},
                    },
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
            "--json-logs",
            *("--host", "0.0.0.0", "--port", Quoted(str(PORT))),
            *("--sync-every", Quoted(str(_SYNC_EVERY_S))),
            Comment("Image that the experiments name which it hands out."),
            *("--image", wanted.image),
        ],
        "env": [
            {"name": "LITMUS_HUBS", "value": f"{_HUBS}/{_HUBS_FILE}"},
            Comment("The only place that it writes to."),
            *({"name": name, "value": _CLONES} for name in ("HOME", "XDG_CACHE_HOME", "TMPDIR")),
        ],
        "ports": [{"name": "http", "containerPort": PORT, "protocol": "TCP"}],
        "readinessProbe": {**parts.http_probe("/readyz", "http"), "periodSeconds": 2, "failureThreshold": 3},
        "livenessProbe": {**parts.http_probe("/healthz", "http"), "initialDelaySeconds": 10, "failureThreshold": 6},
        "resources": {"requests": {"cpu": "10m", "memory": "96Mi"}, "limits": {"memory": "384Mi"}},
        "securityContext": parts.container_security(),
        "volumeMounts": [
            {"name": "hubs", "mountPath": _HUBS, "readOnly": True},
            {"name": "credentials", "mountPath": _CREDENTIALS, "readOnly": True},
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
    arguments = made["Deployment"]["spec"]["template"]["spec"]["containers"][0]["args"]
    arguments[arguments.index("--sync-every") + 1] = holes.value("{{ int64 .Values.hub.syncEverySeconds | quote }}")
    arguments.append(holes.block(_public_url))


def _listed_hubs(indent: int) -> str:
    pad = " " * indent
    listed = 'dict "hubs" .Values.hub.customHubs | toYaml'
    return f"{pad}{_HUBS_FILE}: |\n{pad}  {{{{- {listed} | nindent {indent + 2} }}}}"


def _public_url(indent: int) -> str:
    pad = " " * indent
    return f"{{{{- with .Values.hub.publicUrl }}}}\n{pad}- --public-url\n{pad}- {{{{ quote . }}}}\n{{{{- end }}}}"


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
        Option(
            "publicUrl",
            "",
            "Where users reach it, for the commands on its pages; empty: the address that they ask.",
            {"type": "string", "pattern": "^(https?://.+)?$"},
        ),
        Option(
            "customHubs",
            [],
            f"Hubs beside ours: name, url; branch; tokenFile, sshKey and knownHosts are files of the Secret {NAME}, "
            f"{_CREDENTIALS}/….",
            _CUSTOM_HUBS,
        ),
        Option(
            "syncEverySeconds",
            _SYNC_EVERY_S,
            "How long until these are fetched again; 0 never fetches them.",
            {"type": "integer", "minimum": 0},
        ),
    ),
    template=_template,
)
