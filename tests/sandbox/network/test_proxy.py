import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest

from litmus.sandbox import client
from litmus.sandbox.machinery import ports
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.network.proxy import SERVICES, SLICES, Proxy

ADDRESS = "127.211.128.9"  # a loopback address that nothing else uses


class Cluster:
    """The part of a client that the proxy uses, fed by the test."""

    def __init__(self) -> None:
        self.queues: dict[str, asyncio.Queue[client.Change]] = {SERVICES: asyncio.Queue(), SLICES: asyncio.Queue()}
        self.events: list[Obj] = []
        self.wrote = asyncio.Event()

    async def watch(self, resource: str) -> AsyncGenerator[client.Change, None]:
        yield client.Change("SYNCED", {})
        while True:
            yield await self.queues[resource].get()

    async def create(self, resource: str, obj: Obj) -> Obj:
        self.events.append(obj)
        self.wrote.set()
        return obj

    def service(self, port: int, *, kind: str = "ADDED", protocol: str = "TCP", **spec: Any) -> None:
        known = {"clusterIP": ADDRESS, "ports": [{"port": port, "protocol": protocol}], **spec}
        obj = {"metadata": {"name": "web", "namespace": "a", "uid": "u"}, "spec": known}
        self.queues[SERVICES].put_nowait(client.Change(cast(Any, kind), obj))

    def endpoints(self, *numbers: int, ready: bool = True) -> None:
        """Each target port in a slice of its own, all on 127.0.0.1."""
        for number in range(3):
            port = numbers[number] if number < len(numbers) else 0
            obj = {
                "metadata": {"name": f"s{number}", "namespace": "a", "labels": {"kubernetes.io/service-name": "web"}},
                "ports": [{"name": "", "port": port}],
                "endpoints": [{"addresses": ["127.0.0.1"], "conditions": {"ready": ready}}] if port else [],
            }
            self.queues[SLICES].put_nowait(client.Change("MODIFIED", obj))


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


@pytest.fixture
async def proxy(cluster: Cluster) -> AsyncIterator[Proxy]:
    proxy = Proxy(cast(client.Client, cluster))
    task = asyncio.create_task(proxy.run())
    yield proxy
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


class Pod:
    """A server that answers everything with its name first, then with what it gets."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.connections: set[asyncio.StreamWriter] = set()
        self.server: asyncio.Server | None = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections.add(writer)
        writer.write(f"{self.name}\n".encode())
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
            writer.write(b"bye\n")
        writer.close()

    async def start(self) -> int:
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return int(self.server.sockets[0].getsockname()[1])

    def kill(self) -> None:
        assert self.server is not None
        self.server.close()
        for writer in self.connections:
            writer.transport.abort()


@pytest.fixture
async def pods() -> AsyncIterator[list[Pod]]:
    made = [Pod("one"), Pod("two")]
    yield made
    for pod in made:
        if pod.server is not None:
            pod.kill()


def free_port(kind: int = socket.SOCK_STREAM) -> int:
    with socket.socket(type=kind) as found:
        found.bind((ADDRESS, 0))
        return int(found.getsockname()[1])


async def connected(port: int, *, address: str = ADDRESS) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """As soon as somebody answers there."""
    async with asyncio.timeout(10):
        while True:
            try:
                return await asyncio.open_connection(address, port)
            except ConnectionRefusedError:
                await asyncio.sleep(0)


async def refused(port: int) -> None:
    async with asyncio.timeout(10):
        while True:
            try:
                _, writer = await asyncio.open_connection(ADDRESS, port)
            except ConnectionRefusedError:
                return
            writer.close()
            await asyncio.sleep(0)


async def test_a_connection_reaches_a_pod_and_both_ends_are_passed_on(
    cluster: Cluster, proxy: Proxy, pods: list[Pod]
) -> None:
    port = free_port()
    cluster.service(port)
    cluster.endpoints(await pods[0].start())
    reader, writer = await connected(port)
    async with asyncio.timeout(10):
        assert await reader.readline() == b"one\n"
        big = b"x" * 3_000_000
        writer.write(big)
        writer.write_eof()
        assert await reader.read() == big + b"bye\n"
    writer.close()


async def test_connections_that_ended_in_both_directions_are_closed(
    cluster: Cluster, proxy: Proxy, pods: list[Pod]
) -> None:
    port = free_port()
    cluster.service(port)
    cluster.endpoints(await pods[0].start())
    (await connected(port))[1].close()
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(20):
        reader, writer = await connected(port)
        writer.write_eof()
        assert await reader.read() == b"one\nbye\n"
        writer.close()
    async with asyncio.timeout(10):
        while len(list(Path("/proc/self/fd").iterdir())) > before + 5:  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(0)


async def test_what_comes_before_the_pod_answers_is_not_lost(
    cluster: Cluster, proxy: Proxy, pods: list[Pod], monkeypatch: pytest.MonkeyPatch
) -> None:
    # As in Python before 3.11.4, where asyncio ignores the pause.
    monkeypatch.setattr(asyncio.selector_events._SelectorSocketTransport, "pause_reading", lambda self: None)  # type: ignore[attr-defined]
    port = free_port()
    cluster.service(port)
    cluster.endpoints(await pods[0].start())
    for end in (False, True):
        reader, writer = await connected(port)
        async with asyncio.timeout(10):
            writer.write(b"early")
            if end:
                writer.write_eof()
            else:
                await writer.drain()
                assert await reader.readline() == b"one\n"
                writer.write_eof()
            assert (await reader.read()).endswith(b"earlybye\n")
        writer.close()


async def test_without_endpoints_connections_are_refused(cluster: Cluster, proxy: Proxy, pods: list[Pod]) -> None:
    port = free_port()
    cluster.service(port)
    cluster.endpoints(await pods[0].start())
    _, writer = await connected(port)
    writer.close()
    cluster.endpoints()
    await refused(port)


async def test_a_connection_lives_on_when_its_pod_gets_no_new_ones(
    cluster: Cluster, proxy: Proxy, pods: list[Pod]
) -> None:
    port = free_port()
    cluster.service(port)
    cluster.endpoints(await pods[0].start())
    reader, writer = await connected(port)
    async with asyncio.timeout(10):
        assert await reader.readline() == b"one\n"
        cluster.endpoints(await pods[1].start())
        while True:
            other, second = await connected(port)
            name = await other.readline()
            second.close()
            if name == b"two\n":
                break
        writer.write(b"still there\n")
        assert await reader.readline() == b"still there\n"
    writer.close()


async def test_the_death_of_a_pod_breaks_its_connections(cluster: Cluster, proxy: Proxy, pods: list[Pod]) -> None:
    port = free_port()
    cluster.service(port)
    cluster.endpoints(await pods[0].start())
    reader, writer = await connected(port)
    async with asyncio.timeout(10):
        await reader.readline()
        pods[0].kill()
        assert await reader.read() == b""
        other, broken = await connected(port)  # the endpoint is still there, the pod is not
        with pytest.raises(ConnectionResetError):
            await other.read()
    writer.close()
    broken.close()


async def test_a_deleted_service_is_answered_no_more(cluster: Cluster, proxy: Proxy, pods: list[Pod]) -> None:
    port = free_port()
    cluster.service(port)
    cluster.endpoints(await pods[0].start())
    _, writer = await connected(port)
    writer.close()
    cluster.service(port, kind="DELETED")
    await refused(port)


async def test_a_port_in_use_is_reported_and_tried_again(
    cluster: Cluster, proxy: Proxy, pods: list[Pod], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("litmus.sandbox.network.proxy.RETRY_S", 0.01)
    with socket.socket() as other:
        other.bind((ADDRESS, 0))
        other.listen()
        port = int(other.getsockname()[1])
        cluster.service(port)
        cluster.endpoints(await pods[0].start())
        async with asyncio.timeout(10):
            await cluster.wrote.wait()
    (event,) = cluster.events
    assert (event["reason"], event["type"]) == ("PortNotAvailable", "Warning")
    assert event["message"] == f"{ADDRESS}:{port} is in use by another program"
    reader, writer = await connected(port)
    async with asyncio.timeout(10):
        assert await reader.readline() == b"one\n"
    writer.close()


async def test_a_low_port_is_mapped_where_it_must_be_and_said_so(
    cluster: Cluster, proxy: Proxy, pods: list[Pod], monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    monkeypatch.setattr(ports, "reachable", lambda number: port if number == 80 else number)
    cluster.service(80)
    cluster.endpoints(await pods[0].start())
    reader, writer = await connected(port)
    async with asyncio.timeout(10):
        assert await reader.readline() == b"one\n"
        await cluster.wrote.wait()
    writer.close()
    (event,) = cluster.events
    assert event["reason"] == "PortMapped"
    assert event["involvedObject"]["name"] == "web"
    assert f"answers on port {port}" in event["message"]


async def test_datagrams_go_there_and_back(cluster: Cluster, proxy: Proxy) -> None:
    loop = asyncio.get_running_loop()

    class Echo(asyncio.DatagramProtocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = cast(asyncio.DatagramTransport, transport)

        def datagram_received(self, data: bytes, addr: Any) -> None:
            self.transport.sendto(data.upper(), addr)

    server, _ = await loop.create_datagram_endpoint(Echo, local_addr=("127.0.0.1", 0))
    port = free_port(socket.SOCK_DGRAM)
    cluster.service(port, protocol="UDP")
    cluster.endpoints(server.get_extra_info("sockname")[1])
    with socket.socket(type=socket.SOCK_DGRAM) as ours:
        ours.setblocking(False)
        ours.connect((ADDRESS, port))
        async with asyncio.timeout(10):
            answer = b""
            while not answer:
                await asyncio.sleep(0)  # a refusal comes without giving the loop a turn
                with contextlib.suppress(ConnectionRefusedError, TimeoutError):
                    await loop.sock_sendall(ours, b"hello")
                    async with asyncio.timeout(0.05):
                        answer = await loop.sock_recv(ours, 100)
    assert answer == b"HELLO"
    server.close()
