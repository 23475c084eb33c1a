"""A whole answer of the hub's server, in the forms in which it goes: plain, compressed, not modified, without a body.

The strong ETag is made of the content, and that of the compressed form is another one (RFC 9110, 8.8.3.3). Each form is
made once, so that an answer that is kept costs little when it goes again.
"""

import gzip
import hashlib
from base64 import urlsafe_b64encode
from functools import cached_property

Pair = tuple[bytes, bytes]
Headers = dict[bytes, bytes]

_WORTH_COMPRESSING = 1024
_COMPRESSIBLE = (
    *(b"text/", b"application/json", b"application/manifest+json", b"application/javascript", b"image/svg+xml"),
)
_LEVEL = 6
_OF_THE_BODY = frozenset({b"content-type", b"content-encoding", b"content-length"})
_WITHOUT_A_BODY = frozenset({204, 304})


class Answer:
    """Status, headers in lower case, and the body. What it is sent as follows from what the client has and takes."""

    def __init__(self, status: int, headers: list[Pair], body: bytes) -> None:
        self.status = status
        self.headers = [(name.lower(), value) for name, value in headers if name.lower() != b"content-length"]
        self.body = body

    @property
    def type(self) -> bytes:
        """The content type; empty when there is none."""
        return self.get(b"content-type") or b""

    @property
    def size(self) -> int:
        """What it takes of the memory, nearly."""
        return 2 * len(self.body) + 1024

    def get(self, name: bytes) -> bytes | None:
        """The first header of that name."""
        return next((value for key, value in self.headers if key == name), None)

    def set(self, name: bytes, value: bytes) -> None:
        """Puts a header in place of any of that name."""
        self.headers = [pair for pair in self.headers if pair[0] != name] + [(name, value)]

    def default(self, headers: Headers) -> None:
        """Adds those that the application has not set itself."""
        present = {name for name, _ in self.headers}
        self.headers += [pair for pair in headers.items() if pair[0] not in present]

    def form(self, *, accept_encoding: bytes, if_none_match: bytes) -> tuple[int, list[Pair], bytes]:
        """What goes to a client that takes that encoding and has what it names: status, headers, body."""
        if self.status != 200:
            return self.status, self._sized(self.headers, self.body), self.body
        headers, body = self._packed if self._is_compressible and _takes_gzip(accept_encoding) else self._plain
        if _matches(if_none_match, self._name):
            # RFC 9110, 15.4.5: the headers that a cache needs, and no content.
            return 304, [pair for pair in headers if pair[0] not in _OF_THE_BODY], b""
        return 200, headers, body

    @cached_property
    def _name(self) -> bytes:
        return urlsafe_b64encode(hashlib.sha256(self.body).digest()[:18])

    @cached_property
    def _is_compressible(self) -> bool:
        return len(self.body) > _WORTH_COMPRESSING and self.type.startswith(_COMPRESSIBLE)

    @cached_property
    def _plain(self) -> tuple[list[Pair], bytes]:
        return self._sized([*self._varying, (b"etag", b'"%s"' % self._name)], self.body), self.body

    @cached_property
    def _packed(self) -> tuple[list[Pair], bytes]:
        body = gzip.compress(self.body, _LEVEL, mtime=0)
        about = [(b"content-encoding", b"gzip"), (b"etag", b'"%s-gzip"' % self._name)]
        return self._sized([*self._varying, *about], body), body

    @cached_property
    def _varying(self) -> list[Pair]:
        headers = [pair for pair in self.headers if pair[0] not in {b"etag", b"vary"}]
        varying = [value for name, value in self.headers if name == b"vary"]
        varying += [b"Accept-Encoding"] if self._is_compressible else []
        return [*headers, (b"vary", b", ".join(varying))] if varying else headers

    def _sized(self, headers: list[Pair], body: bytes) -> list[Pair]:
        return headers if self.status in _WITHOUT_A_BODY else [*headers, (b"content-length", b"%d" % len(body))]


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
