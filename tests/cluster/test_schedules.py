"""ChaosSchedules on a cluster: engines that come by themselves, and what stops them."""

import json

import pytest

from tests.cluster.stage import Stage, kubectl, litmus, until

SHORT = {"TOTAL_CHAOS_DURATION": 2, "CHAOS_INTERVAL": 2, "FORCE": "true"}
LONG = {"TOTAL_CHAOS_DURATION": 120, "CHAOS_INTERVAL": 2, "FORCE": "true"}


def schedule(stage: Stage, when: dict, env: dict = SHORT, **spec: object) -> None:
    template = stage.engine({"pod-delete": env})["spec"]
    about = {"apiVersion": "litmuschaos.io/v1alpha1", "kind": "ChaosSchedule", "metadata": {"name": "nightly"}}
    stage.apply({**about, "spec": {"schedule": when, "engineTemplateSpec": template, **spec}})


def change(stage: Stage, state: str) -> None:
    patch = f'{{"spec":{{"scheduleState":"{state}"}}}}'
    stage.kubectl("patch", "chaosschedule", "nightly", "--type=merge", "-p", patch)


def status(stage: Stage) -> dict:
    return stage.get("chaosschedule", "nightly").get("status", {})


def progress(stage: Stage, word: str) -> dict:
    def reached() -> dict | None:
        seen = status(stage).get("schedule", {})
        return seen if seen.get("status") == word else None

    return until(reached, f"the schedule to be {word}", deadline_s=90)


def test_now_runs_one_engine_to_its_verdict_and_completes(stage: Stage) -> None:
    stage.deploy(2)
    schedule(stage, {"now": True})
    assert progress(stage, "completed")["runInstances"] == 1
    assert stage.verdict(name="nightly")[0] == "Pass"
    # As a set: an event tells its time in whole seconds, and two of these are of the same one.
    said = {event.partition(":")[0] for event in stage.events("nightly", kind="ChaosSchedule")}
    assert said == {"SuccessfulCreate", "SawCompletedEngine", "ScheduleCompleted"}
    assert stage.get("chaosschedule", "nightly")["spec"]["scheduleState"] == "complete"
    assert stage.get("chaosengine", "nightly")["metadata"]["ownerReferences"][0]["name"] == "nightly"


def test_a_repeated_one_fires_at_the_full_minute_under_a_name_of_its_own(stage: Stage) -> None:
    stage.deploy(2)
    schedule(stage, {"repeat": {"properties": {"minChaosInterval": "1m"}}})
    first = until(lambda: stage.get("chaosengine"), "the first engine", deadline_s=75)[0]
    moment = int(first["metadata"]["name"].removeprefix("nightly-"))
    assert moment % 60 == 0
    seen = progress(stage, "running")
    assert seen["expectedNextRunTime"] > status(stage)["lastScheduleTime"]
    change(stage, "halt")
    progress(stage, "halted")
    assert stage.ended(first["metadata"]["name"])["engineStatus"] == "completed"  # it was let go on


def test_stop_ends_the_engine_that_runs_and_deleting_it_removes_it(stage: Stage) -> None:
    stage.deploy(2)
    schedule(stage, {"now": True}, LONG)
    until(lambda: stage.get("chaosengine", "nightly"), "the engine")
    stage.started(name="nightly")
    change(stage, "stop")
    progress(stage, "stopped")
    assert stage.ended("nightly")["engineStatus"] == "stopped"
    stage.kubectl("delete", "chaosschedule", "nightly")
    until(lambda: not stage.get("chaosengine"), "the engine to go with its schedule", deadline_s=90)


def test_deleting_a_schedule_stops_its_engine(stage: Stage) -> None:
    stage.deploy(2)
    schedule(stage, {"now": True}, LONG)
    until(lambda: stage.get("chaosengine", "nightly"), "the engine")
    stage.started(name="nightly")
    stage.kubectl("delete", "chaosschedule", "nightly")
    until(lambda: not stage.get("chaosengine"), "the engine to be gone", deadline_s=90)
    stage.swept()


def test_one_that_never_fires_is_refused_with_the_path(stage: Stage) -> None:
    hours = {"properties": {"minChaosInterval": "5h"}, "workHours": {"includedHours": "1-4"}}
    schedule(stage, {"repeat": hours})
    assert progress(stage, "refused")["message"].startswith(
        "spec.schedule.repeat.workHours.includedHours: it can never"
    )
    assert stage.events("nightly", kind="ChaosSchedule", warnings=True)[0].startswith("FailedNeedsStart")


@pytest.mark.parametrize(
    "when",
    [
        {"repeat": {"properties": {"minChaosInterval": "1h"}, "workHours": {"includedHours": "25"}}},
        {"repeat": {"properties": {"minChaosInterval": "1h"}, "workDays": {"includedDays": "1-5"}}},
        {"once": {"executionTime": "tomorrow"}},
    ],
)
def test_what_the_schema_can_tell_is_refused_when_it_is_applied(stage: Stage, when: dict) -> None:
    with pytest.raises(AssertionError, match="should match"):
        schedule(stage, when)
    assert "nightly" not in kubectl("get", "chaosschedules", "-n", stage.name)


def test_a_report_has_the_results_and_the_score_of_all_engines_that_a_schedule_made(stage: Stage) -> None:
    stage.deploy(2)
    schedule(stage, {"repeat": {"properties": {"minChaosInterval": "1m"}}}, concurrencyPolicy="Allow")

    def two() -> list[dict] | None:
        found = stage.get("chaosengine")
        return found if len(found) == 2 else None

    made = [engine["metadata"]["name"] for engine in until(two, "the second engine", deadline_s=200)]
    change(stage, "halt")
    stage.apply(stage.engine({"pod-delete": SHORT}, name="other"))  # which is not of the schedule
    for name in (*made, "other"):
        stage.ended(name)
    told = json.loads(litmus("report", "--schedule", "nightly", "-n", stage.name, "--json", check=True).out)
    assert [result["engineName"] for result in told["results"]] == sorted(made)
    assert {result["verdict"] for result in told["results"]} == {"Pass"}
    assert told["resilienceScore"]["value"] == 100.0
    assert [part["engine"] for part in told["resilienceScore"]["parts"]] == sorted(made)
