"""The real Prometheus and its promtool: from PATH, or unpacked by tools/server. Tests skip where there is neither."""

import functools
import shutil
import subprocess
from pathlib import Path

import pytest

_SERVER = Path(__file__).resolve().parents[2] / "tools/server"


@functools.cache
def program(name: str) -> str:
    """The path of ``prometheus`` or ``promtool``; skips the test where it can't be had."""
    done = subprocess.run([_SERVER, name], capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        pytest.skip(done.stderr.strip())
    return done.stdout.strip()


def promtool(*arguments: str | Path) -> str:
    """What it says on success. A failure fails the test with what it said."""
    command = [program("promtool"), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, f"{shutil.which('promtool')}: {done.stdout}{done.stderr}"
    return done.stdout
