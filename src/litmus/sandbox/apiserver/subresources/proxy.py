"""``/proxy``: HTTP to a node's kubelet, to a pod or to a service, through the API server.

Source: the documentation "Access Services Running on Clusters"; k8s.io/kubernetes/pkg/registry/core/pod, service and
node (ResourceLocation) for what the name ``[scheme:]name[:port]`` means and for what is said about a wrong one.
"""

import random
import socket
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from starlette.responses import RedirectResponse, Response

from litmus.sandbox.apiserver import answers
from litmus.sandbox.apiserver.call import Call
from litmus.sandbox.machinery import objects, ports, status
from litmus.sandbox.machinery.objects import Key, Obj

from . import relay

_SCHEMES = ("", "http", "https")
_SERVICE_NAME = "kubernetes.io/service-name"
# What concerns one connection (RFC 9110 §7.6.1), and what is between the client and us.
_NOT_PASSED_ON = {
    "authorization", "connection", "content-length", "host", "keep-alive", "proxy-authenticate", "proxy-authorization",
    "te", "trailer", "transfer-encoding", "upgrade",
}  # fmt: skip


class Place(NamedTuple):
    """Where a request goes: an address of HTTP, or the unix socket of a kubelet."""

    base: str
    socket: Path | None = None


async def serve(call: Call) -> Response:
    """Any method below ``proxy``. Raises Refusal 400, 404 and 503."""
    if not call.info.rest and not call.info.path.endswith("/"):
        return _redirect(call)
    place = _PLACES[call.known.qualified](call)
    path = "/" + "/".join(quote(part) for part in call.info.rest)
    if call.info.rest and call.info.path.endswith("/"):
        path += "/"
    query = call.request.url.query
    headers = {name: value for name, value in call.headers.items() if name not in _NOT_PASSED_ON}
    headers = {name: value for name, value in headers.items() if not name.startswith("impersonate-")}
    try:
        found = await relay.ask(
            place.base + path + (f"?{query}" if query else ""),
            method=call.info.method,
            headers=headers,
            body=await call.body(),
            socket=place.socket,
        )
    except relay.Unreachable as error:
        raise status.unavailable(f"error trying to reach service: {error}") from error
    answered = {name.lower(): value for name, value in found.answer.headers.items()}
    return found.stream({name: value for name, value in answered.items() if name not in _NOT_PASSED_ON})


def _redirect(call: Call) -> Response:
    query = call.request.url.query
    answer = RedirectResponse(call.info.path + "/" + (f"?{query}" if query else ""), 301)
    answers.finish(answer)
    return answer


def _node(call: Call) -> Place:
    name = call.info.name.partition(":")[0]
    call.registry.get(call.known, Key("", name))
    return Place(f"http://{name}", call.services.kubelet_socket(name))


def _named(call: Call, kind: str) -> tuple[str, str, str]:
    """Scheme, name and port of what the path names. Raises Refusal 400."""
    scheme, name, port = "", "", ""
    match call.info.name.split(":"):
        case [name]:
            pass
        case [name, port]:
            pass
        case [scheme, name, port]:
            pass
        case _:
            scheme = "?"
    if scheme not in _SCHEMES or not name:
        raise status.bad_request(f'invalid {kind} request "{call.info.name}"')
    return scheme or "http", name, port


def _pod(call: Call) -> Place:
    scheme, name, port = _named(call, "pod")
    pod = call.registry.get(call.known, Key(call.info.namespace, name))
    address = (pod.get("status") or {}).get("podIP")
    if not address:
        raise status.bad_request("address not allowed")
    return _address(scheme, address, port or _first_port(pod))


def _first_port(pod: Obj) -> str:
    for container in pod["spec"]["containers"]:
        for port in container.get("ports") or []:
            return str(port["containerPort"])
    return "80"


def _address(scheme: str, host: str, port: str) -> Place:
    """Raises Refusal 400 for a port that is none."""
    if not port.isdecimal():
        try:
            port = str(socket.getservbyname(port, "tcp"))
        except OSError as error:
            raise status.bad_request(f"lookup tcp/{port}: unknown port") from error
    return Place(f"{scheme}://{host}:{ports.reachable(int(port))}")


def _service(call: Call) -> Place:
    scheme, name, port = _named(call, "service")
    service = call.registry.get(call.known, Key(call.info.namespace, name))
    listed = (service.get("spec") or {}).get("ports") or []
    wanted = [one for one in listed if not port or port in (one.get("name"), str(one["port"]))]
    if not wanted:
        raise status.unavailable(f'no service port {port} found for service "{name}"')
    found = list(_endpoints(call, name, wanted[0].get("name", "")))
    if not found:
        raise status.unavailable(f'no endpoints available for service "{call.info.name}"')
    address, number = random.choice(found)
    return _address(scheme, address, str(number))


def _endpoints(call: Call, service: str, port_name: str) -> list[tuple[str, int]]:
    """Addresses and ports of the ready endpoints of one port of a service."""
    known = call.services.catalogue.named("endpointslices.discovery.k8s.io")
    found = []
    for one in call.registry.store.list(known.storage, call.info.namespace):
        if objects.labels(one).get(_SERVICE_NAME) != service:
            continue
        numbers = [port["port"] for port in one.get("ports") or [] if (port.get("name") or "") == port_name]
        ready = [end for end in one.get("endpoints") or [] if (end.get("conditions") or {}).get("ready") is not False]
        found += [(end["addresses"][0], number) for end in ready for number in numbers]
    return found


_PLACES: dict[str, Callable[[Call], Place]] = {"nodes": _node, "pods": _pod, "services": _service}
