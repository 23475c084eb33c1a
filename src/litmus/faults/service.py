"""A node's kubelet or container runtime is out of service: its unit stopped, or its process frozen.

Where the process is the main one of a systemd unit, ``systemctl stop`` and later ``start``, with the sockets that would
start it again and the units that go down with it. Elsewhere SIGSTOP and SIGCONT: a killed process would come back by
itself, or never. It refuses to touch what it can't tell apart (see ``daemons``), and what is already frozen or stopped.
"""

import os
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import daemons, processes, systemd
from .contract import FaultError, Plan, Proof, Undo

# How long a stopped or thawed process may take until its threads say so, in seconds.
PATIENCE_S = 3.0
_LOOK_EVERY_S = 0.02


@dataclass(slots=True, kw_only=True)
class Service:
    """``service`` of ``node``: kubelet, or docker, containerd, crio for the container runtime, whichever it is."""

    fault_id: str
    service: str
    node: str
    _undo: dict[str, Any] = field(default_factory=dict)

    def plan(self) -> Plan:
        """Raises FaultError when it can't be told which process is meant, or when that one is already frozen."""
        daemon = daemons.of_node(self.service, self.node)
        known = {"kind": "service", "fault_id": self.fault_id, "node": self.node, "name": daemon.name}
        unit = _unit(daemon)
        if unit:
            # The sockets first: else a call would start the service again between the two.
            units = [*systemd.stopped_with(unit), unit]
            self._undo = known | {"how": "unit", "unit": unit, "units": units}
            return Plan(
                changes=f"systemctl stop {' '.join(units)} on node {self.node}",
                undo=dict(self._undo),
                capabilities=("SYS_ADMIN", "SYS_CHROOT", "SYS_PTRACE"),
            )
        if frozen := _frozen_threads(daemon.pid):
            raise FaultError(
                f"{daemon.name} of node {self.node} (pid {daemon.pid}) is already frozen, {frozen} of its threads; "
                "thaw it first (kill -CONT) or wait for the experiment that froze it"
            )
        process = {"how": "frozen", "pid": daemon.pid, "started": daemon.started, "boot": daemons.boot_id()}
        self._undo = known | process
        return Plan(
            changes=f"SIGSTOP to {daemon.name} of node {self.node}, pid {daemon.pid}",
            undo=dict(self._undo),
            capabilities=("KILL", "SYS_PTRACE"),
        )

    def inject(self) -> None:
        undo = self._planned()
        if undo["how"] == "unit":
            systemd.stop(undo["units"])
        elif not _signal(undo, signal.SIGSTOP):
            raise FaultError(f"{_shown(undo)} ended by itself before it could be frozen")

    def prove(self) -> Proof:
        """Whether systemd calls the unit inactive, or every thread of the process is stopped."""
        undo = self._planned()
        if undo["how"] == "unit":
            state = systemd.state(undo["unit"])
            delivered = f"systemd says {undo['unit']} is {state}"
            return Proof(asked=f"{undo['unit']} stopped", delivered=delivered, holds=state in ("inactive", "failed"))
        asked = f"{_shown(undo)} frozen"
        _wait_until(undo, frozen=True)
        every, stopped = _threads(undo["pid"]), _frozen_threads(undo["pid"])
        holds = _same(undo) and 0 < every == stopped
        return Proof(
            asked=asked,
            delivered=f"{stopped} of its {every} threads are stopped (state T)",
            holds=holds,
            asked_value=float(every),
            delivered_value=float(stopped),
            unit="threads",
        )

    def tend(self) -> None:
        """Raises FaultError when somebody else put the service back."""
        undo = self._planned()
        if undo["how"] == "unit":
            if systemd.active(undo["unit"]):
                raise FaultError(f"{undo['unit']} on node {self.node} was started again by somebody else")
        elif not _same(undo):
            raise FaultError(f"{_shown(undo)} was ended by somebody else while it was frozen")
        elif not _frozen_threads(undo["pid"]):
            raise FaultError(f"{_shown(undo)} was thawed by somebody else")

    @staticmethod
    def revert(undo: Undo) -> None:
        """Starts the units that were active, or thaws the process if it is still the same one."""
        if undo["how"] == "unit":
            systemd.start(undo["units"])
        elif _signal(undo, signal.SIGCONT):
            _wait_until(undo, frozen=False)
        if left := Service.leftovers(undo):
            raise FaultError(left)

    @staticmethod
    def leftovers(undo: Undo) -> str:
        if undo["how"] == "unit":
            down = [unit for unit in undo["units"] if not systemd.active(unit)]
            return f"{', '.join(down)} on node {undo['node']} is not active" if down else ""
        frozen = _frozen_threads(undo["pid"]) if _same(undo) else 0
        return f"{_shown(undo)} is frozen" if frozen else ""

    def _planned(self) -> dict[str, Any]:
        if not self._undo:
            self.plan()
        return self._undo


def _unit(daemon: daemons.Daemon) -> str:
    """The unit that is this process and nothing more, '' if there is none: a kubelet may live in another's unit."""
    if not systemd.runs_host():
        return ""
    unit = systemd.unit_of(daemon.pid)
    return unit if unit and systemd.main_pid(unit) == daemon.pid else ""


def _shown(undo: Undo) -> str:
    return f"{undo['name']} of node {undo['node']} (pid {undo['pid']})"


def _same(undo: Undo) -> bool:
    """Whether the pid still means the process of the recipe: a pid is used again, also after a restart."""
    same_boot: bool = undo["boot"] == daemons.boot_id()
    return same_boot and bool(undo["started"] == daemons.started(undo["pid"]))


def _signal(undo: Undo, number: signal.Signals) -> bool:
    """Sends it to the process of the recipe and to no other; False if that one is gone."""
    try:
        # Held open before it is compared, so that the pid can't change its meaning in between.
        held = os.pidfd_open(undo["pid"])
    except ProcessLookupError:
        return False
    try:
        if not _same(undo):
            return False
        signal.pidfd_send_signal(held, number)
    except ProcessLookupError:
        return False
    except PermissionError as error:
        raise FaultError(
            f"{number.name} to {_shown(undo)} is not permitted; the helper pod needs the capability KILL and must not "
            "be confined by AppArmor"
        ) from error
    finally:
        os.close(held)
    return True


def _wait_until(undo: Undo, *, frozen: bool) -> None:
    """A signal takes effect on each thread when it next runs, and there is nothing to wait on for another's child."""
    give_up = time.monotonic() + PATIENCE_S
    while _same(undo) and time.monotonic() < give_up:
        stopped = _frozen_threads(undo["pid"])
        if stopped == (_threads(undo["pid"]) if frozen else 0):
            return
        time.sleep(_LOOK_EVERY_S)


def _threads(pid: int) -> int:
    return len(_states(pid))


def _frozen_threads(pid: int) -> int:
    """Threads in state T, stopped by a signal; t, stopped by a tracer, is somebody else's."""
    return _states(pid).count("T")


def _states(pid: int) -> list[str]:
    tasks = Path(processes.PROC) / str(pid) / "task"
    try:
        return [state for task in tasks.iterdir() if (state := _state(task))]
    except OSError:
        return []  # the process has ended


def _state(task: Path) -> str:
    try:
        return (task / "stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return ""  # the thread has ended
