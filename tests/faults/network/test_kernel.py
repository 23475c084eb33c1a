"""What surrounds netem, in real network namespaces: places, redirections, and the queue that was there before.

The kernel that runs the tests may have no netem, so a token bucket stands where netem would; what netem itself does is
tried on the real cluster, on a node that has it.
"""

import contextlib
import os
from collections.abc import Iterator

import pytest

from litmus.faults import namespaces, subprocesses
from litmus.faults.contract import FaultError
from litmus.faults.network import commands, kernel, links, qdiscs
from litmus.faults.network.engine import Impairment, Scope
from litmus.faults.network.kernel import KernelEngine
from tests.faults.network import wire

TBF = "tbf rate 10Mbit burst 32Kb lat 50ms"
OUT = Scope(interface="eth0")
BACK = Scope(interface="eth0", egress=False, ingress=True)
FAULT = "test-0"
OWN = commands.handle(FAULT)


def why_not() -> str:
    if os.geteuid() != 0:
        return "network namespaces need root"
    try:
        with namespaces.fresh_network():
            qdiscs.batch([f"qdisc add dev lo root {TBF}"])
    except FaultError as error:
        return str(error)
    return ""


pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not() or "-")


@pytest.fixture
def laid(monkeypatch: pytest.MonkeyPatch) -> Iterator[wire.Wire]:
    def stand_in(device, impairment, *, own, keep="", filters=()):
        return [f"qdisc replace dev {device} root handle {own}: {TBF}"]

    monkeypatch.setattr(commands, "impair", stand_in)
    with wire.laid() as made:
        yield made


def install(laid: wire.Wire, scope: Scope) -> dict:
    with laid.target.inside():
        engine = KernelEngine()
        recipe = engine.recipe(scope, fault_id=FAULT)
        engine.install(Impairment(delay_ms=1), scope, recipe)
    return recipe


def remove(laid: wire.Wire, recipe: dict) -> str:
    """Twice, as anybody may; what is left then."""
    with laid.target.inside():
        KernelEngine.remove(recipe)
        KernelEngine.remove(recipe)
        return KernelEngine.leftovers(recipe)


def state(end: wire.End) -> str:
    return end.run("tc", "qdisc", "show") + end.run("ip", "-o", "link", "show")


def test_a_default_queue_comes_back_and_the_interface_is_as_long_as_before(laid):
    laid.target.run("ip", "link", "set", "eth0", "txqueuelen", "0")
    before = state(laid.target)
    recipe = install(laid, OUT)
    assert f"tbf {OWN}:" in state(laid.target)
    with laid.target.inside():
        assert KernelEngine.leftovers(recipe) == f"root qdisc {OWN}: of eth0"
    assert remove(laid, recipe) == ""
    assert state(laid.target) == before


@pytest.mark.parametrize("theirs", [f"handle 77: {TBF}", "handle 8: pfifo limit 77", "bfifo limit 5000"])
def test_somebody_s_own_queue_is_made_again_with_its_handle(laid, theirs):
    laid.target.run("tc", "qdisc", "add", "dev", "eth0", "root", *theirs.split())
    before = state(laid.target)
    recipe = install(laid, OUT)
    assert state(laid.target) != before
    assert remove(laid, recipe) == ""
    assert state(laid.target) == before


def test_a_queue_with_classes_is_refused_before_anything_is_touched(laid):
    laid.target.run("tc", "qdisc", "add", "dev", "eth0", "root", "handle", "5:", "htb", "default", "1")
    with laid.target.inside(), pytest.raises(FaultError, match="eth0 already has a root qdisc htb 5:"):
        KernelEngine().recipe(OUT, fault_id=FAULT)


def test_a_queue_that_comes_out_differently_is_refused(laid, monkeypatch):
    laid.target.run("tc", "qdisc", "add", "dev", "eth0", "root", *TBF.split())
    monkeypatch.setattr(qdiscs, "words", lambda *_: "tbf rate 10Mbit burst 16Kb lat 50ms")
    with laid.target.inside(), pytest.raises(FaultError, match="can't be restored exactly"):
        KernelEngine().recipe(OUT, fault_id=FAULT)


def test_what_arrives_is_redirected_through_a_device_that_goes_again(laid):
    before = state(laid.target)
    recipe = install(laid, BACK)
    device = commands.link_name(FAULT)
    now = state(laid.target)
    assert device in now
    assert "ingress ffff:" in now
    with laid.target.inside():
        assert KernelEngine.leftovers(recipe) == f"ingress qdisc of eth0, interface {device}"
    assert remove(laid, recipe) == ""
    assert state(laid.target) == before


def test_half_of_a_redirection_is_removed_as_well(laid):
    before = state(laid.target)
    with laid.target.inside():
        recipe = KernelEngine().recipe(BACK, fault_id=FAULT)
    laid.target.run("ip", "link", "add", commands.link_name(FAULT), "type", "ifb")
    assert remove(laid, recipe) == ""
    laid.target.run("tc", "qdisc", "add", "dev", "eth0", "handle", "ffff:", "ingress")
    assert remove(laid, recipe) == ""
    assert state(laid.target) == before


def test_a_recipe_that_was_never_carried_out_removes_nothing(laid):
    laid.target.run("tc", "qdisc", "add", "dev", "eth0", "root", "handle", "8:", "pfifo", "limit", "77")
    before = state(laid.target)
    with laid.target.inside():
        recipe = KernelEngine().recipe(Scope(interface="eth0", ingress=True), fault_id=FAULT)
    assert remove(laid, recipe) == ""
    assert state(laid.target) == before


def test_without_ifb_the_other_end_of_the_pair_is_queued(laid, monkeypatch):
    monkeypatch.setattr(kernel, "_no_ifb", lambda _: "the kernel of this node has no ifb")
    target, peer = state(laid.target), state(laid.peer)
    recipe = install(laid, BACK)
    assert state(laid.target) == target
    assert f"tbf {OWN}:" in state(laid.peer)
    assert recipe["places"][0]["netns"] == links.netns_of(laid.peer.pid)
    assert remove(laid, recipe) == ""
    assert state(laid.peer) == peer


def test_another_pair_with_the_same_names_and_numbers_is_left_alone(laid, monkeypatch):
    monkeypatch.setattr(kernel, "_no_ifb", lambda _: "the kernel of this node has no ifb")
    with wire.laid() as other:
        before = state(other.target) + state(other.peer)
        for one, untouched in ((laid, other), (other, laid)):
            kept = state(untouched.target) + state(untouched.peer)
            recipe = install(one, BACK)
            assert f"tbf {OWN}:" in state(one.peer)
            assert state(untouched.target) + state(untouched.peer) == kept
            assert remove(one, recipe) == ""
        assert state(other.target) + state(other.peer) == before


def test_somebody_s_ingress_queue_stays_and_the_other_end_is_used(laid):
    laid.target.run("tc", "qdisc", "add", "dev", "eth0", "handle", "ffff:", "ingress")
    before = state(laid.target)
    recipe = install(laid, BACK)
    assert recipe["places"][0]["netns"]
    assert remove(laid, recipe) == ""
    assert state(laid.target) == before


def test_where_neither_is_possible_the_sentence_says_what_is(laid, monkeypatch):
    monkeypatch.setattr(kernel, "_no_ifb", lambda _: "the kernel of this node has no ifb")
    monkeypatch.setattr(links, "peer", lambda _: None)
    with laid.target.inside(), pytest.raises(FaultError, match="use DIRECTION=egress"):
        KernelEngine().recipe(BACK, fault_id=FAULT)


def test_somebody_else_s_replacement_is_a_lost_effect(laid):
    with laid.target.inside():
        engine = KernelEngine()
        recipe = engine.recipe(OUT, fault_id=FAULT)
        engine.install(Impairment(delay_ms=1), OUT, recipe)
        with contextlib.suppress(FaultError):  # a stand-in is no netem
            engine.check()
        qdiscs.batch(["qdisc replace dev eth0 root handle 9: pfifo"])
        with pytest.raises(FaultError, match="not ours any more: it is pfifo"):
            engine.check()
        assert KernelEngine.leftovers(recipe) == ""


def test_a_redirection_that_somebody_took_away_is_a_lost_effect_and_the_rest_is_removed(laid, monkeypatch):
    before = state(laid.target)
    with laid.target.inside():
        engine = KernelEngine()
        recipe = engine.recipe(BACK, fault_id=FAULT)
        engine.install(Impairment(delay_ms=1), BACK, recipe)
        shown = qdiscs.shown
        # A stand-in is no netem.
        monkeypatch.setattr(qdiscs, "shown", lambda *args, **how: [*shown(*args, **how), {"kind": "netem"}])
        engine.check()
        subprocesses.run(["tc", "filter", "del", "dev", "eth0", "ingress"])
        with pytest.raises(FaultError, match="arrive at eth0 are not redirected any more"):
            engine.check()
    assert remove(laid, recipe) == ""
    assert state(laid.target) == before


@pytest.mark.parametrize("scope", [OUT, BACK])
def test_the_next_pod_with_the_number_of_a_network_that_ended_is_left_alone(laid, scope):
    laid.target.run("tc", "qdisc", "add", "dev", "eth0", "root", "handle", "8:", "pfifo", "limit", "77")
    recipe = install(laid, scope)
    with wire.laid() as other:
        other.target.run("tc", "qdisc", "add", "dev", "eth0", "handle", "ffff:", "ingress")
        before = state(other.target)
        assert remove(other, recipe) == ""
        assert state(other.target) == before
    assert remove(laid, recipe) == ""
    assert "pfifo 8:" in state(laid.target)


def test_a_queue_that_somebody_deleted_with_ours_comes_back(laid):
    laid.target.run("tc", "qdisc", "add", "dev", "eth0", "root", "handle", "8:", "pfifo", "limit", "77")
    before = state(laid.target)
    recipe = install(laid, OUT)
    laid.target.run("tc", "qdisc", "del", "dev", "eth0", "root")
    assert remove(laid, recipe) == ""
    assert state(laid.target) == before


def test_what_took_our_place_a_moment_ago_is_not_deleted(laid):
    laid.target.run("tc", "qdisc", "add", "dev", "eth0", "root", "handle", "9:", "pfifo", "limit", "77")
    before = state(laid.target)
    with laid.target.inside(), pytest.raises(FaultError):
        qdiscs.restore("eth0", None, own=OWN, queue=None)
    assert state(laid.target) == before


def test_when_the_namespaces_are_gone_there_is_nothing_to_remove(laid):
    recipe = {"places": [{"device": "veth1", "handle": OWN, "netns": 1, "feeds_from": "", "before": None, "queue": 0}]}
    assert remove(laid, recipe) == ""


def test_the_route_s_interface_is_found_and_a_wrong_one_named_with_the_right_ones(laid):
    with laid.target.inside():
        assert links.routed() == "eth0"
        with pytest.raises(FaultError, match="no interface 'eth9' in the target, only lo, eth0"):
            links.details("eth9")
    laid.target.run("ip", "link", "add", "other", "type", "ifb")
    laid.target.run("ip", "link", "set", "other", "up")
    laid.target.run("ip", "route", "add", "default", "dev", "other")
    with laid.target.inside():
        assert links.routed() == "other"
        assert links.gateways("eth0") == []


def test_trying_what_the_kernel_offers_changes_nothing(laid):
    before = state(laid.target)
    with laid.target.inside():
        KernelEngine().unavailable()
        KernelEngine().recipe(Scope(interface="eth0", ingress=True), fault_id=FAULT)
    assert state(laid.target) == before
