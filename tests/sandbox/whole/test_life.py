"""The promises of a sandbox's life, from outside: whatever is killed, nothing is left, and what is to last lasts."""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest

BIN = Path(sys.executable).parent
GONE_S = 20.0
# A process that leaves its session, ignores what it can, and outlives whoever started it.
_STUBBORN = """import os, signal, sys
if os.fork(): os.wait(); signal.pause()
os.setsid()
if os.fork(): os._exit(0)
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP): signal.signal(number, signal.SIG_IGN)
signal.pause()
"""


class Sandbox(Protocol):
    """What ``conftest.Sandbox`` offers."""

    name: str
    folder: Path
    env: dict[str, str]

    def litmus(self, *arguments: str, check: bool = True) -> "subprocess.CompletedProcess[str]": ...
    def kubectl(self, *arguments: str, stdin: str = "", check: bool = True) -> str: ...
    def tried(self, *arguments: str, stdin: str = "", check: bool = False) -> "subprocess.CompletedProcess[str]": ...
    def get(self, *words: str) -> Any: ...
    def up(self, *arguments: str) -> None: ...
    def down(self) -> None: ...


def until(condition: Callable[[], Any], what: str, *, deadline_s: float = 30) -> Any:
    """The first true thing that ``condition`` says."""
    give_up = time.monotonic() + deadline_s
    while not (found := condition()):
        assert time.monotonic() < give_up, f"waited {deadline_s:g} s for {what}"
        time.sleep(0.05)
    return found


@pytest.fixture
def mine(sandbox_of: Callable[[str], Sandbox]) -> Iterator[Sandbox]:
    """A sandbox of the test's own, not started yet; afterwards nothing may be left of it."""
    made = sandbox_of(f"l{secrets.token_hex(2)}")
    yield made
    made.litmus("sandbox", "down", "--name", made.name)
    made.litmus("sandbox", "down", "--name", made.name)  # the second one also removes what was kept
    assert_nothing_left(made)


def settings(sandbox: Sandbox) -> Any:
    return json.loads((sandbox.folder / "settings.json").read_text())


def processes(sandbox: Sandbox) -> dict[int, str]:
    """The processes of a sandbox by what their environment or their command line says."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                environ = (entry / "environ").read_bytes().split(b"\0")
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            folder = os.fsencode(sandbox.folder)
            own = any(folder == word or word.startswith(b"--kubeconfig=" + folder) for word in words)
            if own or b"LITMUS_SANDBOX=" + folder in environ:
                found[int(entry.name)] = b" ".join(words).decode(errors="replace")
    return found


def pid_of(sandbox: Sandbox, word: str) -> int:
    """The process with that word in its command line."""
    [found] = [pid for pid, command in processes(sandbox).items() if word in command]
    return found


def claims(network: int) -> bool:
    """Whether the abstract socket that claims a network is there."""
    return f"@litmus-sandbox-127.{network}\n" in Path("/proc/net/unix").read_text()


def assert_nothing_left(sandbox: Sandbox, *, network: int = 0) -> None:
    until(lambda: not processes(sandbox), "the end of all processes", deadline_s=GONE_S)
    until(lambda: not sandbox.folder.exists(), "the folder to go", deadline_s=GONE_S)
    assert not network or not claims(network)


def stubborn_pod(sandbox: Sandbox, *, node: str = "node2") -> int:
    """A pod on that node whose grandchild left its session; that one's pid."""
    manifest = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "stubborn"},
        "spec": {
            "nodeName": node,
            "containers": [{"name": "c", "image": "python", "command": ["python3", "-c", _STUBBORN]}],
        },
    }
    sandbox.kubectl("apply", "-f", "-", stdin=json.dumps(manifest))
    return int(
        until(
            lambda: next((p for p, words in processes(sandbox).items() if "signal.pause" in words and _orphan(p)), 0),
            "the grandchild",
        )
    )


def _orphan(pid: int) -> bool:
    """Whether it leads no session and no group any more: the grandchild of the container."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        container = [w for w in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0") if b"SANDBOX_CONTAINER=" in w]
    except OSError:
        return False
    return bool(container) and int(words[3]) != pid and int(words[2]) != pid


def kill(*pids: int) -> None:
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


def test_down_leaves_no_process_no_file_and_no_claim(mine: Sandbox) -> None:
    mine.up()
    network = settings(mine)["network"]
    assert claims(network)
    stubborn_pod(mine)
    mine.down()
    assert processes(mine) == {}
    assert not mine.folder.exists()
    assert not claims(network)


@pytest.mark.parametrize("victims", ["control", "control and nodes", "janitor, then control"])
def test_nothing_is_left_after_a_crash(mine: Sandbox, victims: str) -> None:
    mine.up("--nodes", "2")
    network = settings(mine)["network"]
    stubborn_pod(mine)
    control = pid_of(mine, "litmus.sandbox.control ")
    if victims == "control and nodes":
        kill(control, *(pid for pid, words in processes(mine).items() if "litmus.sandbox.node" in words))
    elif victims == "control":
        kill(control)
    else:
        first = settings(mine)["janitor"]
        kill(first["pid"])
        until(lambda: settings(mine)["janitor"] != first, "a new janitor")
        kill(control)
    assert_nothing_left(mine, network=network)


def test_down_clears_what_the_janitor_no_longer_can(mine: Sandbox) -> None:
    mine.up("--nodes", "2")
    stubborn_pod(mine)
    os.kill(pid_of(mine, "litmus.sandbox.control "), signal.SIGSTOP)  # so that it starts no other janitor
    kill(pid_of(mine, "lifecycle.janitor"), pid_of(mine, "litmus.sandbox.control "))
    said = mine.litmus("sandbox", "status", "--name", mine.name, check=False)
    assert said.returncode == 1
    assert "did not end well. Clear it with: litmus sandbox down --name" in said.stdout
    again = mine.litmus("sandbox", "up", "--name", mine.name, check=False)
    assert again.returncode == 2
    assert "did not end well; clear it with: litmus sandbox down --name" in again.stderr
    mine.down()
    assert processes(mine) == {}
    assert not mine.folder.exists()


def test_an_up_that_is_killed_takes_back_what_it_began(mine: Sandbox) -> None:
    command = [str(BIN / "litmus"), "sandbox", "up", "--name", mine.name]
    with subprocess.Popen(command, env=mine.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as started:
        until(lambda: any("litmus.sandbox.node" in words for words in processes(mine).values()), "the first node")
        started.kill()
    assert_nothing_left(mine)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_a_sandbox_in_the_foreground_ends_with_its_terminal(mine: Sandbox, number: signal.Signals) -> None:
    command = [str(BIN / "litmus"), "sandbox", "up", "--foreground", "--nodes", "1", "--name", mine.name]
    with subprocess.Popen(command, env=mine.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as started:
        assert started.stdout
        assert started.stdout.readline() == f"export KUBECONFIG={mine.folder / 'kubeconfig'}\n"
        assert "1 Running" not in mine.litmus("sandbox", "status", "--name", mine.name).stdout
        assert "is already up" in mine.litmus("sandbox", "up", "--name", mine.name, check=False).stderr
        started.send_signal(number)
        _, errors = started.communicate(timeout=30)
        assert "Traceback" not in errors
        assert processes(mine) == {}  # when the command ends it is done
        assert not mine.folder.exists()


def test_two_ups_at_the_same_moment_make_one_sandbox(mine: Sandbox) -> None:
    command = [str(BIN / "litmus"), "sandbox", "up", "--nodes", "1", "--name", mine.name]
    started = [
        subprocess.Popen(command, env=mine.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [one.communicate(timeout=60) for one in started]
    assert sorted(one.returncode for one in started) == [0, 2]
    [refused] = [errors for one, (_, errors) in zip(started, said, strict=True) if one.returncode]
    assert refused.count("\n") == 1
    assert "is just being started by another command" in refused or "is already up" in refused or "try again" in refused
    mine.litmus("sandbox", "status", "--name", mine.name)


def test_a_sandbox_that_hangs_is_ended_all_the_same(mine: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    from litmus.sandbox.lifecycle import folder, launch

    mine.up("--nodes", "1")
    os.kill(pid_of(mine, "litmus.sandbox.control "), signal.SIGSTOP)
    monkeypatch.setattr(launch, "DOWN_DEADLINE_S", 0.5)  # nobody needs to wait longer for what will not come
    assert launch.down(folder.Folder(mine.folder)) is launch.Ended.GONE
    assert_nothing_left(mine)


def test_a_node_that_is_killed_loses_its_pods_and_comes_back(mine: Sandbox) -> None:
    mine.up("--nodes", "2")
    mine.kubectl("create", "deployment", "web", "--image=nginx", "--replicas=2")
    mine.kubectl("rollout", "status", "deployment/web", "--timeout=30s")
    orphan = stubborn_pod(mine)
    kill(pid_of(mine, "--name=node2"))
    until(lambda: not Path(f"/proc/{orphan}").exists(), "the end of the grandchild", deadline_s=GONE_S)
    mine.kubectl("wait", "node/node2", "--for=condition=Ready=Unknown", "--timeout=30s")

    def moved() -> bool:
        pods = mine.get("pods", "-l", "app=web")["items"]
        return [pod["spec"].get("nodeName") for pod in pods] == ["node1", "node1"] and all(
            condition["status"] == "True"
            for pod in pods
            for condition in pod["status"].get("conditions", [])
            if condition["type"] == "Ready"
        )

    until(moved, "the pods to run on node1")
    mine.litmus("sandbox", "node", "start", "--name", mine.name)
    mine.kubectl("wait", "node/node2", "--for=condition=Ready", "--timeout=30s")
    mine.kubectl("cordon", "node1")
    mine.kubectl("run", "late", "--image=nginx")
    mine.kubectl("wait", "pod/late", "--for=condition=Ready", "--timeout=30s")
    assert mine.get("pod", "late")["spec"]["nodeName"] == "node2"


def test_the_service_proxy_comes_back(mine: Sandbox) -> None:
    mine.up("--nodes", "1")
    first = pid_of(mine, "litmus.sandbox.network")
    kill(first)
    until(lambda: first not in processes(mine) and "network" in str(processes(mine).values()), "another proxy")
    host, port = mine.get("service", "kubernetes")["spec"]["clusterIP"], 443

    def answers() -> bool:
        with socket.socket() as client:
            return client.connect_ex((host, port)) == 0

    if os.geteuid() == 0:
        until(answers, "the service kubernetes")


_KEPT = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: cats.test.example.org}
spec:
  group: test.example.org
  names: {kind: Cat, plural: cats}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, properties: {name: {type: string}}}}
"""


@pytest.mark.parametrize("how", ["down", "crash without a janitor"])
def test_what_persists_is_there_in_the_next_life(mine: Sandbox, how: str) -> None:
    mine.up("--persist", "--nodes", "2")
    kubeconfig = (mine.folder / "kubeconfig").read_text()
    mine.kubectl("apply", "-f", "-", stdin=_KEPT)
    mine.kubectl("wait", "crd/cats.test.example.org", "--for=condition=Established", "--timeout=10s")
    mine.kubectl(
        "create", "-f", "-", stdin="{apiVersion: test.example.org/v1, kind: Cat, metadata: {name: tom}, name: Tom}"
    )
    mine.kubectl("create", "deployment", "web", "--image=nginx", "--replicas=2")
    mine.kubectl("expose", "deployment", "web", "--port=8080", "--target-port=80")
    mine.kubectl("rollout", "status", "deployment/web", "--timeout=30s")
    token = mine.kubectl("create", "token", "default").strip()
    before = {words: mine.get(*words.split())["metadata"]["uid"] for words in ("ns default", "cats tom", "deploy web")}
    service = mine.get("service", "web")["spec"]["clusterIP"]
    if how == "down":
        said = mine.litmus("sandbox", "down", "--name", mine.name).stdout
        assert "its objects are kept" in said
    else:
        time.sleep(0.5)  # what was written in the last moment before a crash may be lost
        control = pid_of(mine, "litmus.sandbox.control ")
        os.kill(control, signal.SIGSTOP)
        kill(pid_of(mine, "lifecycle.janitor"), control)
        until(lambda: len(processes(mine)) == 0, "the end of its processes")
    refused = mine.litmus("sandbox", "up", "--name", mine.name, check=False)
    assert refused.returncode == 2
    assert "go on from them with --persist" in refused.stderr or "another command" in refused.stderr

    mine.up("--persist", "--nodes", "2")
    assert (mine.folder / "kubeconfig").read_text() == kubeconfig
    assert {words: mine.get(*words.split())["metadata"]["uid"] for words in before} == before
    mine.kubectl("rollout", "status", "deployment/web", "--timeout=30s")
    known = mine.tried("get", "pods", "--token", token, "--kubeconfig", _bare(mine))
    assert 'User "system:serviceaccount:default:default" cannot list' in known.stderr
    assert mine.get("service", "web")["spec"]["clusterIP"] == service

    def answers() -> bool:
        try:
            with socket.create_connection((service, 8080), timeout=1) as client:
                client.sendall(b"GET / HTTP/1.0\r\n\r\n")
                return client.recv(100).startswith(b"HTTP/1.")
        except OSError:
            return False

    until(answers, "the service to answer on its address")


def _bare(sandbox: Sandbox) -> str:
    """A kubeconfig without a user, so that --token counts."""
    config = json.loads((sandbox.folder / "kubeconfig").read_text())
    config["users"][0]["user"] = {}
    file = sandbox.folder / "bare"
    file.write_text(json.dumps(config))
    return str(file)


def test_without_persist_nothing_survives(mine: Sandbox) -> None:
    mine.up("--nodes", "1")
    mine.kubectl("create", "namespace", "mine")
    mine.down()
    mine.up("--nodes", "1")
    assert "mine" not in mine.kubectl("get", "namespaces")


def test_several_live_side_by_side(mine: Sandbox, sandbox_of: Callable[[str], Sandbox]) -> None:
    other = sandbox_of(f"o{secrets.token_hex(2)}")
    mine.up("--nodes", "1")
    other.up("--nodes", "1")
    try:
        assert settings(mine)["network"] != settings(other)["network"]
        said = mine.litmus("sandbox", "status").stdout
        assert f"{mine.name}: running" in said
        assert f"{other.name}: running" in said
    finally:
        other.down()
    assert mine.get("nodes")["items"]


@pytest.mark.parametrize(
    ("moment", "number"),
    [
        ("sandbox up", signal.SIGINT),
        ("chaos until", signal.SIGINT),
        ("kubectl apply", signal.SIGKILL),
    ],
    ids=lambda value: str(value).replace("Signals.", ""),
)
def test_a_demo_that_is_interrupted_leaves_nothing(
    sandbox_of: Callable[[str], Sandbox], moment: str, number: signal.Signals
) -> None:
    demo = sandbox_of("demo")
    command = [str(BIN / "litmus"), "demo", "--duration", "5"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=demo.env, stdout=pipe, stderr=pipe, text=True) as started:
        assert started.stdout
        assert any(moment in line for line in started.stdout)
        if moment == "sandbox up":
            until(lambda: processes(demo), "its first process")
        started.send_signal(number)
        _, errors = started.communicate(timeout=60)
        assert "Traceback" not in errors
        if number == signal.SIGINT:
            assert started.returncode == 130
            assert processes(demo) == {}
            assert not demo.folder.exists()
    assert_nothing_left(demo)
