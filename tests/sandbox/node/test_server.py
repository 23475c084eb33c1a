"""The kubelet's server on its socket: logs, exec, attach and figures of real containers."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.node import crash_loop, processes, streaming
from litmus.sandbox.node.server import Server

from .pods_on_a_node import Node, pod, shell

NEVER = {"restartPolicy": "Never"}
FOREVER = "exec sleep 3600"


@pytest.fixture
async def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Node]:
    monkeypatch.setattr(crash_loop, "FIRST_S", 0.05)
    async with Node(tmp_path) as made:
        yield made
    assert not list(processes.marked(processes.NODE, str(made.folder)))


@pytest.fixture
async def http(node: Node) -> AsyncIterator[aiohttp.ClientSession]:
    server = Server("n", node.workers.values, mark=node.folder)
    path = node.folder / "kubelet.sock"
    await server.start(path)
    assert path.stat().st_mode & 0o077 == 0, "nobody else may ask it"
    async with aiohttp.ClientSession("http://n", connector=aiohttp.UnixConnector(str(path))) as session:
        yield session
    await server.close()


async def get(http: aiohttp.ClientSession, path: str, **query: str) -> tuple[int, str]:
    async with http.get(path, params=query) as answer:
        return answer.status, await answer.text()


async def test_it_is_healthy_and_knows_its_pods(node: Node, http: aiohttp.ClientSession) -> None:
    node.run(pod("p", shell(FOREVER)))
    assert await get(http, "/healthz") == (200, "ok")
    _, text = await get(http, "/pods")
    assert [item["metadata"]["name"] for item in json.loads(text)["items"]] == ["p"]
    await node.ready("p")


async def test_logs_with_their_options(node: Node, http: aiohttp.ClientSession) -> None:
    node.run(pod("p", shell("echo one; echo two; echo three"), **NEVER))
    await node.phase("p", "Succeeded")
    path = "/containerLogs/ns/p/c"
    assert await get(http, path) == (200, "one\ntwo\nthree\n")
    assert await get(http, path, tailLines="1") == (200, "three\n")
    assert await get(http, path, limitBytes="5") == (200, "one\nt")
    assert await get(http, path, sinceSeconds="3600") == (200, "one\ntwo\nthree\n")
    assert await get(http, path, sinceTime="2999-01-01T00:00:00Z") == (200, "")
    assert (await get(http, path, timestamps="true"))[1].splitlines()[0].endswith("Z one")


async def test_following_ends_with_the_container(node: Node, http: aiohttp.ClientSession) -> None:
    worker = node.run(pod("p", shell("echo up; read x; echo $x", stdin=True), **NEVER))
    await node.logged("p", "up")
    async with http.get("/containerLogs/ns/p/c", params={"follow": "true"}) as answer:
        assert await answer.content.readline() == b"up\n"
        run = worker.keepers["c"].run
        assert run is not None
        run.container.write(b"word\n")
        assert await answer.content.read() == b"word\n"


async def test_the_run_before_has_its_own_log(node: Node, http: aiohttp.ClientSession) -> None:
    script = "test -e /data/x && exec sleep 3600; touch /data/x; echo first; exit 1"
    mount = {"volumeMounts": [{"name": "v", "mountPath": "/data"}]}
    node.run(pod("p", shell(script, **mount), volumes=[{"name": "v", "emptyDir": {}}]))
    await node.container("p", lambda one: one["restartCount"] == 1 and "running" in one["state"])
    assert await get(http, "/containerLogs/ns/p/c", previous="true") == (200, "first\n")
    assert await get(http, "/containerLogs/ns/p/c") == (200, "")


@pytest.mark.parametrize(
    ("path", "query", "status", "message"),
    [
        ("p/c", {}, 400, 'container "c" in pod "p" is waiting to start: trying and failing to pull image'),
        ("p/c", {"previous": "true"}, 400, 'previous terminated container "c" in pod "p" not found'),
        ("p/nope", {}, 400, 'container "nope" not found in pod "p"'),
        ("nope/c", {}, 404, 'pod "nope" not found'),
    ],
)
async def test_what_has_no_log_is_said(
    node: Node, http: aiohttp.ClientSession, path: str, query: dict[str, str], status: int, message: str
) -> None:
    node.run(pod("p", {"name": "c", "image": "nobody/knows"}))
    await node.container("p", lambda one: one["state"]["waiting"]["reason"] == "ImagePullBackOff")
    assert await get(http, f"/containerLogs/ns/{path}", **query) == (status, message)


class Talk:
    """A client of exec or attach: what came on each channel, until the end."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.channels: dict[int, bytes] = {}

    async def say(self, channel: int, data: bytes) -> None:
        await self.socket.send_bytes(bytes((channel,)) + data)

    async def until(self, channel: int, word: bytes) -> None:
        while word not in self.channels.get(channel, b""):
            assert await self.one(), f"it ended without {word!r}: {self.channels}"

    async def one(self) -> bool:
        message = await self.socket.receive()
        if message.type is not aiohttp.WSMsgType.BINARY:
            return False
        channel, data = message.data[0], message.data[1:]
        self.channels[channel] = self.channels.get(channel, b"") + data
        return True

    async def end(self) -> Obj:
        """The final status."""
        while await self.one():
            pass
        found: Obj = json.loads(self.channels[streaming.ERROR])
        return found


def talk(http: aiohttp.ClientSession, verb: str, *command: str, **options: Any) -> Any:
    query = [("command", word) for word in command]
    query += [(name, "true") for name in options.get("with_", ("stdout", "stderr"))]
    return http.ws_connect(f"/{verb}/ns/p/c", params=query, protocols=["v5.channel.k8s.io"])


@pytest.fixture
async def running(node: Node) -> Node:
    node.run(pod("p", shell(FOREVER, env=[{"name": "A", "value": "1"}])))
    await node.ready("p")
    return node


async def test_a_command_is_run_with_the_containers_environment(running: Node, http: aiohttp.ClientSession) -> None:
    async with talk(http, "exec", "sh", "-c", 'echo "$A"; echo err >&2; exit 3') as socket:
        assert socket.protocol == "v5.channel.k8s.io"
        client = Talk(socket)
        status = await client.end()
    assert client.channels[streaming.STDOUT] == b"1\n"
    assert client.channels[streaming.STDERR] == b"err\n"
    assert status == {
        "metadata": {},
        "status": "Failure",
        "reason": "NonZeroExitCode",
        "message": "command terminated with non-zero exit code: exit status 3",
        "details": {"causes": [{"reason": "ExitCode", "message": "3"}]},
    }


async def test_success_is_told(running: Node, http: aiohttp.ClientSession) -> None:
    async with talk(http, "exec", "true") as socket:
        assert await Talk(socket).end() == {"metadata": {}, "status": "Success"}


async def test_no_such_command_is_an_internal_error(running: Node, http: aiohttp.ClientSession) -> None:
    async with talk(http, "exec", "nosuchcmd") as socket:
        status = await Talk(socket).end()
    assert (status["reason"], status["code"]) == ("InternalError", 500)
    assert 'exec: "nosuchcmd": executable file not found in $PATH' in status["message"]


async def test_standard_input_ends_when_the_client_closes_the_channel(
    running: Node, http: aiohttp.ClientSession
) -> None:
    big = bytes(300_000)
    async with talk(http, "exec", "sh", "-c", "wc -c", with_=("stdin", "stdout")) as socket:
        client = Talk(socket)
        await client.say(streaming.STDIN, big)
        await client.say(streaming.STDIN, b"tail")
        await client.say(streaming.CLOSE, bytes((streaming.STDIN,)))
        assert (await client.end())["status"] == "Success"
    assert client.channels[streaming.STDOUT].split() == [b"300004"]


async def test_much_output_arrives_in_full(running: Node, http: aiohttp.ClientSession) -> None:
    async with talk(http, "exec", "head", "-c", "5000000", "/dev/zero") as socket:
        client = Talk(socket)
        assert (await client.end())["status"] == "Success"
    assert len(client.channels[streaming.STDOUT]) == 5_000_000


async def test_a_terminal_has_the_clients_size(running: Node, http: aiohttp.ClientSession) -> None:
    script = "test -t 1 && echo up; read x; stty size"
    async with talk(http, "exec", "sh", "-c", script, with_=("stdin", "stdout", "tty")) as socket:
        client = Talk(socket)
        await client.until(streaming.STDOUT, b"up")
        await client.say(streaming.RESIZE, b'{"Width":99,"Height":11}')
        await client.say(streaming.STDIN, b"\n")
        assert (await client.end())["status"] == "Success"
    assert b"11 99" in client.channels[streaming.STDOUT]


async def test_a_client_that_goes_takes_its_command_with_it(running: Node, http: aiohttp.ClientSession) -> None:
    async with talk(http, "exec", "sh", "-c", "echo $$; exec sleep 3600") as socket:
        client = Talk(socket)
        await client.until(streaming.STDOUT, b"\n")
    pid = int(client.channels[streaming.STDOUT])
    await running.until(lambda: not Path(f"/proc/{pid}").exists())


async def test_what_a_command_leaves_running_does_not_hold_the_client(
    running: Node, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "_DRAIN_S", 0.01)
    async with talk(http, "exec", "sh", "-c", "sleep 3600 & echo done") as socket:
        client = Talk(socket)
        assert (await client.end())["status"] == "Success"
    assert client.channels[streaming.STDOUT] == b"done\n"


@pytest.mark.parametrize("verb", ["exec", "attach"])
async def test_a_container_that_does_not_run_is_refused(node: Node, http: aiohttp.ClientSession, verb: str) -> None:
    node.run(pod("p", shell("true"), **NEVER))
    await node.phase("p", "Succeeded")
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await talk(http, verb, "true")


async def test_attach_is_connected_with_the_main_process(node: Node, http: aiohttp.ClientSession) -> None:
    script = "echo up; read x; echo got $x; echo err >&2; exit 4"
    node.run(pod("p", shell(script, stdin=True, stdinOnce=True), **NEVER))
    await node.logged("p", "up")
    async with talk(http, "attach", with_=("stdin", "stdout", "stderr")) as socket:
        client = Talk(socket)
        await client.say(streaming.STDIN, b"word\n")
        status = await client.end()
    assert client.channels[streaming.STDOUT] == b"got word\n"
    assert client.channels[streaming.STDERR] == b"err\n"
    assert status["details"]["causes"] == [{"reason": "ExitCode", "message": "4"}]


async def test_who_detaches_leaves_the_container_running(node: Node, http: aiohttp.ClientSession) -> None:
    worker = node.run(pod("p", shell("echo up; sleep 3600")))
    await node.logged("p", "up")
    async with talk(http, "attach") as socket:
        await socket.close()
    run = worker.keepers["c"].run
    assert run is not None
    await node.until(lambda: not run.container.log.taps)
    assert run.container.exit is None


async def test_figures_are_those_of_the_processes(running: Node, http: aiohttp.ClientSession) -> None:
    _, text = await get(http, "/stats/summary")
    _, text = await get(http, "/stats/summary")
    found = json.loads(text)
    (entry,) = found["pods"]
    assert entry["podRef"] == {"name": "p", "namespace": "ns", "uid": "uid-p"}
    (container,) = entry["containers"]
    assert container["name"] == "c"
    assert 0 < container["memory"]["workingSetBytes"] <= container["memory"]["usageBytes"]
    assert container["cpu"]["usageNanoCores"] >= 0
    assert found["node"]["nodeName"] == "n"
    assert found["node"]["memory"]["usageBytes"] > container["memory"]["usageBytes"]


async def test_an_exec_counts_to_its_container(running: Node, http: aiohttp.ClientSession) -> None:
    async with talk(http, "exec", "sh", "-c", "echo $LITMUS_SANDBOX_CONTAINER") as socket:
        client = Talk(socket)
        await client.end()
    run = running.workers["p"].keepers["c"].run
    assert run is not None
    assert client.channels[streaming.STDOUT].decode().strip() == run.container.id
    await asyncio.sleep(0)
