"""The environment of a container, by the rules of Kubernetes; expected values were seen on a real cluster."""

import base64
from typing import Any

import pytest

from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.node import downward, environment
from litmus.sandbox.node.environment import Context, Missing

CONFIG = {"kind": "ConfigMap", "metadata": {"name": "have"}, "data": {"f": "data", "bad=key": "x"},
          "binaryData": {"bin": "AAEC"}}  # fmt: skip
SECRET = {"kind": "Secret", "metadata": {"name": "hidden"}, "data": {"a": base64.b64encode(b"secret").decode()}}
POD: Obj = {
    "metadata": {
        "name": "web",
        "namespace": "ns",
        "uid": "u-1",
        "labels": {"app": "web", "b": 'say "x"'},
        "annotations": {"note": "n"},
    },
    "spec": {
        "nodeName": "node1",
        "serviceAccountName": "default",
        "containers": [{"name": "c", "resources": {"requests": {"cpu": "150m"}}}],
    },
}


def service(name: str, address: str, *ports: Obj, namespace: str = "ns") -> Obj:
    meta = {"name": name, "namespace": namespace, "creationTimestamp": "2026-01-01T00:00:00Z"}
    return {"metadata": meta, "spec": {"clusterIP": address, "ports": list(ports)}}


def lookup(resource: str, name: str) -> Obj | None:
    return {("configmaps", "have"): CONFIG, ("secrets", "hidden"): SECRET}.get((resource, name))


def context(**more: Any) -> Context:
    given: dict[str, Any] = {
        "pod": POD,
        "ip": "127.5.1.9",
        "host_ip": "127.5.1.1",
        "allocatable": {"cpu": "2", "memory": "24581692Ki"},
        "lookup": lookup,
    }
    return Context(**(given | more))


def of(container: Obj, **more: Any) -> dict[str, str]:
    return environment.of({"name": "c", **container}, context(**more)).values


def named(*entries: Obj) -> Obj:
    return {"env": list(entries)}


def test_references_see_what_was_defined_before() -> None:
    found = of(named({"name": "A", "value": "1"}, {"name": "B", "value": "$(A)-$(NOPE)-$$(A)-$C"}))
    assert found["B"] == "1-$(NOPE)-$(A)-$C"


def test_a_later_variable_is_not_seen_by_an_earlier_one() -> None:
    assert of(named({"name": "A", "value": "$(B)"}, {"name": "B", "value": "x"}))["A"] == "$(B)"


def test_env_wins_over_env_from_and_env_from_over_services() -> None:
    container = {"envFrom": [{"configMapRef": {"name": "have"}}], "env": [{"name": "f", "value": "own"}]}
    assert of(container)["f"] == "own"


def test_all_keys_of_a_config_map_but_no_binary_ones() -> None:
    found = environment.of({"name": "c", "envFrom": [{"prefix": "P_", "configMapRef": {"name": "have"}}]}, context())
    assert found.values == {"P_f": "data"}
    assert found.skipped == [("configmap", "have", ["bad=key"])]


def test_a_secret_is_decoded() -> None:
    entry = {"name": "S", "valueFrom": {"secretKeyRef": {"name": "hidden", "key": "a"}}}
    assert of(named(entry))["S"] == "secret"
    assert of({"envFrom": [{"secretRef": {"name": "hidden"}}]}) == {"a": "secret"}


@pytest.mark.parametrize(
    ("container", "message"),
    [
        ({"envFrom": [{"secretRef": {"name": "nosec"}}]}, 'secret "nosec" not found'),
        ({"envFrom": [{"configMapRef": {"name": "nocm"}}]}, 'configmap "nocm" not found'),
        (
            named({"name": "A", "valueFrom": {"configMapKeyRef": {"name": "nocm", "key": "k"}}}),
            'configmap "nocm" not found',
        ),
        (
            named({"name": "A", "valueFrom": {"configMapKeyRef": {"name": "have", "key": "k"}}}),
            "couldn't find key k in ConfigMap ns/have",
        ),
        (
            named({"name": "A", "valueFrom": {"secretKeyRef": {"name": "hidden", "key": "k"}}}),
            "couldn't find key k in Secret ns/hidden",
        ),
        (
            named({"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "spec.nope"}}}),
            "unsupported fieldPath: spec.nope",
        ),
    ],
)  # fmt: skip
def test_what_is_missing_is_said_in_a_kubelets_words(container: Obj, message: str) -> None:
    with pytest.raises(Missing) as raised:
        of(container)
    assert str(raised.value) == message


@pytest.mark.parametrize("name", ["nocm", "have"])
def test_what_is_optional_may_be_missing(name: str) -> None:
    entry = {"name": "A", "valueFrom": {"configMapKeyRef": {"name": name, "key": "k", "optional": True}}}
    assert of(named(entry)) == {}
    assert of({"envFrom": [{"configMapRef": {"name": "nocm", "optional": True}}]}) == {}


def test_the_api_server_is_where_it_really_is() -> None:
    found = of({}, api=("127.0.0.1", 6443))
    assert found == {
        "KUBERNETES_SERVICE_HOST": "127.0.0.1",
        "KUBERNETES_SERVICE_PORT": "6443",
        "KUBERNETES_SERVICE_PORT_HTTPS": "6443",
        "KUBERNETES_PORT": "tcp://127.0.0.1:6443",
        "KUBERNETES_PORT_443_TCP": "tcp://127.0.0.1:6443",
        "KUBERNETES_PORT_443_TCP_PROTO": "tcp",
        "KUBERNETES_PORT_443_TCP_PORT": "6443",
        "KUBERNETES_PORT_443_TCP_ADDR": "127.0.0.1",
    }


def test_services_of_the_namespace_have_their_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("litmus.sandbox.machinery.ports.reachable", lambda port: port)
    services = [
        service("my-svc", "127.5.128.7", {"name": "http", "port": 80}, {"name": "x", "port": 90, "protocol": "UDP"}),
        service("other", "127.5.128.8", {"port": 1}, namespace="elsewhere"),
        service("headless", "None", {"port": 1}),
    ]
    found = of({}, services=services)
    assert found == {
        "MY_SVC_SERVICE_HOST": "127.5.128.7",
        "MY_SVC_SERVICE_PORT": "80",
        "MY_SVC_SERVICE_PORT_HTTP": "80",
        "MY_SVC_SERVICE_PORT_X": "90",
        "MY_SVC_PORT": "tcp://127.5.128.7:80",
        "MY_SVC_PORT_80_TCP": "tcp://127.5.128.7:80",
        "MY_SVC_PORT_80_TCP_PROTO": "tcp",
        "MY_SVC_PORT_80_TCP_PORT": "80",
        "MY_SVC_PORT_80_TCP_ADDR": "127.5.128.7",
        "MY_SVC_PORT_90_UDP": "udp://127.5.128.7:90",
        "MY_SVC_PORT_90_UDP_PROTO": "udp",
        "MY_SVC_PORT_90_UDP_PORT": "90",
        "MY_SVC_PORT_90_UDP_ADDR": "127.5.128.7",
    }
    quiet = {**POD, "spec": {**POD["spec"], "enableServiceLinks": False}}
    assert of({}, services=services, pod=quiet) == {}


def test_a_low_port_of_a_service_is_the_one_that_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("litmus.sandbox.machinery.ports.reachable", lambda port: port + 20000)
    found = of({}, services=[service("s", "127.5.128.7", {"port": 80})])
    assert (found["S_SERVICE_PORT"], found["S_PORT_80_TCP"]) == ("20080", "tcp://127.5.128.7:20080")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("metadata.name", "web"),
        ("metadata.namespace", "ns"),
        ("metadata.uid", "u-1"),
        ("metadata.labels['app']", "web"),
        ("metadata.labels['none']", ""),
        ("metadata.annotations['note']", "n"),
        ("metadata.labels", 'app="web"\nb="say \\"x\\""'),
        ("spec.nodeName", "node1"),
        ("spec.serviceAccountName", "default"),
        ("status.podIP", "127.5.1.9"),
        ("status.hostIP", "127.5.1.1"),
    ],
)
def test_the_downward_api_gives_fields(path: str, value: str) -> None:
    assert downward.field(POD, path, ip="127.5.1.9", host_ip="127.5.1.1") == value


@pytest.mark.parametrize(
    ("resource", "divisor", "value"),
    [
        ("limits.cpu", "", "2"),
        ("limits.memory", "", "25171652608"),
        ("limits.memory", "1Mi", "24006"),
        ("requests.cpu", "", "1"),
        ("requests.cpu", "1m", "150"),
        ("requests.memory", "", "0"),
    ],
)
def test_the_downward_api_gives_resources_as_a_real_node_does(resource: str, divisor: str, value: str) -> None:
    selector = {"resource": resource} | ({"divisor": divisor} if divisor else {})
    allocatable = {"cpu": "2", "memory": "24581692Ki"}
    assert downward.resource(POD, selector, container="c", allocatable=allocatable) == value


@pytest.mark.parametrize("selector", [{"resource": "limits.cpu", "containerName": "x"}, {"resource": "cpu"}, {}])
def test_an_unknown_resource_is_refused(selector: Obj) -> None:
    with pytest.raises(downward.Unknown):
        downward.resource(POD, selector, container="c", allocatable={})
