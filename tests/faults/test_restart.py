"""What is refused and what would be called; nothing is ever restarted here, and nothing could be (see ``never``)."""

import ctypes
import os

import pytest

from litmus.faults import daemons, restart, systemd
from litmus.faults.contract import FaultError

BOOT = "1dfef02e-b64a-4a20-a5c1-ce105a76f03e"


@pytest.fixture(autouse=True)
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every way to restart a machine notes that it was asked for, and does nothing."""
    made: list[str] = []

    class Never:
        def reboot(self, command: int) -> int:
            made.append(f"reboot({command:#x})")
            return 0

    def systemctl(*arguments: str, **_: object) -> str:
        made.append(" ".join(arguments))
        return ""

    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: Never())
    monkeypatch.setattr(systemd, "systemctl", systemctl)
    monkeypatch.setattr(os, "sync", lambda: made.append("sync"))
    return made


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> list[daemons.Daemon]:
    """A machine with the kubelet of netem1, without systemd."""
    kubelets = [daemons.Daemon(800, 80000, "kubelet", ("kubelet", "--hostname-override=netem1"))]
    monkeypatch.setattr(daemons, "boot_id", lambda: BOOT)
    monkeypatch.setattr(daemons, "kubelets", lambda **_: kubelets)
    monkeypatch.setattr(systemd, "runs_host", lambda: False)
    return kubelets


def make(**changes: str) -> restart.Restart:
    return restart.Restart(**({"fault_id": "f-1", "node": "netem1", "boot_id": BOOT} | changes))


def test_planning_restarts_nothing(machine, calls):
    plan = make().plan()
    assert plan.changes == "node netem1 restarts by reboot(2)"
    assert plan.undo == {"kind": "none"}
    assert calls == []
    proof = make().prove()
    assert (proof.holds, proof.delivered) == (False, "nobody asked for it")


def test_without_systemd_the_kernel_is_asked_after_a_sync(machine, calls):
    fault = make()
    fault.inject()
    assert calls == ["sync", "reboot(0x1234567)"]
    assert fault.prove().holds
    fault.tend()
    restart.Restart.revert({})
    assert restart.Restart.leftovers({}) == ""


def test_with_systemd_its_services_are_stopped_properly(machine, calls, monkeypatch):
    monkeypatch.setattr(systemd, "runs_host", lambda: True)
    fault = make()
    fault.inject()
    assert calls == ["sync", "--no-block reboot"]
    assert fault.prove().delivered == "systemctl reboot accepted it"


@pytest.mark.parametrize("boot_id", ["", "0a4c9465-33fa-4d55-8277-c8207cb909eb"])
def test_a_machine_with_another_boot_id_than_the_nodes_is_never_restarted(machine, calls, boot_id):
    """A helper that the kubelet starts again after the restart would else restart the node for ever."""
    fault = make(boot_id=boot_id)
    for step in (fault.plan, fault.inject):
        with pytest.raises(FaultError, match=r"it is another one, or was restarted meanwhile; nothing was restarted"):
            step()
    assert calls == []


def test_a_machine_that_serves_several_nodes_is_never_restarted(machine, calls):
    machine.append(daemons.Daemon(900, 90000, "kubelet", ("kubelet", "--hostname-override=node2")))
    fault = make()
    for step in (fault.plan, fault.inject):
        with pytest.raises(FaultError, match=r"serves several nodes \(netem1, node2\); restarting it would take all"):
            step()
    assert calls == []


def test_a_machine_that_serves_another_node_or_none_is_never_restarted(machine, calls):
    with pytest.raises(FaultError, match="the kubelet of node node9 can't be told"):
        make(node="node9").inject()
    machine.clear()
    with pytest.raises(FaultError, match="no kubelet process of node netem1"):
        make().inject()
    assert calls == []
