"""SPDY/3.1 framing without I/O: bytes ↔ frames, for either side of a connection.

Source: "SPDY Protocol - Draft 3.1" of the Chromium project, sections 2.2 (frames) and 2.6 (control frames). Windows are
read and written but nobody waits for one: the peers that exist, all built on moby/spdystream, neither send
WINDOW_UPDATE nor heed it, so who waited would stand still after 64 KiB. TCP slows a fast sender down.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

VERSION = 3
FIN, UNIDIRECTIONAL = 0x01, 0x02
PROTOCOL_ERROR, INVALID_STREAM, REFUSED_STREAM, CANCEL, INTERNAL_ERROR = 1, 2, 3, 5, 6
_CONTROL_LIMIT = 65_536  # bytes; a control frame of kubectl has some hundred
_HEADERS_LIMIT = 65_536  # bytes, when unpacked
_CONTROL = 0x8000
_ID = 0x7FFF_FFFF
_SYN_STREAM, _SYN_REPLY, _RST_STREAM, _SETTINGS, _PING, _GOAWAY, _HEADERS, _WINDOW_UPDATE = 1, 2, 3, 4, 6, 7, 8, 9
Block = dict[str, str]


class Violation(ValueError):
    """The peer broke the protocol; the connection cannot go on."""


@dataclass(frozen=True, slots=True)
class SynStream:
    stream_id: int
    headers: Block
    fin: bool = False
    unidirectional: bool = False
    associated: int = 0
    priority: int = 0


@dataclass(frozen=True, slots=True)
class SynReply:
    stream_id: int
    headers: Block
    fin: bool = False


@dataclass(frozen=True, slots=True)
class RstStream:
    stream_id: int
    status: int


@dataclass(frozen=True, slots=True)
class Settings:
    """(id, flags, value) of each."""

    entries: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, slots=True)
class Ping:
    ping_id: int


@dataclass(frozen=True, slots=True)
class GoAway:
    last_stream_id: int
    status: int = 0


@dataclass(frozen=True, slots=True)
class Headers:
    stream_id: int
    headers: Block
    fin: bool = False


@dataclass(frozen=True, slots=True)
class WindowUpdate:
    stream_id: int
    delta: int


@dataclass(frozen=True, slots=True)
class Data:
    """Bytes of a stream. A frame that comes in pieces is handed on in pieces; ``fin`` is on the last."""

    stream_id: int
    data: bytes
    fin: bool = False


Frame = SynStream | SynReply | RstStream | Settings | Ping | GoAway | Headers | WindowUpdate | Data


@dataclass(slots=True)
class Framer:
    """One side of one connection: header blocks are compressed with all that went before them."""

    _buffer: bytearray = field(default_factory=bytearray)
    _stream_id: int = 0
    _awaited: int = 0  # bytes of a data frame that are still to come
    _fin: bool = False
    _pack: "zlib._Compress" = field(default_factory=lambda: zlib.compressobj(zdict=_dictionary()))
    _unpack: "zlib._Decompress" = field(default_factory=lambda: zlib.decompressobj(zdict=_dictionary()))

    def encode(self, frame: Frame) -> bytes:
        """The bytes to send; frames must be sent in the order in which they were encoded."""
        match frame:
            case Data(stream_id, data, fin):
                return struct.pack(">II", stream_id, fin * FIN << 24 | len(data)) + data
            case SynStream(stream_id, headers, fin, unidirectional, associated, priority):
                flags = fin * FIN | unidirectional * UNIDIRECTIONAL
                fixed = struct.pack(">IIBB", stream_id, associated, priority << 5, 0)
                return _control(_SYN_STREAM, flags, fixed + self._packed(headers))
            case SynReply(stream_id, headers, fin):
                return _control(_SYN_REPLY, fin * FIN, struct.pack(">I", stream_id) + self._packed(headers))
            case Headers(stream_id, headers, fin):
                return _control(_HEADERS, fin * FIN, struct.pack(">I", stream_id) + self._packed(headers))
            case Settings(entries):
                listed = b"".join(struct.pack(">II", flags << 24 | id_, value) for id_, flags, value in entries)
                return _control(_SETTINGS, 0, struct.pack(">I", len(entries)) + listed)
            case Ping(ping_id):
                return _control(_PING, 0, struct.pack(">I", ping_id))
            case RstStream(first, second):
                return _control(_RST_STREAM, 0, struct.pack(">II", first, second))
            case GoAway(first, second):
                return _control(_GOAWAY, 0, struct.pack(">II", first, second))
            case WindowUpdate(first, second):
                return _control(_WINDOW_UPDATE, 0, struct.pack(">II", first, second))

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that these bytes complete; to be exhausted before more is fed. Raises Violation."""
        self._buffer += data
        while True:
            if self._awaited:
                if not self._buffer:
                    return
                yield self._data()
                continue
            if len(self._buffer) < 8:
                return
            first, second = struct.unpack_from(">II", self._buffer)
            flags, size = second >> 24, second & 0xFF_FFFF
            if first >> 31:
                if size > _CONTROL_LIMIT:
                    raise Violation(f"a control frame of {size} bytes")
                if len(self._buffer) < 8 + size:
                    return
                body = bytes(self._buffer[8 : 8 + size])
                del self._buffer[: 8 + size]
                yield from self._control_frame(first, flags, body)
                continue
            del self._buffer[:8]
            self._stream_id, self._awaited, self._fin = first, size, bool(flags & FIN)
            if not size:
                yield Data(first, b"", self._fin)

    def _data(self) -> Data:
        piece = bytes(self._buffer[: self._awaited])
        del self._buffer[: len(piece)]
        self._awaited -= len(piece)
        return Data(self._stream_id, piece, self._fin and not self._awaited)

    def _control_frame(self, head: int, flags: int, body: bytes) -> Iterator[Frame]:
        version, kind = head >> 16 & 0x7FFF, head & 0xFFFF
        if version != VERSION:
            raise Violation(f"a frame of SPDY version {version}")
        try:
            frame = self._decoded(kind, flags, body)
        except (struct.error, zlib.error, UnicodeDecodeError) as mistake:
            raise Violation(f"a broken control frame of type {kind}: {mistake}") from mistake
        if frame is not None:  # an unknown type is passed over
            yield frame

    def _decoded(self, kind: int, flags: int, body: bytes) -> Frame | None:
        fin = bool(flags & FIN)
        match kind:
            case 1:
                stream_id, associated, priority, _ = struct.unpack_from(">IIBB", body)
                headers = self._unpacked(body[10:])
                sole = bool(flags & UNIDIRECTIONAL)
                return SynStream(stream_id & _ID, headers, fin, sole, associated & _ID, priority >> 5)
            case 2:
                return SynReply(_number(body) & _ID, self._unpacked(body[4:]), fin)
            case 8:
                return Headers(_number(body) & _ID, self._unpacked(body[4:]), fin)
            case 4:
                pairs = (struct.unpack_from(">II", body, 4 + 8 * index) for index in range(_number(body)))
                return Settings(tuple((head & 0xFF_FFFF, head >> 24, value) for head, value in pairs))
            case 6:
                return Ping(_number(body))
            case 3:
                return RstStream(*struct.unpack(">II", body))
            case 7:
                return GoAway(*struct.unpack(">II", body))
            case 9:
                return WindowUpdate(*struct.unpack(">II", body))
        return None

    def _packed(self, headers: Block) -> bytes:
        block = [struct.pack(">I", len(headers))]
        for pair in headers.items():
            block += (struct.pack(">I", len(raw)) + raw for raw in map(str.encode, pair))
        return self._pack.compress(b"".join(block)) + self._pack.flush(zlib.Z_SYNC_FLUSH)

    def _unpacked(self, packed: bytes) -> Block:
        block = self._unpack.decompress(packed, _HEADERS_LIMIT)
        if self._unpack.unconsumed_tail:
            raise Violation(f"headers of more than {_HEADERS_LIMIT} bytes")
        at, texts = 4, []
        for _ in range(2 * _number(block)):
            size = _number(block, at)
            texts.append(block[at + 4 : at + 4 + size].decode())
            at += 4 + size
        if at != len(block):
            raise Violation("headers whose lengths do not add up")
        return {name.lower(): value for name, value in zip(texts[::2], texts[1::2], strict=True)}


def _number(body: bytes, at: int = 0) -> int:
    number: int = struct.unpack_from(">I", body, at)[0]
    return number


def _control(kind: int, flags: int, body: bytes) -> bytes:
    return struct.pack(">HHI", _CONTROL | VERSION, kind, flags << 24 | len(body)) + body


def _dictionary() -> bytes:
    """What both sides of the compression know beforehand (section 2.6.10.1): words with their lengths, then a text."""
    words = [*_WORDS.split(), "200 OK", "version", "HTTP/1.1", "url", "public", "set-cookie", "keep-alive", "origin"]
    return b"".join(struct.pack(">I", len(word)) + word.encode() for word in words) + _TEXT.encode()


_WORDS = """
options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow
authorization cache-control connection content-base content-encoding content-language content-length content-location
content-md5 content-range content-type date etag expect expires from host if-match if-modified-since if-none-match
if-range if-unmodified-since last-modified location max-forwards pragma proxy-authenticate proxy-authorization range
referer retry-after server te trailer transfer-encoding upgrade user-agent vary via warning www-authenticate method
get status
"""
_TEXT = (
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505"
    "203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized"
    "403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented503 Service Unavailable"
    "Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMT"
    "chunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,text/javascript,"
    "publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0."
)
