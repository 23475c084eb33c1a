"""``litmus hub serve``: the hub as a server of this machine."""

from typing import Annotated

from cyclopts import Parameter, validators

from litmus.hub import MissingExtra

from . import failures, options

HOST = "127.0.0.1"
PORT = 8080


async def serve(
    *,
    host: Annotated[str, Parameter(help="Address to listen on; 0.0.0.0 for all.")] = HOST,
    port: Annotated[
        int, Parameter(help="Port to listen on; 0 takes a free one.", validator=validators.Number(gte=0, lte=65535))
    ] = PORT,
    image: options.Image = "",
) -> int:
    """Serve the charts, for kubectl apply -f URL."""
    try:
        from litmus.hub import server
    except MissingExtra as error:
        raise failures.Failed(str(error)) from error
    try:
        bound = server.listen(host, port)
    except server.CannotListen as error:
        raise failures.Failed(str(error)) from error
    application = server.app(image=options.image(image))
    where = f"http://{host}:{bound.getsockname()[1]}"
    print(f"The hub serves on {where} until Ctrl-C. For instance:", flush=True)
    print(f"  kubectl apply -f '{where}/api/chaos/{server.NEWEST}?file=charts/generic/experiments.yaml'", flush=True)
    await server.serve(application, bound)
    return 0
