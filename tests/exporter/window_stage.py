"""Results of one run at its turns, and receivers on loopback that behave as a test wants."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from aiohttp import web

from litmus import api
from litmus.exporter.outlets import windows
from litmus.exporter.outlets.windows import Change, Window

NOW = datetime(2026, 3, 1, 10, 5, tzinfo=UTC)
KILLED: dict[str, Any] = {"name": "web-1", "namespace": "shop", "node": "node-1", "injectedAt": "2026-03-01T10:00:12Z"}
HELD: dict[str, Any] = {
    "id": "netem/node-1/x",
    "mechanism": "netem",
    "node": "node-1",
    "targets": [{"name": "web-1", "namespace": "shop"}],
    "undo": {"kind": "node"},
    "deadline": "2026-03-01T10:01:20Z",
    "state": "proven",
    "updatedAt": "2026-03-01T10:00:14Z",
}


def logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What litmus logged; how much servers and clients of others log depends on what else has run in this process."""
    return [record.getMessage() for record in caplog.records if record.name.startswith("litmus.")]


def manifest(*, name: str = "shop-pod-delete", experiment: str = "pod-delete", **status: Any) -> dict[str, Any]:
    """A ChaosResult whose run has begun; what a test says of its status is merged in, `run` field by field."""
    run = {
        "engineUid": "engine-uid",
        "number": 1,
        "startedAt": "2026-03-01T10:00:00Z",
        "step": "pre-chaos check",
        **status.pop("run", {}),
    }
    return {
        "metadata": {"name": name, "namespace": "shop", "uid": f"uid-of-{name}"},
        "spec": {"engine": "shop", "experiment": experiment},
        "status": {"experimentstatus": {"phase": "Running", "verdict": "Awaited"}, "run": run, **status},
    }


def result(**status: Any) -> api.ChaosResult:
    return msgspec.convert(manifest(**status), api.ChaosResult)


CLOCKED = {"step": "chaos", "chaosStartedAt": "2026-03-01T10:00:11Z", "chaosEndsAt": "2026-03-01T10:01:11Z"}
AFTER = CLOCKED | {"step": "post-chaos check"}
FINISHED = CLOCKED | {"step": "Pass", "finishedAt": "2026-03-01T10:01:30Z"}
PASSED = {"phase": "Completed", "verdict": "Pass", "failStep": "N/A"}


def begun(**status: Any) -> api.ChaosResult:
    return result(**{"run": CLOCKED, "targets": [KILLED], **status})


def after(**status: Any) -> api.ChaosResult:
    return result(**{"run": AFTER, "targets": [KILLED], **status})


def finished(**status: Any) -> api.ChaosResult:
    return result(**{"run": FINISHED, "targets": [KILLED], "experimentstatus": PASSED, **status})


def window(found: api.ChaosResult | None = None) -> Window:
    seen = windows.of(found or finished())
    assert seen is not None
    return seen


def change(kind: windows.Kind = "begun", found: api.ChaosResult | None = None) -> Change:
    made = {"begun": begun, "ended": after, "verdict": finished}
    return Change(kind, window(found or made[kind]()))


Respond = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Receiver:
    """A real HTTP server. It keeps what it was sent, and answers by ``respond``."""

    url: str = ""
    respond: Respond | None = None
    got: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    _arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.got.append((request.method, request.path_qs, headers, await request.read()))
        self._arrived.set()
        return await self.respond(request) if self.respond else web.Response()

    async def until_got(self, times: int) -> None:
        while len(self.got) < times:
            self._arrived.clear()
            await self._arrived.wait()


@asynccontextmanager
async def receiver(respond: Respond | None = None) -> AsyncIterator[Receiver]:
    """A receiver on a port of its own."""
    made = Receiver(respond=respond)
    server = web.Server(made.handle)
    runner = web.ServerRunner(server, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield made
    finally:
        await runner.cleanup()


def statuses(*codes: int, headers: dict[str, str] | None = None) -> Respond:
    """Answers with these, one a request; the last one for ever."""
    left = list(codes)

    async def respond(_: web.Request) -> web.StreamResponse:
        code = left.pop(0) if len(left) > 1 else left[0]
        return web.Response(status=code, headers=headers if code >= 300 else None)

    return respond


@asynccontextmanager
async def running(*outlets: Any) -> AsyncIterator[None]:
    """The deliveries of these outlets run meanwhile."""
    tasks = [asyncio.create_task(outlet.delivery.run()) for outlet in outlets]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for outlet in outlets:
            await outlet.aclose()
