"""What happens to pods, their logs, their data and their services when something goes wrong, seen through kubectl."""

import concurrent.futures
import json
import os
import signal
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from tests.sandbox.whole.conftest import Sandbox, until

Obj = dict[str, Any]
SERVER = """
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        size = int(self.path[1:] or 0)
        body = b"x" * size or os.environ["HOSTNAME"].encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass
http.server.ThreadingHTTPServer.request_queue_size = 200
http.server.ThreadingHTTPServer(("0.0.0.0", 8080), Handler).serve_forever()
"""


def shell(script: str, **more: Any) -> Obj:
    return {"name": "c", "image": "busybox", "imagePullPolicy": "IfNotPresent", "command": ["sh", "-c", script], **more}


def spec(*containers: Obj, **more: Any) -> Obj:
    return {"terminationGracePeriodSeconds": 1, "containers": list(containers), **more}


def workload(kind: str, container: Obj, *, replicas: int = 1, **more: Any) -> Obj:
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": "web"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": spec(container)},
            **more,
        },
    }


class Scene:
    """A namespace of a sandbox."""

    def __init__(self, sandbox: Sandbox, namespace: str) -> None:
        self.sandbox = sandbox
        self.namespace = namespace

    def kubectl(self, *words: str, stdin: str = "") -> str:
        return self.sandbox.kubectl("-n", self.namespace, *words, stdin=stdin)

    def says(self, *words: str) -> str:
        """What a kubectl that fails complains about."""
        done = self.sandbox.tried("-n", self.namespace, *words)
        assert done.returncode
        return done.stderr

    def get(self, *words: str) -> Any:
        return self.sandbox.get("-n", self.namespace, *words)

    def apply(self, obj: Obj) -> None:
        self.kubectl("apply", "-f", "-", stdin=json.dumps(obj))

    def pod(self, name: str, *containers: Obj, **more: Any) -> None:
        meta = {"name": name, "labels": {"app": name}}
        self.apply({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec(*containers, **more)})

    def container(self, name: str) -> Obj:
        """The status of a pod's first container, {} before there is one."""
        found: list[Obj] = self.get("pod", name)["status"].get("containerStatuses") or [{}]
        return found[0]

    def state(self, name: str, word: str, deadline_s: float = 30) -> Obj:
        """The state once it is that one."""
        return until(lambda: self.container(name).get("state", {}).get(word), f"{name} {word}", deadline_s=deadline_s)

    def restarted(self, name: str) -> Obj:
        """The status of the container when it runs again."""

        def again() -> Obj | None:
            found = self.container(name)
            return found if found.get("restartCount") and "running" in found["state"] else None

        return until(again, f"{name} runs again")

    def ready(self, name: str) -> None:
        self.kubectl("wait", "--for=condition=Ready", f"pod/{name}", "--timeout=30s")

    def reasons(self) -> set[str]:
        return {event["reason"] for event in self.get("events")["items"]}


def processes(word: str) -> dict[int, int]:
    """Those of containers with this word in the command line → their parents."""
    found = {}
    for entry in Path("/proc").iterdir():
        try:
            line = (entry / "cmdline").read_bytes().decode(errors="replace")
            if entry.name.isdigit() and word in line.split("\0"):
                found[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    return found


def test_a_container_that_is_killed_from_outside_is_a_new_one(sandbox: Sandbox, namespace: str) -> None:
    scene = Scene(sandbox, namespace)
    scene.pod("web", shell("echo up; exec sleep 71001"))
    scene.ready("web")
    before = scene.container("web")
    (pid,) = processes("71001")
    os.kill(pid, signal.SIGKILL)
    after = scene.restarted("web")
    assert after["restartCount"] == 1
    assert after["containerID"] != before["containerID"]
    last = after["lastState"]["terminated"]
    assert (last["exitCode"], last["reason"], last["containerID"]) == (137, "Error", before["containerID"])
    assert scene.kubectl("logs", "web", "--previous") == "up\n"


def test_a_forced_deletion_ends_all_processes_at_once(sandbox: Sandbox, namespace: str) -> None:
    scene = Scene(sandbox, namespace)
    script = "setsid sleep 71002 & env -i setsid sleep 71002 & trap '' TERM; while :; do sleep 71002; done"
    scene.pod("web", shell(script), terminationGracePeriodSeconds=600)
    until(lambda: len(processes("71002")) == 3, "three processes")
    scene.kubectl("delete", "pod", "web", "--force", "--grace-period=0")
    until(lambda: not processes("71002"), "no process", deadline_s=5)


def test_process_one_is_the_main_process(sandbox: Sandbox, namespace: str) -> None:
    scene = Scene(sandbox, namespace)
    scene.pod("web", shell("trap 'echo bye; exit 5' TERM; while :; do sleep 0.1; done"))
    scene.ready("web")
    scene.kubectl("exec", "web", "--", "sh", "-c", "echo hello > /proc/1/fd/1; hostname > /proc/1/fd/1")
    scene.kubectl("exec", "web", "--", "kill", "-TERM", "1")
    last = scene.restarted("web")["lastState"]["terminated"]
    assert (last["exitCode"], last["reason"]) == (5, "Error")
    assert scene.kubectl("logs", "web", "--previous") == "hello\nweb\nbye\n"


def test_crash_loop_and_what_exec_says_meanwhile(sandbox: Sandbox, namespace: str) -> None:
    scene = Scene(sandbox, namespace)
    scene.pod("web", shell("exit 3"))
    waiting = until(
        lambda: scene.container("web").get("state", {}).get("waiting", {}).get("message"), "a reason to wait"
    )
    uid = scene.get("pod", "web")["metadata"]["uid"]
    assert waiting == f"back-off 10s restarting failed container=c pod=web_{namespace}({uid})"
    assert scene.container("web")["lastState"]["terminated"]["exitCode"] == 3
    said = scene.says("exec", "web", "--", "true")
    assert said == 'error: unable to upgrade connection: container not found ("c")\n'


def test_the_termination_message_is_the_end_of_the_file(sandbox: Sandbox, namespace: str) -> None:
    scene = Scene(sandbox, namespace)
    script = "for i in $(seq 1 2000); do echo line$i; done > /dev/termination-log; exit 2"
    scene.pod("web", shell(script), restartPolicy="Never")
    message = scene.state("web", "terminated")["message"]
    assert len(message) == 4096
    assert message.endswith("line1999\nline2000\n")


def test_a_config_map_that_comes_late_starts_the_container(sandbox: Sandbox, namespace: str) -> None:
    scene = Scene(sandbox, namespace)
    source = {"configMapKeyRef": {"name": "late", "key": "word"}}
    scene.pod("web", shell("echo $WORD; exec sleep 3600", env=[{"name": "WORD", "valueFrom": source}]))
    waiting = scene.state("web", "waiting")
    waiting = until(
        lambda: (found := scene.state("web", "waiting"))["reason"] == "CreateContainerConfigError" and found, "a reason"
    )
    assert waiting["message"] == 'configmap "late" not found'
    scene.kubectl("create", "configmap", "late", "--from-literal=word=here")
    scene.ready("web")
    until(lambda: scene.kubectl("logs", "web") == "here\n", "the value")


def test_a_stateful_set_keeps_its_data(sandbox: Sandbox, namespace: str) -> None:
    scene = Scene(sandbox, namespace)
    claim = {
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}},
    }
    container = shell(
        "echo x >> /data/runs; wc -l < /data/runs; exec sleep 3600",
        volumeMounts=[{"name": "data", "mountPath": "/data"}],
    )
    scene.apply(workload("StatefulSet", container, serviceName="web", volumeClaimTemplates=[claim]))
    scene.kubectl("rollout", "status", "sts/web", "--timeout=30s")
    scene.kubectl("delete", "pod", "web-0")
    scene.kubectl("rollout", "status", "sts/web", "--timeout=30s")
    until(lambda: scene.kubectl("logs", "web-0").strip() == "2", "the second run")
    assert [claim["status"]["phase"] for claim in scene.get("pvc")["items"]] == ["Bound"]


def test_an_image_that_nobody_knows_holds_a_rollout_until_it_is_undone(sandbox: Sandbox, namespace: str) -> None:
    scene = Scene(sandbox, namespace)
    scene.apply(workload("Deployment", shell("exec sleep 3600"), replicas=3, progressDeadlineSeconds=2))
    scene.kubectl("rollout", "status", "deploy/web", "--timeout=30s")
    scene.kubectl("set", "image", "deploy/web", "c=no/such:v1")
    said = scene.says("rollout", "status", "deploy/web", "--timeout=30s")
    assert said == 'error: deployment "web" exceeded its progress deadline\n'
    status = scene.get("deploy", "web")["status"]
    assert (status["readyReplicas"], status["updatedReplicas"], status["unavailableReplicas"]) == (3, 1, 1)
    scene.kubectl("rollout", "undo", "deploy/web")
    scene.kubectl("rollout", "status", "deploy/web", "--timeout=30s")
    until(lambda: len(scene.get("pods")["items"]) == 3, "the broken pod is gone")


def test_fifty_megabytes_of_output_are_followed_in_whole_lines(sandbox: Sandbox, namespace: str) -> None:
    scene = Scene(sandbox, namespace)
    line = "0123456789" * 10
    scene.pod("web", shell(f"yes {line} | head -n 500000; echo done; exec sleep 3600"), restartPolicy="Never")
    scene.ready("web")
    following = subprocess.Popen(
        ["kubectl", "-n", namespace, "logs", "-f", "web"], env=sandbox.env, stdout=subprocess.PIPE, text=True
    )
    assert following.stdout is not None
    seen = 0
    with following:
        for said in following.stdout:
            if said == "done\n":
                break
            assert said == f"{line}\n"
            seen += 1
        following.kill()
    assert seen > 50_000
    assert scene.kubectl("logs", "web", "--tail=2") == f"{line}\ndone\n"


def test_a_service_has_the_pods_that_are_ready(sandbox: Sandbox, namespace: str) -> None:
    scene = Scene(sandbox, namespace)
    container = {
        "name": "c",
        "image": "python:3.11",
        "command": ["python", "-c", SERVER],
        "readinessProbe": {"tcpSocket": {"port": 8080}, "periodSeconds": 1},
    }
    scene.apply(workload("Deployment", container, replicas=3))
    scene.kubectl("expose", "deploy", "web", "--port=8080")
    scene.kubectl("rollout", "status", "deploy/web", "--timeout=60s")
    address = f"http://{scene.get('svc', 'web')['spec']['clusterIP']}:8080"

    def ask(path: str = "/") -> str:
        with urllib.request.urlopen(address + path, timeout=30) as answer:
            return str(answer.read().decode())

    names = {pod["metadata"]["name"] for pod in scene.get("pods")["items"]}
    assert {ask() for _ in range(60)} == names
    with concurrent.futures.ThreadPoolExecutor(100) as many:
        assert {len(text) for text in many.map(lambda _: ask("/20000"), range(200))} == {20_000}
    assert len(ask("/50000000")) == 50_000_000
    itself = f"import urllib.request as u; print(u.urlopen('{address}').status)"
    assert scene.kubectl("exec", names.pop(), "--", "python", "-c", itself) == "200\n"
    scene.kubectl("scale", "deploy/web", "--replicas=0")
    until(lambda: _refused(ask), "nobody answers")
    assert not scene.get("endpoints", "web").get("subsets")


def _refused(ask: Any) -> bool:
    try:
        ask()
    except (urllib.error.URLError, ConnectionError) as error:
        return "refused" in str(error)
    return False


def test_the_service_proxy_closes_what_is_over(sandbox: Sandbox, namespace: str) -> None:
    scene = Scene(sandbox, namespace)
    scene.pod("web", {"name": "c", "image": "python:3.11", "command": ["python", "-c", SERVER]})
    scene.ready("web")
    scene.kubectl("expose", "pod", "web", "--port=8080")
    address = f"http://{scene.get('svc', 'web')['spec']['clusterIP']}:8080"
    (proxy,) = [pid for pid in processes("litmus.sandbox.network") if _belongs(pid, sandbox)]
    files = Path("/proc", str(proxy), "fd")

    def answered() -> bool:
        try:
            with urllib.request.urlopen(address, timeout=30) as answer:
                return bool(answer.read() == b"web")
        except OSError:
            return False

    until(answered, "an answer")
    before = len(list(files.iterdir()))
    for _ in range(50):
        assert answered()
    until(lambda: len(list(files.iterdir())) < before + 10, "closed connections", deadline_s=10)


def _belongs(pid: int, sandbox: Sandbox) -> bool:
    try:
        environ = Path("/proc", str(pid), "environ").read_bytes()
    except OSError:
        return False  # somebody else's
    return f"LITMUS_SANDBOX={sandbox.folder}".encode() in environ.split(b"\0")


def test_a_taint_evicts_when_the_patience_of_a_pod_is_over(sandbox: Sandbox, namespace: str) -> None:
    scene = Scene(sandbox, namespace)
    tolerated = {"key": "scene", "operator": "Exists", "effect": "NoExecute"}
    for name, tolerations in (("none", []), ("some", [{**tolerated, "tolerationSeconds": 600}]), ("all", [tolerated])):
        scene.pod(name, shell("exec sleep 3600"), nodeName="node3", tolerations=tolerations)
        scene.ready(name)
    scene.kubectl("taint", "node", "node3", "scene=on:NoExecute")
    try:
        until(lambda: len(scene.get("pods")["items"]) == 2, "one pod is evicted")
        assert "TaintManagerEviction" in scene.reasons()
        assert [pod["metadata"]["name"] for pod in scene.get("pods")["items"]] == ["all", "some"]
    finally:
        scene.kubectl("taint", "node", "node3", "scene-")
