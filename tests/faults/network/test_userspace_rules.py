"""Which packets the rules lead into the queues, and that everything is named from the fault's id."""

import pytest

from litmus.faults.contract import FaultError
from litmus.faults.network import rules
from litmus.faults.network.engine import Match, Scope

RECIPE = {
    "fault_id": "f1",
    "interface": "eth0",
    "variants": {"4": "nft", "6": "legacy"},
    "chains": rules.chains("f1"),
    "queues": {"egress": 10, "ingress": 11},
}
TO_QUEUE = "-j NFQUEUE --queue-num 10 --queue-bypass"


def ports_in(rule: str) -> list[str]:
    return rule.split("--ports ")[1].split()[0].split(",")


def leading(scope: Scope, family: int, direction: str = "egress") -> list[str]:
    """The rules that lead into a queue."""
    return [rule for rule in rules.wanted(scope, RECIPE, family)[direction] if "NFQUEUE" in rule]


def test_without_matches_every_packet_of_one_direction_is_meant():
    scope = Scope(interface="eth0")
    assert leading(scope, 4) == [TO_QUEUE]
    assert leading(scope, 6) == [TO_QUEUE]
    assert rules.wanted(scope, RECIPE, 4)["ingress"] == []


def test_our_own_packets_and_neighbour_discovery_are_spared_first():
    first, *others = rules.wanted(Scope(interface="eth0"), RECIPE, 6)["egress"]
    assert first == "-m mark --mark 0x100000/0x100000 -j RETURN"
    assert [rule for rule in others if "NFQUEUE" in rule] == [others[-1]]
    assert "-p ipv6-icmp -m icmp6 --icmpv6-type 135 -j RETURN" in others


def test_a_match_is_the_peer_in_both_directions_and_only_its_family():
    scope = Scope(interface="eth0", ingress=True, matches=(Match(family=4, network="10.0.0.0/8"),))
    assert leading(scope, 4) == [f"-d 10.0.0.0/8 {TO_QUEUE}"]
    assert leading(scope, 4, "ingress") == ["-s 10.0.0.0/8 -j NFQUEUE --queue-num 11 --queue-bypass"]
    assert leading(scope, 6) == []


def test_ports_are_anybodys_of_tcp_and_udp():
    scope = Scope(interface="eth0", matches=(Match(family=6, network="fd00::/8", ports=(80, 443)),))
    assert leading(scope, 6) == [
        f"-d fd00::/8 -p {protocol} -m multiport --ports 80,443 {TO_QUEUE}" for protocol in ("tcp", "udp")
    ]


def test_more_ports_than_a_rule_takes_are_shared_out():
    ports = tuple(range(1, 32))
    scope = Scope(interface="eth0", matches=(Match(family=4, network="0.0.0.0/0", ports=ports),))
    listed = [ports_in(rule) for rule in leading(scope, 4) if "-p tcp" in rule]
    assert [len(some) for some in listed] == [15, 15, 1]
    assert [int(port) for some in listed for port in some] == list(ports)


def test_names_of_chains_are_short_and_of_one_fault_only():
    names = [name for fault in ("a", "a" * 60, "b") for name in rules.chains(fault).values()]
    assert len(set(names)) == 6
    assert all(len(name) <= 28 for name in names)


def test_a_family_that_cannot_be_impaired_is_refused_when_it_is_meant():
    recipe = {**RECIPE, "variants": {}}
    scope = Scope(interface="eth0", matches=(Match(family=6, network="fd00::/8"),))
    with pytest.raises(FaultError, match="ip6tables"):
        rules.put(scope, recipe, new=True)
