"""What is done with packets: which stay in the kernel, which are sent anew, and how many may wait."""

import struct

import pytest

from litmus.faults.network import mill as mills
from litmus.faults.network import nfqueue, packets
from litmus.faults.network.engine import Impairment
from tests.faults.network import frames

OUT, IN = 1, 2


class Wire:
    """Stands in for the raw sockets: what was sent, without sending it."""

    def __init__(self) -> None:
        self.sent: list[tuple[bytes, bool, int]] = []
        self.failed = 0

    def takes(self, data: bytes, about: packets.Shape) -> bool:
        return packets.to_one_host(about) and len(data) <= 1500

    def send(self, data: bytes, *, egress: bool, mark: int = 0) -> None:
        self.sent.append((data, egress, mark))


class Kernel:
    """Stands in for the netlink socket: verdicts as (id, verdict, new content)."""

    def __init__(self) -> None:
        self.verdicts: list[tuple[int, int, bytes]] = []

    def decide(self, messages: bytes) -> None:
        at = 0
        while at < len(messages):
            size = struct.unpack_from("=I", messages, at)[0]
            what, number = struct.unpack_from(">II", messages, at + 24)
            padded = messages[at + 36 : at + size]
            self.verdicts.append((number, what, padded))
            at += size


class Bench:
    def __init__(self, impairment: Impairment) -> None:
        self.wire, self.kernel, self._ids = Wire(), Kernel(), iter(range(1, 1_000_000))
        self.mill = mills.Mill(impairment, {OUT: "egress", IN: "ingress"}, injection=self.wire, seed=1)

    def take(self, data: bytes, now: float = 0.0, *, queue: int = OUT, mark: int = 0) -> int:
        number = next(self._ids)
        self.mill.take(nfqueue.Packet(queue, number, len(data), mark, data), now)
        self.mill.flush(self.kernel)
        return number

    def at(self, now: float) -> None:
        self.mill.release(now)
        self.mill.flush(self.kernel)


DATA = frames.packet(4, packets.TCP, b"x" * 100)
OPENING = frames.packet(4, packets.TCP, b"", flags=0x02)
DATAGRAM = frames.packet(4, packets.UDP, b"x")


def test_a_packet_that_passes_gets_its_verdict_at_once():
    bench = Bench(Impairment(loss=0.0))
    number = bench.take(DATA)
    assert bench.kernel.verdicts == [(number, nfqueue.ACCEPT, b"")]
    assert bench.mill.counters().seen == 1


def test_a_lost_packet_is_dropped_and_counted():
    bench = Bench(Impairment(loss=100))
    number = bench.take(DATA)
    assert bench.kernel.verdicts == [(number, nfqueue.DROP, b"")]
    assert bench.mill.counters().dropped == 1


def test_what_goes_out_late_is_taken_from_the_kernel_and_sent_anew():
    bench = Bench(Impairment(delay_ms=100))
    number = bench.take(DATA, mark=7)
    assert bench.kernel.verdicts == [(number, nfqueue.DROP, b"")]
    assert bench.mill.counters().dropped == 0
    assert bench.mill.counters().backlog == 1
    bench.at(0.099)
    assert bench.wire.sent == []
    bench.at(0.1001)
    assert bench.wire.sent == [(DATA, True, 7)]
    assert bench.mill.next_at is None


def test_the_packets_that_open_a_connection_stay_in_the_kernel_so_that_it_is_tracked():
    bench = Bench(Impairment(delay_ms=100))
    number = bench.take(OPENING)
    assert bench.kernel.verdicts == []
    bench.at(0.2)
    assert bench.kernel.verdicts == [(number, nfqueue.ACCEPT, b"")]
    assert bench.wire.sent == []


def test_the_first_datagrams_of_a_conversation_stay_in_the_kernel_and_later_ones_do_not():
    bench = Bench(Impairment(delay_ms=100))
    for _ in range(20):
        bench.take(DATAGRAM)
    assert len(bench.kernel.verdicts) == 4
    bench.at(1.0)
    assert [what for _, what, _ in bench.kernel.verdicts] == [nfqueue.DROP] * 4 + [nfqueue.ACCEPT] * 16
    assert len(bench.wire.sent) == 4


def test_what_comes_in_late_waits_in_the_kernel():
    bench = Bench(Impairment(delay_ms=100))
    number = bench.take(DATA, queue=IN)
    assert bench.kernel.verdicts == []
    bench.at(0.2)
    assert bench.kernel.verdicts == [(number, nfqueue.ACCEPT, b"")]


def test_packets_that_cannot_be_sent_anew_wait_in_the_kernel():
    bench = Bench(Impairment(delay_ms=100))
    bench.take(frames.packet(4, packets.TCP, b"x" * 2000))
    assert bench.kernel.verdicts == []


@pytest.mark.parametrize(("queue", "egress"), [(OUT, True), (IN, False)])
def test_a_second_copy_is_sent_after_the_original(queue: int, egress: bool):
    bench = Bench(Impairment(duplication=100))
    number = bench.take(DATA, queue=queue)
    assert bench.kernel.verdicts == [(number, nfqueue.ACCEPT, b"")]
    assert bench.wire.sent == [(DATA, egress, 0)]


def test_damage_replaces_the_packet_of_the_kernel():
    bench = Bench(Impairment(corruption=100))
    bench.take(DATA)
    ((_, what, padded),) = bench.kernel.verdicts
    assert what == nfqueue.ACCEPT
    assert padded[: len(DATA)] != DATA
    assert not packets.transport_is_sound(padded[: len(DATA)])


def test_a_damaged_packet_that_is_late_is_sent_damaged():
    bench = Bench(Impairment(delay_ms=10, corruption=100))
    bench.take(DATA)
    bench.at(1.0)
    ((sent, _, _),) = bench.wire.sent
    assert not packets.transport_is_sound(sent)


def test_late_packets_go_on_in_their_order():
    bench = Bench(Impairment(delay_ms=100))
    for number in range(50):
        bench.take(frames.packet(4, packets.TCP, bytes([number])), number / 1000)
    bench.at(1.0)
    assert [sent[-1] for sent, _, _ in bench.wire.sent] == list(range(50))


def test_more_than_may_wait_is_dropped_from_the_newest_and_counted(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(mills, "PACKETS", 10)
    bench = Bench(Impairment(delay_ms=60_000))
    for number in range(15):
        bench.take(frames.packet(4, packets.TCP, bytes([number])))
    assert bench.mill.counters().backlog == 10
    assert bench.mill.counters().dropped == 5
    assert bench.mill.trouble()["overflowed"] == 5
    bench.at(61.0)
    assert [sent[-1] for sent, _, _ in bench.wire.sent] == list(range(10))


def test_bytes_that_wait_are_bounded_too_and_given_back(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(mills, "BYTES", 3 * len(DATA))
    bench = Bench(Impairment(delay_ms=100))
    for _ in range(5):
        bench.take(DATA)
    assert bench.mill.counters().backlog == 3
    bench.at(1.0)
    bench.take(DATA, 1.0)
    assert bench.mill.counters().backlog == 1


def test_a_minute_of_hundreds_of_packets_a_second_has_room():
    bench = Bench(Impairment(delay_ms=60_000))
    for number in range(60 * 500):
        bench.take(DATAGRAM, number / 500)
    assert bench.mill.counters().backlog == 60 * 500
    assert bench.mill.counters().dropped == 0


@pytest.mark.parametrize(
    ("impairment", "direction", "whole", "single"),
    [
        (Impairment(delay_ms=1), "ingress", False, False),
        (Impairment(delay_ms=1), "egress", True, True),
        (Impairment(loss=1), "egress", False, True),
        (Impairment(corruption=1), "ingress", True, True),
        (Impairment(duplication=1), "ingress", True, True),
        (Impairment(rate_kbit=1), "egress", True, True),
    ],
)
def test_no_more_is_copied_than_needed(impairment: Impairment, direction, whole: bool, single: bool):
    assert mills.needs_whole(impairment, direction) is whole
    assert mills.needs_single(impairment, direction) is single
