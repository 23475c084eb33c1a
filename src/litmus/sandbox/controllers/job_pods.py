"""The pods of a Job: how they are made, when one counts as failed, when it ended.

Documentation: "Jobs", "Job tracking with finalizers": a pod keeps a finalizer until the Job has counted it, so that
none vanishes uncounted; and "Completion mode" for what an indexed pod is told. Pure; source: pkg/controller/job.
"""

from datetime import datetime
from typing import Any

from litmus.sandbox.machinery import objects
from litmus.sandbox.machinery.objects import Obj

from . import pods

FINALIZER = "batch.kubernetes.io/job-tracking"
INDEX = "batch.kubernetes.io/job-completion-index"
INDEX_VARIABLE = "JOB_COMPLETION_INDEX"


def is_indexed(job: Obj) -> bool:
    """Whether its completions are told apart."""
    return bool(job["spec"].get("completionMode") == "Indexed")


def index(pod: Obj) -> int | None:
    """The completion index of a pod, None when it has none."""
    found = objects.annotations(pod).get(INDEX, "")
    return int(found) if found.isdigit() else None


def make(job: Obj, number: int | None) -> Obj:
    """A pod of the Job; ``number`` is the index of an indexed one."""
    pod = pods.from_template(job["spec"]["template"], job)
    meta = pod["metadata"]
    meta["finalizers"] = [*meta.get("finalizers", []), FINALIZER]
    if number is None:
        return pod
    meta["generateName"] = f"{objects.name(job)}-{number}-"
    meta.setdefault("annotations", {})[INDEX] = str(number)
    meta.setdefault("labels", {})[INDEX] = str(number)
    pod["spec"]["hostname"] = f"{objects.name(job)}-{number}"[:63]
    told = {"name": INDEX_VARIABLE, "valueFrom": {"fieldRef": {"fieldPath": f"metadata.labels['{INDEX}']"}}}
    for container in [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]:
        variables = container.setdefault("env", [])
        if all(variable["name"] != INDEX_VARIABLE for variable in variables):
            variables.append(objects.copy(told))
    return pod


def is_tracked(pod: Obj) -> bool:
    """Whether it waits to be counted."""
    return FINALIZER in (objects.meta(pod).get("finalizers") or ())


def untracked(pod: Obj) -> Obj:
    """A copy without the finalizer."""
    copied = objects.copy(pod)
    copied["metadata"]["finalizers"] = [name for name in copied["metadata"]["finalizers"] if name != FINALIZER]
    if not copied["metadata"]["finalizers"]:
        del copied["metadata"]["finalizers"]
    return copied


def replaces_failed_only(job: Obj) -> bool:
    """Whether a pod that is about to go is replaced when it is gone, and not before."""
    return job["spec"].get("podReplacementPolicy") == "Failed" or bool(job["spec"].get("podFailurePolicy"))


def has_failed(job: Obj, pod: Obj) -> bool:
    """Whether it counts as a failure: it failed, or it goes without having succeeded."""
    if pods.phase(pod) == "Failed":
        return True
    if not objects.leaving(pod) or pods.phase(pod) == "Succeeded":
        return False
    # Deleted by force, or before it got a node: nobody will ever report how it ended.
    unreported = objects.meta(pod).get("deletionGracePeriodSeconds") == 0
    return unreported or not replaces_failed_only(job)


def ended_at(pod: Obj, now: datetime) -> datetime:
    """When its last container ended, as far as anything says so."""
    moments = [found for state in _states(pod) if (found := (state.get("terminated") or {}).get("finishedAt"))]
    if moments:
        return max(map(objects.moment, moments))
    deleted = objects.meta(pod).get("deletionTimestamp")
    if deleted:
        grace_s = objects.meta(pod).get("deletionGracePeriodSeconds") or 0
        return min(now, objects.moment(deleted) - objects.span(grace_s))
    return now


def _states(pod: Obj) -> list[dict[str, Any]]:
    return [entry.get("state") or {} for entry in pod.get("status", {}).get("containerStatuses") or ()]
