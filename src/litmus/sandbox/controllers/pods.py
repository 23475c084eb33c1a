"""What every workload controller asks of pods and does with them: ready, available, active; make one, end one.

Sources: the documentation "Pod Lifecycle" and "ReplicaSet" ("Scaling a ReplicaSet": which pod goes first), and
pkg/controller/controller_utils.go for the events.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from litmus.sandbox.machinery import conditions, objects, status
from litmus.sandbox.machinery.cluster import Cluster
from litmus.sandbox.machinery.objects import Obj

from . import owners

DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
_PHASES = {"Pending": 0, "Unknown": 1, "Running": 2}


def phase(pod: Obj) -> str:
    """Pending, Running, Succeeded, Failed or Unknown; a pod without a status is pending."""
    found: str = pod.get("status", {}).get("phase") or "Pending"
    return found


def is_over(pod: Obj) -> bool:
    """Whether its containers have ended for good."""
    return phase(pod) in ("Succeeded", "Failed")


def is_active(pod: Obj) -> bool:
    """Whether it counts as a replica: neither over nor about to go."""
    return not is_over(pod) and not objects.leaving(pod)


def is_terminating(pod: Obj) -> bool:
    """Whether it is about to go and still runs."""
    return not is_over(pod) and objects.leaving(pod)


def is_ready(pod: Obj) -> bool:
    """Whether its condition Ready is True."""
    return conditions.is_true(pod.get("status", {}).get("conditions"), "Ready")


def ready_since(pod: Obj) -> datetime | None:
    """When it became ready; None while it is not."""
    found = conditions.named(pod.get("status", {}).get("conditions"), "Ready")
    if found is None or found["status"] != "True" or not found.get("lastTransitionTime"):
        return None
    return objects.moment(found["lastTransitionTime"])


def available_in_s(pod: Obj, min_ready_s: int, now: datetime) -> float | None:
    """Seconds until it has been ready for ``min_ready_s``: 0 when it is available, None while it is not ready."""
    if not is_ready(pod):
        return None
    since = ready_since(pod)
    if not min_ready_s:
        return 0.0
    if since is None:
        return None
    return max(0.0, min_ready_s - (now - since).total_seconds())


def is_available(pod: Obj, min_ready_s: int, now: datetime) -> bool:
    """Whether it has been ready for ``min_ready_s``."""
    return available_in_s(pod, min_ready_s, now) == 0.0


def next_available_s(found: Iterable[Obj], min_ready_s: int, now: datetime) -> float | None:
    """Seconds until the next of the ready pods becomes available, or None when none is on its way."""
    waits = [wait for pod in found if (wait := available_in_s(pod, min_ready_s, now))]
    return min(waits, default=None)


def restarts(pod: Obj) -> int:
    """The most restarts of one of its containers."""
    return max(
        (entry.get("restartCount", 0) for entry in pod.get("status", {}).get("containerStatuses") or ()), default=0
    )


def from_template(template: Obj, owner: Obj) -> Obj:
    """A pod as the owner's template describes it, with a generated name."""
    meta = template.get("metadata") or {}
    copied: dict[str, Any] = {
        field: meta[field] for field in ("labels", "annotations", "finalizers") if meta.get(field)
    }
    return objects.copy(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "generateName": f"{objects.name(owner)}-",
                "namespace": objects.namespace(owner),
                **copied,
                "ownerReferences": [owners.reference(owner)],
            },
            "spec": template["spec"],
        }
    )


def create(cluster: Cluster, owner: Obj, pod: Obj, *, component: str) -> Obj:
    """Creates the pod and tells of it at its owner; raises Refusal, told as well unless the namespace is going."""
    try:
        made = cluster.create("pods", pod)
    except status.Refusal as refusal:
        if not namespace_is_going(refusal):
            message = f"Error creating: {refusal.message}"
            cluster.event(owner, reason="FailedCreate", message=message, component=component, kind="Warning")
        raise
    message = f"Created pod: {objects.name(made)}"
    cluster.event(owner, reason="SuccessfulCreate", message=message, component=component)
    return made


def delete(cluster: Cluster, owner: Obj, pod: Obj, *, component: str) -> None:
    """Deletes the pod and tells of it at its owner; raises Refusal, told as well."""
    try:
        cluster.delete("pods", objects.name(pod), objects.namespace(pod), uid=objects.uid(pod))
    except status.Refusal as refusal:
        message = f"Error deleting: {refusal.message}"
        cluster.event(owner, reason="FailedDelete", message=message, component=component, kind="Warning")
        raise
    message = f"Deleted pod: {objects.name(pod)}"
    cluster.event(owner, reason="SuccessfulDelete", message=message, component=component)


def namespace_is_going(refusal: status.Refusal) -> bool:
    """Whether nothing can be created because the namespace is being deleted; retrying would not help."""
    causes = refusal.details.get("causes") or ()
    return any(cause.get("reason") == "NamespaceTerminating" for cause in causes)


def first_to_go(found: Sequence[Obj], related: Iterable[Obj], now: datetime) -> list[Obj]:
    """The pods in the order in which scaling down deletes them.

    Unassigned before assigned, pending before running, not ready before ready, cheaper by their deletion cost first,
    on nodes with more of the ``related`` pods first, ready for a shorter time first, more restarts first, younger
    first. Times count by powers of two of the age, as since Kubernetes 1.22; then the uid decides.
    """
    crowd = Counter(pod["spec"].get("nodeName", "") for pod in related)
    rank = _rank(crowd, now)
    return sorted(found, key=rank)


def _rank(crowd: Counter[str], now: datetime) -> Callable[[Obj], tuple[Any, ...]]:
    def rank(pod: Obj) -> tuple[Any, ...]:
        node = pod["spec"].get("nodeName", "")
        return (
            bool(node),
            _PHASES.get(phase(pod), 2),
            is_ready(pod),
            deletion_cost(pod),
            -crowd[node] if node else 0,
            _age_rank(ready_since(pod), now),
            -restarts(pod),
            _age_rank(_born(pod), now),
            objects.uid(pod),
        )

    return rank


def deletion_cost(pod: Obj) -> int:
    """What its annotation says about deleting it: less goes first; 0 when it says nothing that can be read."""
    try:
        return int(objects.annotations(pod).get(DELETION_COST, "0"))
    except ValueError:
        return 0


def _born(pod: Obj) -> datetime | None:
    created = objects.meta(pod).get("creationTimestamp")
    return objects.moment(created) if created else None


def _age_rank(since: datetime | None, now: datetime) -> int:
    if since is None:
        return -1
    age_s = (now - since).total_seconds()
    return int(math.log2(age_s)) + 1 if age_s >= 1 else 0
