"""A signal ends a real process, and the proof is measured on that process."""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from litmus.faults import kill, processes
from litmus.faults.contract import FaultError

ID = "ab" * 32
QUIET = "import signal, sys; {handler}; print('ready', flush=True); signal.pause()"


@pytest.fixture
def start() -> Iterator[object]:
    """Starts real child processes that wait for a signal, and leaves none behind."""
    children: list[subprocess.Popen[bytes]] = []

    def child(handler: str = "pass") -> subprocess.Popen[bytes]:
        script = QUIET.format(handler=handler)
        process = subprocess.Popen([sys.executable, "-S", "-c", script], stdout=subprocess.PIPE)
        children.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        return process

    yield child
    for process in children:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture
def container(monkeypatch: pytest.MonkeyPatch):
    """Makes a process the main process of the container ``ID``; a Kubernetes container can't be had in a unit test."""

    def has(*main: subprocess.Popen[bytes] | None) -> None:
        answers = [process and processes._process(Path(f"/proc/{process.pid}")) for process in main]

        def lookup(container_id: str, **_: object) -> processes.Process | None:
            assert processes.bare_id(container_id) == ID
            return answers.pop(0) if len(answers) > 1 else answers[0]

        monkeypatch.setattr(processes, "main_process", lookup)

    return has


def fds() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_sigkill_ends_the_process_and_the_proof_says_so(start, container):
    child = start()
    container(child)
    fault = kill.Kill(container_id=f"containerd://{ID}")
    plan = fault.plan()
    name = Path(f"/proc/{child.pid}/comm").read_text().strip()
    assert plan.changes == f"SIGKILL to pid {child.pid} ({name})"
    assert plan.undo == {"kind": "none"}
    assert plan.capabilities == ("KILL",)
    fault.inject()
    proof = fault.prove()
    assert proof.holds
    assert proof.asked == "SIGKILL ends the process"
    assert proof.delivered.startswith(f"pid {child.pid} ({name}) ended after")
    assert child.wait() == -signal.SIGKILL


def test_planning_touches_nothing(start, container):
    child = start()
    container(child)
    kill.Kill(container_id=ID).plan()
    assert child.poll() is None


@pytest.mark.parametrize(("name", "number"), [("SIGTERM", 15), ("INT", 2), ("10", 10)])
def test_the_signal_that_is_asked_for_is_the_one_that_is_sent(start, container, name, number):
    child = start(f"signal.signal({number}, lambda *_: sys.exit(42))")
    container(child)
    fault = kill.Kill(container_id=ID, signal=name)
    fault.plan()
    fault.inject()
    assert fault.prove().holds
    assert child.wait() == 42


def test_a_process_that_ignores_the_signal_is_no_proof(start, container):
    child = start("signal.signal(signal.SIGTERM, signal.SIG_IGN)")
    container(child)
    fault = kill.Kill(container_id=ID, signal="SIGTERM", patience_s=0.01)
    fault.plan()
    fault.inject()
    proof = fault.prove()
    assert not proof.holds
    assert "still runs" in proof.delivered
    assert "ignores or handles SIGTERM" in proof.delivered
    assert child.poll() is None


def test_a_process_that_takes_its_time_to_end_is_waited_for(start, container):
    child = start("signal.signal(signal.SIGTERM, lambda *_: (sum(range(10**6)), sys.exit()))")
    container(child)
    fault = kill.Kill(container_id=ID, signal="SIGTERM", patience_s=30)
    fault.plan()
    fault.inject()
    assert fault.prove().holds


def test_a_signal_that_was_not_sent_proves_nothing(container):
    container(None)
    proof = kill.Kill(container_id=ID).prove()
    assert not proof.holds
    assert proof.delivered == "no signal was sent"


def test_a_container_without_a_process_is_refused_with_what_may_be_wrong(container):
    container(None)
    fault = kill.Kill(container_id=f"docker://{ID}")
    for step in (fault.plan, fault.inject):
        with pytest.raises(FaultError, match=r"container abababababab runs no process on this node.*hostPID"):
            step()


def test_a_process_that_is_replaced_between_look_and_signal_is_refused_and_its_successor_is_not_hit(start, container):
    first, second = start(), start()
    container(first, first, second)
    fault = kill.Kill(container_id=ID)
    fault.plan()
    with pytest.raises(FaultError, match=f"process {first.pid} of container abababababab was replaced"):
        fault.inject()
    assert (first.poll(), second.poll()) == (None, None)


def test_a_process_that_ends_between_look_and_signal_is_refused(start, container):
    child = start()
    container(child)
    fault = kill.Kill(container_id=ID)
    fault.plan()
    child.kill()
    child.wait()
    with pytest.raises(FaultError, match=f"process {child.pid} of container abababababab ended by itself"):
        fault.inject()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody without the right to signal")
def test_without_the_capability_it_is_said_which_one_is_missing(start, container):
    """In a process of its own that gives its rights away; the child that it may not signal is ours."""
    child = start()
    script = f"""
import os
from pathlib import Path
from litmus.faults import kill, processes
processes.main_process = lambda *_, **__: processes._process(Path("/proc/{child.pid}"))
os.setgroups([]); os.setgid(65534); os.setuid(65534)
try:
    kill.Kill(container_id="{ID}").inject()
except kill.FaultError as error:
    print(error)
"""
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "is not permitted; the helper pod needs the capability KILL" in answer.stdout
    assert child.poll() is None


def test_nothing_has_to_be_undone_however_often_it_is_asked(start, container):
    container(start())
    fault = kill.Kill(container_id=ID)
    undo = fault.plan().undo
    fault.inject()
    fault.prove()
    for _ in range(2):
        kill.Kill.revert(undo)
        assert not kill.Kill.leftovers(undo)


def test_a_delivered_signal_leaves_no_file_open(start, container):
    container(start())
    before = fds()
    fault = kill.Kill(container_id=ID)
    fault.inject()
    fault.prove()
    assert fds() == before


def test_the_process_is_held_by_something_that_can_not_come_to_mean_another(start, container):
    """A pidfd: it still speaks of the ended process when its pid is long reused."""
    child = start()
    container(child)
    fault = kill.Kill(container_id=ID)
    fault.inject()
    child.wait()
    assert select.select([fault._pidfd], [], [], 0)[0]
    assert fault.prove().holds


@pytest.mark.parametrize("name", ["SIGKILL", "sigkill", "KILL", " kill ", "9"])
def test_a_signal_is_named_with_or_without_sig_or_by_its_number(name):
    assert kill.signal_number(name) is signal.SIGKILL


@pytest.mark.parametrize("name", ["", "SIGNOPE", "0", "99", "-9", "9.0", "SIGSIGKILL", "SIG_IGN"])
def test_what_is_no_signal_is_refused_with_examples(name):
    with pytest.raises(ValueError, match="is no signal; for instance SIGKILL, SIGTERM or SIGINT"):
        kill.signal_number(name)


@pytest.mark.parametrize("name", ["SIGSTOP", "TSTP", "21", "SIGTTOU"])
def test_a_signal_that_freezes_is_refused_because_somebody_would_have_to_thaw(name):
    with pytest.raises(ValueError, match="freezes a process instead of ending it"):
        kill.signal_number(name)


def test_a_signal_that_was_refused_is_not_proven_by_a_process_that_ends_by_itself(start, container):
    first, second = start(), start()
    container(first, second)
    before = fds()
    fault = kill.Kill(container_id=ID, patience_s=0.01)
    with pytest.raises(FaultError):
        fault.inject()
    assert fds() == before
    first.kill()
    first.wait()
    proof = fault.prove()
    assert not proof.holds
    assert proof.delivered == "no signal was sent"
