"""What the operator tells of itself on the port of its health, read as Prometheus reads it."""

import asyncio
import socket
from collections.abc import AsyncIterator

import aiohttp
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as as_openmetrics
from prometheus_client.parser import text_string_to_metric_families as as_text

from litmus.api import names
from litmus.kube import errors, events, helpers
from litmus.operator import health, keeper, metrics, reaper
from litmus.operator.decide import Action
from tests import samples

PAST = "2020-01-01T00:00:00Z"
OPENMETRICS = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"


@pytest.fixture
def figures() -> metrics.Figures:
    return metrics.Figures()


def read(figures: metrics.Figures, accept: str = "") -> dict[str, float]:
    """Every sample by its name and label values."""
    text, content_type = figures.text(accept)
    families = as_openmetrics if "openmetrics" in content_type else as_text
    return {
        " ".join([sample.name, *sample.labels.values()]): sample.value
        for family in families(text.decode())
        for sample in family.samples
    }


def test_an_operator_that_stands_by_is_not_up_and_has_the_series_that_alerts_look_at(figures):
    seen = read(figures)
    assert seen["litmus_operator_up"] == 0
    assert seen["litmus_operator_queue_depth"] == 0
    assert seen["litmus_operator_reconcile_seconds_count"] == 0
    assert {seen[f"litmus_reaper_actions_total {result}"] for result in ("reverted", "moot", "failed")} == {0}
    assert seen["process_resident_memory_bytes"] > 0
    figures.leads(True)
    assert read(figures)["litmus_operator_up"] == 1


def test_two_operators_of_one_process_do_not_count_for_each_other(figures):
    metrics.Figures().reaped("failed")
    assert read(figures)["litmus_reaper_actions_total failed"] == 0


@pytest.mark.parametrize("accept", ["", "text/plain;version=1.0.0", OPENMETRICS])
def test_a_mechanism_with_characters_of_the_format_is_one_label_value(figures, accept):
    figures.left_over('net"em\\\n{}')
    assert read(figures, accept)['litmus_reaper_leftovers_total net"em\\\n{}'] == 1


def test_the_mechanisms_of_results_cannot_fill_the_memory(figures):
    for number in range(500):
        figures.left_over(f"made-up-{number}")
    figures.left_over("made-up-0")
    seen = {name: value for name, value in read(figures).items() if name.startswith("litmus_reaper_leftovers_total")}
    assert len(seen) <= 101
    assert seen["litmus_reaper_leftovers_total other"] == 400
    assert seen["litmus_reaper_leftovers_total made-up-0"] == 2


@pytest.mark.looptime
async def test_every_step_is_timed_also_one_that_fails(figures):
    answers: list[Action | Exception] = [errors.Unreachable("x"), Action.COMPLETE, Action.IDLE]

    async def reconcile() -> Action:
        await asyncio.sleep(2)
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    kept = keeper.Keeper(took=figures.reconciled)
    kept.attend("uid", reconcile)
    await asyncio.sleep(60)
    assert len(kept) == 0
    seen = read(figures)
    assert seen["litmus_operator_reconcile_seconds_count"] == 3
    assert seen["litmus_operator_reconcile_seconds_sum"] == pytest.approx(6)
    assert seen["litmus_operator_reconcile_seconds_bucket 1.0"] == 0
    assert seen["litmus_operator_reconcile_seconds_bucket 2.5"] == 3


@pytest.mark.looptime
async def test_the_queue_has_what_is_under_way_due_or_to_be_tried_again(figures):
    kept = keeper.Keeper()
    figures.queue(lambda: kept.behind)
    refused = True

    async def reconcile() -> Action:
        await asyncio.sleep(1)
        if refused:
            raise errors.Unreachable("x")
        return Action.WAIT

    def depth() -> float:
        return read(figures)["litmus_operator_queue_depth"]

    kept.attend("a", reconcile)
    kept.attend("b", reconcile)
    assert depth() == 2  # due
    await asyncio.sleep(0.5)
    assert depth() == 2  # under way
    await asyncio.sleep(0.6)
    assert depth() == 2  # to be tried again
    refused = False
    await asyncio.sleep(3)
    assert depth() == 0  # they wait for a change
    kept.wake("b")
    assert depth() == 1
    await kept.close()


@pytest.fixture
def reap(cluster, figures):
    made = reaper.Reaper(
        cluster=cluster,
        poster=events.Poster(cluster, names.OPERATOR_NAME),
        namespace="shop",
        own_namespace="litmus",
        image=helpers.Image(name="litmus-py/litmus:0"),
        figures=figures,
    )

    async def look() -> None:
        for effort in made._efforts.values():
            effort.not_before = 0.0
        await made.look()
        await made.idle()

    return look


def a_record(server, undo: dict) -> None:
    fault = {"id": "a", "mechanism": "magic", "node": "n", "undo": undo, "deadline": PAST, "state": "injected"}
    meta = {"labels": {names.OPEN_FAULTS_LABEL: "true"}, "finalizers": [names.RESULT_FINALIZER]}
    server.put("chaosresults", samples.result(meta=meta, faults=[fault], run={"pod": "gone"}))


async def test_each_try_counts_and_a_fault_that_stays_is_left_over_once(server, reap, figures):
    a_record(server, {"kind": "magic"})
    await reap()
    await reap()
    seen = read(figures)
    assert seen["litmus_reaper_actions_total failed"] == 2
    assert seen["litmus_reaper_leftovers_total magic"] == 1


async def test_what_is_undone_at_once_is_no_leftover(server, reap, figures):
    uid = server.put("nodes", samples.node("node-1"), namespace="")["metadata"]["uid"]
    before = {"unschedulable": False}
    a_record(server, {"kind": "uncordon", "fault_id": "a", "node": "node-1", "uid": uid, "before": before})
    await reap()
    seen = read(figures)
    assert seen["litmus_reaper_actions_total moot"] + seen["litmus_reaper_actions_total reverted"] == 1
    assert seen["litmus_reaper_actions_total failed"] == 0
    assert "litmus_reaper_leftovers_total magic" not in seen


@pytest.fixture
async def port(figures) -> AsyncIterator[int]:
    with socket.socket() as found:
        found.bind(("0.0.0.0", 0))
        free = found.getsockname()[1]
    async with health.serving(free, figures, ready=lambda: False):
        yield free


async def test_the_port_of_the_health_serves_them(port, figures):
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http:
        async with http.get("/metrics") as answer:
            assert answer.status == 200
            assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
            assert "litmus_operator_up 0.0" in await answer.text()
        async with http.get("/metrics", headers={"Accept": OPENMETRICS}) as answer:
            assert answer.headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
            assert (await answer.text()).endswith("# EOF\n")
        async with http.get("/healthz") as answer:
            assert answer.status == 200
        async with http.get("/readyz") as answer:
            assert (answer.status, await answer.text()) == (503, "the watches are starting\n")


async def test_a_port_that_is_taken_is_said_with_its_number(figures):
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(errors.ConfigError, match=f"can't listen on port {port}"):
            async with health.serving(port, figures, ready=lambda: True):
                pass


async def test_it_is_up_once_the_watches_have_begun(figures):
    from litmus.operator import serve

    ready, starting, stop = asyncio.Event(), asyncio.Event(), asyncio.Event()
    starting.set()
    task = asyncio.create_task(serve._started(ready, starting, stop, figures))
    await asyncio.sleep(0)
    assert read(figures)["litmus_operator_up"] == 0
    ready.set()
    await task
    assert read(figures)["litmus_operator_up"] == 1
