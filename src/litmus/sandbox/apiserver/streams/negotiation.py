"""Which protocol is spoken inside a SPDY connection: the header X-Stream-Protocol-Version.

Source: k8s.io/apimachinery/pkg/util/httpstream, Handshake; the texts are those of a real server.
"""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from . import upgrade

_HEADER = "X-Stream-Protocol-Version"
SPDY = "SPDY/3.1"


def spdy(request: Request, protocols: Sequence[str]) -> str | Response:
    """The first of the client's protocols that is among ``protocols``, or the answer that refuses it."""
    offered = [name.strip() for line in request.headers.getlist(_HEADER) for name in line.split(",") if name.strip()]
    if not offered:
        return PlainTextResponse(f"unable to upgrade: {_HEADER} is required\n", status_code=400)
    found = next((name for name in offered if name in protocols), "")
    if not found:
        accepted = " ".join(protocols)
        said = (
            f"unable to upgrade: unable to negotiate protocol: client supports [{' '.join(offered)}], "
            f"server accepts [{accepted}]\n"
        )
        return PlainTextResponse(said, 403, {"X-Accepted-Stream-Protocol-Versions": ", ".join(protocols)})
    if upgrade.wanted(request) != SPDY.lower():
        said = f"unable to upgrade: this server upgrades to {SPDY} and websocket only\n"
        return PlainTextResponse(said, status_code=400)
    return found


async def accept_spdy(request: Request, protocols: Sequence[str]) -> upgrade.Connection:
    """After ``spdy`` found a protocol."""
    found = spdy(request, protocols)
    assert isinstance(found, str)
    return await upgrade.accept(request, ("Upgrade", SPDY), (_HEADER, found))
