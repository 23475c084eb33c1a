"""The status of a Deployment: its figures, and the conditions Available, Progressing and ReplicaFailure.

Documentation: "Deployments", "Deployment status" (progressing, complete, failed). Pure: objects in, a status out.
Source of reasons and messages: pkg/controller/deployment/progress.go.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from litmus.sandbox.machinery import conditions, objects
from litmus.sandbox.machinery.objects import Obj

from . import rollouts

PROGRESSING, AVAILABLE, FAILURE = "Progressing", "Available", "ReplicaFailure"
_FIGURES = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
# What `kubectl autoscale` and old clients write for "no deadline" is the largest int32.
_NO_DEADLINE = 2**31 - 1


def condition(type_: str, value: str, reason: str, message: str, now: datetime) -> Obj:
    """A condition of a Deployment as it is when it has just changed."""
    stamp = objects.timestamp(now)
    return {
        "type": type_,
        "status": value,
        "lastUpdateTime": stamp,
        "lastTransitionTime": stamp,
        "reason": reason,
        "message": message,
    }


def has_deadline(deployment: Obj) -> bool:
    """Whether a rollout that makes no progress counts as failed some day."""
    return bool(deployment["spec"].get("progressDeadlineSeconds", _NO_DEADLINE) != _NO_DEADLINE)


def figures(deployment: Obj, new: Obj | None, old: Sequence[Obj], now: datetime) -> Obj:
    """The status by what the replica sets report, with the condition Available; the others as they were."""
    sets = [*([new] if new is not None else []), *old]
    before = deployment.get("status", {})
    available = rollouts.counted(sets, "availableReplicas")
    found: dict[str, Any] = {
        "observedGeneration": objects.meta(deployment).get("generation", 1),
        "replicas": rollouts.counted(sets, "replicas"),
        "updatedReplicas": rollouts.counted([new] if new is not None else [], "replicas"),
        "readyReplicas": rollouts.counted(sets, "readyReplicas"),
        "availableReplicas": available,
        "unavailableReplicas": max(0, rollouts.total(sets) - available),
    }
    status = {field: value for field, value in found.items() if value or field == "observedGeneration"}
    status["terminatingReplicas"] = rollouts.counted(sets, "terminatingReplicas")
    if "collisionCount" in before:
        status["collisionCount"] = before["collisionCount"]
    enough = available >= rollouts.replicas(deployment) - rollouts.room(deployment).unavailable
    if enough:
        said = condition(AVAILABLE, "True", "MinimumReplicasAvailable", "Deployment has minimum availability.", now)
    else:
        said = condition(
            AVAILABLE, "False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.", now
        )
    status["conditions"] = conditions.merged(before.get("conditions"), said)
    return status


def is_complete(deployment: Obj, status: Obj) -> bool:
    """Whether every wanted pod is updated and available and no other is left."""
    wanted = rollouts.replicas(deployment)
    return all(
        status.get(field, 0) == wanted for field in ("updatedReplicas", "replicas", "availableReplicas")
    ) and status.get("observedGeneration", 0) >= objects.meta(deployment).get("generation", 1)


def with_progress(deployment: Obj, status: Obj, new: Obj | None, now: datetime) -> Obj:
    """The status with what can be said of the rollout: complete, progressing, or timed out."""
    if not has_deadline(deployment):
        return {**status, "conditions": conditions.without(status["conditions"], PROGRESSING)}
    before = deployment.get("status", {})
    current = conditions.named(before.get("conditions"), PROGRESSING)
    settled = current is not None and current["reason"] == "NewReplicaSetAvailable"
    if settled and status.get("replicas", 0) == status.get("updatedReplicas", 0):
        return status  # no rollout is under way: pods that come and go are not progress
    what = f'ReplicaSet "{objects.name(new)}"' if new is not None else f'Deployment "{objects.name(deployment)}"'
    listed = status["conditions"]
    if is_complete(deployment, status):
        message = f"{what} has successfully progressed."
        listed = conditions.merged(listed, condition(PROGRESSING, "True", "NewReplicaSetAvailable", message, now))
    elif _has_progressed(before, status):
        said = condition(PROGRESSING, "True", "ReplicaSetUpdated", f"{what} is progressing.", now)
        if current is not None and current["status"] == "True":
            said["lastTransitionTime"] = current["lastTransitionTime"]
        listed = [*conditions.without(listed, PROGRESSING), said]
    elif _is_overdue(deployment, current, now):
        message = f"{what} has timed out progressing."
        listed = conditions.merged(listed, condition(PROGRESSING, "False", "ProgressDeadlineExceeded", message, now))
    return {**status, "conditions": listed}


def with_failure(status: Obj, new: Obj | None, old: Sequence[Obj]) -> Obj:
    """The status with the ReplicaFailure of a replica set, the new one's before an old one's."""
    for replica_set in [*([new] if new is not None else []), *old]:
        failure = conditions.named(replica_set.get("status", {}).get("conditions"), FAILURE)
        if failure is not None:
            said = {**failure, "lastUpdateTime": failure["lastTransitionTime"]}
            return {**status, "conditions": conditions.merged(status["conditions"], said)}
    return {**status, "conditions": conditions.without(status["conditions"], FAILURE)}


def next_check_s(deployment: Obj, status: Obj, now: datetime) -> float | None:
    """Seconds until the rollout may have to be called failed; None when nothing is waited for."""
    current = conditions.named(status.get("conditions"), PROGRESSING)
    if not has_deadline(deployment) or current is None:
        return None
    if current["reason"] == "ProgressDeadlineExceeded" or is_complete(deployment, status):
        return None
    age_s = (now - objects.moment(current["lastUpdateTime"])).total_seconds()
    left_s: float = deployment["spec"]["progressDeadlineSeconds"] - age_s
    return max(left_s, 0.0) + 1.0


def _has_progressed(before: Obj, after: Obj) -> bool:
    def of(status: Obj, field: str) -> int:
        found: int = status.get(field, 0)
        return found

    old_pods_before = of(before, "replicas") - of(before, "updatedReplicas")
    old_pods_after = of(after, "replicas") - of(after, "updatedReplicas")
    more = any(
        of(after, field) > of(before, field) for field in ("updatedReplicas", "readyReplicas", "availableReplicas")
    )
    return more or old_pods_after < old_pods_before


def _is_overdue(deployment: Obj, current: Obj | None, now: datetime) -> bool:
    if current is None or current["reason"] == "NewReplicaSetAvailable":
        return False
    if current["reason"] == "ProgressDeadlineExceeded":
        return True
    age_s = (now - objects.moment(current["lastUpdateTime"])).total_seconds()
    return bool(age_s > deployment["spec"]["progressDeadlineSeconds"])
