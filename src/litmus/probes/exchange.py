"""One HTTP exchange, on a connection of its own; what goes wrong with it is one word out of a bounded set.

Every request makes a new connection and keeps none: a kept one would stay with the backend that it found first, and
would never meet the dead one that a load balancer still hands to every third newcomer. For the same reason cookies are
forgotten, as they may tie a client to a backend.

The whole answer is read, as far as 1 MiB, so that a backend that dies within its answer is seen. A proxy of the
environment (HTTP_PROXY, NO_PROXY) is used, as by the original.
"""

import asyncio
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import httpx2

from . import failures
from .contract import ProbeError

Kind = Literal["timeout", "refused", "unreachable", "reset", "dns", "tls", "proxy", "network", "protocol"]

# Bytes of an answer's body that are read, and characters of a text that are shown.
LARGEST = 1 << 20
_SHOWN = 200
_REDIRECTS = 10

# What no attempt can change: the request itself is impossible.
_IMPOSSIBLE = (httpx2.InvalidURL, httpx2.UnsupportedProtocol, httpx2.LocalProtocolError)
_WORDS: dict[Kind, str] = {
    "timeout": "no answer in time",
    "refused": "connection refused",
    "unreachable": "host unreachable",
    "reset": "connection closed before the answer was complete",
    "dns": "name can't be resolved",
    "tls": "TLS failed",
    "proxy": "the proxy failed",
    "network": "network failed",
    "protocol": "the answer is not HTTP as it should be",
}


class Failed(Exception):
    """There is no answer. ``kind`` is for counting, the text for people."""

    def __init__(self, kind: Kind, text: str) -> None:
        super().__init__(text)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Answer:
    """``whole``: the body is all that was sent. ``latency_ms``: from the first try to connect until its last byte."""

    code: int
    headers: httpx2.Headers
    body: bytes
    encoding: str
    whole: bool
    latency_ms: float

    @property
    def text(self) -> str:
        """The body as text; what is not of its encoding is replaced by U+FFFD."""
        try:
            return self.body.decode(self.encoding, errors="replace")
        except LookupError:  # a codec that Python has and that is not one of text
            return self.body.decode(errors="replace")


class Client:
    """Asks one server. Its certificates are read once, when they are needed first."""

    def __init__(self, url: str, *, insecure: bool = False, follow: bool = False) -> None:
        self._url = url
        self._insecure = insecure
        self._follow = follow
        self._client: httpx2.AsyncClient | None = None

    async def ask(
        self, method: str, *, timeout_s: float, content: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """Raises Failed when no answer came, and ProbeError when the request can't even be made."""
        try:
            async with asyncio.timeout(timeout_s):
                return await self._exchange(method, content, headers or {})
        except TimeoutError as error:
            raise Failed("timeout", f"no complete answer within {timeout_s:g} s") from error
        except _IMPOSSIBLE as error:
            raise ProbeError(f"{shown_url(self._url)} can't be asked: {error}") from error
        except (httpx2.HTTPError, OSError, UnicodeError) as error:
            if why := next(filter(None, map(failures.shortage, _causes(error))), ""):
                raise ProbeError(f"{shown_url(self._url)} can't be asked: {why}") from error
            raise _failed(error) from error

    async def aclose(self) -> None:
        if self._client is not None:
            await self._client.aclose()

    async def _exchange(self, method: str, content: bytes | None, headers: dict[str, str]) -> Answer:
        client = self._connected()
        client.cookies.clear()
        opened: list[Any] = []

        async def note(event: str, info: dict[str, Any]) -> None:
            if event == "connection.connect_tcp.complete":
                opened.append(info["return_value"])

        began = time.perf_counter()
        body = bytearray()
        try:
            async with client.stream(
                method, self._url, content=content, headers=headers, extensions={"trace": note}
            ) as response:
                async for piece in response.aiter_bytes():
                    body += piece
                    if len(body) > LARGEST:
                        break
                took_ms = (time.perf_counter() - began) * 1000
        finally:
            # The library leaves a connection open that is cancelled in the handshake of TLS.
            for stream in opened:
                await stream.aclose()
        return Answer(
            code=response.status_code,
            headers=response.headers,
            body=bytes(body[:LARGEST]),
            encoding=response.encoding or "utf-8",
            whole=len(body) <= LARGEST,
            latency_ms=took_ms,
        )

    def _connected(self) -> httpx2.AsyncClient:
        if self._client is None:
            # Reading the certificates takes longer than a request.
            encrypted = self._follow or self._url.lower().startswith("https:")
            self._client = httpx2.AsyncClient(
                verify=encrypted and not self._insecure,
                follow_redirects=self._follow,
                max_redirects=_REDIRECTS,
                timeout=None,  # the deadline is of the whole exchange
                limits=httpx2.Limits(max_connections=None, max_keepalive_connections=0),
                headers={"User-Agent": "litmus-probe", "Accept-Encoding": "identity", "Connection": "close"},
            )
        return self._client


def wrong_url(url: str) -> str:
    """Why nothing can be asked by this URL; '' if something can."""
    try:
        read = httpx2.URL(url)
    except (httpx2.InvalidURL, ValueError, TypeError) as error:
        return f"{url!r} is no URL: {error}"
    if read.scheme not in ("http", "https"):
        return f"{url!r} must begin with http:// or https://"
    if read.port is not None and not 0 < read.port < 65536:
        return f"{url!r} has a port that is not one from 1 to 65535"
    return "" if read.host else f"{url!r} names no host; write http://HOST:PORT/PATH"


def shown_url(url: str) -> str:
    """The URL without the user and the password in it."""
    try:
        return str(httpx2.URL(url).copy_with(userinfo=b"")) if "@" in url else url
    except (httpx2.InvalidURL, ValueError):
        return "the URL"


def shown(text: str) -> str:
    """Text of a stranger on one line: what does not print is escaped, what is long is cut."""
    head = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text[:_SHOWN])
    return f"'{head}'" if len(text) <= _SHOWN else f"'{head}…' ({len(text)} characters)"


def _failed(error: Exception) -> Failed:
    kind, cause = _kind(error)
    detail = str(cause).strip() or type(cause).__name__
    return Failed(kind, _WORDS[kind] if kind in ("refused", "unreachable") else f"{_WORDS[kind]}: {detail}")


def _kind(error: BaseException) -> tuple[Kind, BaseException]:
    """The kind, and the error in the chain of causes that tells it."""
    for cause in _causes(error):
        if kind := _of_system(cause):
            return kind, cause
    match error:
        case httpx2.ProxyError():
            return "proxy", error
        case httpx2.RemoteProtocolError() if "disconnected" in str(error) or "closed connection" in str(error):
            return "reset", error
        case httpx2.NetworkError():
            return "reset", error
        case httpx2.TimeoutException():
            return "timeout", error
    return "protocol", error


def _of_system(cause: BaseException) -> Kind | None:
    match cause:
        case socket.gaierror() | UnicodeError():
            return "dns"
        case ssl.SSLError():
            return "tls"
        case ConnectionRefusedError():
            return "refused"
        case ConnectionError():
            return "reset"
        case TimeoutError():
            return "timeout"
        case OSError() if cause.errno:
            return "unreachable" if cause.errno in failures.UNREACHABLE else "network"
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what it comes from; an attempt at several addresses fails with a group."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop(0)
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [one.__cause__, one.__context__]
        if isinstance(one, BaseExceptionGroup):
            waiting += one.exceptions
