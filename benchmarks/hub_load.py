"""Load on the hub's server: connections that are kept open, each asking again as soon as it has its answer.

The client is asyncio and a few lines, so that it takes little of the cores that it shares with the server. It speaks
HTTP as far as needed: an answer with its length, read to its last byte. Whoever measures another way uses a browser.
"""

import asyncio
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

from table import NotMeasured

_DEADLINE_S = 30.0


@dataclass(frozen=True, slots=True)
class Load:
    """One round: answers a second of all connections together, and how long each one took."""

    per_second: float
    taken_s: Sequence[float]

    @property
    def p99_s(self) -> float:
        """The latency that one answer in a hundred exceeds."""
        return statistics.quantiles(self.taken_s, n=100, method="inclusive")[98]


@dataclass(frozen=True, slots=True)
class Sizes:
    """A body in bytes, as it is and as it goes to who takes gzip."""

    raw: int
    packed: int


def _request(path: str, *, encoding: str) -> bytes:
    lines = (f"GET {path} HTTP/1.1", "Host: localhost", "Accept-Language: en", f"Accept-Encoding: {encoding}", "", "")
    return "\r\n".join(lines).encode()


async def load(port: int, paths: Sequence[str], *, connections: int, seconds: float) -> Load:
    """Asks for the paths in turn over each of the connections. One answer of each path before it does not count."""
    requests = [_request(path, encoding="gzip") for path in paths]
    clients = [await _Client.connected(port) for _ in range(connections)]
    try:
        for client in clients:
            for request in requests:
                await client.ask(request)
        began = time.perf_counter()
        until = began + seconds
        rounds = await asyncio.gather(*(client.keep_asking(requests, until=until) for client in clients))
        taken_s = time.perf_counter() - began
    finally:
        for client in clients:
            client.close()
    every = [one for each in rounds for one in each]
    return Load(per_second=len(every) / taken_s, taken_s=every)


async def sizes(port: int, path: str) -> Sizes:
    """How large an answer is."""
    client = await _Client.connected(port)
    try:
        raw = await client.ask(_request(path, encoding="identity"))
        return Sizes(raw=raw, packed=await client.ask(_request(path, encoding="gzip")))
    finally:
        client.close()


class _Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def connected(cls, port: int) -> "_Client":
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def keep_asking(self, requests: Sequence[bytes], *, until: float) -> list[float]:
        """How long each answer took."""
        taken: list[float] = []
        while time.perf_counter() < until:
            for request in requests:
                began = time.perf_counter()
                await self.ask(request)
                taken.append(time.perf_counter() - began)
        return taken

    async def ask(self, request: bytes) -> int:
        """One answer; the size of its body. Raises NotMeasured for any other status than 200."""
        self._writer.write(request)
        async with asyncio.timeout(_DEADLINE_S):
            head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
            status, _, fields = head.partition(b"\r\n")
            if b" 200 " not in status:
                raise NotMeasured(f"{request.splitlines()[0].decode()} was answered with {status.decode()}")
            size = int(fields.partition(b"content-length: ")[2].partition(b"\r\n")[0])
            await self._reader.readexactly(size)
        return size

    def close(self) -> None:
        self._writer.close()
