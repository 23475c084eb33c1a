"""The API of a sandbox over plain HTTP, as thin as can be, so that what is timed is the server.

Every request has the token of the kubeconfig; nothing is retried, and an answer that is no success is NotMeasured.
"""

import asyncio
import base64
import json
import ssl
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import yaml
from table import NotMeasured

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
MERGE = "application/merge-patch+json"
_AT_ONCE = 16
_REQUEST_S = 60.0
_BUFFER = 1 << 20

Event = dict[str, Any]


class Api:
    """One session. ``connect`` makes one."""

    def __init__(self, session: aiohttp.ClientSession, server: str) -> None:
        self._session = session
        self._server = server

    async def read(self, path: str, *, accept: str = "application/json") -> bytes:
        """The body of an answer, not decoded."""
        return await self._send("GET", path, headers={"Accept": accept})

    async def items(self, path: str) -> tuple[list[dict[str, Any]], str]:
        """A list, and its resourceVersion."""
        answer = json.loads(await self.read(path))
        return answer["items"], answer["metadata"]["resourceVersion"]

    async def create(self, path: str, obj: dict[str, Any]) -> None:
        await self._send("POST", path, json=obj)

    async def create_all(self, path: str, objects: Iterable[dict[str, Any]]) -> None:
        """Creates them, sixteen at a time."""
        left = iter(objects)

        async def some() -> None:
            for obj in left:
                await self.create(path, obj)

        async with asyncio.TaskGroup() as group:
            for _ in range(_AT_ONCE):
                group.create_task(some())

    async def merge(self, path: str, patch: dict[str, Any]) -> None:
        await self._send("PATCH", path, data=json.dumps(patch), headers={"Content-Type": MERGE})

    async def delete(self, path: str, **query: str) -> None:
        await self._send("DELETE", path, params=query)

    async def watch(
        self, path: str, *, revision: str, opened: Callable[[], None] | None = None
    ) -> AsyncIterator[Event]:
        """The changes after a revision; ``opened`` is called when the server has begun to answer."""
        query = {"watch": "1", "resourceVersion": revision, "timeoutSeconds": "600"}
        timeout = aiohttp.ClientTimeout(total=None)
        async with self._session.get(self._server + path, params=query, timeout=timeout) as answer:
            await _succeeded(answer)
            if opened is not None:
                opened()
            async for line in answer.content:
                yield json.loads(line)
        raise NotMeasured(f"the watch of {path} ended")

    async def _send(self, verb: str, path: str, **options: Any) -> bytes:
        async with self._session.request(verb, self._server + path, **options) as answer:
            await _succeeded(answer)
            return await answer.read()


async def _succeeded(answer: aiohttp.ClientResponse) -> None:
    if answer.status >= 300:
        raise NotMeasured(f"{answer.method} {answer.url.path}: {answer.status} {(await answer.text())[:300]}")


@asynccontextmanager
async def connect(kubeconfig: Path) -> AsyncIterator[Api]:
    """The sandbox of that kubeconfig; with as many connections as are asked for. Raises NotMeasured when it breaks."""
    config = yaml.safe_load(kubeconfig.read_text())
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
    connector = aiohttp.TCPConnector(limit=0, ssl=ssl.create_default_context(cadata=authority))
    try:
        async with aiohttp.ClientSession(
            connector=connector,
            headers={"Authorization": f"Bearer {user['token']}"},
            timeout=aiohttp.ClientTimeout(total=_REQUEST_S),
            read_bufsize=_BUFFER,
        ) as session:
            yield Api(session, cluster["server"])
    except (aiohttp.ClientError, TimeoutError) as error:
        raise NotMeasured(f"the sandbox stopped answering: {error!r}") from error
