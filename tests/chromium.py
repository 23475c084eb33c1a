"""The browser of the tests: Debian's Chromium, which tools/chromium finds or sets up."""

import functools
import os
import subprocess
import sys
from pathlib import Path

import pytest

_TOOL = Path(__file__).parents[1] / "tools" / "chromium"
_DEADLINE_S = 600  # of a set-up that make test has not done yet


@functools.cache
def _looked_for() -> tuple[str, str]:
    """Its path, or why there is none."""
    tool = [sys.executable, str(_TOOL)]
    done = subprocess.run(tool, capture_output=True, text=True, timeout=_DEADLINE_S, check=False)
    return done.stdout.strip(), done.stderr.strip()


def executable() -> str:
    """The path of the browser; skips the test, with the reason, where there is none."""
    path, reason = _looked_for()
    if not path:
        pytest.skip(reason or "there is no Chromium")
    return path


def arguments() -> list[str]:
    """What it is started with: its own sandbox needs a user that is not root, and namespaces that containers lack."""
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 or "/build/chromium/" in executable() else []
    return [*sandbox, "--disable-dev-shm-usage", "--disable-gpu", "--font-render-hinting=none"]
