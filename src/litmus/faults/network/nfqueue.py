"""Packet queues of the kernel (nfnetlink_queue) over a raw netlink socket.

Why not a library: python-netfilterqueue has to be compiled against libnetfilter_queue; fnfqueue has wheels for one
processor family only, needs cffi, and had its last release in March 2023. What we need of the protocol fits here.

Sources: linux/netfilter/nfnetlink_queue.h, net/netfilter/nfnetlink_queue.c, netlink(7). Raises FaultError.
"""

import os
import socket
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ..contract import FaultError

DROP, ACCEPT = 0, 1
QUEUES = Path("/proc/thread-self/net/netfilter/nfnetlink_queue")
HEADERS_ONLY, WHOLE_PACKET = 128, 0xFFFF  # bytes that are copied to us

_NETLINK_NETFILTER = 12
_SOL_NETLINK, _NETLINK_NO_ENOBUFS = 270, 5
_SO_RCVBUFFORCE = 33
_REQUEST, _ACK = 1, 4
_ERROR = 2
_PACKET, _VERDICT, _CONFIG = ((3 << 8) | message for message in range(3))  # 3: NFNL_SUBSYS_QUEUE
_CFG_COMMAND, _CFG_PARAMETERS, _CFG_MAXLEN, _CFG_MASK, _CFG_FLAGS = range(1, 6)
_COMMAND_BIND = 1
_COPY_PACKET = 2
_F_FAIL_OPEN, _F_GSO = 1, 4
_A_HEADER, _A_VERDICT, _A_MARK, _A_PAYLOAD, _A_LENGTH = 1, 2, 3, 10, 13
_HEADER = struct.Struct("=IHHII")  # netlink: length, type, flags, sequence, port
_GENERIC = struct.Struct(">BBH")  # nfgenmsg: family, version, number of the queue
_ATTRIBUTE = struct.Struct("=HH")
_PLACE = struct.Struct(">IHB")  # of the packet: id, EtherType, hook
_PLAIN_VERDICT = struct.Struct("=IHHII BBH HHII")
_LARGEST = 1 << 17
_RECEIVE_BYTES = 32 << 20


class Packet(NamedTuple):
    """A packet that waits in the kernel for a verdict. ``length`` is its own, ``data`` may be only its headers."""

    queue: int
    id: int
    length: int
    mark: int
    data: bytes


def verdict(packet: Packet, what: int, *, data: bytes = b"") -> bytes:
    """A message that decides about a packet; ``data`` replaces what it carries."""
    queue = socket.htons(packet.queue)
    decision = (12, _A_VERDICT, socket.htonl(what), socket.htonl(packet.id))
    if not data:
        return _PLAIN_VERDICT.pack(32, _VERDICT, _REQUEST, 0, 0, 0, 0, queue, *decision)
    payload = _attribute(_A_PAYLOAD, data)
    return _PLAIN_VERDICT.pack(32 + len(payload), _VERDICT, _REQUEST, 0, 0, 0, 0, queue, *decision) + payload


def parse(message: bytes) -> Iterator[Packet]:
    """The packets in what the kernel sent: one usually. Other messages - errors about late verdicts - are skipped."""
    at = 0
    while at + 20 <= len(message):
        size, kind = struct.unpack_from("=IH", message, at)
        if size < 20:
            return
        if kind == _PACKET:
            yield _packet(message, at, min(at + size, len(message)))
        at += (size + 3) & ~3


def _packet(message: bytes, at: int, end: int) -> Packet:
    queue = int.from_bytes(message[at + 18 : at + 20], "big")
    number, length, mark, data = 0, 0, 0, b""
    at += 20
    while at + 4 <= end:
        size, kind = _ATTRIBUTE.unpack_from(message, at)
        if kind == _A_PAYLOAD:
            data = message[at + 4 : at + size]
        elif kind == _A_HEADER:
            number = int.from_bytes(message[at + 4 : at + 8], "big")
        elif kind == _A_LENGTH:
            length = int.from_bytes(message[at + 4 : at + 8], "big")
        elif kind == _A_MARK:
            mark = int.from_bytes(message[at + 4 : at + 8], "big")
        at += (max(size, 4) + 3) & ~3
    return Packet(queue, number, length or len(data), mark, data)


def _attribute(kind: int, value: bytes) -> bytes:
    return _ATTRIBUTE.pack(4 + len(value), kind) + value + bytes(-len(value) % 4)


def in_use() -> set[int]:
    """The queues of this thread's network namespace that somebody listens to."""
    try:
        return {int(line.split()[0]) for line in QUEUES.read_text().splitlines() if line.strip()}
    except FileNotFoundError as error:
        raise FaultError("the node's kernel has no nfnetlink_queue (CONFIG_NETFILTER_NETLINK_QUEUE)") from error


class Socket:
    """One netlink socket that may listen to several queues of the network namespace it was made in."""

    def __init__(self) -> None:
        """Raises FaultError when the kernel offers no queues."""
        try:
            self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETLINK_NETFILTER)
        except OSError as error:
            raise FaultError(f"the node's kernel has no netfilter netlink: {error.strerror}") from error
        self._socket.bind((0, 0))
        # A burst is dropped packet by packet, and counted by the kernel, rather than reported as an error here.
        self._socket.setsockopt(_SOL_NETLINK, _NETLINK_NO_ENOBUFS, 1)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _RECEIVE_BYTES)
        except PermissionError:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BYTES)

    def listen(self, queue: int, *, copy: int, limit: int, segmented: bool) -> None:
        """Binds a queue of at most ``limit`` packets, of each of which ``copy`` bytes are shown to us.

        ``segmented``: the kernel cuts the large packets of segmentation offload to the size that they have on the wire
        and completes their checksums, so that they can be judged, changed and sent one by one.
        A full queue lets packets through: overload must not become an outage that nobody asked for.
        Raises FaultError, for instance when another process has the queue.
        """
        # The family is ignored since Linux 3.8; the queue serves IPv4 and IPv6.
        self._configure(queue, _attribute(_CFG_COMMAND, struct.pack(">BBH", _COMMAND_BIND, 0, 0)))
        self._configure(queue, _attribute(_CFG_PARAMETERS, struct.pack(">IB", copy, _COPY_PACKET)))
        self._configure(queue, _attribute(_CFG_MAXLEN, struct.pack(">I", limit)))
        flags = _F_FAIL_OPEN | (0 if segmented else _F_GSO)
        mask = _attribute(_CFG_MASK, struct.pack(">I", _F_FAIL_OPEN | _F_GSO))
        self._configure(queue, mask + _attribute(_CFG_FLAGS, struct.pack(">I", flags)))

    def _configure(self, queue: int, attributes: bytes) -> None:
        body = _GENERIC.pack(socket.AF_UNSPEC, 0, queue) + attributes
        self._socket.send(_HEADER.pack(16 + len(body), _CONFIG, _REQUEST | _ACK, 0, 0) + body)
        while True:
            answer = self._socket.recv(_LARGEST)
            if struct.unpack_from("=IH", answer)[1] == _ERROR:
                break
        code = -struct.unpack_from("=i", answer, 16)[0]
        if code:
            raise FaultError(f"packet queue {queue} of the kernel can't be had: {os.strerror(code)}")

    def fileno(self) -> int:
        return self._socket.fileno()

    def receive(self) -> bytes:
        """What waits, b'' if nothing does; never blocks."""
        try:
            return self._socket.recv(_LARGEST, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return b""

    def decide(self, verdicts: bytes) -> None:
        """Sends one or more verdicts in one call. The kernel works through them in the call itself."""
        self._socket.send(verdicts)

    def close(self) -> None:
        """The queues end with it; the kernel drops what still waits in them."""
        self._socket.close()
