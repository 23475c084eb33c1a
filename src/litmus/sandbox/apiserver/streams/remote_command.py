"""exec and attach: the client's WebSocket or SPDY connection relayed to the kubelet of the pod's node.

Both sides speak channels: the first byte of a message says which stream it belongs to. A WebSocket client's messages
are passed on as they are; a SPDY client has a stream for each channel instead.
Source: k8s.io/apimachinery/pkg/util/remotecommand, and the kubelet's pkg/streaming/remotecommand.
"""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from websockets.exceptions import ConnectionClosed

from litmus.sandbox.apiserver import requests
from litmus.sandbox.machinery import status
from litmus.sandbox.machinery.objects import Obj

from . import kubelet, negotiation, session, targets, upgrade, websocket

STDIN, STDOUT, STDERR, ERROR, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255
WEBSOCKET_PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
SPDY_PROTOCOLS = ("v4.channel.k8s.io",)
_STREAMS_S = 30.0
_FAREWELL_S = 2.0


@dataclass(frozen=True, slots=True)
class Options:
    """What the client wants to have connected, of PodExecOptions and PodAttachOptions."""

    stdin: bool
    stdout: bool
    stderr: bool
    tty: bool

    @classmethod
    def of(cls, request: Request) -> "Options":
        """A terminal has one output only, so ``stderr`` is given up there."""
        asked = {name: requests.truth(request.query_params.get(name)) for name in ("stdin", "stdout", "stderr", "tty")}
        return cls(**{**asked, "stderr": asked["stderr"] and not asked["tty"]})

    @property
    def connected(self) -> bool:
        return self.stdin or self.stdout or self.stderr

    def query(self) -> list[tuple[str, str]]:
        return [(name, "true") for name in ("stdin", "stdout", "stderr", "tty") if getattr(self, name)]


async def exec_(request: Request, pod: Obj, *, kubelet_socket: Path) -> Response:
    """Run ``command`` in a container. Raises Refusal before the conversation begins."""
    command = [("command", word) for word in request.query_params.getlist("command")]
    return await _converse("exec", request, pod, command, kubelet_socket)


async def attach(request: Request, pod: Obj, *, kubelet_socket: Path) -> Response:
    """Be connected with the main process of a container. Raises Refusal before the conversation begins."""
    return await _converse("attach", request, pod, [], kubelet_socket)


async def _converse(
    verb: str, request: Request, pod: Obj, command: list[tuple[str, str]], kubelet_socket: Path
) -> Response:
    container = targets.container(pod, request.query_params.get("container", ""))
    targets.require_node(pod)
    by_websocket = upgrade.wanted(request) == "websocket"
    options = Options.of(request)
    if not options.connected:
        return PlainTextResponse("you must specify at least 1 of stdin, stdout, stderr", status_code=400)
    if by_websocket:
        websocket.agreed(request, WEBSOCKET_PROTOCOLS)
    elif isinstance(refused := negotiation.spdy(request, SPDY_PROTOCOLS), Response):
        return refused
    try:
        node = await kubelet.connect(kubelet_socket, verb, pod, container, [*command, *options.query()])
    except kubelet.SaysNo as no:
        return no.answer
    try:
        if by_websocket:
            client: Client = SocketClient(await websocket.accept(request, WEBSOCKET_PROTOCOLS))
        else:
            client = await StreamsClient.accept(request, options)
        await relay(client, node)
    except (OSError, TimeoutError):
        pass  # the client is gone or never opened its streams: nobody is left to be told
    finally:
        await node.close()
    return upgrade.Taken()


Send = Callable[[bytes], Awaitable[None]]


class Client(Protocol):
    """Either kind of client, as channels."""

    async def listen(self, send: Send) -> None:
        """Pass on what the client says until it is gone."""

    async def tell(self, message: bytes) -> None:
        """Hand a message of the node's to the client. Raises OSError when it is gone."""

    async def close(self) -> None:
        """Say goodbye."""


async def relay(client: Client, node: kubelet.Conversation) -> None:
    """Until the node has said how it ended, or the client is gone."""
    listening = asyncio.create_task(_listen(client, node))
    told = False
    try:
        async for message in node:
            data = message.encode() if isinstance(message, str) else message
            told = told or data[:1] == bytes([ERROR])
            await client.tell(data)
    except ConnectionClosed:
        pass  # the node died, which the next lines tell
    except OSError:
        told = True  # the client is gone
    finally:
        listening.cancel()
        await asyncio.wait([listening])
        with contextlib.suppress(OSError):
            if not told:
                await client.tell(bytes([ERROR]) + _broken_off())
        await client.close()


async def _listen(client: Client, node: kubelet.Conversation) -> None:
    """A client that is gone ends the command: the node takes its closed connection for that."""
    with contextlib.suppress(ConnectionClosed, OSError):
        await client.listen(node.send)
    await node.close()


def _broken_off() -> bytes:
    return json.dumps(status.internal("the node broke the conversation off").status).encode()


class SocketClient:
    """A client that speaks channels itself."""

    def __init__(self, socket: websocket.WebSocket) -> None:
        self._socket = socket
        self._channels = {STDIN, RESIZE} | ({CLOSE} if socket.protocol.startswith("v5") else set())

    async def listen(self, send: Send) -> None:
        while (message := await self._socket.receive()) is not None:
            if message and message[0] in self._channels:
                await send(message)

    async def tell(self, message: bytes) -> None:
        await self._socket.send(message)

    async def close(self) -> None:
        await self._socket.close()


class StreamsClient:
    """A client with a SPDY stream for each channel."""

    def __init__(self, connection: upgrade.Connection, talk: session.Session, serving: asyncio.Task[None]) -> None:
        self._connection = connection
        self._talk = talk
        self._serving = serving
        self._streams: Mapping[str, session.Stream] = {}

    @classmethod
    async def accept(cls, request: Request, options: Options) -> "StreamsClient":
        """Raises OSError or TimeoutError when the client does not open the streams that it announced."""
        connection = await negotiation.accept_spdy(request, SPDY_PROTOCOLS)
        talk = session.Session(connection)
        client = cls(connection, talk, asyncio.create_task(talk.serve()))
        expected = {"error"} | {name for name in ("stdin", "stdout", "stderr") if getattr(options, name)}
        if options.tty:
            expected.add("resize")
        try:
            async with asyncio.timeout(_STREAMS_S):
                client._streams = await _streams(talk, expected)
        except BaseException:
            await client.close()
            raise
        return client

    async def listen(self, send: Send) -> None:
        pumps = [asyncio.create_task(self._pump(*each, send)) for each in (("stdin", STDIN), ("resize", RESIZE))]
        try:
            await asyncio.wait([self._serving])
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.wait(pumps)

    async def _pump(self, name: str, channel: int, send: Send) -> None:
        stream = self._streams.get(name)
        if stream is None:
            return
        with contextlib.suppress(ConnectionClosed):
            while data := await stream.read():
                await send(bytes([channel]) + data)
            await send(bytes([CLOSE, channel]))

    async def tell(self, message: bytes) -> None:
        stream = self._streams.get({STDOUT: "stdout", STDERR: "stderr", ERROR: "error"}.get(message[0], ""))
        if stream is not None:
            await stream.write(message[1:])

    async def close(self) -> None:
        for stream in self._streams.values():
            await stream.finish()
        await asyncio.wait([self._serving], timeout=_FAREWELL_S)
        self._serving.cancel()
        await asyncio.wait([self._serving])
        await self._connection.close()


async def _streams(talk: session.Session, expected: set[str]) -> dict[str, session.Stream]:
    """The streams by their type, once all that are expected are open. Raises ConnectionResetError."""
    found: dict[str, session.Stream] = {}
    async for stream in talk.opened():
        found[stream.headers.get("streamtype", "")] = stream
        if expected <= found.keys():
            return found
    raise ConnectionResetError("the client went before it opened its streams")
