"""A unit of a real systemd, which is the first process of namespaces of the test's own, is stopped and comes back."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

SYSTEMD = Path("/lib/systemd/systemd")
CGROUPS = Path("/sys/fs/cgroup/systemd")
# Nothing of the machine's own: its /run and its units are hidden, so that no other unit than these is ever started.
START = f"""
mount --make-rprivate /
mount -t tmpfs tmpfs /run
mount -t proc proc /proc
mkdir /run/units
for name in sysinit basic shutdown timers tests; do
  printf '[Unit]\\nDefaultDependencies=no\\n' > /run/units/$name.target
done
printf '[Unit]\\nDefaultDependencies=no\\n[Service]\\nExecStart=/bin/sleep infinity\\n' > /run/units/kubelet.service
export SYSTEMD_UNIT_PATH=/run/units container=tests
exec {SYSTEMD} --system --unit=tests.target --log-target=console --show-status=0
"""
INJECT = """
import json, signal
from litmus.faults import daemons, service, systemd
pid = systemd.main_pid("kubelet.service")
daemons.of_node = lambda name, node: daemons.Daemon(pid, daemons.started(pid), name)
fault = service.Service(fault_id="f-1", service="kubelet", node="node1", hold_s={hold_s})
undo = fault.plan().undo
fault.inject()
print(json.dumps(undo | {{"holds": fault.prove().holds}}), flush=True)
signal.pause()
"""
REVERT = "from litmus.faults.service import Service; Service.revert({undo!r}); print(Service.leftovers({undo!r}))"


class Host:
    """A machine that runs systemd, and whose first process that is."""

    def __init__(self, init: int) -> None:
        self.init = init

    def command(self, *command: str) -> list[str]:
        return ["nsenter", "-t", str(self.init), "-m", "-p", *command]

    def run(self, *command: str) -> str:
        done = subprocess.run(self.command(*command), capture_output=True, text=True, check=False, timeout=30)
        return done.stdout.strip() or done.stderr.strip()

    def python(self, script: str) -> list[str]:
        return self.command(sys.executable, "-c", script)

    def state(self, unit: str) -> str:
        return self.run("systemctl", "show", "--property=ActiveState", "--value", unit)


def until(condition: Callable[[], bool], what: str) -> None:
    give_up = time.monotonic() + 40
    while not condition():
        assert time.monotonic() < give_up, f"waited 40 s for {what}"
        time.sleep(0.05)


@pytest.fixture
def host() -> Iterator[Host]:
    missing = [name for name in ("unshare", "nsenter", "systemctl", "systemd-run") if not shutil.which(name)]
    if os.getuid() != 0 or missing or not SYSTEMD.exists() or not CGROUPS.exists():
        pytest.skip("needs root, and a systemd that can be the first process of a namespace")
    groups = CGROUPS / f"tests-{os.getpid()}"
    groups.mkdir()
    apart = "unshare --mount --pid --fork --uts --ipc --cgroup"
    begin = f'echo $$ > {groups}/cgroup.procs && exec {apart} sh -c "$1"'
    command = ["sh", "-c", begin, "sh", START]
    outer = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    children = Path(f"/proc/{outer.pid}/task/{outer.pid}/children")
    until(lambda: bool(children.read_text()), "the first process")
    made = Host(int(children.read_text().split()[0]))
    try:
        until(lambda: made.run("systemctl", "is-system-running") == "running", "systemd to be there")
        made.run("systemctl", "start", "kubelet")
        yield made
    finally:
        os.kill(made.init, signal.SIGKILL)  # and with the first process all others of its namespace
        outer.wait(30)
        for folder in sorted([groups, *(path for path in groups.rglob("*") if path.is_dir())], reverse=True):
            folder.rmdir()


def inject(host: Host, *, hold_s: float) -> tuple[subprocess.Popen[str], dict[str, Any]]:
    helper = subprocess.Popen(host.python(INJECT.format(hold_s=hold_s)), stdout=subprocess.PIPE, text=True)
    assert helper.stdout is not None
    undo: dict[str, Any] = json.loads(helper.stdout.readline())
    return helper, undo


def end(helper: subprocess.Popen[str]) -> None:
    helper.kill()
    helper.wait()
    assert helper.stdout is not None
    helper.stdout.close()


def test_a_unit_comes_back_when_its_time_is_over_although_nobody_of_ours_is_left(host: Host) -> None:
    assert host.state("kubelet.service") == "active"
    helper, undo = inject(host, hold_s=0.5)
    try:
        assert undo["unit"] == "kubelet.service"
        assert undo["holds"]
        assert host.state("kubelet.service") == "inactive"
    finally:
        end(helper)
    until(lambda: host.state("kubelet.service") == "active", "systemd to start the unit")
    until(lambda: host.state("litmus-f-1.timer") == "inactive", "the timer to be gone")


def test_a_unit_that_was_started_again_has_no_timer_left(host: Host) -> None:
    helper, undo = inject(host, hold_s=300)
    end(helper)
    assert host.state("litmus-f-1.timer") == "active"
    assert host.run(*host.python(REVERT.format(undo=undo))[5:]) == ""
    assert host.state("kubelet.service") == "active"
    assert host.state("litmus-f-1.timer") == "inactive"
    assert "litmus" not in host.run("systemctl", "list-timers", "--all")
