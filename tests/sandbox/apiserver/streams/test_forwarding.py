import asyncio
import contextlib
import json
import socket as sockets
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import aiohttp
import pytest
from websockets.asyncio import client
from websockets.exceptions import InvalidStatus

from litmus.sandbox.apiserver.streams import spdy, websocket
from litmus.sandbox.machinery import ports
from tests.sandbox.apiserver.streams import cluster, spdy_client

PROTOCOL = "portforward.k8s.io"
TUNNEL = "SPDY/3.1+portforward.k8s.io"
CHANNELS = "v4.channel.k8s.io"


def path(pod: str = "web", query: str = "") -> str:
    return f"{cluster.PODS}/{pod}/portforward{query}"


@dataclass
class Program:
    """Listens on the pod's address: says how much it got when its client has finished."""

    port: int = 0
    connections: list[asyncio.StreamWriter] = field(default_factory=list)
    closed: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections.append(writer)
        count = 0
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                count += len(data)
                if data.startswith(b"echo "):
                    writer.write(data)
            writer.write(f"total {count}".encode())
        writer.close()
        self.closed.set()


@pytest.fixture
async def program() -> AsyncIterator[Program]:
    found = Program()
    server = await asyncio.start_server(found.serve, "127.0.0.1", 0)
    found.port = server.sockets[0].getsockname()[1]
    async with server:
        yield found
        for writer in found.connections:
            writer.close()


@pytest.fixture
def nobody() -> int:
    """A port on which nothing listens."""
    with sockets.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        number: int = taken.getsockname()[1]
        return number


async def pair(talk: spdy_client.Client, port: int | str, request_id: int = 0) -> tuple[int, int]:
    """The error and the data stream of one connection, as kubectl opens them."""
    headers = {"port": str(port), "requestid": str(request_id)}
    error = await talk.open(streamtype="error", **headers)
    await talk.send(spdy.Data(error, b"", True))
    return error, await talk.open(streamtype="data", **headers)


async def test_a_finished_client_still_gets_the_answer(port: int, program: Program) -> None:
    async with spdy_client.connect(port, path(), PROTOCOL) as talk:
        error, data = await pair(talk, program.port)
        for _ in range(100):
            await talk.send(spdy.Data(data, bytes(30_000)))
        await talk.send(spdy.Data(data, b"", True))
        await talk.until_finished(error, data)
        assert (talk.received[data], talk.received[error]) == (b"total 3000000", b"")


async def test_many_connections_go_on_at_once(port: int, program: Program) -> None:
    async with spdy_client.connect(port, path(), PROTOCOL) as talk:
        pairs = [await pair(talk, program.port, number) for number in range(20)]
        for number, (_, data) in enumerate(pairs):
            await talk.send(spdy.Data(data, b"echo %d" % number))
        await asyncio.gather(*(talk.send(spdy.Data(data, b"", True)) for _, data in reversed(pairs)))
        await talk.until_finished(*(stream for each in pairs for stream in each))
        for number, (_, data) in enumerate(pairs):
            assert talk.received[data].startswith(b"echo %dtotal" % number)


async def test_a_port_on_which_nothing_listens_is_told_on_the_error_stream(port: int, nobody: int) -> None:
    async with spdy_client.connect(port, path(), PROTOCOL) as talk:
        error, data = await pair(talk, nobody)
        await talk.until_finished(error, data)
        assert talk.received[error].decode() == (
            f"error forwarding port {nobody} to pod web_shop, uid uid-of-web: "
            f"dial tcp 127.0.0.1:{nobody}: connect: connection refused"
        )


@pytest.mark.parametrize("wrong", ["", "x", "0", "70000", "-1", "²"])
async def test_a_port_that_is_none_is_told_on_the_error_stream(port: int, wrong: str) -> None:
    async with spdy_client.connect(port, path(), PROTOCOL) as talk:
        error, data = await pair(talk, wrong)
        await talk.until_finished(error, data)
        assert talk.received[error].decode() == f"unable to parse {wrong!r} as a port"


async def test_a_pod_without_an_address_is_told_on_the_error_stream(port: int) -> None:
    async with spdy_client.connect(port, path("early"), PROTOCOL) as talk:
        error, data = await pair(talk, 80)
        await talk.until_finished(error, data)
        assert talk.received[error].endswith(b"the pod has no address yet")


async def test_a_low_port_is_looked_for_where_the_node_put_it(
    port: int, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ports, "reachable", lambda wanted: {80: program.port}[wanted])
    async with spdy_client.connect(port, path(), PROTOCOL) as talk:
        error, data = await pair(talk, 80)
        await talk.send(spdy.Data(data, b"", True))
        await talk.until_finished(error, data)
        assert talk.received[data] == b"total 0"


@pytest.mark.parametrize("how", ["resets the stream", "goes away"])
async def test_a_client_that_gives_up_frees_the_pod(port: int, program: Program, how: str) -> None:
    async with spdy_client.connect(port, path(), PROTOCOL) as talk:
        _, data = await pair(talk, program.port)
        await talk.send(spdy.Data(data, b"echo hello"))
        while not talk.received[data]:
            await talk.read()
        if how == "resets the stream":
            await talk.send(spdy.RstStream(data, spdy.CANCEL))
            await program.closed.wait()
    await program.closed.wait()


async def test_a_stream_of_an_unknown_kind_is_reset(port: int) -> None:
    async with spdy_client.connect(port, path(), PROTOCOL) as talk:
        strange = await talk.open(streamtype="video", port="80", requestid="0")
        twice = [await talk.open(streamtype="data", port="80", requestid="1") for _ in range(2)]
        await talk.until_finished(strange, twice[1])
        assert talk.reset == {strange, twice[1]}


def by_channels(port: int, where: str) -> client.connect:
    return client.connect(f"ws://127.0.0.1:{port}{where}", subprotocols=[CHANNELS], proxy=None)  # type: ignore[list-item]


async def test_spdy_may_come_inside_a_websocket(port: int, program: Program) -> None:
    framer, received = spdy.Framer(), spdy.Framer()
    headers = {"port": str(program.port), "requestid": "0"}
    frames = [
        spdy.SynStream(1, {"streamtype": "error", **headers}),
        spdy.SynStream(3, {"streamtype": "data", **headers}),
        spdy.Data(3, bytes(500_000)),
        spdy.Data(3, b"", True),
    ]
    wire = b"".join(framer.encode(frame) for frame in frames)
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(f"http://127.0.0.1:{port}{path()}", protocols=[TUNNEL]) as socket,
    ):
        for at in range(0, len(wire), 7_777):
            await socket.send_bytes(wire[at : at + 7_777])
        answer: list[spdy.Frame] = []
        while spdy.Data(1, b"", True) not in answer:
            answer += received.feed(await socket.receive_bytes())
    assert spdy.Data(3, b"total 500000") in answer


async def test_channels_begin_with_the_port_and_end_with_the_pod(port: int, program: Program, nobody: int) -> None:
    async with by_channels(port, path(query=f"?ports={program.port},{nobody}")) as socket:
        heard: dict[int, bytes] = {}
        await socket.send(b"\x00echo hello")
        while b"hello" not in heard.get(0, b"") or b"refused" not in heard.get(3, b""):
            message = await socket.recv()
            assert isinstance(message, bytes)
            heard[message[0]] = heard.get(message[0], b"") + message[1:]
        program.connections[0].close()
        assert [message async for message in socket] == []
    ours, theirs = struct.pack("<H", program.port), struct.pack("<H", nobody)
    assert (heard[0], heard[1], heard[2]) == (ours + b"echo hello", ours, theirs)
    assert heard[3].startswith(theirs + b"error forwarding port")


async def test_a_client_of_channels_that_goes_frees_the_pod(port: int, program: Program) -> None:
    async with by_channels(port, path(query=f"?ports={program.port}")) as socket:
        await socket.send(b"\x00echo hello")
        while not (await socket.recv()).endswith(b"hello"):  # type: ignore[arg-type]
            pass
    await program.closed.wait()


# As a real server says it.
@pytest.mark.parametrize(
    ("where", "code", "message"),
    [
        (path("lost"), 400, "pod lost does not have a host assigned"),
        (path("done"), 500, 'pod not found ("done_shop")'),
        (path("none"), 404, 'pods "none" not found'),
    ],
)
async def test_pods_that_cannot_be_reached_are_refused_before_the_upgrade(
    port: int, where: str, code: int, message: str
) -> None:
    with pytest.raises(spdy_client.Refused) as by_spdy:
        await spdy_client.connect(port, where, PROTOCOL).__aenter__()
    with pytest.raises(InvalidStatus) as by_websocket:
        await by_channels(port, where + "?ports=80")
    answers = [(by_spdy.value.code, by_spdy.value.body)]
    response = by_websocket.value.response
    answers.append((response.status_code, (response.body or b"").decode()))
    for found, body in answers:
        assert found == code
        assert message in (json.loads(body)["message"] if body.startswith("{") else body)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("", 'query parameter "port" is required'),
        ("?ports=x", 'cannot convert to []int32: strconv.ParseUint: parsing "x": invalid syntax'),
        ("?ports=80,99999", 'cannot convert to []int32: strconv.ParseUint: parsing "99999": value out of range'),
    ],
)
async def test_channels_need_ports(port: int, query: str, message: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await by_channels(port, path(query=query))
    body = (refused.value.response.body or b"").decode()
    assert refused.value.response.status_code == 400
    assert (json.loads(body)["message"] if body.startswith("{") else body) == message


async def test_a_spdy_client_must_speak_port_forward(port: int) -> None:
    with pytest.raises(spdy_client.Refused) as refused:
        await spdy_client.connect(port, path(), "v4.channel.k8s.io").__aenter__()
    assert "server accepts [portforward.k8s.io]" in refused.value.body


def test_the_tunnel_passes_over_empty_messages() -> None:
    class Socket:
        messages = [b"", b"x", None]

        async def receive(self) -> bytes | None:
            return self.messages.pop(0)

    async def read() -> list[bytes]:
        tunnel = websocket.Tunnel(Socket())  # type: ignore[arg-type]
        return [await tunnel.read(), await tunnel.read()]

    assert asyncio.run(read()) == [b"x", b""]
