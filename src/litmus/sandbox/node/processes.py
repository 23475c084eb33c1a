"""Finding processes by what their environment says, so that none outlives its container, its node or its sandbox.

The environment that a process was started with stays readable in /proc/<pid>/environ (proc_pid_environ(5)) and is
inherited by whatever it starts, also by what left its session: it is the only mark that a plain user can put on a tree
of processes.
"""

import contextlib
import os
import select
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SANDBOX = "LITMUS_SANDBOX"
NODE = "LITMUS_SANDBOX_NODE"
CONTAINER = "LITMUS_SANDBOX_CONTAINER"
PROC = Path("/proc")
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Member:
    """A process that carries a mark."""

    pid: int
    container: str


def marked(name: str, value: str, *, proc: Path = PROC) -> Iterator[Member]:
    """The processes whose environment has ``name=value``, this one excepted. Zombies have no environment."""
    wanted, own = f"{name}={value}".encode(), str(os.getpid())
    prefix = f"{CONTAINER}=".encode()
    for entry in os.listdir(proc):  # noqa: PTH208 - a fifth of the time of Path.iterdir, several times a second
        if not entry.isdigit() or entry == own:
            continue
        environ = _environ(f"{proc}/{entry}/environ")
        if wanted not in environ:
            continue
        variables = environ.split(b"\0")
        if wanted in variables:
            found = next((word for word in variables if word.startswith(prefix)), prefix)
            yield Member(int(entry), found[len(prefix) :].decode())


def is_in(pid: int, folder: str, *, proc: Path = PROC) -> bool:
    """Whether a process has its working directory there or below. Zombies have none."""
    try:
        place = str((proc / str(pid) / "cwd").readlink())
    except OSError:
        return False
    return place == folder or place.startswith(f"{folder}/")


def sweep(mark: str | Path, *, name: str = SANDBOX, deadline_s: float = 5.0) -> int:
    """Kills every process marked ``name=mark`` until none is left; how many there were.

    Raises TimeoutError when some can't be killed within the deadline (seconds): they hang in the kernel or belong to
    somebody else.
    """
    seen: set[int] = set()
    until = time.monotonic() + deadline_s
    while found := {member.pid for member in marked(name, str(mark))}:
        seen |= found
        kill_all(found, wait_s=min(1.0, deadline_s))
        if time.monotonic() > until:
            raise TimeoutError(f"processes {sorted(found)} of {mark} can not be ended")
    return len(seen)


def kill_all(pids: set[int], *, wait_s: float) -> None:
    """SIGKILL to each, and waits until they are gone, at most ``wait_s`` seconds."""
    handles = []
    for pid in pids:
        with contextlib.suppress(OSError):  # gone, or not ours
            handles.append(os.pidfd_open(pid))
    for handle in handles:
        with contextlib.suppress(OSError):
            signal.pidfd_send_signal(handle, signal.SIGKILL)
    _await_all(handles, wait_s=wait_s)
    for handle in handles:
        os.close(handle)


def _await_all(handles: list[int], *, wait_s: float) -> None:
    poll = select.poll()
    waiting = set(handles)
    for handle in waiting:
        poll.register(handle, select.POLLIN)
    until = time.monotonic() + wait_s
    while waiting and (left := until - time.monotonic()) > 0:
        for handle, _ in poll.poll(left * 1000):
            poll.unregister(handle)
            waiting.discard(handle)


@dataclass(frozen=True, slots=True)
class Usage:
    """What processes use: ``cpu_s`` seconds of CPU time so far, ``rss`` and ``shared`` bytes of memory."""

    cpu_s: float = 0.0
    rss: int = 0
    shared: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(self.cpu_s + other.cpu_s, self.rss + other.rss, self.shared + other.shared)


def usage(pid: int, *, proc: Path = PROC) -> Usage:
    """The use of one process and of those of its children that it has waited for; nothing for one that is gone.

    Fields 14 to 17 of proc_pid_stat(5), proc_pid_statm(5).
    """
    try:
        times = (proc / str(pid) / "stat").read_text().rpartition(")")[2].split()[11:15]
        _, resident, shared, *_ = (proc / str(pid) / "statm").read_text().split()
    except (OSError, ValueError):
        return Usage()
    return Usage(sum(map(int, times)) / _TICKS, int(resident) * _PAGE, int(shared) * _PAGE)


def _environ(path: str) -> bytes:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        found = b""
        while chunk := os.read(handle, 65536):
            found += chunk
        return found
    except OSError:
        return b""
    finally:
        os.close(handle)
