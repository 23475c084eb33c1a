"""Asking the kubelet of a node: over the unix socket on which it listens.

What a real API server does over HTTPS to port 10250 (k8s.io/kubernetes/pkg/kubelet/client).
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from urllib.parse import quote, urlencode

import aiohttp
from starlette.background import BackgroundTask
from starlette.responses import Response, StreamingResponse

from litmus.sandbox.apiserver import answers
from litmus.sandbox.apiserver.call import Call
from litmus.sandbox.machinery import status
from litmus.sandbox.machinery.objects import Key
from litmus.sandbox.machinery.status import Refusal

_CONNECT_S = 5.0
_ERROR_BYTES = 10_000


async def proxy(call: Call) -> Response:
    """GET nodes/<name>/proxy/<path>. Raises Refusal 404 and 503."""
    call.registry.get(call.known, Key("", call.info.name))
    path = "/" + "/".join(quote(part) for part in call.info.rest)
    return await fetch(call, call.info.name, path, dict(call.query), check="")


async def fetch(call: Call, node: str, path: str, parameters: Mapping[str, str], *, check: str) -> Response:
    """What the kubelet answers, streamed. ``check``: the resource about which a failure is reported, '' to hand over
    whatever comes. Raises Refusal with the kubelet's words, and 500 when it does not answer.
    """
    connector = aiohttp.UnixConnector(str(call.services.kubelet_socket(node)))
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_S)
    session = aiohttp.ClientSession(connector=connector, timeout=timeout, auto_decompress=False)
    url = f"http://{node}{path}" + (f"?{urlencode(parameters)}" if parameters else "")
    try:
        found = await session.get(url)
        if check and not found.ok:
            body = (await found.content.read(_ERROR_BYTES)).decode(errors="replace")
            raise _failure(found.status, body, check, call.info.name)
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        await session.close()
        raise Refusal(
            500, "InternalError", f'Internal error occurred: Get "https://{node}:10250{path}": {error}'
        ) from error
    except (Refusal, asyncio.CancelledError):
        await session.close()
        raise
    media_type = "text/plain" if check else found.headers.get("content-type", "text/plain")
    body_of = StreamingResponse(
        _pieces(found, session), found.status, media_type=media_type, background=BackgroundTask(session.close)
    )
    answers.finish(body_of)
    return body_of


async def _pieces(found: aiohttp.ClientResponse, session: aiohttp.ClientSession) -> AsyncIterator[bytes]:
    try:
        async for piece in found.content.iter_any():
            yield piece
    except aiohttp.ClientError:
        return  # the node has gone; what it has said so far is what there is
    finally:
        found.close()
        await session.close()


def _failure(code: int, said: str, resource: str, name: str) -> Refusal:
    """Source: k8s.io/apiserver/pkg/registry/generic/rest/response_checker.go."""
    if code == 500:
        return status.internal(said)
    if code == 400:
        return status.bad_request(said)
    if code == 404:
        message = f"the server could not find the requested resource ( {resource} {name})"
        return Refusal(404, "NotFound", message, name=name, kind=resource)
    return Refusal(code, "", said or f"the server responded with the status code {code}")
