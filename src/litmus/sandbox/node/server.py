"""The kubelet's own API, which the API server asks: logs, exec, attach, figures. On a unix socket, for its user alone.

Source: the kubelet's server (pkg/kubelet/server); errors are plain text, as there.
"""

import asyncio
import contextlib
import os
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

from aiohttp import web

from litmus.sandbox.machinery import objects

from . import logs, stats, streaming
from .keeper import Keeper, Run
from .worker import Worker

_TRUE = ("1", "true", "True", "t")


class Server:
    """``workers`` are the pods of this moment."""

    def __init__(self, node: str, workers: Callable[[], Iterable[Worker]], *, mark: Path) -> None:
        self._node = node
        self._workers = workers
        self._sampler = stats.Sampler(str(mark))
        self._started = datetime.now(UTC)
        self._runner: web.AppRunner | None = None

    async def start(self, path: Path) -> None:
        """Listens on a unix socket. Raises OSError."""
        app = web.Application()
        app.router.add_get("/healthz", self._health)
        app.router.add_get("/pods", self._pods)
        app.router.add_get("/stats/summary", self._summary)
        app.router.add_get("/containerLogs/{namespace}/{pod}/{container}", self._logs)
        for method in ("GET", "POST"):
            app.router.add_route(method, "/exec/{namespace}/{pod}/{container}", self._exec)
            app.router.add_route(method, "/attach/{namespace}/{pod}/{container}", self._attach)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0.5)
        await self._runner.setup()
        path.unlink(missing_ok=True)
        umask = os.umask(0o177)
        try:
            await web.UnixSite(self._runner, str(path)).start()
        finally:
            os.umask(umask)

    async def close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _health(self, request: web.Request) -> web.Response:
        return web.Response(text="ok")

    async def _pods(self, request: web.Request) -> web.Response:
        items = [worker.obj for worker in self._workers()]
        return web.json_response({"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": items})

    async def _summary(self, request: web.Request) -> web.Response:
        used = await asyncio.to_thread(self._sampler.measure)
        return web.json_response(self._sampler.summary(self._node, self._workers(), used, started=self._started))

    async def _logs(self, request: web.Request) -> web.StreamResponse:
        worker, keeper = self._find(request)
        wanted, previous = _wanted(request), request.query.get("previous", "") in _TRUE
        number = _attempt(worker, keeper, previous=previous)
        run = keeper.run if not previous else None
        log = run.container.log if run is not None else None
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        path = worker.place.log(keeper.record.name, number)
        pieces = logs.read(path, wanted, log=log)
        try:
            first = await anext(pieces, b"")
        except FileNotFoundError:
            first = b""
        with contextlib.suppress(ConnectionError):
            await response.prepare(request)
            await response.write(first)
            async for piece in pieces:
                await response.write(piece)
        return response

    async def _exec(self, request: web.Request) -> web.StreamResponse:
        command = request.query.getall("command", [])
        if not command:
            raise web.HTTPBadRequest(text="you must specify at least 1 command")
        return await streaming.execute(request, self._running(request), command)

    async def _attach(self, request: web.Request) -> web.StreamResponse:
        return await streaming.attach(request, self._running(request))

    def _find(self, request: web.Request) -> tuple[Worker, Keeper]:
        where = request.match_info
        # The youngest first: one of the same name may still be on its way out.
        for worker in reversed(list(self._workers())):
            if (objects.namespace(worker.obj), objects.name(worker.obj)) == (where["namespace"], where["pod"]):
                keeper = worker.keepers.get(where["container"])
                if keeper is None:
                    raise web.HTTPBadRequest(text=f'container "{where["container"]}" not found in pod "{where["pod"]}"')
                return worker, keeper
        raise web.HTTPNotFound(text=f'pod "{where["pod"]}" not found')

    def _running(self, request: web.Request) -> Run:
        _, keeper = self._find(request)
        if keeper.run is None or keeper.run.container.exit is not None:
            raise web.HTTPInternalServerError(text=f'container not found ("{keeper.record.name}")')
        return keeper.run


def _attempt(worker: Worker, keeper: Keeper, *, previous: bool) -> int:
    """Which run is meant. Raises HTTPBadRequest when there was none."""
    name, pod, record = keeper.record.name, objects.name(worker.obj), keeper.record
    begun = bool(record.container_id)
    if previous:
        number = record.restarts - 1
        if not begun or not worker.place.log(name, number).exists():
            raise web.HTTPBadRequest(text=f'previous terminated container "{name}" in pod "{pod}" not found')
        return number
    if not begun:
        waiting = record.state.get("waiting") or {}
        reason = waiting.get("reason", "ContainerCreating")
        if reason in _SPOKEN and waiting.get("message"):
            reason = _SPOKEN[reason]
        raise web.HTTPBadRequest(text=f'container "{name}" in pod "{pod}" is waiting to start: {reason}')
    return record.restarts


_SPOKEN = {
    "ErrImagePull": "image can't be pulled",
    "ImagePullBackOff": "trying and failing to pull image",
}


def _wanted(request: web.Request) -> logs.Wanted:
    query = request.query
    try:
        since = datetime.fromisoformat(query["sinceTime"]) if query.get("sinceTime") else None
        if query.get("sinceSeconds"):
            since = datetime.now(UTC) - objects.span(int(query["sinceSeconds"]))
        return logs.Wanted(
            follow=query.get("follow", "") in _TRUE,
            timestamps=query.get("timestamps", "") in _TRUE,
            tail=int(query["tailLines"]) if query.get("tailLines") else None,
            limit=int(query["limitBytes"]) if query.get("limitBytes") else None,
            since=since,
        )
    except ValueError as error:
        raise web.HTTPBadRequest(text=str(error)) from error
