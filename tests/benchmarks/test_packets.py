"""The benchmark of the user-space network engine on a small scale: every figure has a row with a value."""

import os
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "benchmarks/packets.py"


def test_every_figure_gets_a_row_or_one_sentence_says_why_not():
    command = [sys.executable, SCRIPT, "--repeat=1", "--seconds=0.05"]
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    environment = {**kept, "HOME": "/nonexistent"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=110)
    if done.returncode == 2:
        assert done.stderr.startswith("benchmarks/packets.py: ")
        assert done.stdout == ""
        return
    assert done.returncode == 0, done.stderr
    table, _, machine = done.stdout.partition("\n\n")
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]
    assert [row[0] for row in rows] == [
        "packets passed through: rate kept up with",
        "packets 10 % lost: rate kept up with",
        "packets 100 ms late, outgoing: rate kept up with",
        "packets 100 ms late, incoming: rate kept up with",
        "packets 10 % damaged: rate kept up with",
        "packets 10 % doubled: rate kept up with",
        "packets 100 ms late, outgoing: delivered",
        "packets 100 ms late, incoming: delivered",
    ]
    assert all(row[3].endswith(("packets/s", "ms")) for row in rows)
    assert "cores, kernel" in machine
