"""A node without a cluster: workers with real processes, and an API in memory that is just enough for them."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any

from litmus.sandbox.client import Change, Unreachable
from litmus.sandbox.images.table import Table
from litmus.sandbox.machinery import objects, status
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.node import logs
from litmus.sandbox.node.addresses import Pool
from litmus.sandbox.node.events import Recorder
from litmus.sandbox.node.proc_mirror import Mirror
from litmus.sandbox.node.pulling import Images
from litmus.sandbox.node.sources import Sources
from litmus.sandbox.node.surroundings import Surroundings
from litmus.sandbox.node.worker import Worker

NODE_RANGE = "127.78.3.0/24"


class Api:
    """The verbs of the client that workers use. Every status that was written is kept in ``history``."""

    def __init__(self) -> None:
        self.pods: dict[str, Obj] = {}
        self.history: dict[str, list[Obj]] = {}
        self.others: dict[tuple[str, str, str], Obj] = {}
        self.deleted: list[str] = []
        self.events: list[Obj] = []
        self.unreachable = False
        self.told: Callable[[str, Obj], None] = lambda kind, pod: None
        self._changed = asyncio.Event()
        self._watches: list[tuple[str, str, str, asyncio.Queue[Change]]] = []

    def put(self, resource: str, name: str, obj: Obj, namespace: str = "ns") -> None:
        """A ConfigMap or Secret comes to be, or changes."""
        self.others[resource, namespace, name] = obj = {"metadata": {"name": name, "namespace": namespace}, **obj}
        for watched in self._watches:
            if watched[:3] == (resource, namespace, name):
                watched[3].put_nowait(Change("MODIFIED", obj))

    async def until(self, name: str, holds: Callable[[Obj], bool]) -> Obj:
        """The first status of a pod (also of the past) for which something holds."""
        seen = 0
        while True:
            statuses = self.history.get(name, [])
            for found in statuses[seen:]:
                if holds(found):
                    return found
            seen = len(statuses)
            self._changed.clear()
            await self._changed.wait()

    async def get(self, resource: str, name: str, namespace: str = "") -> Obj:
        found = self.others.get((resource, namespace, name))
        if found is None:
            raise status.not_found(resource, "", name)
        return found

    async def create(
        self, resource: str, obj: Obj, namespace: str = "", *, name: str = "", subresource: str = ""
    ) -> Obj:
        if resource == "events":
            self.events.append(obj)
            return obj
        assert (resource, subresource) == ("serviceaccounts", "token")
        return {"status": {"token": f"token of {name}", "expirationTimestamp": "2999-01-01T00:00:00Z"}}

    async def patch(
        self, resource: str, name: str, patch: Obj, namespace: str = "", *, subresource: str = "", kind: str = "merge"
    ) -> Obj:
        if resource == "events":
            return patch
        assert (resource, subresource, kind) == ("pods", "status", "strategic")
        if self.unreachable:
            raise Unreachable("no way")
        pod = self.pods.get(name)
        if pod is None:
            raise status.not_found("pods", "", name)
        if patch["metadata"]["uid"] != objects.uid(pod):
            raise status.conflict("pods", "", name, "the UID in the precondition does not match the UID in record")
        clean = {word: value for word, value in patch["status"].items() if value is not None and word[0] != "$"}
        pod["status"] = {**pod.get("status", {}), **clean}
        self.history.setdefault(name, []).append(clean)
        self._changed.set()
        return pod

    async def delete(
        self, resource: str, name: str, namespace: str = "", *, grace_s: int | None = None, uid: str = ""
    ) -> Obj:
        if name not in self.pods:
            raise status.not_found("pods", "", name)
        assert (grace_s, uid) == (0, objects.uid(self.pods[name]))
        self.deleted.append(name)
        self.told("DELETED", self.pods.pop(name))
        return {}

    async def watch(
        self, resource: str, namespace: str = "", *, labels: str = "", fields: str = ""
    ) -> AsyncGenerator[Change, None]:
        name = fields.partition("=")[2]
        known = self.others.get((resource, namespace, name))
        queue: asyncio.Queue[Change] = asyncio.Queue()
        self._watches.append((resource, namespace, name, queue))
        if known is not None:
            yield Change("ADDED", known)
        yield Change("SYNCED", {})
        while True:
            yield await queue.get()


class Node:
    """Runs pods. Use it as an async context manager: it ends everything."""

    def __init__(self, folder: Path) -> None:
        self.api = Api()
        self.table = Table()
        self.folder = folder / "nodes" / "n"
        self.folder.mkdir(parents=True)
        client: Any = self.api
        self.around = Surroundings(
            node="n",
            folder=self.folder,
            sandbox=folder,
            client=client,
            events=Recorder(client, "n"),
            sources=Sources(client),
            images=Images(self.table, self.folder / "programs"),
            pool=Pool.of(NODE_RANGE),
            mirror=Mirror(self.folder / "proc", str(self.folder), lambda found: f"/kubepods/pod/{found}"),
            allocatable={"cpu": "2", "memory": "1Gi"},
            api=("127.0.0.1", 6443),
        )
        self.workers: dict[str, Worker] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self.api.told = lambda kind, pod: self.workers[objects.name(pod)].vanish()

    async def __aenter__(self) -> "Node":
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self.tasks.values():
            task.cancel()
        for task in self.tasks.values():
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await self.around.sources.close()

    def run(self, pod: Obj) -> Worker:
        name = objects.name(pod)
        self.api.pods[name] = objects.copy(pod)
        worker = self.workers[name] = Worker(self.around, pod)
        self.tasks[name] = asyncio.create_task(worker.run())
        return worker

    def delete(self, name: str, *, grace_s: int) -> None:
        """A graceful deletion begins."""
        pod = self.api.pods[name]
        pod["metadata"] |= {"deletionTimestamp": "2026-01-01T00:00:00Z", "deletionGracePeriodSeconds": grace_s}
        self.workers[name].update(objects.copy(pod))

    def vanish(self, name: str) -> None:
        """A forced deletion: the pod is gone from the API."""
        del self.api.pods[name]
        self.workers[name].vanish()

    def said(self, reason: str = "") -> list[str]:
        """The messages of the events so far, sent or not."""
        waiting = [event for _, event in self.around.events._queue.values()]
        return [event["message"] for event in (*self.api.events, *waiting) if not reason or event["reason"] == reason]

    async def until(self, holds: Callable[[], bool]) -> None:
        """Returns once something of this process holds."""
        while not holds():  # noqa: ASYNC110 - nobody tells when it begins to hold
            await asyncio.sleep(0.001)

    async def logged(self, name: str, word: str, container: str = "c") -> None:
        """Returns once a container's present run has written the word."""
        keeper = self.workers[name].keepers[container]
        await self.until(lambda: keeper.run is not None and keeper.run.container.log.path.exists())
        assert keeper.run is not None
        log = keeper.run.container.log
        seen = b""
        async for piece in logs.read(log.path, logs.Wanted(follow=True), log=log):
            seen += piece
            if word.encode() in seen:
                return
        raise AssertionError(f"{container} ended without saying {word!r}: {seen!r}")

    async def phase(self, name: str, phase: str) -> Obj:
        return await self.api.until(name, lambda found: found["phase"] == phase)

    async def ready(self, name: str) -> Obj:
        return await self.api.until(name, lambda found: truth(found, "Ready") == "True")

    async def container(self, name: str, holds: Callable[[Obj], bool], container: str = "c") -> Obj:
        """The first status of a container for which something holds."""

        def fits(found: Obj) -> bool:
            return any(one["name"] == container and holds(one) for one in everyone(found))

        found = await self.api.until(name, fits)
        return next(one for one in everyone(found) if one["name"] == container)


def everyone(found: Obj) -> list[Obj]:
    return [*found["containerStatuses"], *found.get("initContainerStatuses", [])]


def truth(found: Obj, condition: str) -> str:
    return next((str(one["status"]) for one in found["conditions"] if one["type"] == condition), "")


def pod(name: str, *containers: Obj, **spec: Any) -> Obj:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "ns", "uid": f"uid-{name}", "labels": {"app": name}, "generation": 1},
        "spec": {
            "restartPolicy": "Always",
            "terminationGracePeriodSeconds": 30,
            "containers": list(containers),
            **spec,
        },
    }


def shell(script: str, name: str = "c", **more: Any) -> Obj:
    command = {"command": ["/bin/sh", "-c", script]} if script else {}
    return {"name": name, "image": "busybox", "imagePullPolicy": "IfNotPresent", **command, **more}
