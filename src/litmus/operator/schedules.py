"""Creates the engines of a ChaosSchedule when their time has come, and accounts for those that did not.

Level-triggered like an engine's reconciliation. What is remembered stands in the status: ``expectedNextRunTime`` is the
first time that is not dealt with yet. An engine's name follows from its schedule and its time, so that an operator that
died between the creation and the status finds the engine and does not start a second one.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from litmus import api
from litmus.api import names
from litmus.api.meta import present
from litmus.api.schedule import EngineReference, ScheduleProgress, ScheduleStatus
from litmus.kube import Cluster, clock, errors, events, kinds

from . import progress as memory
from . import timetable
from .decide import Action
from .keeper import Pause
from .rules import Rules
from .times import START_WITHIN, Times

log = logging.getLogger(__name__)

# Looked at this often whatever the time of the next engine: a clock may be set, a watch may lose an event.
_LOOK_AGAIN_S = 30.0
# While an engine is waited for, or could not be created.
_SOON_S = 5.0

Running = Sequence[api.ChaosEngine]


class Reconciler:
    """One schedule, told by its namespace and name."""

    def __init__(self, cluster: Cluster, poster: events.Poster, *, namespace: str, name: str, rules: Rules) -> None:
        self.cluster = cluster
        self.events = poster
        self.namespace = namespace
        self.name = name
        self.rules = rules

    async def reconcile(self) -> Action | Pause:
        """Does what is due, and says when to look again; IDLE when only a change of the schedule brings more to do."""
        schedule = await self.cluster.find(kinds.SCHEDULE, self.name, namespace=self.namespace)
        if schedule is None or schedule.metadata.deletion_timestamp:
            return Action.IDLE  # its engines go with it, and are stopped by that
        engines = await self._engines(schedule)
        running = [engine for engine in engines if engine.unfinished]
        schedule = await self._account(schedule, engines, running)
        match schedule.spec.schedule_state:
            case "active":
                return await self._active(schedule, engines, running)
            case "stop":
                await self._stop(running)
                await self._rest(schedule, "stopped", "ScheduleStopped", "Its engines are stopped, and none is started")
            case "halt":
                await self._rest(schedule, "halted", "ScheduleHalted", "No engine is started until it is active again")
            case "complete":
                await self._rest(schedule, "completed", "ScheduleCompleted", "No engine is started any more")
        return Pause(_LOOK_AGAIN_S) if running else Action.IDLE

    async def _active(self, schedule: api.ChaosSchedule, engines: Running, running: Running) -> Action | Pause:
        progress = schedule.status.schedule
        created = clock.parse(schedule.metadata.creation_timestamp or clock.stamp(clock.now()))
        try:
            times = timetable.read(schedule.spec.schedule, created=created, uid=schedule.metadata.uid)
        except timetable.Mistake as mistake:
            await self._refuse(schedule, str(mistake))
            return Pause(_LOOK_AGAIN_S) if running else Action.IDLE
        now, print_ = clock.now(), memory.fingerprint(schedule)
        waits_for = memory.first_open(progress, times, created=created, now=now, print_=print_)
        if waits_for is None:
            if running:
                return Pause(_LOOK_AGAIN_S)
            await self._complete(schedule)
            return Action.IDLE
        due, number = times.due(waits_for, now)
        if due is None:
            upcoming = waits_for if waits_for > now else times.after(now)
            await self._write(schedule, memory.expecting(progress, upcoming, print_=print_))
            return Pause(_until(upcoming, now)) if upcoming else Pause(0)
        pause = await self._meet(schedule, times, due, engines, running)
        if pause:
            return pause
        if number > 1:
            await self._missed(schedule, f"{number - 1} earlier times since {clock.stamp(waits_for)} were missed")
        upcoming = times.after(now)
        return Pause(_until(upcoming, now)) if upcoming else Pause(0 if not running else _LOOK_AGAIN_S)

    async def _meet(
        self, schedule: api.ChaosSchedule, times: Times, due: datetime, engines: Running, running: Running
    ) -> Pause | None:
        """Deals with the latest time that is due; a pause if it has to be looked at again."""
        now = clock.now()
        name = f"{self.name}-{due.timestamp():.0f}" if times.repeats else self.name
        late_s = (now - due).total_seconds()
        policy = schedule.spec.concurrency_policy
        there = any(engine.metadata.name == name for engine in engines)
        others = ", ".join(engine.metadata.name for engine in running)
        why = ""
        if there:
            log.info("the engine is there already", extra={"engine": f"{self.namespace}/{name}"})
        elif self.rules.stopped:
            why = self.rules.stopped.said
        elif timedelta(seconds=late_s) > START_WITHIN:
            why = f"nobody acted on it for {late_s:.0f} s, and it is made up for within {START_WITHIN.seconds} s only"
        elif running and policy == "Forbid":
            why = f"{others} still runs (concurrencyPolicy: Forbid)"
        elif running and policy == "Replace":
            await self._stop(running)
            return Pause(_SOON_S)
        elif failure := await self._create(schedule, name):
            await self.events.post(schedule, "FailedCreate", failure, warning=True)
            return Pause(_SOON_S)
        progress = memory.expecting(schedule.status.schedule, times.after(now), print_=memory.fingerprint(schedule))
        if why:
            await self._missed(schedule, f"The engine of {clock.stamp(due)} was not started: {why}")
            await self._write(schedule, progress)
            return None
        if not there:
            await self.events.post(schedule, "SuccessfulCreate", f"Created engine {name}")
        ran = (progress.run_instances or 0) + 1
        started = msgspec.structs.replace(
            progress, run_instances=ran, start_time=progress.start_time or clock.stamp(now)
        )
        await self._write(schedule, started, last=due, running=await self._running(schedule))
        return None

    async def _create(self, schedule: api.ChaosSchedule, name: str) -> str:
        """Creates an engine; why that failed, '' if it did not."""
        # As it was written: the engine keeps what this release does not know.
        raw = await self.cluster.get(kinds.raw(kinds.SCHEDULE), self.name, namespace=self.namespace)
        spec = present(raw["spec"]["engineTemplateSpec"]) | {"engineState": "active"}
        if not spec.get("chaosServiceAccount"):
            spec["chaosServiceAccount"] = schedule.spec.chaos_service_account
        meta = schedule.metadata
        owner = {"apiVersion": api.API_VERSION, "kind": schedule.kind, "name": meta.name, "uid": meta.uid}
        labels = {names.APP: "chaos-engine", names.CHAOS_UID: meta.uid, names.PART_OF: "litmus"}
        about = {"name": name, "labels": labels, "ownerReferences": [owner | {"controller": True}]}
        try:
            await self.cluster.create(kinds.ENGINE, {"metadata": about, "spec": spec}, namespace=self.namespace)
        except errors.Conflict:
            found = await self.cluster.find(kinds.ENGINE, name, namespace=self.namespace)
            if found and _of(found, schedule):
                return ""  # the answer to an earlier try was lost
            return f"there is another engine {name}, which is not of this schedule; delete it or rename the schedule"
        except (errors.Invalid, errors.Forbidden) as error:
            return f"{error}; mend spec.engineTemplateSpec, or the role of the operator (litmus install)"
        return ""

    async def _engines(self, schedule: api.ChaosSchedule) -> Running:
        labels = f"{names.CHAOS_UID}={schedule.metadata.uid}"
        found = await self.cluster.select(kinds.ENGINE, namespace=self.namespace, labels=labels)
        return [engine for engine in found if _of(engine, schedule)]

    async def _running(self, schedule: api.ChaosSchedule) -> Running:
        return [engine for engine in await self._engines(schedule) if engine.unfinished]

    async def _stop(self, running: Running) -> None:
        for engine in running:
            if engine.active:
                stop = {"spec": {"engineState": "stop"}}
                await self.cluster.patch(kinds.ENGINE, engine.metadata.name, stop, namespace=self.namespace)

    async def _account(self, schedule: api.ChaosSchedule, engines: Running, running: Running) -> api.ChaosSchedule:
        """Tells of engines that ended or vanished since the last look, and of those that run now."""
        there = {engine.metadata.uid: engine for engine in engines}
        going = {engine.metadata.uid for engine in running}
        ended = [reference for reference in schedule.status.active if reference.uid not in going]
        for reference in ended:
            if engine := there.get(reference.uid):
                how = engine.status.engine_status or "ended"
                await self.events.post(schedule, "SawCompletedEngine", f"Saw engine {reference.name}: {how}")
            else:
                gone = f"Engine {reference.name} is gone before it had ended"
                await self.events.post(schedule, "MissingEngine", gone, warning=True)
        return await self._write(schedule, schedule.status.schedule, running=running, completion=bool(ended))

    async def _rest(self, schedule: api.ChaosSchedule, word: str, reason: str, message: str) -> None:
        progress = schedule.status.schedule
        if progress.status == word:
            return
        end = clock.stamp() if word in ("completed", "stopped") else None
        rested = msgspec.structs.replace(
            progress, status=word, expected_next_run_time=None, end_time=end, message="", fingerprint=""
        )
        await self._write(schedule, rested)
        await self.events.post(schedule, reason, message)

    async def _complete(self, schedule: api.ChaosSchedule) -> None:
        """As the original: the state itself says that nothing more will come."""
        await self._rest(schedule, "completed", "ScheduleCompleted", "Every time of the schedule has passed")
        complete = {"spec": {"scheduleState": "complete"}}
        await self.cluster.patch(kinds.SCHEDULE, self.name, complete, namespace=self.namespace)

    async def _refuse(self, schedule: api.ChaosSchedule, sentence: str) -> None:
        progress = schedule.status.schedule
        if progress.message == sentence:
            return
        refused = ScheduleProgress(status="refused", message=sentence, run_instances=progress.run_instances)
        await self._write(schedule, refused)
        await self.events.post(schedule, "FailedNeedsStart", f"No engine is started: {sentence}", warning=True)

    async def _missed(self, schedule: api.ChaosSchedule, sentence: str) -> None:
        await self.events.post(schedule, "MissEngine", sentence, warning=True)

    async def _write(
        self,
        schedule: api.ChaosSchedule,
        progress: ScheduleProgress,
        *,
        last: datetime | None = None,
        running: Running | None = None,
        completion: bool = False,
    ) -> api.ChaosSchedule:
        """Writes the status where it differs."""

        def write(seen: api.ChaosSchedule) -> dict[str, Any] | None:
            if seen.metadata.uid != schedule.metadata.uid:
                raise errors.NotFound(f"schedule {self.name} is gone; another one has its name now")
            changed = ScheduleStatus(
                schedule=progress,
                active=seen.status.active if running is None else [_reference(engine) for engine in running],
                last_schedule_time=clock.stamp(last) if last else seen.status.last_schedule_time,
                last_schedule_completion_time=(
                    clock.stamp(clock.now()) if completion else seen.status.last_schedule_completion_time
                ),
            )
            return None if changed == seen.status else {"status": memory.written(changed)}

        return await self.cluster.update(kinds.SCHEDULE, self.name, write, namespace=self.namespace, seen=schedule)


def _until(moment: datetime, now: datetime) -> float:
    return min(max(0.0, (moment - now).total_seconds()), _LOOK_AGAIN_S)


def _of(engine: api.ChaosEngine, schedule: api.ChaosSchedule) -> bool:
    return any(owner.uid == schedule.metadata.uid for owner in engine.metadata.owner_references)


def _reference(engine: api.ChaosEngine) -> EngineReference:
    meta = engine.metadata
    return EngineReference(name=meta.name, namespace=meta.namespace, uid=meta.uid)
