"""Processes of the test's own are held still and let go, units of a small systemd of its own stopped and started."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from litmus.faults import daemons, service, systemd
from litmus.faults.contract import FaultError

THREADS = "import threading\nfor _ in range(3): threading.Thread(target=threading.Event().wait, daemon=True).start()\n"
SCRIPT = THREADS + "print('ready', flush=True)\ninput()\n"
# Threads come and go, and signals arrive, as in a program whose runtime preempts its threads by signals.
BUSY = """
import os, signal, sys, threading, time
signal.signal(signal.SIGURG, lambda *_: None)
def spin():
    end = time.monotonic() + 0.05
    while time.monotonic() < end:
        os.kill(os.getpid(), signal.SIGURG)
    threading.Thread(target=spin, daemon=True).start()
for _ in range(4):
    threading.Thread(target=spin, daemon=True).start()
signal.signal(signal.SIGUSR1, lambda *_: print("going on", flush=True))
print("ready", flush=True)
while True:
    signal.pause()
"""
SYSTEMCTL = """#!/bin/sh
# Units are files that hold their state; their properties stand in <unit>.properties.
cd {units} || exit 1
case $0 in *systemd-run)
  for word; do case $word in --unit=*) echo active > ${{word#--unit=}}.timer ;; esac; done
  exit ;;
esac
echo "$*" >> calls
verb=$1; shift
case $verb in
  show) properties=${{1#--property=}}; unit=$2
    for name in $(echo $properties | tr , ' '); do
      if [ $name = ActiveState ]; then echo "ActiveState=$(cat $unit 2>/dev/null || echo inactive)"
      else grep "^$name=" $unit.properties || echo "$name="; fi
    done ;;
  stop) for unit; do echo inactive > $unit; done ;;
  start) for unit; do [ -e $unit.broken ] && {{ echo "Job for $unit failed" >&2; exit 1; }}
      echo active > $unit; done ;;
esac
"""


@pytest.fixture
def spawn() -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Starts real processes with four threads each, and leaves none behind, held or not."""
    children: list[subprocess.Popen[bytes]] = []

    def child() -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-S", "-c", SCRIPT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )
        children.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        return process

    yield child
    for process in children:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stdin.close()


@pytest.fixture
def serves(monkeypatch: pytest.MonkeyPatch) -> Callable[[subprocess.Popen[bytes]], None]:
    """Makes a process the kubelet of node1, on a host without systemd."""
    monkeypatch.setattr(systemd, "runs_host", lambda: False)

    def has(process: subprocess.Popen[bytes]) -> None:
        def of_node(name: str, node: str) -> daemons.Daemon:
            assert (name, node) == ("kubelet", "node1")
            return daemons.Daemon(process.pid, daemons.started(process.pid), "kubelet")

        monkeypatch.setattr(daemons, "of_node", of_node)

    return has


@pytest.fixture
def fault() -> service.Service:
    return service.Service(fault_id="f-1", service="kubelet", node="node1", hold_s=30)


def states(process: subprocess.Popen[bytes]) -> set[str]:
    """Read here, not by the mechanism."""
    tasks = Path(f"/proc/{process.pid}/task").iterdir()
    return {(task / "status").read_text().split("State:")[1].split()[0] for task in tasks}


def test_every_thread_of_the_process_is_held_and_let_go(spawn, serves, fault):
    child, bystander = spawn(), spawn()
    serves(child)
    plan = fault.plan()
    assert plan.changes == f"ptrace(2) holds kubelet of node node1, pid {child.pid}, still"
    assert "t" not in states(child)
    assert service.Service.leftovers(plan.undo) == ""
    fault.inject()
    proof = fault.prove()
    assert states(child) == {"t"}
    assert "t" not in states(bystander)
    assert proof.holds
    assert (proof.asked_value, proof.delivered_value, proof.unit) == (4, 4, "threads")
    fault.tend()
    assert service.Service.leftovers(plan.undo) == f"kubelet of node node1 (pid {child.pid}) is held still"
    service.Service.revert(plan.undo)
    assert "t" not in states(child)
    assert service.Service.leftovers(plan.undo) == ""
    service.Service.revert(plan.undo)
    child.stdin.write(b"\n")
    assert child.wait(20) == 0


@pytest.fixture
def helper(spawn, serves) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the kubelet of node1 and prints the recipe."""
    child = spawn()
    serves(child)
    script = f"""
import json
from litmus.faults import daemons, service, systemd
systemd.runs_host = lambda: False
daemons.of_node = lambda name, node: daemons.Daemon({child.pid}, daemons.started({child.pid}), name)
fault = service.Service(fault_id="f-1", service="kubelet", node="node1", hold_s=30)
undo = fault.plan().undo
fault.inject()
print(json.dumps(undo), flush=True)
input()
try:
    fault.tend()
except service.FaultError as error:
    service.Service.revert(undo)
    print(error, flush=True)
input()
"""
    pipe = subprocess.PIPE
    process = subprocess.Popen([sys.executable, "-c", script], stdin=pipe, stdout=pipe, text=True, bufsize=1)
    process.held = child
    yield process
    process.kill()
    process.wait()
    process.stdout.close()
    process.stdin.close()


def until(condition: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.01)


def test_whoever_is_left_the_process_goes_on_when_its_helper_is_killed(helper):
    undo = json.loads(helper.stdout.readline())
    assert states(helper.held) == {"t"}
    helper.kill()
    until(lambda: "t" not in states(helper.held))
    assert service.Service.leftovers(undo) == ""
    helper.held.stdin.write(b"\n")
    assert helper.held.wait(20) == 0


def test_another_process_lets_it_go_with_nothing_but_the_recipe_and_ends_a_helper_that_hangs(helper):
    undo = json.loads(helper.stdout.readline())
    assert service.Service.leftovers(undo) != ""
    service.Service.revert(undo)
    assert "t" not in states(helper.held)
    assert helper.wait(20) == -signal.SIGKILL


def test_a_process_that_has_the_pid_of_the_recipe_by_chance_is_not_touched(spawn, serves, fault, helper):
    child = spawn()
    serves(child)
    undo = fault.plan().undo
    theirs = json.loads(helper.stdout.readline())
    for reused in (undo | {"pid": theirs["pid"]}, undo | {"pid": theirs["pid"], "boot": "another"}):
        assert service.Service.leftovers(reused) == ""
        service.Service.revert(reused)
        service.Service.revert(reused | {"tracer": theirs["tracer"]})
        assert states(helper.held) == {"t"}


def test_a_pid_that_came_to_mean_another_process_between_plan_and_injection_is_let_go(spawn, serves, fault):
    child, other = spawn(), spawn()
    serves(child)
    fault.plan()
    fault._undo["pid"] = other.pid
    fault._undo["started"] -= 1
    with pytest.raises(FaultError, match="ended by itself before it could be held"):
        fault.inject()
    assert "t" not in states(other)
    assert not fault.prove().holds


def test_a_process_that_is_gone_can_not_be_held(spawn, serves, fault):
    child = spawn()
    serves(child)
    undo = fault.plan().undo
    child.kill()
    child.wait()
    with pytest.raises(FaultError, match="ended by itself before it could be held"):
        fault.inject()
    service.Service.revert(undo)


def test_a_signal_that_arrives_while_it_is_held_is_not_lost(spawn, serves, fault):
    child = spawn()
    serves(child)
    undo = fault.plan().undo
    fault.inject()
    child.terminate()
    assert fault.prove().holds
    service.Service.revert(undo)
    assert child.wait(20) == -signal.SIGTERM


def test_a_process_that_makes_threads_and_gets_signals_all_the_time_stands_still(serves, fault):
    busy = subprocess.Popen([sys.executable, "-S", "-c", BUSY], stdout=subprocess.PIPE, bufsize=0)
    try:
        assert busy.stdout.readline() == b"ready\n"
        serves(busy)
        undo = fault.plan().undo
        fault.inject()
        assert states(busy) == {"t"}
        assert fault.prove().holds
        busy.send_signal(signal.SIGUSR1)
        service.Service.revert(undo)
        assert busy.stdout.readline() == b"going on\n"
    finally:
        busy.kill()
        busy.wait()
        busy.stdout.close()


def test_a_service_that_somebody_has_frozen_is_refused(spawn, serves, fault):
    child = spawn()
    serves(child)
    child.send_signal(signal.SIGSTOP)
    until(lambda: states(child) == {"T"})
    with pytest.raises(FaultError, match=r"kubelet of node node1 \(pid \d+\) is already frozen, 4 of its threads"):
        fault.plan()


def test_a_service_that_is_already_held_is_refused(helper, fault):
    helper.stdout.readline()
    with pytest.raises(FaultError, match=r"kubelet of node node1 \(pid \d+\) is already held by another tracer"):
        fault.plan()


def test_a_service_that_somebody_ends_has_lost_the_fault_and_its_parent_learns_of_it(helper):
    undo = json.loads(helper.stdout.readline())
    helper.held.kill()
    until(lambda: states(helper.held) <= {"Z"})
    helper.stdin.write("\n")
    assert "was ended by somebody else while it was held" in helper.stdout.readline()
    assert helper.held.wait(20) == -signal.SIGKILL
    assert helper.poll() is None
    assert service.Service.leftovers(undo) == ""


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody without the right to trace")
def test_without_the_capability_it_is_said_which_one_is_missing(spawn):
    child = spawn()
    script = f"""
import os
from litmus.faults import service
os.setgroups([]); os.setgid(65534); os.setuid(65534)
try:
    service._hold({{"name": "kubelet", "node": "node1", "pid": {child.pid}}})
except service.FaultError as error:
    print(error)
"""
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "may not be held by ptrace(2); the helper pod needs the capability SYS_PTRACE" in answer.stdout
    assert "t" not in states(child)


@pytest.mark.parametrize(
    ("cgroup", "unit"),
    [
        ("0::/system.slice/kubelet.service\n", "kubelet.service"),
        ("0::/../../../../system.slice/containerd.service\n", "containerd.service"),
        ("9:name=systemd:/system.slice/docker.service\n1:cpu:/system.slice/docker.service\n", "docker.service"),
        ("4:memory:/process_api/3bc5ba9e98c3\n0::/\n", ""),
        ("0::/user.slice/session-1.scope\n", ""),
    ],
)
def test_the_unit_of_a_process_is_read_from_its_control_group(tmp_path, cgroup, unit):
    (tmp_path / "7").mkdir()
    (tmp_path / "7/cgroup").write_text(cgroup)
    assert systemd.unit_of(7, proc=tmp_path) == unit
    assert systemd.unit_of(8, proc=tmp_path) == ""


def test_a_host_is_systemds_if_its_first_process_is(tmp_path):
    assert not systemd.runs_host(proc=tmp_path)
    (tmp_path / "1").mkdir()
    for name, answer in (("process_api", False), ("systemd", True), ("bash", False)):
        (tmp_path / "1/comm").write_text(f"{name}\n")
        assert systemd.runs_host(proc=tmp_path) is answer


class Units:
    """The units of a host whose `systemctl` is there in another mount namespace only."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, name: str, state: str, **properties: str) -> None:
        (self.folder / name).write_text(f"{state}\n")
        lines = "".join(f"{key}={value}\n" for key, value in properties.items())
        (self.folder / f"{name}.properties").write_text(lines)

    def __getitem__(self, name: str) -> str:
        return (self.folder / name).read_text().strip()

    def calls(self, verb: str) -> list[str]:
        return [line for line in (self.folder / "calls").read_text().splitlines() if line.startswith(verb)]


@pytest.fixture
def units(tmp_path: Path, spawn, serves, monkeypatch: pytest.MonkeyPatch) -> Iterator[Units]:
    """A systemd of our own: a process in a mount namespace where ``systemctl`` is our script; the kubelet is a unit."""
    if os.getuid() != 0 or not shutil.which("unshare") or not shutil.which("systemctl"):
        pytest.skip("needs root, unshare and a systemctl to hide, to make a mount namespace of its own")
    script = tmp_path / "systemctl"
    folder = tmp_path / "units"
    folder.mkdir()
    script.write_text(SYSTEMCTL.format(units=folder))
    script.chmod(0o755)
    bind = f"mount --bind {script} $(readlink -f $(command -v $name))"
    hide = f"for name in systemctl systemd-run; do {bind} || exit; done; echo ready; read end"
    host = subprocess.Popen(["unshare", "--mount", "sh", "-c", hide], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert host.stdout.readline() == b"ready\n"
    child = spawn()
    serves(child)
    monkeypatch.setattr(systemd, "INIT", host.pid)
    monkeypatch.setattr(systemd, "runs_host", lambda: True)
    monkeypatch.setattr(systemd, "unit_of", lambda pid: "kubelet.service")
    made = Units(folder)
    made.add("kubelet.service", "active", MainPID=str(child.pid))
    yield made
    host.stdin.close()
    host.wait()
    host.stdout.close()


def test_a_unit_is_stopped_and_started_by_the_hosts_own_systemctl(units, fault):
    plan = fault.plan()
    assert plan.changes == "systemctl stop kubelet.service on node node1"
    assert units["kubelet.service"] == "active"
    fault.inject()
    assert units["kubelet.service"] == "inactive"
    assert (units["litmus-f-1.timer"], units["litmus-f-1-stopping.timer"]) == ("active", "inactive")
    proof = fault.prove()
    assert (proof.holds, proof.delivered) == (True, "systemd says kubelet.service is inactive")
    fault.tend()
    assert service.Service.leftovers(plan.undo) == "kubelet.service on node node1 is not active"
    service.Service.revert(plan.undo)
    service.Service.revert(plan.undo)
    assert units["kubelet.service"] == "active"
    assert (units["litmus-f-1.timer"], units["litmus-f-1-stopping.timer"]) == ("inactive", "inactive")
    assert service.Service.leftovers(plan.undo) == ""


def test_what_would_start_it_again_and_what_goes_down_with_it_is_stopped_and_comes_back_if_it_was_active(units, fault):
    """docker.socket starts docker at the next call; a Docker of older releases is bound to its containerd."""
    units.add("kubelet.socket", "active")
    units.add("bound.service", "active")
    units.add("idle.service", "inactive")
    units.add("multi-user.target", "active")
    with (units.folder / "kubelet.service.properties").open("a") as file:
        file.write("TriggeredBy=kubelet.socket\nBoundBy=bound.service idle.service\nRequiredBy=multi-user.target\n")
    undo = fault.plan().undo
    fault.inject()
    assert units.calls("stop")[0] == "stop kubelet.socket bound.service kubelet.service"
    service.Service.revert(undo)
    shown = {name: units[name] for name in ("kubelet.socket", "bound.service", "kubelet.service", "idle.service")}
    assert shown == dict.fromkeys(shown, "active") | {"idle.service": "inactive"}
    assert units["multi-user.target"] == "active"


def test_a_unit_that_somebody_starts_has_lost_the_fault(units, fault):
    fault.plan()
    fault.inject()
    units.add("kubelet.service", "active")
    with pytest.raises(FaultError, match=r"kubelet.service on node node1 was started again by somebody else"):
        fault.tend()
    assert not fault.prove().holds


def test_a_unit_that_does_not_start_again_is_the_loudest_error(units, fault):
    undo = fault.plan().undo
    fault.inject()
    (units.folder / "kubelet.service.broken").touch()
    with pytest.raises(FaultError, match=r"systemctl start kubelet.service: exit status 1: Job for kubelet"):
        service.Service.revert(undo)


def test_a_process_that_is_only_a_part_of_a_unit_is_held_instead(units, spawn, serves, fault):
    """The kubelet of k3s or RKE2 is a child: stopping its unit would stop more than the kubelet."""
    units.add("kubelet.service", "active", MainPID="1")
    assert fault.plan().undo["how"] == "held"
