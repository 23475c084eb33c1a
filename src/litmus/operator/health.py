"""The operator's port for those who look after it: the kubelet's probes, and Prometheus.

It answers from the first moment on, as a standby too: an operator that waits for the lease is healthy.
"""

import contextlib
from collections.abc import AsyncIterator, Callable

from aiohttp import web

from litmus.kube import errors

from . import metrics


@contextlib.asynccontextmanager
async def serving(port: int, figures: metrics.Figures, *, ready: Callable[[], bool]) -> AsyncIterator[None]:
    """``/healthz``: the event loop turns. ``/readyz``: it stands by, or leads and watches. ``/metrics``: its figures.

    Raises ConfigError when the port is taken.
    """

    async def healthz(_: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def readyz(_: web.Request) -> web.Response:
        return web.Response(text="ok\n") if ready() else web.Response(status=503, text="the watches are starting\n")

    async def metrics_(request: web.Request) -> web.Response:
        body, content_type = figures.text(", ".join(request.headers.getall("Accept", [])))
        return web.Response(body=body, headers={"Content-Type": content_type})

    app = web.Application()
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", metrics_)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, port=port).start()
        except OSError as error:
            raise errors.ConfigError(f"the health endpoint can't listen on port {port}: {error.strerror}") from error
        yield
    finally:
        await runner.cleanup()
