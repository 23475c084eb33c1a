"""Runs the learner's lines: real shell lines, in the work folder, on the sandbox.

While a line runs, Ctrl-C is for it alone: the terminal signals its whole foreground group, and we let it pass.
"""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType


@dataclass(frozen=True, slots=True)
class Shell:
    """A shell with its environment and folder."""

    env: Mapping[str, str]
    folder: Path

    def run(self, line: str) -> int:
        """The exit status of a line, as a shell gives it: 128 and the signal for one that a signal ended."""
        sys.stdout.flush()
        interpreter = shutil.which("bash") or "/bin/sh"
        with _interrupts_pass():
            ended = subprocess.run([interpreter, "-c", line], env=dict(self.env), cwd=self.folder, check=False)
        return ended.returncode if ended.returncode >= 0 else 128 - ended.returncode


def interrupted(status: int) -> bool:
    """Whether a line was ended by Ctrl-C."""
    return status == 128 + signal.SIGINT


def environment(kubeconfig: Path, env: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The commands of this installation on the sandbox. An image that somebody set for another cluster is not meant."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{env.get('PATH', os.defpath)}"
    kept = {name: value for name, value in env.items() if name != "LITMUS_IMAGE"}
    return {**kept, "PATH": path, "KUBECONFIG": str(kubeconfig)}


@contextmanager
def _interrupts_pass() -> Iterator[None]:
    """A handler of our own, not SIG_IGN: that one the command would inherit."""

    def passed(number: int, frame: FrameType | None) -> None:
        """The command has got it as well."""

    before = signal.signal(signal.SIGINT, passed)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
