"""The hub's server: the charts under the addresses of the public hub of 1.10, so that documented commands work.

    GET /api/chaos/{version}?file=charts/generic/experiments.yaml[&namespace=NAME]
    GET /api/version
    GET /healthz

Unlike the original, which answers 200 with an error text that ``kubectl apply`` then chokes on, what does not exist is
a 404 that says what does.
"""

import asyncio
import errno
import signal
import socket
from collections.abc import Iterable, Sequence
from typing import Any

try:
    import uvicorn
    from litestar import Litestar, MediaType, Request, Response, get
except ModuleNotFoundError as error:
    from . import MissingExtra

    raise MissingExtra(
        f"the hub's server needs the package {error.name}, which is not installed: pip install 'litmus-py[hub]'"
    ) from error

from litmus import __version__
from litmus.api import strict
from litmus.experiments import catalogue
from litmus.experiments.declaration import Experiment

from . import charts

COMPATIBLE_VERSION = "1.10.0"
NEWEST = "master"
VERSIONS = (COMPATIBLE_VERSION, __version__, NEWEST)

_YAML = "text/yaml"  # the framework adds the charset


class CannotListen(Exception):
    """The address is not free or not ours. The sentence says what to do."""


def app(*, image: str = charts.DEFAULT_IMAGE, experiments: Sequence[Experiment] | None = None) -> Litestar:
    """The web application. ``image`` is what the ChaosExperiments name."""
    offered = catalogue.everything() if experiments is None else experiments
    paths = list(charts.table(offered))

    @get("/api/chaos/{version:str}", media_type=_YAML, sync_to_thread=False)
    def chart(request: Request[Any, Any, Any]) -> Response[str]:
        version = request.path_params["version"]
        file, namespace = (request.query_params.get(name, "") for name in ("file", "namespace"))
        if version not in VERSIONS:
            return _problem(404, f"There is no version {version!r}. There is {', '.join(VERSIONS)}.")
        if not file:
            return _problem(400, f"The parameter file is missing: add ?file=PATH, where PATH is {_summary(paths)}.")
        if namespace and not charts.is_namespace(namespace):
            return _problem(400, f"namespace={namespace!r} is no name of a namespace: small letters, digits and -.")
        if file not in paths:
            hint = strict.closest(file, paths) or "."
            return _problem(404, f"There is no file {file!r}{hint} There is {_summary(paths)}.")
        return Response(charts.table(offered, image=image, namespace=namespace)[file](), media_type=_YAML)

    @get("/api/version", sync_to_thread=False)
    def version() -> list[str]:
        return list(VERSIONS)

    @get("/healthz", media_type=MediaType.TEXT, sync_to_thread=False)
    def healthz() -> str:
        return "ok\n"

    return Litestar([chart, version, healthz], openapi_config=None, logging_config=None)


def _problem(status: int, sentence: str) -> Response[str]:
    return Response(f"{sentence}\n", status_code=status, media_type=MediaType.TEXT)


def _summary(paths: Iterable[str]) -> str:
    """The paths on one line, as a shell would write them: ``charts/generic/{a,b}/{experiment,rbac,engine}.yaml``."""
    groups: dict[str, list[str]] = {}
    for path in paths:
        _, group, name, *file = path.split("/")
        groups.setdefault(group, []).extend([name] if file == ["experiment.yaml"] else [])
    kinds = ",".join(file.removesuffix(".yaml") for file in charts.FILES)
    return " and ".join(
        f"charts/{group}/{charts.BUNDLE}, charts/{group}/{{{','.join(members)}}}/{{{kinds}}}.yaml"
        for group, members in groups.items()
    )


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


async def serve(application: Litestar, bound: socket.socket) -> None:
    """Serves until SIGINT or SIGTERM, and then ends at once: everything it says takes milliseconds."""
    config = uvicorn.Config(
        application, log_config=None, access_log=False, server_header=False, timeout_graceful_shutdown=1
    )
    server = _Server(config)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, server.stop)
    try:
        await server.serve(sockets=[bound])
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
        bound.close()


class _Server(uvicorn.Server):
    """Without uvicorn's own signal handling, which raises the signal again after the shutdown."""

    def capture_signals(self):  # type: ignore[no-untyped-def]  # a context manager, as in uvicorn
        import contextlib

        return contextlib.nullcontext()

    def stop(self) -> None:
        self.should_exit = True
