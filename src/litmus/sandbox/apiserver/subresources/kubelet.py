"""Asking the kubelet of a node: over the unix socket on which it listens.

What a real API server does over HTTPS to port 10250 (k8s.io/kubernetes/pkg/kubelet/client).
"""

from collections.abc import Mapping
from urllib.parse import urlencode

from starlette.responses import Response

from litmus.sandbox.apiserver.call import Call
from litmus.sandbox.machinery import status
from litmus.sandbox.machinery.status import Refusal

from . import relay

_ERROR_BYTES = 10_000


async def fetch(call: Call, node: str, path: str, parameters: Mapping[str, str], *, about: str) -> Response:
    """Text from the kubelet, as it comes. ``about``: the resource that a failure is reported of.

    Raises Refusal with the kubelet's words, and 500 when it does not answer.
    """
    url = f"http://{node}{path}" + (f"?{urlencode(parameters)}" if parameters else "")
    try:
        found = await relay.ask(url, socket=call.services.kubelet_socket(node))
    except relay.Unreachable as error:
        raise status.internal(f'Get "https://{node}:10250{path}": {error}') from error
    if not found.answer.ok:
        raise _failure(found.answer.status, await found.text(_ERROR_BYTES), about, call.info.name)
    return found.stream({"content-type": "text/plain"})


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
