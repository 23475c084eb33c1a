"""``/exec``, ``/attach`` and ``/portforward``: handed to ``apiserver.streams`` with the pod and its node's socket."""

from pathlib import Path

from starlette.responses import Response

from litmus.sandbox.apiserver import streams
from litmus.sandbox.apiserver.call import Call
from litmus.sandbox.machinery import status
from litmus.sandbox.machinery.objects import Key, Obj


def _pod(call: Call) -> Obj:
    return call.registry.get(call.known, call.key)


def _socket(call: Call, pod: Obj) -> Path:
    """Of a pod without a node there is none; ``streams`` refuses it before it looks. Raises Refusal 404."""
    node = (pod.get("spec") or {}).get("nodeName")
    if not node:
        return Path()
    if call.registry.store.get("nodes", Key("", node)) is None:
        raise status.not_found("pods", "", node)  # so says a real server: it looks the node up as its pod does
    return call.services.kubelet_socket(node)


async def exec_(call: Call) -> Response:
    """Raises Refusal."""
    pod = _pod(call)
    return await streams.exec_(call.request, pod, kubelet_socket=_socket(call, pod))


async def attach(call: Call) -> Response:
    """Raises Refusal."""
    pod = _pod(call)
    return await streams.attach(call.request, pod, kubelet_socket=_socket(call, pod))


async def port_forward(call: Call) -> Response:
    """Raises Refusal."""
    return await streams.port_forward(call.request, _pod(call))
