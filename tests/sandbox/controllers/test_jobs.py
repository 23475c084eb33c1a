from typing import Any

import pytest

from litmus.sandbox.controllers import job_pods, jobs
from litmus.sandbox.machinery import objects
from litmus.sandbox.machinery.objects import Obj
from tests.sandbox.controllers import stage
from tests.sandbox.controllers.stage import Stage

JOBS = "jobs.batch"
NOW = "2030-01-01T00:00:00Z"


@pytest.fixture
def world() -> Stage:
    return Stage(jobs.Jobs)


def task(world: Stage, *, restart: str = "Never", **spec: Any) -> Obj:
    template = stage.template("task", restartPolicy=restart)
    return world.create(JOBS, "task", {"template": template, **spec})


def status(world: Stage) -> Obj:
    found: Obj = world.get(JOBS, "task")["status"]
    return found


def said(world: Stage) -> list[tuple[str, str, str]]:
    return [(one["type"], one["status"], one.get("reason", "")) for one in status(world).get("conditions", [])]


def running(world: Stage) -> list[str]:
    return [
        objects.name(pod) for pod in world.pods() if pod["status"]["phase"] == "Running" and not objects.leaving(pod)
    ]


def suspend(world: Stage, value: bool) -> None:
    world.change(JOBS, "task", lambda job: job["spec"].update(suspend=value))


def condition(type_: str, reason: str, message: str, at: str = NOW) -> Obj:
    times = {"lastProbeTime": at, "lastTransitionTime": at}
    return {"type": type_, "status": "True", **times, "reason": reason, "message": message}


def test_a_job_runs_one_pod_and_is_complete_when_that_succeeds(world: Stage) -> None:
    owner = task(world)
    world.settle()
    (name,) = world.names("pods")
    assert name.startswith("task-")
    pod = world.get("pods", name)
    assert objects.controller_of(pod) == {
        "apiVersion": "batch/v1",
        "blockOwnerDeletion": True,
        "controller": True,
        "kind": "Job",
        "name": "task",
        "uid": objects.uid(owner),
    }
    assert objects.labels(pod)["batch.kubernetes.io/job-name"] == "task"
    assert objects.meta(pod)["finalizers"] == ["batch.kubernetes.io/job-tracking"]
    assert status(world) == {
        "active": 1,
        "ready": 1,
        "startTime": NOW,
        "terminating": 0,
        "uncountedTerminatedPods": {},
    }
    world.end(name)
    world.settle()
    reached = ("CompletionsReached", "Reached expected number of succeeded pods")
    assert status(world) == {
        "completionTime": NOW,
        "conditions": [condition("SuccessCriteriaMet", *reached), condition("Complete", *reached)],
        "ready": 0,
        "startTime": NOW,
        "succeeded": 1,
        "terminating": 0,
        "uncountedTerminatedPods": {},
    }
    assert "finalizers" not in objects.meta(world.get("pods", name))
    assert world.events() == [f"Created pod: {name}", "Job completed"]


def test_a_failed_pod_is_tried_again_after_a_pause(world: Stage) -> None:
    task(world)
    world.settle()
    (first,) = running(world)
    world.end(first, "Failed")
    world.settle(for_s=9)
    assert running(world) == []
    world.settle(for_s=2)
    (second,) = running(world)
    world.end(second, "Failed")
    world.settle(for_s=19)
    assert running(world) == []
    world.settle(for_s=2)
    assert len(running(world)) == 1
    assert status(world)["failed"] == 2


def test_the_limit_of_retries_fails_the_job(world: Stage) -> None:
    task(world, backoffLimit=1)
    for _ in range(2):
        world.settle(for_s=30)
        world.end(*running(world), "Failed")
    at = objects.timestamp(world.moment)
    world.settle()
    exceeded = ("BackoffLimitExceeded", "Job has reached the specified backoff limit", at)
    assert status(world)["conditions"] == [condition("FailureTarget", *exceeded), condition("Failed", *exceeded)]
    assert status(world)["failed"] == 2
    assert "completionTime" not in status(world)
    world.settle(for_s=3600)
    assert len(world.pods()) == 2
    assert world.events("BackoffLimitExceeded") == ["Job has reached the specified backoff limit"]


def test_no_retries_at_all_with_a_limit_of_zero(world: Stage) -> None:
    task(world, backoffLimit=0)
    world.settle()
    world.end(*running(world), "Failed")
    world.settle(for_s=3600)
    assert len(world.pods()) == 1
    assert said(world)[-1] == ("Failed", "True", "BackoffLimitExceeded")


def test_restarts_in_place_use_up_the_limit_and_end_the_pod(world: Stage) -> None:
    task(world, restart="OnFailure", backoffLimit=2)
    world.settle()
    (name,) = running(world)
    for restarts in (1, 2):
        assert said(world) == []
        world.change_status("pods", name, containerStatuses=[{"name": "c", "restartCount": restarts}])
        world.settle()
    assert said(world)[-1] == ("Failed", "True", "BackoffLimitExceeded")
    assert world.names("pods") == []
    assert status(world)["failed"] == 1
    assert world.events("SuccessfulDelete") == [f"Deleted pod: {name}"]


def test_parallelism_bounds_the_pods_at_once_and_completions_their_sum(world: Stage) -> None:
    task(world, completions=3, parallelism=2)
    world.settle()
    for expected in (2, 2, 1):
        assert len(running(world)) == expected
        world.end(running(world)[0])
        world.settle()
    assert status(world)["succeeded"] == 3
    assert said(world)[-1] == ("Complete", "True", "CompletionsReached")
    assert len(world.pods()) == 3


def test_without_completions_one_success_ends_the_making_of_pods(world: Stage) -> None:
    task(world, parallelism=3)
    world.change(JOBS, "task", lambda job: job["spec"].pop("completions", None))
    world.settle()
    made = running(world)
    world.end(made[0])
    world.settle(for_s=60)
    assert len(running(world)) == 2
    for name in made[1:]:
        world.end(name)
    world.settle()
    assert said(world)[-1][0] == "Complete"
    assert len(world.pods()) == 3


def test_less_parallelism_ends_pods(world: Stage) -> None:
    task(world, completions=5, parallelism=3)
    world.settle()
    world.change(JOBS, "task", lambda job: job["spec"].update(parallelism=1))
    world.settle()
    assert len(running(world)) == 1


def test_a_deleted_pod_of_a_running_job_counts_as_failed_and_is_replaced(world: Stage) -> None:
    task(world)
    world.settle()
    (first,) = running(world)
    world.cluster.delete("pods", first, stage.NAMESPACE)
    world.settle(for_s=30)
    assert first not in world.names("pods")
    assert len(running(world)) == 1
    assert status(world)["failed"] == 1


@pytest.mark.parametrize("grace_s", [None, 0])
@pytest.mark.parametrize("spec", [{}, {"podReplacementPolicy": "Failed"}])
def test_no_deleted_pod_hangs_on_its_finalizer(world: Stage, grace_s: int | None, spec: Obj) -> None:
    task(world, **spec)
    world.settle()
    (first,) = running(world)
    world.cluster.delete("pods", first, stage.NAMESPACE, grace_s=grace_s)
    world.settle()
    assert first not in world.names("pods")


def test_a_pod_deleted_before_it_has_a_node_does_not_hang(world: Stage) -> None:
    task(world)
    world.settle(pods_live=False)
    (first,) = world.names("pods")
    world.cluster.delete("pods", first, stage.NAMESPACE)
    world.settle(pods_live=False)
    assert first not in world.names("pods")


def test_a_pod_whose_job_is_gone_does_not_hang(world: Stage) -> None:
    task(world)
    world.settle()
    (name,) = running(world)
    world.cluster.delete(JOBS, "task", stage.NAMESPACE, propagation="Background")
    world.cluster.delete("pods", name, stage.NAMESPACE)
    world.settle()
    assert world.names("pods") == []


def test_a_pod_with_the_finalizer_and_no_owner_does_not_hang(world: Stage) -> None:
    spec = stage.template("x", restartPolicy="Never")["spec"]
    world.create("pods", "stray", spec, finalizers=[job_pods.FINALIZER])
    world.settle()
    world.cluster.delete("pods", "stray", stage.NAMESPACE)
    world.settle()
    assert world.names("pods") == []


def test_a_replacement_waits_for_the_end_when_only_failed_pods_are_replaced(world: Stage) -> None:
    task(world, podReplacementPolicy="Failed")
    world.settle()
    world.kubelet.ends = False
    (first,) = running(world)
    world.cluster.delete("pods", first, stage.NAMESPACE)
    world.settle(for_s=60)
    assert world.names("pods") == [first]
    assert status(world)["terminating"] == 1
    world.end(first, "Failed")
    world.settle(for_s=60)
    assert len(running(world)) == 1


def test_the_deadline_ends_the_pods_and_then_the_job(world: Stage) -> None:
    task(world, activeDeadlineSeconds=5)
    world.kubelet.ends = False
    world.settle(for_s=4)
    assert said(world) == []
    (name,) = running(world)
    world.settle(for_s=2)
    assert said(world) == [("FailureTarget", "True", "DeadlineExceeded")]
    assert status(world)["terminating"] == 1
    assert world.events("DeadlineExceeded") == []
    world.kubelet.ends = True
    world.settle()
    assert said(world)[-1] == ("Failed", "True", "DeadlineExceeded")
    assert status(world)["conditions"][-1]["message"] == "Job was active longer than specified deadline"
    assert (status(world)["failed"], status(world)["terminating"]) == (1, 0)
    assert world.events("DeadlineExceeded") == ["Job was active longer than specified deadline"]
    assert world.events("SuccessfulDelete") == [f"Deleted pod: {name}"]


def test_a_job_that_begins_suspended_waits_and_counts_its_time_from_the_start(world: Stage) -> None:
    task(world, suspend=True, activeDeadlineSeconds=30)
    world.settle(for_s=60)
    assert world.names("pods") == []
    assert "startTime" not in status(world)
    assert said(world) == [("Suspended", "True", "JobSuspended")]
    suspend(world, False)
    world.settle()
    assert len(running(world)) == 1
    assert status(world)["startTime"] == "2030-01-01T00:01:00Z"
    assert said(world) == [("Suspended", "False", "JobResumed")]
    assert world.events("Suspended") == ["Job suspended"]
    assert world.events("Resumed") == ["Job resumed"]


def test_suspending_ends_the_pods(world: Stage) -> None:
    task(world, parallelism=2, completions=2)
    world.settle()
    suspend(world, True)
    world.settle(for_s=600)
    assert world.names("pods") == []
    assert said(world)[-1] == ("Suspended", "True", "JobSuspended")


def test_a_finished_job_is_deleted_after_its_time_to_live(world: Stage) -> None:
    task(world, ttlSecondsAfterFinished=30)
    world.settle(for_s=100)
    world.end(*running(world))
    world.settle(for_s=29)
    assert world.names(JOBS) == ["task"]
    world.settle(for_s=2)
    assert [job for job in world.list(JOBS) if not objects.leaving(job)] == []


# Indexed


def test_each_index_is_told_its_number(world: Stage) -> None:
    task(world, completionMode="Indexed", completions=2, parallelism=2)
    world.settle()
    pod = next(pod for pod in world.pods() if job_pods.index(pod) == 1)
    assert objects.name(pod).startswith("task-1-")
    assert pod["spec"]["hostname"] == "task-1"
    assert objects.labels(pod)["batch.kubernetes.io/job-completion-index"] == "1"
    (variable,) = pod["spec"]["containers"][0]["env"]
    assert variable["name"] == "JOB_COMPLETION_INDEX"
    path = "metadata.labels['batch.kubernetes.io/job-completion-index']"
    assert variable["valueFrom"]["fieldRef"]["fieldPath"] == path


def test_every_index_succeeds_once_and_the_status_lists_them(world: Stage) -> None:
    task(world, completionMode="Indexed", completions=4, parallelism=2)
    world.settle()
    by_index = {job_pods.index(pod): objects.name(pod) for pod in world.pods()}
    assert set(by_index) == {0, 1}
    world.end(by_index[1])
    world.settle()
    assert status(world)["completedIndexes"] == "1"
    world.end(by_index[0], "Failed")
    world.settle(for_s=30)
    assert sorted(job_pods.index(pod) or 0 for pod in world.pods() if objects.name(pod) in running(world)) == [0, 2]
    while running(world):
        world.end(running(world)[0])
        world.settle()
    assert status(world)["completedIndexes"] == "0-3"
    assert status(world)["succeeded"] == 4
    assert said(world)[-1][0] == "Complete"


# Failure policy


def policy(action: str, *codes: int) -> Obj:
    rule = {"action": action, "onExitCodes": {"operator": "In", "values": list(codes)}}
    return {"podFailurePolicy": {"rules": [rule]}}


def test_the_failure_policy_can_fail_the_job_at_once(world: Stage) -> None:
    task(world, parallelism=2, completions=2, **policy("FailJob", 42))
    world.settle()
    first, _ = running(world)
    world.end(first, "Failed", exit_code=42)
    world.settle()
    assert said(world)[-1] == ("Failed", "True", "PodFailurePolicy")
    expected = f"Container c for pod shop/{first} failed with exit code 42 matching FailJob rule at index 0"
    assert status(world)["conditions"][-1]["message"] == expected
    assert world.names("pods") == [first]


def test_an_ignored_failure_does_not_count(world: Stage) -> None:
    task(world, backoffLimit=0, **policy("Ignore", 3))
    world.settle()
    world.end(*running(world), "Failed", exit_code=3)
    world.settle()
    assert "failed" not in status(world)
    assert len(running(world)) == 1


# Others


def test_a_refused_pod_is_told_and_tried_again(world: Stage) -> None:
    world.refuse("pods")
    task(world)
    world.settle(for_s=1)
    assert world.events("FailedCreate") == ['Error creating: pods "x" is forbidden: exceeded quota: small']
    assert status(world)["startTime"] == NOW
    world.allow("pods")
    world.settle(for_s=30)
    assert len(running(world)) == 1


def test_a_job_that_another_controller_manages_is_left_alone(world: Stage) -> None:
    task(world, managedBy="example.com/queue")
    world.settle()
    assert world.names("pods") == []


def test_nothing_is_written_when_nothing_changes(world: Stage) -> None:
    task(world)
    world.settle()
    for _ in range(2):
        before = world.cluster.registry.store.revision
        world.settle(for_s=3600)
        assert world.cluster.registry.store.revision == before
        if running(world):
            world.end(*running(world))
            world.settle()


def test_a_deadline_beyond_the_calendar_is_a_long_one(world):
    task(world, activeDeadlineSeconds=2**62)
    world.settle()
    assert status(world)["active"] == 1
