"""A SPDY client of the tests: kubectl's side of an upgrade, frame by frame."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from litmus.sandbox.apiserver.streams import spdy


@dataclass
class Refused(Exception):
    code: int
    head: str
    body: str


@dataclass
class Client:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    head: str
    framer: spdy.Framer = field(default_factory=spdy.Framer)
    received: dict[int, bytes] = field(default_factory=dict)
    finished: set[int] = field(default_factory=set)
    reset: set[int] = field(default_factory=set)
    others: list[spdy.Frame] = field(default_factory=list)
    last: int = -1

    async def send(self, *frames: spdy.Frame) -> None:
        for frame in frames:
            self.writer.write(self.framer.encode(frame))
        await self.writer.drain()

    async def open(self, **headers: str) -> int:
        self.last += 2
        await self.send(spdy.SynStream(self.last, headers))
        self.received[self.last] = b""
        return self.last

    async def until_finished(self, *streams: int) -> None:
        """Read until the server has finished or reset these streams."""
        while not set(streams) <= self.finished | self.reset:
            await self.read()

    async def read(self) -> None:
        data = await self.reader.read(65_536)
        if not data:
            raise ConnectionResetError("the server has gone")
        for frame in self.framer.feed(data):
            match frame:
                case spdy.Data(stream_id, piece, fin):
                    self.received[stream_id] += piece
                    if fin:
                        self.finished.add(stream_id)
                case spdy.RstStream(stream_id):
                    self.reset.add(stream_id)
                case _:
                    self.others.append(frame)

    async def until_gone(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                await self.read()


@contextlib.asynccontextmanager
async def connect(port: int, path: str, *protocols: str, early: bytes = b"") -> AsyncIterator[Client]:
    """Upgrade. Raises Refused with the server's answer when it does not."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        lines = [f"POST {path} HTTP/1.1", "Host: x", "Connection: Upgrade", "Upgrade: SPDY/3.1", "Content-Length: 0"]
        lines += [f"X-Stream-Protocol-Version: {protocol}" for protocol in protocols]
        writer.write("\r\n".join([*lines, "", ""]).encode() + early)
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        code = int(head.split()[1])
        if code != 101:
            raise Refused(code, head, (await reader.read()).decode())
        yield Client(reader, writer, head)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
