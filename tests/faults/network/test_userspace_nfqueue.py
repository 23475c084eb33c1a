"""The netlink messages of packet queues, byte by byte."""

import struct

import pytest

from litmus.faults.contract import FaultError
from litmus.faults.network import nfqueue

# Written by hand after linux/netfilter/nfnetlink_queue.h: header, interface, mark, length, three bytes of the packet.
MESSAGE = bytes.fromhex(
    "40000000" "0003" "0000" "00000000" "00000000"  # netlink: 64 bytes, a packet of a queue
    "02" "00" "5286"  # IPv4, version 0, queue 21126
    "0b00" "0100" "00000007" "0800" "04" "00"  # id 7, IPv4, POSTROUTING
    "0800" "0600" "00000002"  # to interface 2
    "0800" "0300" "00000539"  # mark 1337
    "0800" "0d00" "000005dc"  # 1500 bytes
    "0700" "0a00" "450000" "00"  # the first three of them
)  # fmt: skip


def test_a_packet_is_read():
    assert struct.unpack_from("=I", MESSAGE)[0] == len(MESSAGE)
    assert [*nfqueue.parse(MESSAGE)] == [nfqueue.Packet(21126, 7, 1500, 1337, b"\x45\0\0")]


def test_several_messages_at_once_are_read_and_errors_passed_over():
    error = struct.pack("=IHHIIi", 36, 2, 0, 0, 0, -2) + bytes(16)
    assert [packet.id for packet in nfqueue.parse(MESSAGE + error + MESSAGE)] == [7, 7]


@pytest.mark.parametrize("length", range(0, len(MESSAGE), 7))
def test_a_message_that_is_cut_off_does_no_harm(length: int):
    assert len([*nfqueue.parse(MESSAGE[:length])]) <= 1


def test_a_verdict_names_the_queue_and_the_packet():
    packet = nfqueue.Packet(21126, 7, 1500, 0, b"")
    said = nfqueue.verdict(packet, nfqueue.ACCEPT)
    assert said == bytes.fromhex(
        "20000000" "0103" "0100" "00000000" "00000000"  # netlink: 32 bytes, a verdict, a request
        "00" "00" "5286"  # queue 21126
        "0c00" "0200" "00000001" "00000007"  # accept id 7
    )  # fmt: skip


def test_a_verdict_that_replaces_the_packet_is_padded_to_four_bytes():
    said = nfqueue.verdict(nfqueue.Packet(1, 7, 5, 0, b""), nfqueue.ACCEPT, data=b"abcde")
    assert struct.unpack_from("=I", said)[0] == len(said) == 44
    assert said[32:] == bytes.fromhex("0900" "0a00") + b"abcde\0\0\0"  # fmt: skip


def test_queues_in_use_are_read_from_proc(tmp_path, monkeypatch: pytest.MonkeyPatch):
    listing = tmp_path / "nfnetlink_queue"
    listing.write_text("21126  30373     0 2 65531     0     0        0  1\n    7  30373     0 2   128  0  0  0  1\n")
    monkeypatch.setattr(nfqueue, "QUEUES", listing)
    assert nfqueue.in_use() == {21126, 7}


def test_a_kernel_without_queues_is_named(tmp_path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(nfqueue, "QUEUES", tmp_path / "missing")
    with pytest.raises(FaultError, match="CONFIG_NETFILTER_NETLINK_QUEUE"):
        nfqueue.in_use()
