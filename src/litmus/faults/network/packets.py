"""What a network fault has to know of an IP packet: whose it is, and how to damage it. Pure.

Sources: RFC 791 and RFC 8200 (headers), RFC 1071 (checksum), RFC 9293 (flags of TCP).
"""

from ipaddress import ip_address
from random import Random
from typing import NamedTuple

_EXTENSIONS = frozenset({0, 43, 60})  # hop-by-hop options, routing, destination options
_FRAGMENT = 44
TCP, UDP = 6, 17
_SYN = 0x02
_HEADER_4, _HEADER_6 = 20, 40


class Shape(NamedTuple):
    """The headers of a packet. ``start``: where the transport's header begins; ``fragment``: not its first piece."""

    family: int
    protocol: int
    start: int
    destination: bytes
    source: bytes
    fragment: bool


def shape(data: bytes) -> Shape | None:
    """None for what is no complete IP header."""
    if len(data) >= _HEADER_4 and data[0] >> 4 == 4:
        offset = int.from_bytes(data[6:8], "big") & 0x1FFF
        return Shape(4, data[9], (data[0] & 0xF) * 4, data[16:20], data[12:16], offset > 0)
    if len(data) >= _HEADER_6 and data[0] >> 4 == 6:
        protocol, start, fragment = _last_header(data)
        return Shape(6, protocol, start, data[24:40], data[8:24], fragment)
    return None


def _last_header(data: bytes) -> tuple[int, int, bool]:
    kind, at = data[6], _HEADER_6
    while at + 8 <= len(data):
        if kind in _EXTENSIONS:
            kind, at = data[at], at + (data[at + 1] + 1) * 8
        elif kind == _FRAGMENT:
            if int.from_bytes(data[at + 2 : at + 4], "big") >> 3:
                return data[at], at + 8, True
            kind, at = data[at], at + 8
        else:
            break
    return kind, at, False


def opens_connection(data: bytes, about: Shape) -> bool:
    """A TCP packet with SYN: there is at most a handful of them for each connection."""
    flags = about.start + 13
    return about.protocol == TCP and len(data) > flags and bool(data[flags] & _SYN)


def flow(data: bytes, about: Shape) -> bytes:
    """What packets of one conversation have in common in one direction."""
    ports = data[about.start : about.start + 4] if about.protocol in (TCP, UDP) and not about.fragment else b""
    return bytes((about.protocol,)) + about.source + about.destination + ports


def to_one_host(about: Shape) -> bool:
    """Neither broadcast nor multicast."""
    first = about.destination[0]
    return first < 224 if about.family == 4 else first != 0xFF


def address(about: Shape) -> str:
    """The destination in words."""
    return str(ip_address(about.destination))


def corrupted(data: bytes, random: Random) -> bytes:
    """One bit behind the IP header is flipped and every checksum left as it was, so that the receiver rejects it.

    Not in the IP header, whose damage a router would see and not the receiver. One wrong bit always shows in an
    Internet checksum; a UDP packet without one arrives damaged, as it would on a wire.
    """
    about = shape(data)
    start = min(about.start if about else 0, len(data) - 1)
    at = random.randrange(start, len(data))
    damaged = bytearray(data)
    damaged[at] ^= 1 << random.randrange(8)
    return bytes(damaged)


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071); 0 over data that carries a right one."""
    if len(data) % 2:
        data += b"\0"
    total = sum(int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def transport_is_sound(data: bytes) -> bool:
    """Whether the checksum of a TCP, UDP or ICMP packet is right, as its receiver would find."""
    about = shape(data)
    if about is None:
        return False
    body = data[about.start :]
    if about.protocol == 1:
        return checksum(body) == 0
    return checksum(_pseudo_header(about, len(body)) + body) == 0


def _pseudo_header(about: Shape, length: int) -> bytes:
    ends = about.source + about.destination
    if about.family == 4:
        return ends + bytes((0, about.protocol)) + length.to_bytes(2, "big")
    return ends + length.to_bytes(4, "big") + bytes((0, 0, 0, about.protocol))
