"""Starting a program inside the control groups of another process, so that none of its work is done outside of them.

The child waits, before it becomes the program, until its parent has moved it. It dies with the thread that started it
(PR_SET_PDEATHSIG, prctl(2)), and carries the fault's mark.
"""

import contextlib
import ctypes
import os
import select
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from .. import processes
from ..cgroups import Groups
from ..contract import MARK, FaultError

_PR_SET_PDEATHSIG = 1
_SAID_LIMIT = 4096
_LOOK_S = 0.002


@dataclass(slots=True)
class Child:
    """A program that was started. ``status`` is its exit status, negative for a signal, None while it runs."""

    pid: int
    pidfd: int
    errors: int
    status: int | None = None

    def ended(self, wait_s: float = 0.0) -> bool:
        """Whether it has ended, at the latest after ``wait_s``."""
        if self.status is not None:
            return True
        poll = select.poll()
        poll.register(self.pidfd, select.POLLIN)
        if not poll.poll(wait_s * 1000):
            return False
        try:
            _, status = os.waitpid(self.pid, 0)
            self.status = os.waitstatus_to_exitcode(status)
        except ChildProcessError:  # a revert has reaped it
            self.status = -signal.SIGKILL
        return True

    def said(self) -> str:
        """The end of what it wrote to standard error and output, on one line."""
        size = os.fstat(self.errors).st_size
        text = os.pread(self.errors, _SAID_LIMIT, max(0, size - _SAID_LIMIT)).decode(errors="replace")
        return " ".join(text.split())

    def close(self) -> None:
        os.close(self.pidfd)
        os.close(self.errors)


def start(command: Sequence[str], *, fault_id: str, groups: Groups | None, folder: int) -> Child:
    """Starts a program with the open directory ``folder`` as its working directory, in ``groups`` if there are any.

    Returns when the mark can be seen, so that whoever ends the fault now finds it. Raises FaultError, TargetGoneError
    when the groups are gone; then nothing runs.
    """
    errors = os.memfd_create("errors", os.MFD_CLOEXEC)
    gate, opened = os.pipe()
    libc = ctypes.CDLL(None, use_errno=True)
    environment = os.environ | {MARK: fault_id}
    sys.stdout.flush()
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(opened)
            libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() == parent and os.read(gate, 1):
                os.setsid()
                os.fchdir(folder)
                null = os.open("/dev/null", os.O_RDONLY)
                for target, source in enumerate((null, errors, errors)):
                    os.dup2(source, target)
                # Python ignores it, and an ignored signal stays ignored in the program.
                signal.signal(signal.SIGPIPE, signal.SIG_DFL)
                os.execvpe(command[0], list(command), environment)
        except OSError as error:
            os.write(errors, f"{command[0]}: {error.strerror}".encode())
        finally:
            os._exit(127)
    os.close(gate)
    child = Child(pid=pid, pidfd=os.pidfd_open(pid), errors=errors)
    try:
        if groups is not None:
            groups.add(pid)
        os.write(opened, b"x")
    except (FaultError, OSError) as error:
        os.close(opened)
        opened = -1
        child.ended(5.0)
        child.close()
        raise error if isinstance(error, FaultError) else FaultError(f"{command[0]} did not start: {error}") from error
    finally:
        if opened >= 0:
            with contextlib.suppress(OSError):
                os.close(opened)
    _await_mark(child, f"{MARK}={fault_id}".encode())
    return child


def _await_mark(child: Child, mark: bytes) -> None:
    """A process has its new environment a moment after execve(2) has begun to replace the old one."""
    environment = processes.PROC / str(child.pid) / "environ"
    while not child.ended(_LOOK_S):
        with contextlib.suppress(OSError):
            if mark in environment.read_bytes().split(b"\0"):
                return
