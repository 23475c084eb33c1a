"""What the operator and the components of an installation share: labels, and pods that may do nothing. Pure."""

from dataclasses import dataclass
from typing import Any, Literal

from litmus import __version__
from litmus.api import names
from litmus.hub import charts
from litmus.hub.documents import Comment, Quoted

Document = dict[Any, Any]
Scope = Literal["cluster", "namespaced"]

NAME = "litmus"
USER = 65532


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """One operator. ``namespace=''`` leaves the namespace to ``kubectl apply -n``, which only scope namespaced can."""

    namespace: str = names.OPERATOR_NAMESPACE
    scope: Scope = "cluster"
    image: str = charts.DEFAULT_IMAGE
    replicas: int = 1

    def __post_init__(self) -> None:
        if self.scope == "cluster" and not self.namespace:
            raise ValueError("the binding of a ClusterRole has to name a namespace")

    @property
    def watched(self) -> str:
        """The namespace whose engines it runs, '' for the whole cluster."""
        return "" if self.scope == "cluster" else self.namespace


def meta(wanted: Installation, component: str, *, name: str = NAME, clusterwide: bool = False) -> Document:
    """The metadata of an object of the installation."""
    within: Document = {"namespace": wanted.namespace} if wanted.namespace and not clusterwide else {}
    return {"name": name, **within, "labels": labels(component) | {"name": NAME}}


def labels(component: str) -> Document:
    """The recommended labels of Kubernetes."""
    return {
        "app.kubernetes.io/name": NAME,
        "app.kubernetes.io/version": Quoted(__version__),
        names.COMPONENT: component,
        names.PART_OF: "litmus",
    }


def pod_security() -> Document:
    """Nobody in particular, with the system calls that every container may use."""
    return {
        "runAsNonRoot": True,
        "runAsUser": USER,
        "runAsGroup": USER,
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def container_security() -> Document:
    """No right to gain, and nothing of the image to change."""
    return {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def field(path: str) -> Document:
    """An environment variable's value that is a field of the pod."""
    return {"valueFrom": {"fieldRef": {"fieldPath": path}}}


def quoted(value: object) -> Quoted:
    """A number that stays text."""
    return Quoted(str(value))


def watch_namespace(wanted: Installation, *, whose: str) -> list[Any]:
    """The environment variable that says which namespaces a process looks at."""
    if wanted.scope == "cluster":
        return [
            Comment(f"{whose}; empty means the whole cluster."),
            {"name": "WATCH_NAMESPACE", "value": Quoted("")},
        ]
    return [
        Comment(f"{whose}: those of its own namespace only."),
        {"name": "WATCH_NAMESPACE", **field("metadata.namespace")},
    ]


def http_probe(path: str, port: str) -> Document:
    """A probe by GET; the caller adds how often."""
    return {"httpGet": {"path": path, "port": port}, "timeoutSeconds": 5}


def scraped(port: int) -> Document:
    """Annotations of a pod by which Prometheus finds its metrics, in the spelling of its usual configurations."""
    return {"prometheus.io/scrape": "true", "prometheus.io/port": str(port), "prometheus.io/path": "/metrics"}
