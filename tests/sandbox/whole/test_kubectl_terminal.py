"""The real kubectl at a terminal, and what goes on until told to stop: exec -it, run -it, attach, watch, logs -f."""

import contextlib
import os
import pty
import re
import select
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sandbox.whole.conftest import BIN, Sandbox, until


class Terminal:
    """A command that thinks that somebody sits in front of it."""

    def __init__(self, sandbox: Sandbox, *arguments: str) -> None:
        self._master, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [str(BIN / "kubectl"), *arguments], env=sandbox.env, stdin=theirs, stdout=theirs, stderr=theirs
        )
        os.close(theirs)
        self.seen = ""

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def expect(self, pattern: str, *, deadline_s: float = 20) -> re.Match[str]:
        """What is shown until the pattern appears in it; that is consumed."""
        give_up = time.monotonic() + deadline_s
        while not (found := re.search(pattern, self.seen)):
            left_s = give_up - time.monotonic()
            assert left_s > 0, f"waited for {pattern!r}, saw {self.seen!r}"
            if select.select([self._master], [], [], left_s)[0]:
                try:
                    self.seen += os.read(self._master, 65536).decode()
                except OSError:
                    raise AssertionError(f"it ended without {pattern!r}: {self.seen!r}") from None
        self.seen = self.seen[found.end() :]
        return found

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._master)


@contextlib.contextmanager
def terminal(sandbox: Sandbox, *arguments: str) -> Iterator[Terminal]:
    """kubectl at a terminal of its own."""
    made = Terminal(sandbox, *arguments)
    try:
        yield made
    finally:
        made.close()


@contextlib.contextmanager
def following(sandbox: Sandbox, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """kubectl, of which one reads lines while it goes on."""
    command = [str(BIN / "kubectl"), *arguments]
    with subprocess.Popen(command, env=sandbox.env, stdout=subprocess.PIPE, text=True, bufsize=1) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGINT)


@pytest.fixture
def sleeper(sandbox: Sandbox, namespace: str) -> str:
    """A namespace with a pod ``sleeper`` that echoes what it is told."""
    sandbox.kubectl(
        "run", "sleeper", "-i", "--attach=false", "--image=busybox", "-n", namespace, "--grace-period=1", "--", "cat",
        check=False,
    )  # fmt: skip
    sandbox.kubectl("wait", "pod/sleeper", "-n", namespace, "--for=condition=Ready", "--timeout=30s")
    return namespace


def test_exec_gives_a_shell_at_a_terminal(sandbox: Sandbox, sleeper: str) -> None:
    with terminal(sandbox, "exec", "-it", "sleeper", "-n", sleeper, "--", "sh") as shell:
        shell.expect(r"[$#] ")
        shell.type("tty; echo $((40 + 2))\n")
        shell.expect(r"/dev/pts/\d+\r\n42\r\n")
        shell.type("sh -c 'echo be\"\"gun; exec sleep 100'\n")
        shell.expect(r"begun\r\n")  # said by what the interrupt is for: the shell itself would only note it
        shell.type("\x03")
        shell.expect(r"[$#] ")
        shell.type("exit 7\n")
        shell.expect(r"command terminated with exit code 7")
        assert shell.process.wait(timeout=10) == 7


def test_run_attaches_to_a_pod_and_removes_it(sandbox: Sandbox, namespace: str) -> None:
    with terminal(sandbox, "run", "tmp", "-it", "--rm", "--image=busybox", "--restart=Never", "-n", namespace) as shell:
        shell.expect(r"try pressing enter\.\r\n")
        shell.type("\n")
        shell.expect(r"[$#] $")
        shell.type("echo hello from $HOSTNAME\n")
        shell.expect(r"\nhello from tmp\r\n")
        shell.type("exit\n")
        shell.expect(r'pod "tmp" deleted')
        assert shell.process.wait(timeout=20) == 0
    assert sandbox.get("pods", "-n", namespace)["items"] == []


def test_attach_joins_the_process_of_a_container(sandbox: Sandbox, sleeper: str) -> None:
    with terminal(sandbox, "attach", "-i", "sleeper", "-n", sleeper) as joined:
        joined.type("something\n")
        joined.expect(r"something\r\n")
        joined.expect(r"something\r\n")  # cat says it again
        assert sandbox.kubectl("logs", "sleeper", "-n", sleeper) == "something\n"
    # Its standard input was open once, for us: cat has come to its end, and is started again.
    until(
        lambda: sandbox.get("pod", "sleeper", "-n", sleeper)["status"]["containerStatuses"][0]["restartCount"], "that"
    )


def test_a_watch_shows_each_step(sandbox: Sandbox, namespace: str) -> None:
    nowhere = '{"spec":{"schedulerName":"nobody"}}'
    sandbox.kubectl("run", "first", "--image=pause", "-n", namespace, f"--overrides={nowhere}")
    with following(sandbox, "get", "pods", "-n", namespace, "-w", "--output-watch-events") as watch:
        assert watch.stdout is not None
        assert watch.stdout.readline().split() == ["EVENT", "NAME", "READY", "STATUS", "RESTARTS", "AGE"]
        assert watch.stdout.readline().split()[:5] == ["ADDED", "first", "0/1", "Pending", "0"]
        sandbox.kubectl("run", "one", "--image=pause", "-n", namespace)
        sandbox.kubectl("wait", "pod/one", "-n", namespace, "--for=condition=Ready", "--timeout=30s")
        sandbox.kubectl("delete", "pod", "one", "-n", namespace, "--now")
        steps = []
        for line in watch.stdout:
            steps.append(re.sub(" +", " ", line).strip())
            if line.startswith("DELETED"):
                break
    assert steps[0].startswith("ADDED one 0/1 Pending 0")
    said = " ".join(steps)
    assert 0 < said.find("MODIFIED one 1/1 Running 0") < said.find("MODIFIED one 1/1 Terminating 0")


def test_logs_of_a_selector_are_followed_with_prefixes(sandbox: Sandbox, namespace: str) -> None:
    for name in ("a", "b"):
        script = f"echo I am {name}; sleep 60"
        sandbox.kubectl("run", name, "--image=busybox", "-l", "set=ab", "-n", namespace, "--", "sh", "-c", script)
    sandbox.kubectl("wait", "pod", "-l", "set=ab", "-n", namespace, "--for=condition=Ready", "--timeout=30s")
    with following(sandbox, "logs", "-f", "-l", "set=ab", "--prefix", "-n", namespace) as logs:
        assert logs.stdout is not None
        lines = {logs.stdout.readline(), logs.stdout.readline()}
    assert lines == {"[pod/a/a] I am a\n", "[pod/b/b] I am b\n"}
    sandbox.kubectl("delete", "pod", "a", "b", "-n", namespace, "--now", "--wait=false")


def test_logs_of_a_pod_with_several_containers_are_asked_by_name(sandbox: Sandbox, namespace: str) -> None:
    pod = """
apiVersion: v1
kind: Pod
metadata: {name: two}
spec:
  restartPolicy: OnFailure
  initContainers: [{name: first, image: busybox, command: [echo, before]}]
  containers:
  - {name: left, image: busybox, command: [sh, -c, "echo from left"]}
  - {name: right, image: busybox, command: [sh, -c, 'test -e /tmp/again || { touch /tmp/again; }; echo from right']}
"""
    sandbox.kubectl("apply", "-n", namespace, "-f", "-", stdin=pod)
    sandbox.kubectl("wait", "pod/two", "-n", namespace, "--for=jsonpath={.status.phase}=Succeeded", "--timeout=30s")
    default = sandbox.tried("logs", "two", "-n", namespace)
    assert default.stdout == "from left\n"
    assert default.stderr == 'Defaulted container "left" out of: left, right, first (init)\n'
    assert sandbox.kubectl("logs", "two", "-c", "first", "-n", namespace) == "before\n"
    every = sandbox.kubectl("logs", "two", "--all-containers", "-n", namespace)
    assert sorted(every.splitlines()) == ["before", "from left", "from right"]
    wrong = sandbox.tried("logs", "two", "-c", "none", "-n", namespace)
    assert wrong.stderr == "error: container none is not valid for pod two out of: left, right, first (init)\n"
    none = sandbox.tried("logs", "two", "-p", "-c", "left", "-n", namespace).stderr
    assert 'previous terminated container "left" in pod "two" not found' in none


def test_cp_copies_folders_and_out_of_volumes(sandbox: Sandbox, namespace: str, tmp_path: Path) -> None:
    pod = """
apiVersion: v1
kind: Pod
metadata: {name: store}
spec:
  terminationGracePeriodSeconds: 0
  volumes: [{name: data, emptyDir: {}}]
  containers: [{name: main, image: busybox, command: [sleep, "600"], volumeMounts: [{name: data, mountPath: /data}]}]
"""
    sandbox.kubectl("apply", "-n", namespace, "-f", "-", stdin=pod)
    sandbox.kubectl("wait", "pod/store", "-n", namespace, "--for=condition=Ready", "--timeout=30s")
    (tmp_path / "tree" / "deep").mkdir(parents=True)
    (tmp_path / "tree" / "deep" / "leaf").write_text("green")
    sandbox.kubectl("cp", "-n", namespace, str(tmp_path / "tree"), "store:/data/tree")
    assert sandbox.kubectl("exec", "-n", namespace, "store", "--", "cat", "/data/tree/deep/leaf") == "green"
    sandbox.kubectl("cp", "-n", namespace, "store:/data", str(tmp_path / "back"))
    assert (tmp_path / "back" / "tree" / "deep" / "leaf").read_text() == "green"
    sandbox.kubectl("exec", "-n", namespace, "store", "--", "sh", "-c", "echo x > /tmp/plain")
    sandbox.kubectl("cp", "-n", namespace, "store:/tmp/plain", str(tmp_path / "plain"))
    assert (tmp_path / "plain").read_text() == "x\n"
