"""Processes are found by the mark in their environment, whatever they did to leave their parents, and ended."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from litmus.sandbox.node import processes, sweep

# Prints its pid, leaves its session and its parent, and would run for an hour.
DAEMON = """
import os, sys, time
if os.fork(): os._exit(0)
os.setsid()
if os.fork(): os._exit(0)
print(os.getpid(), flush=True)
os.close(1); os.close(2)
time.sleep(3600)
"""


def start(mark: Path, script: str = "import time; print('up', flush=True); time.sleep(3600)") -> subprocess.Popen[str]:
    env = {processes.SANDBOX: str(mark), processes.CONTAINER: "c" * 64}
    process = subprocess.Popen([sys.executable, "-S", "-c", script], env=env, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    return process


@pytest.fixture
def process(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    started = start(tmp_path)
    yield started
    started.kill()
    started.communicate()


def test_a_marked_process_is_found_with_its_container(tmp_path: Path, process: subprocess.Popen[str]) -> None:
    found = list(processes.marked(processes.SANDBOX, str(tmp_path)))
    assert found == [processes.Member(process.pid, "c" * 64)]


def test_a_mark_that_only_begins_alike_is_another_one(tmp_path: Path, process: subprocess.Popen[str]) -> None:
    assert not list(processes.marked(processes.SANDBOX, str(tmp_path)[:-1]))
    assert not list(processes.marked(processes.NODE, str(tmp_path)))


def test_a_sweep_ends_what_carries_the_mark(tmp_path: Path, process: subprocess.Popen[str]) -> None:
    assert sweep(tmp_path) == 1
    assert process.wait(10) == -9
    assert sweep(tmp_path) == 0


def test_a_sweep_finds_what_left_its_session_and_its_parent(tmp_path: Path) -> None:
    env = {processes.SANDBOX: str(tmp_path)}
    said = subprocess.run([sys.executable, "-S", "-c", DAEMON], env=env, capture_output=True, text=True, check=True)
    daemon = int(said.stdout)
    handle = os.pidfd_open(daemon)
    try:
        assert sweep(tmp_path) == 1
        assert not list(processes.marked(processes.SANDBOX, str(tmp_path)))
    finally:
        os.close(handle)


def test_usage_grows_with_the_processes_and_is_nothing_for_one_that_is_gone(process: subprocess.Popen[str]) -> None:
    found = processes.usage(process.pid)
    assert found.rss > 1_000_000
    assert found.rss > found.shared > 0
    assert (found + found).rss == 2 * found.rss
    process.kill()
    process.wait()
    assert processes.usage(process.pid) == processes.Usage()
