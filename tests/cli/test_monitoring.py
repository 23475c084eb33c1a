"""What ``litmus install --with monitoring`` makes fits what it is for: Grafana's sidecar, our pods, their ports."""

import json

import pytest

from litmus.cli import components, installed, manifests, parts
from litmus.exporter import dashboards, rules
from litmus.kube import Cluster, kinds
from tests import apiserver

WANTED = parts.Installation(namespace="team", scope="namespaced")
MADE = components.named(["monitoring"])[0].objects(WANTED)


def of_kind(kind: str) -> list[dict]:
    return [manifest for manifest in MADE if manifest["kind"] == kind]


def ports(pod: dict) -> set[str]:
    return {port["name"] for container in pod["spec"]["containers"] for port in container["ports"]}


def test_each_dashboard_is_a_config_map_that_grafanas_sidecar_finds():
    texts = {}
    for manifest in of_kind("ConfigMap"):
        assert manifest["metadata"]["labels"]["grafana_dashboard"] == "1"
        texts |= manifest["data"]

    assert texts == {f"{dashboard.uid}.json": dashboards.text(dashboard) for dashboard in dashboards.every()}
    assert all(json.loads(text) for text in texts.values())


def test_a_config_map_is_far_from_what_etcd_refuses():
    assert all(len(json.dumps(manifest)) < 500_000 for manifest in MADE)


def test_the_pod_monitor_selects_the_operator_and_its_port():
    [monitor] = of_kind("PodMonitor")
    pod = manifests.operator(WANTED)[-1]["spec"]["template"]

    assert monitor["spec"]["selector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()
    assert {endpoint["port"] for endpoint in monitor["spec"]["podMetricsEndpoints"]} <= ports(pod)


def test_the_service_monitor_selects_the_service_of_the_exporter_and_its_port():
    [monitor] = of_kind("ServiceMonitor")
    exporter = components.named(["exporter"])[0].objects(WANTED)
    [service] = [manifest for manifest in exporter if manifest["kind"] == "Service"]

    assert monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    assert {e["port"] for e in monitor["spec"]["endpoints"]} <= {port["name"] for port in service["spec"]["ports"]}


@pytest.mark.parametrize(
    ("kind", "endpoints"), [("PodMonitor", "podMetricsEndpoints"), ("ServiceMonitor", "endpoints")]
)
def test_the_namespace_of_an_experiment_is_not_replaced_by_that_of_our_pod(kind: str, endpoints: str):
    [monitor] = of_kind(kind)

    assert all(endpoint["honorLabels"] for endpoint in monitor["spec"][endpoints])


def test_the_rules_are_those_of_the_file():
    [rule] = of_kind("PrometheusRule")

    assert rule["spec"]["groups"] == rules.groups()


@pytest.mark.parametrize(
    ("document", "served"),
    [
        (None, False),
        ({"resources": []}, False),
        ({"resources": [{"name": "prometheusrules"}]}, True),
    ],
    ids=["no such group", "another kind of the group", "there it is"],
)
async def test_whether_a_kind_is_served_is_asked_of_discovery(
    cluster: Cluster, server: apiserver.Server, document: dict | None, served: bool
):
    if document:
        server.documents["/apis/monitoring.coreos.com/v1"] = document

    assert await installed.is_served(cluster, kinds.PROMETHEUS_RULE) is served
