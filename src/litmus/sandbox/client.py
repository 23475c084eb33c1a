"""The API over HTTP, as the processes around the API server speak it: nodes and the service proxy.

It knows resources by the names that ``machinery.cluster`` uses ("pods", "leases.coordination.k8s.io"), raises the
server's answer as ``status.Refusal`` and everything else that keeps an answer from arriving as ``Unreachable``. It does
not retry a request: whoever asks knows whether that is safe. Only ``watch`` goes on for ever, as a reflector of
client-go does: it lists, follows, resumes where it was after a broken connection, and lists again after 410 Gone.
"""

import asyncio
import base64
import logging
import random
import ssl
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, NamedTuple, Self

import aiohttp
import msgspec
import yaml

from litmus.sandbox.machinery import objects, resources
from litmus.sandbox.machinery.objects import Key, Obj
from litmus.sandbox.machinery.resources import Resource
from litmus.sandbox.machinery.status import Refusal

log = logging.getLogger(__name__)

PATCHES = {
    "json": "application/json-patch+json",
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "apply": "application/apply-patch+yaml",
}
REQUEST_S = 30.0
WATCH_S = 300  # the least that a watch lasts; the server ends it and it is resumed
BACK_OFF_S = (0.1, 5.0)  # the first pause after a failed list or watch, and the longest


class Unreachable(Exception):
    """No answer came: the server is not there, the connection broke, or the deadline passed."""


class Change(NamedTuple):
    """What a watch saw. ``SYNCED`` has no object: everything that existed at the time of a list has been told."""

    type: Literal["ADDED", "MODIFIED", "DELETED", "SYNCED"]
    obj: Obj


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Where the server is and how to prove who one is."""

    server: str
    token: str = ""
    tls: ssl.SSLContext | None = None


def access(kubeconfig: Path) -> Access:
    """The access of the current context. Raises OSError, and ValueError when the file names no such context."""
    config = yaml.safe_load(kubeconfig.read_text()) or {}
    context = _named(config, "context", config.get("current-context", ""))
    cluster = _named(config, "cluster", context.get("cluster", ""))
    user = _named(config, "user", context.get("user", ""))
    server = str(cluster["server"]).rstrip("/")
    token = user.get("token") or ""
    if not token and user.get("tokenFile"):
        token = (kubeconfig.parent / user["tokenFile"]).read_text().strip()
    tls = _tls(cluster, user, folder=kubeconfig.parent) if server.startswith("https:") else None
    return Access(server=server, token=token, tls=tls)


def _named(config: Mapping[str, Any], what: str, name: str) -> Mapping[str, Any]:
    for entry in config.get(f"{what}s") or []:
        if entry.get("name") == name:
            found: Mapping[str, Any] = entry.get(what) or {}
            return found
    raise ValueError(f"the kubeconfig has no {what} named {name!r}")


def _tls(cluster: Mapping[str, Any], user: Mapping[str, Any], *, folder: Path) -> ssl.SSLContext:
    authority = _pem(cluster, "certificate-authority", folder=folder)
    context = ssl.create_default_context(cadata=authority or None)
    if cluster.get("insecure-skip-tls-verify"):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    certificate = _pem(user, "client-certificate", folder=folder)
    if certificate:
        # The ssl module reads a certificate chain from a file only.
        with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
            file.write(certificate + "\n" + _pem(user, "client-key", folder=folder))
            file.flush()
            context.load_cert_chain(file.name)
    return context


def _pem(entry: Mapping[str, Any], name: str, *, folder: Path) -> str:
    if entry.get(f"{name}-data"):
        return base64.b64decode(entry[f"{name}-data"]).decode()
    return (folder / entry[name]).read_text() if entry.get(name) else ""


class Client:
    """One connection pool to one API server. Use it as an async context manager, or ``close`` it."""

    def __init__(self, access: Access, *, user_agent: str = "litmus-sandbox") -> None:
        self._access = access
        self._catalogue = resources.built_in()
        self._headers = {"User-Agent": user_agent, "Accept": "application/json"}
        if access.token:
            self._headers["Authorization"] = f"Bearer {access.token}"
        self._session: aiohttp.ClientSession | None = None

    @classmethod
    def from_kubeconfig(cls, path: str | Path, *, user_agent: str = "litmus-sandbox") -> Self:
        """Raises OSError and ValueError as ``access`` does."""
        return cls(access(Path(path)), user_agent=user_agent)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def get(self, resource: str, name: str, namespace: str = "") -> Obj:
        """The object. Raises Refusal (404 when there is none) and Unreachable, as every verb here does."""
        return await self.request("GET", self.path(resource, name, namespace))

    async def list(
        self, resource: str, namespace: str = "", *, labels: str = "", fields: str = ""
    ) -> tuple[list[Obj], str]:
        """The objects, with apiVersion and kind filled in, and the revision of the list."""
        known = self._catalogue.named(resource)
        answer = await self.request("GET", self.path(resource, "", namespace), query=_selecting(labels, fields))
        items = [{"apiVersion": known.group_version, "kind": known.kind, **item} for item in answer.get("items") or []]
        return items, answer["metadata"]["resourceVersion"]

    async def create(
        self, resource: str, obj: Obj, namespace: str = "", *, name: str = "", subresource: str = ""
    ) -> Obj:
        """``name`` and ``subresource``: what is posted to an object, such as a binding or a token request."""
        path = self.path(resource, name, namespace or objects.namespace(obj), subresource)
        return await self.request("POST", path, body=obj)

    async def update(self, resource: str, obj: Obj, *, subresource: str = "") -> Obj:
        path = self.path(resource, objects.name(obj), objects.namespace(obj), subresource)
        return await self.request("PUT", path, body=obj)

    async def update_status(self, resource: str, obj: Obj) -> Obj:
        return await self.update(resource, obj, subresource="status")

    async def patch(
        self,
        resource: str,
        name: str,
        patch: Any,
        namespace: str = "",
        *,
        subresource: str = "",
        kind: Literal["json", "merge", "strategic", "apply"] = "merge",
    ) -> Obj:
        path = self.path(resource, name, namespace, subresource)
        query = {"fieldManager": self._headers["User-Agent"]} if kind == "apply" else {}
        return await self.request("PATCH", path, body=patch, query=query, content_type=PATCHES[kind])

    async def delete(
        self, resource: str, name: str, namespace: str = "", *, grace_s: int | None = None, uid: str = ""
    ) -> Obj:
        """The deleted object, or a Status. ``uid``: refuse (409) when another object has the name by now."""
        options: Obj = {"kind": "DeleteOptions", "apiVersion": "v1"}
        if grace_s is not None:
            options["gracePeriodSeconds"] = grace_s
        if uid:
            options["preconditions"] = {"uid": uid}
        return await self.request("DELETE", self.path(resource, name, namespace), body=options)

    async def watch(
        self, resource: str, namespace: str = "", *, labels: str = "", fields: str = ""
    ) -> AsyncGenerator[Change, None]:
        """Every object that there is, then SYNCED, then every change, for ever.

        Nothing is lost by a broken connection or by 410 Gone: what disappeared meanwhile is told as DELETED with the
        object as it was last seen, and each further list ends with a SYNCED of its own.
        """
        known: dict[Key, Obj] = {}
        path, query = self.path(resource, "", namespace), _selecting(labels, fields)
        revision = ""
        pause_s = BACK_OFF_S[0]
        while True:
            try:
                if not revision:
                    items, revision = await self.list(resource, namespace, labels=labels, fields=fields)
                    for change in _since(known, items):
                        yield change
                    yield Change("SYNCED", {})
                async for kind, obj in self._stream(path, {**query, "resourceVersion": revision}):
                    revision = objects.meta(obj)["resourceVersion"]
                    pause_s = BACK_OFF_S[0]
                    if kind != "BOOKMARK":
                        _remember(known, kind, obj)
                        yield Change(kind, obj)
            except Refusal as refusal:
                log.info("watch of %s starts afresh: %s", resource, refusal)
                revision = ""
            except Unreachable as problem:
                log.info("watch of %s is interrupted: %s", resource, problem)
            await asyncio.sleep(pause_s * random.uniform(0.5, 1))
            pause_s = min(pause_s * 2, BACK_OFF_S[1])

    async def request(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        query: Mapping[str, str] | None = None,
        content_type: str = "application/json",
    ) -> Obj:
        """One request and its JSON answer."""
        try:
            async with self._ask(method, path, body=body, query=query, content_type=content_type) as response:
                text = await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as problem:
            raise Unreachable(f"{method} {path}: {str(problem) or type(problem).__name__}") from problem
        if response.status >= 400:
            raise refusal(response.status, text)
        found: Obj = msgspec.json.decode(text) if text else {}
        return found

    def path(self, resource: str, name: str = "", namespace: str = "", subresource: str = "") -> str:
        """The path of a resource's URL. Raises Refusal (404) for a resource that is not built in."""
        return path_of(self._catalogue.named(resource), name, namespace, subresource)

    def _ask(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        query: Mapping[str, str] | None = None,
        content_type: str = "application/json",
        idle_s: float | None = None,
    ) -> "aiohttp.client._RequestContextManager":
        if self._session is None:
            # Watches hold a connection each, so the pool has no limit.
            connector = aiohttp.TCPConnector(ssl=self._access.tls or True, limit=0)
            self._session = aiohttp.ClientSession(connector=connector, headers=self._headers)
        timeout = aiohttp.ClientTimeout(total=REQUEST_S)
        if idle_s is not None:
            timeout = aiohttp.ClientTimeout(total=None, sock_connect=REQUEST_S, sock_read=idle_s)
        return self._session.request(
            method,
            self._access.server + path,
            params=dict(query or {}),
            data=None if body is None else msgspec.json.encode(body),
            headers={} if body is None else {"Content-Type": content_type},
            timeout=timeout,
        )

    async def _stream(self, path: str, query: Mapping[str, str]) -> AsyncIterator[tuple[Any, Obj]]:
        """The events of one watch request until the server ends it."""
        lasting_s = random.randint(WATCH_S, 2 * WATCH_S)
        query = {**query, "watch": "true", "allowWatchBookmarks": "true", "timeoutSeconds": str(lasting_s)}
        try:
            async with self._ask("GET", path, query=query, idle_s=lasting_s + REQUEST_S) as response:
                if response.status >= 400:
                    raise refusal(response.status, await response.read())
                # Not `readline`, which refuses lines beyond a limit.
                pending = b""
                async for chunk in response.content.iter_any():
                    *lines, pending = (pending + chunk).split(b"\n")
                    for line in filter(None, lines):
                        event = msgspec.json.decode(line)
                        if event["type"] == "ERROR":
                            raise refusal(int(event["object"].get("code") or 500), msgspec.json.encode(event["object"]))
                        yield event["type"], event["object"]
        except (aiohttp.ClientError, TimeoutError, OSError) as problem:
            raise Unreachable(f"watch {path}: {str(problem) or type(problem).__name__}") from problem


def path_of(resource: Resource, name: str = "", namespace: str = "", subresource: str = "") -> str:
    """The path of a URL, as in "Kubernetes API Concepts", "Resource URIs"."""
    prefix = f"/apis/{resource.group}/{resource.version}" if resource.group else f"/api/{resource.version}"
    scope = f"/namespaces/{namespace}" if namespace and resource.namespaced else ""
    tail = f"/{name}" if name else ""
    return f"{prefix}{scope}/{resource.plural}{tail}" + (f"/{subresource}" if subresource else "")


def refusal(code: int, text: bytes) -> Refusal:
    """The server's answer as it would have been raised inside of it."""
    try:
        answer = msgspec.json.decode(text)
    except msgspec.DecodeError:
        answer = {}
    if not isinstance(answer, dict) or answer.get("kind") != "Status":
        return Refusal(code, "", text.decode(errors="replace")[:500] or f"HTTP {code}")
    return Refusal(code, answer.get("reason", ""), answer.get("message", ""), **answer.get("details") or {})


def _selecting(labels: str, fields: str) -> dict[str, str]:
    query = {"labelSelector": labels, "fieldSelector": fields}
    return {name: text for name, text in query.items() if text}


def _since(known: dict[Key, Obj], items: Iterable[Obj]) -> list[Change]:
    """What a list tells to somebody who knows ``known``, which is brought up to date."""
    listed = {objects.key(item): item for item in items}
    changes = [Change("DELETED", known.pop(key)) for key in list(known) if key not in listed]
    for key, item in listed.items():
        before = known.get(key)
        if before is not None and objects.uid(before) != objects.uid(item):
            changes.append(Change("DELETED", before))
            before = None
        if before is None:
            changes.append(Change("ADDED", item))
        elif objects.meta(before)["resourceVersion"] != objects.meta(item)["resourceVersion"]:
            changes.append(Change("MODIFIED", item))
    known.update(listed)
    return changes


def _remember(known: dict[Key, Obj], kind: str, obj: Obj) -> None:
    if kind == "DELETED":
        known.pop(objects.key(obj), None)
    else:
        known[objects.key(obj)] = obj
