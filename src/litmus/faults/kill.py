"""A signal to the main process of a container. Nothing to undo: the kubelet starts the container again.

Signals that freeze a process are refused, because a frozen process would have to be thawed (service stop does that).
"""

import os
import select
import signal
import time
from dataclasses import dataclass

from . import processes
from .contract import FaultError, Plan, Proof, Undo

FREEZING = frozenset({"SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU"})
# Their default action is to be ignored (signal(7)), so they prove nothing but that a signal was sent.
HARMLESS = frozenset({"SIGCHLD", "SIGCLD", "SIGCONT", "SIGURG", "SIGWINCH"})


def signal_number(name: str) -> signal.Signals:
    """``SIGKILL``, ``KILL`` or ``9``. Raises ValueError with what is allowed."""
    word = name.strip().upper()
    try:
        found = signal.Signals(int(word)) if word.isdecimal() else signal.Signals[f"SIG{word.removeprefix('SIG')}"]
    except (KeyError, ValueError):
        raise ValueError(f"{name!r} is no signal; for instance SIGKILL, SIGTERM or SIGINT") from None
    if found.name in FREEZING:
        raise ValueError(f"{found.name} freezes a process instead of ending it; use SIGKILL or SIGTERM")
    if found.name in HARMLESS:
        raise ValueError(f"{found.name} ends no process; use SIGKILL or SIGTERM")
    return found


@dataclass(slots=True, kw_only=True)
class Kill:
    """Signals one container's main process and watches it end.

    ``patience_s``: how long the process may take to end, in seconds (a graceful stop takes its time).
    """

    container_id: str
    signal: str = "SIGKILL"
    patience_s: float = 10.0
    _pidfd: int = -1
    _sent_at: float = 0.0
    _process: processes.Process | None = None

    def plan(self) -> Plan:
        target = self._find()
        return Plan(changes=f"{self.signal} to pid {target.pid} ({target.name})", capabilities=("KILL",))

    def inject(self) -> None:
        """Raises FaultError when the container runs no process here or may not be signalled."""
        target = self._find()
        try:
            # A pidfd can't come to mean another process, as a pid can, and tells when its process ends.
            self._pidfd = os.pidfd_open(target.pid)
            self._confirm(target)
            self._sent_at = time.monotonic()
            signal.pidfd_send_signal(self._pidfd, signal_number(self.signal))
        except FaultError:
            self._let_go()
            raise
        except ProcessLookupError as error:
            self._let_go()
            raise FaultError(f"process {target.pid} of container {self._short} ended by itself") from error
        except PermissionError as error:
            self._let_go()
            raise FaultError(
                f"signalling process {target.pid} is not permitted; the helper pod needs the capability KILL"
            ) from error

    def prove(self) -> Proof:
        """Whether the process ended, and after how many seconds."""
        if self._pidfd < 0:
            return Proof(asked=f"{self.signal} ends the process", delivered="no signal was sent", holds=False)
        poll = select.poll()
        poll.register(self._pidfd, select.POLLIN)
        ended = bool(poll.poll(max(0.0, self._sent_at + self.patience_s - time.monotonic()) * 1000))
        self._let_go()
        took = time.monotonic() - self._sent_at
        name = self._process.name if self._process else ""
        delivered = (
            f"pid {self._pid} ({name}) ended after {took:.2f} s"
            if ended
            else f"pid {self._pid} ({name}) still runs after {took:.1f} s: it ignores or handles {self.signal}"
        )
        return Proof(asked=f"{self.signal} ends the process", delivered=delivered, holds=ended)

    def tend(self) -> None:
        """A kill is over at once."""

    @staticmethod
    def revert(undo: Undo) -> None:
        """Nothing was changed that outlives the process."""

    @staticmethod
    def leftovers(undo: Undo) -> str:
        return ""

    def _let_go(self) -> None:
        """Without the pidfd there is nothing to prove: a signal that was refused was not delivered."""
        if self._pidfd >= 0:
            os.close(self._pidfd)
        self._pidfd = -1

    @property
    def _pid(self) -> int:
        return self._process.pid if self._process else 0

    @property
    def _short(self) -> str:
        return processes.bare_id(self.container_id)[:12]

    def _find(self) -> processes.Process:
        self._process = processes.main_process(self.container_id)
        if self._process is None:
            raise FaultError(
                f"container {self._short} runs no process on this node; it ended, or the pod lacks hostPID"
            )
        return self._process

    def _confirm(self, target: processes.Process) -> None:
        """The pid that we hold open is still the container's, so nothing else can be hit."""
        if processes.main_process(self.container_id) != target:
            raise FaultError(f"process {target.pid} of container {self._short} was replaced while we looked")
