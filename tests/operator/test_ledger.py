"""The reaper: records of a run that is over are closed, and a fault that could not be undone is called out."""

import asyncio

import pytest

from litmus.api import names
from litmus.kube import events
from litmus.operator import ledger
from tests import samples

PAST, FUTURE = "2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z"


def record(id_: str = "a", *, state: str = "injected", undo: str = "none", deadline: str = PAST) -> dict:
    return {
        "id": id_,
        "mechanism": "kill",
        "node": "node-1",
        "undo": {"kind": undo},
        "deadline": deadline,
        "state": state,
    }


def put(server, *records: dict, pod: str = "pod-delete-x", name: str = "shop-chaos-pod-delete") -> None:
    meta = {"labels": {names.OPEN_FAULTS_LABEL: "true"}, "finalizers": [names.RESULT_FINALIZER]}
    server.put("chaosresults", samples.result(name=name, meta=meta, faults=list(records), run={"pod": pod}))


@pytest.fixture
def reap(cluster):
    poster = events.Poster(cluster, names.OPERATOR_NAME)
    return lambda namespace="shop": ledger.reap(cluster, poster, namespace=namespace)


def states(server, name: str = "shop-chaos-pod-delete") -> dict[str, str]:
    return {fault["id"]: fault["state"] for fault in server.get("chaosresults", name)["status"]["faults"]}


async def test_a_record_whose_run_is_alive_is_left_to_it(server, reap):
    server.put("pods", samples.pod("pod-delete-x"))
    put(server, record(deadline=FUTURE))
    assert await reap() == 0
    assert states(server) == {"a": "injected"}


async def test_the_record_of_a_kill_is_left_to_a_living_run_whatever_its_deadline(server, reap):
    """A slow recovery keeps it open beyond the chaos, and there is nothing to undo."""
    server.put("pods", samples.pod("pod-delete-x"))
    put(server, record(deadline=PAST))
    assert await reap() == 0


@pytest.mark.parametrize("phase", [None, "Succeeded", "Failed"])
async def test_a_record_whose_run_is_over_is_closed_and_the_result_released(server, reap, phase):
    if phase:
        server.put("pods", samples.pod("pod-delete-x", phase=phase))
    put(server, record(deadline=FUTURE))
    assert await reap() == 1
    assert states(server) == {"a": "moot"}
    meta = server.get("chaosresults", "shop-chaos-pod-delete")["metadata"]
    assert meta["finalizers"] == []
    assert names.OPEN_FAULTS_LABEL not in meta["labels"]
    assert await reap() == 0


async def test_a_result_that_was_begun_without_a_pod_has_nobody_to_look_after_it(server, reap):
    put(server, record(), pod="")
    assert await reap() == 1


async def test_a_fault_that_can_not_be_undone_stays_open_and_is_called_out_each_time(server, reap):
    put(server, record("kill"), record("netem", undo="netem"))
    assert await reap() == 1
    assert states(server) == {"kill": "moot", "netem": "injected"}
    assert server.get("chaosresults", "shop-chaos-pod-delete")["metadata"]["finalizers"] == [names.RESULT_FINALIZER]
    assert await reap() == 1
    [event] = server.all("events")
    assert (event["reason"], event["type"], event["count"]) == ("FaultNotReverted", "Warning", 2)
    assert "node-1" in event["message"]


async def test_a_fault_to_undo_that_is_past_its_deadline_is_abandoned_even_if_its_run_lives(server, reap):
    server.put("pods", samples.pod("pod-delete-x"))
    put(server, record(undo="netem", deadline=PAST))
    assert await reap() == 1


async def test_only_results_with_open_records_are_read(server, reap):
    server.put("chaosresults", samples.result(name="closed"))
    assert await reap() == 0
    [asked] = server.asked
    assert asked.query["labelSelector"] == f"{names.OPEN_FAULTS_LABEL}=true"


async def test_results_of_every_namespace_are_looked_after_when_asked_for(server, reap):
    put(server, record())
    assert await reap("elsewhere") == 0
    assert await reap("*") == 1


async def test_a_result_of_the_same_name_but_another_uid_is_left_alone(server, cluster, reap):
    put(server, record())
    stale = server.get("chaosresults", "shop-chaos-pod-delete")
    replaced = iter([True])

    def meddle(asked):
        if asked.verb == "patch" and next(replaced, False):
            server.remove("chaosresults", "shop-chaos-pod-delete")
            put(server, record(state="planned"))
            server.get("chaosresults", "shop-chaos-pod-delete")["metadata"]["uid"] = "another"

    with server.answer(meddle):
        await reap()
    assert stale["metadata"]["uid"] != "another"
    assert states(server) == {"a": "planned"}


async def test_a_cluster_that_does_not_answer_is_asked_again(server, cluster, monkeypatch):
    monkeypatch.setattr(ledger, "PERIOD_S", 0.001)
    put(server, record())
    server.forbid("list", "chaosresults")
    task = asyncio.create_task(
        ledger.reap_forever(cluster, events.Poster(cluster, names.OPERATOR_NAME), namespace="shop")
    )
    await server.until_asked("list", "chaosresults", times=2)
    server._forbidden.clear()
    await server.until_asked("patch", "chaosresults")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("deadline", ["tomorrow", "2026-01-01T00:00:00"])
async def test_a_deadline_that_can_not_be_read_does_not_end_the_reaper(server, reap, deadline):
    put(server, record(undo="netem", deadline=deadline), name="bad")
    put(server, record(), name="good")
    await reap()
    assert states(server, "good") != {"a": "injected"}


async def test_a_result_that_can_not_be_decoded_hides_no_other_from_the_reaper(server, reap):
    labels = {"labels": {names.OPEN_FAULTS_LABEL: "true"}}
    bad = samples.result(name="bad", meta=labels, experimentstatus={"phase": "Completed_With_Probe_Failure"})
    server.put("chaosresults", bad)
    put(server, record(), name="good")
    await reap()
    assert states(server, "good") != {"a": "injected"}
