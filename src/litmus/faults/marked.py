"""The processes of a fault, found on the host by the mark in their environment, whoever started them.

The mark lives as long as the process (proc_pid_environ(5)), passes on to its children, and needs no record that a crash
could lose.
"""

import os
import select
import signal
import time

from . import processes
from .contract import MARK, FaultError

_END_DEADLINE_S = 10.0


def find(fault_id: str) -> list[int]:
    """The pids of all processes with the fault's mark. A zombie has no environment and is not among them."""
    wanted = f"{MARK}={fault_id}".encode()
    found = []
    for entry in processes.PROC.iterdir():
        if not entry.name.isdigit():
            continue
        try:
            environment = (entry / "environ").read_bytes()
        except OSError:
            continue  # it ended, or it is not ours to read and so not ours
        if wanted in environment.split(b"\0"):
            found.append(int(entry.name))
    return sorted(found)


def end(fault_id: str, *, deadline_s: float = _END_DEADLINE_S) -> None:
    """Kills all processes with the mark and waits until the last one has ended, also those that are forked meanwhile.

    Raises FaultError when one outlives the deadline.
    """
    give_up = time.monotonic() + deadline_s
    while pids := find(fault_id):
        if time.monotonic() >= give_up:
            raise FaultError(f"processes {', '.join(map(str, pids))} of {fault_id} do not end after SIGKILL")
        _kill(pids, fault_id, give_up)


def _kill(pids: list[int], fault_id: str, give_up: float) -> None:
    """Through pidfds, which can't come to mean another process; the mark is looked at again once they are open."""
    opened: dict[int, int] = {}
    try:
        for pid in pids:
            try:
                opened[pid] = os.pidfd_open(pid)
            except ProcessLookupError:
                continue
        still = set(find(fault_id))
        killed = {pid: pidfd for pid, pidfd in opened.items() if pid in still and _signal(pidfd)}
        for pid, pidfd in killed.items():
            poll = select.poll()
            poll.register(pidfd, select.POLLIN)
            if poll.poll(max(0.0, give_up - time.monotonic()) * 1000):
                _reap(pid)
    finally:
        for pidfd in opened.values():
            os.close(pidfd)


def _signal(pidfd: int) -> bool:
    try:
        signal.pidfd_send_signal(pidfd, signal.SIGKILL)
    except ProcessLookupError:
        return False
    except PermissionError as error:
        raise FaultError("killing a process of the fault is not permitted; the helper pod must run as root") from error
    return True


def _reap(pid: int) -> None:
    """Our own children would stay as zombies; those of others are their parents' to reap."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return
