import asyncio
import json
from typing import Any
from urllib.parse import urlencode

import pytest
from websockets.asyncio import client
from websockets.exceptions import InvalidStatus

from litmus.sandbox.apiserver.streams import spdy
from tests.sandbox.apiserver.streams import cluster, spdy_client

V4, V5 = "v4.channel.k8s.io", "v5.channel.k8s.io"


def path(pod: str, *command: str, verb: str = "exec", **options: Any) -> str:
    query = [("command", word) for word in command] + list(options.items())
    return f"{cluster.PODS}/{pod}/{verb}?{urlencode(query)}"


def websocket(port: int, where: str, *protocols: str) -> client.connect:
    return client.connect(f"ws://127.0.0.1:{port}{where}", subprotocols=protocols or [V5], proxy=None)  # type: ignore[arg-type]


async def heard(socket: client.ClientConnection) -> dict[int, bytes]:
    """All that comes, by channel, until the server says goodbye."""
    found: dict[int, bytes] = {}
    async for message in socket:
        assert isinstance(message, bytes)
        found[message[0]] = found.get(message[0], b"") + message[1:]
    assert socket.close_code == 1000
    return found


async def opened(talk: spdy_client.Client, *names: str) -> list[int]:
    return [await talk.open(streamtype=name) for name in names]


class TestWebSocket:
    @pytest.mark.parametrize("protocol", [V4, V5])
    async def test_output_errors_and_exit_code_arrive_on_their_channels(self, port: int, protocol: str) -> None:
        where = path("web", "sh", "-c", "echo out; echo err >&2; exit 7", stdout=1, stderr=1)
        async with websocket(port, where, protocol) as socket:
            assert socket.subprotocol == protocol
            found = await heard(socket)
        assert (found[1], found[2]) == (b"out\n", b"err\n")
        assert json.loads(found[3])["details"]["causes"] == [{"reason": "ExitCode", "message": "7"}]

    async def test_input_may_end_before_the_output(self, port: int) -> None:
        async with websocket(port, path("web", "wc", "-c", stdin=1, stdout=1)) as socket:
            for _ in range(20):
                await socket.send(b"\x00" + bytes(50_000))
            await socket.send(b"\xff\x00")
            found = await heard(socket)
        assert found[1].split() == [b"1000000"]
        assert json.loads(found[3])["status"] == "Success"

    async def test_input_may_be_text_as_the_python_client_sends_it(self, port: int) -> None:
        async with websocket(port, path("web", "head", "-n1", stdin=1, stdout=1), V4) as socket:
            await socket.send("\x00grüße\n")
            assert (await heard(socket))[1] == "grüße\n".encode()

    async def test_channels_that_are_not_the_clients_to_write_are_ignored(self, port: int) -> None:
        async with websocket(port, path("web", "cat", stdin=1, stdout=1)) as socket:
            for message in (b"", b"\x01no", b"\x03no", b"\x09no", b"\x00yes", b"\xff\x00"):
                await socket.send(message)
            assert (await heard(socket))[1] == b"yes"

    async def test_a_message_in_fragments_is_one(self, port: int) -> None:
        async with websocket(port, path("web", "cat", stdin=1, stdout=1)) as socket:
            await socket.send([b"\x00on", b"e"])
            await socket.send(b"\xff\x00")
            assert (await heard(socket))[1] == b"one"

    async def test_pings_are_answered(self, port: int) -> None:
        async with websocket(port, path("web", "cat", stdin=1, stdout=1)) as socket:
            await (await socket.ping())

    async def test_a_client_that_goes_ends_the_command(self, port: int, node: cluster.Kubelet) -> None:
        async with websocket(port, path("web", "sh", "-c", "echo ready; exec sleep 1000", stdout=1)) as socket:
            assert await socket.recv() == b"\x01ready\n"
            (process,) = node.running
        assert await process.wait() == -9

    async def test_a_command_that_does_not_read_its_input_still_ends(self, port: int) -> None:
        async with websocket(port, path("web", "true", stdin=1, stdout=1)) as socket:
            sending = asyncio.create_task(socket.send(b"\x00" + bytes(5_000_000)))
            assert json.loads((await heard(socket))[3])["status"] == "Success"
            sending.cancel()
            await asyncio.wait([sending])

    async def test_attach_names_no_command(self, port: int, node: cluster.Kubelet) -> None:
        async with websocket(port, path("web", verb="attach", stdin=1, stdout=1)) as socket:
            await socket.send(b"\x00hi")
            await socket.send(b"\xff\x00")
            assert (await heard(socket))[1] == b"hi"
        assert node.asked == ["/attach/shop/web/c0?stdin=true&stdout=true"]

    async def test_a_node_that_dies_in_between_is_said_so(self, port: int, node: cluster.Kubelet) -> None:
        node.dies = True
        async with websocket(port, path("web", "x", stdout=1)) as socket:
            found = await heard(socket)
        assert found[1] == b"half of it"
        assert json.loads(found[3])["reason"] == "InternalError"


class TestSpdy:
    async def test_each_channel_has_its_stream(self, port: int) -> None:
        where = path("web", "sh", "-c", "cat; echo err >&2; exit 3", stdin=1, stdout=1, stderr=1)
        async with spdy_client.connect(port, where, V4, "v3.channel.k8s.io", "channel.k8s.io") as talk:
            assert "x-stream-protocol-version: v4.channel.k8s.io" in talk.head.lower()
            error, stdin, stdout, stderr = await opened(talk, "error", "stdin", "stdout", "stderr")
            for _ in range(20):
                await talk.send(spdy.Data(stdin, bytes(50_000)))
            await talk.send(spdy.Data(stdin, b"", True))
            await talk.until_finished(error, stdout, stderr)
            assert (talk.received[stdout], talk.received[stderr]) == (bytes(1_000_000), b"err\n")
            assert json.loads(talk.received[error])["details"]["causes"] == [{"reason": "ExitCode", "message": "3"}]

    async def test_a_terminal_can_be_resized(self, port: int, node: cluster.Kubelet) -> None:
        script = "until stty size | grep -q '33 111'; do :; done; read go; echo $go"
        where = path("web", "sh", "-c", script, stdin=1, stdout=1, stderr=1, tty=1)
        async with spdy_client.connect(port, where, V4) as talk:
            error, stdin, stdout, resize = await opened(talk, "error", "stdin", "stdout", "resize")
            await talk.send(spdy.Data(resize, b'{"Width":111,"Height":33}\n'))
            await talk.send(spdy.Data(stdin, b"hello\n"))
            await talk.until_finished(error, stdout)
            assert talk.received[stdout] == b"hello\r\nhello\r\n"  # the echo of the terminal, and of the command
        assert "stderr" not in node.asked[0]

    async def test_a_client_that_goes_ends_the_command(self, port: int, node: cluster.Kubelet) -> None:
        where = path("web", "sh", "-c", "echo ready; exec sleep 1000", stdout=1)
        async with spdy_client.connect(port, where, V4) as talk:
            _, stdout = await opened(talk, "error", "stdout")
            while not talk.received[stdout]:
                await talk.read()
            (process,) = node.running
        assert await process.wait() == -9

    async def test_a_client_that_opens_no_streams_is_given_up(
        self, port: int, node: cluster.Kubelet, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("litmus.sandbox.apiserver.streams.remote_command._STREAMS_S", 0.0)
        monkeypatch.setattr("litmus.sandbox.apiserver.streams.remote_command._FAREWELL_S", 0.0)
        async with spdy_client.connect(port, path("web", "cat", stdin=1, stdout=1), V4) as talk:
            await talk.until_gone()

    async def test_a_client_that_goes_before_its_streams_is_forgotten(self, port: int, node: cluster.Kubelet) -> None:
        async with spdy_client.connect(port, path("web", "cat", stdin=1, stdout=1), V4) as talk:
            await opened(talk, "error")
        async with websocket(port, path("web", "true", stdout=1)) as socket:
            assert json.loads((await heard(socket))[3])["status"] == "Success"

    async def test_a_node_that_dies_in_between_is_said_so(self, port: int, node: cluster.Kubelet) -> None:
        node.dies = True
        async with spdy_client.connect(port, path("web", "x", stdout=1), V4) as talk:
            error, stdout = await opened(talk, "error", "stdout")
            await talk.until_finished(error, stdout)
            assert json.loads(talk.received[error])["reason"] == "InternalError"


# Found on a real server: request → code, and the message of the Status or the plain text.
REFUSALS = {
    "a pod that is not there": (path("none", "ls", stdout=1), 404, 'pods "none" not found'),
    "a container that it does not have": (
        path("web", "ls", stdout=1, container="zz"),
        400,
        "container zz is not valid for pod web",
    ),
    "no container where there are two": (
        path("pair", "ls", stdout=1),
        400,
        "a container name must be specified for pod pair, choose one of: [c0 c1]",
    ),
    "a pod without a node": (path("lost", "ls", stdout=1), 400, "pod lost does not have a host assigned"),
    "nothing connected": (path("web", "ls"), 400, "you must specify at least 1 of stdin, stdout, stderr"),
    "only stderr of a terminal": (
        path("web", "ls", stderr=1, tty=1),
        400,
        "you must specify at least 1 of stdin, stdout, stderr",
    ),
}


def said(body: bytes | str) -> str:
    try:
        message: str = json.loads(body)["message"]
    except ValueError:
        return body if isinstance(body, str) else body.decode()
    return message


@pytest.mark.parametrize("case", REFUSALS)
async def test_before_the_upgrade_both_kinds_of_clients_are_refused_alike(port: int, case: str) -> None:
    where, code, message = REFUSALS[case]
    with pytest.raises(InvalidStatus) as by_websocket:
        await websocket(port, where)
    with pytest.raises(spdy_client.Refused) as by_spdy:
        await spdy_client.connect(port, where, V4).__aenter__()
    response = by_websocket.value.response
    assert (response.status_code, said(response.body or b"")) == (code, message)
    assert (by_spdy.value.code, said(by_spdy.value.body)) == (code, message)


async def test_a_kubelet_that_says_no_is_quoted(port: int, node: cluster.Kubelet) -> None:
    node.refuses = (500, 'container not found ("c0")')
    with pytest.raises(spdy_client.Refused) as refused:
        await spdy_client.connect(port, path("web", "ls", stdout=1), V4).__aenter__()
    assert (refused.value.code, refused.value.body) == (500, 'container not found ("c0")')
    assert "text/plain" in refused.value.head


async def test_a_node_that_does_not_answer_is_an_error_of_the_server(port: int, node: cluster.Kubelet) -> None:
    node.socket.unlink()
    with pytest.raises(InvalidStatus) as refused:
        await websocket(port, path("web", "ls", stdout=1))
    answer = json.loads(refused.value.response.body or b"")
    assert answer["code"] == 500
    assert answer["message"].startswith("error dialing backend: node node1 does not answer at ")


@pytest.mark.parametrize(
    ("offered", "code", "message"),
    [
        ([], 400, "unable to upgrade: X-Stream-Protocol-Version is required\n"),
        (
            ["v9.channel.k8s.io"],
            403,
            "unable to upgrade: unable to negotiate protocol: client supports [v9.channel.k8s.io], "
            "server accepts [v4.channel.k8s.io]\n",
        ),
    ],
)
async def test_a_spdy_client_must_speak_a_known_protocol(
    port: int, offered: list[str], code: int, message: str
) -> None:
    with pytest.raises(spdy_client.Refused) as refused:
        await spdy_client.connect(port, path("web", "ls", stdout=1), *offered).__aenter__()
    assert (refused.value.code, refused.value.body) == (code, message)


@pytest.mark.parametrize("protocol", ["base64.channel.k8s.io", "v4.base64.channel.k8s.io", "channel.k8s.io"])
async def test_a_websocket_must_speak_a_known_protocol(port: int, node: cluster.Kubelet, protocol: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await websocket(port, path("web", "ls", stdout=1), protocol)
    assert refused.value.response.status_code == 403
    assert not node.asked  # nothing was started for nothing


async def test_words_of_a_command_are_passed_on_as_they_are(port: int, node: cluster.Kubelet) -> None:
    words = ["printf", "%s|", "a b", "c&d=e", "ü", ""]
    async with websocket(port, path("web", *words, stdout=1)) as socket:
        assert (await heard(socket))[1].decode() == "a b|c&d=e|ü||"
