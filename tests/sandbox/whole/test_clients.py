"""Programs that speak to a cluster through the usual Python libraries do not notice that it is a sandbox.

The official client and lightkube run here; kopf runs an operator in a process of its own; and one client runs inside a
pod, with the configuration that every pod has.
"""

import asyncio
import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import lightkube
import pytest
from kubernetes import client, config, stream, watch
from lightkube.core.exceptions import ApiError
from lightkube.generic_resource import create_namespaced_resource
from lightkube.models.apps_v1 import DeploymentSpec
from lightkube.models.core_v1 import Container, PodSpec, PodTemplateSpec
from lightkube.models.meta_v1 import LabelSelector, ObjectMeta
from lightkube.resources.apps_v1 import Deployment
from lightkube.resources.core_v1 import ConfigMap, Pod
from lightkube.types import PatchType

from tests.sandbox.whole.conftest import Sandbox, until


@pytest.fixture
def api(sandbox: Sandbox) -> Iterator[client.ApiClient]:
    """The official client."""
    with config.new_client_from_config(sandbox.env["KUBECONFIG"]) as made:
        yield made
        made.rest_client.pool_manager.clear()


@pytest.fixture
def core(api: client.ApiClient) -> client.CoreV1Api:
    return client.CoreV1Api(api)


@pytest.fixture
def kube(sandbox: Sandbox, namespace: str) -> Iterator[lightkube.Client]:
    """lightkube's client, in the test's namespace."""
    access = lightkube.KubeConfig.from_file(sandbox.env["KUBECONFIG"])
    with lightkube.Client(config=access, namespace=namespace, field_manager="test") as made:
        yield made


def a_config_map(name: str, **data: str) -> client.V1ConfigMap:
    return client.V1ConfigMap(metadata=client.V1ObjectMeta(name=name, labels={"set": "ours"}), data=data)


def a_pod(name: str, image: str, *command: str) -> client.V1Pod:
    container = client.V1Container(name="main", image=image, command=list(command) or None)
    spec = client.V1PodSpec(containers=[container], termination_grace_period_seconds=1, restart_policy="Never")
    return client.V1Pod(metadata=client.V1ObjectMeta(name=name), spec=spec)


def run(core: client.CoreV1Api, namespace: str, pod: client.V1Pod, *, phase: str = "Running") -> None:
    core.create_namespaced_pod(namespace, pod)
    name = pod.metadata.name
    until(lambda: core.read_namespaced_pod(name, namespace).status.phase == phase, f"{name} to be {phase}")


def test_official_client_creates_patches_lists_and_deletes(core: client.CoreV1Api, namespace: str) -> None:
    made = core.create_namespaced_config_map(namespace, a_config_map("one", color="blue"))
    assert isinstance(made.metadata.creation_timestamp, datetime)
    assert abs((datetime.now(UTC) - made.metadata.creation_timestamp).total_seconds()) < 60
    patched = core.patch_namespaced_config_map("one", namespace, {"data": {"size": "small"}})
    assert patched.data == {"color": "blue", "size": "small"}
    patched.data = {"color": "red"}
    replaced = core.replace_namespaced_config_map("one", namespace, patched)
    with pytest.raises(client.ApiException) as stale:
        core.replace_namespaced_config_map("one", namespace, patched)
    assert (stale.value.status, json.loads(stale.value.body)["reason"]) == (409, "Conflict")
    for number in range(5):
        core.create_namespaced_config_map(namespace, a_config_map(f"more-{number}"))
    page = core.list_namespaced_config_map(namespace, label_selector="set=ours", limit=4)
    rest = core.list_namespaced_config_map(
        namespace, label_selector="set=ours", limit=4, _continue=page.metadata._continue
    )
    assert (len(page.items), page.metadata.remaining_item_count, len(rest.items)) == (4, None, 2)
    core.delete_namespaced_config_map(
        "one", namespace, body=client.V1DeleteOptions(preconditions=client.V1Preconditions(uid=replaced.metadata.uid))
    )
    core.delete_collection_namespaced_config_map(namespace, label_selector="set=ours")
    assert core.list_namespaced_config_map(namespace, label_selector="set=ours").items == []
    with pytest.raises(client.ApiException) as missing:
        core.read_namespaced_config_map("one", namespace)
    assert (missing.value.status, missing.value.reason) == (404, "Not Found")
    with pytest.raises(client.ApiException) as wrong:
        core.create_namespaced_config_map(namespace, a_config_map("Not Good"))
    assert (wrong.value.status, json.loads(wrong.value.body)["reason"]) == (422, "Invalid")


def test_official_client_watches(core: client.CoreV1Api, namespace: str) -> None:
    start = core.list_namespaced_config_map(namespace).metadata.resource_version
    core.create_namespaced_config_map(namespace, a_config_map("one", color="blue"))
    core.patch_namespaced_config_map("one", namespace, {"data": {"color": "red"}})
    core.delete_namespaced_config_map("one", namespace)
    seen = []
    for event in watch.Watch().stream(
        core.list_namespaced_config_map,
        namespace,
        resource_version=start,
        label_selector="set=ours",
        timeout_seconds=20,
    ):
        seen.append((event["type"], event["object"].data["color"]))
        if event["type"] == "DELETED":
            break
    assert seen == [("ADDED", "blue"), ("MODIFIED", "red"), ("DELETED", "red")]


def test_official_client_runs_commands_and_reads_logs(core: client.CoreV1Api, namespace: str) -> None:
    run(core, namespace, a_pod("shell", "busybox", "sh", "-c", "echo started; sleep 600"))
    assert until(lambda: core.read_namespaced_pod_log("shell", namespace), "the log") == "started\n"
    connect = core.connect_get_namespaced_pod_exec
    said = stream.stream(
        connect, "shell", namespace, command=["sh", "-c", "echo out; echo err >&2"], stdout=True, stderr=True
    )
    assert sorted(said.split()) == ["err", "out"]
    session = stream.stream(
        connect, "shell", namespace, command=["sh", "-c", "read word; echo got $word; exit 3"],
        stdin=True, stdout=True, stderr=True, _preload_content=False,
    )  # fmt: skip
    session.write_stdin("something\n")
    session.run_forever(timeout=20)
    assert session.read_stdout() == "got something\n"
    assert session.returncode == 3
    session.close()


def test_official_client_forwards_a_port(core: client.CoreV1Api, namespace: str) -> None:
    run(core, namespace, a_pod("web", "nginx"))
    until(lambda: core.read_namespaced_pod("web", namespace).status.container_statuses[0].ready, "nginx")

    def answer() -> bytes:
        forward = stream.portforward(core.connect_get_namespaced_pod_portforward, "web", namespace, ports="80")
        with contextlib.closing(forward.socket(80)) as socket:
            socket.setblocking(True)
            socket.sendall(b"GET / HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n")
            got = b""
            while chunk := socket.recv(65536):
                got += chunk
        assert forward.error(80) is None
        return bytes(got)

    found = until(answer, "an answer")
    assert found.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"nginx" in found


INSIDE = """
import json, ssl, urllib.request
from kubernetes import client, config
config.load_incluster_config()
core = client.CoreV1Api()
namespace = open("/var/run/secrets/kubernetes.io/serviceaccount/namespace").read()
print(sorted(pod.metadata.name for pod in core.list_namespaced_pod(namespace).items))
try:
    core.list_namespaced_secret(namespace)
except client.ApiException as refused:
    print(refused.status, json.loads(refused.body)["message"])
"""


def test_official_client_works_inside_a_pod(sandbox: Sandbox, core: client.CoreV1Api, namespace: str) -> None:
    sandbox.kubectl("create", "role", "look", "--verb=list", "--resource=pods", "-n", namespace)
    sandbox.kubectl(
        "create", "rolebinding", "look", "--role=look", f"--serviceaccount={namespace}:default", "-n", namespace
    )
    run(core, namespace, a_pod("inside", "python", "python", "-c", INSIDE), phase="Succeeded")
    listed, refused = core.read_namespaced_pod_log("inside", namespace).splitlines()
    assert listed == "['inside']"
    assert refused == (
        f'403 secrets is forbidden: User "system:serviceaccount:{namespace}:default" cannot list resource "secrets" '
        f'in API group "" in the namespace "{namespace}"'
    )


def test_lightkube_makes_and_follows_a_deployment(kube: lightkube.Client, namespace: str) -> None:
    wanted = Deployment(
        metadata=ObjectMeta(name="web", namespace=namespace),
        spec=DeploymentSpec(
            replicas=2,
            selector=LabelSelector(matchLabels={"app": "web"}),
            template=PodTemplateSpec(
                metadata=ObjectMeta(labels={"app": "web"}),
                spec=PodSpec(containers=[Container(name="pause", image="pause")], terminationGracePeriodSeconds=1),
            ),
        ),
    )
    kube.create(wanted)
    ready = kube.wait(Deployment, "web", for_conditions=["Available"])
    assert ready.status
    assert ready.status.availableReplicas == 2
    assert len(list(kube.list(Pod, labels={"app": "web"}))) == 2
    scale = kube.get(Deployment.Scale, "web")
    assert scale.spec
    assert scale.status
    assert (scale.spec.replicas, scale.status.selector) == (2, "app=web")
    scale.spec.replicas = 0
    kube.replace(scale, "web")
    kube.apply(ConfigMap(metadata=ObjectMeta(name="c", namespace=namespace), data={"a": "1"}))
    assert kube.get(ConfigMap, "c").data == {"a": "1"}
    kube.delete(Deployment, "web")
    with pytest.raises(ApiError, match=r'deployments\.apps "web" not found'):
        kube.get(Deployment, "web")


def test_lightkube_watches_without_blocking(sandbox: Sandbox, namespace: str) -> None:
    async def seen() -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        added = asyncio.Event()  # a watch that opens after the deletion would rightly see nothing at all

        async def follow(kube: lightkube.AsyncClient) -> None:
            async for kind, obj in kube.watch(ConfigMap, namespace=namespace, labels={"set": "ours"}):
                found.append((kind, obj.metadata.name))
                added.set()
                if kind == "DELETED":
                    return

        access = lightkube.KubeConfig.from_file(sandbox.env["KUBECONFIG"])
        async with asyncio.timeout(20), lightkube.AsyncClient(config=access) as kube, asyncio.TaskGroup() as group:
            group.create_task(follow(kube))
            labels = {"set": "ours"}
            await kube.create(ConfigMap(metadata=ObjectMeta(name="x", namespace=namespace, labels=labels)))
            await added.wait()
            await kube.delete(ConfigMap, "x", namespace=namespace)
        return found

    assert asyncio.run(seen()) == [("ADDED", "x"), ("DELETED", "x")]


OPERATOR = """
import kopf

@kopf.on.startup()
def quick(settings, **_):
    settings.posting.loggers = True
    settings.watching.server_timeout = 60

@kopf.on.create("kopf.example.com", "v1", "gardens")
def create(spec, name, **_):
    return {"planted": spec["trees"], "by": name}

@kopf.on.update("kopf.example.com", "v1", "gardens", field="spec.trees")
def update(old, new, patch, **_):
    patch.status["change"] = f"{old} to {new}"

@kopf.on.delete("kopf.example.com", "v1", "gardens")
def delete(name, logger, **_):
    logger.info(f"{name} is cleared")
"""
GARDENS = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "gardens.kopf.example.com"},
    "spec": {
        "group": "kopf.example.com",
        "scope": "Namespaced",
        "names": {"plural": "gardens", "singular": "garden", "kind": "Garden"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "subresources": {"status": {}},
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "spec": {"type": "object", "properties": {"trees": {"type": "integer"}}},
                            "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                        },
                    }
                },
            }
        ],
    },
}


@pytest.fixture
def operator(sandbox: Sandbox, namespace: str, tmp_path: Path) -> Iterator[Path]:
    """A kopf operator for Gardens in the namespace; its log."""
    sandbox.kubectl("apply", "-f", "-", stdin=json.dumps(GARDENS))
    sandbox.kubectl("wait", "crd/gardens.kopf.example.com", "--for=condition=Established", "--timeout=10s")
    (tmp_path / "gardener.py").write_text(OPERATOR)
    log = tmp_path / "log"
    command = [sys.executable, "-m", "kopf", "run", "gardener.py", "--namespace", namespace, "--standalone"]
    with log.open("w") as output:
        process = subprocess.Popen(command, cwd=tmp_path, env=sandbox.env, stdout=output, stderr=output)
    try:
        yield log
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        sandbox.kubectl("delete", "crd", "gardens.kopf.example.com", "--wait=false")


def test_kopf_sees_a_resource_through_its_life(
    sandbox: Sandbox, kube: lightkube.Client, operator: Path, namespace: str
) -> None:
    garden = create_namespaced_resource("kopf.example.com", "v1", "Garden", "gardens")
    kube.create(garden(metadata=ObjectMeta(name="eden"), spec={"trees": 1}))

    def status(field: str) -> Any:
        return until(lambda: (kube.get(garden, "eden").get("status") or {}).get(field), f"{field}, see {operator}")

    assert status("create") == {"planted": 1, "by": "eden"}
    assert "kopf.zalando.org/KopfFinalizerMarker" in (kube.get(garden, "eden").metadata.finalizers or [])
    kube.patch(garden, "eden", {"spec": {"trees": 2}}, patch_type=PatchType.MERGE)
    assert status("change") == "1 to 2"
    kube.delete(garden, "eden")
    sandbox.kubectl("wait", "--for=delete", "garden/eden", "-n", namespace, "--timeout=20s")
    assert "eden is cleared" in operator.read_text()
    assert until(lambda: "eden is cleared" in sandbox.kubectl("get", "events", "-n", namespace), "kopf's event")
