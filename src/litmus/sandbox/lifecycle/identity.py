"""A process as one may speak of it later: by its number and the moment of its birth.

A number alone is given to another process one day; the two together are unique until the machine is started again
(proc_pid_stat(5), field 22). Nothing here polls: the end of a process is awaited through a pidfd (pidfd_open(2)).
"""

import contextlib
import os
import select
import signal
from collections.abc import Iterator
from pathlib import Path

import msgspec


class Process(msgspec.Struct, frozen=True, omit_defaults=True):
    """``born``: clock ticks from the start of the machine. The default is no process at all."""

    pid: int = 0
    born: int = 0

    def running(self) -> bool:
        """Whether it is there and has not ended. One that was stopped is there, too."""
        state, born = _stat(self.pid)
        return self.pid > 0 and born == self.born and state not in "ZX"

    def send(self, number: signal.Signals) -> None:
        """A signal; nothing happens when the process is gone. Raises PermissionError for somebody else's."""
        with self._handle() as handle, contextlib.suppress(ProcessLookupError):
            if handle is not None:
                signal.pidfd_send_signal(handle, number)

    def wait(self, deadline_s: float) -> bool:
        """Waits until it has ended; False when it still runs after ``deadline_s`` seconds."""
        with self._handle() as handle:
            if handle is None:
                return True
            poll = select.poll()
            poll.register(handle, select.POLLIN)
            return bool(poll.poll(deadline_s * 1000))

    @contextlib.contextmanager
    def _handle(self) -> Iterator[int | None]:
        """A pidfd, None when the process is gone. That it is the right one is sure only while the handle is open."""
        try:
            handle = os.pidfd_open(self.pid) if self.pid > 0 else None
        except ProcessLookupError:
            handle = None
        try:
            yield handle if self.running() else None
        finally:
            if handle is not None:
                os.close(handle)


def of(pid: int) -> Process:
    """The process that has this number now."""
    return Process(pid, _stat(pid)[1])


def own() -> Process:
    """This process."""
    return of(os.getpid())


def _stat(pid: int) -> tuple[str, int]:
    """State and birth, ``X`` and -1 for a process that is gone."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return "X", -1
    return words[0], int(words[19])
