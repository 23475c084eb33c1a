"""Probe packets: sent from the target's network namespace to a peer that answers, timed and counted.

Without ports the probe is an ICMP echo (RFC 792, RFC 4443), with a port it is the opening of a TCP connection, which a
closed port answers as well. Sockets belong to the namespace of the thread that makes them. Needs NET_RAW.
"""

import contextlib
import os
import select
import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from ..contract import FaultError

# Large, so that a flipped bit hits what a checksum covers and seldom the Ethernet header, which none covers.
_PAYLOAD = 1000
_ECHO = {4: (8, 0), 6: (128, 129)}
# The kernel sends the first packet of a connection again after this time (RFC 6298), which would hide a lost one.
_RESENT_S = 0.95


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is asked. ``port`` 0: an ICMP echo."""

    address: str
    port: int = 0

    def __str__(self) -> str:
        return f"{self.address} port {self.port}" if self.port else self.address

    @property
    def family(self) -> socket.AddressFamily:
        return socket.AF_INET6 if ":" in self.address else socket.AF_INET


@dataclass(slots=True)
class Sample:
    """What came of one series. ``copies``: answers beyond the first of each probe; ``damaged``: with a wrong checksum.

    ``span_s``: from the first to the last answer.
    """

    sent: int = 0
    copies: int = 0
    damaged: int = 0
    span_s: float = 0.0
    rtts_ms: list[float] = field(default_factory=list)

    @property
    def answered(self) -> int:
        return len(self.rtts_ms)

    @property
    def bits(self) -> int:
        """Of the answers, without their Ethernet headers."""
        return (self.answered + self.copies) * (_PAYLOAD + 28) * 8

    @property
    def median_ms(self) -> float:
        ordered = sorted(self.rtts_ms)
        return ordered[len(ordered) // 2] if ordered else float("inf")


def probe(peer: Peer, *, count: int, window_s: float, gap_s: float = 0.002, settle_s: float = 0.0) -> Sample:
    """Sends ``count`` probes and waits up to ``window_s`` after the last one, no longer than for all of them.

    ``settle_s``: how long to wait on for copies after all were answered. Raises FaultError without NET_RAW.
    """
    try:
        series: Echoes | Connections = Connections(peer) if peer.port else Echoes(peer)
    except PermissionError as error:
        raise FaultError("probe packets need the capability NET_RAW in the helper pod") from error
    try:
        return _run(series, count=count, window_s=window_s, gap_s=gap_s, settle_s=settle_s)
    finally:
        series.close()


def _run(series: "Echoes | Connections", *, count: int, window_s: float, gap_s: float, settle_s: float) -> Sample:
    sample = Sample()
    sent_at: dict[int, float] = {}
    answered: set[int] = set()
    first = last = 0.0
    next_at = time.monotonic()
    give_up = next_at + count * gap_s + window_s
    while True:
        now = time.monotonic()
        if sample.sent < count and now >= next_at:
            sent_at[series.send()] = now
            sample.sent += 1
            next_at = now + gap_s
            if sample.sent == count:
                give_up = now + window_s
        until = next_at if sample.sent < count else give_up
        for key, intact in series.answers(max(0.0, until - time.monotonic())):
            now = time.monotonic()
            if key not in sent_at:
                continue
            if not intact:
                sample.damaged += 1
            elif key in answered:
                sample.copies += 1
            else:
                answered.add(key)
                sample.rtts_ms.append((now - sent_at[key]) * 1000)
                if len(answered) == count:
                    give_up = min(give_up, now + settle_s)
            first, last = first or now, now
        if sample.sent == count and time.monotonic() >= give_up:
            sample.span_s = last - first
            return sample


class Echoes:
    """ICMP echo requests; an answer carries the number of its request."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._version = 6 if peer.family == socket.AF_INET6 else 4
        protocol = socket.IPPROTO_ICMPV6 if self._version == 6 else socket.IPPROTO_ICMP
        self._socket = socket.socket(peer.family, socket.SOCK_RAW | socket.SOCK_NONBLOCK, protocol)
        self._id = int.from_bytes(os.urandom(2))
        self._body = os.urandom(_PAYLOAD)
        self._number = -1

    def send(self) -> int:
        """The number of the probe."""
        self._number += 1
        head = struct.pack("!BBHHH", _ECHO[self._version][0], 0, 0, self._id, self._number & 0xFFFF)
        sum_ = 0 if self._version == 6 else checksum(head + self._body)  # the kernel does it for ICMPv6
        # No route, or netem said that it dropped it: it counts as sent and is never answered.
        with contextlib.suppress(OSError):
            self._socket.sendto(head[:2] + struct.pack("!H", sum_) + head[4:] + self._body, (self._peer.address, 0))
        return self._number

    def answers(self, wait_s: float) -> Iterator[tuple[int, bool]]:
        if not select.select([self._socket], [], [], wait_s)[0]:
            return
        while True:
            try:
                data = self._socket.recv(65535)
            except BlockingIOError:
                return
            message = data[(data[0] & 15) * 4 :] if self._version == 4 else data
            if len(message) < 8:
                continue
            kind, _, _, id_, number = struct.unpack("!BBHHH", message[:8])
            if kind == _ECHO[self._version][1] and id_ == self._id:
                # Raw sockets of IPv4 get a message before its checksum is looked at.
                yield number, self._version == 6 or checksum(message) == 0

    def close(self) -> None:
        self._socket.close()


class Connections:
    """TCP connections that are opened and dropped; each is told by its own local port."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._open: dict[int, socket.socket] = {}
        self._poll = select.poll()
        self._keys: dict[int, int] = {}
        self._number = -1
        # Sees every answer, so that a second one to the same opening is counted.
        self._raw = socket.socket(peer.family, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.IPPROTO_TCP)
        self._ports: dict[int, int] = {}
        self._seen: set[int] = set()
        self._poll.register(self._raw, select.POLLIN)

    def send(self) -> int:
        self._number += 1
        connection = socket.socket(self._peer.family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.connect_ex((self._peer.address, self._peer.port))
        self._open[connection.fileno()] = connection
        self._keys[connection.fileno()] = self._number
        self._ports[connection.getsockname()[1]] = self._number
        self._poll.register(connection, select.POLLOUT)
        return self._number

    def answers(self, wait_s: float) -> Iterator[tuple[int, bool]]:
        ready = {number for number, _ in self._poll.poll(wait_s * 1000)}
        for number in ready & self._keys.keys():
            self._poll.unregister(number)
            error = self._open[number].getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if error in (0, 111):  # open, or refused: the peer has answered
                yield self._keys[number], True
        if self._raw.fileno() in ready:
            yield from self._copies()

    def _copies(self) -> Iterator[tuple[int, bool]]:
        while True:
            try:
                data, sender = self._raw.recvfrom(65535)
            except BlockingIOError:
                return
            segment = data[(data[0] & 15) * 4 :] if self._peer.family == socket.AF_INET else data
            if str(sender[0]) != self._peer.address or len(segment) < 20:
                continue
            source, target = struct.unpack("!HH", segment[:4])
            if source == self._peer.port and target in self._ports and segment[13] & 0x06:  # SYN or RST
                key = self._ports[target]
                if key in self._seen:
                    yield key, True
                self._seen.add(key)

    def close(self) -> None:
        self._raw.close()
        for connection in self._open.values():
            connection.close()


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071); 0 for data that includes its own."""
    padded = data + b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def patience_s(peer: Peer, wanted_s: float) -> float:
    """How long an answer is waited for: a repeated opening of a connection must not count as the first one."""
    return min(wanted_s, _RESENT_S) if peer.port else wanted_s
