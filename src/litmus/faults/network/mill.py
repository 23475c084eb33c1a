"""Packets from the kernel's queues in, verdicts and packets of our own out; between the two they wait in a heap.

A packet that is delayed stays in the kernel, or is taken out of it:

* What came in stays, and needs one short message to go on.
* What goes out still counts against its sender's socket while it is in the kernel. TCP lets only a millisecond's
  worth of data stand there (tcp(7), small queues), and UDP blocks when the socket's buffer is full, so a held packet
  would slow the sender down far more than a long line does. netem orphans such packets for that reason; here they are
  copied, dropped, and sent anew when their time has come.
* But a packet that is sent anew is root's, and address translation decides by the first packet of a conversation, often
  by whose it is (a service mesh spares its proxy so). So the packets that open a TCP connection, and the first ones of
  any other conversation, stay in the kernel; by the later ones it knows the conversation.

Memory is bounded: beyond PACKETS or BYTES the newest packet is dropped and counted, as netem does beyond its ``limit``.
"""

import heapq
import itertools
from dataclasses import dataclass
from random import Random
from typing import Literal

from . import nfqueue, packets
from .engine import Counters, Impairment
from .injection import Injection
from .scheduler import Fate, Scheduler

PACKETS = 32_768  # a minute of 500 packets a second
BYTES = 64 << 20
KERNEL_PACKETS = PACKETS + 4096  # so that our own limit is met first
_FIRST = 16  # packets of a conversation that stay in the kernel
_FLOWS = 8192
_AT_ONCE = 128  # verdicts in one message to the kernel
Direction = Literal["egress", "ingress"]


def held_back(impairment: Impairment) -> bool:
    """Whether packets have to wait at all."""
    return bool(impairment.delay_ms or impairment.jitter_ms or impairment.rate_kbit)


def needs_whole(impairment: Impairment, direction: Direction) -> bool:
    """Whether we have to see all of each packet, because we change it, send it twice or send it anew."""
    delayed = direction == "egress" and held_back(impairment)
    return bool(impairment.corruption or impairment.duplication) or delayed


def needs_single(impairment: Impairment, direction: Direction) -> bool:
    """Whether packets must come in the size that they have on the wire, and not put together by offload."""
    return bool(impairment.loss) or needs_whole(impairment, direction)


@dataclass(frozen=True, slots=True)
class _Waiting:
    """What is done when its time has come: a verdict for the kernel, or a packet of our own."""

    verdict: bytes
    data: bytes
    mark: int
    egress: bool
    size: int


class Mill:
    """Both directions of one interface. ``queues``: which direction each queue of the kernel belongs to."""

    def __init__(
        self, impairment: Impairment, queues: dict[int, Direction], *, injection: Injection, seed: int | None = None
    ) -> None:
        self._random = Random(seed)
        self._queues = queues
        self._schedulers = {queue: Scheduler(impairment, Random(self._random.random())) for queue in queues}
        self._injection = injection
        self._certain = not held_back(impairment)
        self._heap: list[tuple[float, int, _Waiting]] = []
        self._order = itertools.count()
        self._verdicts: list[bytes] = []
        self._copies: list[_Waiting] = []
        self._flows: dict[bytes, int] = {}
        self._bytes = self._seen = self._dropped = self._overflowed = 0

    @property
    def next_at(self) -> float | None:
        """When something has to be done, None when nothing waits."""
        return self._heap[0][0] if self._heap else None

    def counters(self) -> Counters:
        return Counters(seen=self._seen, dropped=self._dropped, backlog=len(self._heap))

    def trouble(self) -> dict[str, int]:
        """What went otherwise than asked: packets dropped because too many waited, and that could not be sent."""
        return {"overflowed": self._overflowed, "unsent": self._injection.failed}

    def take(self, packet: nfqueue.Packet, now: float) -> None:
        """Decides about a packet; what is due at once is done by the next ``flush``."""
        self._seen += 1
        fate = self._schedulers[packet.queue].fate(now, packet.length)
        if not fate.times:
            self._dropped += 1
            self._verdicts.append(nfqueue.verdict(packet, nfqueue.DROP))
        elif self._certain:
            self._pass(packet, fate)
        elif len(self._heap) >= PACKETS or self._bytes >= BYTES:
            self._dropped += 1
            self._overflowed += 1
            self._verdicts.append(nfqueue.verdict(packet, nfqueue.DROP))
        else:
            self._delay(packet, fate)

    def _pass(self, packet: nfqueue.Packet, fate: Fate) -> None:
        data = packets.corrupted(packet.data, self._random) if fate.corrupt else b""
        self._verdicts.append(nfqueue.verdict(packet, nfqueue.ACCEPT, data=data))
        for _ in fate.times[1:]:
            self._copies.append(self._own(packet, packet.data))

    def _delay(self, packet: nfqueue.Packet, fate: Fate) -> None:
        changed = packets.corrupted(packet.data, self._random) if fate.corrupt else b""
        if self._is_taken_out(packet):
            self._verdicts.append(nfqueue.verdict(packet, nfqueue.DROP))
            first = self._own(packet, changed or packet.data)
        else:
            accept = nfqueue.verdict(packet, nfqueue.ACCEPT, data=changed)
            first = _Waiting(accept, b"", 0, True, packet.length)
        self._wait(fate.times[0], first)
        for time in fate.times[1:]:
            self._wait(time, self._own(packet, packet.data))

    def _own(self, packet: nfqueue.Packet, data: bytes) -> _Waiting:
        return _Waiting(b"", data, packet.mark, self._queues[packet.queue] == "egress", len(data))

    def _is_taken_out(self, packet: nfqueue.Packet) -> bool:
        about = packets.shape(packet.data)
        if self._queues[packet.queue] != "egress" or about is None or not self._injection.takes(packet.data, about):
            return False
        if about.protocol == packets.TCP:
            return not packets.opens_connection(packet.data, about)
        if len(self._flows) >= _FLOWS:
            self._flows.clear()
        name = packets.flow(packet.data, about)
        self._flows[name] = seen = self._flows.get(name, 0) + 1
        return seen > _FIRST

    def _wait(self, time: float, what: _Waiting) -> None:
        self._bytes += what.size
        heapq.heappush(self._heap, (time, next(self._order), what))

    def release(self, now: float) -> None:
        """Everything whose time has come, in order; verdicts and packets of our own take turns."""
        heap = self._heap
        while heap and heap[0][0] <= now:
            what = heapq.heappop(heap)[2]
            self._bytes -= what.size
            if what.verdict:
                self._verdicts.append(what.verdict)
            else:
                self._copies.append(what)

    def flush(self, socket: nfqueue.Socket) -> None:
        """Verdicts first: a copy follows its original."""
        for at in range(0, len(self._verdicts), _AT_ONCE):
            socket.decide(b"".join(self._verdicts[at : at + _AT_ONCE]))
        self._verdicts.clear()
        for copy in self._copies:
            self._injection.send(copy.data, egress=copy.egress, mark=copy.mark)
        self._copies.clear()
