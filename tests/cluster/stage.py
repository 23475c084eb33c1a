"""A namespace of a real cluster with an application in it, and what a test does there: kubectl, and nothing of ours.

What the tests claim is read by ``kubectl``, from the outside; only the ``litmus`` command is ours, and it runs as a
process of its own.
"""

import fcntl
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import yaml

KUBECONFIG = os.environ.get("KUBECONFIG", "")
IMAGE = os.environ.get("LITMUS_IMAGE", "")
ROOT = Path(__file__).parents[2]
_LITMUS = Path(sys.executable).with_name("litmus")
_POLL_S = 0.2
T = TypeVar("T")


def environment() -> dict[str, str]:
    """The environment of every process that the tests start."""
    return {**os.environ, "KUBECONFIG": KUBECONFIG, "PATH": f"{_LITMUS.parent}{os.pathsep}{os.environ['PATH']}"}


def run(command: list[str], *, check: bool = True, stdin: str = "", deadline_s: float = 180) -> "Finished":
    """One process to its end, with its output and its exit status."""
    done = subprocess.run(
        command, input=stdin, capture_output=True, text=True, timeout=deadline_s, env=environment(), check=False
    )
    finished = Finished(" ".join(command), done.returncode, done.stdout, done.stderr)
    if check and done.returncode:
        raise AssertionError(str(finished))
    return finished


class Finished:
    """What a process left behind."""

    def __init__(self, command: str, status: int, out: str, err: str) -> None:
        self.command, self.status, self.out, self.err = command, status, out, err

    def __str__(self) -> str:
        return f"$ {self.command}\n{self.out}{self.err}exit status {self.status}"


def kubectl(*arguments: str, check: bool = True, stdin: str = "") -> str:
    return run(["kubectl", *arguments], check=check, stdin=stdin).out


def litmus(*arguments: str, check: bool = False, stdin: str = "", deadline_s: float = 120) -> Finished:
    return run([str(_LITMUS), *arguments], check=check, stdin=stdin, deadline_s=deadline_s)


@contextmanager
def only_operator() -> Iterator[None]:
    """While this lasts, no other test of this machine installs an operator: ``litmus install`` refuses a second one."""
    with (Path(tempfile.gettempdir()) / f"litmus-tests-{os.getuid()}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def cap(text: str = "largestShareOfNodes: 100%") -> None:
    """Sets the administrator's caps: to those under which tests that hit a node each run side by side."""
    meta = {"name": "litmus-caps", "namespace": "litmus"}
    config_map = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"caps.yaml": text}}
    kubectl("apply", "-f", "-", stdin=json.dumps(config_map))


def until(condition: Callable[[], T | None], what: str, *, deadline_s: float = 120) -> T:
    """The first thing other than None (or False) that ``condition`` says."""
    give_up = time.monotonic() + deadline_s
    while True:
        asked = time.monotonic()
        found = condition()
        if found:
            return found
        assert time.monotonic() < give_up, f"waited {deadline_s:g} s for {what}"
        # On a busy machine asking takes long, and takes from what is waited for.
        time.sleep(max(_POLL_S, 2 * (time.monotonic() - asked)))


class Stage:
    """One namespace."""

    def __init__(self, name: str) -> None:
        self.name = name

    def kubectl(self, *arguments: str, check: bool = True, stdin: str = "") -> str:
        return kubectl("-n", self.name, *arguments, check=check, stdin=stdin)

    def run(self, *arguments: str, deadline_s: float) -> Finished:
        """A kubectl that may fail."""
        return run(["kubectl", "-n", self.name, *arguments], check=False, deadline_s=deadline_s)

    def get(self, kind: str, name: str = "", selector: str = "") -> Any:
        """Objects as kubectl gives them; None for a named one that is not there."""
        words = [word for word in (name, f"-l={selector}" if selector else "") if word]
        text = self.kubectl("get", kind, *words, "-o", "json", "--ignore-not-found")
        if not text:
            return None if name else []
        found = json.loads(text)
        return found if name else found["items"]

    def apply(self, *manifests: dict[str, Any]) -> None:
        self.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all(manifests))

    def deploy(self, replicas: int = 3, name: str = "web", kind: str = "Deployment", **pod: Any) -> None:
        """nginx as a workload of that kind, annotated for chaos, and ready."""
        labels = {"app": name}
        spec: dict[str, Any] = {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": self.pod_spec(**pod)},
        }
        if kind != "DaemonSet":
            spec["replicas"] = replicas
        if kind == "StatefulSet":
            spec["serviceName"] = name
        meta = {"name": name, "labels": labels, "annotations": {"litmuschaos.io/chaos": "true"}}
        self.apply({"apiVersion": "apps/v1", "kind": kind, "metadata": meta, "spec": spec})
        self.kubectl("rollout", "status", f"{kind.lower()}/{name}", "--timeout=150s")

    @staticmethod
    def pod_spec(
        command: list[str] | None = None, grace_s: int = 1, ready_after_s: int = 0, **more: Any
    ) -> dict[str, Any]:
        container: dict[str, Any] = {"name": "nginx", "image": "nginx"}
        if command:
            container |= {"image": "busybox", "command": command}
        if ready_after_s:
            container["readinessProbe"] = {
                "tcpSocket": {"port": 80},
                "initialDelaySeconds": ready_after_s,
                "periodSeconds": 1,
            }
        if "nodeSelector" in more:  # the slow node of the kit takes only what names it
            more.setdefault("tolerations", [{"key": "tests.litmuschaos.io/hollow", "operator": "Exists"}])
        return {"terminationGracePeriodSeconds": grace_s, "containers": [container], **more}

    def pods(self, app: str = "web") -> dict[str, str]:
        """uid → name of the application's pods that are not on their way out."""
        return {
            pod["metadata"]["uid"]: pod["metadata"]["name"]
            for pod in self.get("pods", selector=f"app={app}")
            if "deletionTimestamp" not in pod["metadata"]
        }

    def engine(
        self, *experiments: str | dict[str, Any], name: str = "chaos", app: str = "web", **spec: Any
    ) -> dict[str, Any]:
        """The manifest of an engine; an experiment is a name or {name: env}."""
        entries = []
        for experiment in experiments:
            title, env = (experiment, {}) if isinstance(experiment, str) else next(iter(experiment.items()))
            env = {"TOTAL_CHAOS_DURATION": "5", "CHAOS_INTERVAL": "5", **env}
            variables = [{"name": key, "value": str(value)} for key, value in env.items()]
            components = {"env": variables, "statusCheckTimeouts": {"delay": 1, "timeout": 120}}
            entries.append({"name": title, "spec": {"components": components}})
        return {
            "apiVersion": "litmuschaos.io/v1alpha1",
            "kind": "ChaosEngine",
            "metadata": {"name": name, "namespace": self.name},
            "spec": {
                "appinfo": {"appns": self.name, "applabel": f"app={app}", "appkind": "deployment"},
                "chaosServiceAccount": "chaos-sa",
                "experiments": entries,
                **spec,
            },
        }

    def engine_status(self, name: str = "chaos") -> dict[str, Any]:
        found = self.get("chaosengine", name)
        status: dict[str, Any] = (found or {}).get("status", {})
        return status

    def ended(self, name: str = "chaos", *, deadline_s: float = 180) -> dict[str, Any]:
        """Waits until the engine is over; its status."""
        words = ("completed", "stopped")

        def over() -> dict[str, Any] | None:
            found = self.get("chaosengine", name)
            done = (
                found
                and found.get("status", {}).get("engineStatus") in words
                and found["spec"]["engineState"] == "stop"
            )
            return found["status"] if done else None

        return until(over, f"engine {name} to end", deadline_s=deadline_s)

    def started(self, experiment: str = "pod-delete", name: str = "chaos") -> str:
        """Waits until the chaos has begun - its record is in the ledger; the pod of the experiment."""

        def begun() -> str | None:
            result = self.get("chaosresult", f"{name}-{experiment}")
            status = (result or {}).get("status", {})
            running = status.get("run", {}).get("step") == "chaos" and status.get("faults")
            return status["run"]["pod"] if running else None

        return until(begun, f"the chaos of {experiment} to begin", deadline_s=150)

    def result(self, experiment: str = "pod-delete", name: str = "chaos") -> dict[str, Any]:
        """The status of a result."""
        found = self.get("chaosresult", f"{name}-{experiment}")
        assert found, f"there is no result {name}-{experiment}"
        status: dict[str, Any] = found["status"]
        return status

    def verdict(self, experiment: str = "pod-delete", name: str = "chaos") -> tuple[str, str]:
        """Verdict and failStep of a result."""
        outcome = self.result(experiment, name)["experimentstatus"]
        return outcome["verdict"], outcome["failStep"]

    def events(self, name: str = "chaos", *, kind: str = "ChaosEngine", warnings: bool = False) -> list[str]:
        """'Reason: message' of an object's events, in the order of their times."""
        found = [
            event
            for event in self.get("events")
            if event["involvedObject"]["name"] == name
            and event["involvedObject"]["kind"] == kind
            and (not warnings or event["type"] == "Warning")
        ]
        return [f"{event['reason']}: {event['message']}" for event in sorted(found, key=lambda e: e["lastTimestamp"])]

    def swept(self) -> None:
        """Waits until nothing of a run is left: pods take their time to go."""
        until(lambda: not self.leftovers(), "the pods and jobs of the run to be gone", deadline_s=90)

    def leftovers(self) -> list[str]:
        """Pods and jobs of a run that are still there."""
        return [
            f"{item['kind']}/{item['metadata']['name']}"
            for kind in ("pods", "jobs")
            for item in self.get(kind, selector="chaosUID")
        ]


def grant(stage: Stage, *, rules: list[dict[str, list[str]]] | None = None) -> None:
    """A service account chaos-sa with the smallest role of the field, or with other rules."""
    small = {
        "apiGroups": ["", "litmuschaos.io", "batch", "apps"],
        "resources": [
            "pods", "deployments", "pods/log", "events", "jobs", "chaosengines", "chaosexperiments", "chaosresults"
        ],
        "verbs": ["create", "list", "get", "patch", "update", "delete", "deletecollection"],
    }  # fmt: skip
    rbac = "rbac.authorization.k8s.io"
    stage.apply(
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "chaos-sa"}},
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "Role",
            "metadata": {"name": "chaos-sa"},
            "rules": [small] if rules is None else rules,
        },
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "RoleBinding",
            "metadata": {"name": "chaos-sa"},
            "roleRef": {"apiGroup": rbac, "kind": "Role", "name": "chaos-sa"},
            "subjects": [{"kind": "ServiceAccount", "name": "chaos-sa", "namespace": stage.name}],
        },
    )
