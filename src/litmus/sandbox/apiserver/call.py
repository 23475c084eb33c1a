"""One request on its way through the handlers."""

from dataclasses import dataclass

from starlette.datastructures import Headers, QueryParams
from starlette.requests import Request

from litmus.sandbox.apiserver import bodies, negotiation, query
from litmus.sandbox.apiserver.negotiation import Accepted
from litmus.sandbox.apiserver.requests import RequestInfo
from litmus.sandbox.apiserver.services import Services
from litmus.sandbox.machinery import patches, schemas, status
from litmus.sandbox.machinery.objects import Key, Obj
from litmus.sandbox.machinery.options import DeleteOptions, Options, User
from litmus.sandbox.machinery.registry import Patch, Registry
from litmus.sandbox.machinery.resources import Resource
from litmus.sandbox.machinery.schemas import duplicates, validate_fields
from litmus.sandbox.machinery.status import Refusal

_BODY_LIMIT = 3 * 1024 * 1024  # bytes, as etcd and the API server allow
_OPTIONS_KINDS = {"POST": "CreateOptions", "PUT": "UpdateOptions", "PATCH": "PatchOptions"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """Who asks for what. ``resource`` is None for a path that is none."""

    services: Services
    request: Request
    info: RequestInfo
    user: User
    resource: Resource | None = None

    @property
    def registry(self) -> Registry:
        return self.services.registry

    @property
    def query(self) -> QueryParams:
        return self.request.query_params

    @property
    def headers(self) -> Headers:
        return self.request.headers

    @property
    def user_agent(self) -> str:
        return self.headers.get("user-agent", "")

    @property
    def known(self) -> Resource:
        """The resource. Raises Refusal 404 where there is none."""
        if self.resource is None:
            raise status.path_not_found()
        return self.resource

    @property
    def key(self) -> Key:
        """Which object the path means."""
        return Key(self.info.namespace if self.known.namespaced else "", self.info.name)

    @property
    def pretty(self) -> bool:
        return negotiation.wants_pretty(self.query.get("pretty"), self.user_agent)

    def accepted(self, *, table: bool = True) -> Accepted:
        """Raises Refusal 406."""
        return negotiation.of_objects(self.headers.get("accept", ""), table=table, pretty=self.pretty)

    def options(self) -> Options:
        """Of a create, update or patch. Raises Refusal 422."""
        apply = bodies.media_type(self.content_type) == patches.APPLY
        kind = _OPTIONS_KINDS.get(self.info.method, "CreateOptions")
        return query.writing(self.query, kind=kind, user=self.user, user_agent=self.user_agent, apply=apply)

    async def delete_options(self) -> DeleteOptions:
        """Raises Refusal 400, 413, 415 and 422."""
        body = await self.body()
        found: Obj = {}
        if body.strip():
            try:
                parsed = bodies.parse(body, self.content_type)
            except ValueError as error:
                raise Refusal(500, "", f"couldn't get version/kind; {error}") from error
            if parsed is not None and not isinstance(parsed, dict):
                raise Refusal(500, "", bodies.no_kind(parsed))
            found = parsed or {}
        return query.deletion(found, self.query, user=self.user, user_agent=self.user_agent)

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "")

    async def body(self) -> bytes:
        """Raises Refusal 413."""
        announced = self.headers.get("content-length", "0")
        if announced.isdecimal() and int(announced) > _BODY_LIMIT:
            raise _too_large()
        body = b""
        async for piece in self.request.stream():
            body += piece
            if len(body) > _BODY_LIMIT:
                raise _too_large()
        return body

    async def decoded(self, expected: Resource, *, asked: Options | None = None, versions: tuple[str, ...] = ()) -> Obj:
        """The object in the body. ``asked``: where fields that stand twice are reported. Raises Refusal."""
        body = await self.body()
        found = bodies.decode(body, self.content_type, expected, versions=versions)
        if asked is not None and bodies.media_type(self.content_type) == negotiation.JSON:
            repeated = duplicates.parse(body)[1]
            validate_fields(expected, (), asked=asked, duplicate=repeated)
        return found

    async def read(self, expected: Resource, *, asked: Options, versions: tuple[str, ...] = ()) -> Obj:
        """The object in the body, its values of the right types: for kinds that no registry stores. Raises Refusal."""
        return schemas.decode(expected, await self.decoded(expected, asked=asked, versions=versions), asked=asked)

    async def patch(self, expected: Resource) -> Patch:
        """The patch in the body, of an object of ``expected``. Raises Refusal 400, 413 and 415."""
        media_type = bodies.media_type(self.content_type)
        try:
            return patches.read(media_type, await self.body(), expected, shapes=self.registry.behaviour.schema)
        except Refusal as refusal:
            if refusal.code == 415 and not expected.custom:  # the router of built-in kinds says it before the handler
                raise status.unsupported_media_type("415: Unsupported Media Type") from refusal
            raise


def _too_large() -> status.Refusal:
    message = f"Request entity too large: limit is {_BODY_LIMIT}"
    return status.Refusal(413, "RequestEntityTooLarge", message)
