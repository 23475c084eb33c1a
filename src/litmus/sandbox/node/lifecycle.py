"""Decisions in the life of a pod, without I/O: what is started again, what a pod that comes back finds.

Source: Kubernetes documentation, "Pod Lifecycle" ("Container restart policy"), "Init Containers" ("Detailed behavior"),
"Sidecar Containers".
"""

from collections.abc import Mapping
from datetime import UTC, datetime

from litmus.sandbox.machinery import objects
from litmus.sandbox.machinery.objects import Obj

from .pod_status import Record

OVER = ("Succeeded", "Failed")
LOST_CODE = 255
LOST_REASON = "Unknown"


def is_over(pod: Obj) -> bool:
    """Whether its phase is final."""
    return (pod.get("status") or {}).get("phase") in OVER


def containers(pod: Obj) -> list[Obj]:
    """The containers, without the init containers."""
    found: list[Obj] = (pod.get("spec") or {}).get("containers") or []
    return found


def init_containers(pod: Obj) -> list[Obj]:
    """The init containers in their order, sidecars among them."""
    found: list[Obj] = (pod.get("spec") or {}).get("initContainers") or []
    return found


def is_sidecar(spec: Obj) -> bool:
    """Whether an init container keeps running beside the others."""
    return bool(spec.get("restartPolicy") == "Always")


def runs_again(pod: Obj, record: Record, code: int) -> bool:
    """Whether a container that ended with ``code`` is started again."""
    policy = (pod.get("spec") or {}).get("restartPolicy", "Always")
    if record.sidecar:
        return True
    if record.init:
        return code != 0 and policy != "Never"
    return policy == "Always" or (policy == "OnFailure" and code != 0)


def records(pod: Obj) -> dict[str, Record]:
    """The containers as the node's present life finds them: new, or as the status says that an earlier life left them.

    What was running then was lost with the node.
    """
    status = pod.get("status") or {}
    before = {
        one["name"]: one for word in ("initContainerStatuses", "containerStatuses") for one in status.get(word) or []
    }
    found = {}
    for spec, init in [*((one, True) for one in init_containers(pod)), *((one, False) for one in containers(pod))]:
        record = Record(name=spec["name"], image=spec.get("image", ""), init=init, sidecar=init and is_sidecar(spec))
        _remember(record, before.get(spec["name"]) or {})
        found[record.name] = record
    begins = "PodInitializing" if init_containers(pod) else "ContainerCreating"
    for record in found.values():
        if not record.state:
            record.waiting(begins)
    return found


def _remember(record: Record, status: Mapping[str, Obj]) -> None:
    if not status.get("containerID"):
        return
    record.container_id = str(status["containerID"])
    record.image, record.image_id = str(status.get("image")), str(status.get("imageID"))
    record.restarts = int(str(status.get("restartCount") or 0))
    record.last = dict(status.get("lastState") or {})
    state = status.get("state") or {}
    if "terminated" in state:
        record.state = dict(state)
        record.ready = bool(status.get("ready"))
    elif "running" in state:
        started = objects.moment(state["running"]["startedAt"])
        record.terminated(code=LOST_CODE, reason=LOST_REASON, started=started, finished=datetime.now(UTC))
    elif "terminated" in record.last:
        record.state = record.last


def deadline(pod: Obj, started_at: str) -> datetime | None:
    """When ``activeDeadlineSeconds`` are over; None without a deadline."""
    seconds = (pod.get("spec") or {}).get("activeDeadlineSeconds")
    if seconds is None or not started_at:
        return None
    return datetime.fromtimestamp(objects.moment(started_at).timestamp() + float(seconds), UTC)


def grace_s(pod: Obj) -> float:
    """How long its containers may take to end, in seconds."""
    asked = objects.meta(pod).get("deletionGracePeriodSeconds") if objects.leaving(pod) else None
    if asked is None:
        asked = (pod.get("spec") or {}).get("terminationGracePeriodSeconds", 30)
    return max(0.0, float(asked))
