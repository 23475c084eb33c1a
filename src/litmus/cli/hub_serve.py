"""``litmus hub serve``: the site and the API of the hub, as a server of this machine or of a pod."""

import logging
from functools import partial
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter, validators

from litmus import logs
from litmus.hub import MissingExtra, custom

from . import failures, options

HOST = "127.0.0.1"
PORT = 8080
SYNC_EVERY_S = 3600
_LOG = logging.getLogger(__name__)


def _is_address(_: object, url: str) -> None:
    if url and not url.startswith(("http://", "https://")):
        raise ValueError(f"{url!r} is no address that begins with http:// or https://.")


async def serve(
    *,
    host: Annotated[str, Parameter(help="Address to listen on; 0.0.0.0 for all.")] = HOST,
    port: Annotated[
        int, Parameter(help="Port to listen on; 0 takes a free one.", validator=validators.Number(gte=0, lte=65535))
    ] = PORT,
    image: options.Image = "",
    public_url: Annotated[
        str,
        Parameter(
            help="Where users reach it, for the commands on its pages; else the address that they ask.",
            show_default=False,
            validator=_is_address,
        ),
    ] = "",
    hubs: Annotated[
        str,
        Parameter(
            help="File that lists the hubs to serve beside ours; else that of litmus hub add.", show_default=False
        ),
    ] = "",
    sync_every: Annotated[
        int,
        Parameter(
            help="Seconds between two syncs of these hubs; 0 never syncs them.", validator=validators.Number(gte=0)
        ),
    ] = SYNC_EVERY_S,
    json_logs: Annotated[
        bool, Parameter(help="Say everything as JSON, one object a line, as in a pod.", negative="")
    ] = False,
) -> int:
    """Serve the catalogue: pages for a browser, and manifests for kubectl apply -f URL."""
    try:
        from litmus.hub import following, server
    except MissingExtra as error:
        raise failures.Failed(str(error)) from error
    if hubs and not Path(hubs).exists():
        raise failures.Misused(f"--hubs {hubs}: there is no such file; litmus hub add writes one")
    others = following.Following(custom.places(hubs))
    try:
        await others.look()
    except custom.Misused as error:
        raise failures.Misused(str(error)) from error
    try:
        bound = server.listen(host, port)
    except server.CannotListen as error:
        raise failures.Failed(str(error)) from error
    logs.to_stderr(logging.INFO if json_logs else logging.WARNING)
    logging.getLogger("uvicorn").setLevel(logging.ERROR)  # it warns of every client that speaks no HTTP
    application = server.app(
        image=options.image(image),
        others=lambda: others.hubs,
        public_url=public_url.rstrip("/"),
        beside=lambda: others.follow(sync_every_s=sync_every),
    )
    where = public_url.rstrip("/") or f"http://{_reachable(host)}:{bound.getsockname()[1]}"
    await server.serve(application, bound, ready=partial(_announce, where, json_logs=json_logs))
    return 0


def _announce(where: str, *, json_logs: bool) -> None:
    if json_logs:
        _LOG.info("the hub serves on %s", where)
        return
    example = f"{where}/api/chaos/master?file=charts/generic/experiments.yaml"
    print(f"The hub serves on {where} until Ctrl-C. Open it in a browser, or for instance:", flush=True)
    print(f"  kubectl apply -f '{example}'", flush=True)


def _reachable(host: str) -> str:
    """The host as it stands in an address that works on this machine."""
    if host in {"0.0.0.0", "::", ""}:  # what was asked for
        return "localhost"
    return f"[{host}]" if ":" in host else host
