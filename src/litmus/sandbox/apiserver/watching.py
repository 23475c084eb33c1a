"""Watches: the changes of a resource as a stream of JSON lines, from a revision on.

Source: the documentation "Efficient detection of changes", "Watch bookmarks" and "Streaming lists";
k8s.io/apiserver/pkg/endpoints/handlers/watch.go. A watcher that does not keep up is cut off instead of being buffered
without bound; it comes back with its last revision, as it would to a real server.
"""

import asyncio
import random
from collections import deque

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from litmus.sandbox.apiserver import answers, definitions, listing, negotiation, query
from litmus.sandbox.apiserver.call import Call
from litmus.sandbox.apiserver.events import Lines, error
from litmus.sandbox.machinery.status import Refusal
from litmus.sandbox.machinery.store import Event

BOOKMARK_S = 60.0
# --min-request-timeout, and up to twice as long so that watches do not all end together
_TIMEOUT_S = (1800.0, 3600.0)
WAITING = 10_000  # events that wait for one client before it is cut off
_CHUNK = 1 << 20  # bytes that go out in one piece


async def serve(call: Call) -> Response:
    """Starts a watch. Raises Refusal 400, 406 and 422; a revision that is too old is an event of the stream."""
    asked = query.listing(call.query, watch=True)
    accept = negotiation.of_watch(call.headers.get("accept", ""))
    chosen = [one for one in listing.selectors(call, asked) if one is not None]
    return _Watch(call, asked, Lines(call, accept, chosen))


class _Watch(Response):
    """An answer that goes on until its time is up, the client leaves, or it is cut off."""

    def __init__(self, call: Call, asked: query.ListOptions, lines: Lines) -> None:
        super().__init__(media_type="application/json")
        del self.headers["content-length"]
        answers.finish(self)
        self._store = call.registry.store
        self._catalogue = call.services.catalogue
        self._resource = call.known
        self._namespace = call.key.namespace
        self._asked = asked
        self._lines = lines
        self._seen = asked.revision or 0  # the last revision that the client knows of
        self._waiting: deque[Event] = deque()
        self._wake = asyncio.Event()
        self._full = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        stops = [self._store.subscribe(self._resource.storage, self._hear)]
        if self._resource.custom:
            stops.append(self._store.subscribe(definitions.STORAGE, lambda _: self._wake.set()))
        tasks = [asyncio.create_task(work) for work in (self._send(send), _left(receive), self._full.wait())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for stop in stops:
                stop()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            task.result()

    def _hear(self, event: Event) -> None:
        if len(self._waiting) < WAITING:
            self._waiting.append(event)
        else:
            self._full.set()
        self._wake.set()

    async def _send(self, send: Send) -> None:
        loop = asyncio.get_running_loop()
        lasts_s = self._asked.timeout_s or random.uniform(*_TIMEOUT_S)
        ends, bookmark = loop.time() + lasts_s, loop.time() + BOOKMARK_S
        first, goes_on = self._first()
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        await _write(send, first)
        while goes_on and loop.time() < ends:
            await self._next_change(min(ends, bookmark) - loop.time())
            lines = self._drain()
            if self._asked.bookmarks and loop.time() >= min(ends, bookmark):
                lines.append(self._lines.bookmark(self._seen))
            if loop.time() >= bookmark:
                bookmark = loop.time() + BOOKMARK_S
            await _write(send, lines)
            goes_on = self._served()
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _first(self) -> tuple[list[bytes], bool]:
        """The lines that need no waiting, and whether the watch goes on after them."""
        asked, revision = self._asked, self._asked.revision or 0
        everything = asked.initial_events if asked.initial_events is not None else not revision
        if not everything and revision:
            try:
                missed = self._store.since(self._resource.storage, revision)
            except Refusal as refusal:
                return [error(refusal)], False
            self._waiting.clear()
            self._waiting.extend(missed)
            return self._drain(), True
        self._waiting.clear()
        self._seen = self._store.revision
        if not everything:
            return [], True
        found = self._lines.existing(self._store.list(self._resource.storage, self._namespace))
        if asked.initial_events and asked.bookmarks:
            found.append(self._lines.bookmark(self._seen, initial_events_end=True))
        return found, True

    async def _next_change(self, within_s: float) -> None:
        if self._waiting:
            return
        self._wake.clear()
        try:
            async with asyncio.timeout(max(0.0, within_s)):
                await self._wake.wait()
        except TimeoutError:
            if not self._waiting:  # a change may have come between the deadline and this line
                # Nothing has happened: all that the store knows is known to the client as well.
                self._seen = max(self._seen, self._store.revision)

    def _drain(self) -> list[bytes]:
        lines, size = [], 0
        while self._waiting and size < _CHUNK:
            event = self._waiting.popleft()
            if event.revision <= self._seen:
                continue
            self._seen = event.revision
            line = self._lines.change(event)
            if line is not None:
                lines.append(line)
                size += len(line)
        return lines

    def _served(self) -> bool:
        """Whether the resource is still there; a custom one may have gone."""
        resource = self._resource
        return self._catalogue.find(resource.group, resource.version, resource.plural) is not None


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _write(send: Send, lines: list[bytes]) -> None:
    """In pieces, so that neither a thousand small writes nor one huge one go out."""
    piece: list[bytes] = []
    size = 0
    for line in lines:
        piece.append(line)
        size += len(line)
        if size >= _CHUNK:
            await send({"type": "http.response.body", "body": b"".join(piece), "more_body": True})
            piece, size = [], 0
    if piece:
        await send({"type": "http.response.body", "body": b"".join(piece), "more_body": True})
