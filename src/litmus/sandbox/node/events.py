"""Events of a node: sent in the background, repeats counted, so that nothing waits for them and nobody is flooded.

A repeat is an event about the same object with the same reason and message; it becomes a higher count of the first one,
as client-go's correlator does. The queue is bounded: in a flood the oldest are dropped, because events are best effort.
"""

import asyncio
import contextlib
import logging
import random
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, Protocol

from litmus.sandbox import client
from litmus.sandbox.machinery import objects
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.status import Refusal

log = logging.getLogger(__name__)

QUEUE = 2000
REMEMBERED = 4096
MESSAGE_MAX = 1024


class Api(Protocol):
    """The part of the client that is used here."""

    async def create(self, resource: str, obj: Obj, namespace: str = "") -> Obj: ...

    async def patch(self, resource: str, name: str, patch: Obj, namespace: str = "") -> Obj: ...


@dataclass(slots=True)
class Recorder:
    """``run`` sends what ``record`` was told."""

    api: Api
    node: str
    _queue: "OrderedDict[str, tuple[bool, Obj]]" = field(default_factory=OrderedDict)
    """What an event says → whether the server has it already, and the event."""
    _known: "OrderedDict[str, tuple[str, int]]" = field(default_factory=OrderedDict)
    """What an event says → its name and how often it was seen."""
    _more: asyncio.Event = field(default_factory=asyncio.Event)

    def record(
        self,
        about: Obj,
        *,
        reason: str,
        message: str,
        kind: Literal["Normal", "Warning"] = "Normal",
        field_path: str = "",
    ) -> None:
        """``field_path``: the container, ``spec.containers{name}``."""
        message = message[:MESSAGE_MAX]
        key = "\0".join((objects.uid(about), kind, reason, message, field_path))
        name, count = self._known.pop(key, ("", 0))
        now = datetime.now(UTC)
        name = name or f"{objects.name(about)[:220]}.{int(now.timestamp() * 1e9) + random.randrange(1000):x}"
        self._known[key] = (name, count + 1)
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        waiting = self._queue.get(key)
        if waiting is not None:
            waiting[1].update({"count": count + 1, "lastTimestamp": objects.timestamp(now)})
            return
        event = self._event(about, name, count + 1, now) | {"reason": reason, "message": message, "type": kind}
        if field_path:
            event["involvedObject"]["fieldPath"] = field_path
        self._queue[key] = (count > 0, event)
        if len(self._queue) > QUEUE:
            self._queue.popitem(last=False)
        self._more.set()

    async def run(self) -> None:
        """Sends events, one at a time, until it is cancelled."""
        while True:
            await self._more.wait()
            self._more.clear()
            await self.flush()

    async def flush(self) -> None:
        """Sends what is waiting."""
        while self._queue:
            _, (known, event) = self._queue.popitem(last=False)
            await self._send(event, known=known)

    async def _send(self, event: Obj, *, known: bool) -> None:
        namespace, name = objects.namespace(event), objects.name(event)
        if known:
            changed = {word: event[word] for word in ("count", "lastTimestamp")}
            if await _accepted(lambda: self.api.patch("events", name, changed, namespace)):
                return
        await _accepted(lambda: self.api.create("events", event, namespace))

    def _event(self, about: Obj, name: str, count: int, now: datetime) -> Obj:
        meta = objects.meta(about)
        involved = {
            "apiVersion": about.get("apiVersion", "v1"),
            "kind": about.get("kind", "Pod"),
            "name": meta.get("name", ""),
            "uid": meta.get("uid", ""),
        }
        if meta.get("namespace"):
            involved["namespace"] = meta["namespace"]
        if meta.get("resourceVersion"):
            involved["resourceVersion"] = meta["resourceVersion"]
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": name, "namespace": meta.get("namespace") or "default"},
            "involvedObject": involved,
            "source": {"component": "kubelet", "host": self.node},
            "reportingComponent": "kubelet",
            "reportingInstance": self.node,
            "count": count,
            "firstTimestamp": objects.timestamp(now),
            "lastTimestamp": objects.timestamp(now),
            "eventTime": None,
        }


async def _accepted(send: Callable[[], Awaitable[Obj]]) -> bool:
    with contextlib.suppress(Refusal, client.Unreachable):
        await send()
        return True
    return False
