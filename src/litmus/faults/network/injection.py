"""Sending packets of our own: second copies, and packets that were taken out of the kernel to be delayed.

Towards the peer a raw socket bound to the interface sends them with a mark that our rules let pass. A copy of a packet
that came in goes to the local address by way of loopback, where no rule of ours looks: the socket that receives it
sees the peer's address as ever, only an application that binds to the interface would miss it.

Both pass the chain OUTPUT, as packets of root: rules there that ask for the owner of a packet don't know its sender.

Sources: raw(7) for IP_HDRINCL, whose checksum of the IPv4 header the kernel fills in; ipv6(7).
"""

import fcntl
import socket
import struct

from . import packets, rules

_SIOCGIFMTU = 0x8921
_IPV6_HDRINCL = 36
_SEND_BYTES = 8 << 20
_SO_SNDBUFFORCE = 32


def mtu(interface: str) -> int:
    """Bytes of the largest IP packet that the interface takes in one piece. Raises OSError if there is none such."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        answer = fcntl.ioctl(any_socket, _SIOCGIFMTU, struct.pack("16sI12x", interface.encode(), 0))
    return int(struct.unpack_from("16xI", answer)[0])


class Injection:
    """Raw sockets of both families. ``failed`` counts what the kernel refused to send."""

    def __init__(self, interface: str) -> None:
        """Raises OSError, PermissionError without the capability NET_RAW."""
        self.mtu = mtu(interface)
        self.failed = 0
        self._scope = socket.if_nametoindex(interface)
        self._out = {family: _raw(family, interface) for family in _supported()}
        self._in = {family: _raw(family, "") for family in _supported()}

    def takes(self, data: bytes, about: packets.Shape) -> bool:
        """Whether it can send such a packet as it is: it cuts nothing in pieces, and knows no group of receivers."""
        return len(data) <= self.mtu and packets.to_one_host(about) and about.family in self._out

    def send(self, data: bytes, *, egress: bool, mark: int = 0) -> None:
        about = packets.shape(data)
        raw = (self._out if egress else self._in).get(about.family) if about else None
        if about is None or raw is None:
            self.failed += 1
            return
        where = (packets.address(about), 0)
        control = [(socket.SOL_SOCKET, socket.SO_MARK, struct.pack("=I", mark | rules.MARK))] if mark else []
        try:
            raw.sendmsg([data], control, 0, where if about.family == 4 else (*where, 0, self._scope_of(about)))
        except OSError:  # no route any more, no room, too long: the packet is lost, and the count says so
            self.failed += 1

    def _scope_of(self, about: packets.Shape) -> int:
        """Link-local addresses mean nothing without the interface."""
        link_local = about.destination[0] == 0xFE and about.destination[1] & 0xC0 == 0x80
        return self._scope if link_local else 0


def _supported() -> tuple[int, ...]:
    return (4, 6) if socket.has_ipv6 else (4,)


def _raw(family: int, interface: str) -> socket.socket:
    kind = socket.AF_INET if family == 4 else socket.AF_INET6
    made = socket.socket(kind, socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC, socket.IPPROTO_RAW)
    if family == 4:
        made.setsockopt(socket.IPPROTO_IP, socket.IP_HDRINCL, 1)
    else:
        made.setsockopt(socket.IPPROTO_IPV6, _IPV6_HDRINCL, 1)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, rules.MARK)
    made.setsockopt(socket.SOL_SOCKET, _SO_SNDBUFFORCE, _SEND_BYTES)
    if interface:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
    return made
