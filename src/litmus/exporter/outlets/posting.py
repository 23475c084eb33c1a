"""One HTTP request to a receiver, with an answer that is ours to judge: taken, not now, or never.

The whole exchange has one deadline, so that a receiver that drips its answer byte by byte is a slow one. A redirect is
followed only to the same server, with the same method and body: a request carries a token or a signature, and another
host is none of its business. Nothing of an address but its server gets into a message, because people keep keys in the
rest of it.
"""

import asyncio
import email.utils
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx2
import msgspec

from .delivery import NotTaken, Refused

TIMEOUT_S = 10.0
_LARGEST_ANSWER = 1 << 20
_REDIRECTS = 3
_LATER = frozenset({408, 425, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    status: int
    body: bytes

    def json(self) -> Any:
        """Raises Refused when it is no JSON, as the page of a login form."""
        try:
            return msgspec.json.decode(self.body)
        except msgspec.DecodeError as error:
            raise Refused(f"it answered {self.status} with something that is no JSON") from error


class Poster:
    """Requests to one receiver; whoever made it closes it."""

    def __init__(self, *, timeout_s: float = TIMEOUT_S) -> None:
        self._timeout_s = timeout_s
        self._client = httpx2.AsyncClient(
            follow_redirects=False,
            timeout=timeout_s,
            headers={"User-Agent": "litmus", "Accept-Encoding": "identity"},  # a small answer must stay small
        )

    async def aclose(self) -> None:
        """Closes its connections."""
        await self._client.aclose()

    async def send(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes = b"", missing: bool = False
    ) -> Answer:
        """The answer with a status of success, or with 404 where that is an answer (``missing``).

        Raises NotTaken when another try may help, Refused when it can't.
        """
        try:
            async with asyncio.timeout(self._timeout_s):
                answer, given = await self._exchange(method, url, headers, body)
        except TimeoutError as error:
            raise NotTaken(f"it did not answer within {self._timeout_s:g} s") from error
        except httpx2.InvalidURL as error:
            raise Refused("its address can't be understood") from error
        except (httpx2.HTTPError, OSError) as error:
            raise NotTaken(f"it can't be reached ({type(error).__name__}: {error})") from error
        if answer.status < 300 or (missing and answer.status == 404):
            return answer
        if answer.status in _LATER:
            raise NotTaken(f"it answered {answer.status}", after_s=retry_after_s(given, now=time.time()))
        if answer.status < 400:
            raise Refused(f"it answered {answer.status}, a redirect that is not followed; give its final address")
        raise Refused(f"it answered {answer.status}")

    async def _exchange(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[Answer, httpx2.Headers]:
        target, left = httpx2.URL(url), _REDIRECTS
        while True:
            async with self._client.stream(method, target, headers=dict(headers), content=body) as response:
                answer = Answer(status=response.status_code, body=await _read(response))
                given = response.headers
            if answer.status not in (307, 308) or "location" not in given or not left:
                return answer, given
            further = target.join(given["location"])
            if (further.scheme, further.netloc) != (target.scheme, target.netloc):
                return answer, given
            target, left = further, left - 1


def server(url: str) -> str:
    """Scheme, host and port of an address: what may stand in a log."""
    parsed = httpx2.URL(url)
    return f"{parsed.scheme}://{parsed.netloc.decode('ascii')}"


def retry_after_s(headers: Mapping[str, str], *, now: float) -> float | None:
    """The seconds that Retry-After asks for, as a number or as a date (RFC 9110, 10.2.3); None if it asks nothing."""
    text = headers.get("Retry-After", headers.get("retry-after", "")).strip()
    if text.isascii() and text.isdigit() and len(text) < 10:
        return float(text)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - now)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


async def _read(response: httpx2.Response) -> bytes:
    """The body as far as it is of use; nobody makes us hold more."""
    found = bytearray()
    async for piece in response.aiter_bytes():
        found += piece
        if len(found) >= _LARGEST_ANSWER:
            break
    return bytes(found[:_LARGEST_ANSWER])
