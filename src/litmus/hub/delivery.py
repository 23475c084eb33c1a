"""How an answer of the hub leaves: validators, compression, CORS and security headers, in one place for API and pages.

An ASGI application around another one. It is not done by a framework's middlewares, because these parts depend on each
other (see ``outgoing``). Every body is small and is collected before it goes; nothing streams here.

What was answered once is kept. That is sound because the application behind it is shown only what it may depend on:
to GET its answer follows from the address, a few headers and the state of the hubs, and from nothing else.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any

from .outgoing import Answer, Headers

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Any, Any, Any], Awaitable[None]]
State = Callable[[], Sequence[object]]

LONGEST_TARGET = 8192  # bytes of path and query; what a browser or kubectl sends has some hundred
KEPT = 1024
KEPT_BYTES = 32 << 20
_LONGEST_KEY = 1024

_TELLING = (b"accept", b"accept-language", b"cookie", b"host", b"x-forwarded-proto")

_EVERY_ANSWER = {b"x-content-type-options": b"nosniff", b"referrer-policy": b"same-origin"}
# A page gets its script and style from files of ours only; an image that someone opens by itself may do nothing at all.
_PAGE_POLICY = (
    b"default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    b"frame-ancestors 'none'"
)
_IMAGE_POLICY = b"sandbox; default-src 'none'; style-src 'unsafe-inline'"
_DATA_POLICY = b"default-src 'none'; frame-ancestors 'none'"
_CORS = {b"access-control-allow-origin": b"*", b"access-control-expose-headers": b"ETag"}
_PREFLIGHT = {
    b"access-control-allow-methods": b"GET, HEAD, OPTIONS",
    b"access-control-allow-headers": b"*",
    b"access-control-max-age": b"86400",
}


class Delivery:
    """Sends what an application answers. ``state`` tells what its answers depend on beside the request."""

    def __init__(self, application: Application, *, state: State) -> None:
        self._application = application
        self._kept = Kept(state)

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """An ASGI application."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        asked: Headers = {name.lower(): value for name, value in scope["headers"]}
        answer = await self._answer(scope, receive, asked)
        reads = scope["method"] in {"GET", "HEAD"}
        status, headers, body = answer.form(
            accept_encoding=asked.get(b"accept-encoding", b"") if reads else b"",
            if_none_match=asked.get(b"if-none-match", b"") if reads else b"",
        )
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    async def _answer(self, scope: Any, receive: Receive, asked: Headers) -> Answer:
        open_to_all = scope["path"].startswith("/api/")
        if len(scope["path"]) + len(scope["query_string"]) > LONGEST_TARGET:
            return _finished(_too_long(), open_to_all=open_to_all)
        if open_to_all and scope["method"] == "OPTIONS" and b"access-control-request-method" in asked:
            return _finished(Answer(204, [*_PREFLIGHT.items()], b""), open_to_all=True)
        if scope["method"] not in {"GET", "HEAD"}:
            return _finished(await _collected(self._application, scope, receive), open_to_all=open_to_all)
        # HEAD is GET without the body.
        inner = {
            **scope,
            "method": "GET",
            "headers": [pair for pair in scope["headers"] if pair[0].lower() in _TELLING],
        }
        key = (scope["scheme"], scope["path"], scope["query_string"], *(asked.get(name, b"") for name in _TELLING))
        state = self._kept.state()
        answer = self._kept.find(key)
        if answer is None:
            answer = _finished(await _collected(self._application, inner, receive), open_to_all=open_to_all)
            self._kept.keep(key, answer, state=state)
        return answer


class Kept:
    """The answers of late, as long as the state is the one that they were made in."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._made_in: Sequence[object] = ()
        self._answers: OrderedDict[tuple[Any, ...], Answer] = OrderedDict()
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._answers)

    def state(self) -> Sequence[object]:
        """The state now. If it is another one, all that was kept is forgotten."""
        now = self._state()
        if not _same(now, self._made_in):
            self._answers.clear()
            self.bytes, self._made_in = 0, tuple(now)
        return now

    def find(self, key: tuple[Any, ...]) -> Answer | None:
        """The answer that was kept."""
        found = self._answers.get(key)
        if found is not None:
            self._answers.move_to_end(key)
        return found

    def keep(self, key: tuple[Any, ...], answer: Answer, *, state: Sequence[object]) -> None:
        """Keeps an answer made in that state, unless it is for the moment. What was not asked for lately goes."""
        fleeting = answer.status != 200 or b"no-store" in (answer.get(b"cache-control") or b"")
        if fleeting or sum(map(len, key)) > _LONGEST_KEY or not _same(state, self.state()):
            return
        before = self._answers.pop(key, None)
        self._answers[key] = answer
        self.bytes += answer.size - (before.size if before else 0)
        while len(self._answers) > KEPT or self.bytes > KEPT_BYTES:
            self.bytes -= self._answers.popitem(last=False)[1].size


def _same(one: Sequence[object], other: Sequence[object]) -> bool:
    """The same objects, not equal ones: hubs are not compared by all that is in them."""
    return len(one) == len(other) and all(a is b for a, b in zip(one, other, strict=True))


async def _collected(application: Application, scope: Any, receive: Receive) -> Answer:
    status, headers, chunks = 500, [], []

    async def collect(message: Message) -> None:
        nonlocal status, headers
        if message["type"] == "http.response.start":
            status, headers = message["status"], list(message.get("headers", ()))
        elif message["type"] == "http.response.body":
            chunks.append(message.get("body", b""))

    await application(scope, receive, collect)
    return Answer(status, headers, b"".join(chunks))


def _finished(answer: Answer, *, open_to_all: bool) -> Answer:
    """With the headers that every answer has. ``open_to_all``: the API, which pages of others may read."""
    methods = {method.strip() for method in (answer.get(b"allow") or b"").split(b",")}
    if b"GET" in methods:
        answer.set(b"allow", b", ".join(sorted(methods | {b"HEAD"})))
    answer.default(_EVERY_ANSWER | (_CORS if open_to_all else {}))
    answer.default({b"content-security-policy": _policy(answer.type)})
    return answer


def _policy(content_type: bytes) -> bytes:
    if content_type.startswith(b"text/html"):
        return _PAGE_POLICY
    return _IMAGE_POLICY if content_type.startswith(b"image/svg") else _DATA_POLICY


def _too_long() -> Answer:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store")]
    return Answer(414, headers, b"The address is too long: at most %d bytes.\n" % LONGEST_TARGET)
