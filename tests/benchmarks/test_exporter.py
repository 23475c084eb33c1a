"""The benchmark of the exporter on a small scale: that every figure has a row with a value, none how large it is."""

import os
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "benchmarks/exporter.py"


def test_every_figure_gets_a_row_with_what_was_measured():
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
    command = [sys.executable, SCRIPT, "--results=20", "--repeat=2"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=100)

    assert done.returncode == 0, done.stderr
    table, _, rest = done.stdout.partition("\n\n")
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]
    assert [row[0] for row in rows] == [
        "memory (RSS), no results",
        "20 results: start until ready",
        "20 results: scrape, plain",
        "20 results: size, plain",
        "20 results: scrape, gzip",
        "20 results: size, gzip",
        "20 results: change of a result until it was scraped",
        "20 results: memory (RSS)",
        "20 results: memory (RSS), the most",
    ]
    assert all(int(row[5]) > 0 and float(row[3].split()[0]) > 0 for row in rows), table
    assert "load average" in rest
