"""The one door to a cluster: each verb once, typed objects out, our errors only.

A ``Cluster`` retries what a restarting API server or a full queue causes, for as long as its ``patience_s``: a run on a
real cluster must survive a control-plane hiccup, a person at a terminal must not wait for one.
"""

import asyncio
import logging
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from typing import Any, Self, TypeVar

import httpx2
import msgspec
from lightkube import AsyncClient, operators
from lightkube.config import kubeconfig
from lightkube.core import exceptions
from lightkube.core.generic_client import BasicRequest
from lightkube.types import CascadeType, PatchType

from litmus.api.meta import present

from . import errors, settings
from .kinds import Kind, eviction, resource

T = TypeVar("T")
R = TypeVar("R")

log = logging.getLogger(__name__)

FIELD_MANAGER = "litmus"
_RETRIED_CODES = (429, 500, 502, 503, 504)
_CHUNK = 500
# The server closes a watch after this long, in seconds.
WATCH_S = 60
_UPDATE_TRIES = 12
_UPDATE_SPAN_S = 3.0
_LIST_TRIES = 3
# What the client library lets through: its own errors, those of the transport and of the credentials' plugins, and
# those of an answer that is not Kubernetes' (a proxy's page, an empty body, no content type).
_FOREIGN = (
    httpx2.HTTPError,
    httpx2.InvalidURL,
    exceptions.ConfigError,
    OSError,
    KeyError,
    ValueError,
    msgspec.MsgspecError,
)


class Cluster:
    """A connection to one cluster as one identity. Use as an async context manager.

    ``patience_s``: how long a call is tried again while the API server does not answer; it may be changed at any time.
    """

    def __init__(self, config: kubeconfig.SingleConfig, *, patience_s: float = 0.0, timeout_s: float = 15.0) -> None:
        self.server = str(config.cluster.server)
        self.patience_s = patience_s
        try:
            self._client = AsyncClient(config=config, timeout=httpx2.Timeout(timeout_s), field_manager=FIELD_MANAGER)
        except (exceptions.ConfigError, httpx2.InvalidURL, OSError, ValueError) as error:
            raise errors.ConfigError(f"the kubeconfig can't be used: {error}") from error

    @classmethod
    def connect(cls, *, kubeconfig: str = "", context: str = "", patience_s: float = 0.0) -> Self:
        """Opens no connection yet. Raises ConfigError when there is no usable kubeconfig."""
        return cls(settings.load(path=kubeconfig, context=context), patience_s=patience_s)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    @property
    def namespace(self) -> str:
        """The namespace of the context, else 'default'."""
        return str(self._client.namespace or "default")

    def kubeconfig(self) -> dict[str, Any]:
        """The connection as the content of a kubeconfig, for a program that we start. It may hold a token."""
        return settings.written(self._client.config)

    async def version(self) -> str:
        """The version of the API server, such as v1.31.2."""
        return str((await self.document("/version"))["gitVersion"])

    async def document(self, path: str) -> dict[str, Any]:
        """What the server says of itself at a path; of what it serves it tells below /api and /apis."""

        async def fetch() -> dict[str, Any]:
            client: Any = self._client  # the library knows only resources, and this is none
            generic = client._client
            answer = await generic.send(generic.build_adapter_request(BasicRequest(method="GET", url=path)))
            generic.raise_for_status(answer)
            return dict(answer.json())

        return await self._call(fetch, f"get {path}")

    async def get(self, kind: Kind[T], name: str, *, namespace: str = "") -> T:
        return _decode(kind, await self._call(lambda: self._get(kind, name, namespace), f"get {kind} {name}"))

    async def find(self, kind: Kind[T], name: str, *, namespace: str = "") -> T | None:
        """Like ``get``, None if there is no such object."""
        try:
            return await self.get(kind, name, namespace=namespace)
        except errors.NotFound:
            return None

    async def select(self, kind: Kind[T], *, namespace: str = "", labels: str = "", fields: str = "") -> list[T]:
        """All objects of a kind; ``namespace='*'`` means every namespace. Selectors as kubectl takes them."""
        items, _ = await self.select_with_version(kind, namespace=namespace, labels=labels, fields=fields)
        return items

    async def select_with_version(
        self, kind: Kind[T], *, namespace: str = "", labels: str = "", fields: str = ""
    ) -> tuple[list[T], str]:
        """The objects and the resource version from which a watch may go on."""

        async def fetch() -> tuple[list[T], str]:
            found = self._client.list(
                resource(kind),
                namespace=namespace or None,
                chunk_size=_CHUNK,
                labels=_as_written(labels),
                fields=_as_written(fields),
            )
            items = [decoded async for item in found if (decoded := _decode_or_skip(kind, item)) is not None]
            return items, str(found.resourceVersion)

        for _ in range(_LIST_TRIES - 1):
            try:
                return await self._call(fetch, f"list {kind.plural}")
            except errors.Expired:
                continue  # the list changed too much between two of its pages
        return await self._call(fetch, f"list {kind.plural}")

    async def watch(
        self, kind: Kind[T], *, namespace: str, labels: str = "", fields: str = "", version: str
    ) -> AsyncGenerator[tuple[str, T]]:
        """Changes after ``version``, until the server closes the stream or an error is raised."""
        stream = self._client.watch(
            resource(kind),
            namespace=namespace or None,
            labels=_as_written(labels),
            fields=_as_written(fields),
            resource_version=version,
            server_timeout=WATCH_S,
        )
        try:
            async for change, item in stream:
                yield change, _decode(kind, item)
        except _FOREIGN as error:
            raise translate(error, f"watch {kind.plural}", self.server) from error

    async def create(self, kind: Kind[T], manifest: Mapping[str, Any], *, namespace: str = "") -> T:
        body: Any = resource(kind)({"apiVersion": kind.api_version, "kind": kind.kind, **manifest})
        where = namespace or manifest.get("metadata", {}).get("namespace") or None
        name = manifest.get("metadata", {}).get("name", "")
        client: Any = self._client  # its overloads know only the generated classes
        made = await self._call(lambda: client.create(body, namespace=where), f"create {kind} {name}")
        return _decode(kind, made)

    async def patch(self, kind: Kind[T], name: str, change: Mapping[str, Any], *, namespace: str = "") -> T:
        """A JSON merge patch."""
        changed = await self._call(
            lambda: self._client.patch(
                resource(kind), name, dict(change), namespace=namespace or None, patch_type=PatchType.MERGE
            ),
            f"patch {kind} {name}",
        )
        return _decode(kind, changed)

    async def update(
        self,
        kind: Kind[T],
        name: str,
        change: Callable[[T], Mapping[str, Any] | None],
        *,
        namespace: str,
        seen: T | None = None,
    ) -> T:
        """Read, compute a merge patch from what was read, write only if nobody else wrote; again if somebody did.

        ``change`` returns None when there is nothing to do. ``seen`` saves the first read. Raises Conflict after a
        dozen lost races.
        """
        for attempt in range(_UPDATE_TRIES):
            if seen is None:
                seen = await self.get(kind, name, namespace=namespace)
            patch = change(seen)
            if patch is None:
                return seen
            version = seen.metadata.resource_version  # type: ignore[attr-defined]  # all our kinds have metadata
            metadata = {**patch.get("metadata", {}), "resourceVersion": version}
            try:
                return await self.patch(kind, name, {**patch, "metadata": metadata}, namespace=namespace)
            except errors.Conflict:
                seen = None
                # When all chaos is stopped, many take back their part of one object: as long as all of them try at
                # once, one gains and the others only cost. So each waits anywhere in a span that grows.
                await asyncio.sleep(random.uniform(0, min(0.05 * 2**attempt, _UPDATE_SPAN_S)))
        raise errors.Conflict(f"{kind} {name} is written too often by others; {_UPDATE_TRIES} tries were lost")

    async def apply(self, kind: Kind[Any], manifest: Mapping[str, Any], *, dry_run: bool = False) -> None:
        """Server-side apply, taking fields over from other managers; ``dry_run`` asks whether it would be accepted."""
        meta = manifest["metadata"]
        await self._call(
            lambda: self._client.patch(
                resource(kind),
                meta["name"],
                dict(manifest),
                namespace=meta.get("namespace"),
                patch_type=PatchType.APPLY,
                force=True,
                dry_run=dry_run,
            ),
            f"apply {kind} {meta['name']}",
        )

    async def delete(self, kind: Kind[Any], name: str, *, namespace: str = "", grace_s: int | None = None) -> bool:
        """Asks for the deletion, with dependents following in the background; False if it was gone already."""

        async def ask() -> None:
            await self._client.delete(
                resource(kind),
                name,
                namespace=namespace or None,
                grace_period=grace_s,
                cascade=CascadeType.BACKGROUND,
            )

        try:
            await self._call(ask, f"delete {kind} {name}")
        except errors.NotFound:
            return False
        return True

    async def evict(self, pod: str, *, namespace: str, uid: str, version: str) -> None:
        """Asks for the eviction of a pod; the answer may be OverBudget. ``version`` of the group policy."""
        about = {"name": pod, "namespace": namespace}
        body = eviction(version)(
            apiVersion=f"policy/{version}",
            kind="Eviction",
            metadata=about,
            # Without it, a pod of the same name that took its place could be hit.
            deleteOptions={"preconditions": {"uid": uid}},
        )
        client: Any = self._client  # its overloads know only the generated classes
        await self._call(lambda: client.create(body, pod, namespace=namespace), f"evict pod {pod}")

    async def logs(self, pod: str, *, namespace: str, tail_lines: int, container: str | None = None) -> list[str]:
        async def fetch() -> list[str]:
            lines = self._client.log(
                pod, namespace=namespace, container=container, tail_lines=tail_lines, newlines=False
            )
            return [line async for line in lines]

        return await self._call(fetch, f"read the log of pod {pod}")

    async def follow_log(self, pod: str, *, namespace: str, container: str, silence_s: float) -> AsyncGenerator[str]:
        """The lines of a container's log, from its beginning, until it ends or an error is raised.

        Whoever writes it must do so at least every ``silence_s``: a dead connection ends with Unreachable.
        """
        # A generator, whatever its overloads say.
        found: Any = self._client.log(pod, namespace=namespace, container=container, follow=True, newlines=False)
        try:
            async with aclosing(found) as lines:
                while True:
                    try:
                        async with asyncio.timeout(silence_s):
                            line = await anext(lines)
                    except StopAsyncIteration:
                        return
                    except TimeoutError as error:
                        raise errors.Unreachable(f"the log of pod {pod} is silent for {silence_s:g} s") from error
                    yield line
        except RuntimeError:
            # The client library reads an error's body as an async stream can't be read; without following, it tells.
            await self.logs(pod, namespace=namespace, container=container, tail_lines=1)
        except _FOREIGN as error:
            raise translate(error, f"follow the log of pod {pod}", self.server) from error

    async def _get(self, kind: Kind[Any], name: str, namespace: str) -> Any:
        return await self._client.get(resource(kind), name, namespace=namespace or None)

    async def _call(self, request: Callable[[], Awaitable[R]], what: str) -> R:
        clock = asyncio.get_running_loop().time
        give_up = clock() + self.patience_s
        pause = 0.1
        while True:
            try:
                return await request()
            except _FOREIGN as error:
                translated = translate(error, what, self.server)
                if not isinstance(translated, errors.Unreachable) or clock() + pause > give_up:
                    raise translated from error
                await asyncio.sleep(pause)
                pause = min(pause * 2, 2.0)


def translate(error: Exception, what: str, server: str) -> errors.KubeError:
    """One of our errors for one of the client library's, with a sentence for people."""
    if isinstance(error, exceptions.ApiError):
        status = error.status
        causes = (status.details and status.details.causes) or []
        if status.code == 429 and (budgets := [c.message for c in causes if c.reason == "DisruptionBudget"]):
            return errors.OverBudget("; ".join(str(message) for message in budgets))
        return _of_status(status.code or 0, status.reason or "", status.message or str(error), what)
    if isinstance(error, httpx2.HTTPStatusError):
        return _of_status(error.response.status_code, "", _message(error.response), what)
    if isinstance(error, exceptions.ConfigError):
        return errors.ConfigError(f"the credentials of the kubeconfig don't work: {error}")
    detail = str(error) or type(error).__name__
    if isinstance(error, httpx2.InvalidURL | ValueError | msgspec.MsgspecError) and not isinstance(error, OSError):
        return errors.Invalid(f"can't {what}: the answer of {server} is not that of a Kubernetes API ({detail})")
    return errors.Unreachable(f"can't {what}: {server} does not answer ({detail}); is the cluster up and reachable?")


def _message(response: httpx2.Response) -> str:
    """What the server says; the library reads it only when the content type has no charset."""
    try:
        return str(response.json()["message"])
    except (ValueError, KeyError, TypeError, httpx2.StreamError):
        return response.reason_phrase


def _of_status(code: int, reason: str, message: str, what: str) -> errors.KubeError:
    match code:
        case 401:
            return errors.Forbidden(f"can't {what}: the credentials are not accepted; log in again")
        case 403:
            return errors.Forbidden(f"can't {what}: {message}")
        case 404:
            return errors.NotFound(f"can't {what}: {message}")
        case 410:
            return errors.Expired(f"can't {what}: {message}")
        case 409:
            return errors.Conflict(f"can't {what}: {message}")
        case _ if code in _RETRIED_CODES:
            return errors.Unreachable(f"can't {what}: the API server answers {code} {reason}: {message}")
        case _:
            return errors.Invalid(f"can't {what}: {message}")


class _AsWritten(operators.BinaryOperator):
    """Passes a whole selector through as the person wrote it; the library would have us take it apart."""

    def __init__(self, selector: str) -> None:
        super().__init__("not_equal", "", selector)

    def encode(self, key: str) -> str:
        return self.value


def _as_written(selector: str) -> Any:
    return {"": _AsWritten(selector)} if selector else None


def _decode(kind: Kind[T], item: Any) -> T:
    if kind.type is dict:
        return item  # type: ignore[no-any-return]
    try:
        return msgspec.convert(present(dict(item)), kind.type)
    except msgspec.ValidationError as error:
        name = (item.get("metadata") or {}).get("name", "")
        raise errors.Invalid(f"{kind} {name} can't be understood: {error}") from error


def _decode_or_skip(kind: Kind[T], item: Any) -> T | None:
    """One object that somebody broke must not hide all others of its kind."""
    try:
        return _decode(kind, item)
    except errors.Invalid as error:
        log.warning("left out of a list: %s", error)
        return None
