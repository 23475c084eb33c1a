"""Entering the namespaces of a process (setns(2)), for this thread and whatever it starts meanwhile.

The helper needs the capabilities SYS_ADMIN, to enter, and SYS_PTRACE, to open another user's ``/proc/<pid>/ns``.
"""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager

from . import processes
from .contract import FaultError, TargetGoneError

CLONE_NEWCGROUP = 0x02000000
CLONE_NEWNET = 0x40000000


@contextmanager
def network_of(pid: int) -> Iterator[None]:
    """The network namespace of a process for the length of a block: sockets, ``tc`` and ``iptables`` act there.

    Raises TargetGoneError when the process has ended, FaultError when it may not be entered.
    """
    theirs = _open(f"{processes.PROC}/{pid}/ns/net", pid)
    ours = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        _enter(theirs, CLONE_NEWNET)
        try:
            yield
        finally:
            _enter(ours, CLONE_NEWNET)
    finally:
        os.close(theirs)
        os.close(ours)


@contextmanager
def fresh_network() -> Iterator[None]:
    """An empty network namespace for the length of a block, to try things in; it ends with the block."""
    ours = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(CLONE_NEWNET):
            number = ctypes.get_errno()
            raise FaultError(f"unshare: {os.strerror(number)}; the helper pod needs the capability SYS_ADMIN")
        try:
            yield
        finally:
            _enter(ours, CLONE_NEWNET)
    finally:
        os.close(ours)


def join_host_cgroup_namespace() -> None:
    """For good. Control groups outside of one's own namespace can't be joined where they are mounted ``nsdelegate``."""
    host = _open(f"{processes.PROC}/1/ns/cgroup", 1)
    try:
        _enter(host, CLONE_NEWCGROUP)
    finally:
        os.close(host)


def _open(path: str, pid: int) -> int:
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except (FileNotFoundError, ProcessLookupError) as error:
        raise TargetGoneError(f"process {pid} has ended") from error
    except PermissionError as error:
        raise FaultError(f"{path} may not be opened; the helper pod needs the capability SYS_PTRACE") from error


def _enter(namespace: int, kind: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(namespace, kind):
        number = ctypes.get_errno()
        raise FaultError(f"setns: {os.strerror(number)}; the helper pod needs the capability SYS_ADMIN")
