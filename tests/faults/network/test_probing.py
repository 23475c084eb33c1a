"""Probe packets on the loopback interface, to peers that answer and to one that does not."""

import os
import socket

import pytest

from litmus.faults.network import probing
from litmus.faults.network.probing import Peer

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="raw sockets need root")


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
@needs_root
def test_echoes_are_answered_and_timed(address):
    if address == "::1" and not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    sample = probing.probe(Peer(address), count=20, window_s=5.0)
    assert (sample.sent, sample.answered, sample.copies, sample.damaged) == (20, 20, 0, 0)
    assert sample.median_ms < 5000
    assert sample.span_s > 0


@needs_root
def test_an_open_port_answers_and_so_does_a_closed_one():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert probing.probe(Peer("127.0.0.1", port), count=10, window_s=5.0).answered == 10
    closed = probing.probe(Peer("127.0.0.1", port), count=10, window_s=5.0)
    assert (closed.answered, closed.copies) == (10, 0)


@needs_root
def test_nobody_answers_at_an_address_that_leads_nowhere():
    sample = probing.probe(Peer("127.0.0.1", 0), count=1, window_s=5.0)
    assert sample.answered == 1
    nowhere = probing.probe(Peer("240.0.0.1"), count=3, window_s=0.05)
    assert (nowhere.sent, nowhere.answered, nowhere.median_ms) == (3, 0, float("inf"))


def test_a_checksum_over_data_with_its_own_is_zero():
    data = bytes(range(64))
    sum_ = probing.checksum(data)
    assert probing.checksum(data + sum_.to_bytes(2)) == 0
    assert probing.checksum(data[:-1] + b"\x00" + sum_.to_bytes(2)) != 0


def test_a_repeated_opening_of_a_connection_is_not_waited_for():
    assert probing.patience_s(Peer("10.0.0.1", 80), 3.0) < 1.0
    assert probing.patience_s(Peer("10.0.0.1"), 3.0) == 3.0
