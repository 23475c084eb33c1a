"""HTTP upgrades under uvicorn: the application answers 101 and takes the connection over.

ASGI knows no upgrade but that to WebSocket, and kubectl upgrades to SPDY/3.1 as well. So this subclass of uvicorn's
protocol hands every request with an ``Upgrade`` header to the application as an ordinary HTTP request (authentication,
authorization and refusals are then those of any request), with an ASGI extension in its scope:
``scope["extensions"][EXTENSION]`` is an ``Accept``. Give it to uvicorn as ``Config(http=upgrade.Protocol, ws="none")``.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import httptools
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from litmus.sandbox.machinery import status

EXTENSION = "litmus.sandbox.upgrade"
_BUFFER_BYTES = 65_536
_FAREWELL_S = 2.0
_SWITCHING = 101
Header = tuple[str, str]


class Connection:
    """The bytes behind an upgrade, TLS or not. ``read`` takes what is there, ``write`` waits for a slow reader."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, forget: Callable[[Any], None]
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._forget = forget

    async def read(self) -> bytes:
        """At least one byte; b'' when the peer is gone."""
        try:
            return await self._reader.read(_BUFFER_BYTES)
        except OSError:
            return b""

    async def write(self, data: bytes) -> None:
        """Raises OSError when the peer is gone."""
        self._writer.write(data)
        await self._writer.drain()

    def shutdown(self) -> None:
        """What uvicorn calls on each connection when the server stops."""
        self._writer.transport.abort()

    async def close(self) -> None:
        """Send what was written and close. TLS waits long for the peer's farewell, this does not."""
        self._writer.close()
        with contextlib.suppress(OSError):
            async with asyncio.timeout(_FAREWELL_S):
                await self._writer.wait_closed()
        with contextlib.suppress(AttributeError):  # a TLS connection that is closed already, in Python before 3.11.3
            self._writer.transport.abort()
        self._forget(self)


Accept = Callable[[Sequence[Header]], Awaitable[Connection]]


class Taken(Response):
    """What a handler returns after an upgrade: there is nothing left to answer."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        pass


def wanted(request: Request) -> str:
    """The protocol that the client asks for, in lower case. Raises Refusal (400) when it asks for none."""
    asked = [token.strip().lower() for token in ",".join(request.headers.getlist("connection")).split(",")]
    found = request.headers.get("upgrade", "").lower()
    if "upgrade" not in asked or not found:
        raise status.bad_request("Upgrade request required")
    return found


async def accept(request: Request, *headers: Header) -> Connection:
    """Answer 101 with these headers; the connection is the caller's from here on."""
    take: Accept | None = request.scope.get("extensions", {}).get(EXTENSION)
    if take is None:
        raise status.internal("this server cannot upgrade connections")
    return await take(headers)


class Protocol(HttpToolsProtocol):
    """uvicorn's HTTP/1.1, less its own way to WebSocket, plus the extension."""

    _upgrading = False  # this connection has brought an upgrade request, which is the last that it brings
    _early = b""  # what came behind it

    def _should_upgrade(self) -> bool:
        return False

    def data_received(self, data: bytes) -> None:
        """As uvicorn does; what follows an upgrade request is kept for who takes the connection."""
        self._unset_keepalive_if_required()
        if self._upgrading:
            self._keep(data)
            return
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._keep(data[upgrade.args[0] :])
        except httptools.HttpParserError:
            self.send_400_response("Invalid HTTP request received.")

    def _keep(self, data: bytes) -> None:
        self._early += data
        if len(self._early) > _BUFFER_BYTES:
            self.flow.pause_reading()

    def on_headers_complete(self) -> None:
        """The cycle that uvicorn begins here runs the application only later, so the scope may still be changed."""
        if self.parser.should_upgrade():
            self._upgrading = True
            self.scope["extensions"] = {EXTENSION: self._accept}  # type: ignore[dict-item]  # ASGI leaves the values open
        super().on_headers_complete()
        if self._upgrading:
            self.cycle.keep_alive = False  # httptools parses nothing more on this connection

    async def _accept(self, headers: Sequence[Header]) -> Connection:
        cycle, transport = self.cycle, self.transport
        if cycle.disconnected or cycle.response_started or transport.is_closing():
            raise ConnectionResetError("the client has gone")
        cycle.response_started = cycle.response_complete = True
        lines = [f"{name}: {value}\r\n".encode("latin-1") for name, value in headers]
        transport.write(b"".join([STATUS_LINE[_SWITCHING], b"Connection: Upgrade\r\n", *lines, b"\r\n"]))
        reader = asyncio.StreamReader(limit=_BUFFER_BYTES, loop=self.loop)
        protocol = asyncio.StreamReaderProtocol(reader, loop=self.loop)
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        reader.feed_data(self._early)
        self.flow.resume_reading()
        connection = Connection(
            reader, asyncio.StreamWriter(transport, protocol, reader, self.loop), self.connections.discard
        )
        self.connections.discard(self)
        self.connections.add(connection)  # type: ignore[arg-type]  # uvicorn only calls its shutdown
        return connection
