"""Starting processes without blocking the event loop, so that they die with this process.

PR_SET_PDEATHSIG is set between fork and exec and fires when the *thread* that forked ends (prctl(2)), hence one thread
that lives as long as the process. The end of a process is seen through a pidfd, so nothing else that waits for children
in this process is disturbed.
"""

import asyncio
import contextlib
import ctypes
import errno
import fcntl
import os
import signal
import subprocess
import termios
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_libc = ctypes.CDLL(None, use_errno=True)
_ours: set[int] = set()
_thread = ThreadPoolExecutor(1, thread_name_prefix="spawn")


class NotStarted(Exception):
    """The command can't be run; the message is in the words of a container runtime."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What to run. ``stdin``, ``stdout`` and ``stderr`` are file descriptors that stay the caller's to close."""

    argv: Sequence[str]
    env: Mapping[str, str]
    cwd: str
    stdin: int = subprocess.DEVNULL
    stdout: int = subprocess.DEVNULL
    stderr: int = subprocess.DEVNULL
    terminal: bool = False


@dataclass(slots=True)
class Process:
    """A child. ``status``: its exit code, negative for the signal that ended it; None while it runs."""

    pid: int
    status: int | None = None
    _ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def wait(self) -> int:
        """The exit code once it has ended; any number of tasks may wait."""
        await self._ended.wait()
        assert self.status is not None
        return self.status

    def send(self, number: int) -> None:
        """A signal to the process; nothing when it has ended."""
        if self.status is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def send_group(self, number: int) -> None:
        """A signal to all of its session's first process group, which may outlive it."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    def end(self, status: int) -> None:
        self.status = status
        self._ended.set()


async def spawn(command: Command) -> Process:
    """Starts it in a session of its own. Raises NotStarted.

    A caller that is cancelled meanwhile leaves no process behind.
    """
    loop = asyncio.get_running_loop()
    started = loop.run_in_executor(_thread, _start, command)
    try:
        child = await asyncio.shield(started)
    except asyncio.CancelledError:
        with contextlib.suppress(NotStarted):
            await _abandon(await started)
        raise
    process = Process(child.pid)
    _watch(loop, child, process)
    return process


def become_subreaper() -> None:
    """Orphans of containers become children of this process (prctl(2)), which then has to ``reap`` them."""
    _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def adopted() -> list[int]:
    """The children that were not started here: orphans of containers, also those that have ended."""
    # Children of a thread are listed with that thread; orphans come to the main one, ours to the one that spawns.
    try:
        children = Path(f"/proc/self/task/{os.getpid()}/children").read_text()
    except OSError:
        return []
    return [pid for pid in map(int, children.split()) if pid not in _ours]


def reap() -> None:
    """Collects orphans of containers that have ended."""
    for pid in adopted():
        with contextlib.suppress(OSError):
            os.waitpid(pid, os.WNOHANG)


def _start(command: Command) -> "subprocess.Popen[bytes]":
    parent = os.getpid()

    def prepare() -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(255)  # it ended before it could tell
        if command.terminal:
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    try:
        child = subprocess.Popen(
            list(command.argv),
            env=dict(command.env),
            cwd=command.cwd,
            stdin=command.stdin,
            stdout=command.stdout,
            stderr=command.stderr,
            start_new_session=True,
            preexec_fn=prepare,  # noqa: PLW1509 - two system calls; nothing that another thread could hold is taken
        )
        _ours.add(child.pid)
        return child
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise NotStarted(_why(command, error)) from error


def _why(command: Command, error: Exception) -> str:
    prefix = "unable to start container process: "
    if not isinstance(error, OSError):
        return f"{prefix}{error}"
    if error.filename == command.cwd:
        return f"{prefix}error during container init: chdir to cwd ({command.cwd!r}): {_strerror(error)}"
    word = command.argv[0]
    if "/" not in word and error.errno in (errno.ENOENT, errno.ENOTDIR):
        return f'{prefix}exec: "{word}": executable file not found in $PATH'
    verb = "stat " if error.errno in (errno.ENOENT, errno.ENOTDIR) else ""
    return f'{prefix}exec: "{word}": {verb}{word + ": " if verb else ""}{_strerror(error)}'


def _strerror(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _watch(loop: asyncio.AbstractEventLoop, child: "subprocess.Popen[bytes]", process: Process) -> None:
    handle = os.pidfd_open(child.pid)

    def ended() -> None:
        loop.remove_reader(handle)
        os.close(handle)
        _ours.discard(child.pid)
        process.end(child.wait())  # does not block: the pidfd is readable because it has ended

    loop.add_reader(handle, ended)


async def _abandon(child: "subprocess.Popen[bytes]") -> None:
    process = Process(child.pid)
    _watch(asyncio.get_running_loop(), child, process)
    process.send_group(signal.SIGKILL)
    await process.wait()
