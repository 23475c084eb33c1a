"""The kit's kubectl, of Kubernetes 1.20: SPDY in place of WebSockets, OpenAPI v2 in place of v3."""

import re
import subprocess
import urllib.request
from pathlib import Path

import pytest

from tests.sandbox.whole.conftest import Sandbox

OLD = Path("/var/cache/kube-1.20.2/bin/kubectl")
pytestmark = pytest.mark.skipif(not OLD.exists(), reason="the kit's kubectl is not on this machine")

POD = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: nginx
        image: nginx
        ports: [{containerPort: 80}]
        readinessProbe: {httpGet: {port: 80}, periodSeconds: 1}
"""


@pytest.fixture
def old(sandbox: Sandbox, namespace: str) -> "Old":
    return Old(sandbox, namespace)


class Old:
    """The old kubectl, in the test's namespace."""

    def __init__(self, sandbox: Sandbox, namespace: str) -> None:
        self.env = {**sandbox.env, "HOME": str(sandbox.folder.parent)}
        self.namespace = namespace

    def __call__(self, *arguments: str, stdin: str = "", code: int = 0) -> str:
        command = [str(OLD), "-n", self.namespace, *arguments]
        done = subprocess.run(
            command, env=self.env, input=stdin, capture_output=True, text=True, timeout=90, check=False
        )
        assert done.returncode == code, f"$ {' '.join(command)}\n{done.stdout}{done.stderr}"
        return done.stdout if code == 0 else done.stdout + done.stderr


def test_an_old_kubectl_deploys_rolls_out_and_undoes(old: Old) -> None:
    assert old("apply", "-f", "-", stdin=POD) == "deployment.apps/web created\n"
    old("rollout", "status", "deploy/web", "--timeout=60s")
    assert old("apply", "-f", "-", stdin=POD) == "deployment.apps/web unchanged\n"
    assert "+  replicas: 1" in old("diff", "-f", "-", stdin=POD.replace("replicas: 2", "replicas: 1"), code=1)
    assert re.search(r"^web-\S+ +1/1 +Running +0 +\S+ +127\.", old("get", "pods", "-o", "wide"), re.MULTILINE)
    described = old("describe", "deploy", "web")
    assert "2 desired | 2 updated | 2 total | 2 available | 0 unavailable" in described
    assert re.search(r"^  Normal +Scheduled ", old("describe", "pods"), re.MULTILINE)
    old("set", "image", "deploy/web", "nginx=nginx:1.25")
    old("rollout", "status", "deploy/web", "--timeout=60s")
    assert old("rollout", "undo", "deploy/web") == "deployment.apps/web rolled back\n"
    assert old("scale", "deploy/web", "--replicas=1") == "deployment.apps/web scaled\n"
    old("wait", "deploy/web", "--for=condition=Available", "--timeout=30s")
    assert old("delete", "deploy", "web") == 'deployment.apps "web" deleted\n'


def test_an_old_kubectl_runs_commands_copies_and_forwards(old: Old, tmp_path: Path) -> None:
    old("run", "web", "--image=nginx", "--port=80")
    old("wait", "pod/web", "--for=condition=Ready", "--timeout=30s")
    assert old("exec", "-i", "web", "--", "cat", stdin="hello") == "hello"
    assert "exit code 3" in old("exec", "web", "--", "sh", "-c", "exit 3", code=3)
    (tmp_path / "there").write_bytes(bytes(range(256)) * 500)
    old("cp", str(tmp_path / "there"), "web:/tmp/there")
    old("cp", "web:/tmp/there", str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == (tmp_path / "there").read_bytes()
    command = [str(OLD), "-n", old.namespace, "port-forward", "pod/web", ":80"]
    with subprocess.Popen(command, env=old.env, stdout=subprocess.PIPE, text=True) as forward:
        try:
            assert forward.stdout is not None
            address = forward.stdout.readline().split()[2]
            for _ in range(2):
                with urllib.request.urlopen(f"http://{address}/", timeout=10) as answer:
                    assert b"nginx" in answer.read()
        finally:
            forward.terminate()
    assert "GET / HTTP/1.1" in old("logs", "web")


def test_an_old_kubectl_makes_objects_and_explains_them(old: Old) -> None:
    assert old("create", "configmap", "c", "--from-literal=a=b") == "configmap/c created\n"
    assert old("get", "cm", "c", "-o", "jsonpath={.data.a}") == "b"
    assert old("label", "cm", "c", "x=y") == "configmap/c labeled\n"
    assert old("annotate", "cm", "c", "x=y") == "configmap/c annotated\n"
    assert old("patch", "cm", "c", "-p", '{"data":{"a":null}}') == "configmap/c patched\n"
    assert "FIELD:    maxSurge" in old("explain", "deploy.spec.strategy.rollingUpdate.maxSurge")
    assert "unknown field" in old("apply", "-f", "-", stdin=POD.replace("replicas:", "replica:"), code=1)
    assert old("auth", "can-i", "delete", "pods") == "yes\n"
    assert "deployments" in old("api-resources", "--api-group=apps")
    assert old("delete", "cm", "c") == 'configmap "c" deleted\n'
