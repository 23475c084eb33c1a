"""HTTP, TCP and gRPC probes against real servers on loopback, with a kubelet's words for what went wrong."""

import asyncio
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import test_utils, web

from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.node import asking, grpc_health

IP = "127.0.0.1"
CONTAINER: Obj = {"name": "c", "ports": [{"name": "web", "containerPort": 0}]}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((IP, 0))
        found: int = probe.getsockname()[1]
        return found


@pytest.fixture
async def server() -> AsyncIterator[test_utils.TestServer]:
    async def status(request: web.Request) -> web.Response:
        code = int(request.match_info["code"])
        return web.Response(status=code, headers={"Location": "/nowhere"} if code // 100 == 3 else {})

    async def header(request: web.Request) -> web.Response:
        good = request.headers.get("X-Mine") == "1" and request.headers["User-Agent"].startswith("kube-probe/")
        return web.Response(status=200 if good else 400)

    async def slow(request: web.Request) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError

    app = web.Application()
    app.router.add_get("/status/{code}", status)
    app.router.add_get("/header", header)
    app.router.add_get("/slow", slow)
    running = test_utils.TestServer(app, host=IP)
    await running.start_server()
    yield running
    await running.close()


async def http(port: int | str, path: str = "/", container: Obj = CONTAINER, **more: object) -> asking.Answer:
    return await asking.http({"port": port, "path": path, **more}, container, ip=IP, timeout_s=5)


@pytest.mark.parametrize(
    ("code", "success"), [(200, True), (204, True), (302, True), (399, True), (400, False), (503, False)]
)
async def test_from_200_to_399_is_success(server: test_utils.TestServer, code: int, success: bool) -> None:
    found = await http(server.port or 0, f"/status/{code}")
    assert found.success is success
    if not success:
        assert found.output == f"HTTP probe failed with statuscode: {code}"


async def test_headers_are_sent(server: test_utils.TestServer) -> None:
    assert (await http(server.port or 0, "/header", httpHeaders=[{"name": "X-Mine", "value": "1"}])).success


async def test_a_port_may_be_named(server: test_utils.TestServer) -> None:
    container = {"name": "c", "ports": [{"name": "web", "containerPort": server.port}]}
    assert (await http("web", "/status/200", container)).success
    unknown = await http("nope", "/", container)
    assert unknown.error
    assert unknown.output == "couldn't find port: nope"


async def test_nobody_there_is_connection_refused() -> None:
    port = free_port()
    refused = f"dial tcp {IP}:{port}: connect: connection refused"
    assert (await http(port, "/x")).output == f'Get "http://{IP}:{port}/x": {refused}'
    assert (await asking.tcp({"port": port}, CONTAINER, ip=IP, timeout_s=5)).output == refused


async def test_no_answer_in_time_is_a_failure(server: test_utils.TestServer) -> None:
    found = await asking.http({"port": server.port, "path": "/slow"}, CONTAINER, ip=IP, timeout_s=0.05)
    assert found.output == (
        f'Get "http://{IP}:{server.port}/slow": context deadline exceeded '
        "(Client.Timeout exceeded while awaiting headers)"
    )


async def test_tcp_is_content_with_a_connection(server: test_utils.TestServer) -> None:
    assert (await asking.tcp({"port": server.port}, CONTAINER, ip=IP, timeout_s=5)).success


@pytest.fixture
def own_certificate(tmp_path: Path) -> ssl.SSLContext:
    """One that nobody else has signed."""
    key, certificate = tmp_path / "key", tmp_path / "crt"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    subprocess.run([*command, "-subj", "/CN=x", "-keyout", key, "-out", certificate], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


async def test_certificates_are_not_verified(own_certificate: ssl.SSLContext) -> None:

    async def ok(request: web.Request) -> web.Response:
        return web.Response()

    app = web.Application()
    app.router.add_get("/", ok)
    running = test_utils.TestServer(app, host=IP, scheme="https")
    await running.start_server(ssl=own_certificate)
    try:
        assert (await http(running.port or 0, scheme="HTTPS")).success
    finally:
        await running.close()


Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload


def health(*frames: bytes, seen: list[bytes] | None = None) -> Handler:
    """A server that answers a request with these frames, after settings and a ping."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.readexactly(len(grpc_health.PREFACE)) == grpc_health.PREFACE
        writer.write(frame(4, 0, 0) + frame(6, 0, 0, b"8 octets"))
        request = await reader.read(65536)
        if seen is not None:
            seen.append(request)
        writer.write(b"".join(frames))
        await writer.drain()
        writer.close()

    return handle


def message(body: bytes) -> bytes:
    return b"\0" + len(body).to_bytes(4, "big") + body


async def ask_grpc(handle: Handler, service: str = "") -> asking.Answer:
    server = await asyncio.start_server(handle, IP, 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        return await asking.grpc({"port": port, "service": service}, ip=IP, timeout_s=5)


@pytest.mark.parametrize(
    ("body", "success", "words"),
    [(b"\x08\x01", True, "SERVING"), (b"\x08\x02", False, "NOT_SERVING"), (b"", False, "UNKNOWN")],
)
async def test_grpc_asks_the_health_service(body: bytes, success: bool, words: str) -> None:
    seen: list[bytes] = []
    answer = frame(1, 4, 1, b"\x88") + frame(0, 0, 1, message(body))
    found = await ask_grpc(health(answer, seen=seen), "own.Service")
    assert found.success is success
    assert words in found.output
    assert b"/grpc.health.v1.Health/Check" in seen[0]
    assert message(b"\x0a\x0bown.Service") in seen[0]


@pytest.mark.parametrize("frames", [frame(7, 0, 0), frame(1, 5, 1, b"\x88"), b""])
async def test_a_server_without_the_health_service_fails(frames: bytes) -> None:
    found = await ask_grpc(health(frames))
    assert not found.success
    assert found.output.startswith("error: health rpc probe failed: ")
