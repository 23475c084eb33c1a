"""Peers by address, network and name; names as the target's own files have them."""

import socket

import pytest

from litmus.faults import processes
from litmus.faults.contract import FaultError
from litmus.faults.network import destinations
from litmus.faults.network.engine import Match


@pytest.fixture
def etc(tmp_path, monkeypatch):
    """The folder /etc of a target with pid 7."""
    folder = tmp_path / "7" / "root" / "etc"
    folder.mkdir(parents=True)
    monkeypatch.setattr(processes, "PROC", tmp_path)
    return folder


@pytest.fixture
def dns(monkeypatch):
    """A name server that knows these full names."""
    known: dict[str, list[str]] = {}

    def ask(name, *_args, **_more):
        if name not in known:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return [(0, 0, 0, "", (address, 0)) for address in known[name]]

    monkeypatch.setattr(socket, "getaddrinfo", ask)
    return known


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("10.0.0.7", "10.0.0.7/32"),
        ("10.1.2.3/8", "10.0.0.0/8"),
        ("fd00::1", "fd00::1/128"),
        ("fd00::1/16", "fd00::/16"),
        ("10.0.0.300", ""),
        ("example.com", ""),
    ],
)
def test_addresses_and_networks_have_one_form(text, network):
    assert destinations.network(text) == network


def test_matches_are_the_same_whatever_the_order_they_are_named_in():
    one = destinations.matches(["fd00::/8", "10.0.0.7", "10.0.0.7/32"], ports=[443, 80, 80], pid=1)
    assert one == destinations.matches(["10.0.0.7", "fd00::/8"], ports=[80, 443], pid=1)
    assert one == (
        Match(family=4, network="10.0.0.7/32", ports=(80, 443)),
        Match(family=6, network="fd00::/8", ports=(80, 443)),
    )


def test_ports_without_peers_mean_everybody_s():
    assert [match.network for match in destinations.matches([], ports=[80], pid=1)] == ["0.0.0.0/0", "::/0"]
    assert destinations.matches([], ports=[], pid=1) == ()


def test_the_target_s_hosts_file_comes_first(etc, dns):
    (etc / "hosts").write_text("# none\n10.9.9.9  db.test db # ours\nfd00::9 db\n")
    dns["db."] = ["10.0.0.1"]
    assert destinations.resolve("db", pid=7) == ["10.9.9.9/32", "fd00::9/128"]


def test_a_short_name_goes_through_the_target_s_search_list(etc, dns):
    (etc / "resolv.conf").write_text("nameserver 10.96.0.10\nsearch shop.svc.cluster.local\noptions ndots:5\n")
    dns["db.shop.svc.cluster.local."] = ["10.96.7.7"]
    dns["db."] = ["10.0.0.1"]
    assert destinations.resolve("db", pid=7) == ["10.96.7.7/32"]


def test_a_name_with_enough_dots_is_asked_for_as_it_is_first(etc, dns):
    (etc / "resolv.conf").write_text("search example.com\n")
    dns["api.example.org."] = ["10.0.0.1"]
    dns["api.example.org.example.com."] = ["10.0.0.2"]
    assert destinations.resolve("api.example.org", pid=7) == ["10.0.0.1/32"]


def test_a_name_that_nobody_knows_is_named(etc, dns):
    with pytest.raises(FaultError, match=r"host 'nobody\.test' can't be resolved"):
        destinations.matches(["nobody.test"], ports=[], pid=7)
