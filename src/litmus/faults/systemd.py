"""Units of the host's systemd, by its own ``systemctl`` and ``systemd-run``, which run in the host's mount namespace.

The helper needs the capabilities SYS_ADMIN and SYS_CHROOT (setns(2) into a mount namespace) and SYS_PTRACE (to open
another process's ``/proc/<pid>/ns``).
"""

import ctypes
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from . import processes, subprocesses
from .contract import FaultError

# Process 1 of the host: the helper pod shares the host's process namespace.
INIT = 1
# What systemd itself gives a unit to stop (DefaultTimeoutStopSec, systemd-system.conf(5)), and a little.
JOB_DEADLINE_S = 95.0
# The units that go down together with one, and those whose sockets and timers would start it again (systemd.unit(5)).
_DRAGGED = ("RequiredBy", "BoundBy", "ConsistsOf")
_TRIGGERS = ("TriggeredBy",)
_CLONE_NEWNS = 0x00020000


def runs_host(*, proc: Path = processes.PROC) -> bool:
    """Whether the host's process 1 is systemd."""
    try:
        return (proc / str(INIT) / "comm").read_text().strip() == "systemd"
    except OSError:
        return False


def unit_of(pid: int, *, proc: Path = processes.PROC) -> str:
    """The service whose control group a process is in, '' if it is in none: ``…/system.slice/kubelet.service``."""
    try:
        lines = (proc / str(pid) / "cgroup").read_text().splitlines()
    except OSError:
        return ""
    names = {line.rpartition("/")[2] for line in lines}
    return next((name for name in sorted(names) if name.endswith(".service")), "")


def main_pid(unit: str) -> int:
    """The process that systemd takes for the service itself; 0 when there is none."""
    return int(_show(unit, "MainPID")["MainPID"] or 0)


def state(unit: str) -> str:
    """``active``, ``inactive``, ``failed``, ``activating``, ``deactivating`` or ``reloading``."""
    return _show(unit, "ActiveState")["ActiveState"]


def active(unit: str) -> bool:
    """Whether it runs, or is on its way to."""
    return state(unit) in ("active", "activating", "reloading")


def stopped_with(unit: str) -> list[str]:
    """The active units that must be stopped with one, or go down with it, sockets and the like first."""
    properties = _show(unit, *_TRIGGERS, *_DRAGGED)
    found = [name for key in (*_TRIGGERS, *_DRAGGED) for name in properties[key].split()]
    # A target only groups others: it is not what serves, and starting it could start anything.
    return [name for name in dict.fromkeys(found) if not name.endswith(".target") and active(name)]


def stop(units: Sequence[str]) -> None:
    """Raises FaultError with systemd's own words."""
    systemctl("stop", *units, deadline_s=JOB_DEADLINE_S)


def start(units: Sequence[str]) -> None:
    """Raises FaultError with systemd's own words."""
    systemctl("start", *units, deadline_s=JOB_DEADLINE_S)


def start_later(units: Sequence[str], *, timer: str, after_s: float) -> None:
    """Has systemd itself start the units after so many seconds, whoever is left then. ``timer``: a name for ``forget``.

    Raises FaultError with systemd's own words.
    """
    when = (f"--on-active={after_s:g}s", "--timer-property=AccuracySec=100ms")
    _host("systemd-run", "--quiet", "--collect", f"--unit={timer}", *when, "systemctl", "start", *units)


def forget(timer: str) -> None:
    """Calls a timer of ``start_later`` off; one that has run is gone already."""
    unit = f"{timer}.timer"
    if active(unit):
        systemctl("stop", unit)


def systemctl(*arguments: str, deadline_s: float = subprocesses.DEADLINE_S) -> str:
    """Standard output of the host's ``systemctl``."""
    return _host("systemctl", *arguments, deadline_s=deadline_s)


def _host(*command: str, deadline_s: float = subprocesses.DEADLINE_S) -> str:
    with _entering_host() as enter:
        return subprocesses.run(command, deadline_s=deadline_s, before=enter)


def _show(unit: str, *properties: str) -> dict[str, str]:
    text = systemctl("show", f"--property={','.join(properties)}", unit)
    found = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    return {name: found.get(name, "") for name in properties}


@contextmanager
def _entering_host() -> Iterator[Callable[[], None]]:
    """What a new process does ahead of its program, so that program, libraries and sockets are the host's."""
    path = f"{processes.PROC}/{INIT}/ns/mnt"
    try:
        namespace = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise FaultError(
            f"{path} can't be opened ({error.strerror}); the helper pod needs hostPID and the capability SYS_PTRACE"
        ) from error
    libc = ctypes.CDLL(None, use_errno=True)

    def enter() -> None:
        if libc.setns(namespace, _CLONE_NEWNS):
            os.write(2, f"setns: {os.strerror(ctypes.get_errno())}; needs SYS_ADMIN and SYS_CHROOT\n".encode())
            os._exit(126)

    try:
        yield enter
    finally:
        os.close(namespace)
