"""A cluster of one pod for tests of streams: an API server that serves little else, and a kubelet that runs programs.

The pod ``web`` in ``shop`` has one container; ``pair`` has two; ``lost`` has no node; ``done`` is over; ``early`` has
no address yet. Everything is real but small: uvicorn with our protocol, TLS if wanted, aiohttp on a unix socket.
"""

import asyncio
import contextlib
import fcntl
import json
import os
import pty
import ssl
import struct
import subprocess
import termios
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
from aiohttp import WSMsgType, web
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from litmus.sandbox.apiserver import streams
from litmus.sandbox.machinery import status
from litmus.sandbox.machinery.objects import Obj

NAMESPACE = "shop"
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"


def pod(name: str, containers: int = 1, *, node: str = "node1", phase: str = "Running", ip: str = "127.0.0.1") -> Obj:
    names = [{"name": f"c{number}", "image": "busybox"} for number in range(containers)]
    return {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": {"name": name, "namespace": NAMESPACE, "uid": f"uid-of-{name}", "resourceVersion": "1"},
        "spec": {"nodeName": node, "containers": names},
        "status": {"phase": phase, "podIP": ip},
    }


POD_LIST = [
    pod("web"),
    pod("pair", 2),
    pod("lost", node="", phase="Pending", ip=""),
    pod("done", phase="Succeeded"),
    pod("early", ip=""),
]
PODS_BY_NAME = {each["metadata"]["name"]: each for each in POD_LIST}


@dataclass
class Kubelet:
    """Serves exec and attach; ``asked`` remembers the paths. ``refuses`` is answered instead of an upgrade."""

    socket: Path
    asked: list[str] = field(default_factory=list)
    refuses: tuple[int, str] | None = None
    dies: bool = False
    running: set[asyncio.subprocess.Process] = field(default_factory=set)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path_qs)
        if self.refuses:
            return web.Response(status=self.refuses[0], text=self.refuses[1])
        socket = web.WebSocketResponse(protocols=["v5.channel.k8s.io"], max_msg_size=0)
        await socket.prepare(request)
        if self.dies:
            await socket.send_bytes(b"\x01half of it")
            assert request.transport
            request.transport.abort()
            return socket
        command = request.query.getall("command", ["cat"])
        run = _in_terminal if request.query.get("tty") else self._piped
        code = await run(socket, command)
        with contextlib.suppress(ConnectionError):  # the client may be gone
            await socket.send_bytes(b"\x03" + json.dumps(ended(code)).encode())
        await socket.close()
        return socket

    async def _piped(self, socket: web.WebSocketResponse, command: list[str]) -> int:
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=pipe)
        self.running.add(process)
        assert process.stdout
        assert process.stderr
        out = [_tell(socket, 1, process.stdout), _tell(socket, 2, process.stderr)]
        taking = asyncio.create_task(_take(socket, process))
        await asyncio.gather(*out)
        code = await process.wait()
        self.running.discard(process)
        taking.cancel()
        await asyncio.wait([taking])
        return code


async def _tell(socket: web.WebSocketResponse, channel: int, reader: asyncio.StreamReader) -> None:
    while data := await reader.read(65_536):
        with contextlib.suppress(ConnectionError):
            await socket.send_bytes(bytes([channel]) + data)


async def _take(socket: web.WebSocketResponse, process: asyncio.subprocess.Process) -> None:
    assert process.stdin
    async for message in socket:
        assert message.type is WSMsgType.BINARY
        with contextlib.suppress(ConnectionError):
            if message.data == b"\xff\x00":
                process.stdin.close()
            elif message.data[0] == 0:
                process.stdin.write(message.data[1:])
                await process.stdin.drain()
    with contextlib.suppress(ProcessLookupError):
        process.kill()


async def _in_terminal(socket: web.WebSocketResponse, command: list[str]) -> int:
    mine, its = pty.openpty()
    process = subprocess.Popen(command, stdin=its, stdout=its, stderr=its, start_new_session=True)  # noqa: ASYNC220
    os.close(its)
    loop = asyncio.get_running_loop()

    async def take() -> None:
        async for message in socket:
            if message.data[0] == 0:
                os.write(mine, message.data[1:])
            elif message.data[0] == 4:
                size = json.loads(message.data[1:])
                fcntl.ioctl(mine, termios.TIOCSWINSZ, struct.pack("HHHH", size["Height"], size["Width"], 0, 0))

    taking = asyncio.create_task(take())
    with contextlib.suppress(OSError):
        while data := await loop.run_in_executor(None, os.read, mine, 4096):
            await socket.send_bytes(b"\x01" + data)
    taking.cancel()
    await asyncio.wait([taking])
    os.close(mine)
    return process.wait()


def ended(code: int) -> Obj:
    """The status that a kubelet sends last."""
    if not code:
        return {"metadata": {}, "status": "Success"}
    code = 128 - code if code < 0 else code
    return {
        "metadata": {},
        "status": "Failure",
        "reason": "NonZeroExitCode",
        "message": f"command terminated with non-zero exit code: exit status {code}",
        "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
    }


def application(kubelet: Kubelet) -> Starlette:
    verbs: dict[str, Any] = {"exec": streams.exec_, "attach": streams.attach, "portforward": streams.port_forward}

    async def connect(request: Request) -> Response:
        found = PODS_BY_NAME.get(request.path_params["name"])
        if found is None:
            raise status.not_found("pods", "", request.path_params["name"])
        verb = request.path_params["verb"]
        more = {} if verb == "portforward" else {"kubelet_socket": kubelet.socket}
        answer: Response = await verbs[verb](request, found, **more)
        return answer

    async def get(request: Request) -> Response:
        found = PODS_BY_NAME.get(request.path_params["name"])
        if found is None:
            raise status.not_found("pods", "", request.path_params["name"])
        return JSONResponse(found)

    async def refuse(_: Request, refusal: Exception) -> Response:
        assert isinstance(refusal, status.Refusal)
        return JSONResponse(refusal.status, refusal.code)

    listed = {"name": "pods", "singularName": "pod", "namespaced": True, "kind": "Pod", "verbs": ["get"]}
    fixed = {
        "/api": {"kind": "APIVersions", "versions": ["v1"]},
        "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": []},
        "/api/v1": {"kind": "APIResourceList", "groupVersion": "v1", "resources": [listed]},
    }

    async def discover(request: Request) -> Response:
        return JSONResponse(fixed[request.url.path])

    return Starlette(
        routes=[
            *(Route(path, discover) for path in fixed),
            Route(PODS + "/{name}", get),
            Route(PODS + "/{name}/{verb}", connect, methods=["GET", "POST"]),
        ],
        exception_handlers={status.Refusal: refuse},
    )


@contextlib.asynccontextmanager
async def kubelet(folder: Path) -> AsyncIterator[Kubelet]:
    node = Kubelet(folder / "kubelet.sock")
    app = web.Application()
    app.router.add_get("/{verb}/{namespace}/{pod}/{container}", node.serve)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.UnixSite(runner, str(node.socket)).start()
    try:
        yield node
    finally:
        await runner.cleanup()


@contextlib.asynccontextmanager
async def server(node: Kubelet, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """The port of an API server in front of the node."""
    config = uvicorn.Config(
        application(node),
        host="127.0.0.1",
        port=0,
        http=streams.Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        timeout_graceful_shutdown=1,
        **({"ssl_context_factory": lambda *_: tls} if tls else {}),
    )
    running = uvicorn.Server(config)
    config.load()
    running.lifespan = config.lifespan_class(config)
    await running.startup()
    try:
        yield running.servers[0].sockets[0].getsockname()[1]
    finally:  # what uvicorn does when it stops, less its pauses
        for listening in running.servers:
            listening.close()
        for connection in list(running.server_state.connections):
            connection.shutdown()
        await asyncio.gather(*running.server_state.tasks)
        for listening in running.servers:
            await listening.wait_closed()
