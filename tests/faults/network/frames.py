"""IP packets built by hand, with right checksums, independently of what is tested."""

import ipaddress
import struct

TARGET = {4: "10.99.0.1", 6: "fd99::1"}
PEER = {4: "10.99.0.2", 6: "fd99::2"}


def packet(
    family: int, protocol: int, body: bytes, *, flags: int = 0x10, to: str = "", extensions: bool = False
) -> bytes:
    """TCP (6) or UDP (17) from port 5000 to port 80."""
    ends = [ipaddress.ip_address(TARGET[family]).packed, ipaddress.ip_address(to or PEER[family]).packed]
    if protocol == 6:
        transport = struct.pack(">HHIIBBHHH", 5000, 80, 1, 1, 5 << 4, flags, 1000, 0, 0) + body
        at = 16
    else:
        transport = struct.pack(">HHHH", 5000, 80, 8 + len(body), 0) + body
        at = 6
    total = _sum(b"".join(ends) + struct.pack(">II", len(transport), protocol) + transport)
    # RFC 768: a checksum that comes out as zero is sent as all ones.
    transport = transport[:at] + struct.pack(">H", (~total & 0xFFFF) or 0xFFFF) + transport[at + 2 :]
    if family == 4:
        head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(transport), 7, 0, 64, protocol, 0) + b"".join(ends)
        head = head[:10] + struct.pack(">H", ~_sum(head) & 0xFFFF) + head[12:]
        return head + transport
    options = bytes((protocol, 0, 1, 4, 0, 0, 0, 0)) if extensions else b""
    following = 60 if extensions else protocol
    return struct.pack(">IHBB", 6 << 28, len(options + transport), following, 64) + b"".join(ends) + options + transport


def _sum(data: bytes) -> int:
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total
