"""The exporter's process: watches and counters behind ``/metrics``, ``/healthz`` and ``/readyz``.

A scrape is written in pieces, so that one of ten thousand results holds up neither the watches nor a liveness probe.
"""

import asyncio
import logging
import signal
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import prometheus_client
from aiohttp import web
from prometheus_client import CollectorRegistry

from litmus.kube import Cluster, errors

from . import metrics
from .counting import Counted
from .exposition import Family, write
from .known import Known
from .state import State

log = logging.getLogger(__name__)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
# Runs beside the watches for as long as they do: it may listen to them, and add collectors of its own to the registry.
Beside = Callable[[Cluster, State, CollectorRegistry], Coroutine[Any, Any, None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """``namespace=''``: of the whole cluster. ``port=0``: a free one. ``pulse_s``: see ``legacy.families``."""

    host: str = ""
    port: int = 8080
    namespace: str = ""
    pulse_s: float = 10.0


@dataclass(slots=True)
class Exporter:
    """What is known and counted of a cluster, and the text of it."""

    state: State
    pulse_s: float = 10.0
    clock: Callable[[], float] = time.time
    counted: Counted = field(init=False)
    families: list[Family[Known]] = field(init=False)

    def __post_init__(self) -> None:
        # Else a second series for each, which nobody asked for. The library has no types for this call.
        prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]
        self.counted = Counted(self.clock)
        self.state.results.tells.append(self.counted.result)
        self.state.engines.tells.append(self.counted.engine)
        self.families = metrics.families(self.counted, pulse_s=self.pulse_s)
        prometheus_client.ProcessCollector(registry=self.counted.registry)

    async def text(self) -> AsyncIterator[bytes]:
        """All metrics, in pieces between which others get their turn."""
        known = Known(self.state, now=self.clock())
        self.counted.overdue(known.results)
        for family in self.families:
            for piece in write(family, known):
                yield piece.encode()
                await asyncio.sleep(0)
        yield prometheus_client.generate_latest(self.counted.registry)

    def application(self) -> web.Application:
        """The three addresses."""
        app = web.Application()
        app.router.add_get("/metrics", self._metrics)
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/readyz", self._readyz)
        return app

    async def _metrics(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": CONTENT_TYPE})
        response.enable_compression()
        await response.prepare(request)
        with suppress(ConnectionError):  # whoever asked has left
            async for piece in self.text():
                await response.write(piece)
            await response.write_eof()
        return response

    async def _healthz(self, _: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def _readyz(self, _: web.Request) -> web.Response:
        """Ready also for a cluster that can't be read: then the metrics say so, and somebody should see that."""
        if self.state.ready:
            return web.Response(text="ok\n")
        return web.Response(status=503, text="the first look at the cluster is under way\n")


async def serve(
    cluster: Cluster,
    settings: Settings,
    *,
    beside: Sequence[Beside] = (),
    ready: Callable[[int], None] = lambda port: None,
) -> None:
    """Runs until SIGTERM or SIGINT. ``ready`` hears of the port. Raises ConfigError when it can't listen."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    exporter = Exporter(State(namespace=settings.namespace), pulse_s=settings.pulse_s)
    async with listening(exporter, host=settings.host, port=settings.port) as port:
        ready(port)
        registry = exporter.counted.registry
        works = [exporter.state.follow(cluster), *(work(cluster, exporter.state, registry) for work in beside)]
        tasks = [asyncio.create_task(work) for work in works]
        stopping = asyncio.create_task(stop.wait())
        try:
            done, _ = await asyncio.wait({stopping, *tasks}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()  # raises the defect that ended it
        finally:
            for task in (*tasks, stopping):
                task.cancel()
            await asyncio.gather(*tasks, stopping, return_exceptions=True)


@asynccontextmanager
async def listening(exporter: Exporter, *, host: str, port: int) -> AsyncIterator[int]:
    """Serves the exporter's addresses, and gives the port. Raises ConfigError."""
    runner = web.AppRunner(exporter.application(), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host=host or None, port=port).start()
        except OSError as error:
            where = f"{host}:{port}" if host else f"port {port}"
            raise errors.ConfigError(f"the exporter can't listen on {where} ({error.strerror}); pass --port") from error
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()
