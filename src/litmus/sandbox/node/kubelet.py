"""The node as a whole: registers itself, watches its pods, gives each a worker, ends in order.

Whatever goes wrong with one pod stays with that pod; whatever goes wrong with the API server is waited out.
"""

import asyncio
import contextlib
import logging
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from litmus.sandbox import client
from litmus.sandbox.images.table import Table
from litmus.sandbox.machinery import objects
from litmus.sandbox.machinery.objects import Obj

from . import machine, processes, registration, spawning
from .addresses import Pool
from .events import Recorder
from .proc_mirror import Mirror
from .pulling import Images
from .registration import Registration
from .server import Server
from .sources import Sources
from .surroundings import Surroundings
from .worker import Worker

log = logging.getLogger(__name__)

STOP_S = 2.0
REAP_S = 5.0
SYNC_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the command line says. ``folder``: the node's own, below ``nodes/`` of the sandbox's."""

    name: str
    kubeconfig: Path
    folder: Path
    pod_range: str
    images: Path
    labels: Mapping[str, str] = field(default_factory=dict)
    cpu: str = ""
    memory: str = ""
    pods: int = registration.PODS


class Kubelet:
    """``run`` is the node's life."""

    def __init__(self, settings: Settings) -> None:
        """Raises OSError and ValueError for files that are missing or wrong."""
        self._settings = settings
        folder = settings.folder
        access = client.access(settings.kubeconfig)
        self._api = client.Client(access, user_agent=f"kubelet/{machine.VERSION}")
        server = urlsplit(access.server)
        images = Images(Table.load(settings.images), folder / "programs")
        capacity, allocatable = registration.amounts(
            machine.capacity(folder), cpu=settings.cpu, memory=settings.memory, pods=settings.pods
        )
        pool = Pool.of(settings.pod_range)
        self._workers: dict[str, tuple[Worker, asyncio.Task[None]]] = {}
        self._around = Surroundings(
            node=settings.name,
            folder=folder,
            sandbox=folder.parent.parent,
            client=self._api,
            events=Recorder(self._api, settings.name),
            sources=Sources(self._api),
            images=images,
            pool=pool,
            mirror=Mirror(folder / "proc", str(folder), self._group_of),
            allocatable=allocatable,
            api=(server.hostname or "", server.port or (443 if server.scheme == "https" else 80)),
        )
        self._registration = Registration(
            api=self._api,
            name=settings.name,
            ip=pool.own,
            labels=settings.labels,
            capacity=capacity,
            allocatable=allocatable,
            images=images,
            pod_range=settings.pod_range,
        )
        self._server = Server(settings.name, lambda: [worker for worker, _ in self._workers.values()], mark=folder)

    async def run(self, stop: asyncio.Event) -> None:
        """Until ``stop`` is set; then ends all containers and removes the node's folder."""
        folder = self._settings.folder
        spawning.become_subreaper()
        swept = await asyncio.to_thread(processes.sweep, folder, name=processes.NODE)
        if swept:
            log.info("ended %d processes of an earlier life", swept)
        for left in ("pods", "proc"):
            await asyncio.to_thread(shutil.rmtree, folder / left, ignore_errors=True)
        await self._server.start(folder / "kubelet.sock")
        work = asyncio.create_task(self._work(), name="kubelet")
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({work, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                work.result()
        finally:
            stopping.cancel()
            work.cancel()
            await asyncio.gather(work, stopping, return_exceptions=True)
            await self._end()

    async def _work(self) -> None:
        await self._registration.register()
        log.info("node %s is registered", self._settings.name)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._registration.renew())
            group.create_task(self._registration.report())
            group.create_task(self._around.events.run())
            group.create_task(self._reap())
            synced = asyncio.Event()
            group.create_task(self._watch_services(synced))
            for reason, message in self._registration.story():
                about = {**self._registration.node, "apiVersion": "v1", "kind": "Node"}
                self._around.events.record(about, reason=reason, message=message)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SYNC_S):
                    await synced.wait()
            group.create_task(self._watch_pods())

    async def _watch_pods(self) -> None:
        async for change in self._api.watch("pods", fields=f"spec.nodeName={self._settings.name}"):
            if change.type == "SYNCED":
                continue
            pod = {**change.obj, "apiVersion": "v1", "kind": "Pod"}
            known = self._workers.get(objects.uid(pod))
            if change.type == "DELETED":
                if known:
                    known[0].vanish()
            elif known:
                known[0].update(pod)
            else:
                self._begin(pod)

    def _begin(self, pod: Obj) -> None:
        worker = Worker(self._around, pod)
        task = asyncio.create_task(self._live(worker), name=f"pod {objects.key(pod)}")
        self._workers[worker.uid] = (worker, task)

    async def _live(self, worker: Worker) -> None:
        try:
            await worker.run()
        except Exception:
            log.exception("pod %s", objects.key(worker.obj))
        finally:
            self._workers.pop(worker.uid, None)

    async def _watch_services(self, synced: asyncio.Event) -> None:
        async for change in self._api.watch("services"):
            if change.type == "SYNCED":
                synced.set()
            elif change.type == "DELETED":
                self._around.services.pop(objects.key(change.obj), None)
            else:
                self._around.services[objects.key(change.obj)] = change.obj

    async def _reap(self) -> None:
        """Orphans of containers end as our children."""
        while True:
            await asyncio.sleep(REAP_S)
            spawning.reap()

    async def _end(self) -> None:
        """SIGTERM to all containers, SIGKILL after STOP_S seconds; no process and no file is left."""
        await self._server.close()
        workers = list(self._workers.values())
        for worker, _ in workers:
            worker.retire(grace_s=STOP_S)
        tasks = [task for _, task in workers]
        if tasks:
            await asyncio.wait(tasks, timeout=STOP_S + 1.0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._around.sources.close()
        await self._api.close()
        await asyncio.to_thread(processes.sweep, self._settings.folder, name=processes.NODE)
        await asyncio.to_thread(shutil.rmtree, self._settings.folder, ignore_errors=True)

    def _group_of(self, container_id: str) -> str:
        """The control group that a container would have on a real node."""
        for worker, _ in self._workers.values():
            for keeper in worker.keepers.values():
                if keeper.run is not None and keeper.run.container.id == container_id:
                    return f"/kubepods/pod{worker.uid}/{container_id}"
        return f"/kubepods/{container_id}"
