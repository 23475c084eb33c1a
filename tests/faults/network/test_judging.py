"""What a measurement proves, and what it does not."""

import pytest

from litmus.faults.network import judging
from litmus.faults.network.engine import Counters, Impairment
from litmus.faults.network.judging import Evidence
from litmus.faults.network.probing import Sample

BEFORE = Sample(sent=10, rtts_ms=[1.0] * 10)


def evidence(after: Sample, *, seen: int = -1, dropped: int = 0, backlog: int = 0, **more) -> Evidence:
    start = Counters(seen=1000, dropped=100)
    seen = after.sent if seen < 0 else seen
    values = {"passes": 1, "before": BEFORE, "window_s": 1.0, "engine": "kernel", "peer": "10.0.0.1"}
    then = Counters(seen=1000 + seen, dropped=100 + dropped, backlog=backlog)
    return Evidence(**(values | {"after": after, "counted": start, "then": then} | more))


def answered(count: int, *, of: int = 100, ms: float = 1.0, copies: int = 0) -> Sample:
    return Sample(sent=of, copies=copies, rtts_ms=[ms] * count)


def holds(impairment: Impairment, after: Sample, **more) -> bool:
    return judging.judge(impairment, evidence(after, **more)).holds


def test_a_delay_is_what_the_round_trip_takes_longer_than_before():
    proof = judging.judge(Impairment(delay_ms=200), evidence(answered(20, of=20, ms=203)))
    assert proof.holds
    assert (proof.asked, proof.asked_value, proof.delivered_value, proof.unit) == ("200 ms delay", 200, 202, "ms")
    assert "202.0 ms added (round trip 1.0 → 203.0 ms)" in proof.delivered
    assert "kernel engine: 20 packets seen, 0 dropped" in proof.delivered


@pytest.mark.parametrize(("ms", "right"), [(1, False), (80, False), (150, True), (290, True), (900, False)])
def test_a_delay_that_is_too_short_or_far_too_long_is_none(ms, right):
    assert holds(Impairment(delay_ms=200), answered(20, of=20, ms=ms)) is right


def test_a_delay_both_ways_is_passed_twice():
    proof = judging.judge(Impairment(delay_ms=100), evidence(answered(20, of=20, ms=201), passes=2))
    assert (proof.holds, proof.delivered_value) == (True, 100)


def test_a_delay_too_long_to_wait_for_is_proven_by_packets_that_are_held_back():
    asked = Impairment(delay_ms=60_000)
    assert not judging.waits_for_answers(asked, 1)
    assert holds(asked, answered(0, of=20), backlog=20)
    assert not holds(asked, answered(20, of=20), backlog=0)
    assert not holds(asked, answered(0, of=20), backlog=0)  # they are gone, not late


@pytest.mark.parametrize(
    ("asked", "came", "right"),
    [(100, 0, True), (100, 10, False), (30, 72, True), (30, 100, False), (30, 30, False), (50, 50, True)],
)
def test_a_loss_may_differ_by_chance_and_no_more(asked, came, right):
    assert holds(Impairment(loss=asked), answered(came)) is right
    assert holds(Impairment(corruption=asked), answered(came)) is right


@pytest.mark.parametrize("share", [0.1, 1, 2])
def test_a_share_however_small_is_not_proven_by_nothing(share):
    assert not holds(Impairment(loss=share), answered(400, of=400))
    assert holds(Impairment(loss=share), answered(399, of=400))


def test_a_share_that_one_series_may_miss_is_rare():
    assert judging.is_rare(Impairment(loss=1), port=False)
    assert judging.is_rare(Impairment(loss=50, corruption=0.1), port=False)
    assert not judging.is_rare(Impairment(loss=5), port=True)
    assert not judging.is_rare(Impairment(delay_ms=5), port=True)


def test_a_small_loss_may_differ_by_chance_and_no_more():
    assert holds(Impairment(loss=2), answered(393, of=400))


def test_a_loss_both_ways_is_judged_for_one_way():
    proof = judging.judge(Impairment(loss=30), evidence(answered(49), passes=2))
    assert (proof.holds, proof.delivered_value) == (True, 30)


def test_loss_and_corruption_together_are_one_share():
    proof = judging.judge(Impairment(loss=50, corruption=50), evidence(answered(25)))
    assert proof.asked == "50 % loss and 50 % corruption"
    assert (proof.holds, proof.asked_value) == (True, 75)


def test_copies_prove_a_duplication():
    assert holds(Impairment(duplication=100), answered(100, copies=100))
    assert not holds(Impairment(duplication=100), answered(100, copies=0))
    assert holds(Impairment(duplication=100), answered(100, copies=300), passes=2)


def test_those_that_overtake_are_not_delayed():
    asked = Impairment(delay_ms=100, reordering=25)
    after = Sample(sent=100, rtts_ms=[1.0] * 25 + [101.0] * 75)
    proof = judging.judge(asked, evidence(after))
    assert proof.holds
    assert "25.0 % were not delayed" in proof.delivered
    assert not holds(asked, answered(100, ms=101))


def test_a_rate_is_not_to_be_exceeded():
    asked = Impairment(rate_kbit=500)
    after = answered(50, of=50)
    after.span_s = after.bits / 500_000
    assert holds(asked, after)
    after.span_s /= 10
    assert not holds(asked, after)


def test_a_fault_of_which_no_packet_passed_is_not_proven():
    proof = judging.judge(Impairment(loss=100), evidence(answered(0), seen=0))
    assert not proof.holds
    assert "no packet passed the kernel engine" in proof.delivered


def test_where_nobody_answers_the_counters_tell():
    assert holds(Impairment(loss=100), answered(0), before=None, dropped=100)
    assert not holds(Impairment(loss=100), answered(0), before=None, dropped=0)
    assert holds(Impairment(delay_ms=50), answered(0, of=20), before=None, backlog=20)
    assert not holds(Impairment(delay_ms=50), answered(0, of=20), before=None, backlog=0)
    assert holds(Impairment(duplication=100), answered(0), before=None, seen=200)
    assert not holds(Impairment(duplication=100), answered(0), before=None, seen=100)


def test_smaller_shares_take_more_probes():
    assert judging.probes_for(Impairment(delay_ms=1), port=False) == 20
    assert judging.probes_for(Impairment(loss=100), port=False) == 100
    assert judging.probes_for(Impairment(loss=1), port=False) == 400
    assert judging.probes_for(Impairment(loss=1), port=True) == 150


@pytest.mark.parametrize(
    ("impairment", "engine"),
    [
        (Impairment(corruption=100), "kernel"),
        (Impairment(corruption=100), "userspace"),
        (Impairment(duplication=100), "userspace"),
    ],
)
def test_what_only_a_peer_could_tell_is_not_proven_when_none_answers(impairment, engine):
    proof = judging.judge(impairment, evidence(answered(0), before=None, engine=engine))
    assert not proof.holds
    assert "nobody answers who could tell" in proof.delivered
