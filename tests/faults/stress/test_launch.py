"""A program starts inside of the groups that it belongs to, or not at all, and dies with who started it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from litmus.faults import marked
from litmus.faults.cgroups import Groups
from litmus.faults.contract import FaultError
from litmus.faults.stress import launch

FAULT = f"launch-{os.getpid()}"


@pytest.fixture
def folder(tmp_path: Path):
    opened = os.open(tmp_path, os.O_RDONLY)
    yield opened
    os.close(opened)
    marked.end(FAULT)


def start(folder: int, *command: str, groups: Groups | None = None) -> launch.Child:
    return launch.start(command, fault_id=FAULT, groups=groups, folder=folder)


def test_the_program_runs_in_the_folder_with_the_mark(folder, tmp_path):
    child = start(folder, "sleep", "60")
    try:
        assert not child.ended()
        assert marked.find(FAULT) == [child.pid]
        assert Path(f"/proc/{child.pid}/cwd").readlink() == tmp_path
    finally:
        marked.end(FAULT)
        assert child.ended(5)
        child.close()
    assert marked.find(FAULT) == []


def test_the_status_and_the_last_words_of_a_program_are_kept(folder):
    child = start(folder, "sh", "-c", "echo no such thing >&2; exit 3")
    assert child.ended(10)
    assert (child.status, child.said()) == (3, "no such thing")
    child.close()


def test_a_program_that_is_not_there_says_so(folder):
    child = start(folder, "/litmus-no-such-program")
    assert child.ended(10)
    assert child.status == 127
    assert child.said() == "/litmus-no-such-program: No such file or directory"
    child.close()


class Recorded(Groups):
    """Groups that note what a process was when it was moved."""

    def add(self, pid: int) -> None:
        seen.append((pid, Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0]))


class Refusing(Groups):
    def add(self, pid: int) -> None:
        seen.append((pid, b""))
        raise FaultError("the group refuses")


seen: list[tuple[int, bytes]] = []


def test_it_is_moved_before_it_becomes_the_program(folder):
    seen.clear()
    child = start(folder, "sleep", "60", groups=Recorded({}, {}))
    ((pid, was),) = seen
    assert pid == child.pid
    assert was != b"sleep"
    marked.end(FAULT)
    assert child.ended(5)
    child.close()


def test_what_can_not_be_moved_never_runs(folder, tmp_path):
    seen.clear()
    with pytest.raises(FaultError, match="the group refuses"):
        start(folder, "touch", "ran", groups=Refusing({}, {}))
    ((pid, _),) = seen
    assert not Path(f"/proc/{pid}").exists()
    assert list(tmp_path.iterdir()) == []


def test_it_dies_with_the_process_that_started_it(tmp_path):
    script = (
        "import os, signal\n"
        "from litmus.faults.stress import launch\n"
        f"folder = os.open({str(tmp_path)!r}, os.O_RDONLY)\n"
        f"child = launch.start(['sleep', '60'], fault_id={FAULT!r}, groups=None, folder=folder)\n"
        "print(child.pid, flush=True)\n"
        "signal.pause()\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as helper:
        assert helper.stdout is not None
        pid = int(helper.stdout.readline())
        pidfd = os.pidfd_open(pid)
        helper.send_signal(signal.SIGKILL)
    try:
        import select

        poll = select.poll()
        poll.register(pidfd, select.POLLIN)
        assert poll.poll(10_000)
    finally:
        os.close(pidfd)
