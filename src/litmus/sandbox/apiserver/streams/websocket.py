"""The server's side of a WebSocket on an upgraded connection, by the sans-I/O core of the library ``websockets``.

The handshake is done here, because the request was read as HTTP already. Text messages are taken as their UTF-8 bytes:
the official Python client sends what it was given as str so.
"""

import asyncio
import contextlib
from collections.abc import Iterator, Sequence

from starlette.requests import Request
from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import SERVER, State
from websockets.protocol import Protocol as Core
from websockets.utils import accept_key

from litmus.sandbox.machinery import status

from . import upgrade

_MESSAGE_LIMIT_BYTES = 16 << 20
_FAREWELL_S = 2.0


class WebSocket:
    """Messages of bytes in both directions; ``protocol`` is the subprotocol that was agreed on."""

    def __init__(self, connection: upgrade.Connection, protocol: str) -> None:
        self.protocol = protocol
        self._connection = connection
        self._core = Core(SERVER, state=State.OPEN, max_size=_MESSAGE_LIMIT_BYTES)
        self._messages: Iterator[bytes] = iter(())
        self._parts: list[bytes] = []
        self._over = False  # no message can come any more

    async def receive(self) -> bytes | None:
        """The next message, None when the client has said goodbye or is gone."""
        while True:
            for message in self._messages:
                return message
            if self._over:
                return None
            await self._read()

    async def send(self, message: bytes) -> None:
        """Raises OSError when the client is gone."""
        if self._core.state is not State.OPEN:
            raise ConnectionResetError("the WebSocket is closed")
        self._core.send_binary(message)
        await self._flush()

    async def close(self) -> None:
        """Say goodbye, wait a little for the client's, so that what was sent before is not lost, and close."""
        if self._core.state is State.OPEN:
            self._core.send_close(CloseCode.NORMAL_CLOSURE)
        with contextlib.suppress(OSError, TimeoutError):
            await self._flush()
            async with asyncio.timeout(_FAREWELL_S):
                while not self._over:
                    await self._read()
        await self._connection.close()

    async def _read(self) -> None:
        """Take in what the client sends next."""
        data = await self._connection.read()
        if data:
            self._core.receive_data(data)
        else:
            self._core.receive_eof()
        self._messages = self._joined(self._core.events_received())
        self._over = not data or self._core.close_rcvd is not None or self._core.parser_exc is not None
        with contextlib.suppress(OSError):
            await self._flush()  # pongs, and the answer to a goodbye

    def _joined(self, frames: Sequence[object]) -> Iterator[bytes]:
        for frame in frames:
            if isinstance(frame, Frame) and frame.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
                self._parts.append(bytes(frame.data))
                if frame.fin:
                    message = b"".join(self._parts)
                    self._parts.clear()
                    yield message

    async def _flush(self) -> None:
        if data := b"".join(self._core.data_to_send()):
            await self._connection.write(data)


class Tunnel:
    """A byte stream inside a WebSocket: how kubectl 1.31 and later carry SPDY through proxies that know no SPDY."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket

    async def read(self) -> bytes:
        """At least one byte; b'' when the client is gone."""
        while (message := await self._socket.receive()) is not None:
            if message:
                return message
        return b""

    async def write(self, data: bytes) -> None:
        """Raises OSError when the client is gone."""
        await self._socket.send(data)


async def accept(request: Request, protocols: Sequence[str]) -> WebSocket:
    """Agree on the first subprotocol of the client's that is among ``protocols``. Raises Refusal (400, 403)."""
    key = request.headers.get("sec-websocket-key", "")
    if request.method != "GET" or not key or request.headers.get("sec-websocket-version") != "13":
        raise status.bad_request("a WebSocket begins with a GET, Sec-WebSocket-Version: 13 and a Sec-WebSocket-Key")
    chosen = agreed(request, protocols)
    connection = await upgrade.accept(
        request,
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Accept", accept_key(key)),
        ("Sec-WebSocket-Protocol", chosen),
    )
    return WebSocket(connection, chosen)


def agreed(request: Request, protocols: Sequence[str]) -> str:
    """Raises Refusal (403) when the client knows none of ``protocols``."""
    offered = [name.strip() for name in ",".join(request.headers.getlist("sec-websocket-protocol")).split(",")]
    found = next((name for name in offered if name in protocols), "")
    if not found:
        known = ", ".join(protocols)
        asked = ", ".join(filter(None, offered)) or "none"
        raise status.Refusal(403, "Forbidden", f"unknown WebSocket subprotocol ({asked}); this server knows {known}")
    return found
