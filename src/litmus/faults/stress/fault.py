"""What cpu, memory and io stress have in common: stress-ng in the target's control groups, its life and its end.

The container's limits, its throttling and the OOM killer then act on the stress as on the application. stress-ng puts
its workers first in line for the OOM killer and starts a killed one again, so pressure at a limit lasts. What is asked
is known when the fault is planned: stress-ng is given plain numbers and never a percentage of something of its own.
"""

import contextlib
import math
import os
import select
import shutil
import signal
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

from .. import accounting, cgroups, marked, processes
from ..contract import FaultError, Plan, Proof, TargetGoneError, Undo
from . import CAPABILITIES, NODE_CAPABILITIES, launch

PROGRAM = "stress-ng"
# How long beyond the fault's own duration stress-ng runs if everything that should end it has died.
_LAST_NET_S = 30
_MAX_STEPS = 5
_POLL_S = 0.05


@dataclass(slots=True, kw_only=True)
class Stress(ABC):
    """Stress on one container; without ``container_id`` in the helper's own groups, for the node.

    ``duration_s``: how long the fault will hold. ``ramp_s``: the load is reached in steps over this many seconds.
    """

    kind: ClassVar[str]

    fault_id: str
    duration_s: float
    container_id: str = ""
    ramp_s: float = 0.0
    _groups: cgroups.Groups | None = None
    _main: processes.Process | None = None
    _main_fd: int = -1
    _children: list[launch.Child] = field(default_factory=list)
    _started: int = 0
    _begun_at: float = 0.0
    _before: accounting.Reading | None = None

    @abstractmethod
    def _size(self) -> str:
        """Works out what is asked from what the target has; in words. Raises FaultError when it makes no sense."""

    @abstractmethod
    def _options(self, step: int, steps: int) -> list[str]:
        """stress-ng's options for one step of several that together are what is asked."""

    @abstractmethod
    def prove(self) -> Proof: ...

    def plan(self) -> Plan:
        if shutil.which(PROGRAM) is None:
            raise FaultError(f"there is no {PROGRAM} here; use the litmus image, which has it")
        self._locate()
        changes = f"{self._size()} in {self._where}"
        return Plan(
            changes=changes, undo=self._undo(), capabilities=CAPABILITIES if self.container_id else NODE_CAPABILITIES
        )

    def inject(self) -> None:
        """Raises FaultError, TargetGoneError. What was started until then has the mark."""
        self._locate()
        self._size()
        if self._main is not None:
            self._main_fd = self._hold(self._main)
        self._before = accounting.read(self._own_groups)
        self._begun_at = time.monotonic()
        self._start_due()

    def tend(self) -> None:
        """Raises TargetGoneError when the main process ended, FaultError when stress-ng did; takes the next step."""
        if self._main_ended():
            words = self._oom_words()
            # At once: what is in a dead container's control groups keeps it from being removed.
            self.revert(self._undo())
            raise TargetGoneError(f"the main process of {self._where} ended under {self.kind}{words}")
        for child in [child for child in self._children if child.ended()]:
            self._children.remove(child)
            said, status = child.said(), child.status
            child.close()
            if status != -signal.SIGKILL or not self._oom_kills():
                raise FaultError(f"{PROGRAM} ended early with status {status}: {said or 'it does not say why'}")
            # stress-ng starts a killed worker again by itself, but it was the one that was killed.
            self._started -= 1
        self._start_due()

    @staticmethod
    def revert(undo: Undo) -> None:
        marked.end(str(undo["fault_id"]))

    @staticmethod
    def leftovers(undo: Undo) -> str:
        return _still_running(str(undo["fault_id"]))

    def _undo(self) -> dict[str, object]:
        return {"kind": self.kind, "fault_id": self.fault_id, "container_id": self.container_id}

    @property
    def _where(self) -> str:
        return f"container {processes.bare_id(self.container_id)[:12]}" if self.container_id else "the node"

    @property
    def _own_groups(self) -> cgroups.Groups:
        if self._groups is None:
            raise FaultError("the stress was not planned")
        return self._groups

    @property
    def _steps(self) -> int:
        return max(1, min(_MAX_STEPS, self._divisible, math.ceil(self.ramp_s)))

    @property
    def _divisible(self) -> int:
        """Into how many steps the load can be divided."""
        return _MAX_STEPS

    @property
    def _share(self) -> float:
        """How much of what is asked has been started, from 0 to 1."""
        return self._started / self._steps

    def _locate(self) -> None:
        """Raises FaultError when the container runs nothing here, TargetGoneError when it was replaced meanwhile."""
        pid = os.getpid()
        if self.container_id:
            found = processes.main_process(self.container_id)
            if found is None:
                raise FaultError(f"{self._where} runs no process on this node; it ended, or the pod lacks hostPID")
            if self._main is not None and found != self._main:
                raise TargetGoneError(f"the main process of {self._where} was replaced before the stress began")
            self._main, pid = found, found.pid
        self._groups = cgroups.of_process(pid)

    def _hold(self, main: processes.Process) -> int:
        """A pidfd of the main process, which can't come to mean another one."""
        try:
            pidfd = os.pidfd_open(main.pid)
        except ProcessLookupError as error:
            raise TargetGoneError(f"the main process of {self._where} has ended") from error
        if processes.main_process(self.container_id) != main:
            os.close(pidfd)
            raise TargetGoneError(f"the main process of {self._where} was replaced before the stress began")
        return pidfd

    def _main_ended(self) -> bool:
        return self._main_fd >= 0 and _readable(self._main_fd)

    def _start_due(self) -> None:
        """The first step at once, the others evenly over ``ramp_s``."""
        elapsed = time.monotonic() - self._begun_at
        due = 1 + int(elapsed / self.ramp_s * self._steps) if self.ramp_s > 0 else 1
        while self._started < min(due, self._steps):
            left_s = max(1.0, self.duration_s - elapsed) + _LAST_NET_S
            options = self._options(self._started, self._steps)
            # The workers' own names would overwrite the mark in their environment.
            command = [PROGRAM, *options, "--keep-name", "--timeout", f"{math.ceil(left_s)}s"]
            folder = self._open_folder()
            try:
                groups = self._own_groups if self.container_id else None
                self._children.append(launch.start(command, fault_id=self.fault_id, groups=groups, folder=folder))
            finally:
                os.close(folder)
            self._started += 1

    def _open_folder(self) -> int:
        """stress-ng does not start where it can't write."""
        return os.open(tempfile.gettempdir(), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def _until(self, condition: Callable[[], bool], deadline_s: float) -> bool:
        """Whether the condition came true in time. A child that ends, ends the wait: nothing will come of it."""
        give_up = time.monotonic() + deadline_s
        while not condition():
            left_s = give_up - time.monotonic()
            if left_s <= 0:
                return False
            if self._children and self._children[0].ended(min(_POLL_S, left_s)):
                return condition()
        return True

    def _failure(self) -> str:
        """Why a child that should run does not, '' when all do."""
        ended = [child for child in self._children if child.ended()]
        if not ended:
            return ""
        return f"{PROGRAM} ended with status {ended[0].status}: {ended[0].said() or 'it does not say why'}"

    def _oom_kills(self) -> int:
        """How often the OOM killer has struck in the target since the injection."""
        with contextlib.suppress(TargetGoneError):
            if self._before is not None:
                return accounting.read(self._own_groups).oom_kills - self._before.oom_kills
        return 0

    def _oom_words(self) -> str:
        kills = self._oom_kills()
        return f"; the kernel's OOM killer had struck {kills} times in it" if kills else ""


def _readable(descriptor: int) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))


def _still_running(fault_id: str) -> str:
    pids = marked.find(fault_id)
    return f"processes of {PROGRAM} still run: {', '.join(map(str, pids))}" if pids else ""
