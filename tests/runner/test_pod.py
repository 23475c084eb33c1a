"""What the pod of an experiment tells about its end, when its result does not."""

import msgspec
import pytest

from litmus.kube.objects import Event, Pod
from litmus.runner import pod
from tests import samples


def status(state: dict, **changes):
    return samples.a_pod("pod-delete-x", containers=[samples.container(state=state)], **changes)


RUNNING = status({"running": {}})
WAITING = status(samples.waiting("ContainerCreating"), phase="Pending")
UNSCHEDULED = samples.a_pod("pod-delete-x", containers=[], phase="Pending")


@pytest.mark.parametrize("pods", [[], [RUNNING], [WAITING], [UNSCHEDULED]])
def test_a_pod_that_may_still_do_its_work_has_not_ended(pods):
    assert pod.ended(pods, seen_before=False) is None


@pytest.mark.parametrize(
    ("ended", "why"),
    [
        (status(samples.terminated(0), phase="Succeeded"), ""),
        (status(samples.terminated(0)), ""),
        (status(samples.terminated(1, reason="Error")), "its container ended with exit code 1 (Error)"),
        (status(samples.terminated(137, reason="OOMKilled")), "its container ended with exit code 137 (OOMKilled)"),
        (samples.a_pod("pod-delete-x", containers=[], phase="Failed"), "its pod failed:"),
    ],
)
def test_the_end_of_a_pod_is_told_with_its_reason(ended, why):
    assert pod.ended([ended], seen_before=True) == pod.Ended("pod-delete-x", why)


def test_an_evicted_pod_is_told_in_the_kubelets_words():
    evicted = samples.pod("pod-delete-x", containers=[], phase="Failed")
    evicted["status"] |= {"reason": "Evicted", "message": "The node was low on resource: memory."}
    assert (
        pod.ended([msgspec.convert(evicted, Pod)], seen_before=True).why
        == "its pod failed: Evicted The node was low on resource: memory."
    )


def test_a_pod_that_is_gone_was_deleted_if_it_had_been_there():
    assert pod.ended([], seen_before=True) == pod.Ended("", "its pod was deleted")


def event(reason: str, message: str = "words") -> Event:
    return Event(reason=reason, message=message)


@pytest.mark.parametrize("reason", ["FailedMount", "FailedCreate", "FailedCreatePodSandBox"])
def test_an_event_that_no_waiting_mends_tells_why_a_pod_is_stuck(reason):
    assert pod.stuck([WAITING], [event("Scheduled"), event(reason, "no such secret")]) == f"{reason}: no such secret"
    assert pod.stuck([], [event(reason, "no such secret")]) == f"{reason}: no such secret"


def test_the_containers_own_state_is_told_before_any_event():
    stuck = status(samples.waiting("ErrImagePull", "no such image"), phase="Pending")
    assert pod.stuck([stuck], [event("FailedMount")]) == "ErrImagePull: no such image"


@pytest.mark.parametrize("reason", ["Scheduled", "Pulling", "FailedScheduling", "BackOff", "Unhealthy"])
def test_an_event_that_may_pass_does_not_make_a_pod_stuck(reason):
    assert pod.stuck([WAITING], [event(reason)]) == ""


@pytest.mark.parametrize(
    ("pods", "started"),
    [
        ([], False),
        ([UNSCHEDULED], False),
        ([WAITING], False),
        ([RUNNING], True),
        ([status(samples.terminated(0))], True),
        ([WAITING, RUNNING], True),
    ],
)
def test_a_pod_has_started_once_a_container_runs_or_ran(pods, started):
    assert pod.started(pods) is started
