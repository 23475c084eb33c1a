"""The ChaosResult of a run: its verdict, its history, and the ledger of faults inside it."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litmus import api
from litmus.api import names
from litmus.api.result import OPEN_STATES, History
from litmus.kube import Cluster, clock, results
from tests import samples
from tests.conftest import connection

NAME = "shop-chaos-pod-delete"


def fault(
    id_: str = "pod-delete/node-1", *, state: str = "planned", undo: str = "none", message: str = ""
) -> api.Fault:
    return api.Fault(
        id=id_,
        mechanism="pod-delete",
        node="node-1",
        undo={"kind": undo},
        deadline="2026-01-01T00:00:30Z",
        state=state,
        message=message,
    )


def diary(cluster, **changes) -> results.Results:
    where = {"namespace": "shop", "engine": "shop-chaos", "experiment": "pod-delete", **changes}
    return results.Results(cluster, **where)


@pytest.mark.parametrize(
    ("verdict", "phase", "percentage"),
    [("Pass", "Completed", "100"), ("Fail", "Completed", "0"), ("Stopped", "Stopped", "0"), ("Error", "Error", "0")],
)
def test_a_verdict_has_the_phase_and_the_probe_percentage_of_the_original(verdict, phase, percentage):
    outcome = results.outcome(results.Verdict(verdict=verdict))
    assert (outcome.verdict, outcome.phase, outcome.probe_success_percentage) == (verdict, phase, percentage)
    assert outcome.fail_step == "N/A"
    assert outcome.error_output is None


def test_a_failure_is_told_as_a_sentence_and_as_a_stable_code():
    outcome = results.outcome(results.Verdict(verdict="Fail", fail_step="2 of 3 pods", code="STATUS_CHECKS_ERROR"))
    assert outcome.fail_step == "2 of 3 pods"
    assert outcome.error_output == api.result.ErrorOutput(error_code="STATUS_CHECKS_ERROR", reason="2 of 3 pods")


@given(st.lists(st.sampled_from(["Pass", "Fail", "Stopped", "Error"]), max_size=20))
def test_the_history_counts_every_verdict_once(verdicts):
    history = History()
    for verdict in verdicts:
        history = results.counted(history, verdict)
    assert history == History(
        passed_runs=verdicts.count("Pass"),
        failed_runs=verdicts.count("Fail"),
        stopped_runs=verdicts.count("Stopped"),
        error_runs=verdicts.count("Error"),
    )
    assert results.runs(history) == len(verdicts)


def test_a_record_moves_to_its_next_state_and_keeps_its_message_unless_there_is_a_new_one():
    before = fault(message="first")
    assert results.moved(before, "injected", "").message == "first"
    after = results.moved(before, "reverted", "second")
    assert (after.state, after.message, after.id, after.undo) == ("reverted", "second", before.id, before.undo)
    assert after.updated_at


@pytest.mark.parametrize("state", ["planned", "injected", "proven", "reverted", "moot", "lost"])
@pytest.mark.parametrize("undo", ["none", "netem"])
def test_the_end_of_a_run_closes_open_records_that_have_nothing_to_undo_and_no_others(state, undo):
    before = fault(state=state, undo=undo)
    after = results.settled(before)
    if state in OPEN_STATES and undo == "none":
        assert after.state == "moot"
        assert after.message
    else:
        assert after == before


@pytest.mark.parametrize("others", [[], ["somebody.io/else"]])
@pytest.mark.parametrize("before", [[], [names.RESULT_FINALIZER]])
def test_a_result_with_an_open_record_is_kept_from_deletion_and_found_by_its_label(before, others):
    seen = samples.a_result(meta={"finalizers": [*others, *before]})
    patch = results.ledger_patch(seen, [fault(state="moot"), fault("b", state="injected")])
    assert patch["metadata"]["finalizers"] == [*others, names.RESULT_FINALIZER]
    assert patch["metadata"]["labels"] == {names.OPEN_FAULTS_LABEL: "true"}
    assert [entry["id"] for entry in patch["status"]["faults"]] == ["pod-delete/node-1", "b"]


@pytest.mark.parametrize("faults", [[], [fault(state="moot"), fault("b", state="reverted"), fault("c", state="lost")]])
def test_a_result_without_an_open_record_may_be_deleted_and_others_finalizers_stay(faults):
    seen = samples.a_result(meta={"finalizers": [names.RESULT_FINALIZER, "somebody.io/else"]})
    patch = results.ledger_patch(seen, faults)
    assert patch["metadata"] == {"finalizers": ["somebody.io/else"], "labels": {names.OPEN_FAULTS_LABEL: None}}


async def test_a_run_begins_with_the_verdict_awaited(server, cluster):
    await diary(cluster).begin(engine_uid="u1", pod="pod-delete-x")
    seen = server.get("chaosresults", NAME)
    assert seen["metadata"]["labels"][names.CHAOS_UID] == "u1"
    assert seen["spec"] == {"engine": "shop-chaos", "experiment": "pod-delete"}
    status = seen["status"]
    assert status["experimentstatus"] == {
        "phase": "Running",
        "verdict": "Awaited",
        "failStep": "N/A",
        "probeSuccessPercentage": "Awaited",
    }
    assert (status["run"]["number"], status["run"]["pod"], status["run"]["engineUid"]) == (1, "pod-delete-x", "u1")
    assert status["history"] == {"passedRuns": 0, "failedRuns": 0, "stoppedRuns": 0, "errorRuns": 0, "runs": []}


async def test_an_instance_is_part_of_the_name_and_told_in_the_spec(server, cluster):
    await diary(cluster, instance="blue").begin(engine_uid="u", pod="p")
    assert server.get("chaosresults", f"{NAME}-blue")["spec"]["instance"] == "blue"


async def test_a_new_run_keeps_the_history_and_open_records_and_forgets_the_rest(server, cluster):
    first = diary(cluster)
    await first.begin(engine_uid="u1", pod="p1")
    await first.record([fault("open", undo="netem"), fault("closed", state="moot")])
    await first.step("chaos", chaosStartedAt="2026-01-01T00:00:00Z", chaosEndsAt="2026-01-01T00:00:30Z")
    verdict = results.Verdict(verdict="Fail", fail_step="it did not hold", code="STATUS_CHECKS_ERROR")
    await first.finish(verdict, targets=[api.Target(name="web-1")])

    await diary(cluster).begin(engine_uid="u2", pod="p2")
    status = server.get("chaosresults", NAME)["status"]
    assert status["experimentstatus"] == {
        "phase": "Running",
        "verdict": "Awaited",
        "failStep": "N/A",
        "probeSuccessPercentage": "Awaited",
    }
    assert {key: status["run"][key] for key in ("engineUid", "number", "pod", "step")} == {
        "engineUid": "u2",
        "number": 2,
        "pod": "p2",
        "step": "starting",
    }
    assert not {"chaosStartedAt", "chaosEndsAt", "finishedAt"} & set(status["run"])
    assert status["targets"] == []
    assert [record["id"] for record in status["faults"]] == ["open"]
    assert status["history"]["failedRuns"] == 1


async def test_two_who_begin_at_once_both_find_the_one_result(server, cluster):
    await asyncio.gather(*(diary(cluster).begin(engine_uid="u", pod=str(n)) for n in range(3)))
    assert [item["metadata"]["name"] for item in server.all("chaosresults")] == [NAME]


async def test_records_are_added_or_replaced_by_their_id(server, cluster):
    book = diary(cluster)
    await book.begin(engine_uid="u", pod="p")
    await book.record([fault("a"), fault("b")])
    await book.record([fault("b", state="injected"), fault("c")])
    records = server.get("chaosresults", NAME)["status"]["faults"]
    assert [(record["id"], record["state"]) for record in records] == [
        ("a", "planned"),
        ("b", "injected"),
        ("c", "planned"),
    ]


async def test_a_record_is_never_lost_to_somebody_who_writes_at_the_same_time(server, cluster):
    await diary(cluster).begin(engine_uid="u", pod="p")
    books = [diary(cluster) for _ in range(4)]
    await asyncio.gather(*(book.record([fault(f"record-{n}")]) for n, book in enumerate(books)))
    records = server.get("chaosresults", NAME)["status"]["faults"]
    assert sorted(record["id"] for record in records) == [f"record-{n}" for n in range(4)]


async def test_moving_records_writes_who_was_hit_and_touches_no_other_record(server, cluster):
    book = diary(cluster)
    await book.begin(engine_uid="u", pod="p")
    await book.record([fault("a"), fault("b")])
    await book.move(["a"], "moot", targets=[api.Target(name="web-1", uid="1")], message="replaced")
    seen = server.get("chaosresults", NAME)
    assert [(r["id"], r["state"], r["message"]) for r in seen["status"]["faults"]] == [
        ("a", "moot", "replaced"),
        ("b", "planned", ""),
    ]
    assert [target["name"] for target in seen["status"]["targets"]] == ["web-1"]
    assert seen["metadata"]["finalizers"] == [names.RESULT_FINALIZER]
    await book.move(["b"], "reverted", targets=[])
    seen = server.get("chaosresults", NAME)
    assert seen["metadata"]["finalizers"] == []
    assert names.OPEN_FAULTS_LABEL not in seen["metadata"]["labels"]


async def test_of_very_many_targets_the_latest_stay(server, cluster, monkeypatch):
    monkeypatch.setattr(results, "MAX_TARGETS", 3)
    book = diary(cluster)
    await book.begin(engine_uid="u", pod="p")
    await book.move([], "moot", targets=[api.Target(name=f"web-{n}") for n in range(5)])
    targets = server.get("chaosresults", NAME)["status"]["targets"]
    assert [target["name"] for target in targets] == ["web-2", "web-3", "web-4"]


async def test_the_last_write_has_the_verdict_the_count_and_the_sign_that_it_is_the_last(server, cluster):
    book = diary(cluster)
    await book.begin(engine_uid="u", pod="p")
    await book.record([fault("a", state="injected"), fault("b", state="injected", undo="netem")])
    await book.finish(results.Verdict(verdict="Pass"))
    seen = server.get("chaosresults", NAME)
    status = seen["status"]
    assert status["experimentstatus"] == {
        "phase": "Completed",
        "verdict": "Pass",
        "failStep": "N/A",
        "probeSuccessPercentage": "100",
    }
    assert clock.parse(status["run"]["finishedAt"])
    assert status["history"]["passedRuns"] == 1
    assert [(r["id"], r["state"]) for r in status["faults"]] == [("a", "moot"), ("b", "injected")]
    assert seen["metadata"]["finalizers"] == [names.RESULT_FINALIZER]


async def test_a_run_that_never_began_is_settled_with_a_result_of_its_own(server, cluster):
    given = await diary(cluster).settle(
        results.Verdict(verdict="Error", fail_step="no image"), engine_uid="u", begun=False
    )
    assert given == "Error"
    status = server.get("chaosresults", NAME)["status"]
    assert (status["experimentstatus"]["verdict"], status["experimentstatus"]["failStep"]) == ("Error", "no image")
    assert status["history"]["errorRuns"] == 1


async def test_a_verdict_that_the_experiment_gave_itself_stays(server, cluster):
    book = diary(cluster)
    await book.begin(engine_uid="u", pod="p")
    await book.finish(results.Verdict(verdict="Fail", fail_step="down"))
    given = await diary(cluster).settle(results.Verdict(verdict="Stopped"), engine_uid="u", begun=True)
    assert given == "Fail"
    assert server.get("chaosresults", NAME)["status"]["history"]["stoppedRuns"] == 0


async def test_the_verdict_of_an_earlier_run_is_not_taken_for_that_of_one_which_never_began(server, cluster):
    book = diary(cluster)
    await book.begin(engine_uid="u1", pod="p")
    await book.finish(results.Verdict(verdict="Pass"))
    given = await diary(cluster).settle(results.Verdict(verdict="Error", fail_step="x"), engine_uid="u2", begun=False)
    assert given == "Error"
    status = server.get("chaosresults", NAME)["status"]
    assert status["experimentstatus"]["verdict"] == "Error"
    assert (status["history"]["passedRuns"], status["history"]["errorRuns"]) == (1, 1)


async def test_a_run_that_began_and_gave_no_verdict_is_settled_with_the_one_given_for_it(server, cluster):
    await diary(cluster).begin(engine_uid="u", pod="p")
    given = await diary(cluster).settle(results.Verdict(verdict="Stopped"), engine_uid="u", begun=True)
    assert given == "Stopped"
    assert server.get("chaosresults", NAME)["status"]["experimentstatus"]["phase"] == "Stopped"


async def test_an_end_whose_answer_was_lost_is_counted_once(server):
    async with Cluster(connection(server.url), patience_s=5) as patient:
        run = diary(patient)
        await run.begin(engine_uid="u", pod="p")
        server.lose("patch", "chaosresults")
        await run.finish(results.Verdict(verdict="Pass"))
    assert server.get("chaosresults", NAME)["status"]["history"]["passedRuns"] == 1


async def test_a_beginning_whose_answer_was_lost_is_begun_all_the_same(server):
    async with Cluster(connection(server.url), patience_s=5) as patient:
        server.lose("create", "chaosresults")
        await diary(patient).begin(engine_uid="u", pod="p")
    assert server.get("chaosresults", NAME)["status"]["experimentstatus"]["verdict"] == "Awaited"
