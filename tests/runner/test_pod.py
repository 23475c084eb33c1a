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
    assert pod.ended(pods, job="pod-delete-ab12cd", seen_before=False) is None


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
    assert pod.ended([ended], job="pod-delete-ab12cd", seen_before=True) == pod.Ended("pod-delete-x", why)


def test_an_evicted_pod_is_told_in_the_kubelets_words():
    evicted = samples.pod("pod-delete-x", containers=[], phase="Failed")
    evicted["status"] |= {"reason": "Evicted", "message": "The node was low on resource: memory."}
    assert (
        pod.ended([msgspec.convert(evicted, Pod)], job="pod-delete-ab12cd", seen_before=True).why
        == "its pod failed: Evicted The node was low on resource: memory."
    )


def test_a_pod_that_is_gone_was_deleted_if_it_had_been_there():
    assert pod.ended([], job="pod-delete-ab12cd", seen_before=True) == pod.Ended("", "its pod was deleted")


def test_a_sidecar_that_ends_is_not_the_end_of_the_experiment():
    done = samples.container("sidecar", state=samples.terminated(0))
    alone = samples.a_pod("x", containers=[done, samples.container("pod-delete-ab12cd")])
    assert pod.ended([alone], job="pod-delete-ab12cd", seen_before=True) is None


def event(reason: str, message: str = "words", *, at: str = "") -> Event:
    return Event(reason=reason, message=message, last_timestamp=at or None)


@pytest.mark.parametrize("reason", ["FailedMount", "FailedCreate", "FailedCreatePodSandBox"])
def test_an_event_that_no_waiting_mends_tells_why_a_pod_is_stuck(reason):
    events = [
        event(reason, "no such secret", at="2026-01-01T00:00:09Z"),
        event("Scheduled", at="2026-01-01T00:00:00Z"),
    ]
    assert pod.stuck([WAITING], events) == f"{reason}: no such secret"
    assert pod.stuck([], [event(reason, "no such secret")]) == f"{reason}: no such secret"


@pytest.mark.parametrize("reason", ["FailedMount", "FailedCreate", "FailedCreatePodSandBox"])
def test_what_failed_at_first_and_was_followed_by_other_events_has_passed(reason):
    events = [event("Pulling", at="2026-01-01T00:00:09Z"), event(reason, at="2026-01-01T00:00:00Z")]
    assert pod.stuck([WAITING], events) == ""


def test_the_containers_own_state_is_told_before_any_event():
    stuck = status(samples.waiting("ImagePullBackOff", "no such image"), phase="Pending")
    assert pod.stuck([stuck], [event("FailedMount")]) == "ImagePullBackOff: no such image"


def test_the_first_failure_of_a_pull_may_be_a_hiccup():
    pulling = status(samples.waiting("ErrImagePull", "i/o timeout"), phase="Pending")
    assert pod.stuck([pulling], []) == ""


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
