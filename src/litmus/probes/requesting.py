"""One request of a trafficProbe from the first byte to the last: HTTP, a TCP connection, or the health of gRPC.

HTTP is spoken by ``h11`` on a bare connection, and not by the client that httpProbe uses: for a request on a connection
of its own that needs a third of the processor's time.
"""

import asyncio
import contextlib

import h11

from . import failures, grpc_health
from .aim import Aim
from .dialling import Dialler, Outcome, Trace, failed, outcome

_PIECE = 1 << 16
_CONNECTED = outcome("", "connected")
_CLOSED = outcome("reset", "connection closed before the answer was complete")
_NOT_HTTP = outcome("protocol", "the answer is not HTTP as it should be")


class Requests:
    """Asks what the aim says, again and again and several at once if need be."""

    def __init__(self, aim: Aim) -> None:
        self._aim = aim
        self._dialler = Dialler(aim)
        self._content = aim.body.encode()
        self._request = h11.Request(
            method=aim.method, target=aim.target or "/", headers=_headers(aim, length=len(self._content))
        )
        self._health_question = grpc_health.question(aim) if aim.scheme == "grpc" else b""

    async def ask(self, trace: Trace) -> Outcome:
        """How one request ended; ``trace`` tells meanwhile what it does. Raises ProbeError for a failure of ours.

        Knows no timeout: cancel it.
        """
        try:
            reader, writer = await self._dialler.connect(trace)
            try:
                trace.doing = "answer"
                return await self._conversation(reader, writer)
            finally:
                _let_go(writer)
        except (OSError, UnicodeError, asyncio.IncompleteReadError) as error:
            return failed(error)

    async def aclose(self) -> None:
        await self._dialler.aclose()

    async def _conversation(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Outcome:
        if self._aim.scheme == "tcp":
            return _CONNECTED
        if self._aim.scheme == "grpc":
            writer.write(self._health_question)
            return await grpc_health.answered(reader, writer)
        try:
            return await self._http(reader, writer)
        except h11.RemoteProtocolError:
            return _CLOSED if reader.at_eof() else _NOT_HTTP

    async def _http(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Outcome:
        """The whole answer is read, so that a server that dies within it is seen; its body is thrown away."""
        talk = h11.Connection(h11.CLIENT)
        writer.write(talk.send(self._request) or b"")
        if self._content:
            writer.write(talk.send(h11.Data(data=self._content)) or b"")
        writer.write(talk.send(h11.EndOfMessage()) or b"")
        code = 0
        while True:
            event = talk.next_event()
            if event is h11.NEED_DATA:
                talk.receive_data(await reader.read(_PIECE))
            elif isinstance(event, h11.Response):
                code = event.status_code
            elif isinstance(event, h11.EndOfMessage):
                return self._judged(code)
            elif isinstance(event, h11.ConnectionClosed):
                return _CLOSED

    def _judged(self, code: int) -> Outcome:
        good = any(low <= code <= high for low, high in self._aim.good)
        return outcome("" if good else failures.of_code(code), f"code {code}")


def _headers(aim: Aim, *, length: int) -> list[tuple[str, str]]:
    headers = [("Host", aim.authority), ("User-Agent", "litmus-traffic"), ("Accept", "*/*"), ("Connection", "close")]
    if aim.content_type:
        headers.append(("Content-Type", aim.content_type))
    if length or aim.method not in ("GET", "HEAD"):
        headers.append(("Content-Length", str(length)))
    return headers


def _let_go(writer: asyncio.StreamWriter) -> None:
    """Closes without waiting for the other side; the farewell of TLS would be one more round trip."""
    if writer.get_extra_info("ssl_object") is not None:
        writer.transport.abort()
    else:
        with contextlib.suppress(OSError):
            writer.close()
