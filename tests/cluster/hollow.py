"""A node without a machine, for tests that empty a node while others use the cluster.

It is registered like any other, and its heartbeat and the states of its pods are written here as a kubelet would write
them, through ``kubectl proxy``. A taint keeps away the pods of everybody who does not tolerate it, also those of a test
that empties another hollow node.
"""

import json
import re
import secrets
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from tests.cluster.stage import environment, kubectl, until

TAINT_KEY = "tests.litmuschaos.io/hollow"
_LOOK_S = 0.4


def taint(node: str) -> dict[str, str]:
    return {"key": TAINT_KEY, "value": node, "effect": "NoSchedule"}


def toleration(node: str) -> dict[str, str]:
    return {"key": TAINT_KEY, "operator": "Equal", "value": node}


@contextmanager
def node() -> Iterator[str]:
    """The name of a hollow node, which lives as long as the context."""
    name = f"hollow-{secrets.token_hex(3)}"
    proxy = subprocess.Popen(
        ["kubectl", "proxy", "--port=0"],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert proxy.stdout is not None
    found = re.search(r"127\.0\.0\.1:\d+", proxy.stdout.readline())
    assert found, "kubectl proxy did not start"
    kubelet = _Kubelet(name, f"http://{found[0]}")
    thread = threading.Thread(target=kubelet.run, daemon=True)
    try:
        kubelet.register()
        thread.start()
        until(lambda: "True" in _ready(name), f"node {name} to be Ready")
        yield name
    finally:
        kubelet.over.set()
        thread.join()
        kubectl("delete", "node", name, check=False)
        proxy.terminate()
        proxy.communicate()


def _ready(name: str) -> str:
    return kubectl("get", "node", name, "-o", 'jsonpath={.status.conditions[?(@.type=="Ready")].status}')


class _Kubelet:
    """Writes what a kubelet writes, and does nothing of what it does."""

    def __init__(self, name: str, url: str) -> None:
        self.name, self.url, self.over = name, url, threading.Event()

    def register(self) -> None:
        labels = {"kubernetes.io/hostname": self.name, "kubernetes.io/os": "linux"}
        spec = {"taints": [taint(self.name)]}
        self._ask("POST", "/api/v1/nodes", {"metadata": {"name": self.name, "labels": labels}, "spec": spec})
        self._beat()

    def run(self) -> None:
        while not self.over.wait(_LOOK_S):
            self._beat()
            for pod in self._ask("GET", f"/api/v1/pods?fieldSelector=spec.nodeName={self.name}")["items"]:
                self._tend(pod)

    def _beat(self) -> None:
        now = _now()
        room = {"cpu": "8", "memory": "16Gi", "pods": "50", "ephemeral-storage": "50Gi"}
        condition = {
            "type": "Ready", "status": "True", "reason": "Hollow", "message": "", "lastHeartbeatTime": now,
        }  # fmt: skip
        status = {"conditions": [condition], "capacity": room, "allocatable": room}
        self._ask("PATCH", f"/api/v1/nodes/{self.name}/status", {"status": status})

    def _tend(self, pod: dict[str, Any]) -> None:
        meta = pod["metadata"]
        where = f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}"
        if meta.get("deletionTimestamp"):
            self._ask("DELETE", where, {"gracePeriodSeconds": 0})
        elif pod.get("status", {}).get("phase") != "Running":
            now = _now()
            kept = [c for c in pod.get("status", {}).get("conditions", []) if c["type"] == "PodScheduled"]
            ready = [{"type": one, "status": "True", "lastTransitionTime": now} for one in ("Ready", "ContainersReady")]
            containers = [
                {
                    "name": container["name"],
                    "image": container["image"],
                    "imageID": "",
                    "containerID": f"hollow://{secrets.token_hex(32)}",
                    "ready": True,
                    "restartCount": 0,
                    "state": {"running": {"startedAt": now}},
                }
                for container in pod["spec"]["containers"]
            ]
            status = {"phase": "Running", "conditions": [*kept, *ready], "containerStatuses": containers}
            self._ask("PATCH", f"{where}/status", {"status": status | {"podIP": "192.0.2.1", "startTime": now}})

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        request = urllib.request.Request(
            f"{self.url}{path}",
            method=method,
            data=json.dumps(body).encode() if body else None,
            headers={"Content-Type": kind, "Accept": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=15) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            if error.code in (404, 409):
                return {}  # gone, or changed meanwhile: the next look will see
            raise


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
