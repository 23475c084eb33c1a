"""The API server as an ASGI application: each request passes the same stations.

What does it mean (``requests``), who asks (``authentication``), may they (``authorization``), then the handler. Source:
the documentation "Controlling Access to the Kubernetes API". A refusal anywhere becomes its Status.
"""

import logging

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount
from starlette.types import Receive, Scope, Send

from litmus.sandbox.apiserver import (
    answers,
    authentication,
    authorization,
    components,
    deprecations,
    handlers,
    negotiation,
    paths,
    requests,
    reviews,
    subresources,
    watching,
)
from litmus.sandbox.apiserver.call import Call
from litmus.sandbox.apiserver.services import Services
from litmus.sandbox.apiserver.subresources import binding
from litmus.sandbox.machinery import status
from litmus.sandbox.machinery.resources import Resource
from litmus.sandbox.machinery.status import Refusal

log = logging.getLogger(__name__)

_SPECIAL = {**dict.fromkeys(reviews.REVIEWS, reviews.serve), "bindings": binding.serve_legacy}
_SPECIAL["componentstatuses"] = components.serve


def application(services: Services) -> Starlette:
    """Everything that an API server answers.

    uvicorn runs it with ``http=streams.Protocol, ws="none"``: exec and port-forward are requests that upgrade.
    """
    return Starlette(routes=[Mount("/", app=_Server(services))])


class _Server:
    def __init__(self, services: Services) -> None:
        self._services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        try:
            call = self._admitted(request)
            response = await _dispatch(call)
            if call.resource is not None:
                answers.warn(response, deprecations.warnings(call.registry, call.resource))
        except Refusal as refusal:
            response = _refused(request, refusal)
        except (requests.BadPath, authentication.IncompleteImpersonation) as error:
            said = f"failed to create RequestInfo: {error}" if isinstance(error, requests.BadPath) else str(error)
            response = answers.text(f'Internal Server Error: "{request.url.path}": {said}\n', code=500)
        except Exception as error:
            log.exception("%s %s failed", scope.get("method", "GET"), request.url.path)
            response = _refused(request, status.internal(f"{type(error).__name__}: {error}"))
        await response(scope, receive, send)

    def _admitted(self, request: Request) -> Call:
        """Raises Refusal 401 and 403."""
        services, headers = self._services, request.headers
        method = request.scope.get("method", "GET")
        info = requests.info(method, request.scope["path"], request.query_params)
        user = services.authenticator.request(headers)
        user = authentication.impersonated(headers, user, services.authorizer)
        services.authorizer.check(authorization.attributes(user, info))
        resource = services.catalogue.find(info.group, info.version, info.resource) if info.is_resource else None
        return Call(services=services, request=request, info=info, user=user, resource=resource)


async def _dispatch(call: Call) -> Response:
    info, resource = call.info, call.resource
    if not info.is_resource:
        return paths.respond(call)
    if resource is None:
        return _unknown(call)
    if not _in_place(call, resource):
        raise status.path_not_found()
    if resource.qualified in _SPECIAL:
        return await _SPECIAL[resource.qualified](call)
    if info.subresource and info.subresource != "status":
        return await subresources.serve(call)
    if (info.subresource == "status" and not resource.has_status) or info.rest:
        raise subresources.unknown(call)
    if info.verb == "watch" and "watch" in resource.verbs:
        return await watching.serve(call)
    return await handlers.serve(call)


def _in_place(call: Call, resource: Resource) -> bool:
    """Whether the path names a namespace where one belongs; a namespace itself lies in itself."""
    namespace = call.info.namespace
    return resource.namespaced or not namespace or resource.qualified == "namespaces"


def _unknown(call: Call) -> Response:
    """Built-in versions say that a resource is missing; below a group that nobody knows there is but a page."""
    served = [
        one for one in call.services.catalogue if (one.group, one.version) == (call.info.group, call.info.version)
    ]
    if call.info.group and all(one.custom for one in served):
        return answers.page_not_found()
    raise status.path_not_found()


def _refused(request: Request, refusal: Refusal) -> Response:
    agent = request.headers.get("user-agent", "")
    pretty = negotiation.wants_pretty(request.query_params.get("pretty"), agent)
    try:
        accept = negotiation.negotiate(request.headers.get("accept", ""), pretty=pretty)
    except Refusal:
        accept = negotiation.Accepted(pretty=pretty)
    return answers.refused(refusal, accept)
