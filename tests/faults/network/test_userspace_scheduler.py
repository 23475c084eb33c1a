"""The fate of packets: shares, delays and rates come out as asked, and the same for the same seed."""

import itertools
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litmus.faults.network.engine import Impairment
from litmus.faults.network.scheduler import LINK_HEADER, RATE_BACKLOG, Luck, Scheduler

MANY = 20_000


def fates(impairment: Impairment, count: int = MANY, *, length: int = 1000, every_s: float = 0.01, seed: int = 1):
    """The fates of packets that come one after the other."""
    scheduler = Scheduler(impairment, Random(seed))
    return [(number * every_s, scheduler.fate(number * every_s, length)) for number in range(count)]


def share(hits: list[bool]) -> float:
    return 100 * sum(hits) / len(hits)


def runs(hits: list[bool]) -> int:
    return sum(one != next_ for one, next_ in itertools.pairwise(hits))


def test_nothing_asked_changes_nothing():
    assert all(fate.times == (now,) and not fate.corrupt for now, fate in fates(Impairment(), 100))


def test_a_delay_is_the_same_for_every_packet():
    assert all(fate.times == (pytest.approx(now + 0.25),) for now, fate in fates(Impairment(delay_ms=250), 100))


def test_jitter_spreads_delays_evenly_around_the_delay():
    delays = [1000 * (fate.times[0] - now) for now, fate in fates(Impairment(delay_ms=100, jitter_ms=30))]
    assert 70 <= min(delays) < 71
    assert 129 < max(delays) <= 130
    assert sum(delays) / MANY == pytest.approx(100, abs=0.5)
    assert share([delay < 85 for delay in delays]) == pytest.approx(25, abs=1)


def test_a_jitter_greater_than_the_delay_sends_nothing_into_the_past():
    assert all(fate.times[0] >= now for now, fate in fates(Impairment(delay_ms=1, jitter_ms=50), 1000))


@given(percent=st.sampled_from([0.5, 10, 50, 90]), correlation=st.sampled_from([0, 25, 75]))
def test_the_share_of_lost_packets_is_what_was_asked_whatever_the_correlation(percent: float, correlation: float):
    lost = [not fate.times for _, fate in fates(Impairment(loss=percent, correlation=correlation))]
    assert share(lost) == pytest.approx(percent, abs=2)


def test_correlation_makes_bursts_of_lost_packets():
    alone, together = (
        [not fate.times for _, fate in fates(Impairment(loss=20, correlation=correlation))] for correlation in (0, 80)
    )
    assert runs(together) < 0.6 * runs(alone)


def test_full_correlation_and_certain_shares_are_no_special_cases():
    assert all(not fate.times for _, fate in fates(Impairment(loss=100, correlation=100), 100))
    assert all(len(fate.times) == 2 for _, fate in fates(Impairment(duplication=100), 100))
    assert all(fate.corrupt for _, fate in fates(Impairment(corruption=100), 100))


def test_duplication_and_corruption_have_their_shares():
    some = [fate for _, fate in fates(Impairment(duplication=10, corruption=5))]
    assert share([len(fate.times) == 2 for fate in some]) == pytest.approx(10, abs=1)
    assert share([fate.corrupt for fate in some]) == pytest.approx(5, abs=1)


def test_a_packet_that_is_lost_and_doubled_passes_once_as_with_netem():
    assert all(len(fate.times) == 1 for _, fate in fates(Impairment(loss=100, duplication=100), 100))


def test_reordered_packets_overtake_the_delayed_ones():
    early = [fate.times[0] == now for now, fate in fates(Impairment(delay_ms=100, reordering=25))]
    assert share(early) == pytest.approx(25, abs=1)


def test_a_rate_lets_packets_leave_one_after_the_other():
    length = 1250 - LINK_HEADER  # 10 ms each at 1 Mbit/s
    leaving = [fate.times[0] for _, fate in fates(Impairment(rate_kbit=1000), 50, length=length, every_s=0)]
    assert leaving == [pytest.approx(0.01 * (number + 1)) for number in range(50)]


def test_a_rate_does_not_slow_what_comes_slower():
    length = 1250 - LINK_HEADER
    late = [fate.times[0] - now for now, fate in fates(Impairment(rate_kbit=1000), 50, length=length, every_s=0.02)]
    assert late == [pytest.approx(0.01)] * 50


def test_a_delay_comes_before_the_slow_link():
    impairment = Impairment(delay_ms=500, rate_kbit=1000)
    first = Scheduler(impairment, Random(1)).fate(0.0, 1250 - LINK_HEADER)
    assert first.times == (pytest.approx(0.51),)


def test_a_slow_link_has_room_for_so_many_packets_and_loses_the_newest():
    kept = [bool(fate.times) for _, fate in fates(Impairment(rate_kbit=100), RATE_BACKLOG + 50, every_s=0)]
    assert kept == [True] * RATE_BACKLOG + [False] * 50


def test_a_long_delay_takes_no_room_of_the_slow_link():
    impairment = Impairment(delay_ms=60_000, rate_kbit=10_000)
    assert all(fate.times for _, fate in fates(impairment, 3 * RATE_BACKLOG, every_s=0.002))


def test_the_same_seed_gives_the_same_fates():
    impairment = Impairment(delay_ms=10, jitter_ms=5, loss=10, corruption=10, duplication=10, correlation=30)
    assert fates(impairment, 500, seed=7) == fates(impairment, 500, seed=7)
    assert fates(impairment, 500, seed=7) != fates(impairment, 500, seed=8)


@given(correlation=st.floats(0, 100))
def test_correlated_luck_is_as_even_as_any(correlation: float):
    luck = Luck(Random(3), min(correlation, 95))
    numbers = [luck.draw() for _ in range(MANY)]
    assert all(0 <= number <= 1 for number in numbers)
    assert sum(numbers) / MANY == pytest.approx(0.5, abs=0.06)
