"""One question to the health service of gRPC, ``grpc.health.v1.Health/Check``, over plain HTTP/2.

One call on a fresh connection needs five kinds of frames and no compression of headers, so an HTTP/2 library in every
pod of a run would be too much for it. Sources: RFC 9113 (frames), RFC 7541 5.1 and 6.2.2 (literal header fields), gRPC
over HTTP/2, and the health checking protocol of gRPC.
"""

import asyncio
from collections.abc import Iterator

from .aim import Aim
from .dialling import Outcome, outcome

_HELLO = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _RESET, _SETTINGS, _PING, _GOAWAY = 0, 1, 3, 4, 6, 7
_END_STREAM = _ACKNOWLEDGED = 0x1
_END_HEADERS = 0x4
_PADDED = 0x8
# The largest frame that a server may send to who has not allowed more (RFC 9113, 6.5.2).
_LARGEST = 1 << 14
_STREAM = 1

_WORDS = {0: "UNKNOWN", 1: "SERVING", 2: "NOT_SERVING", 3: "SERVICE_UNKNOWN"}
NO_SERVICE = outcome("no-health-service", "no health status: the server or the service has no grpc.health.v1.Health")
ENDED = outcome("reset", "the server ended the call")
NOT_HTTP2 = outcome("protocol", "the answer is not HTTP/2")


def question(aim: Aim) -> bytes:
    """Everything that is sent, in one go: a server may not answer before, and need not."""
    fields = {
        ":method": "POST",
        ":scheme": "http",
        ":path": "/grpc.health.v1.Health/Check",
        ":authority": aim.authority,
        "content-type": "application/grpc",
        "te": "trailers",
        "user-agent": "litmus-traffic",
    }
    # 0x10: never indexed, with a new name.
    headers = b"".join(b"\x10" + _counted(key) + _counted(value) for key, value in fields.items())
    # Field 1 of HealthCheckRequest, a string.
    name = aim.target.encode()
    message = b"\x0a" + _varint(len(name)) + name if name else b""
    return b"".join(
        (
            _HELLO,
            _frame(_SETTINGS, b""),
            _frame(_HEADERS, headers, flags=_END_HEADERS, stream=_STREAM),
            _frame(_DATA, b"\0" + len(message).to_bytes(4) + message, flags=_END_STREAM, stream=_STREAM),
        )
    )


async def answered(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Outcome:
    """What the server says of its health. Raises OSError and IncompleteReadError where the connection ends."""
    message = bytearray()
    first = True
    while True:
        head = await reader.readexactly(9)
        size, kind, flags = int.from_bytes(head[:3]), head[3], head[4]
        if size > _LARGEST or (first and kind != _SETTINGS):
            return NOT_HTTP2
        first = False
        payload = await reader.readexactly(size)
        if kind in (_SETTINGS, _PING) and not flags & _ACKNOWLEDGED:
            writer.write(_frame(kind, payload if kind == _PING else b"", flags=_ACKNOWLEDGED))
        elif kind in (_RESET, _GOAWAY):
            return ENDED
        elif kind == _DATA:
            message += payload[1 : len(payload) - payload[0]] if flags & _PADDED and payload else payload
            if len(message) >= 5 and len(message) - 5 >= int.from_bytes(message[1:5]):
                return _health(bytes(message[5:]))
        if kind in (_DATA, _HEADERS) and flags & _END_STREAM:
            return NO_SERVICE


def _health(message: bytes) -> Outcome:
    """Field 1 of HealthCheckResponse, a varint; what is not sent is 0."""
    status = message[1] if message[:1] == b"\x08" and len(message) > 1 else 0
    word = _WORDS.get(status, "UNKNOWN")
    return outcome("" if status == 1 else "not-serving", f"status {word}")


def _frame(kind: int, payload: bytes, *, flags: int = 0, stream: int = 0) -> bytes:
    return len(payload).to_bytes(3) + bytes((kind, flags)) + stream.to_bytes(4) + payload


def _counted(text: str) -> bytes:
    """A string of HPACK: its length in an integer with a prefix of 7 bits, then its bytes as they are."""
    raw = text.encode()
    if len(raw) < 127:
        return bytes((len(raw),)) + raw
    return b"\x7f" + _varint(len(raw) - 127) + raw


def _varint(number: int) -> bytes:
    """Seven bits a byte, the lowest first, as both HPACK and Protocol Buffers write it."""
    return bytes(_sevens(number))


def _sevens(number: int) -> Iterator[int]:
    while number > 127:
        yield number & 127 | 128
        number >>= 7
    yield number
