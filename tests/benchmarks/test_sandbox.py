"""The benchmark of the sandbox on a small scale: that every figure has a row with a value, none how large it is."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks/sandbox.py"
SMALL = ("--nodes=1", "--pods=2", "--objects=5", "--watchers=3", "--reads=2", "--repeat=1", "--starts=1")


def run(tmp_path: Path, *arguments: str, timeout_s: float = 100) -> "subprocess.CompletedProcess[str]":
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "TMPDIR": str(tmp_path)}
    command = [sys.executable, SCRIPT, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=timeout_s)


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder whose sockets' paths are short enough, which pytest's own need not be."""
    with tempfile.TemporaryDirectory(prefix="lb") as folder:
        yield Path(folder)


def test_every_figure_gets_a_row_with_what_was_measured_and_nothing_is_left_behind(short: Path):
    done = run(short, *SMALL, "--only=pods", "--only=objects", "--only=watchers")
    assert done.returncode == 0, done.stderr
    table, _, rest = done.stdout.partition("\n\n")
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]
    titles = [row[0] for row in rows]
    assert titles == [
        "2 pods created → all Running",
        "2 pods deleted → all gone",
        "memory (PSS): the control process, 0 pods",
        "memory (PSS): the control process, 2 pods",
        "memory (PSS): a node, 0 pods",
        "memory (PSS): a node, 2 pods",
        "memory (PSS): the service proxy, 0 pods",
        "memory (PSS): the service proxy, 2 pods",
        "memory (PSS): a container of nginx",
        "memory (PSS): everything, 2 pods",
        "5 ConfigMaps created",
        "5 ConfigMaps listed, JSON",
        "5 ConfigMaps listed, Table",
        "5 pods listed, JSON",
        "5 pods listed, Table",
        "one ConfigMap got",
        "write → last of 3 watchers has the event",
    ]
    assert all(int(row[5]) > 0 and float(row[3].split()[0]) > 0 for row in rows), table
    assert "load average" in rest
    assert list(short.iterdir()) == []


@pytest.mark.parametrize("argument", ["--pods=0", "--only=everything", "--watchers=many"])
def test_arguments_that_make_no_sense_are_refused(tmp_path: Path, argument: str):
    done = run(tmp_path, argument)
    assert (done.returncode, done.stdout) == (2, "")


def test_a_sandbox_that_does_not_start_is_said_in_one_sentence(tmp_path: Path):
    long = tmp_path / ("x" * 100)
    long.mkdir()
    done = run(long, *SMALL, "--only=watchers")
    assert (done.returncode, done.stdout) == (2, "")
    [sentence] = done.stderr.splitlines()
    assert sentence.startswith("benchmarks/sandbox.py: litmus sandbox up")
    assert list(long.iterdir()) == []
