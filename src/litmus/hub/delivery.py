"""How an answer of the hub leaves: validators, compression, CORS and security headers, in one place for API and pages.

An ASGI application around another one. It is not done by a framework's middlewares, because these parts depend on each
other: the strong ETag differs between the plain and the compressed body, both are made once for one content and kept,
and an answer 304 or one to HEAD has the headers of the answer that it stands for. Every body is small and is collected
before it goes; nothing streams here.
"""

import gzip
import hashlib
from base64 import urlsafe_b64encode
from collections import OrderedDict
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Any, Any, Any], Awaitable[None]]
Headers = dict[bytes, bytes]

LONGEST_TARGET = 8192  # bytes of path and query; what a browser or kubectl sends has some hundred
_WORTH_COMPRESSING = 1024
_KEPT = 512
_KEPT_BYTES = 32 << 20
_LEVEL = 6

_COMPRESSIBLE = (b"text/", b"application/json", b"application/manifest+json", b"image/svg+xml")
_EVERY_ANSWER = {b"x-content-type-options": b"nosniff", b"referrer-policy": b"same-origin"}
# A page gets its script and style from files of ours only; an image that someone opens by itself may do nothing at all.
_PAGE_POLICY = (
    b"default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    b"frame-ancestors 'none'"
)
_IMAGE_POLICY = b"sandbox; default-src 'none'; style-src 'unsafe-inline'"
_DATA_POLICY = b"default-src 'none'; frame-ancestors 'none'"
_OF_VALIDATORS = frozenset({b"if-none-match", b"if-modified-since"})
_CORS = {b"access-control-allow-origin": b"*", b"access-control-expose-headers": b"ETag"}
_PREFLIGHT = {
    b"access-control-allow-methods": b"GET, HEAD, OPTIONS",
    b"access-control-allow-headers": b"*",
    b"access-control-max-age": b"86400",
}


class Delivery:
    """Sends what an application answers."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._compressed: OrderedDict[bytes, bytes] = OrderedDict()
        self._bytes = 0

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """An ASGI application."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        asked: Headers = {name.lower(): value for name, value in scope["headers"]}
        head = scope["method"] == "HEAD"
        open_to_all = scope["path"].startswith("/api/")
        if len(scope["path"]) + len(scope["query_string"]) > LONGEST_TARGET:
            answer = _Answer.of(414, b"The address is too long: at most %d bytes.\n" % LONGEST_TARGET)
        elif open_to_all and scope["method"] == "OPTIONS" and b"access-control-request-method" in asked:
            answer = _Answer(204, [*_PREFLIGHT.items()], b"")
        else:
            answer = await _collected(self._application, _inner(scope), receive)
            answer.allow_head()
        answer.default(_EVERY_ANSWER | (_CORS if open_to_all else {}))
        answer.default({b"content-security-policy": _policy(answer.type)})
        if head or scope["method"] == "GET":
            self._validate(answer, asked)
        await answer.send(send, body=not head)

    def _validate(self, answer: "_Answer", asked: Headers) -> None:
        if answer.status != 200:
            return
        name = urlsafe_b64encode(hashlib.sha256(answer.body).digest()[:18])
        answer.set(b"etag", b'"%s"' % name)
        if len(answer.body) > _WORTH_COMPRESSING and answer.type.startswith(_COMPRESSIBLE):
            answer.vary(b"Accept-Encoding")
            if _takes_gzip(asked.get(b"accept-encoding", b"")):
                answer.body = self._gzip(name, answer.body)
                answer.set(b"content-encoding", b"gzip")
                answer.set(b"etag", b'"%s-gzip"' % name)
        if _matches(asked.get(b"if-none-match", b""), name):
            answer.become_not_modified()

    def _gzip(self, name: bytes, body: bytes) -> bytes:
        """Compressed once for one content. What was not asked for lately goes when there is too much."""
        if name in self._compressed:
            self._compressed.move_to_end(name)
            return self._compressed[name]
        made = gzip.compress(body, _LEVEL, mtime=0)
        self._compressed[name] = made
        self._bytes += len(made)
        while len(self._compressed) > _KEPT or self._bytes > _KEPT_BYTES:
            self._bytes -= len(self._compressed.popitem(last=False)[1])
        return made


class _Answer:
    """A whole answer, before it goes."""

    def __init__(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    @classmethod
    def of(cls, status: int, text: bytes) -> "_Answer":
        headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store")]
        return cls(status, headers, text)

    @property
    def type(self) -> bytes:
        return self.get(b"content-type") or b""

    def get(self, name: bytes) -> bytes | None:
        return next((value for key, value in self.headers if key.lower() == name), None)

    def set(self, name: bytes, value: bytes) -> None:
        self.headers = [pair for pair in self.headers if pair[0].lower() != name] + [(name, value)]

    def default(self, headers: Headers) -> None:
        """Adds those that the application has not set itself."""
        present = {name.lower() for name, _ in self.headers}
        self.headers += [pair for pair in headers.items() if pair[0] not in present]

    def vary(self, name: bytes) -> None:
        before = self.get(b"vary")
        self.set(b"vary", b"%s, %s" % (before, name) if before else name)

    def allow_head(self) -> None:
        """What answers to GET answers to HEAD."""
        methods = {method.strip() for method in (self.get(b"allow") or b"").split(b",")}
        if b"GET" in methods:
            self.set(b"allow", b", ".join(sorted(methods | {b"HEAD"})))

    def become_not_modified(self) -> None:
        """RFC 9110, 15.4.5: the headers that a cache needs, and no content."""
        self.status, self.body = 304, b""
        about = (b"content-type", b"content-encoding", b"content-length")
        self.headers = [pair for pair in self.headers if pair[0].lower() not in about]

    async def send(self, send: Send, *, body: bool) -> None:
        if self.status not in {204, 304}:
            self.set(b"content-length", b"%d" % len(self.body))
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": self.body if body else b"", "more_body": False})


async def _collected(application: Application, scope: Any, receive: Receive) -> _Answer:
    answer = _Answer(500, [], b"")
    chunks: list[bytes] = []

    async def collect(message: Message) -> None:
        if message["type"] == "http.response.start":
            answer.status, answer.headers = message["status"], list(message.get("headers", ()))
        elif message["type"] == "http.response.body":
            chunks.append(message.get("body", b""))

    await application(scope, receive, collect)
    answer.body = b"".join(chunks)
    return answer


def _inner(scope: Any) -> Any:
    """The request as the application sees it: HEAD is GET without the body, and validators are made here only."""
    headers = [pair for pair in scope["headers"] if pair[0].lower() not in _OF_VALIDATORS]
    return {**scope, "headers": headers, "method": "GET" if scope["method"] == "HEAD" else scope["method"]}


def _policy(content_type: bytes) -> bytes:
    if content_type.startswith(b"text/html"):
        return _PAGE_POLICY
    return _IMAGE_POLICY if content_type.startswith(b"image/svg") else _DATA_POLICY


def _takes_gzip(accept_encoding: bytes) -> bool:
    """RFC 9110, 12.5.3: what is not named is as good as ``*``, and what has the weight 0 is refused."""
    weights: dict[bytes, bool] = {}
    for item in accept_encoding.lower().split(b","):
        name, _, parameter = item.partition(b";")
        weights[name.strip()] = parameter.replace(b" ", b"").strip(b"0.") != b"q="
    return weights.get(b"gzip", weights.get(b"*", False))


def _matches(if_none_match: bytes, name: bytes) -> bool:
    """Compared weakly, as RFC 9110, 13.1.2 wants, and for either form of the body."""
    if not if_none_match:
        return False
    known = {b"*", b'"%s"' % name, b'"%s-gzip"' % name}
    return any(one.strip().removeprefix(b"W/") in known for one in if_none_match.split(b","))
