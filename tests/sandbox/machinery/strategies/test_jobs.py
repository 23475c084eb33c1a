from typing import Any

import pytest

from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.strategies import schedules
from tests.sandbox.machinery import desk
from tests.sandbox.machinery.desk import Desk

UID, NAME = "batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name"


def job(**spec: Any) -> Obj:
    template = {"spec": {"restartPolicy": "Never", "containers": [desk.container()]}}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "once"},
        "spec": {"template": template, **spec},
    }


def cron_job(schedule: str, **spec: Any) -> Obj:
    whole = {"schedule": schedule, "jobTemplate": {"spec": job()["spec"]}, **spec}
    return {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "often"}, "spec": whole}


def test_a_job_gets_the_defaults_of_a_real_server() -> None:
    spec = Desk().create(job())["spec"]
    del spec["template"], spec["selector"]
    assert spec == {
        "parallelism": 1,
        "completions": 1,
        "backoffLimit": 6,
        "completionMode": "NonIndexed",
        "suspend": False,
        "manualSelector": False,
        "podReplacementPolicy": "TerminatingOrFailed",
    }


def test_a_job_finds_its_pods_by_its_own_uid() -> None:
    made = Desk().create(job())
    uid = made["metadata"]["uid"]
    labels = {UID: uid, NAME: "once", "controller-uid": uid, "job-name": "once"}
    assert made["spec"]["selector"] == {"matchLabels": {UID: uid}}
    assert made["spec"]["template"]["metadata"]["labels"] == labels
    assert made["metadata"]["labels"] == labels


def test_labels_of_its_own_stay_a_jobs_only_labels() -> None:
    obj = job()
    obj["metadata"]["labels"] = {"mine": "yes"}
    assert Desk().create(obj)["metadata"]["labels"] == {"mine": "yes"}


def test_a_selector_of_ones_own_needs_to_be_asked_for() -> None:
    causes = Desk().causes(job(selector={"matchLabels": {"app": "x"}}))
    assert any("`selector` not auto-generated" in message for _, message in causes)
    obj = job(selector={"matchLabels": {"app": "x"}}, manualSelector=True)
    obj["spec"]["template"]["metadata"] = {"labels": {"app": "x"}}
    assert Desk().create(obj)["spec"]["selector"] == {"matchLabels": {"app": "x"}}


def test_pods_of_a_job_do_not_restart_always() -> None:
    obj = job()
    del obj["spec"]["template"]["spec"]["restartPolicy"]
    assert Desk().causes(obj) == [
        ("spec.template.spec.restartPolicy", 'Required value: valid values: "OnFailure", "Never"')
    ]


@pytest.mark.parametrize("field", ["parallelism", "completions", "backoffLimit", "ttlSecondsAfterFinished"])
def test_the_numbers_of_a_job_are_not_negative(field: str) -> None:
    assert Desk().causes(job(**{field: -1})) == [
        (f"spec.{field}", "Invalid value: -1: must be greater than or equal to 0")
    ]


def test_an_indexed_job_says_how_many_indexes_there_are() -> None:
    causes = Desk().causes(job(completionMode="Indexed", parallelism=1))
    assert causes == [("spec.completions", "Required value: when completion mode is Indexed")]


def test_the_template_of_a_job_does_not_change_once_it_may_have_begun() -> None:
    at = Desk()
    made = at.create(job())
    made["spec"]["template"]["spec"]["containers"][0]["image"] = "other"
    ((field, message),) = at.update_causes(made)
    assert field == "spec.template"
    assert message.endswith("field is immutable")


def test_the_template_of_a_suspended_job_may_change() -> None:
    at = Desk()
    made = at.create(job(suspend=True))
    made["spec"]["template"]["spec"]["nodeSelector"] = {"a": "b"}
    at.update(made)


def test_a_cron_job_gets_the_defaults_of_a_real_server() -> None:
    spec = Desk().create(cron_job("*/5 * * * *"))["spec"]
    template = spec.pop("jobTemplate")
    assert spec == {
        "schedule": "*/5 * * * *",
        "concurrencyPolicy": "Allow",
        "suspend": False,
        "successfulJobsHistoryLimit": 3,
        "failedJobsHistoryLimit": 1,
    }
    assert set(template["spec"]) == {"template"}


def test_the_name_of_a_cron_job_leaves_room_for_the_time() -> None:
    obj = cron_job("@daily")
    obj["metadata"]["name"] = "x" * 53
    assert Desk().causes(obj) == [("metadata.name", f'Invalid value: "{"x" * 53}": must be no more than 52 characters')]


@pytest.mark.parametrize(
    "good", ["* * * * *", "*/5 0-12/3 1,15 JAN-mar sun", "@daily", "@every 1h30m", "0 0 ? * 1-5", "5/15 * * * *"]
)
def test_schedules_of_the_documentation_are_taken(good: str) -> None:
    schedules.check(good)


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ("x", "expected exactly 5 fields, found 1: [x]"),
        ("60 * * * *", "end of range (60) above maximum (59): 60"),
        ("0 0 0 * *", "beginning of range (0) below minimum (1): 0"),
        ("5-3 * * * *", "beginning of range (5) beyond end of range (3): 5-3"),
        ("*/0 * * * *", "step of range should be a positive number: */0"),
        ("1-2-3 * * * *", "too many hyphens: 1-2-3"),
        ("*/2/3 * * * *", "too many slashes: */2/3"),
        ("a * * * *", 'failed to parse int from a: strconv.Atoi: parsing "a": invalid syntax'),
        ("@often", "unrecognized descriptor: @often"),
        ("@every 5x", 'failed to parse duration @every 5x: time: unknown unit "x" in duration "5x"'),
    ],
)
def test_a_schedule_that_is_none_is_refused(bad: str, why: str) -> None:
    assert Desk().causes(cron_job(bad)) == [("spec.schedule", f'Invalid value: "{bad}": {why}')]


def test_a_time_zone_stands_in_its_own_field() -> None:
    Desk().create(cron_job("@daily", timeZone="Etc/UTC"))
    assert Desk().causes(cron_job("@daily", timeZone="Mars/Olympus")) == [
        ("spec.timeZone", 'Invalid value: "Mars/Olympus": unknown time zone Mars/Olympus')
    ]
