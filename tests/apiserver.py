"""A small Kubernetes API server on loopback: real HTTP, in the event loop of the test, nothing but memory.

It has what the client and the experiments lean on - optimistic locking, merge patches, finalizers, selectors, pages,
watches with history - and three ways to misbehave: a role without a verb (``forbid``), answers that a test writes
itself (``answer``), and answers that get lost after the work was done (``lose``). Controllers are played by
callbacks (``on``).
"""

import asyncio
import copy
import itertools
import json
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Object = dict[str, Any]
Callback = Callable[["Server", Object], None]

_PATH = re.compile(
    r"/(?:api|apis/(?P<group>[^/]+))/(?P<version>[^/]+)(?:/namespaces/(?P<namespace>[^/]+))?"
    r"/(?P<plural>[^/]+)(?:/(?P<name>[^/]+))?(?:/(?P<action>[^/]+))?"
)
_DOCUMENT = re.compile(r"/api/[^/]+|/apis/[^/]+(/[^/]+)?")
_REASONS = {401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 409: "Conflict", 410: "Expired", 422: "Invalid"}
_VERBS = {"POST": "create", "PATCH": "patch", "DELETE": "delete"}


class Refusal(Exception):
    """An answer other than success."""

    def __init__(self, code: int, message: str) -> None:
        self.code = code
        self.message = message


@dataclass(frozen=True)
class Asked:
    """One request, in the words of RBAC."""

    verb: str
    plural: str
    namespace: str
    name: str
    query: dict[str, str]
    body: Any

    def __str__(self) -> str:
        return " ".join(part for part in (self.verb, self.plural, self.name) if part)


@dataclass
class Server:
    """``objects`` are kept by plural, namespace and name, ``logs`` by namespace and pod; ``asked`` is every request.

    ``documents``: what discovery tells, by path.
    """

    url: str = ""
    objects: dict[tuple[str, str, str], Object] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    page: int | None = None
    evictions: str = "policy/v1"
    stalled: bool = False
    closing: bool = False
    logs: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    documents: dict[str, Object] = field(default_factory=dict)
    _broken: int = 0
    _changes: list[tuple[str, str, Object]] = field(default_factory=list)
    _more: asyncio.Condition = field(default_factory=asyncio.Condition)
    _versions: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _forbidden: set[tuple[str, str]] = field(default_factory=set)
    _answers: list[Callable[[Asked], web.Response | None]] = field(default_factory=list)
    _losing: list[tuple[str, str]] = field(default_factory=list)
    _callbacks: dict[tuple[str, str], list[Callback]] = field(default_factory=dict)
    _waiters: list[asyncio.Future[None]] = field(default_factory=list)

    # What a test says and asks

    def forbid(self, verb: str, *plurals: str) -> None:
        """From now on the role lacks ``verb`` on these resources ('*': on all)."""
        self._forbidden |= {(verb, plural) for plural in plurals}

    @contextmanager
    def answer(self, respond: Callable[[Asked], web.Response | None]) -> Iterator[None]:
        """While it lasts, ``respond`` may answer first, before those that came earlier; None lets a request through."""
        self._answers.insert(0, respond)
        try:
            yield
        finally:
            self._answers.remove(respond)

    def lose(self, verb: str, plural: str) -> None:
        """The next such request is carried out, but its connection dies before the answer."""
        self._losing.append((verb, plural))

    def on(self, verb: str, plural: str, callback: Callback) -> None:
        """Plays a controller: called after such a request was carried out."""
        self._callbacks.setdefault((verb, plural), []).append(callback)

    def verbs(self, plural: str) -> list[str]:
        return [asked.verb for asked in self.asked if asked.plural == plural]

    async def until_asked(self, verb: str, plural: str, *, times: int = 1) -> None:
        """Returns when such a request came in this often."""
        while self.verbs(plural).count(verb) < times:
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            await waiter

    def get(self, plural: str, name: str, namespace: str = "shop") -> Object:
        return self.objects[plural, namespace, name]

    def all(self, plural: str) -> list[Object]:
        return [item for (kept, _, _), item in sorted(self.objects.items()) if kept == plural]

    def put(self, plural: str, item: Object, *, namespace: str = "shop") -> Object:
        """Creates or replaces an object without a request, as another client would."""
        meta = item.setdefault("metadata", {})
        if namespace:
            meta.setdefault("namespace", namespace)
        meta.setdefault("uid", f"{plural}-{meta['name']}-{next(self._versions)}")
        meta.setdefault("creationTimestamp", "2026-01-01T00:00:00Z")
        key = (plural, meta.get("namespace", ""), meta["name"])
        change = "MODIFIED" if key in self.objects else "ADDED"
        meta["resourceVersion"] = str(next(self._versions))
        self.objects[key] = item
        self._note(change, plural, item)
        return item

    def change(self, plural: str, name: str, patch: Object, namespace: str = "shop") -> Object:
        """A merge patch without a request."""
        return self.put(plural, merged(self.get(plural, name, namespace), patch), namespace=namespace)

    def remove(self, plural: str, name: str, namespace: str = "shop") -> None:
        gone = self.objects.pop((plural, namespace, name))
        gone["metadata"]["resourceVersion"] = str(next(self._versions))
        self._note("DELETED", plural, gone)

    def write(self, pod: str, *lines: str, namespace: str = "shop") -> None:
        """Lines to the log of a pod; who follows it gets them at once."""
        self.logs.setdefault((namespace, pod), []).extend(lines)
        self._wake()

    def break_logs(self) -> None:
        """Cuts the connections of all who follow a log now."""
        self._broken += 1
        self._wake()

    # HTTP

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if request.path == "/version":
            return web.json_response({"major": "1", "minor": "31", "gitVersion": "v1.31.2"})
        if _DOCUMENT.fullmatch(request.path):
            found = self.documents.get(request.path)
            return _json(found) if found else failure(404, "the server could not find the requested resource")
        asked = await _read(request)
        self.asked.append(asked)
        while self._waiters:
            self._waiters.pop().set_result(None)
        for respond in list(self._answers):
            response = respond(asked)
            if response is not None:
                return response
        try:
            self._check_role(asked)
            if asked.verb == "watch":
                return await self._watch(request, asked)
            if asked.verb == "logs":
                return await self._log(request, asked)
            answer = self._carry_out(asked)
        except Refusal as refusal:
            return failure(refusal.code, refusal.message)
        if (asked.verb, asked.plural) in self._losing:
            self._losing.remove((asked.verb, asked.plural))
            assert request.transport is not None
            request.transport.abort()
        return answer if isinstance(answer, web.Response) else _json(answer)

    def _check_role(self, asked: Asked) -> None:
        if {(asked.verb, asked.plural), (asked.verb, "*")} & self._forbidden:
            raise Refusal(403, f'cannot {asked.verb} resource "{asked.plural}" in namespace "{asked.namespace}"')

    def _carry_out(self, asked: Asked) -> Object | web.Response:
        match asked.verb:
            case "list":
                return self._list(asked)
            case "create":
                return self._called_back(asked, self._create(asked))
            case "get":
                return self._found(asked)
            case "evict":
                return self._called_back(asked, self._evict(asked))
            case "patch":
                return self._called_back(asked, self._patch(asked))
            case _:
                return self._called_back(asked, self._delete(asked))

    def _called_back(self, asked: Asked, item: Object) -> Object:
        answer = copy.deepcopy(item)
        if asked.query.get("dryRun"):
            return answer
        for callback in self._callbacks.get((asked.verb, asked.plural), ()):
            callback(self, item)
        return answer

    def _found(self, asked: Asked) -> Object:
        try:
            return self.objects[asked.plural, asked.namespace, asked.name]
        except KeyError:
            raise Refusal(404, f'{asked.plural} "{asked.name}" not found') from None

    def _create(self, asked: Asked) -> Object:
        item = asked.body
        key = (asked.plural, asked.namespace, item["metadata"]["name"])
        if key in self.objects:
            raise Refusal(409, f'{asked.plural} "{key[2]}" already exists')
        return self.put(asked.plural, item, namespace=asked.namespace)

    def _patch(self, asked: Asked) -> Object:
        if asked.query.get("dryRun"):
            return copy.deepcopy(asked.body)
        if asked.query.get("force") == "true" and (asked.plural, asked.namespace, asked.name) not in self.objects:
            return self.put(asked.plural, asked.body, namespace=asked.namespace)
        seen = self._found(asked)
        wanted = (asked.body.get("metadata") or {}).get("resourceVersion")
        if wanted is not None and wanted != seen["metadata"]["resourceVersion"]:
            raise Refusal(409, f'{asked.plural} "{asked.name}": the object has been modified')
        changed = merged(seen, asked.body)
        if changed["metadata"].get("deletionTimestamp") and not changed["metadata"].get("finalizers"):
            self.remove(asked.plural, asked.name, asked.namespace)
            return changed
        return self.put(asked.plural, changed, namespace=asked.namespace)

    def _delete(self, asked: Asked) -> Object:
        seen = self._found(asked)
        if seen["metadata"].get("finalizers"):
            return self.put(
                asked.plural,
                merged(seen, {"metadata": {"deletionTimestamp": "2026-01-01T00:00:09Z"}}),
                namespace=asked.namespace,
            )
        self.remove(asked.plural, asked.name, asked.namespace)
        return seen

    def _evict(self, asked: Asked) -> Object:
        """Without budgets, which a test plays by ``answer``; of a version that ``evictions`` names."""
        if asked.body["apiVersion"] != self.evictions:
            raise Refusal(400, f'no kind "Eviction" is registered for version "{asked.body["apiVersion"]}"')
        wanted = asked.body["deleteOptions"]["preconditions"]["uid"]
        if self._found(asked)["metadata"]["uid"] != wanted:
            raise Refusal(409, "the UID in the precondition does not match the UID in record")
        return self._delete(asked)

    def _matching(self, asked: Asked) -> list[Object]:
        return [
            item
            for (plural, namespace, _), item in sorted(self.objects.items())
            if plural == asked.plural and asked.namespace in ("", namespace) and _selected(item, asked.query)
        ]

    def _list(self, asked: Asked) -> Object:
        items = self._matching(asked)
        start = int(asked.query.get("continue", "0"))
        end = start + self.page if self.page else len(items)
        metadata = {"resourceVersion": str(next(self._versions))}
        if end < len(items):
            metadata["continue"] = str(end)
        return {"kind": "List", "metadata": metadata, "items": items[start:end]}

    async def _watch(self, request: web.Request, asked: Asked) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        since = int(asked.query.get("resourceVersion", "0"))
        told = 0
        while True:
            news = self._changes[told:]
            told += len(news)
            for change, plural, item in news:
                fresh = int(item["metadata"]["resourceVersion"]) > since
                inside = asked.namespace in ("", item["metadata"].get("namespace", ""))
                if plural == asked.plural and fresh and inside and _selected(item, asked.query):
                    await response.write(json.dumps({"type": change, "object": item}).encode() + b"\n")
            async with self._more:
                while not self.closing and (self.stalled or len(self._changes) == told):
                    await self._more.wait()
            if self.closing:
                return response

    async def _log(self, request: web.Request, asked: Asked) -> web.StreamResponse:
        """What there is of a log; with ``follow`` also what comes, until the pod is over or gone."""
        self._found(asked)
        key, told, broken = (asked.namespace, asked.name), 0, self._broken
        follow = asked.query.get("follow") == "true"
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await response.prepare(request)
        while True:
            news = self._written(key, follow=follow)[told:]
            told += len(news)
            await response.write("".join(f"{line}\n" for line in news).encode())
            pod = self.objects.get(("pods", *key))
            over = pod is None or pod["status"].get("phase") in ("Succeeded", "Failed")
            if self.closing or not follow or (over and len(self._written(key, follow=follow)) == told):
                return response
            async with self._more:
                while not self.closing and self._broken == broken and len(self._written(key, follow=follow)) == told:
                    if self.objects.get(("pods", *key)) is not pod:
                        break
                    await self._more.wait()
            if self._broken != broken:
                assert request.transport is not None
                request.transport.abort()
                return response

    def _written(self, pod: tuple[str, str], *, follow: bool) -> list[str]:
        """Of a log that nobody wrote: nothing for who follows it, as what is written later begins it."""
        return self.logs.get(pod, [] if follow else ["first line", "second line"])

    def _note(self, change: str, plural: str, item: Object) -> None:
        self._changes.append((change, plural, copy.deepcopy(item)))
        self._wake()

    def _wake(self) -> None:
        task = asyncio.ensure_future(self._tell())
        _telling.add(task)
        task.add_done_callback(_telling.discard)

    async def _tell(self) -> None:
        async with self._more:
            self._more.notify_all()


_telling: set[asyncio.Future[None]] = set()


@asynccontextmanager
async def running() -> AsyncIterator[Server]:
    """A server on a free port of 127.0.0.1."""
    server = Server()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", server.handle)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host="127.0.0.1", port=0)
        await site.start()
        server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield server
    finally:
        server.closing = True
        await server._tell()
        await runner.cleanup()


def merged(target: Any, patch: Any) -> Any:
    """A JSON merge patch, RFC 7396."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    result = copy.deepcopy(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


def over_budget(message: str) -> web.Response:
    """What an API server answers to an eviction that a PodDisruptionBudget does not allow now."""
    causes = [{"reason": "DisruptionBudget", "message": message}]
    return failure(429, "Cannot evict pod as it would violate the pod's disruption budget.", details={"causes": causes})


def failure(code: int, message: str, *, details: Object | None = None, **headers: str) -> web.Response:
    """A Status object, as an API server answers."""
    status: Object = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": _REASONS.get(code, "InternalError"),
        "code": code,
    }
    if details:
        status["details"] = details
    return _json(status, code=code, headers=headers)


def _json(body: Object, *, code: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    # The very header of a real server: the client library compares it as a whole.
    return web.Response(
        body=json.dumps(body), status=code, headers={"Content-Type": "application/json", **(headers or {})}
    )


async def _read(request: web.Request) -> Asked:
    match = _PATH.fullmatch(request.path)
    assert match, request.path
    query = dict(request.query)
    if request.method == "GET":
        verb = "get" if match["name"] else "watch" if "watch" in query else "list"
        verb = "logs" if match["action"] == "log" else verb
    else:
        verb = "evict" if match["action"] == "eviction" else _VERBS[request.method]
    body = await request.json() if request.can_read_body else None
    return Asked(verb, match["plural"], match["namespace"] or "", match["name"] or "", query, body)


def _selected(item: Object, query: dict[str, str]) -> bool:
    labels = item["metadata"].get("labels", {})
    name = item["metadata"]["name"]
    node = item.get("spec", {}).get("nodeName", "")
    about = item.get("involvedObject", {}).get("name", "")
    wanted = query.get("fieldSelector", "")
    if wanted and wanted not in (f"metadata.name={name}", f"spec.nodeName={node}", f"involvedObject.name={about}"):
        return False
    return all(_matches(term.strip(), labels) for term in _terms(query.get("labelSelector", "")))


def _terms(selector: str) -> list[str]:
    return re.split(r",(?![^(]*\))", selector) if selector else []


def _matches(term: str, labels: dict[str, str]) -> bool:
    if found := re.fullmatch(r"(\S+)\s+(in|notin)\s+\(([^)]*)\)", term):
        key, operator, values = found.groups()
        return (labels.get(key) in [value.strip() for value in values.split(",")]) == (operator == "in")
    if "!=" in term:
        key, value = term.split("!=")
        return labels.get(key) != value
    if "=" in term:
        key, value = re.split("==?", term)
        return labels.get(key.strip()) == value.strip()
    return term.removeprefix("!") not in labels if term.startswith("!") else term in labels
