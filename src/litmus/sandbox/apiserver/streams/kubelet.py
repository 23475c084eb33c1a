"""The way to a node: a WebSocket to its kubelet's unix socket, and what a kubelet that says no becomes.

A kubelet answers in plain text; clients of Kubernetes know and show that text ("unable to upgrade connection: …"), so
it is passed on as it is.
"""

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote, urlencode

from starlette.responses import PlainTextResponse
from websockets.asyncio import client
from websockets.exceptions import InvalidHandshake, InvalidStatus
from websockets.typing import Subprotocol

from litmus.sandbox.machinery import objects, status
from litmus.sandbox.machinery.objects import Obj

PROTOCOL = "v5.channel.k8s.io"
_OPEN_S = 10.0
_CLOSE_S = 2.0
Conversation = client.ClientConnection


class SaysNo(Exception):
    """The kubelet does not begin the conversation; ``answer`` is what the client is told."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.answer = PlainTextResponse(text, status_code=code)


async def connect(socket: Path, verb: str, pod: Obj, container: str, query: Sequence[tuple[str, str]]) -> Conversation:
    """Begin ``exec`` or ``attach``. Raises SaysNo, and Refusal (500) when the node cannot be reached."""
    path = "/".join(quote(part, safe="") for part in (verb, objects.namespace(pod), objects.name(pod), container))
    try:
        return await client.unix_connect(
            str(socket),
            f"ws://kubelet/{path}?{urlencode(query)}",
            subprotocols=[Subprotocol(PROTOCOL)],
            compression=None,
            max_size=None,
            ping_interval=None,
            open_timeout=_OPEN_S,
            close_timeout=_CLOSE_S,
            proxy=None,
        )
    except InvalidStatus as refused:
        body = refused.response.body or b""
        raise SaysNo(refused.response.status_code, body.decode(errors="replace").strip()) from refused
    except (OSError, InvalidHandshake) as lost:
        node = pod["spec"]["nodeName"]
        message = f"error dialing backend: node {node} does not answer at {socket}: {lost}"
        raise status.Refusal(500, "", message) from lost
