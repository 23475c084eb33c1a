"""The lines that tc is given, word for word."""

import pytest

from litmus.faults.network import commands
from litmus.faults.network.engine import Impairment, Match, Scope

OWN = commands.handle("abc-0")
DELAY = Impairment(delay_ms=100)


def filters(*matches: Match, incoming: bool = False, generation: int = 0) -> list[str]:
    return commands.filters(matches, own="c123", incoming=incoming, generation=generation)


def test_without_matches_netem_is_at_the_root():
    assert commands.impair("eth0", DELAY, own="c123") == [
        "qdisc replace dev eth0 root handle c123: netem limit 25000 delay 100ms"
    ]


def test_with_matches_nothing_enters_the_faulty_band_by_its_type_of_service():
    prio, band, netem, *rest = commands.impair("eth0", DELAY, own="c123", filters=["X", "Y"])
    assert prio == "qdisc replace dev eth0 root handle c123: prio bands 2 priomap 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0"
    assert band == "qdisc add dev eth0 parent c123:1 pfifo limit 1000"
    assert netem == "qdisc add dev eth0 parent c123:2 netem limit 25000 delay 100ms"
    assert rest == ["filter add dev eth0 X", "filter add dev eth0 Y"]


def test_a_queue_of_somebody_else_stays_in_force_below_ours():
    with_matches = commands.impair("eth0", DELAY, own="c123", keep="tbf rate 1Mbit", filters=["X"])
    assert "qdisc add dev eth0 parent c123:1 tbf rate 1Mbit" in with_matches
    without = commands.impair("eth0", DELAY, own="c123", keep="tbf rate 1Mbit")
    assert without[1] == "qdisc add dev eth0 parent c123:1 tbf rate 1Mbit"


@pytest.mark.parametrize(
    ("impairment", "words"),
    [
        (Impairment(delay_ms=60000), "delay 60000ms"),
        (Impairment(delay_ms=100, jitter_ms=10), "delay 100ms 10ms"),
        (Impairment(delay_ms=100, jitter_ms=10, correlation=25), "delay 100ms 10ms 25%"),
        (Impairment(delay_ms=100, correlation=25), "delay 100ms"),
        (Impairment(loss=100), "loss random 100%"),
        (Impairment(loss=0.5), "loss random 0.5%"),
        (Impairment(corruption=20), "corrupt 20%"),
        (Impairment(duplication=50, correlation=25), "duplicate 50% 25%"),
        (Impairment(delay_ms=10, reordering=30), "delay 10ms reorder 30%"),
        (Impairment(rate_kbit=512), "rate 512kbit"),
    ],
)
def test_netem_is_told_what_was_asked(impairment, words):
    assert commands.netem(impairment) == f"limit 25000 {words}"


def test_what_leaves_is_matched_by_its_destination_and_what_arrives_by_its_source():
    match = Match(family=4, network="10.0.0.0/8")
    start = "parent c123: protocol ip pref 1 u32 match ip"
    assert filters(match) == [f"{start} dst 10.0.0.0/8 flowid c123:2"]
    assert filters(match, incoming=True) == [f"{start} src 10.0.0.0/8 flowid c123:2"]


def test_ipv6_has_filters_of_its_own_protocol():
    assert filters(Match(family=6, network="fd00::/8")) == [
        "parent c123: protocol ipv6 pref 2 u32 match ip6 dst fd00::/8 flowid c123:2"
    ]


def test_a_port_is_matched_on_both_sides_of_tcp_and_udp_alone():
    lines = filters(Match(family=4, network="10.0.0.1/32", ports=(80,)))
    ends = [line.partition("10.0.0.1/32 ")[2] for line in lines]
    assert ends == [
        "match ip protocol 6 0xff match ip dport 80 0xffff flowid c123:2",
        "match ip protocol 6 0xff match ip sport 80 0xffff flowid c123:2",
        "match ip protocol 17 0xff match ip dport 80 0xffff flowid c123:2",
        "match ip protocol 17 0xff match ip sport 80 0xffff flowid c123:2",
    ]


def test_a_new_scope_takes_preferences_that_the_old_one_does_not_have():
    match = Match(family=4, network="10.0.0.1/32")
    assert "pref 1" in filters(match)[0]
    assert "pref 3" in filters(match, generation=1)[0]
    assert commands.forget("eth0", own="c123", generation=0, families={4, 6}) == [
        "filter del dev eth0 parent c123: protocol ip pref 1",
        "filter del dev eth0 parent c123: protocol ipv6 pref 2",
    ]
    assert commands.forget("eth0", own="c123", generation=1, families={4}) == [
        "filter del dev eth0 parent c123: protocol ip pref 3"
    ]


def test_a_fault_s_names_are_the_same_in_any_process_and_fit_the_kernel():
    assert OWN == commands.handle("abc-0") != commands.handle("abc-1")
    assert 0xC000 <= int(OWN, 16) <= 0xCFFF
    assert len(commands.link_name("a-very-long-name-of-a-fault-000017")) <= 15


def test_a_packet_and_its_answer_pass_once_or_twice():
    assert commands.passes(Scope(interface="eth0")) == 1
    assert commands.passes(Scope(interface="eth0", egress=False, ingress=True)) == 1
    assert commands.passes(Scope(interface="eth0", ingress=True)) == 2
