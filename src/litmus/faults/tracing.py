"""Holding a process still by ptrace(2), so that it goes on by itself when whoever holds it dies.

A process that is stopped by SIGSTOP stays stopped if nobody is left to send SIGCONT. One that is stopped by a tracer is
let go by the kernel when the tracer ends, however it ends. That is what a fault needs after which no helper can be sent
to the node any more.

Only the thread that holds a process can let it go; from anywhere else it takes the end of that thread's process.
"""

import contextlib
import ctypes
import os
import signal
import time
from collections.abc import Set

from . import processes

# How long the threads of a process may take to stand still, in seconds.
PATIENCE_S = 3.0
_LOOK_EVERY_S = 0.002
# linux/ptrace.h
_CONT, _DETACH, _SEIZE, _INTERRUPT = 7, 17, 0x4206, 0x4207
_EVENT_STOP = 128
# linux/wait.h: also threads, which are no children (waitpid(2))
_WALL = 0x40000000

_ptrace = ctypes.CDLL(None, use_errno=True).ptrace
_ptrace.argtypes = [ctypes.c_long, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p]
_ptrace.restype = ctypes.c_long


def hold(pid: int) -> None:
    """Returns when every thread stands still.

    Raises PermissionError when it may not be held (another tracer has it, or a right is missing), ProcessLookupError
    when it has ended, and TimeoutError when a thread does not stop in time; then none is held.
    """
    held: set[int] = set()
    try:
        # A thread that was not held yet may have made another one.
        while new := _threads(pid) - held:
            held |= new
            _stop({tid for tid in new if _seized(tid)})
        if not held:
            raise ProcessLookupError(pid)
    except BaseException:
        release(pid)
        raise


def release(pid: int) -> None:
    """Lets go what this thread holds of a process. One that was killed meanwhile is over for its parent only now."""
    left, give_up = _threads(pid), time.monotonic() + PATIENCE_S
    while left and time.monotonic() < give_up:
        # The first thread, first: what the process got meanwhile may end it as soon as one thread goes on.
        left = {tid for tid in sorted(left, key=lambda tid: tid != pid) if not _let_go(tid)}
        if left:
            time.sleep(_LOOK_EVERY_S)


def still(pid: int, *, tracer: int) -> tuple[int, int]:
    """How many threads a process has, and how many of them this tracer holds still."""
    threads = _statuses(pid)
    return len(threads), threads.count(("t", tracer))


def stopped(pid: int) -> int:
    """Threads that a signal has stopped."""
    return sum(state == "T" for state, _ in _statuses(pid))


def traced(pid: int) -> bool:
    """Whether anybody traces it, still or not."""
    return any(by for _, by in _statuses(pid))


def kill_tracer(pid: int, tracer: int) -> None:
    """Ends the process that holds another one still, if it does."""
    try:
        # Held open before it is looked at, so that the pid can't change its meaning in between.
        held = os.pidfd_open(tracer)
    except ProcessLookupError:
        return
    try:
        if still(pid, tracer=tracer)[1]:
            signal.pidfd_send_signal(held, signal.SIGKILL)
    except ProcessLookupError:
        return
    finally:
        os.close(held)


def _seized(tid: int) -> bool:
    try:
        _call(_SEIZE, tid)
        _call(_INTERRUPT, tid)
    except ProcessLookupError:
        return False  # it has ended
    return True


def _stop(threads: Set[int]) -> None:
    """Waits until each thread stands still because of us and not because of a signal, which it gets first."""
    moving, give_up = set(threads), time.monotonic() + PATIENCE_S
    while moving:
        moving = {tid for tid in moving if not _stands(tid)}
        if moving and time.monotonic() > give_up:
            raise TimeoutError(f"{len(moving)} of its threads can't be stopped: they wait in the kernel")
        if moving:
            time.sleep(_LOOK_EVERY_S)


def _stands(tid: int) -> bool:
    try:
        found, status = os.waitpid(tid, os.WNOHANG | _WALL)
    except ChildProcessError:
        return True  # it has ended, and somebody else knows
    if not found:
        return False
    if os.WIFSTOPPED(status) and status >> 16 != _EVENT_STOP:
        with contextlib.suppress(ProcessLookupError):  # killed meanwhile: the next look tells
            _call(_CONT, tid, os.WSTOPSIG(status))
        return False
    return True


def _let_go(tid: int) -> bool:
    """Whether it is ours no more. A thread that moves can't be let go, and one that was killed is to be waited for."""
    with contextlib.suppress(ProcessLookupError):
        _call(_DETACH, tid)
        return True
    try:
        found, status = os.waitpid(tid, os.WNOHANG | _WALL)
    except ChildProcessError:
        return True
    if found and os.WIFSTOPPED(status):
        with contextlib.suppress(ProcessLookupError):
            _call(_DETACH, tid, 0 if status >> 16 == _EVENT_STOP else os.WSTOPSIG(status))
    return bool(found)


def _call(request: int, tid: int, data: int = 0) -> None:
    if _ptrace(request, tid, None, data or None) == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _threads(pid: int) -> set[int]:
    try:
        return {int(entry.name) for entry in (processes.PROC / str(pid) / "task").iterdir()}
    except OSError:
        return set()  # it has ended


def _statuses(pid: int) -> list[tuple[str, int]]:
    """The state of each thread and its tracer, 0 if it has none (proc(5))."""
    found = []
    for tid in _threads(pid):
        try:
            text = (processes.PROC / str(pid) / "task" / str(tid) / "status").read_text()
        except OSError:
            continue  # it has ended
        fields = dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)
        found.append((fields["State"][0], int(fields["TracerPid"])))
    return found
