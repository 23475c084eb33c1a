"""The conversation as a learner has it: in a terminal, with Ctrl-C and Ctrl-D, and with mistakes."""

import contextlib
import fcntl
import os
import pty
import re
import select
import stat
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from litmus.tutorial import progress

SITTING = Path(__file__).with_name("sitting.py")
KUBECTL = """#!/bin/sh
[ -e cluster/gone ] && { echo "The connection was refused" >&2; exit 1; }
case "$1" in
get) cat "cluster/$2-$3.json" 2>/dev/null || { echo "Error from server (NotFound)" >&2; exit 1; };;
make) echo "{\\"color\\": \\"$3\\"}" > "cluster/thing-$2.json"; echo "made $2";;
esac
"""
PROMPT = "> "
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The learner's folder and the cluster's, with a kubectl for both."""
    (tmp_path / "cluster").mkdir()
    (tmp_path / "cluster" / "thing-here.json").write_text("{}")
    kubectl = tmp_path / "kubectl"
    kubectl.write_text(KUBECTL)
    kubectl.chmod(kubectl.stat().st_mode | stat.S_IXUSR)
    return tmp_path


class Terminal:
    """A sitting in a terminal of 80 columns."""

    def __init__(self, folder: Path) -> None:
        self.pid, self._terminal = pty.fork()
        if self.pid == 0:
            os.environ["TERM"] = "xterm"
            os.execv(sys.executable, [sys.executable, str(SITTING), str(folder)])
        fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 80, 0, 0))
        self.seen = ""
        self.status: int | None = None

    def until(self, text: str, *, deadline_s: float = 20) -> str:
        """What is new up to and with the text."""
        give_up = time.monotonic() + deadline_s
        while text not in self.seen:
            assert time.monotonic() < give_up, f"waited for {text!r}:\n{self.seen}"
            assert self._more(give_up - time.monotonic()), f"ended without {text!r}:\n{self.seen}"
        before, _, self.seen = self.seen.partition(text)
        return before + text

    def says(self, line: str) -> str:
        """Answers the next prompt; what was shown until then."""
        shown = self.until(PROMPT)
        os.write(self._terminal, f"{line}\n".encode())
        return shown

    def presses(self, key: str) -> None:
        os.write(self._terminal, key.encode())

    def interrupts(self) -> None:
        """Presses Ctrl-C until it is heard: input() misses one that comes just before it reads."""
        for _ in range(10):
            self.presses("\x03")
            with contextlib.suppress(AssertionError):
                self.until("$ ", deadline_s=2)
                return

    def rest(self) -> str:
        """What comes until the end."""
        give_up = time.monotonic() + 20
        while self._more(give_up - time.monotonic()):
            assert time.monotonic() < give_up, self.seen
        return self.seen

    def close(self) -> None:
        os.close(self._terminal)
        os.waitpid(self.pid, 0)

    def _more(self, wait_s: float) -> bool:
        readable, _, _ = select.select([self._terminal], [], [], max(0.0, wait_s))
        if not readable:
            return True
        try:
            piece = os.read(self._terminal, 65536)
        except OSError:  # Linux: the other end is closed
            return False
        self.seen += _COLOURS.sub("", piece.decode(errors="replace")).replace("\r\n", "\n")
        return bool(piece)


@pytest.fixture
def terminal(folder: Path) -> Iterator[Terminal]:
    """A first sitting."""
    opened = Terminal(folder)
    yield opened
    opened.close()


def test_enter_runs_the_command_and_the_outcome_is_explained(terminal: Terminal):
    first = terminal.says("")
    assert "── 1/3  Title look ──" in first
    assert "why look\n\n  next look\n\n$ kubectl get thing here\n" in first
    second = terminal.says("")
    assert "{}" in second
    assert "✓ done look" in second
    assert "── 2/3  Title make ──" in second
    assert "$ kubectl make made red" in second
    third = terminal.says("")
    assert "made made" in third
    assert "✓ done make red" in third
    assert "Title" not in third
    assert "$ kubectl make made blue" in third
    assert "✓ done again blue" in terminal.says("")
    assert "ENDED FINISHED" in terminal.rest()


def test_the_suggested_command_may_be_typed(terminal: Terminal):
    terminal.says("kubectl  get thing   here")
    assert "✓ done look" in terminal.until("2/3")


def test_who_looks_around_is_not_carried_on(terminal: Terminal):
    terminal.says("echo looking around")
    shown = terminal.says("kubectl make other red")
    assert "looking around" in shown
    assert "✓" not in shown
    assert "$ kubectl get thing here" in shown
    assert "✓" not in terminal.until(PROMPT)


def test_another_command_of_the_same_kind_will_do(terminal: Terminal):
    terminal.says("kubectl get thing here -o yaml")
    assert "✓ done look" in terminal.until("2/3")


def test_a_line_of_the_learner_counts_when_the_check_holds_after_it(terminal: Terminal):
    terminal.says("")
    terminal.says('echo \'{"color": "green"}\' > cluster/thing-made.json')
    assert "✓ done make green" in terminal.until("done make green")


def test_a_wrong_command_is_shown_with_its_status(terminal: Terminal):
    terminal.says("kubctl get thing here")
    shown = terminal.until(PROMPT)
    assert "not found" in shown
    assert "(the command ended with status 127)" in shown
    assert "1/3" not in shown


def test_what_is_missing_is_said_with_a_hint(terminal: Terminal, folder: Path):
    (folder / "cluster" / "thing-here.json").unlink()
    terminal.says("")
    shown = terminal.until(PROMPT)
    assert "✗ Not yet. There is no Deployment nginx in namespace nginx." in shown
    assert "hint look" in shown


def test_ctrl_c_ends_the_command_only(terminal: Terminal):
    terminal.says("echo begun; sleep 60; echo never")
    terminal.until("begun\n")
    terminal.presses("\x03")
    shown = terminal.says("")
    assert "Stopped by Ctrl-C." in shown
    assert "never" not in shown
    assert "✓ done look" in terminal.until("2/3")


def test_ctrl_c_at_the_prompt_drops_the_line(terminal: Terminal):
    terminal.until(PROMPT)
    terminal.presses("nonsense")
    terminal.interrupts()
    terminal.says("")
    assert "✓ done look" in terminal.until("2/3")


@pytest.mark.parametrize("key", ["\x04", "quit\n", "exit\n", "q\n"])
def test_who_leaves_is_told_how_to_go_on_and_does(terminal: Terminal, folder: Path, key: str):
    terminal.says("")
    terminal.says("")
    terminal.until(PROMPT)
    terminal.presses(key)
    rest = terminal.rest()
    assert "Go on with litmus tutorial, end it" in " ".join(rest.split())
    assert "ENDED LEFT" in rest
    again = Terminal(folder)
    shown = again.says("")
    assert "── 2/3  Title make ──" in shown
    assert "$ kubectl make made blue" in shown
    assert "✓ done again blue" in again.until("3/3")
    again.presses("\x04")
    again.close()


def test_skipping_does_what_later_steps_need(terminal: Terminal, folder: Path):
    assert "1/3" in terminal.says("skip")
    assert "2/3" in terminal.says("skip")
    shown = terminal.says("")
    assert "For the later steps: $ kubectl make made red" in shown
    assert "3/3" in shown
    assert "red" in (folder / "cluster" / "thing-made.json").read_text()
    assert "ENDED FINISHED" in terminal.rest()


def test_back_and_again_show_a_step_from_its_start(terminal: Terminal):
    terminal.says("")
    terminal.says("")
    terminal.says("again")
    shown = terminal.says("back")
    assert "2/3" in shown
    assert "$ kubectl make made red" in shown
    assert "1/3" in terminal.says("back")
    assert "1/3" in terminal.until(PROMPT)


def test_a_question_mark_explains_the_keys(terminal: Terminal):
    terminal.says("?")
    shown = terminal.until(PROMPT)
    assert "Ctrl-C ends a running command, not the course." in shown
    assert "$ kubectl get thing here" in shown


def test_a_sandbox_that_is_gone_ends_the_course(terminal: Terminal, folder: Path):
    terminal.until(PROMPT)
    (folder / "cluster" / "gone").touch()
    terminal.presses("\n")
    rest = terminal.rest()
    assert "The sandbox is gone" in rest
    assert "ENDED LOST" in rest


def auto(folder: Path) -> str:
    return subprocess.run(
        [sys.executable, str(SITTING), str(folder), "auto"],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=60,
        check=True,
    ).stdout


def test_auto_runs_everything_and_asks_nothing(folder: Path):
    shown = auto(folder)
    assert shown.endswith("ENDED FINISHED\n")
    assert [line for line in shown.splitlines() if line[:2] == "$ "] == [
        "$ kubectl get thing here",
        "$ kubectl make made red",
        "$ kubectl make made blue",
        "$ kubectl get thing made",
    ]
    assert PROMPT not in shown
    assert "\x1b" not in shown


def test_auto_stops_at_the_first_check_that_does_not_hold(folder: Path):
    (folder / "cluster" / "thing-here.json").unlink()
    shown = auto(folder)
    assert shown.endswith("ENDED FAILED\n")
    assert "hint look" in shown
    assert "2/3" not in shown


def test_progress_that_can_not_be_read_is_a_fresh_start(tmp_path: Path):
    (tmp_path / "course.json").write_text("nonsense")
    assert progress.load(tmp_path) == progress.Progress()


def test_a_folder_that_is_gone_stays_gone(tmp_path: Path):
    progress.save(tmp_path / "gone", progress.Progress(step="plan"))
    assert not (tmp_path / "gone").exists()
