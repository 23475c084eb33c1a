"""What the pod of an experiment tells about its end, when its result does not. Pure."""

from dataclasses import dataclass

from litmus.kube import helpers
from litmus.kube.objects import Event, Pod

# Reasons of pod and Job events that no waiting will mend.
_HOPELESS_EVENTS = ("FailedMount", "FailedCreate", "FailedCreatePodSandBox")


@dataclass(frozen=True, slots=True)
class Ended:
    """The pod is over, or can never start. ``why`` is one sentence, '' for a clean exit."""

    pod: str
    why: str = ""


def ended(pods: list[Pod], *, seen_before: bool) -> Ended | None:
    """None while the experiment's pod may still do its work."""
    if not pods:
        return Ended("", "its pod was deleted") if seen_before else None
    pod = pods[0]
    name = pod.metadata.name
    for status in pod.status.container_statuses:
        end = status.state.terminated
        if end:
            clean = end.exit_code == 0
            return Ended(name, "" if clean else f"its container ended with exit code {end.exit_code} ({end.reason})")
    if pod.status.phase == "Failed":
        return Ended(name, f"its pod failed: {pod.status.reason} {pod.status.message}".rstrip())
    return None


def stuck(pods: list[Pod], events: list[Event]) -> str:
    """Why the pod can't start: the kubelet's or the Job controller's own words; '' if nothing says so."""
    for pod in pods:
        reason = helpers.stuck_reason(pod)
        if reason:
            return reason
    for event in events:
        if event.reason in _HOPELESS_EVENTS:
            return f"{event.reason}: {event.message}"
    return ""


def started(pods: list[Pod]) -> bool:
    """Whether a container of the experiment runs, or has run."""
    return any(
        status.state.running is not None or status.state.terminated is not None
        for pod in pods
        for status in pod.status.container_statuses
    )
