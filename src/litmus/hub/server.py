"""The hub's server: the API (``api``) and the pages (``site``) over one set of hubs, behind one way out (``delivery``).

It holds no state of its own and asks nothing of a cluster: whoever can reach it may read it, nobody can change it.
"""

import asyncio
import contextlib
import errno
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial

try:
    import uvicorn
    from litestar import Litestar
except ModuleNotFoundError as error:
    from . import MissingExtra

    raise MissingExtra(
        f"the hub's server needs the package {error.name}, which is not installed: pip install 'litmus-py[hub]'"
    ) from error

from . import answers, api, charts, ours, site
from .delivery import Delivery
from .shelf import Hubs, Shelf

_LARGEST_BODY = 128 << 10  # an engine to check has at most half of it


class CannotListen(Exception):
    """The address is not free or not ours. The sentence says what to do."""


def app(
    *,
    image: str = charts.DEFAULT_IMAGE,
    others: Hubs = tuple,
    public_url: str = "",
    beside: Callable[[], Awaitable[None]] | None = None,
) -> Delivery:
    """The web application.

    ``image`` is what our ChaosExperiments name. ``others`` tells the hubs to serve beside ours, at the moment.
    ``public_url`` is where users reach the server, if that is not what they ask for. ``beside`` runs as long as it
    serves, and is cancelled at the end.
    """
    own = ours.hub(image=image)
    shelf = Shelf(lambda: [own, *others()], placed=lambda namespace: ours.hub(image=image, namespace=namespace))
    return Delivery(
        Litestar(
            [*api.routes(shelf), *site.routes(shelf.hubs, public_url=public_url)],
            exception_handlers=answers.handlers(partial(site.error_page, public_url=public_url)),
            lifespan=[partial(_alongside, beside)] if beside else None,
            request_max_body_size=_LARGEST_BODY,
            openapi_config=None,
            logging_config=None,
        ),
        state=shelf.hubs,
    )


@contextlib.asynccontextmanager
async def _alongside(work: Callable[[], Awaitable[None]], _: Litestar) -> AsyncIterator[None]:
    task = asyncio.ensure_future(work())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def listen(host: str, port: int) -> socket.socket:
    """A bound socket; port 0 takes a free one. Raises CannotListen."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, proto, _, address = found[0]
        bound = socket.socket(family, kind, proto)
    except (OSError, OverflowError) as error:
        raise CannotListen(f"can't listen on {host}:{port}: {error}; give another --host or --port") from error
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        bound.listen()  # from here on nobody is refused: who comes early waits
    except OSError as error:
        bound.close()
        raise CannotListen(_refused(host, port, error)) from error
    return bound


def _refused(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} on {host} is in use; stop what listens there or give another --port"
    if error.errno == errno.EACCES:
        return f"port {port} is reserved for root; give a --port of 1024 or more"
    return f"can't listen on {host}:{port}: {error.strerror}; give another --host or --port"


async def serve(application: Delivery, bound: socket.socket, *, ready: Callable[[], None] = lambda: None) -> None:
    """Serves until SIGINT or SIGTERM, and then ends at once: everything it says takes milliseconds.

    ``ready`` is called when both are listened to: from then on nobody is refused and no signal is missed.
    """
    config = uvicorn.Config(
        application, log_config=None, access_log=False, server_header=False, timeout_graceful_shutdown=1
    )
    server = _Server(config)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, server.stop)
    try:
        ready()
        await server.serve(sockets=[bound])
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
        bound.close()


class _Server(uvicorn.Server):
    """Without uvicorn's own signal handling, which raises the signal again after the shutdown."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def stop(self) -> None:
        self.should_exit = True
