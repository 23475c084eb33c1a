"""What a scrape tells of engines and results, over real HTTP."""

import pytest

from litmus.exporter import legacy, metrics
from litmus.exporter.counting import Counted
from tests import apiserver
from tests.exporter.conftest import Follow
from tests.exporter.stage import at, engine, epoch, fault, result

OURS = {"namespace": "shop", "engine": "hit", "experiment": "pod-delete"}
THEIRS = {
    "chaosresult_namespace": "shop",
    "chaosresult_name": "hit-pod-delete",
    "chaosengine_name": "hit",
    "chaosengine_context": "night",
    "fault_name": "pod-delete",
}
ENGINE = {"engine_namespace": "shop", "engine_name": "hit"}

# Names and labels of the original (reference, litmus-core §6).
L = tuple(THEIRS)
ORIGINAL = {
    "chaosengine_experiments_count": tuple(ENGINE),
    "chaosengine_passed_experiments": tuple(ENGINE),
    "chaosengine_failed_experiments": tuple(ENGINE),
    "chaosengine_waiting_experiments": tuple(ENGINE),
    "cluster_overall_experiments_count": (),
    "cluster_overall_passed_experiments": (),
    "cluster_overall_failed_experiments": (),
    "cluster_overall_RunningExperiment": (*ENGINE, "result_name"),
    "litmuschaos_passed_experiments": L,
    "litmuschaos_failed_experiments": L,
    "litmuschaos_awaited_experiments": (*L, "workflow_name"),
    "litmuschaos_experiment_verdict": (
        *L,
        "chaosresult_verdict",
        "probe_success_percentage",
        "app_label",
        "app_namespace",
        "app_kind",
        "workflow_name",
    ),
    "litmuschaos_probe_success_percentage": L,
    "litmuschaos_experiment_start_time": L,
    "litmuschaos_experiment_chaos_injected_time": L,
    "litmuschaos_experiment_end_time": L,
    "litmuschaos_experiment_total_duration": L,
    **{
        f"litmuschaos_{scope}_scoped_{name}": labels
        for scope, labels in (("namespace", ("chaosresult_namespace",)), ("cluster", ()))
        for name in (
            "passed_experiments",
            "failed_experiments",
            "awaited_experiments",
            "experiments_run_count",
            "experiments_installed_count",
        )
    },
}


def running(server: apiserver.Server, **changes: object) -> None:
    server.put("chaosengines", engine(verdict="Awaited"))
    run = {"step": "chaos", "chaosStartedAt": at(2), "chaosEndsAt": at(30)}
    server.put("chaosresults", result(run=run, targets=[{"name": "web-1", "injectedAt": at(3)}], **changes))


def passed(server: apiserver.Server, **changes: object) -> None:
    server.put("chaosengines", engine(verdict="Pass", status="completed"))
    run = {"step": "Pass", "chaosStartedAt": at(2), "chaosEndsAt": at(30), "finishedAt": at(40)}
    told: dict = {"verdict": "Pass", "percentage": "75", "history": {"passedRuns": 3, "failedRuns": 1}}
    told["targets"] = [{"name": "web-1", "injectedAt": at(3)}]
    server.put("chaosresults", result(run=run, **told | changes))


def test_every_metric_of_the_original_has_its_name_and_its_labels():
    found = {family.name: family.labels for family in legacy.families(pulse_s=10)}

    assert found == ORIGINAL
    assert {family.type for family in legacy.families(pulse_s=10)} == {"gauge"}


async def test_a_run_that_goes_on(server: apiserver.Server, follow: Follow):
    running(server)
    scraped = await (await follow()).scrape()

    assert scraped.one("cluster_overall_RunningExperiment", **ENGINE, result_name="hit-pod-delete") == 1
    assert scraped.one("chaosengine_waiting_experiments", **ENGINE) == 1
    assert scraped.one("litmuschaos_awaited_experiments", **THEIRS, workflow_name="flow") == 1
    assert scraped.one("litmuschaos_experiment_verdict", chaosresult_verdict="Awaited") == 0
    assert scraped.one("litmuschaos_experiment_end_time", **THEIRS) == 0
    assert scraped.one("litmus_run_info", **OURS, verdict="Awaited", uid="uid-of-hit", result="hit-pod-delete") == 1
    assert scraped.one("litmus_run_started_timestamp_seconds", **OURS) == epoch(1)
    assert scraped.all("litmus_run_finished_timestamp_seconds") == []
    assert scraped.one("litmus_chaos_active", **OURS, verdict="Awaited") == 1
    assert scraped.one("litmus_chaos_started_timestamp_seconds", **OURS, run="1", verdict="Awaited") == epoch(3)
    assert scraped.all("litmus_chaos_ended_timestamp_seconds") == []
    assert scraped.all("litmus_resilience_score") == []


async def test_a_run_that_is_over(server: apiserver.Server, follow: Follow):
    passed(server)
    scraped = await (await follow()).scrape()

    assert scraped.one("chaosengine_experiments_count", **ENGINE) == 1
    assert scraped.one("chaosengine_passed_experiments", **ENGINE) == 1
    assert scraped.one("chaosengine_failed_experiments", **ENGINE) == 0
    assert scraped.one("cluster_overall_passed_experiments") == 1
    assert scraped.all("cluster_overall_RunningExperiment") == []
    assert scraped.one("litmuschaos_passed_experiments", **THEIRS) == 3
    assert scraped.one("litmuschaos_probe_success_percentage", **THEIRS) == 75
    assert scraped.one("litmuschaos_experiment_start_time", **THEIRS) == epoch(1)
    assert scraped.one("litmuschaos_experiment_chaos_injected_time", **THEIRS) == epoch(3)
    assert scraped.one("litmuschaos_experiment_end_time", **THEIRS) == epoch(40)
    assert scraped.one("litmuschaos_experiment_total_duration", **THEIRS) == 39
    assert scraped.one("litmuschaos_namespace_scoped_experiments_run_count", chaosresult_namespace="shop") == 4
    assert scraped.one("litmuschaos_cluster_scoped_experiments_installed_count") == 1
    assert scraped.one("litmus_chaos_active", **OURS, verdict="Pass") == 0
    assert scraped.one("litmus_chaos_ended_timestamp_seconds", **OURS, run="1", verdict="Pass") == epoch(30)
    assert scraped.one("litmus_experiments_passed_total", **OURS) == 3
    assert scraped.one("litmus_experiments_failed_total", **OURS) == 1
    assert scraped.one("litmus_resilience_score", namespace="shop", engine="hit") == 75


async def test_a_new_verdict_is_a_pulse(server: apiserver.Server, follow: Follow):
    passed(server)
    exporter = await follow()
    exporter.now = epoch(45)
    labels = {
        **THEIRS,
        "chaosresult_verdict": "Pass",
        "probe_success_percentage": "75.000000",
        "app_label": "app=web",
        "app_namespace": "shop",
        "app_kind": "deployment",
        "workflow_name": "flow",
    }

    assert (await exporter.scrape()).one("litmuschaos_experiment_verdict", **labels) == 1
    exporter.now = epoch(51)
    assert (await exporter.scrape()).one("litmuschaos_experiment_verdict", **labels) == 0


async def test_an_engine_without_monitoring_is_left_out_of_what_1_10_counts(server: apiserver.Server, follow: Follow):
    passed(server)
    server.put("chaosengines", engine("quiet", verdict="Awaited", monitoring=False))
    scraped = await (await follow()).scrape()

    for name in ORIGINAL:
        if name.startswith("chaosengine_"):
            assert [labels["engine_name"] for labels in scraped.labels(name)] == ["hit"]
    assert scraped.one("cluster_overall_experiments_count") == 1
    assert scraped.all("cluster_overall_RunningExperiment") == []


async def test_the_ledger_and_a_fault_past_its_deadline(server: apiserver.Server, follow: Follow):
    kill = fault("two", mechanism="delete", undo={"kind": "none"}, deadline=1)
    running(server, faults=[fault("one", state="proven", deadline=30), fault("three", state="lost"), kill])
    exporter = await follow()
    exporter.now = epoch(35)
    scraped = await exporter.scrape()

    assert scraped.one("litmus_faults", **OURS, mechanism="netem", state="proven") == 1
    assert scraped.one("litmus_faults", **OURS, mechanism="netem", state="lost") == 1
    assert scraped.one("litmus_faults", **OURS, mechanism="delete", state="planned") == 1
    assert scraped.one("litmus_faults_open_past_deadline", **OURS, mechanism="netem") == 0
    assert scraped.all("litmus_faults_open_past_deadline", mechanism="delete") == []

    exporter.now = epoch(37)
    scraped = await exporter.scrape()
    assert scraped.one("litmus_faults_open_past_deadline", **OURS, mechanism="netem") == 1
    assert scraped.one("litmus_leftovers_total", mechanism="netem") == 1
    assert (await exporter.scrape()).one("litmus_leftovers_total", mechanism="netem") == 1


async def test_what_was_measured(server: apiserver.Server, follow: Follow):
    window = {"start": at(3.25), "end": at(33.5), "availability": {"value": 98.5}}
    signal = {"probe": "front", "baseline": window, "fault": window, "timeToRecover": {"value": 4.5}}
    signal["recovery"] = window | {"availability": {"unit": "%", "note": "too little was seen"}}
    hit = {"name": "web-1", "container": "web", "askedValue": 200.0, "deliveredValue": 201.5, "unit": "ms"}
    passed(server, impact={"signals": [signal]}, targets=[hit, {"name": "web-2"}], faults=[fault(state="reverted")])
    scraped = await (await follow()).scrape()

    where = {**OURS, "mechanism": "netem", "target": "web-1/web", "unit": "ms"}
    assert scraped.one("litmus_asked_value", **where) == 200
    assert scraped.one("litmus_delivered_value", **where) == 201.5
    assert len(scraped.all("litmus_asked_value")) == 1
    assert scraped.one("litmus_recovery_seconds", **OURS, signal="front") == 4.5
    assert scraped.one("litmus_availability_ratio", **OURS, signal="front", window="fault") == 0.985
    assert scraped.all("litmus_availability_ratio", window="recovery") == []
    assert scraped.one("litmus_chaos_started_timestamp_seconds", **OURS) == epoch(3.25)
    assert scraped.one("litmus_chaos_ended_timestamp_seconds", **OURS) == epoch(33.5)


async def test_a_result_in_the_spelling_of_3_x(server: apiserver.Server, follow: Follow):
    theirs = result()
    theirs["status"] = {
        "experimentStatus": {"phase": "Completed", "verdict": "Pass", "probeSuccessPercentage": "100"},
        "history": {"passedRuns": 1, "targets": [{"name": "web", "kind": "deployment", "chaosStatus": "reverted"}]},
    }
    server.put("chaosresults", theirs)
    scraped = await (await follow()).scrape()

    assert scraped.one("litmus_run_info", **OURS, verdict="Pass") == 1
    assert scraped.one("litmuschaos_probe_success_percentage") == 100
    assert scraped.one("litmuschaos_passed_experiments", chaosengine_context="") == 1


async def test_two_instances_of_an_experiment_are_two_series(server: apiserver.Server, follow: Follow):
    running(server)
    other = result()
    other["metadata"] |= {"name": "hit-pod-delete-blue", "uid": "another"}
    other["spec"]["instance"] = "blue"
    server.put("chaosresults", other)
    scraped = await (await follow()).scrape()

    assert scraped.one("litmus_chaos_active", experiment="pod-delete") == 1
    assert scraped.one("litmus_chaos_active", experiment="pod-delete-blue") == 0


@pytest.mark.parametrize("text", ['a"b', "a\\b", "a\nb", "ä→b", "a{b}=,c"])
async def test_a_name_with_characters_that_must_be_escaped(server: apiserver.Server, follow: Follow, text: str):
    strange = result()
    strange["spec"]["experiment"] = text
    server.put("chaosresults", strange)
    scraped = await (await follow()).scrape()

    assert [labels["experiment"] for labels in scraped.labels("litmus_run_info")] == [text]
    assert [labels["fault_name"] for labels in scraped.labels("litmuschaos_passed_experiments")] == [text]


def test_every_family_says_what_it_is_and_no_name_comes_twice():
    families = metrics.families(Counted(lambda: 0.0), pulse_s=10)

    assert len({family.name for family in families}) == len(families)
    for family in families:
        assert family.help.endswith(".")
        assert (family.type == "counter") == family.name.endswith("_total")
        assert len(set(family.labels)) == len(family.labels)


async def test_nothing_there_is_no_error(follow: Follow):
    scraped = await (await follow()).scrape()

    assert scraped.one("cluster_overall_experiments_count") == 0
    assert scraped.one("litmuschaos_cluster_scoped_experiments_run_count") == 0
