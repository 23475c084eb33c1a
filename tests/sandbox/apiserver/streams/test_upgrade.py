import asyncio
import json

import pytest
from websockets.asyncio import client

from litmus.sandbox.apiserver.streams import spdy
from tests.sandbox.apiserver.streams import cluster, spdy_client

EXEC = f"{cluster.PODS}/web/exec?command=cat&stdin=1&stdout=1"


async def asked(port: int, *lines: str) -> tuple[bytes, bytes]:
    """Head and body of the answer to a request by hand, read until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write("\r\n".join([*lines, "Host: x", "", ""]).encode())
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    head, _, body = answer.partition(b"\r\n\r\n")
    return head, body


async def test_ordinary_requests_share_a_connection(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(2):
        writer.write(b"GET /api HTTP/1.1\r\nHost: x\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        size = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        assert json.loads(await reader.readexactly(size))["kind"] == "APIVersions"
    writer.close()
    await writer.wait_closed()


async def test_an_upgrade_that_nobody_knows_is_served_as_a_plain_request(port: int) -> None:
    head, body = await asked(port, "GET /api HTTP/1.1", "Connection: Upgrade", "Upgrade: h2c")
    assert head.startswith(b"HTTP/1.1 200")
    assert json.loads(body)["kind"] == "APIVersions"


async def test_a_refused_upgrade_is_a_status_and_closes_the_connection(port: int) -> None:
    path = f"{cluster.PODS}/none/exec"
    head, body = await asked(port, f"POST {path} HTTP/1.1", "Connection: Upgrade", "Upgrade: SPDY/3.1")
    assert head.startswith(b"HTTP/1.1 404")
    assert b"connection: close" in head.lower()
    assert json.loads(body)["message"] == 'pods "none" not found'


async def test_without_an_upgrade_it_is_asked_for_one(port: int) -> None:
    head, body = await asked(port, f"GET {EXEC} HTTP/1.1", "Connection: close")
    assert head.startswith(b"HTTP/1.1 400")
    assert json.loads(body)["message"] == "Upgrade request required"


async def test_noise_is_a_bad_request(port: int) -> None:
    head, _ = await asked(port, "\x00noise")
    assert head.startswith(b"HTTP/1.1 400")


async def test_what_the_client_sends_before_the_answer_is_not_lost(port: int) -> None:
    framer = spdy.Framer()
    names = {1: "error", 3: "stdin", 5: "stdout"}
    opening = [spdy.SynStream(number, {"streamtype": name}) for number, name in names.items()]
    early = b"".join(framer.encode(frame) for frame in [*opening, spdy.Data(3, b"early", True)])
    async with spdy_client.connect(port, EXEC, "v4.channel.k8s.io", early=early) as talk:
        talk.received = dict.fromkeys(names, b"")
        await talk.until_finished(1, 5)
        assert talk.received[5] == b"early"
        assert json.loads(talk.received[1])["status"] == "Success"


@pytest.mark.parametrize("kind", ["spdy", "websocket"])
async def test_a_server_that_stops_ends_the_conversations(node: cluster.Kubelet, kind: str) -> None:
    path = EXEC
    async with cluster.server(node) as port:
        if kind == "spdy":
            talk = spdy_client.connect(port, path, "v4.channel.k8s.io")
            connected = await talk.__aenter__()
            for name in ("error", "stdin", "stdout"):
                await connected.open(streamtype=name)
        else:
            socket = await client.connect(
                f"ws://127.0.0.1:{port}{path}",
                subprotocols=["v5.channel.k8s.io"],
                proxy=None,  # type: ignore[list-item]
            )
    if kind == "spdy":
        await connected.until_gone()
        await talk.__aexit__(None, None, None)
    else:
        await socket.wait_closed()
