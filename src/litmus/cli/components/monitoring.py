"""What Prometheus and Grafana need of a cluster to show chaos: dashboards, rules, and where the metrics are.

Nothing of it runs. The dashboards are ConfigMaps with the label by which the sidecar of Grafana's charts finds them.
A cluster with the operator of Prometheus gets a PodMonitor for our operator, a ServiceMonitor for the exporter, and
the rules; any other finds both by the annotations that their pods have anyway. Not both at once: who installs that
operator seldom follows annotations too.

Our metrics have a label ``namespace`` of their own, which is the one of the experiment. A monitor would give them that
of our pod instead, so both say ``honorLabels``.
"""

from litmus.exporter import dashboards, rules
from litmus.hub.documents import Quoted

from .. import parts
from ..parts import Document, Installation
from ._component import Component

NAME = "litmus"
EVERY = "15s"
# The pods of the operator (``manifests.POD_LABELS``, which imports this package) and the name of their port.
_OPERATOR = {"name": "chaos-operator"}
_EXPORTER = {"app": "chaos-exporter"}  # the labels of the exporter's Service
_PORT = "metrics"
_API = "monitoring.coreos.com/v1"


def _manifests(wanted: Installation) -> list[Document]:
    return [
        *(_dashboard(dashboard, wanted) for dashboard in dashboards.every()),
        _monitor(wanted, "PodMonitor", name="chaos-operator", endpoints="podMetricsEndpoints", labels=_OPERATOR),
        _monitor(wanted, "ServiceMonitor", name="chaos-exporter", endpoints="endpoints", labels=_EXPORTER),
        {
            "apiVersion": _API,
            "kind": "PrometheusRule",
            "metadata": parts.meta(wanted, "monitoring", name=NAME),
            "spec": {"groups": rules.groups()},
        },
    ]


def _dashboard(dashboard: dashboards.Dashboard, wanted: Installation) -> Document:
    meta = parts.meta(wanted, "monitoring", name=f"{dashboard.uid}-dashboard")
    found = {"labels": meta["labels"] | {"grafana_dashboard": Quoted("1")}, "annotations": {"grafana_folder": "Litmus"}}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": meta | found,
        "data": {f"{dashboard.uid}.json": dashboards.text(dashboard)},
    }


def _monitor(wanted: Installation, kind: str, *, name: str, endpoints: str, labels: Document) -> Document:
    return {
        "apiVersion": _API,
        "kind": kind,
        "metadata": parts.meta(wanted, "monitoring", name=name),
        "spec": {
            "selector": {"matchLabels": labels},
            endpoints: [{"port": _PORT, "path": "/metrics", "interval": EVERY, "honorLabels": True}],
        },
    }


def _reach(namespace: str) -> str:
    return (
        f"Grafana's sidecar finds the dashboards in the ConfigMaps of namespace {namespace} with the label"
        " grafana_dashboard=1; their data comes from --with exporter."
    )


COMPONENT = Component(
    name="monitoring",
    help="dashboards for Grafana, rules and alerts for Prometheus",
    manifests=_manifests,
    foreign=frozenset({"PodMonitor", "ServiceMonitor", "PrometheusRule"}),
    reach=_reach,
)
