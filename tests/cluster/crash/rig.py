"""What a crash test needs of a cluster and of its nodes: an API without ceremony, and processes to look at and to kill.

The nodes ``node1`` and ``node2`` of the kit are processes of this machine: theirs are killed and looked at directly. On
any other node a privileged pod does it.
"""

import base64
import json
import os
import re
import signal
import ssl
import tempfile
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import httpx2
import yaml

from tests.cluster import stage

GUARDIAN = "litmus-guardian"
SHARED_NODES = ("node1", "node2")
# Where the kit keeps the logs of its nodes' pods, each under the node's name.
LOGS = Path(os.environ.get("KUBE_DIR", "/var/tmp/kube"))
_SCRIPTS = Path(__file__).with_name("on_node.py")


class Api:
    """Plain HTTP to the API server as the admin of KUBECONFIG; connections are kept."""

    @cached_property
    def _client(self) -> httpx2.Client:
        config = yaml.safe_load(Path(stage.KUBECONFIG).read_text())
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        context = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
        headers = {}
        if "client-certificate-data" in user:
            with tempfile.NamedTemporaryFile("wb") as file:
                for part in ("client-certificate-data", "client-key-data"):
                    file.write(base64.b64decode(user[part]))
                file.flush()
                context.load_cert_chain(file.name)
        else:
            headers["Authorization"] = f"Bearer {user['token']}"
        return httpx2.Client(base_url=cluster["server"], verify=context, headers=headers, timeout=20)

    def get(self, path: str, **query: str) -> Any:
        """The JSON at a path, None where there is nothing."""
        answer = self._client.get(path, params=query)
        if answer.status_code == httpx2.codes.NOT_FOUND:
            return None
        answer.raise_for_status()
        return answer.json()

    def text(self, path: str, **query: str) -> str:
        """The text at a path, '' where there is none."""
        answer = self._client.get(path, params=query)
        return answer.text if answer.is_success else ""

    def patch(self, path: str, change: dict[str, Any]) -> None:
        kind = {"Content-Type": "application/merge-patch+json"}
        self._client.patch(path, content=json.dumps(change), headers=kind).raise_for_status()

    def delete(self, path: str, **query: str) -> None:
        self._client.delete(path, params=query)


@cache
def api() -> Api:
    return Api()


def pod(namespace: str, name: str) -> Any:
    return api().get(f"/api/v1/namespaces/{namespace}/pods/{name}")


def pods(namespace: str, selector: str) -> list[Any]:
    found = api().get(f"/api/v1/namespaces/{namespace}/pods", labelSelector=selector)
    return list(found["items"]) if found else []


def container_ids(found: Any) -> list[str]:
    """The ids of the running containers of a pod."""
    statuses = found["status"].get("containerStatuses", [])
    return [status["containerID"].rpartition("/")[2] for status in statuses if "running" in status["state"]]


def on_node(node: str, *arguments: str) -> str:
    """Runs ``on_node.py`` on a node and returns what it prints."""
    if node in SHARED_NODES:
        return stage.run(["python3", str(_SCRIPTS), *arguments]).out
    return stage.kubectl(
        "exec",
        "-i",
        f"daemonset/crash-{node}",
        "-n",
        "litmus",
        "--",
        "python3",
        "-",
        *arguments,
        stdin=_SCRIPTS.read_text(),
    )


def kill_pod(node: str, uid: str) -> None:
    """SIGKILL to all processes of a pod, whatever its kubelet has told of it so far. There has to be one."""
    assert on_node(node, "kill-pod", uid).split(), f"no process of pod {uid} is on {node}"


def kill_session(node: str, session: str, *roles: str) -> None:
    """SIGKILL, all at once, to the helper, its guardian, or both."""
    on_node(node, "kill-session", session, *roles)


def main_process(container_id: str) -> int:
    """The pid on this machine of a container's main process."""
    return int(on_node(SHARED_NODES[0], "main", container_id) or 0)


def marked(node: str, session: str) -> list[str]:
    """Processes on a node that a session's fault started."""
    return on_node(node, "marked", session).split()


def journals(node: str) -> list[str]:
    return on_node(node, "journals").split()


def guardians(node: str, session: str) -> list[str]:
    return on_node(node, "guardians", session).split()


def log(found: Any) -> str:
    """What a pod's first container has written; on a node of this machine without its kubelet, which may be out."""
    meta, node = found["metadata"], found["spec"].get("nodeName", "")
    container = found["spec"]["containers"][0]["name"]
    if node not in SHARED_NODES:
        path = f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}/log"
        return api().text(path, container=container)
    folder = f"{meta['namespace']}_{meta['name']}_{meta['uid']}/{container}"
    files = sorted((LOGS / node / "pod-logs" / folder).glob("*.log"))
    return "".join(path.read_text() for path in files)


def states(pattern: str) -> list[str]:
    """The states of this machine's processes with this command line; T is stopped."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                if re.search(pattern, line):
                    found.append((entry / "stat").read_text().rpartition(")")[2].split()[0])
            except OSError:
                continue
    return found


def thaw(pattern: str) -> None:
    """For a test that failed: nothing of this machine stays stopped."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if re.search(pattern, line):
                os.kill(int(entry.name), signal.SIGCONT)


def agent(node: str) -> None:
    """The privileged pod that looks and kills on a node which is not this machine. A daemon's, which a drain leaves."""
    if node in SHARED_NODES:
        return
    name = f"crash-{node}"
    container = {
        "name": "agent",
        "image": "python:3.11",
        "command": ["sleep", "infinity"],
        "securityContext": {"privileged": True},
    }
    spec = {
        "nodeSelector": {"kubernetes.io/hostname": node},
        "hostPID": True,
        "terminationGracePeriodSeconds": 1,
        "tolerations": [{"operator": "Exists"}],
        "containers": [container],
    }
    manifest = {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": name, "namespace": "litmus"},
        "spec": {
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": spec},
        },
    }
    stage.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(manifest))
    stage.kubectl("rollout", "status", f"daemonset/{name}", "-n", "litmus", "--timeout=120s")
