"""A network fault as the session has it: planned, injected, proven, looked after and undone by its recipe alone."""

import os
from collections.abc import Iterator
from typing import Any

import pytest

from litmus.faults import namespaces, processes
from litmus.faults.contract import FaultError, TargetGoneError
from litmus.faults.network import destinations, fault, links
from litmus.faults.network.engine import Counters, Scope
from litmus.faults.network.fault import NetworkFault
from tests.faults.network import wire

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")
ID = "ab" * 32
PEER = wire.ADDRESSES[4]["peer"]


class Played:
    """An engine that remembers what it was told, and where."""

    name = "kernel"
    reason = ""
    installed: Any = None
    removed: list[int]
    scopes: list[Scope]

    def unavailable(self) -> str:
        return self.reason

    def recipe(self, scope: Scope, *, fault_id: str) -> dict[str, Any]:
        return {"of": fault_id, "on": scope.interface}

    def install(self, impairment, scope, recipe) -> None:
        type(self).installed = (impairment, scope, recipe)

    def rescope(self, scope: Scope) -> None:
        type(self).scopes.append(scope)

    def counters(self) -> Counters:
        return Counters()

    def check(self) -> None:
        if not self.installed:
            raise FaultError("the qdisc of eth0 is not ours any more")

    @classmethod
    def remove(cls, recipe) -> None:
        cls.removed.append(links.netns_of(os.getpid()) and (processes.PROC / "thread-self/ns/net").stat().st_ino)

    @classmethod
    def leftovers(cls, recipe) -> str:
        return "" if cls.removed else "root qdisc of eth0"


@pytest.fixture
def laid() -> Iterator[wire.Wire]:
    with wire.laid() as made:
        yield made


@pytest.fixture
def target(laid, monkeypatch) -> processes.Process:
    """The container ``ID`` has its main process in the target's end."""
    found = processes._process(processes.PROC / str(laid.target.pid))
    monkeypatch.setattr(processes, "main_process", lambda container_id, **_: found)
    return found


@pytest.fixture
def played(target, monkeypatch) -> type[Played]:
    engine = type("Engine", (Played,), {"removed": [], "scopes": [], "installed": None})
    monkeypatch.setattr(fault, "ENGINES", {"kernel": engine, "userspace": engine})
    return engine


def made(**parameters: Any) -> NetworkFault:
    return NetworkFault(**({"fault_id": "s-0", "container_id": ID, "destinations": [PEER]} | parameters))


def usable() -> str:
    try:
        with namespaces.fresh_network():
            reasons = [engine().unavailable() for engine in fault.ENGINES.values()]
    except FaultError as error:
        return str(error)
    return "" if "" in reasons else "; ".join(reasons)


@pytest.mark.skipif(os.geteuid() != 0 or bool(usable()), reason="no engine works here")
@pytest.mark.parametrize(
    "asked", [{"delay_ms": 100}, {"loss": 50}, {"duplication": 100}, {"corruption": 100}, {"delay_ms": 60_000}]
)
def test_whatever_engine_there_is_delivers_what_was_asked_and_is_undone_by_the_recipe(target, asked):
    one = made(**asked)
    plan = one.plan()
    try:
        one.inject()
        assert NetworkFault.leftovers(plan.undo)
        proof = one.prove()
        one.tend()
    finally:
        NetworkFault.revert(plan.undo)
    NetworkFault.revert(plan.undo)
    assert NetworkFault.leftovers(plan.undo) == ""
    assert proof.holds, proof
    assert plan.undo["engine"] in proof.delivered


def test_the_plan_says_what_is_changed_and_how_it_is_found_again(played, target):
    plan = made(delay_ms=200, jitter_ms=10, ports=[80], direction="both").plan()
    assert plan.changes == (
        "200 ms delay ± 10 ms jitter for outgoing and arriving packets of eth0 (10.99.0.2/32 on ports 80) "
        "by the kernel engine"
    )
    assert plan.undo == {
        "kind": "netem",
        "fault_id": "s-0",
        "container_id": ID,
        "netns": links.netns_of(target.pid),
        "engine": "kernel",
        "recipe": {"of": "s-0", "on": "eth0"},
    }


def test_the_directions_reach_the_engine(played):
    for direction, ways in {"egress": (True, False), "ingress": (False, True), "both": (True, True)}.items():
        one = made(loss=1, direction=direction)
        one.plan()
        one.inject()
        scope = played.installed[1]
        assert (scope.egress, scope.ingress) == ways


def test_the_container_may_have_ended_as_long_as_its_network_lives(played, target, laid, monkeypatch):
    plan = made(loss=1).plan()
    monkeypatch.setattr(processes, "main_process", lambda *_, **__: None)
    NetworkFault.revert(plan.undo)
    assert played.removed == [links.netns_of(laid.target.pid)]


def test_a_network_that_ended_has_nothing_left_in_it(played):
    undo = {"netns": 1, "engine": "kernel", "recipe": {}}
    NetworkFault.revert(undo)
    assert NetworkFault.leftovers(undo) == ""
    assert played.removed == []


def test_the_host_s_own_network_is_refused(played, target, monkeypatch):
    monkeypatch.setattr(links, "is_the_hosts", lambda netns: netns == links.netns_of(target.pid))
    with pytest.raises(FaultError, match="the host's own network"):
        made(loss=1).plan()


def test_an_engine_that_is_not_offered_makes_way_for_the_other(target, monkeypatch):
    kernel = type("Kernel", (Played,), {"reason": "the kernel lacks sch_netem", "removed": [], "scopes": []})
    other = type("Other", (Played,), {"name": "userspace", "removed": [], "scopes": []})
    monkeypatch.setattr(fault, "ENGINES", {"kernel": kernel, "userspace": other})
    assert made(loss=1).plan().undo["engine"] == "userspace"
    with pytest.raises(FaultError, match="kernel engine: the kernel lacks sch_netem"):
        made(loss=1, engine="kernel").plan()


def test_an_interface_that_does_not_exist_is_named(played):
    with pytest.raises(FaultError, match="no interface 'eth9' in the target, only lo, eth0"):
        made(loss=1, interface="eth9").plan()


def test_a_container_that_ended_is_gone_and_a_qdisc_that_went_is_a_lost_effect(played, monkeypatch):
    monkeypatch.setattr(fault, "_CHECK_S", 0.0)
    one = made(loss=1)
    one.plan()
    one.inject()
    one.tend()
    played.installed = None
    with pytest.raises(FaultError, match="not ours any more"):
        one.tend()
    monkeypatch.setattr(processes, "still_there", lambda _: False)
    monkeypatch.setattr(links, "processes_in", lambda _: iter(()))
    with pytest.raises(TargetGoneError, match="has ended"):
        one.tend()


def test_a_container_that_is_restarted_does_not_end_the_fault_of_its_pod(played, target, monkeypatch):
    """The main process has ended, another one of the pod has the same network."""
    monkeypatch.setattr(fault, "_CHECK_S", 0.0)
    one = made(loss=1)
    one.plan()
    one.inject()
    monkeypatch.setattr(processes, "still_there", lambda _: False)
    one.tend()
    monkeypatch.setattr(fault.marked, "find", lambda _: list(links.processes_in(links.netns_of(target.pid))))
    with pytest.raises(TargetGoneError):
        one.tend()  # only our own engine still holds the network


def test_a_host_that_moves_is_followed_and_one_that_nobody_answers_for_stays(played, monkeypatch):
    monkeypatch.setattr(fault, "_CHECK_S", 0.0)
    monkeypatch.setattr(fault, "_RESOLVE_S", 0.0)
    answers = {"db": ["10.99.0.2/32"]}

    def resolve(name, **_):
        if name not in answers:
            raise FaultError("unknown")
        return answers[name]

    monkeypatch.setattr(destinations, "resolve", resolve)
    one = made(loss=1, destinations=["db"])
    one.plan()
    one.inject()

    def asked_again() -> list[list[str]]:
        one.tend()  # asks, in a thread
        if one._answer is not None:
            one._answer.exception(timeout=10)
            one.tend()
        return [[match.network for match in scope.matches] for scope in played.scopes]

    assert asked_again() == []
    answers["db"] = ["10.99.0.3/32"]
    assert asked_again() == [["10.99.0.3/32"]]
    del answers["db"]
    assert asked_again() == [["10.99.0.3/32"]]


def test_without_anybody_to_ask_nothing_is_proven(played):
    one = made(loss=1)
    one.plan()
    one.inject()
    one._peer = None
    assert not one.prove().holds
    assert not made(loss=1).prove().holds
