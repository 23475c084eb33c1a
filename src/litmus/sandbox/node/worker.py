"""One pod on this node, from its arrival to its removal.

It goes through the stations of "Pod Lifecycle": address and volumes, init containers in order, the containers
together, the end (by themselves, by deadline, by deletion), and the removal from the API server. Each container is a
``Keeper``'s.
"""

import asyncio
import contextlib
import logging
import shutil
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from litmus.sandbox import client
from litmus.sandbox.machinery import objects
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.status import Refusal

from . import addresses, lifecycle, pod_status, recipes
from .keeper import Keeper
from .mounting import Mounts
from .reporting import Reporter
from .surroundings import Surroundings

log = logging.getLogger(__name__)

ADDRESS_RETRY_S = (0.5, 30.0)
DELETE_RETRY_S = 0.5


@dataclass(slots=True)
class Worker:
    """``run`` lives the pod's life. ``update`` tells it the newest manifest, ``vanish`` that the pod is gone."""

    around: Surroundings
    obj: Obj
    ip: str = ""
    keepers: dict[str, Keeper] = field(default_factory=dict)
    place: recipes.Place = field(init=False)
    _own_ip: bool = False
    _sandboxed: bool = False
    _was_sandboxed: bool = False
    started_at: str = ""
    _ended: tuple[str, str, str] | None = None
    _over: bool = False
    _leave: asyncio.Event = field(default_factory=asyncio.Event)
    _gone: asyncio.Event = field(default_factory=asyncio.Event)
    _hurry: asyncio.Event = field(default_factory=asyncio.Event)
    _sources: asyncio.Event = field(default_factory=asyncio.Event)
    _grace_until: float | None = None
    _conditions: dict[str, Obj] = field(default_factory=dict)
    _retired: bool = False
    _mirrored: bool = False
    _reporting: asyncio.Task[None] | None = None
    _reporter: Reporter = field(init=False)
    _mounts: Mounts = field(init=False)

    def __post_init__(self) -> None:
        self.place = recipes.Place(
            folder=self.around.folder / "pods" / objects.uid(self.obj),
            sandbox=str(self.around.sandbox),
            node=str(self.around.folder),
            proc=str(self.around.mirror.folder),
        )
        self._reporter = Reporter(
            self.around.client, lambda: self.obj, self._status, self.vanish, slots=self.around.writes
        )
        self._mounts = Mounts(self)
        self.started_at = (self.obj.get("status") or {}).get("startTime") or objects.timestamp()
        for record in lifecycle.records(self.obj).values():
            self.keepers[record.name] = Keeper(self, record)
        if objects.leaving(self.obj):
            self._leave.set()

    @property
    def host_ip(self) -> str:
        return self.around.pool.own

    @property
    def uid(self) -> str:
        return objects.uid(self.obj)

    def places(self) -> dict[str, Path]:
        """Volume → folder."""
        return self._mounts.places

    def lookup(self, resource: str, name: str) -> Obj | None:
        """A ConfigMap or Secret of the pod's namespace."""
        return self.around.sources.lookup(resource, objects.namespace(self.obj), name)

    def changed(self) -> None:
        """The status is to be written."""
        self._reporter.changed()

    async def written(self) -> None:
        """Returns when the present status is on the server."""
        await self._reporter.written()

    async def sources_changed(self, timeout_s: float) -> None:
        """Returns when a ConfigMap, a Secret or the manifest has changed, at the latest after ``timeout_s``."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._sources.wait()
        self._sources.clear()

    def wake(self) -> None:
        """A ConfigMap, a Secret or the manifest has changed."""
        self._sources.set()

    def update(self, pod: Obj) -> None:
        """The newest manifest."""
        before, self.obj = self.obj, pod
        if objects.leaving(pod):
            until = asyncio.get_running_loop().time() + lifecycle.grace_s(pod)
            if self._grace_until is None or until < self._grace_until:
                self._grace_until = until
                self._hurry.set()
            self._leave.set()
        if any(read(before) != read(pod) for read in (objects.labels, objects.annotations)):
            self.wake()  # a volume may show them
        if before.get("spec") != pod.get("spec"):
            self.wake()
            self._replace_changed()
        if before.get("spec") != pod.get("spec") or _shown(before) != _shown(pod):
            self.changed()
        self._reporter.seen(pod)

    def vanish(self) -> None:
        """The pod is not on the API server any more: what still runs is killed at once."""
        self._gone.set()
        self._leave.set()
        for keeper in self.keepers.values():
            if keeper.run is not None:
                keeper.run.container.kill()

    def retire(self, *, grace_s: float) -> None:
        """The node ends: so does ``run``, after the containers have had ``grace_s`` seconds. The API is not told."""
        self._retired = True
        self._grace_until = asyncio.get_running_loop().time() + grace_s
        if self._reporting is not None:
            self._reporting.cancel()
        self._hurry.set()
        self._leave.set()

    async def run(self) -> None:
        """From arrival to removal; leaves neither process nor file behind, also when it is cancelled."""
        self._reporting = asyncio.create_task(self._reporter.run(), name=f"status of {objects.key(self.obj)}")
        try:
            if not lifecycle.is_over(self.obj):
                await self._live_until_end()
                await self._stop_all()
                self._release()
                self.changed()
                if not self._retired:
                    await self._unless_gone(self.written())
            await self._leave.wait()
            if not self._retired:
                await self._delete()
        finally:
            await self._kill_all()
            self._reporting.cancel()
            await asyncio.gather(self._reporting, return_exceptions=True)
            self._release()
            await asyncio.to_thread(shutil.rmtree, self.place.folder, ignore_errors=True)

    async def _live_until_end(self) -> None:
        """Until the containers have ended for good, the deadline has passed, or the pod is to go."""
        if self._leave.is_set():
            return
        self.changed()
        living = asyncio.create_task(self._live(), name=f"life of {objects.key(self.obj)}")
        leaving = asyncio.create_task(self._leave.wait())
        late = asyncio.create_task(self._deadline())
        try:
            await asyncio.wait({living, leaving, late}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (living, leaving, late):
                task.cancel()
            results = await asyncio.gather(living, leaving, late, return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException) and not isinstance(result, asyncio.CancelledError):
                raise result

    async def _live(self) -> None:
        if any(keeper.record.container_id for keeper in self.keepers.values()):
            self.event("SandboxChanged", "Pod sandbox changed, it will be killed and re-created.")
        await self._take_address()
        recipes.write_hosts(self.obj, self.place, ip=self.ip)
        await self._mounts.mount_all()
        if (self.obj.get("spec") or {}).get("hostPID"):
            self._mirrored = True
            await self.around.mirror.acquire()
        self._sandboxed = self._was_sandboxed = True
        self.changed()
        refreshing = asyncio.create_task(self._mounts.refresh())
        sidecars: list[asyncio.Task[int]] = []
        try:
            if await self._initialize(sidecars):
                await self._run_containers()
        finally:
            for task in (refreshing, *sidecars):
                task.cancel()
            await asyncio.gather(refreshing, *sidecars, return_exceptions=True)

    async def _initialize(self, sidecars: list[asyncio.Task[int]]) -> bool:
        """The init containers, one after the other; False when one failed for good."""
        for spec in lifecycle.init_containers(self.obj):
            keeper = self.keepers[spec["name"]]
            if keeper.record.sidecar:
                sidecars.append(asyncio.create_task(keeper.keep(), name=f"sidecar {spec['name']}"))
                await keeper.started.wait()
            elif await keeper.keep() != 0:
                return False
        for keeper in self.keepers.values():
            if not keeper.record.init and "waiting" in keeper.record.state and not keeper.record.container_id:
                keeper.record.waiting("PodInitializing" if lifecycle.init_containers(self.obj) else "ContainerCreating")
        return True

    async def _run_containers(self) -> None:
        async with asyncio.TaskGroup() as group:
            for spec in lifecycle.containers(self.obj):
                group.create_task(self.keepers[spec["name"]].keep(), name=f"container {spec['name']}")

    async def _take_address(self) -> None:
        if (self.obj.get("spec") or {}).get("hostNetwork"):
            self.ip = self.host_ip
            return
        pause_s = ADDRESS_RETRY_S[0]
        while True:
            try:
                self.ip = self.around.pool.take((self.obj.get("status") or {}).get("podIP", ""))
                self._own_ip = True
                return
            except addresses.Exhausted as error:
                message = f"Failed to create pod sandbox: failed to allocate for range 0: {error}"
                self.event("FailedCreatePodSandBox", message, kind="Warning")
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, ADDRESS_RETRY_S[1])

    async def _deadline(self) -> None:
        """Returns when the pod's activeDeadlineSeconds are over."""
        while True:
            due = lifecycle.deadline(self.obj, self.started_at)
            left_s = (due - datetime.now(UTC)).total_seconds() if due else 3600.0
            if due and left_s <= 0:
                message = "Pod was active on the node longer than the specified deadline"
                self._ended = ("Failed", "DeadlineExceeded", message)
                self.event("DeadlineExceeded", message)
                return
            await asyncio.sleep(min(left_s, 1.0))

    async def _stop_all(self) -> None:
        """Ends what runs: the containers together, then the sidecars, the last one first."""
        loop = asyncio.get_running_loop()
        if self._grace_until is None:
            self._grace_until = loop.time() + lifecycle.grace_s(self.obj)
        mains = [keeper for keeper in self.keepers.values() if not keeper.record.init]
        inits = [keeper for keeper in self.keepers.values() if keeper.record.init]
        # An init container that still runs can not have a container beside it.
        groups = [[*mains, *(keeper for keeper in inits if not keeper.record.sidecar)]]
        groups += [[keeper] for keeper in reversed(inits) if keeper.record.sidecar]
        for group in groups:
            await asyncio.gather(*(self._stop(keeper) for keeper in group))
        self._over = self._leave.is_set()
        self.changed()

    async def _stop(self, keeper: Keeper) -> None:
        run, loop = keeper.run, asyncio.get_running_loop()
        if run is None:
            return
        if not self._gone.is_set():
            await keeper.stop(
                message=f"Stopping container {keeper.record.name}",
                grace_s=lambda: 0.0 if self._gone.is_set() else (self._grace_until or 0.0) - loop.time(),
                hurry=self._hurry,
            )
        keeper.ended(run, await run.container.wait())

    def _replace_changed(self) -> None:
        """A container whose image was changed is started again ("Updating pods": the image may change in place)."""
        for keeper in self.keepers.values():
            run = keeper.run
            if run is None or run.container.exit is not None or run.image == keeper.spec.get("image"):
                continue
            message = f"Container {keeper.record.name} definition changed, will be restarted"
            keeper.stop_later(message, grace_s=lifecycle.grace_s(self.obj))

    async def _delete(self) -> None:
        """Removes the pod from the API server; returns when it is gone from there."""
        while not self._gone.is_set():
            try:
                async with self.around.writes:
                    await self.around.client.delete(
                        "pods", objects.name(self.obj), objects.namespace(self.obj), grace_s=0, uid=self.uid
                    )
                await self._gone.wait()  # finalizers of others may keep it a while
            except Refusal as refusal:
                if refusal.code in (404, 409):
                    return
                log.warning("pod %s can not be removed: %s", objects.key(self.obj), refusal)
            except client.Unreachable:
                pass
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(DELETE_RETRY_S):
                    await self._gone.wait()

    async def _unless_gone(self, work: Coroutine[Any, Any, None]) -> None:
        task, gone = asyncio.create_task(work), asyncio.create_task(self._gone.wait())
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        for one in (task, gone):
            one.cancel()
        await asyncio.gather(task, gone, return_exceptions=True)

    async def _kill_all(self) -> None:
        """What still runs although nobody waits for it any more: this is the last that is done for a pod."""
        runs = [keeper.run.container for keeper in self.keepers.values() if keeper.run is not None]
        for container in runs:
            container.kill()
        for keeper in self.keepers.values():
            await keeper.close()
        await asyncio.gather(*(container.wait() for container in runs))

    def _release(self) -> None:
        """Gives back what the pod held on the node."""
        self.around.sources.release(self.uid)
        if self._own_ip:
            self.around.pool.give_back(self.ip)
            self._own_ip = False
        if self._mirrored:
            self.around.mirror.release()
            self._mirrored = False
        self._sandboxed = False

    def _status(self) -> Obj:
        """The status of this moment."""
        before = {one["type"]: one for one in (self.obj.get("status") or {}).get("conditions") or []}
        before |= self._conditions
        life = pod_status.Life(
            ip=self.ip if self._was_sandboxed else "",
            host_ip=self.host_ip,
            started_at=self.started_at,
            sandboxed=self._sandboxed,
            ended=self._ended,
            over=self._over,
        )
        records = [keeper.record for keeper in self.keepers.values()]
        status = pod_status.build(self.obj, records, life, before=before, now=datetime.now(UTC))
        self._conditions = {one["type"]: one for one in status["conditions"]}
        return objects.copy(status)

    def event(self, reason: str, message: str, *, kind: Literal["Normal", "Warning"] = "Normal") -> None:
        """Records an event about the pod."""
        self.around.events.record(self.obj, reason=reason, message=message, kind=kind)


def _shown(pod: Obj) -> list[object]:
    """What others change and the status depends on: the generation, and conditions that may be readiness gates."""
    conditions = (pod.get("status") or {}).get("conditions") or []
    foreign = [(one["type"], one.get("status")) for one in conditions if one["type"] not in pod_status.OURS]
    return [objects.meta(pod).get("generation"), *foreign]
