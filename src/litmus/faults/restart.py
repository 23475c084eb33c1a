"""The restart of a node: by its systemd where it has one, else by reboot(2). Nothing to undo: it comes back by itself.

It refuses, before anything is touched, a machine that is not the one which is meant, or that serves several nodes:

* ``boot_id`` is what the node reports in its status; another one here means that it was restarted since, so that a
  helper that is started again by the kubelet after the restart never restarts the node once more;
* several kubelets on the host mean several nodes, and all of them would go down.
"""

import ctypes
import os
from dataclasses import dataclass

from . import daemons, systemd
from .contract import FaultError, Plan, Proof, Undo

_RESTART = 0x01234567  # LINUX_REBOOT_CMD_RESTART, reboot(2)


@dataclass(slots=True, kw_only=True)
class Restart:
    """``boot_id``: what ``node`` reports in status.nodeInfo.bootID."""

    fault_id: str
    node: str
    boot_id: str
    _asked: str = ""

    def plan(self) -> Plan:
        """Raises FaultError when this is not the machine of that node and of no other."""
        here = daemons.boot_id()
        if not self.boot_id or here != self.boot_id.lower():
            raise FaultError(
                f"node {self.node} reports boot id {self.boot_id or 'none'}, this machine has {here}: it is another "
                "one, or was restarted meanwhile; nothing was restarted"
            )
        kubelets = daemons.kubelets()
        if len(kubelets) > 1:
            names = ", ".join(daemon.option("hostname-override") or f"pid {daemon.pid}" for daemon in kubelets)
            raise FaultError(f"this machine serves several nodes ({names}); restarting it would take all of them down")
        daemons.kubelet_of(self.node)
        return Plan(
            changes=f"node {self.node} restarts by {self._way()}",
            capabilities=("SYS_ADMIN", "SYS_BOOT", "SYS_CHROOT", "SYS_PTRACE"),
        )

    def inject(self) -> None:
        """Raises FaultError when it is refused; where reboot(2) works it does not return."""
        self.plan()
        self._asked = self._way()
        os.sync()
        if systemd.runs_host():
            systemd.systemctl("--no-block", "reboot")
        else:
            _reboot()

    def prove(self) -> Proof:
        """That it was asked for. The proof is another boot id, which only somebody outside can see."""
        said = f"{self._asked} accepted it" if self._asked else "nobody asked for it"
        return Proof(asked=f"node {self.node} restarts", delivered=said, holds=bool(self._asked))

    def tend(self) -> None:
        """There is nothing to look after."""

    @staticmethod
    def revert(undo: Undo) -> None:
        """A restart can't be undone and need not be."""

    @staticmethod
    def leftovers(undo: Undo) -> str:
        return ""

    def _way(self) -> str:
        return "systemctl reboot" if systemd.runs_host() else "reboot(2)"


def _reboot() -> None:
    """At once: file systems are synchronised before, and nothing else is asked."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.reboot(_RESTART):
        number = ctypes.get_errno()
        raise FaultError(f"reboot(2): {os.strerror(number)}; the helper pod needs the capability SYS_BOOT and hostPID")
