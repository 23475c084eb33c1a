"""Follows the services of a cluster and keeps their addresses answered.

While the API server is away, everything goes on as it was; the client connects again by itself.
"""

import asyncio
import contextlib
import logging
from collections.abc import Mapping

from litmus.sandbox import client
from litmus.sandbox.machinery import objects, ports
from litmus.sandbox.machinery.objects import Key, Obj
from litmus.sandbox.machinery.status import Refusal

from . import routes
from .listeners import Listeners
from .routes import Place, Route

log = logging.getLogger(__name__)

COMPONENT = "kube-proxy"
SERVICES, SLICES = "services", "endpointslices.discovery.k8s.io"
RETRY_S = 5.0  # until a place that was in use is tried again


class Proxy:
    """``run`` until cancelled."""

    def __init__(self, api: client.Client) -> None:
        self._api = api
        self._known: dict[str, dict[Key, Obj]] = {SERVICES: {}, SLICES: {}}
        self._synced: set[str] = set()
        self._changed = asyncio.Event()
        self._said: set[tuple[str, str]] = set()
        self.listeners = Listeners()

    async def run(self) -> None:
        """Watch and listen, for ever."""
        try:
            async with asyncio.TaskGroup() as group:
                for resource in self._known:
                    group.create_task(self._watch(resource))
                group.create_task(self._follow())
        finally:
            self.listeners.close()

    async def _watch(self, resource: str) -> None:
        known = self._known[resource]
        async with contextlib.aclosing(self._api.watch(resource)) as changes:
            async for change in changes:
                if change.type == "SYNCED":
                    self._synced.add(resource)
                elif change.type == "DELETED":
                    known.pop(objects.key(change.obj), None)
                else:
                    known[objects.key(change.obj)] = change.obj
                if len(self._synced) == len(self._known):
                    self._changed.set()

    async def _follow(self) -> None:
        """One step for all changes that have come together."""
        retry_s: float | None = None
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(retry_s):
                    await self._changed.wait()
            self._changed.clear()
            table = routes.table(self._known[SERVICES].values(), self._known[SLICES].values())
            failures = await self.listeners.follow(table)
            retry_s = RETRY_S if failures else None
            await self._report(table, failures)

    async def _report(self, table: Mapping[Place, Route], failures: Mapping[Place, str]) -> None:
        """Say once about each service what its user would wonder about."""
        for place, route in table.items():
            if place in failures:
                await self._event(route.service, "Warning", "PortNotAvailable", failures[place])
            elif ports.reachable(place.port) != place.port:
                said = (
                    f"port {place.port} needs a right that this user has not (CAP_NET_BIND_SERVICE), "
                    f"so {place.address} answers on port {ports.reachable(place.port)}"
                )
                await self._event(route.service, "Normal", "PortMapped", said)

    async def _event(self, about: Key, kind: str, reason: str, message: str) -> None:
        service = self._known[SERVICES].get(about)
        if service is None or (objects.uid(service), message) in self._said:
            return
        self._said.add((objects.uid(service), message))
        log.info("%s: %s", about, message)
        now = objects.timestamp()
        event = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"generateName": f"{about.name}.", "namespace": about.namespace},
            "involvedObject": {
                "apiVersion": "v1",
                "kind": "Service",
                "name": about.name,
                "namespace": about.namespace,
                "uid": objects.uid(service),
            },
            "reason": reason,
            "message": message,
            "type": kind,
            "count": 1,
            "firstTimestamp": now,
            "lastTimestamp": now,
            "source": {"component": COMPONENT},
        }
        try:
            await self._api.create("events", event)
        except (Refusal, client.Unreachable) as problem:
            log.warning("the event about %s could not be written: %s", about, problem)
