"""CronJobs: Jobs on a repeating schedule.

Documentation: "CronJob" - "Schedule syntax", "Deadline for delayed Job start", "Concurrency policy", "Schedule
suspension", "Jobs history limits" and "CronJob limitations". A Job is named for the minute that it is due, so that none
is ever made twice. Source of events and the order of steps: pkg/controller/cronjob/cronjob_controllerv2.go.
"""

import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from litmus.sandbox.machinery import conditions, objects, status
from litmus.sandbox.machinery.cluster import Cluster
from litmus.sandbox.machinery.objects import Key, Obj

from . import owners, pods, schedules

RESOURCE = "cronjobs.batch"
JOBS = "jobs.batch"
SCHEDULED_AT = "batch.kubernetes.io/cronjob-scheduled-timestamp"
_A_BIT_LATER_S = 0.1
MISSED_MOST = 100
"""More missed start times than that are worth a warning."""
_TOO_MANY = (
    "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew or"
    " .spec.schedule configuration"
)


@dataclass(slots=True)
class _Work:
    """One reconcile. ``cron_job`` is a private copy whose status is written in the end."""

    cron_job: Obj
    jobs: list[Obj]
    now: datetime

    @property
    def active(self) -> list[Obj]:
        found: list[Obj] = self.cron_job["status"].get("active") or []
        return found

    @property
    def spec(self) -> Obj:
        found: Obj = self.cron_job["spec"]
        return found


class CronJobs:
    """Keeps CronJobs."""

    name = "cronjob-controller"

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.watches: Mapping[str, Callable[[Obj], Iterable[Key]]] = {RESOURCE: owners.itself, JOBS: _owner}

    def reconcile(self, key: Key) -> float | None:
        """Looks after the Jobs that are there, makes the one that is due, and says when the next one is."""
        stored = self._cluster.get(RESOURCE, key.name, key.namespace)
        if stored is None:
            return None
        cron_job = objects.copy(stored)
        cron_job.setdefault("status", {})
        work = _Work(cron_job, owners.owned(self._cluster, cron_job, JOBS), self._cluster.now())
        self._follow(work)
        self._forget(work)
        try:
            return self._schedule(work)
        finally:
            if not work.active:
                cron_job["status"].pop("active", None)
            if cron_job != stored:
                self._cluster.update_status(RESOURCE, cron_job)

    # The Jobs that are there

    def _follow(self, work: _Work) -> None:
        """Keeps ``status.active`` and ``lastSuccessfulTime``."""
        here = {objects.uid(job): job for job in work.jobs}
        for job in work.jobs:
            listed, ended = objects.uid(job) in _uids(work.active), end(job)
            if listed and ended:
                self._drop(work, objects.uid(job))
                message = f"Saw completed job: {objects.name(job)}, condition: {ended}"
                self._tell(work, "SawCompletedJob", message)
            elif not listed and not ended:
                message = f"Saw a job that the controller did not create or forgot: {objects.name(job)}"
                self._tell(work, "UnexpectedJob", message, kind="Warning")
            if ended == "Complete":
                self._note_success(work, job)
        for entry in list(work.active):
            if entry["uid"] not in here:
                self._drop(work, entry["uid"])
                self._tell(work, "MissingJob", f"Active job went missing: {entry['name']}")

    def _note_success(self, work: _Work, job: Obj) -> None:
        at = job["status"].get("completionTime")
        known = work.cron_job["status"].get("lastSuccessfulTime")
        if at and (not known or objects.moment(at) > objects.moment(known)):
            work.cron_job["status"]["lastSuccessfulTime"] = at

    def _forget(self, work: _Work) -> None:
        """The history limits."""
        if objects.leaving(work.cron_job):
            return
        for ended, field, default in (
            ("Complete", "successfulJobsHistoryLimit", 3),
            ("Failed", "failedJobsHistoryLimit", 1),
        ):
            limit = work.spec.get(field, default)
            found = sorted((job for job in work.jobs if end(job) == ended), key=_started)
            for job in found[: max(0, len(found) - limit)]:
                self._delete(work, job)

    # The Job that is due

    def _schedule(self, work: _Work) -> float | None:
        if objects.leaving(work.cron_job) or work.spec.get("suspend"):
            return None
        try:
            schedule = schedules.parse(work.spec["schedule"], work.spec.get("timeZone") or "")
        except schedules.UnknownZone as error:
            message = f'invalid timeZone: "{work.spec.get("timeZone") or work.spec["schedule"]}": {error}'
            self._tell(work, "UnknownTimeZone", message, kind="Warning")
            return None
        except schedules.Malformed as error:
            message = f'unparseable schedule: "{work.spec["schedule"]}" : {error}'
            self._tell(work, "UnparseableSchedule", message, kind="Warning")
            return None
        due = self._due(work, schedule)
        if due is not None and self._may_start(work, due):
            self._start(work, due)
        following = schedule.after(work.now)
        return None if following is None else (following - work.now).total_seconds() + _A_BIT_LATER_S

    def _due(self, work: _Work, schedule: schedules.Schedule) -> datetime | None:
        """The latest time that has passed without a Job; those before it are given up."""
        last = work.cron_job["status"].get("lastScheduleTime")
        earliest = objects.moment(last or objects.meta(work.cron_job)["creationTimestamp"])
        deadline_s = work.spec.get("startingDeadlineSeconds")
        if deadline_s is not None:
            earliest = max(earliest, work.now - objects.span(deadline_s))
        missed = list(itertools.islice(schedule.between(earliest, work.now), MISSED_MOST + 1))
        if len(missed) <= MISSED_MOST:
            return missed[-1] if missed else None
        self._tell(work, "TooManyMissedTimes", _TOO_MANY, kind="Warning")
        return schedule.last(missed[-1], work.now) or missed[-1]

    def _may_start(self, work: _Work, due: datetime) -> bool:
        policy = work.spec.get("concurrencyPolicy", "Allow")
        if self._cluster.get(JOBS, _job_name(work.cron_job, due), objects.namespace(work.cron_job)) is not None:
            return False
        deadline_s = work.spec.get("startingDeadlineSeconds")
        if deadline_s is not None and due + objects.span(deadline_s) < work.now:
            message = f"Missed scheduled time to start a job: {due:%a, %d %b %Y %H:%M:%S %z}"
            self._tell(work, "MissSchedule", message, kind="Warning")
            return False
        if policy == "Forbid" and work.active:
            message = "Not starting job because prior execution is running and concurrency policy is Forbid"
            self._tell(work, "JobAlreadyActive", message)
            return False
        if policy == "Replace":
            for job in [job for job in work.jobs if objects.uid(job) in _uids(work.active)]:
                self._delete(work, job)
        return True

    def _start(self, work: _Work, due: datetime) -> None:
        try:
            job = self._cluster.create(JOBS, _job(work.cron_job, due))
        except status.Refusal as refusal:
            if pods.namespace_is_going(refusal):
                return
            self._tell(work, "FailedCreate", f"Error creating job: {refusal.message}", kind="Warning")
            raise
        self._tell(work, "SuccessfulCreate", f"Created job {objects.name(job)}")
        entry = {
            "kind": "Job",
            "namespace": objects.namespace(job),
            "name": objects.name(job),
            "uid": objects.uid(job),
            "apiVersion": job["apiVersion"],
            "resourceVersion": objects.meta(job)["resourceVersion"],
        }
        work.cron_job["status"]["active"] = [*work.active, entry]
        work.cron_job["status"]["lastScheduleTime"] = objects.timestamp(due)

    def _delete(self, work: _Work, job: Obj) -> None:
        namespace, name = objects.key(job)
        self._cluster.delete(JOBS, name, namespace, uid=objects.uid(job))
        self._drop(work, objects.uid(job))
        work.jobs = [one for one in work.jobs if objects.uid(one) != objects.uid(job)]
        self._tell(work, "SuccessfulDelete", f"Deleted job {name}")

    def _drop(self, work: _Work, uid: str) -> None:
        work.cron_job["status"]["active"] = [entry for entry in work.active if entry["uid"] != uid]

    def _tell(self, work: _Work, reason: str, message: str, *, kind: str = "Normal") -> None:
        self._cluster.event(work.cron_job, reason=reason, message=message, component=self.name, kind=kind)


def end(job: Obj) -> str:
    """How a Job is over: Complete, Failed, or ''."""
    listed = job.get("status", {}).get("conditions")
    return next((type_ for type_ in ("Complete", "Failed") if conditions.is_true(listed, type_)), "")


def _owner(job: Obj) -> Iterable[Key]:
    owner = objects.controller_of(job)
    if owner is not None and owner["kind"] == "CronJob":
        yield Key(objects.namespace(job), owner["name"])


def _uids(active: Iterable[Obj]) -> set[str]:
    return {entry["uid"] for entry in active}


def _started(job: Obj) -> tuple[str, str]:
    return job.get("status", {}).get("startTime", ""), objects.name(job)


def _job_name(cron_job: Obj, due: datetime) -> str:
    return f"{objects.name(cron_job)}-{int(due.timestamp()) // 60}"


def _job(cron_job: Obj, due: datetime) -> Obj:
    template = cron_job["spec"]["jobTemplate"]
    meta = template.get("metadata") or {}
    annotations = {**(meta.get("annotations") or {}), SCHEDULED_AT: due.isoformat().replace("+00:00", "Z")}
    made: Obj = {
        "metadata": {
            "name": _job_name(cron_job, due),
            "namespace": objects.namespace(cron_job),
            "annotations": annotations,
            "ownerReferences": [owners.reference(cron_job)],
        },
        "spec": objects.copy(template["spec"]),
    }
    if meta.get("labels"):
        made["metadata"]["labels"] = dict(meta["labels"])
    return made
