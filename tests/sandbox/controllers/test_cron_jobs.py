from typing import Any

import pytest

from litmus.sandbox.controllers import cron_jobs, jobs
from litmus.sandbox.machinery import objects
from litmus.sandbox.machinery.objects import Obj
from tests.sandbox.controllers import stage
from tests.sandbox.controllers.stage import Stage

CRON_JOBS, JOBS = "cronjobs.batch", "jobs.batch"
MIDNIGHT = 31557600  # 2030-01-01 in minutes since 1970


@pytest.fixture
def world() -> Stage:
    return Stage(cron_jobs.CronJobs, jobs.Jobs)


def tick(world: Stage, schedule: str = "*/5 * * * *", template: Obj | None = None, **spec: Any) -> Obj:
    job = {"spec": {"template": stage.template("tick", restartPolicy="Never")}, **(template or {})}
    return world.create(CRON_JOBS, "tick", {"schedule": schedule, "jobTemplate": job, **spec})


def status(world: Stage) -> Obj:
    found: Obj = world.get(CRON_JOBS, "tick")["status"]
    return found


def at(minute: int) -> str:
    return f"tick-{MIDNIGHT + minute}"


def end(world: Stage, job: str, phase: str = "Succeeded") -> None:
    for pod in world.pods(f"job-name={job}"):
        world.end(objects.name(pod), phase)
    world.settle()


def change(world: Stage, **spec: Any) -> None:
    world.change(CRON_JOBS, "tick", lambda one: one["spec"].update(spec))


def test_a_job_is_made_for_the_minute_that_is_due(world: Stage) -> None:
    template = {"metadata": {"labels": {"team": "shop"}, "annotations": {"a": "b"}}}
    owner = tick(world, template=template)
    world.settle(for_s=299)
    assert world.names(JOBS) == []
    world.settle(for_s=2)
    (job,) = world.list(JOBS)
    assert objects.name(job) == at(5)
    assert objects.labels(job)["team"] == "shop"
    assert objects.annotations(job) == {
        "a": "b",
        "batch.kubernetes.io/cronjob-scheduled-timestamp": "2030-01-01T00:05:00Z",
    }
    assert objects.controller_of(job) == {
        "apiVersion": "batch/v1",
        "blockOwnerDeletion": True,
        "controller": True,
        "kind": "CronJob",
        "name": "tick",
        "uid": objects.uid(owner),
    }
    (active,) = status(world)["active"]
    assert {name: active[name] for name in ("apiVersion", "kind", "name", "namespace", "uid")} == {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "name": at(5),
        "namespace": "shop",
        "uid": objects.uid(job),
    }
    assert status(world)["lastScheduleTime"] == "2030-01-01T00:05:00Z"
    assert world.events("SuccessfulCreate", "CronJob") == [f"Created job {at(5)}"]


def test_a_finished_job_leaves_the_list_of_active_ones(world: Stage) -> None:
    tick(world)
    world.settle(for_s=301)
    end(world, at(5))
    assert "active" not in status(world)
    assert status(world)["lastSuccessfulTime"] == "2030-01-01T00:05:01Z"
    assert world.events("SawCompletedJob") == [f"Saw completed job: {at(5)}, condition: Complete"]


def test_the_history_keeps_the_latest_jobs(world: Stage) -> None:
    tick(world, "* * * * *", successfulJobsHistoryLimit=2, failedJobsHistoryLimit=1)
    for minute in range(1, 7):
        world.settle(for_s=60)
        end(world, at(minute), "Succeeded" if minute % 2 else "Failed")
        world.change_status(JOBS, at(minute), **_over(world, "Complete" if minute % 2 else "Failed"))
    world.settle()
    assert world.names(JOBS) == [at(3), at(5), at(6)]
    assert world.events("SuccessfulDelete", "CronJob")[0] == f"Deleted job {at(2)}"


def _over(world: Stage, type_: str) -> Obj:
    """A Job ends at once here, however many retries it would have."""
    stamp = objects.timestamp(world.moment)
    return {"conditions": [{"type": type_, "status": "True", "lastTransitionTime": stamp}], "active": 0}


def test_jobs_may_overlap_by_default(world: Stage) -> None:
    tick(world, "* * * * *")
    world.settle(for_s=121)
    assert world.names(JOBS) == [at(1), at(2)]


def test_forbid_waits_for_the_earlier_job_and_then_makes_up_for_one(world: Stage) -> None:
    tick(world, "* * * * *", concurrencyPolicy="Forbid")
    world.settle(for_s=200)
    assert world.names(JOBS) == [at(1)]
    said = "Not starting job because prior execution is running and concurrency policy is Forbid"
    assert world.events("JobAlreadyActive") == [said]
    end(world, at(1))
    assert world.names(JOBS) == [at(1), at(3)]


def test_replace_ends_the_earlier_job(world: Stage) -> None:
    tick(world, "* * * * *", concurrencyPolicy="Replace")
    world.settle(for_s=121)
    assert world.names(JOBS) == [at(2)]
    assert [entry["name"] for entry in status(world)["active"]] == [at(2)]


def test_a_suspended_one_makes_nothing_and_makes_up_for_the_last_time_only(world: Stage) -> None:
    tick(world, "* * * * *", suspend=True)
    world.settle(for_s=600)
    assert world.names(JOBS) == []
    change(world, suspend=False)
    world.settle()
    assert world.names(JOBS) == [at(10)]


def test_a_start_that_is_too_late_is_missed(world: Stage) -> None:
    tick(world, "0 * * * *", startingDeadlineSeconds=10, suspend=True)
    world.settle(for_s=3700)
    change(world, suspend=False)
    world.settle()
    assert world.names(JOBS) == []
    world.settle(for_s=3600)
    assert world.names(JOBS) == [at(120)]


def test_a_hundred_missed_times_are_a_warning_and_the_last_one_runs(world: Stage) -> None:
    tick(world, "* * * * *", suspend=True)
    world.settle(for_s=150 * 60)
    change(world, suspend=False)
    world.settle()
    assert world.names(JOBS) == [at(150)]
    (said,) = world.events("TooManyMissedTimes")
    assert said.startswith("too many missed start times")


def test_a_minute_has_one_job_even_when_that_is_deleted(world: Stage) -> None:
    tick(world)
    world.settle(for_s=301)
    world.cluster.delete(JOBS, at(5), stage.NAMESPACE)
    world.settle(for_s=60)
    assert world.names(JOBS) == []
    assert "active" not in status(world)
    assert world.events("MissingJob") == [f"Active job went missing: {at(5)}"]


def test_the_time_zone_counts(world: Stage) -> None:
    tick(world, "0 10 * * *", timeZone="Asia/Tokyo")
    world.settle(for_s=3601)
    (job,) = world.list(JOBS)
    stamp = objects.annotations(job)["batch.kubernetes.io/cronjob-scheduled-timestamp"]
    assert stamp == "2030-01-01T10:00:00+09:00"


def test_a_refused_job_is_told_and_tried_again(world: Stage) -> None:
    world.refuse(JOBS)
    tick(world)
    world.settle(for_s=301)
    assert world.events("FailedCreate") == ['Error creating job: jobs.batch "x" is forbidden: exceeded quota: small']
    world.allow(JOBS)
    world.settle(for_s=60)
    assert world.names(JOBS) == [at(5)]


def test_nothing_is_written_between_the_times(world: Stage) -> None:
    tick(world, "@daily")
    world.settle()
    before = world.cluster.registry.store.revision
    world.settle(for_s=3600)
    assert world.cluster.registry.store.revision == before
