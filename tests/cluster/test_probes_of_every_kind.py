"""Every type of probe in every mode asks a real server from a run of chaos: nginx, a server of posts, Prometheus, etcd.

One run a mode has one probe of each kind: httpProbe (GET in both spellings, POST), cmdProbe (in the experiment's pod
and in an image), k8sProbe (present, absent, create, delete), promProbe (now, and a range where the mode lasts) and
trafficProbe (HTTP, TCP, gRPC). The chaos hits a bystander, so that every answer is known; that they were asked is read
from the servers themselves.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster import servers
from tests.cluster.stage import Stage

PASSED = "Passed 👍"
FAILED = "Better Luck Next Time 👎"
PHASES = {
    "SOT": ["PreChaos"],
    "EOT": ["PostChaos"],
    "Edge": ["PreChaos", "PostChaos"],
    "Continuous": ["Continuous"],
    "OnChaos": ["OnChaos"],
}
HELD = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "held", "finalizers": ["tests.litmuschaos.io/held"]},
}
MADE = {"app": "made-by-a-probe"}
# Answers 201 with what was posted, and says on its output what that was.
POSTS = """
from http.server import BaseHTTPRequestHandler, HTTPServer

class Orders(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        print("posted", self.path, self.headers["Content-Type"], body.decode(), flush=True)
        self.send_response(201)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

HTTPServer(("", 8080), Orders).serve_forever()
"""


@dataclass(frozen=True, slots=True)
class World:
    """The servers: ``web`` is host and port of nginx, ``posts`` of the one for POST, ``health`` of etcd."""

    stage: Stage
    web: str
    posts: str
    prometheus: str
    health: str


@pytest.fixture
def world(stage: Stage, tmp_path: Path) -> Iterator[World]:
    """The servers, a bystander for the chaos, and the right of the experiment to objects that probes make."""
    posts = {"name": "posts", "image": servers.image(), "command": ["python3", "-c", POSTS]}
    spec = {"terminationGracePeriodSeconds": 0, "containers": [posts]}
    stage.apply(
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "posts"}, "spec": spec},
        HELD,
        *_right_to("configmaps", namespace=stage.name),
    )
    stage.deploy(1, name="bystander", command=["sleep", "3600"])
    stage.deploy(1)
    stage.kubectl("wait", "pod/posts", "--for=condition=Ready", "--timeout=60s")
    (web,) = stage.get("pods", selector="app=web")
    host = servers.address(stage)
    with servers.prometheus(host, tmp_path) as prometheus, servers.etcd(host, tmp_path) as health:
        yield World(stage, f"{_ip(web)}:80", f"{_ip(stage.get('pod', 'posts'))}:8080", prometheus, health)
    if stage.get("configmap", "held"):
        stage.kubectl("patch", "configmap", "held", "--type=merge", "-p", '{"metadata": {"finalizers": null}}')


def _ip(pod: dict[str, Any]) -> str:
    return str(pod["status"]["podIP"])


def _right_to(resource: str, *, namespace: str) -> list[dict[str, Any]]:
    """The smallest role has none to what only probes touch."""
    rbac = "rbac.authorization.k8s.io"
    rules = [{"apiGroups": [""], "resources": [resource], "verbs": ["create", "get", "list", "delete"]}]
    return [
        {"apiVersion": f"{rbac}/v1", "kind": "Role", "metadata": {"name": "probes"}, "rules": rules},
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "RoleBinding",
            "metadata": {"name": "probes"},
            "roleRef": {"apiGroup": rbac, "kind": "Role", "name": "probes"},
            "subjects": [{"kind": "ServiceAccount", "name": "chaos-sa", "namespace": namespace}],
        },
    ]


def every_kind(world: World, mode: str, *, well: bool) -> list[dict[str, Any]]:
    """One probe of each kind that passes, or that sees something else than it expects."""
    code, told, answer, up = ("200", "hello", "42", "1") if well else ("404", "farewell", "41", "0")
    web, missing = f"http://{world.web}/", f"http://{world.web}/missing"
    post = {"contentType": "application/json", "body": '{"say": "hello"}', "criteria": "==", "responseCode": "201"}
    said = {"type": "string", "criteria": "contains", "value": told}
    # The name of the pod that runs a command tells which one does.
    pod = {"type": "string", "criteria": "matches", "value": "^pod-delete-probe-" if well else "^nobody$"}
    value = {"type": "float", "criteria": "==", "value": up}
    query = {"endpoint": world.prometheus, "query": 'up{job="prometheus"}', "comparator": value}
    deployments = {"group": "apps", "version": "v1", "resource": "deployments", "namespace": world.stage.name}
    nobody, there = {"labelSelector": "app=nobody"}, {"labelSelector": "app=web"}
    configmaps = {"version": "v1", "resource": "configmaps", "namespace": world.stage.name}
    named = {"generateName": "made-", "labels": MADE} if well else {"name": "held"}
    manifest = yaml.safe_dump({"apiVersion": "v1", "kind": "ConfigMap", "metadata": named})
    quick: dict[str, Any] = {"rate": 5, "timeout": "5s"}
    closed = world.posts.replace(":8080", ":8081")
    kinds: dict[str, dict[str, Any]] = {
        "get": {"httpProbe/inputs": {"url": web, "method": {"get": {"criteria": "==", "responseCode": code}}}},
        "get-of-1-10": {"httpProbe/inputs": {"url": web, "expectedResponseCode": code}},
        "post": {
            "httpProbe/inputs": {
                "url": f"http://{world.posts}/orders",
                "method": {"post": post},
                "responseBody": said,
            }
        },
        "inline": {
            "cmdProbe/inputs": {
                "command": "echo $((40 + 2))",
                "comparator": {"type": "int", "criteria": "==", "value": answer},
                "source": "inline",
            }
        },
        "in-an-image": {"cmdProbe/inputs": {"command": "echo $HOSTNAME", "comparator": pod, "source": "busybox"}},
        "present": {
            "k8sProbe/inputs": {**deployments, **(there if well else nobody), "operation": "present"},
        },
        "absent-of-1-10": {
            "operation": "absent",
            "k8sProbe/inputs": {"command": {**deployments, **(nobody if well else there)}},
        },
        "create": {"k8sProbe/inputs": {**configmaps, "operation": "create"}, "data": manifest},
        "delete": {
            "k8sProbe/inputs": {**configmaps, "operation": "delete", "resourceNames": "held" if well else "nothing"},
        },
        "now": {"promProbe/inputs": query},
        "range": {"promProbe/inputs": {**query, "rangeStep": "500ms"}},
        "traffic-http": {"trafficProbe/inputs": {"url": web if well else missing, **quick}},
        "traffic-tcp": {"trafficProbe/inputs": {"url": f"tcp://{world.posts if well else closed}", **quick}},
        "traffic-grpc": {"trafficProbe/inputs": {"url": f"grpc://{world.health}{'' if well else '/nothing'}", **quick}},
    }
    # A machine that is busy answers late; what is wrong is wrong three times.
    seconds = {"probeTimeout": 20, "interval": 1, "retry": 0}
    durations = {"probeTimeout": "20s", "interval": "500ms", "attempt": 3, "probePollingInterval": "2s"}
    return [
        {
            "name": name,
            "type": next(key for key in inputs if key.endswith("/inputs")).partition("/")[0],
            "mode": mode,
            "runProperties": seconds if name.endswith("1-10") and well else durations,
            **inputs,
        }
        for name, inputs in kinds.items()
    ]


def run(world: World, *probes: dict[str, Any], duration_s: int = 5) -> dict[str, Any]:
    """An engine with these probes, to its end; the status of the result."""
    env = {"FORCE": "true", "TOTAL_CHAOS_DURATION": duration_s, "CHAOS_INTERVAL": duration_s}
    engine = world.stage.engine({"pod-delete": env}, app="bystander")
    engine["spec"]["experiments"][0]["spec"]["probe"] = list(probes)
    world.stage.apply(engine)
    world.stage.ended(deadline_s=400)
    return world.stage.result()


def words(result: dict[str, Any]) -> dict[str, dict[str, str]]:
    return {one["name"]: one["status"] for one in result["probeStatus"]}


@pytest.mark.parametrize("mode", PHASES)
def test_a_probe_of_every_kind_passes_in_this_mode(world: World, mode: str) -> None:
    handled = ("grpc_server_handled_total", 'grpc_service="grpc.health.v1.Health"', 'grpc_code="OK"')
    queries = ("prometheus_http_requests_total", 'handler="/api/v1/query"', 'code="200"')
    ranges = ("prometheus_http_requests_total", 'handler="/api/v1/query_range"', 'code="200"')
    asked_before = servers.counted(world.prometheus, *queries)
    probes = every_kind(world, mode, well=True)
    # An evaluation in a pod of its own has to fit into the chaos.
    result = run(world, *probes, duration_s=30 if mode == "OnChaos" else 5)
    assert words(result) == {one["name"]: dict.fromkeys(PHASES[mode], PASSED) for one in probes}
    assert world.stage.verdict() == ("Pass", "N/A")
    assert result["experimentstatus"]["probeSuccessPercentage"] == "100"
    later = {one["name"]: one for one in result["probeStatuses"]}
    assert {(one["mode"], one["status"]["verdict"]) for one in later.values()} == {(mode, "Passed")}
    assert "expected code == 200" in later["get"]["status"]["description"]
    # The servers know of it.
    times, lasting = len(PHASES[mode]), mode in ("Continuous", "OnChaos")
    posted = world.stage.kubectl("logs", "posts").splitlines()
    assert posted.count('posted /orders application/json {"say": "hello"}') >= times
    assert servers.counted(world.prometheus, *queries) - asked_before >= times * (1 if lasting else 2)
    assert bool(servers.counted(world.prometheus, *ranges)) == lasting
    assert servers.counted(f"http://{world.health}", *handled) >= times
    assert len(world.stage.get("configmaps", selector=f"app={MADE['app']}")) >= times
    assert world.stage.get("configmap", "held")["metadata"]["deletionTimestamp"]


SEEN = {
    "get": "code 200",
    "get-of-1-10": "code 200",
    "post": "hello",
    "inline": "'42'",
    "in-an-image": "'pod-delete-probe-",
    "present": "found none",
    "absent-of-1-10": "found 1: web",
    "create": "not created",
    "delete": "nothing deleted",
    "now": "observed 1, expected value == 0",
    "range": "observed 1, expected value == 0",
    "traffic-http": "code 404",
    "traffic-tcp": "connection refused",
    "traffic-grpc": "no health status",
}


@pytest.mark.parametrize("mode", ["EOT", "Continuous"])
def test_a_probe_of_every_kind_tells_what_it_saw_instead(world: World, mode: str) -> None:
    result = run(world, *every_kind(world, mode, well=False))
    verdict, step = world.stage.verdict()
    assert verdict == "Fail"
    told = {name: by_phase[PHASES[mode][0]] for name, by_phase in words(result).items()}
    assert told.keys() == SEEN.keys()
    for name, seen in SEEN.items():
        assert told[name].startswith(FAILED), (name, told[name])
        assert seen in told[name], (name, told[name])
        assert f"probe {name} (" in step
    assert result["experimentstatus"]["probeSuccessPercentage"] == "0"
    assert not world.stage.get("configmap", "held")["metadata"].get("deletionTimestamp")


def test_a_prometheus_that_does_not_answer_is_an_error_and_no_pod_is_touched(world: World) -> None:
    before = world.stage.pods("bystander")
    (probe,) = (one for one in every_kind(world, "SOT", well=True) if one["name"] == "now")
    probe["promProbe/inputs"] |= {"endpoint": f"http://{world.posts.replace(':8080', ':8081')}"}
    probe["runProperties"] = {"probeTimeout": "2s", "attempt": 1}
    run(world, probe)
    verdict, step = world.stage.verdict()
    assert verdict == "Error"
    assert "does not answer" in step
    assert world.stage.pods("bystander") == before
