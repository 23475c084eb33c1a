"""A fault's processes are found by their mark and ended, whoever started them."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from litmus.faults import marked
from litmus.faults.contract import MARK, FaultError

FAULT = f"test-{os.getpid()}"


@pytest.fixture
def start() -> Iterator[object]:
    """Starts marked processes that say when they run."""
    children: list[subprocess.Popen[str]] = []

    def child(fault_id: str = FAULT, script: str = "") -> subprocess.Popen[str]:
        code = f"import os, signal, sys\n{script}\nprint(os.getpid(), flush=True); signal.pause()"
        environment = os.environ | {MARK: fault_id}
        process = subprocess.Popen(
            [sys.executable, "-S", "-c", code], stdout=subprocess.PIPE, text=True, env=environment
        )
        children.append(process)
        assert process.stdout is not None
        process.stdout.readline()
        return process

    yield child
    for process in children:
        process.kill()
        process.wait()
        process.stdout.close()


def test_only_the_processes_of_that_fault_are_found(start):
    mine = start()
    start(f"{FAULT}-2")
    start("other")
    assert marked.find(FAULT) == [mine.pid]


def test_they_are_ended_with_their_children_and_others_are_not(start):
    parent = start(script="os.fork()")
    other = start(f"{FAULT}-2")
    marked.end(FAULT)
    assert marked.find(FAULT) == []
    assert marked.find(f"{FAULT}-2") == [other.pid]
    assert parent.wait() in (-9, 0)  # 0: it was reaped by marked.end, and subprocess can't know more


def test_a_process_that_ignores_every_polite_signal_ends_too(start):
    start(script="[signal.signal(n, signal.SIG_IGN) for n in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)]")
    marked.end(FAULT)
    assert marked.find(FAULT) == []


def test_ending_what_is_not_there_does_nothing():
    marked.end(FAULT)
    marked.end(FAULT)


def test_what_does_not_end_in_time_is_an_error_that_names_the_processes(start, monkeypatch):
    child = start()
    monkeypatch.setattr(marked, "_signal", lambda pidfd: True)
    with pytest.raises(FaultError, match=f"processes {child.pid} of {FAULT} do not end"):
        marked.end(FAULT, deadline_s=0.05)
