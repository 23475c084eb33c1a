"""A process is meant by its number and its birth."""

import os
import signal
import subprocess
from collections.abc import Iterator

import pytest

from litmus.sandbox.lifecycle import identity
from litmus.sandbox.lifecycle.identity import Process


@pytest.fixture
def child() -> Iterator["subprocess.Popen[bytes]"]:
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process
        process.kill()


def test_a_process_runs_until_it_has_ended(child: "subprocess.Popen[bytes]") -> None:
    process = identity.of(child.pid)
    assert process.running()
    assert not process.wait(0)
    process.send(signal.SIGTERM)
    assert process.wait(10)
    assert not process.running()  # a zombie has ended
    child.wait()
    assert not process.running()
    assert process.wait(0)
    process.send(signal.SIGTERM)


def test_a_process_that_was_stopped_is_still_there(child: "subprocess.Popen[bytes]") -> None:
    child.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, child.pid, os.WSTOPPED | os.WNOWAIT)
    assert identity.of(child.pid).running()


def test_a_number_that_was_given_again_is_somebody_else(child: "subprocess.Popen[bytes]") -> None:
    earlier = Process(child.pid, identity.of(child.pid).born - 1)
    assert not earlier.running()
    assert earlier.wait(0)
    earlier.send(signal.SIGKILL)
    assert child.poll() is None


def test_no_process_never_runs() -> None:
    assert not Process().running()
    assert Process().wait(0)
    Process().send(signal.SIGTERM)
