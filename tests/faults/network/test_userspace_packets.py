"""Headers of IP packets, and damage that every receiver notices."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litmus.faults.network import packets
from tests.faults.network import frames


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("protocol", [packets.TCP, packets.UDP])
def test_the_shape_of_a_packet(family: int, protocol: int):
    data = frames.packet(family, protocol, b"hello")
    about = packets.shape(data)
    assert about is not None
    assert (about.family, about.protocol, about.start) == (family, protocol, {4: 20, 6: 40}[family])
    assert packets.address(about) == frames.PEER[family]
    assert packets.transport_is_sound(data)


def test_extension_headers_of_ipv6_are_passed_over():
    about = packets.shape(frames.packet(6, packets.UDP, b"hello", extensions=True))
    assert about is not None
    assert (about.protocol, about.start, about.fragment) == (packets.UDP, 48, False)


def test_later_fragments_have_no_ports():
    data = bytearray(frames.packet(4, packets.UDP, b"hello"))
    data[6:8] = (185).to_bytes(2, "big")
    about = packets.shape(bytes(data))
    assert about is not None
    assert about.fragment
    assert packets.flow(bytes(data), about) == bytes((packets.UDP,)) + about.source + about.destination


@given(st.binary(max_size=60))
def test_any_bytes_have_a_shape_or_none(data: bytes):
    about = packets.shape(data)
    assert about is None or about.family in (4, 6)


def test_only_packets_with_syn_open_a_connection():
    for flags, opens in ((0x02, True), (0x12, True), (0x10, False), (0x18, False), (0x04, False)):
        data = frames.packet(4, packets.TCP, b"", flags=flags)
        about = packets.shape(data)
        assert about is not None
        assert packets.opens_connection(data, about) is opens


@pytest.mark.parametrize(("address", "one"), [("10.0.0.1", True), ("224.0.0.251", False), ("255.255.255.255", False)])
def test_groups_of_receivers_are_told_from_one(address: str, one: bool):
    about = packets.shape(frames.packet(4, packets.UDP, b"", to=address))
    assert about is not None
    assert packets.to_one_host(about) is one


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("protocol", [packets.TCP, packets.UDP])
@given(body=st.binary(min_size=1, max_size=200), seed=st.integers(0, 2**32))
def test_damage_is_one_bit_behind_the_ip_header_and_the_checksum_shows_it(
    family: int, protocol: int, body: bytes, seed: int
):
    sound = frames.packet(family, protocol, body)
    damaged = packets.corrupted(sound, Random(seed))
    differing = [at for at in range(len(sound)) if sound[at] != damaged[at]]
    assert len(damaged) == len(sound)
    assert len(differing) == 1
    assert differing[0] >= {4: 20, 6: 40}[family]
    assert (sound[differing[0]] ^ damaged[differing[0]]).bit_count() == 1
    assert not packets.transport_is_sound(damaged)


def test_a_packet_without_a_body_is_damaged_all_the_same():
    empty = frames.packet(4, packets.UDP, b"")[:20]
    assert packets.corrupted(empty, Random(1)) != empty


def test_the_example_of_rfc_1071():
    assert packets.checksum(bytes.fromhex("0001f203f4f5f6f7")) == 0x220D
