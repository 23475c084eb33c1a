"""What failures of pods mean for a Job: the pause before a retry, the limit of retries, and the pod failure policy.

Documentation: "Jobs", "Pod backoff failure policy" (10 s, 20 s, 40 s … up to six minutes; with restartPolicy OnFailure
the restarts of containers count) and "Pod failure policy". Pure; source of the messages: pkg/controller/job.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from litmus.sandbox.machinery import objects
from litmus.sandbox.machinery.objects import Obj

from . import pods

FIRST_PAUSE_S = 10.0
LONGEST_PAUSE_S = 360.0


@dataclass(frozen=True, slots=True)
class Streak:
    """Failures since the last success, and when the last one was."""

    failures: int = 0
    last: datetime | None = None

    def pause_s(self, now: datetime) -> float:
        """Seconds until a pod may be tried again."""
        if not self.failures or self.last is None:
            return 0.0
        pause_s: float = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** min(self.failures - 1, 30))
        return max(0.0, pause_s - (now - self.last).total_seconds())

    def after(self, ends: Iterable[tuple[datetime, bool]]) -> "Streak":
        """The streak after pods have ended: when, and whether with success."""
        streak = self
        for moment, success in sorted(ends):
            streak = Streak(0, moment) if success else Streak(streak.failures + 1, moment)
        return streak


def restarts_exceed(job: Obj, active: Iterable[Obj]) -> bool:
    """Whether containers that are restarted in place have used up ``backoffLimit``."""
    if job["spec"]["template"]["spec"].get("restartPolicy") != "OnFailure":
        return False
    restarts: int = sum(
        entry.get("restartCount", 0)
        for pod in active
        for field in ("initContainerStatuses", "containerStatuses")
        for entry in pod.get("status", {}).get(field) or ()
    )
    limit = backoff_limit(job)
    return restarts > 0 if limit == 0 else restarts >= limit


def backoff_limit(job: Obj) -> int:
    """How many failed pods a Job survives."""
    found: int | None = job["spec"].get("backoffLimit")
    return 6 if found is None else found


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the pod failure policy says of a pod: Count, Ignore or FailJob, and of the last why."""

    action: str = "Count"
    message: str = ""


def rule(job: Obj, pod: Obj) -> Ruling:
    """The ruling of the first rule that holds for a failed pod."""
    policy = job["spec"].get("podFailurePolicy")
    if not policy or pods.phase(pod) != "Failed":
        return Ruling()
    for number, one in enumerate(policy.get("rules") or ()):
        reason = _by_exit_code(one["onExitCodes"], pod) if one.get("onExitCodes") else _by_condition(one, pod)
        if reason:
            action = one["action"]
            return Ruling(action, f"{reason} matching {action} rule at index {number}" if action == "FailJob" else "")
    return Ruling()


def _by_exit_code(wanted: Obj, pod: Obj) -> str:
    entries = [
        entry
        for field in ("containerStatuses", "initContainerStatuses")
        for entry in pod.get("status", {}).get(field) or ()
        if wanted.get("containerName") in (None, entry["name"])
    ]
    for entry in entries:
        code = ((entry.get("state") or {}).get("terminated") or {}).get("exitCode", 0)
        listed = code in wanted["values"]
        if code and listed == (wanted["operator"] == "In"):
            return f"Container {entry['name']} for pod {objects.key(pod)} failed with exit code {code}"
    return ""


def _by_condition(one: Obj, pod: Obj) -> str:
    wanted = {(pattern["type"], pattern.get("status", "True")) for pattern in one.get("onPodConditions") or ()}
    for condition in pod.get("status", {}).get("conditions") or ():
        if (condition["type"], condition["status"]) in wanted:
            return f"Pod {objects.key(pod)} has condition {condition['type']}"
    return ""
