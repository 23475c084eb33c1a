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


def ended(pods: list[Pod], *, job: str, seen_before: bool) -> Ended | None:
    """None while the experiment's pod may still do its work; what ends beside it, a sidecar, does not count."""
    if not pods:
        return Ended("", "its pod was deleted") if seen_before else None
    pod = pods[0]
    name = pod.metadata.name
    statuses = pod.status.container_statuses
    own = pod.container(job)
    for status in [own] if own else statuses:
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
    # Only the latest word counts: a mount that failed at first and then worked is followed by other events.
    latest = max(events, key=lambda event: event.last_timestamp or event.first_timestamp or "", default=None)
    if latest and latest.reason in _HOPELESS_EVENTS:
        return f"{latest.reason}: {latest.message}"
    return ""


def started(pods: list[Pod]) -> bool:
    """Whether a container of the experiment runs, or has run."""
    return any(
        status.state.running is not None or status.state.terminated is not None
        for pod in pods
        for status in pod.status.container_statuses
    )
