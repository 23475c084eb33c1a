"""A request to somebody else's HTTP server, whose answer goes to our client as it comes.

The client library is imported with the first request: no start of a sandbox has to wait for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.background import BackgroundTask
from starlette.responses import StreamingResponse

from litmus.sandbox.apiserver import answers

if TYPE_CHECKING:
    import aiohttp

_CONNECT_S = 5.0


class Unreachable(Exception):
    """Nobody answered; the message says what went wrong."""


@dataclass(frozen=True, slots=True)
class Found:
    """An answer whose body is still to come. It has to be streamed or closed."""

    answer: aiohttp.ClientResponse
    session: aiohttp.ClientSession

    async def text(self, limit: int) -> str:
        """The beginning of the body, at most ``limit`` bytes; closes."""
        body = await self.answer.content.read(limit)
        await self.close()
        return body.decode(errors="replace")

    def stream(self, headers: Mapping[str, str]) -> StreamingResponse:
        """The answer under these headers."""
        response = StreamingResponse(
            self._pieces(), self.answer.status, headers=headers, background=BackgroundTask(self.close)
        )
        answers.finish(response)
        return response

    async def _pieces(self) -> AsyncIterator[bytes]:
        import aiohttp

        try:
            async for piece in self.answer.content.iter_any():
                yield piece
        except aiohttp.ClientError:
            return  # the other side has gone; what it has said so far is what there is
        finally:
            await self.close()

    async def close(self) -> None:
        self.answer.close()
        await self.session.close()


async def ask(
    url: str, *, method: str = "GET", headers: Mapping[str, str] | None = None, body: bytes = b"", socket: Path | None
) -> Found:
    """Asks over a unix ``socket``, or over TCP when that is None. Raises Unreachable."""
    import aiohttp

    connector = aiohttp.UnixConnector(str(socket)) if socket else aiohttp.TCPConnector()
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_S)
    session = aiohttp.ClientSession(connector=connector, timeout=timeout, auto_decompress=False)
    try:
        answer = await session.request(method, url, headers=headers, data=body or None, allow_redirects=False)
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        await session.close()
        raise Unreachable(str(error) or type(error).__name__) from error
    except asyncio.CancelledError:
        await session.close()
        raise
    return Found(answer, session)
