"""Jobs: pods that run until enough of them have ended with success.

Documentation: "Jobs" - "Parallel execution", "Completion mode", "Handling Pod and container failures", "Job termination
and cleanup", "Suspending a Job", "Pod replacement policy" - and "Automatic Cleanup for Finished Jobs". A Job that has
reached its end says so twice: SuccessCriteriaMet or FailureTarget at once, Complete or Failed once no pod runs.
Source of reasons, messages and the order of checks: pkg/controller/job.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from litmus.sandbox.machinery import conditions, objects, status
from litmus.sandbox.machinery.cluster import Cluster
from litmus.sandbox.machinery.objects import Key, Obj

from . import job_failures, job_indexes, job_pods, owners, pods
from .job_failures import Streak

RESOURCE = "jobs.batch"
MANAGER = "kubernetes.io/job-controller"
BURST = 500
_ENDS = {"SuccessCriteriaMet": "Complete", "FailureTarget": "Failed"}


@dataclass(frozen=True, slots=True)
class _Verdict:
    """How a Job ends: the type of the condition that says so first, and why."""

    type: str
    reason: str
    message: str

    @property
    def failed(self) -> bool:
        return self.type == "FailureTarget"


COMPLETED = _Verdict("SuccessCriteriaMet", "CompletionsReached", "Reached expected number of succeeded pods")
EXHAUSTED = _Verdict("FailureTarget", "BackoffLimitExceeded", "Job has reached the specified backoff limit")
OVERDUE = _Verdict("FailureTarget", "DeadlineExceeded", "Job was active longer than specified deadline")


@dataclass(slots=True)
class _Work:
    """One reconcile. ``job`` is a private copy whose status is written in the end."""

    job: Obj
    pods: list[Obj]
    succeeded: int = 0
    failed: int = 0
    completed: set[int] = field(default_factory=set)
    refusal: status.Refusal | None = None

    @property
    def active(self) -> list[Obj]:
        return [pod for pod in self.pods if pods.is_active(pod)]

    @property
    def terminating(self) -> list[Obj]:
        return [pod for pod in self.pods if pods.is_terminating(pod)]

    @property
    def suspended(self) -> bool:
        return bool(self.job["spec"].get("suspend"))

    @property
    def listed(self) -> list[Obj]:
        found: list[Obj] = self.job["status"].get("conditions") or []
        return found


class Jobs:
    """Keeps Jobs."""

    name = "job-controller"

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._streaks: dict[str, Streak] = {}  # by uid; what is forgotten in a restart only shortens a pause
        concerned = owners.concerned(cluster, RESOURCE, kind="Job", selector=owners.by_selector)

        def of_pod(pod: Obj) -> Iterable[Key]:
            yield from concerned(pod)
            if job_pods.is_tracked(pod) and objects.controller_of(pod) is None:
                yield Key(objects.namespace(pod), "")  # no Job will ever count it

        self.watches: Mapping[str, Callable[[Obj], Iterable[Key]]] = {RESOURCE: owners.itself, "pods": of_pod}

    def reconcile(self, key: Key) -> float | None:
        """Counts what has ended, starts or ends pods, and writes the status."""
        stored = self._cluster.get(RESOURCE, key.name, key.namespace) if key.name else None
        if stored is None:
            self._let_go_of_strangers(key.namespace)
            return None
        if stored["spec"].get("managedBy", MANAGER) != MANAGER:
            return None
        job = objects.copy(stored)
        job.setdefault("status", {})
        found = owners.claim(self._cluster, job, "pods", job["spec"]["selector"], adopted=_track)
        work = _Work(job, found)
        ended = _end(job)
        if ended is not None:
            self._streaks.pop(objects.uid(job), None)
            self._let_go(work, found)
            return self._expire(job, ended)
        return self._work(work, stored)

    def _work(self, work: _Work, stored: Obj) -> float | None:
        if not work.job["status"].get("startTime") and not work.suspended:
            work.job["status"]["startTime"] = objects.timestamp(self._cluster.now())
        policy = self._count(work)
        verdict = self._verdict(work, policy)
        wait_s = self._deadline_s(work)
        if verdict is None and not objects.leaving(work.job):
            pause_s = self._manage(work)
            wait_s = min((one for one in (wait_s, pause_s) if one is not None), default=None)
            verdict = self._completion(work)
            if verdict is None:
                self._note_suspension(work)
        if verdict is not None:
            self._finish(work, verdict)
            wait_s = None
        self._write_status(work, stored)
        if work.refusal is not None and not pods.namespace_is_going(work.refusal):
            raise work.refusal
        return wait_s

    # Counting

    def _count(self, work: _Work) -> str:
        """Counts the pods that have ended since; returns why the pod failure policy fails the Job, or ''."""
        before, now = work.job["status"], self._cluster.now()
        work.succeeded, work.failed = before.get("succeeded", 0), before.get("failed", 0)
        work.completed = job_indexes.parse(before.get("completedIndexes", ""))
        over = [pod for pod in work.pods if pods.phase(pod) == "Succeeded" or job_pods.has_failed(work.job, pod)]
        rulings = {objects.uid(pod): job_failures.rule(work.job, pod) for pod in over}
        counted = self._let_go(work, [pod for pod in over if job_pods.is_tracked(pod)])
        ends = []
        for pod in counted:
            success = pods.phase(pod) == "Succeeded"
            if success:
                self._count_success(work, pod)
            elif rulings[objects.uid(pod)].action != "Ignore":
                work.failed += 1
            else:
                continue
            ends.append((job_pods.ended_at(pod, now), success))
        uid = objects.uid(work.job)
        self._streaks[uid] = self._streaks.get(uid, Streak()).after(ends)
        return next((ruling.message for ruling in rulings.values() if ruling.action == "FailJob"), "")

    def _count_success(self, work: _Work, pod: Obj) -> None:
        if not job_pods.is_indexed(work.job):
            work.succeeded += 1
            return
        number = job_pods.index(pod)
        if number is not None and number < work.job["spec"].get("completions", 0):
            work.completed.add(number)
        work.succeeded = len(work.completed)

    def _let_go(self, work: _Work, found: Iterable[Obj]) -> list[Obj]:
        """Takes the finalizer off; returns those that had it and have it no longer."""
        counted = []
        for pod in found:
            if not job_pods.is_tracked(pod):
                continue
            try:
                freed = self._cluster.update("pods", job_pods.untracked(pod))
            except status.Refusal as refusal:
                if refusal.code != 404:
                    work.refusal = refusal
                    continue
                freed = pod
            work.pods = [freed if objects.uid(one) == objects.uid(pod) else one for one in work.pods]
            counted.append(pod)
        return counted

    def _let_go_of_strangers(self, namespace: str) -> None:
        """Pods that wait to be counted by a Job that is not there."""
        jobs = {objects.uid(job) for job in self._cluster.list(RESOURCE, namespace)}
        for pod in self._cluster.list("pods", namespace):
            if job_pods.is_tracked(pod) and (objects.controller_of(pod) or {}).get("uid") not in jobs:
                self._cluster.update("pods", job_pods.untracked(pod))

    # Whether it is over

    def _verdict(self, work: _Work, policy: str) -> _Verdict | None:
        for type_ in _ENDS:
            said = conditions.named(work.listed, type_)
            if said is not None and said["status"] == "True":
                return _Verdict(type_, said.get("reason", ""), said.get("message", ""))
        if policy:
            return _Verdict("FailureTarget", "PodFailurePolicy", policy)
        if work.failed > job_failures.backoff_limit(work.job) or job_failures.restarts_exceed(work.job, work.active):
            return EXHAUSTED
        if self._deadline_s(work) == 0.0:
            return OVERDUE
        return None

    def _deadline_s(self, work: _Work) -> float | None:
        """Seconds until ``activeDeadlineSeconds`` are over."""
        limit_s, started = work.job["spec"].get("activeDeadlineSeconds"), work.job["status"].get("startTime")
        if limit_s is None or not started or work.suspended:
            return None
        over = objects.moment(started) + objects.span(limit_s)
        return max(0.0, (over - self._cluster.now()).total_seconds())

    def _completion(self, work: _Work) -> _Verdict | None:
        wanted = work.job["spec"].get("completions")
        enough = work.succeeded > 0 if wanted is None else work.succeeded >= wanted
        return COMPLETED if enough and not work.active else None

    def _finish(self, work: _Work, verdict: _Verdict) -> None:
        """Ends the pods that still run; once none does, the Job is Complete or Failed."""
        for pod in work.active:
            self._delete(work, pod)
        self._look_again(work)
        left = self._let_go(work, work.pods)
        if verdict.failed:
            work.failed += len(left)
        self._look_again(work)
        self._say(work, verdict.type, verdict.reason, verdict.message)
        if work.active or work.terminating:
            return
        self._say(work, _ENDS[verdict.type], verdict.reason, verdict.message)
        if verdict.failed:
            self._tell(work, verdict.reason, verdict.message, kind="Warning")
        else:
            work.job["status"]["completionTime"] = objects.timestamp(self._cluster.now())
            self._tell(work, "Completed", "Job completed")

    def _expire(self, job: Obj, ended: Obj) -> float | None:
        """``ttlSecondsAfterFinished``."""
        ttl_s = job["spec"].get("ttlSecondsAfterFinished")
        if ttl_s is None or objects.leaving(job):
            return None
        over = objects.moment(ended["lastTransitionTime"]) + objects.span(ttl_s)
        left_s = (over - self._cluster.now()).total_seconds()
        if left_s > 0:
            return left_s
        namespace, name = objects.key(job)
        self._cluster.delete(RESOURCE, name, namespace, uid=objects.uid(job), propagation="Foreground")
        return None

    # Pods

    def _manage(self, work: _Work) -> float | None:
        """Brings the running pods to the number that may run at once; returns the seconds of a pause before retries."""
        if work.suspended:
            for pod in work.active:
                self._delete(work, pod)
            self._look_again(work)
            return None
        for pod in self._surplus(work):
            self._delete(work, pod)
        self._look_again(work)
        missing = self._wanted(work) - len(work.active)
        if job_pods.replaces_failed_only(work.job):
            missing -= len(work.terminating)
        if missing <= 0:
            return None
        pause_s = self._streaks.get(objects.uid(work.job), Streak()).pause_s(self._cluster.now())
        if pause_s > 0:
            return pause_s
        self._start(work, min(missing, BURST))
        return None

    def _wanted(self, work: _Work) -> int:
        given: int | None = work.job["spec"].get("parallelism")
        parallelism = 1 if given is None else given
        completions: int | None = work.job["spec"].get("completions")
        if completions is None:
            return len(work.active) if work.succeeded else parallelism
        return max(0, min(parallelism, completions - work.succeeded))

    def _surplus(self, work: _Work) -> list[Obj]:
        """Running pods that are one too many: a second one of an index, an index beyond the end, or simply the rest."""
        doomed: list[Obj] = []
        if job_pods.is_indexed(work.job):
            seen = set(work.completed)
            for pod in work.active:
                number = job_pods.index(pod)
                if number is None or number in seen or number >= work.job["spec"].get("completions", 0):
                    doomed.append(pod)
                else:
                    seen.add(number)
        rest = [pod for pod in work.active if pod not in doomed]
        more = len(rest) - self._wanted(work)
        if more > 0:
            doomed += pods.first_to_go(rest, rest, self._cluster.now())[:more]
        return doomed

    def _start(self, work: _Work, count: int) -> None:
        numbers: Sequence[int | None] = [None] * count
        if job_pods.is_indexed(work.job):
            taken = work.completed | {job_pods.index(pod) for pod in work.active}
            if job_pods.replaces_failed_only(work.job):
                taken |= {job_pods.index(pod) for pod in work.terminating}
            numbers = [number for number in range(work.job["spec"]["completions"]) if number not in taken][:count]
        for number in numbers:
            made = job_pods.make(work.job, number)
            try:
                work.pods.append(pods.create(self._cluster, work.job, made, component=self.name))
            except status.Refusal as refusal:
                work.refusal = refusal
                return

    def _delete(self, work: _Work, pod: Obj) -> None:
        try:
            pods.delete(self._cluster, work.job, pod, component=self.name)
        except status.Refusal as refusal:
            work.refusal = refusal

    def _look_again(self, work: _Work) -> None:
        work.pods = owners.owned(self._cluster, work.job, "pods")

    # What to say

    def _note_suspension(self, work: _Work) -> None:
        said = conditions.is_true(work.listed, "Suspended")
        if work.suspended and not said:
            self._say(work, "Suspended", "JobSuspended", "Job suspended")
            self._tell(work, "Suspended", "Job suspended")
        elif said and not work.suspended:
            self._say(work, "Suspended", "JobResumed", "Job resumed", value="False")
            self._tell(work, "Resumed", "Job resumed")
            work.job["status"]["startTime"] = objects.timestamp(self._cluster.now())

    def _say(self, work: _Work, type_: str, reason: str, message: str, *, value: str = "True") -> None:
        stamp = objects.timestamp(self._cluster.now())
        said = {
            "type": type_,
            "status": value,
            "lastProbeTime": stamp,
            "lastTransitionTime": stamp,
            "reason": reason,
            "message": message,
        }
        work.job["status"]["conditions"] = conditions.merged(work.listed, said)

    def _tell(self, work: _Work, reason: str, message: str, *, kind: str = "Normal") -> None:
        self._cluster.event(work.job, reason=reason, message=message, component=self.name, kind=kind)

    def _write_status(self, work: _Work, stored: Obj) -> None:
        before = work.job["status"]
        kept = {name: before[name] for name in ("startTime", "completionTime", "conditions") if name in before}
        counts = {"active": len(work.active), "succeeded": work.succeeded, "failed": work.failed}
        if job_pods.is_indexed(work.job) and work.completed:
            kept["completedIndexes"] = job_indexes.text(work.completed)
        work.job["status"] = {
            **kept,
            **{name: count for name, count in counts.items() if count},
            "ready": sum(map(pods.is_ready, work.active)),
            "terminating": len(work.terminating),
            "uncountedTerminatedPods": {},
        }
        if work.job != stored:
            self._cluster.update_status(RESOURCE, work.job)


def _end(job: Obj) -> Obj | None:
    """The condition that says that the Job is over, if it is."""
    listed = job["status"].get("conditions")
    found = [said for type_ in _ENDS.values() if (said := conditions.named(listed, type_)) and said["status"] == "True"]
    return found[0] if found else None


def _track(pod: Obj) -> None:
    if not pods.is_over(pod):
        pod["metadata"].setdefault("finalizers", []).append(job_pods.FINALIZER)
