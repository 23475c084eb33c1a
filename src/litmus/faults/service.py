"""A node's kubelet or container runtime is out of service: its unit stopped, or its process held still.

Where the process is the main one of a systemd unit, ``systemctl stop`` and later ``start``, with the sockets that would
start it again and the units that go down with it. Elsewhere it is held by a tracer (see ``tracing``): a killed process
would come back by itself, or never. It refuses to touch what it can't tell apart (see ``daemons``), and what somebody
else has frozen or stopped.

Nobody can be sent to a node whose kubelet or runtime is out, so both ways end without us, too: the kernel lets go of
the process when the helper dies, and a timer of systemd starts the units when their time is over.
"""

import os
import time
from dataclasses import dataclass, field
from typing import Any

from . import daemons, processes, systemd, tracing
from .contract import FaultError, Plan, Proof, Undo

# How long the threads of a process may take to go on when their tracer is dead, in seconds.
_PATIENCE_S = 3.0
_LOOK_EVERY_S = 0.02
# How much later than its time the timer of systemd ends the fault: the helper is first, its guardian second.
_TIMER_LATE_S = 3.5


@dataclass(slots=True, kw_only=True)
class Service:
    """``service`` of ``node``: kubelet, or docker, containerd, crio for the container runtime, whichever it is.

    ``hold_s``: how long it is out, in seconds; the timer of systemd goes by it.
    """

    fault_id: str
    service: str
    node: str
    hold_s: float
    _undo: dict[str, Any] = field(default_factory=dict)

    def plan(self) -> Plan:
        """Raises FaultError when it can't be told which process is meant, or when that one is already frozen."""
        daemon = daemons.of_node(self.service, self.node)
        known = {"kind": "service", "fault_id": self.fault_id, "node": self.node, "name": daemon.name}
        unit = _unit(daemon)
        if unit:
            # The sockets first: else a call would start the service again between the two.
            units = [*systemd.stopped_with(unit), unit]
            self._undo = known | {"how": "unit", "unit": unit, "units": units, "timers": list(self._timers)}
            return Plan(
                changes=f"systemctl stop {' '.join(units)} on node {self.node}",
                undo=dict(self._undo),
                capabilities=("SYS_ADMIN", "SYS_CHROOT", "SYS_PTRACE"),
            )
        _refuse_disturbed(daemon, self.node)
        process = {"pid": daemon.pid, "started": daemon.started, "boot": daemons.boot_id(), "tracer": os.getpid()}
        self._undo = known | {"how": "held", **process}
        return Plan(
            changes=f"ptrace(2) holds {daemon.name} of node {self.node}, pid {daemon.pid}, still",
            undo=dict(self._undo),
            capabilities=("SYS_PTRACE",),
        )

    def inject(self) -> None:
        undo = self._planned()
        if undo["how"] == "unit":
            self._stop(undo["units"])
        else:
            _hold(undo)

    @property
    def _timers(self) -> tuple[str, str]:
        """For the time while the units are being stopped, and for the time while they are out."""
        return f"litmus-{self.fault_id}-stopping", f"litmus-{self.fault_id}"

    def _stop(self, units: list[str]) -> None:
        """Stops the units; at no time without a timer, and their time out begins when they are."""
        stopping, out = self._timers
        end_s = self.hold_s + _TIMER_LATE_S
        systemd.start_later(units, timer=stopping, after_s=systemd.JOB_DEADLINE_S + end_s)
        systemd.stop(units)
        systemd.start_later(units, timer=out, after_s=end_s)
        systemd.forget(stopping)

    def prove(self) -> Proof:
        """Whether systemd calls the unit inactive, or every thread of the process is held."""
        undo = self._planned()
        if undo["how"] == "unit":
            state = systemd.state(undo["unit"])
            delivered = f"systemd says {undo['unit']} is {state}"
            return Proof(asked=f"{undo['unit']} stopped", delivered=delivered, holds=state in ("inactive", "failed"))
        every, held = tracing.still(undo["pid"], tracer=undo["tracer"])
        return Proof(
            asked=f"{_shown(undo)} held still",
            delivered=f"{held} of its {every} threads are held (state t)",
            holds=_same(undo) and 0 < every == held,
            asked_value=float(every),
            delivered_value=float(held),
            unit="threads",
        )

    def tend(self) -> None:
        """Raises FaultError when somebody else put the service back."""
        undo = self._planned()
        if undo["how"] == "unit":
            if systemd.active(undo["unit"]):
                raise FaultError(f"{undo['unit']} on node {self.node} was started again by somebody else")
        elif not _same(undo):
            raise FaultError(f"{_shown(undo)} was ended by somebody else while it was held")
        elif not _held(undo):
            raise FaultError(f"{_shown(undo)} was let go by somebody else")

    @staticmethod
    def revert(undo: Undo) -> None:
        """Starts the units that were active, or lets the process go if it is still the same one."""
        if undo["how"] == "unit":
            systemd.start(undo["units"])
            for timer in undo["timers"]:
                systemd.forget(timer)
        elif undo["tracer"] == os.getpid():
            tracing.release(undo["pid"])
        elif _held(undo):
            tracing.kill_tracer(undo["pid"], undo["tracer"])
            _await_release(undo)
        if left := Service.leftovers(undo):
            raise FaultError(left)

    @staticmethod
    def leftovers(undo: Undo) -> str:
        if undo["how"] == "unit":
            down = [unit for unit in undo["units"] if not systemd.active(unit)]
            return f"{', '.join(down)} on node {undo['node']} is not active" if down else ""
        return f"{_shown(undo)} is held still" if _held(undo) else ""

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
    process = processes.Process(pid=undo["pid"], parent=0, name=undo["name"], started=undo["started"])
    return same_boot and processes.still_there(process)


def _refuse_disturbed(daemon: daemons.Daemon, node: str) -> None:
    who = f"{daemon.name} of node {node} (pid {daemon.pid})"
    if stopped := tracing.stopped(daemon.pid):
        raise FaultError(
            f"{who} is already frozen, {stopped} of its threads; thaw it first (kill -CONT) or find out who froze it"
        )
    if tracing.traced(daemon.pid):
        raise FaultError(
            f"{who} is already held by another tracer; wait for the experiment or end the debugger that holds it"
        )


def _hold(undo: Undo) -> None:
    try:
        tracing.hold(undo["pid"])
    except ProcessLookupError:
        raise FaultError(f"{_shown(undo)} ended by itself before it could be held") from None
    except PermissionError as error:
        raise FaultError(
            f"{_shown(undo)} may not be held by ptrace(2); the helper pod needs the capability SYS_PTRACE, must not be "
            "confined by AppArmor, and kernel.yama.ptrace_scope must be lower than 3"
        ) from error
    except TimeoutError as error:
        raise FaultError(f"{_shown(undo)}: {error}") from error
    if not _same(undo):  # looked at now, because a process that is held keeps its pid
        tracing.release(undo["pid"])
        raise FaultError(f"{_shown(undo)} ended by itself before it could be held")


def _held(undo: Undo) -> bool:
    return _same(undo) and tracing.still(undo["pid"], tracer=undo["tracer"])[1] > 0


def _await_release(undo: Undo) -> None:
    """The kernel lets go of it when the tracer is dead, and there is nothing to wait on for another's child."""
    give_up = time.monotonic() + _PATIENCE_S
    while _held(undo) and time.monotonic() < give_up:
        time.sleep(_LOOK_EVERY_S)
