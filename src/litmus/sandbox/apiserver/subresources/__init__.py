"""What hangs below an object and is no object of its kind: scale, eviction, binding, token, log, exec, …

``serve`` finds the one that a request means. Each module says of which Kubernetes paragraph it is the translation.
"""

from collections.abc import Awaitable, Callable

from starlette.responses import Response

from litmus.sandbox.apiserver import handlers
from litmus.sandbox.apiserver.call import Call
from litmus.sandbox.machinery import status

from . import binding, conversations, ephemeral, eviction, finalize, logs, proxy, scale, token

Handler = Callable[[Call], Awaitable[Response]]
# Resource → subresource → verb → what serves it. Scale and proxy are below every resource that lists them.
_TABLE: dict[tuple[str, str], dict[str, Handler]] = {
    ("pods", "attach"): {"create": conversations.attach, "get": conversations.attach},
    ("pods", "binding"): {"create": binding.serve},
    ("pods", "ephemeralcontainers"): {"get": ephemeral.get, "patch": ephemeral.refuse, "update": ephemeral.refuse},
    ("pods", "eviction"): {"create": eviction.serve},
    ("pods", "exec"): {"create": conversations.exec_, "get": conversations.exec_},
    ("pods", "log"): {"get": logs.serve},
    ("pods", "portforward"): {"create": conversations.port_forward, "get": conversations.port_forward},
    ("namespaces", "finalize"): {"update": finalize.serve},
    ("serviceaccounts", "token"): {"create": token.serve},
}
_PROXY: dict[str, Handler] = dict.fromkeys(("create", "delete", "get", "patch", "update"), proxy.serve)
_SCALE: dict[str, Handler] = {"get": scale.get, "update": scale.update, "patch": scale.patch}

_EVERYWHERE = {"scale": _SCALE, "proxy": _PROXY}


def unknown(call: Call) -> status.Refusal:
    """404 for a subresource that the resource does not have: custom ones say that the object is missing."""
    resource = call.known
    if resource.custom:
        return status.not_found(resource.plural, resource.group, call.info.name)
    return status.path_not_found()


async def serve(call: Call) -> Response:
    """Raises Refusal; 404 for a subresource that the resource does not have."""
    resource, name = call.known, call.info.subresource
    if name not in (*resource.subresources, *resource.connects) or not call.info.name:
        raise unknown(call)
    verbs = _EVERYWHERE.get(name) or _TABLE.get((resource.qualified, name))
    if verbs is None:
        raise status.path_not_found()
    if call.info.verb not in verbs:
        raise handlers.method_not_allowed()
    if call.info.rest and name != "proxy":
        raise status.path_not_found()
    return await verbs[call.info.verb](call)
