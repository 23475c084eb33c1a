"""port-forward: connections from the client's machine to a port of the pod, many at a time in one conversation.

Three ways of speaking: SPDY directly (kubectl until 1.30), SPDY in a WebSocket (kubectl since 1.31), and channels of a
WebSocket (the official Python client). The connection to the pod is made here, to its own address.
Source: the kubelet's pkg/streaming/portforward (httpstream.go, websocket.go).
"""

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from litmus.sandbox.machinery import status
from litmus.sandbox.machinery.objects import Obj

from . import dialing, negotiation, session, spdy, targets, upgrade, websocket

SPDY_PROTOCOLS = ("portforward.k8s.io",)
TUNNEL = "SPDY/3.1+portforward.k8s.io"
CHANNELS = "v4.channel.k8s.io"
_HIGHEST = 65_535
_QUEUED = 16  # messages of the client for one port


async def port_forward(request: Request, pod: Obj) -> Response:
    """Forward until the client is gone. Raises Refusal before the conversation begins."""
    targets.require_node(pod)
    by_websocket = upgrade.wanted(request) == "websocket"
    if targets.over(pod):
        return PlainTextResponse(f'pod not found ("{targets.full_name(pod)}")', status_code=500)
    if not by_websocket:
        return await _by_spdy(request, pod)
    if websocket.agreed(request, (TUNNEL, CHANNELS)) == TUNNEL:
        socket = await websocket.accept(request, (TUNNEL,))
        talk = _by_streams(websocket.Tunnel(socket), pod)
    else:
        asked = asked_ports(request)
        if not asked:
            return PlainTextResponse('query parameter "port" is required', status_code=400)
        socket = await websocket.accept(request, (CHANNELS,))
        talk = _by_channels(socket, pod, asked)
    try:
        await talk
    finally:
        await socket.close()
    return upgrade.Taken()


async def _by_spdy(request: Request, pod: Obj) -> Response:
    if isinstance(refused := negotiation.spdy(request, SPDY_PROTOCOLS), Response):
        return refused
    connection = await negotiation.accept_spdy(request, SPDY_PROTOCOLS)
    try:
        await _by_streams(connection, pod)
    finally:
        await connection.close()
    return upgrade.Taken()


def asked_ports(request: Request) -> list[int]:
    """The ports in the query, for who speaks by channels. Raises Refusal (400)."""
    found = []
    for text in filter(None, ",".join(request.query_params.getlist("ports")).split(",")):
        number = int(text) if text.isascii() and text.isdecimal() else -1
        if not 0 <= number <= _HIGHEST:
            why = "invalid syntax" if number < 0 else "value out of range"
            raise status.bad_request(f'cannot convert to []int32: strconv.ParseUint: parsing "{text}": {why}')
        found.append(number)
    return found


@dataclass(slots=True)
class Pair:
    """The two streams of one forwarded connection."""

    error: session.Stream | None = None
    data: session.Stream | None = None


async def _by_streams(pipe: session.Pipe, pod: Obj) -> None:
    """Each connection is a pair of streams with one request id; ends when the client is gone."""
    talk = session.Session(pipe)
    pairs: dict[str, Pair] = {}
    async with asyncio.TaskGroup() as group:
        serving = group.create_task(talk.serve())
        forwarding: set[asyncio.Task[None]] = set()
        async for stream in talk.opened():
            kind, request_id = stream.headers.get("streamtype"), stream.headers.get("requestid", "")
            pair = pairs.setdefault(request_id, Pair())
            if kind == "error" and pair.error is None:
                pair.error = stream
            elif kind == "data" and pair.data is None:
                pair.data = stream
            else:
                await stream.reset(spdy.PROTOCOL_ERROR)
                continue
            if pair.error and pair.data:
                del pairs[request_id]
                task = group.create_task(_forward(pair.error, pair.data, pod))
                forwarding.add(task)
                task.add_done_callback(forwarding.discard)
        for task in forwarding:
            task.cancel()
        await serving


async def _forward(error: session.Stream, data: session.Stream, pod: Obj) -> None:
    """One connection. What goes wrong is said on the error stream; both streams are finished in any case."""
    try:
        port = _port(data.headers.get("port", ""))
        to_pod = await dialing.dial(pod, port)
    except OSError as failed:
        with contextlib.suppress(OSError):
            await error.write(str(failed).encode())
    else:
        await to_pod.run(_chunks(data), data.write)
    await data.finish()
    await error.finish()


def _port(text: str) -> int:
    """Raises OSError."""
    if not (text.isascii() and text.isdecimal() and 0 < int(text) <= _HIGHEST):
        raise OSError(f"unable to parse {text!r} as a port")
    return int(text)


async def _chunks(data: session.Stream) -> AsyncIterator[bytes]:
    """What the client sends until it finishes. Raises ConnectionResetError when it resets the stream instead."""
    while found := await data.read():
        yield found
    if data.over:
        raise ConnectionResetError("the client reset the stream")


async def _by_channels(socket: websocket.WebSocket, pod: Obj, asked: list[int]) -> None:
    """Two channels a port, data and errors, each begun by the server with the port's number; one connection a port."""
    queues: dict[int, asyncio.Queue[bytes]] = {}
    for index, port in enumerate(asked):
        queues[2 * index] = asyncio.Queue(maxsize=_QUEUED)
        for channel in (2 * index, 2 * index + 1):
            await socket.send(bytes([channel]) + struct.pack("<H", port))

    async def listen() -> None:
        while (message := await socket.receive()) is not None:
            if len(message) > 1 and message[0] in queues:
                await queues[message[0]].put(message[1:])

    async def connect() -> None:
        async with asyncio.TaskGroup() as group:
            for port, channel in zip(asked, queues, strict=True):
                group.create_task(_connect(socket, pod, port, channel, queues[channel]))

    tasks = [asyncio.create_task(listen()), asyncio.create_task(connect())]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def _connect(socket: websocket.WebSocket, pod: Obj, port: int, channel: int, queue: asyncio.Queue[bytes]) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        while True:  # this protocol has no word for a finished direction
            yield await queue.get()

    try:
        to_pod = await dialing.dial(pod, port)
    except OSError as failed:
        with contextlib.suppress(OSError):
            await socket.send(bytes([channel + 1]) + str(failed).encode())
    else:
        await to_pod.run(chunks(), lambda data: socket.send(bytes([channel]) + data))
