"""The ConfigMaps and Secrets that pods of this node use: each is watched by name as long as somebody uses it.

That is what the node authorizer of a real cluster allows, and how a real kubelet does it ("Secrets", "Mounted Secrets
are updated automatically").
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from litmus.sandbox.client import Client
from litmus.sandbox.machinery import objects
from litmus.sandbox.machinery.objects import Obj

SYNC_S = 10.0

Name = tuple[str, str, str]
"""Resource, namespace, name."""


@dataclass(slots=True)
class _Followed:
    users: dict[str, Callable[[], None]] = field(default_factory=dict)
    known: Obj | None = None
    synced: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None


@dataclass(slots=True)
class Sources:
    """``want`` begins to follow objects for a user, ``lookup`` reads them, ``release`` ends it."""

    client: Client
    _followed: dict[Name, _Followed] = field(default_factory=dict)

    async def want(self, user: str, names: Iterable[Name], changed: Callable[[], None]) -> None:
        """Follows these objects; returns when all are known to exist or not, at the latest after SYNC_S seconds."""
        waiting = []
        for name in names:
            followed = self._followed.get(name)
            if followed is None:
                followed = self._followed[name] = _Followed()
                followed.task = asyncio.create_task(self._follow(name, followed), name=f"follow {'/'.join(name)}")
            followed.users[user] = changed
            waiting.append(followed.synced.wait())
        if waiting:
            try:
                async with asyncio.timeout(SYNC_S):
                    await asyncio.gather(*waiting)
            except TimeoutError:
                return

    def lookup(self, resource: str, namespace: str, name: str) -> Obj | None:
        followed = self._followed.get((resource, namespace, name))
        return followed.known if followed else None

    def release(self, user: str) -> None:
        for name, followed in list(self._followed.items()):
            followed.users.pop(user, None)
            if not followed.users:
                del self._followed[name]
                if followed.task is not None:
                    followed.task.cancel()

    async def close(self) -> None:
        tasks = [followed.task for followed in self._followed.values() if followed.task is not None]
        self._followed.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _follow(self, name: Name, followed: _Followed) -> None:
        resource, namespace, wanted = name
        kind = {"configmaps": "ConfigMap", "secrets": "Secret"}[resource]
        async for change in self.client.watch(resource, namespace, fields=f"metadata.name={wanted}"):
            if change.type == "SYNCED":
                followed.synced.set()
                continue
            if objects.name(change.obj) != wanted:
                continue
            followed.known = None if change.type == "DELETED" else {**change.obj, "kind": kind}
            for changed in list(followed.users.values()):
                changed()


def referenced(pod: Obj) -> set[tuple[str, str]]:
    """(resource, name) of what environments of the pod's containers name; volumes know theirs themselves."""
    spec = pod.get("spec") or {}
    found = set()
    for container in [*(spec.get("initContainers") or []), *(spec.get("containers") or [])]:
        for source in container.get("envFrom") or []:
            found |= _named(source, "configMapRef", "secretRef")
        for entry in container.get("env") or []:
            found |= _named(entry.get("valueFrom") or {}, "configMapKeyRef", "secretKeyRef")
    return found


def _named(source: Obj, config_map: str, secret: str) -> set[tuple[str, str]]:
    pairs = ((config_map, "configmaps"), (secret, "secrets"))
    return {(resource, source[word].get("name", "")) for word, resource in pairs if source.get(word)}
