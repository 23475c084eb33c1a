"""A SPDY connection as its server sees it: streams that the client opens, each a pair of byte streams.

What a stream has received and nobody has read yet is bounded; a stream that is full stops the whole connection, as
it does in moby/spdystream.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Protocol

from . import spdy

_STREAM_LIMIT_BYTES = 1 << 20
_CHUNK_BYTES = 32_768
_OPEN_LIMIT = 2_000


class Pipe(Protocol):
    """What a session talks through: an upgraded connection, or a WebSocket that tunnels one."""

    async def read(self) -> bytes: ...  # b'' at the end

    async def write(self, data: bytes) -> None: ...  # raises OSError when the peer is gone


@dataclass(slots=True, eq=False)
class Stream:
    """One stream of the client's; ``headers`` have lower-case names."""

    stream_id: int
    headers: spdy.Block
    _session: "Session"
    _received: deque[bytes] = field(default_factory=deque)
    _size: int = 0
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    _ended: bool = False  # nothing more will be received
    _finished: bool = False  # nothing more may be sent

    async def read(self) -> bytes:
        """What has come, at least one byte; b'' when the client has finished, reset the stream or gone."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._received or self._ended)
            found = b"".join(self._received)
            self._received.clear()
            self._size = 0
            self._changed.notify_all()
        return found

    async def write(self, data: bytes) -> None:
        """Raises OSError when the stream is over."""
        for at in range(0, len(data), _CHUNK_BYTES):
            if self._finished:
                raise ConnectionResetError("the stream is closed")
            await self._session.send(spdy.Data(self.stream_id, data[at : at + _CHUNK_BYTES]))

    async def finish(self) -> None:
        """Say that nothing more will be sent."""
        if not self._finished:
            self._finished = True
            with contextlib.suppress(OSError):
                await self._session.send(spdy.Data(self.stream_id, b"", fin=True))
            self._session.forget(self)

    async def reset(self, why: int = spdy.CANCEL) -> None:
        """End it in both directions at once."""
        if not (self._finished and self._ended):
            with contextlib.suppress(OSError):
                await self._session.send(spdy.RstStream(self.stream_id, why))
        await self.end(finished=True)

    async def take(self, data: bytes) -> None:
        """Keep what the client sent; waits while too much is kept."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._size < _STREAM_LIMIT_BYTES or self._ended)
            if data and not self._ended:
                self._received.append(data)
                self._size += len(data)
                self._changed.notify_all()

    async def end(self, *, finished: bool = False) -> None:
        """The client sends nothing more; ``finished``: nor does it take anything."""
        async with self._changed:
            self._ended = True
            self._finished = self._finished or finished
            self._changed.notify_all()
        self._session.forget(self)

    @property
    def over(self) -> bool:
        return self._ended and self._finished


class Session:
    """The streams of one connection. ``serve`` must run for anything to arrive."""

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe
        self._framer = spdy.Framer()
        self._streams: dict[int, Stream] = {}
        self._last = 0
        self._opened: asyncio.Queue[Stream | None] = asyncio.Queue()

    async def opened(self) -> AsyncIterator[Stream]:
        """Each stream that the client opens, until it is gone."""
        while (stream := await self._opened.get()) is not None:
            yield stream

    async def serve(self) -> None:
        """Read until the client is gone or breaks the protocol; then all streams end."""
        try:
            while data := await self._pipe.read():
                for frame in self._framer.feed(data):
                    await self._handle(frame)
        except spdy.Violation:
            with contextlib.suppress(OSError):
                await self.send(spdy.GoAway(self._last, spdy.PROTOCOL_ERROR))
        except OSError:
            pass  # gone while it was being answered
        finally:
            self._opened.put_nowait(None)
            for stream in list(self._streams.values()):
                await stream.end(finished=True)

    async def send(self, frame: spdy.Frame) -> None:
        """Raises OSError when the client is gone."""
        await self._pipe.write(self._framer.encode(frame))

    def forget(self, stream: Stream) -> None:
        if stream.over:
            self._streams.pop(stream.stream_id, None)

    async def _handle(self, frame: spdy.Frame) -> None:
        match frame:
            case spdy.SynStream():
                await self._open(frame)
            case spdy.Data(stream_id, data, fin):
                stream = self._streams.get(stream_id)
                if stream is not None:
                    await stream.take(data)
                    if fin:
                        await stream.end()
            case spdy.RstStream(stream_id):
                if (stream := self._streams.get(stream_id)) is not None:
                    await stream.end(finished=True)
            case spdy.Headers(stream_id, _, True):
                if (stream := self._streams.get(stream_id)) is not None:
                    await stream.end()
            case spdy.Ping(ping_id) if ping_id % 2:
                await self.send(frame)
            case _:
                pass  # settings, windows, a farewell: the client closes the connection itself

    async def _open(self, frame: spdy.SynStream) -> None:
        if frame.stream_id <= self._last or frame.stream_id % 2 == 0:
            await self.send(spdy.RstStream(frame.stream_id, spdy.PROTOCOL_ERROR))
            return
        self._last = frame.stream_id
        if len(self._streams) >= _OPEN_LIMIT:
            await self.send(spdy.RstStream(frame.stream_id, spdy.REFUSED_STREAM))
            return
        stream = Stream(frame.stream_id, frame.headers, self)
        self._streams[frame.stream_id] = stream
        await self.send(spdy.SynReply(frame.stream_id, {}))
        if frame.fin:
            await stream.end()
        self._opened.put_nowait(stream)
