"""Keeping one container of a pod running: image, start, hooks and probes, end, and the pause before the next run."""

import asyncio
import logging
import os
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Protocol

from litmus.sandbox.machinery import objects, ports
from litmus.sandbox.machinery.objects import Obj

from . import crash_loop, environment, hooks, lifecycle, logs, obtaining, probes, pulling, recipes, spawning, volumes
from .container import Container, Exit
from .pod_status import Record
from .recipes import Prepared
from .surroundings import Surroundings

log = logging.getLogger(__name__)

CONFIG_RETRY_S = 5.0
MESSAGE_MAX = 4096
FALLBACK_LINES = 80
FALLBACK_BYTES = 2048
ATTEMPTS_KEPT = 2


class Pod(Protocol):
    """What a keeper needs of the pod's worker."""

    around: Surroundings
    place: recipes.Place
    ip: str

    @property
    def host_ip(self) -> str: ...

    @property
    def obj(self) -> Obj: ...

    def places(self) -> dict[str, Path]: ...

    def lookup(self, resource: str, name: str) -> Obj | None: ...

    def changed(self) -> None: ...

    async def written(self) -> None: ...

    async def sources_changed(self, timeout_s: float) -> None: ...


@dataclass(slots=True)
class Run:
    """A container that is or was running, with what it was started from."""

    container: Container
    prepared: Prepared
    spec: Obj
    image: str
    stopping: bool = False


@dataclass(slots=True)
class Keeper:
    """One container of a pod. ``run`` is the present or the latest run."""

    pod: Pod
    record: Record
    run: Run | None = None
    started: asyncio.Event = field(default_factory=asyncio.Event)
    """The startup probe (or the mere start) succeeded once."""
    back_off: crash_loop.BackOff = field(default_factory=lambda: crash_loop.BackOff(first_s=crash_loop.FIRST_S))
    _attempts: int = 0
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def spec(self) -> Obj:
        """The container in the newest manifest."""
        everyone = [*lifecycle.init_containers(self.pod.obj), *lifecycle.containers(self.pod.obj)]
        return next(one for one in everyone if one["name"] == self.record.name)

    @property
    def field_path(self) -> str:
        return f"spec.{'initContainers' if self.record.init else 'containers'}{{{self.record.name}}}"

    async def keep(self) -> int:
        """Runs the container as often as the restart policy says; the exit code of the last run."""
        if self.record.exit_code is not None:
            if not lifecycle.runs_again(self.pod.obj, self.record, self.record.exit_code):
                return self.record.exit_code
            self._attempts = self.record.restarts + 1
        while True:
            code = await self._once()
            self._attempts = self.record.restarts + 1
            if not lifecycle.runs_again(self.pod.obj, self.record, code):
                return code
            await self._pause()

    async def stop(self, *, message: str, grace_s: Callable[[], float], hurry: asyncio.Event | None = None) -> None:
        """Ends the present run: preStop hook, stop signal, SIGKILL when the grace is over.

        ``grace_s``: seconds that are left, asked again whenever ``hurry`` is set.
        """
        run = self.run
        if run is None or run.container.exit is not None or run.stopping:
            return
        run.stopping = True
        self.event("Killing", message)
        hook = (run.spec.get("lifecycle") or {}).get("preStop")
        if hook and grace_s() > 0:
            await self._within(self._pre_stop(run, hook), grace_s, hurry)
        # A hook that took all of the grace leaves 2 s for an orderly end (pkg/kubelet/kuberuntime).
        if grace_s() > 0 or hook:
            run.container.interrupt()
            least_s = 2.0 if hook and grace_s() <= 0 else 0.0
            await self._within(run.container.wait(), lambda: max(grace_s(), least_s), hurry if not least_s else None)
        run.container.kill()
        await run.container.wait()

    def stop_later(self, message: str, *, grace_s: float) -> None:
        """Ends the present run in the background; what comes then is up to the restart policy."""
        loop = asyncio.get_running_loop()
        until = loop.time() + grace_s
        task = loop.create_task(self.stop(message=message, grace_s=lambda: until - loop.time()))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Ends what is done in the background."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def ended(self, run: Run, exit_: Exit) -> None:
        """Puts the end of a run into the record."""
        if not self.record.container_id.endswith(run.container.id):
            self._now_running(run)
        elif self.record.exit_code is not None:
            return
        self.record.terminated(
            code=exit_.code,
            reason="Completed" if exit_.code == 0 else "Error",
            message=_message(run, exit_),
            started=run.container.started_at,
            finished=exit_.at,
        )
        self.pod.around.mirror.changed()
        self.pod.changed()

    async def _once(self) -> int:
        """One run to its end."""
        pulled = await obtaining.image(self)
        try:
            prepared = await self._prepared(pulled)
        except spawning.NotStarted as error:
            return self._not_started(str(error))
        for kind, name, keys in prepared.skipped:
            where = f"{kind} {objects.namespace(self.pod.obj)}/{name}"
            self.event(
                "InvalidEnvironmentVariableNames",
                f"Keys [{', '.join(keys)}] from the EnvFrom {where} were skipped since they are considered invalid "
                "environment variable names.",
                kind="Warning",
                field_path="",
            )
        run = Run(Container(prepared.recipe), prepared, self.spec, self.spec.get("image", ""))
        self.event("Created", "Container created")
        try:
            async with self.pod.around.starts:
                await run.container.start()
        except (spawning.NotStarted, OSError) as error:
            return self._not_started(str(error), run.container.id)
        self._tell_start(run)
        try:
            return await self._observe(run)
        finally:
            if run.container.exit is not None:
                self.ended(run, run.container.exit)

    async def _prepared(self, pulled: pulling.Pulled) -> Prepared:
        """What to run, as soon as everything it names is there. Raises spawning.NotStarted."""
        while True:
            context = environment.Context(
                pod=self.pod.obj,
                ip=self.pod.ip,
                host_ip=self.pod.host_ip,
                allocatable=self.pod.around.allocatable,
                lookup=self.pod.lookup,
                services=self.pod.around.services_of(objects.namespace(self.pod.obj)),
                api=self.pod.around.api,
            )
            try:
                return recipes.prepare(
                    self.spec, pulled, context, self.pod.place, places=self.pod.places(), attempt=self._attempts
                )
            except (environment.Missing, volumes.NotMounted, OSError) as error:
                reason = "CreateContainerError" if isinstance(error, OSError) else "CreateContainerConfigError"
                self.wait(reason, str(error))
                self.event("Failed", f"Error: {error}", kind="Warning")
                await self.pod.sources_changed(CONFIG_RETRY_S)

    def _tell_start(self, run: Run) -> None:
        self.run = run
        self.event("Started", "Container started")
        self._forget_attempts()
        self.pod.around.mirror.changed()
        if "postStart" not in (run.spec.get("lifecycle") or {}):
            self._now_running(run)
        for port in run.spec.get("ports") or []:
            number = port["containerPort"]
            if self.pod.ip and ports.reachable(number) != number:
                self.event(
                    "PortMapped",
                    f"Port {number} is found at {self.pod.ip}:{ports.reachable(number)}, because this user may not "
                    f"listen below {ports.lowest_free()}",
                )

    def _now_running(self, run: Run) -> None:
        self.record.restarts = self._attempts
        self.record.running(run.container.id, run.container.started_at)
        self.pod.changed()

    async def _observe(self, run: Run) -> int:
        """From the start to the end: postStart, probes."""
        ended = asyncio.create_task(run.container.wait())
        watching = asyncio.create_task(self._watch(run))
        try:
            exit_ = await asyncio.shield(ended)
        finally:
            watching.cancel()
            ended.cancel()
            await asyncio.gather(watching, ended, return_exceptions=True)
        self.ended(run, exit_)
        return exit_.code

    async def _watch(self, run: Run) -> None:
        hook = (run.spec.get("lifecycle") or {}).get("postStart")
        if hook:
            succeeded = await self._post_start(run, hook)
            self._now_running(run)
            if not succeeded:
                return

        async def ask(probe: Obj, timeout_s: float) -> probes.Answer:
            ip = self.pod.ip or self.pod.host_ip
            return await hooks.probe(probe, run.spec, run.prepared, run.container.env, ip=ip, timeout_s=timeout_s)

        told = probes.Told(
            changed=lambda kind, result: self._probed(run, kind, result),
            unhealthy=self._unhealthy,
        )
        await probes.watch(run.spec, ask, told)

    def _probed(self, run: Run, kind: probes.Kind, result: bool) -> None:
        if run.container.exit is not None:
            return
        if kind == "readiness":
            self.record.ready = result
        elif kind == "startup" and result:
            self.record.started = True
            self.started.set()
        elif not result:
            probe = run.spec.get(f"{kind}Probe") or {}
            grace_s = float(probe.get("terminationGracePeriodSeconds") or lifecycle.grace_s(self.pod.obj))
            self.stop_later(f"Container {self.record.name} failed {kind} probe, will be restarted", grace_s=grace_s)
        self.pod.changed()

    def _unhealthy(self, kind: probes.Kind, answer: probes.Answer) -> None:
        verb = "errored" if answer.error else "failed"
        self.event("Unhealthy", f"{kind.capitalize()} probe {verb}: {answer.output}", kind="Warning")

    async def _post_start(self, run: Run, hook: Obj) -> bool:
        """The container counts as running only after its hook; a hook that fails ends it."""
        ip = self.pod.ip or self.pod.host_ip
        try:
            await hooks.hook(hook, run.spec, run.prepared, run.container.env, ip=ip, timeout_s=hooks.HOOK_S)
        except hooks.Failed as error:
            log.info("postStart hook of %s: %s", run.prepared.recipe.name, error)
            self.event("FailedPostStartHook", "PostStartHook failed", kind="Warning")
            self.stop_later("FailedPostStartHook", grace_s=lifecycle.grace_s(self.pod.obj))
            return False
        return True

    async def _pre_stop(self, run: Run, hook: Obj) -> None:
        ip = self.pod.ip or self.pod.host_ip
        try:
            await hooks.hook(hook, run.spec, run.prepared, run.container.env, ip=ip, timeout_s=hooks.HOOK_S)
        except hooks.Failed as error:
            log.info("preStop hook of %s: %s", run.prepared.recipe.name, error)
            self.event("FailedPreStopHook", "PreStopHook failed", kind="Warning")

    async def _within(
        self, work: Coroutine[Any, Any, object], left_s: Callable[[], float], hurry: asyncio.Event | None
    ) -> None:
        """Waits for ``work`` as long as time is left, which may become less meanwhile."""
        task = asyncio.create_task(work)
        try:
            while not task.done() and left_s() > 0:
                hurried = asyncio.create_task(hurry.wait()) if hurry else None
                waited = {task, hurried} if hurried else {task}
                await asyncio.wait(waited, timeout=left_s(), return_when=asyncio.FIRST_COMPLETED)
                if hurried is not None:
                    hurried.cancel()
                    if hurry is not None:
                        hurry.clear()
        finally:
            if not task.done():
                task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def _not_started(self, message: str, container_id: str = "") -> int:
        """The command could not be run at all: exit code 128, as with a real runtime."""
        self.event("Failed", f"Error: {message}", kind="Warning")
        self.record.restarts = self._attempts
        if container_id:
            self.record.running(container_id, datetime.now(UTC))
        self.record.terminated(code=128, reason="StartError", message=message, finished=datetime.now(UTC))
        if lifecycle.runs_again(self.pod.obj, self.record, 128):
            self.record.waiting("RunContainerError", message)
        self.pod.changed()
        return 128

    async def _pause(self) -> None:
        """Waits before the next run; the first time not at all."""
        loop = asyncio.get_running_loop()
        pause_s = self.back_off.failed("run", loop.time())
        if pause_s <= 0:
            return
        await self.pod.written()
        obj = self.pod.obj
        pod = f"{objects.name(obj)}_{objects.namespace(obj)}({objects.uid(obj)})"
        name = self.record.name
        self.event("BackOff", f"Back-off restarting failed container {name} in pod {pod}", kind="Warning")
        self.wait(
            "CrashLoopBackOff",
            f"back-off {crash_loop.shown(pause_s)} restarting failed container={name} pod={pod}",
        )
        await asyncio.sleep(pause_s)

    def wait(self, reason: str, message: str = "") -> None:
        """The container is waiting, for that reason."""
        self.record.waiting(reason, message)
        self.pod.changed()

    def event(
        self, reason: str, message: str, *, kind: Literal["Normal", "Warning"] = "Normal", field_path: str | None = None
    ) -> None:
        """Records an event about the container."""
        self.pod.around.events.record(
            self.pod.obj,
            reason=reason,
            message=message,
            kind=kind,
            field_path=self.field_path if field_path is None else field_path,
        )

    def _forget_attempts(self) -> None:
        """Older runs leave neither files nor logs, but for the one before this."""
        old = self._attempts - ATTEMPTS_KEPT
        if old >= 0:
            recipes.remove(self.pod.place.attempt(self.record.name, old))
            log_ = self.pod.place.log(self.record.name, old)
            log_.unlink(missing_ok=True)
            log_.with_name(log_.name + ".1").unlink(missing_ok=True)


def _message(run: Run, exit_: Exit) -> str:
    """The termination message ("Customizing the termination message"), its last 4096 bytes."""
    try:
        with run.prepared.message.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - MESSAGE_MAX))
            text = file.read(MESSAGE_MAX).decode(errors="replace")
    except OSError:
        text = ""
    if not text and exit_.code and run.spec.get("terminationMessagePolicy") == "FallbackToLogsOnError":
        text = logs.tail_of(run.prepared.recipe.log, lines=FALLBACK_LINES, limit=FALLBACK_BYTES)
    return text
