"""The learner's cluster as the checks ask it: through kubectl, because that is what the learner has."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

NAMESPACE = "nginx"
_DEADLINE_S = 20.0

Obj = Mapping[str, Any]


class Unreachable(Exception):
    """kubectl could not ask the cluster; the sentence is its own."""


class Cluster:
    """Questions to one cluster. ``env`` is the environment of kubectl, ``folder`` where commands are run."""

    def __init__(self, *, env: Mapping[str, str], folder: Path) -> None:
        self._env = env
        self._folder = folder

    def get(self, resource: str, name: str, *, namespace: str = NAMESPACE) -> Obj | None:
        """An object; None when it, or its kind, is not there. Raises Unreachable."""
        return self._json("get", resource, name, "-n", namespace, "-o", "json")

    def list(self, resource: str, *, namespace: str = NAMESPACE, labels: str = "") -> Sequence[Obj]:
        """The objects of a namespace. Raises Unreachable."""
        found = self._json("get", resource, "-n", namespace, "-o", "json", *(["-l", labels] if labels else []))
        return found["items"] if found else []

    def may(self, account: str, verb: str, resource: str) -> bool:
        """Whether a service account may do that in the namespace. Raises Unreachable."""
        user = f"--as=system:serviceaccount:{NAMESPACE}:{account}"
        done = self.run("kubectl", "auth", "can-i", verb, resource, "-n", NAMESPACE, user)
        answer = done.stdout.strip()
        if answer not in ("yes", "no"):
            raise Unreachable(_last_line(done.stderr))
        return answer == "yes"

    def plan(self, engine: str) -> Obj | None:
        """What ``litmus plan`` says of a file of the work folder; None when it can't."""
        done = self.run("litmus", "plan", engine, "--json")
        try:
            return dict(json.loads(done.stdout))
        except ValueError:
            return None

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A command in the learner's folder, its output kept. Raises Unreachable when it does not end."""
        try:
            return subprocess.run(
                words,
                env=dict(self._env),
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_DEADLINE_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Unreachable(str(error)) from error

    def _json(self, *arguments: str) -> Obj | None:
        done = self.run("kubectl", *arguments)
        if done.returncode == 0:
            return dict(json.loads(done.stdout))
        if "(NotFound)" in done.stderr or "doesn't have a resource type" in done.stderr:
            return None
        raise Unreachable(_last_line(done.stderr))


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "kubectl said nothing"
