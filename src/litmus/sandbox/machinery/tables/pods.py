"""The row of a pod: the one word that says how it is, and how often its containers were restarted.

Source: k8s.io/kubernetes/pkg/printers/internalversion, printPod; the documentation "Pod Lifecycle".
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from litmus.sandbox.machinery import objects
from litmus.sandbox.machinery.objects import Obj

from . import form
from .form import Column, Printer, wide

_SUCCEEDED: Obj = {
    "type": "Completed",
    "status": "True",
    "reason": "Succeeded",
    "message": "The pod has completed successfully.",
}
_FAILED: Obj = {"type": "Completed", "status": "True", "reason": "Failed", "message": "The pod failed."}
_OVER = ("Succeeded", "Failed")


def reason(pod: Obj) -> str:
    """How the pod is: its phase, unless its containers or its deletion say more."""
    state = form.state(pod)
    found: str = state.get("reason") or state.get("phase", "")
    if any(each.get("reason") == "SchedulingGated" for each in _conditions(pod, "PodScheduled")):
        found = "SchedulingGated"
    initializing = _initializing(pod)
    if initializing:
        found = initializing
    if not initializing or _is_true(pod, "Initialized"):
        found = _of_containers(pod, found)
    if objects.leaving(pod):
        if state.get("reason") == "NodeLost":
            return "Unknown"
        if state.get("phase") not in _OVER:
            return "Terminating"
    return found


def _initializing(pod: Obj) -> str:
    """What the init containers say while they are not through, '' afterwards."""
    sidecars = _sidecars(pod)
    for index, container in enumerate(_statuses(pod, "initContainerStatuses")):
        now = container.get("state") or {}
        ended = now.get("terminated")
        if ended is not None and not ended.get("exitCode"):
            continue
        if container.get("name") in sidecars and container.get("started"):
            continue
        if ended is not None:
            return f"Init:{_end(ended)}"
        waits_for = (now.get("waiting") or {}).get("reason")
        if waits_for and waits_for != "PodInitializing":
            return f"Init:{waits_for}"
        return f"Init:{index}/{len(form.spec(pod).get('initContainers') or [])}"
    return ""


def _of_containers(pod: Obj, found: str) -> str:
    running = False
    for container in reversed(_statuses(pod, "containerStatuses")):
        now = container.get("state") or {}
        if waits_for := (now.get("waiting") or {}).get("reason"):
            found = waits_for
        elif now.get("terminated") is not None:
            found = _end(now["terminated"])
        elif container.get("ready") and now.get("running") is not None:
            running = True
    if found == "Completed" and running:  # one of several has ended
        return "Running" if _is_true(pod, "Ready") else "NotReady"
    return found


def _end(ended: Obj) -> str:
    if ended.get("reason"):
        return str(ended["reason"])
    return f"Signal:{ended['signal']}" if ended.get("signal") else f"ExitCode:{ended.get('exitCode', 0)}"


def ready(pod: Obj) -> str:
    """Ready containers of all; a sidecar is one of them."""
    sidecars = _sidecars(pod)
    running = [
        container
        for container in _statuses(pod, "containerStatuses")
        if container.get("ready") and (container.get("state") or {}).get("running") is not None
    ]
    helping = [
        container
        for container in _statuses(pod, "initContainerStatuses")
        if container.get("name") in sidecars and container.get("started") and container.get("ready")
    ]
    if _initializing(pod) and not _is_true(pod, "Initialized"):
        running = []
    total = len(form.spec(pod).get("containers") or []) + len(sidecars)
    return f"{len(running) + len(helping)}/{total}"


def restarts(pod: Obj, now: datetime) -> str:
    """How often containers were restarted, and how long ago the last time was."""
    sidecars = _sidecars(pod)
    counted = _statuses(pod, "initContainerStatuses")
    if not _initializing(pod) or _is_true(pod, "Initialized"):
        counted = [container for container in counted if container.get("name") in sidecars]
        counted = [*counted, *_statuses(pod, "containerStatuses")]
    count = sum(container.get("restartCount", 0) for container in counted)
    ends = [((container.get("lastState") or {}).get("terminated") or {}).get("finishedAt") for container in counted]
    last = max(filter(None, ends), default="")
    return f"{count} ({form.since(last, now)} ago)" if count and last else str(count)


def _gates(pod: Obj) -> str:
    gates = [gate.get("conditionType", "") for gate in form.spec(pod).get("readinessGates") or []]
    return f"{sum(_is_true(pod, gate) for gate in gates)}/{len(gates)}" if gates else form.NONE


def _sidecars(pod: Obj) -> set[str]:
    return {one["name"] for one in form.spec(pod).get("initContainers") or [] if one.get("restartPolicy") == "Always"}


def _statuses(pod: Obj, field: str) -> list[Obj]:
    return form.state(pod).get(field) or []


def _conditions(pod: Obj, kind: str) -> Iterable[Obj]:
    return (each for each in form.state(pod).get("conditions") or [] if each.get("type") == kind)


def _is_true(pod: Obj, kind: str) -> bool:
    return any(each.get("status") == "True" for each in _conditions(pod, kind))


def _cells(pod: Obj, now: datetime) -> list[Any]:
    state = form.state(pod)
    addresses = [each.get("ip") for each in state.get("podIPs") or []]
    return [
        objects.name(pod),
        ready(pod),
        reason(pod),
        restarts(pod, now),
        form.age(pod, now),
        next(iter(addresses), "") or form.NONE,
        form.spec(pod).get("nodeName") or form.NONE,
        state.get("nominatedNodeName") or form.NONE,
        _gates(pod),
    ]


def _row_conditions(pod: Obj) -> list[Obj]:
    return {"Succeeded": [_SUCCEEDED], "Failed": [_FAILED]}.get(form.state(pod).get("phase", ""), [])


PODS = Printer(
    (
        form.NAME,
        Column("Ready", "string", "The aggregate readiness state of this pod for accepting traffic."),
        Column("Status", "string", "The aggregate status of the containers in this pod."),
        Column(
            "Restarts",
            "string",
            "The number of times the containers in this pod have been restarted and when the last container in this "
            "pod has restarted.",
        ),
        form.AGE,
        wide("IP", "core.v1.PodStatus.podIP"),
        wide("Node", "core.v1.PodSpec.nodeName"),
        wide("Nominated Node", "core.v1.PodStatus.nominatedNodeName"),
        wide("Readiness Gates", "core.v1.PodSpec.readinessGates"),
    ),
    _cells,
    _row_conditions,
)
