"""The benchmark of the hub on a small scale: that every figure has a row with a value, none how large it is."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks/hub.py"


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
    command = [sys.executable, SCRIPT, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=100)


def test_every_figure_gets_a_row_with_what_was_measured():
    done = run("--connections=2", "--seconds=0.05", "--repeat=2")
    assert done.returncode == 0, done.stderr
    table, _, rest = done.stdout.partition("\n\n")
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]
    pages, files = ("home", "a group", "an experiment"), ("a small file", "the bundle of a group", "all charts as JSON")
    assert [row[0] for row in rows] == [
        *(f"page {page}: size, {form}" for page in pages for form in ("raw", "gzip")),
        *(title for page in pages for title in (f"page {page}, 2 connections", f"page {page}: p99")),
        *(title for file in files for title in (f"API, {file}, 2 connections", f"API, {file}: p99")),
        "memory (RSS) after the start",
        "memory (RSS) after all of this",
    ]
    assert all(int(row[5]) > 0 and float(row[3].split()[0]) > 0 for row in rows), table
    assert "load average" in rest


@pytest.mark.parametrize("argument", ["--connections=0", "--repeat=many"])
def test_arguments_that_make_no_sense_are_refused(argument: str):
    done = run(argument)
    assert (done.returncode, done.stdout) == (2, "")
