"""One call of the gRPC health service, ``/grpc.health.v1.Health/Check``, over plain HTTP/2.

A whole HTTP/2 stack would be a dependency for one unary call, so this speaks the few frames that it takes. Source:
RFC 9113 (frames), RFC 7541 (literal header fields, never indexed), the gRPC health checking protocol.
"""

import asyncio
import struct

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
STATUSES = {0: "UNKNOWN", 1: "SERVING", 2: "NOT_SERVING", 3: "SERVICE_UNKNOWN"}
_DATA, _HEADERS, _RESET, _SETTINGS, _PING, _GOAWAY = 0x0, 0x1, 0x3, 0x4, 0x6, 0x7
_ACK = _END_STREAM = 0x1
_END_HEADERS = 0x4


class Failed(Exception):
    """The server answers, but not with a health status."""


async def check(host: str, port: int, service: str) -> str:
    """The status of a service ('' for the server as a whole). Raises OSError and Failed."""
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(PREFACE + _frame(_SETTINGS, 0, 0, b"") + _request(f"{host}:{port}", service))
        await writer.drain()
        return await _answer(reader, writer)
    except asyncio.IncompleteReadError as error:
        raise Failed("the server does not implement the grpc health protocol (grpc.health.v1.Health)") from error
    finally:
        writer.close()


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
    body = b""
    while True:
        kind, flags, stream, payload = await _read(reader)
        if kind == _SETTINGS and not flags & _ACK:
            writer.write(_frame(_SETTINGS, _ACK, 0, b""))
        elif kind == _PING and not flags & _ACK:
            writer.write(_frame(_PING, _ACK, 0, payload))
        elif kind in (_RESET, _GOAWAY):
            raise Failed("the connection was ended by the server")
        elif stream == 1 and kind == _DATA:
            body += payload
            if len(body) >= 5 and len(body) >= 5 + int.from_bytes(body[1:5], "big"):
                return _status(body[5:])
        if stream == 1 and kind in (_DATA, _HEADERS) and flags & _END_STREAM:
            raise Failed("the server does not implement the grpc health protocol (grpc.health.v1.Health)")


async def _read(reader: asyncio.StreamReader) -> tuple[int, int, int, bytes]:
    head = await reader.readexactly(9)
    length = int.from_bytes(head[:3], "big")
    kind, flags, stream = struct.unpack(">BBI", head[3:])
    return kind, flags, stream & 0x7FFFFFFF, await reader.readexactly(length)


def _request(authority: str, service: str) -> bytes:
    headers = {
        ":method": "POST",
        ":scheme": "http",
        ":path": "/grpc.health.v1.Health/Check",
        ":authority": authority,
        "content-type": "application/grpc",
        "te": "trailers",
        "user-agent": "kube-probe/1.37",
    }
    block = b"".join(b"\x10" + _text(name) + _text(value) for name, value in headers.items())
    message = b"\x0a" + bytes((len(service),)) + service.encode() if service else b""
    body = b"\0" + len(message).to_bytes(4, "big") + message
    return _frame(_HEADERS, _END_HEADERS, 1, block) + _frame(_DATA, _END_STREAM, 1, body)


def _text(word: str) -> bytes:
    """A string literal of HPACK without Huffman coding; all of ours are shorter than 127 bytes."""
    return bytes((len(word),)) + word.encode()


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "big") + struct.pack(">BBI", kind, flags, stream) + payload


def _status(message: bytes) -> str:
    """Field 1 of HealthCheckResponse, a varint; absent means 0."""
    return STATUSES.get(message[1] if message[:1] == b"\x08" and len(message) > 1 else 0, "UNKNOWN")
