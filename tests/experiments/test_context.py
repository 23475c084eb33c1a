"""What an experiment works with while it runs."""

import asyncio
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litmus import api
from litmus.experiments import tunables
from litmus.experiments.context import Context, together
from litmus.experiments.pod_delete import PodDelete
from litmus.kube import clock, errors
from tests import samples
from tests.experiments import stage


def drawn(interval: str, randomness: str = "false", seed: int = 0) -> float:
    context = object.__new__(Context)
    context.values = stage.values(PodDelete(), CHAOS_INTERVAL=interval, RANDOMNESS=randomness)
    context._rng = random.Random(seed)
    return context.interval_s()


def test_an_interval_is_what_was_asked_for():
    assert drawn("7") == 7


@given(st.integers(0, 1000))
def test_an_interval_that_is_a_range_is_drawn_from_it(seed):
    assert 5 <= drawn("5-10", seed=seed) <= 10


@given(st.integers(0, 1000))
def test_randomness_draws_between_a_second_and_the_interval(seed):
    assert 1 <= drawn("10", "true", seed=seed) <= 10


def test_randomness_never_makes_an_interval_longer():
    assert drawn("0.5", "true") == 0.5


async def test_the_first_round_can_be_known_before_the_run_and_differs_between_rounds(server, cluster):
    stage.deployment(server, *(f"web-{n}" for n in range(9)))
    context = await stage.context(server, cluster, PodDelete())
    rounds = [(await context.choose(number, successors={})).chosen for number in range(6)]
    again = [(await context.choose(number, successors={})).chosen for number in range(6)]
    assert rounds == again
    assert len({chosen[0].metadata.name for chosen in rounds}) > 1


async def test_there_is_one_record_a_node_with_all_its_targets_and_a_deadline(server, cluster):
    context = await stage.context(server, cluster, PodDelete())
    await context.start_chaos(60)
    pods = [samples.a_pod("a", node="n1"), samples.a_pod("b", node="n2"), samples.a_pod("c", node="n1")]
    ids = await context.plan_faults("pod-delete", [(pod, "web") for pod in pods])
    records = stage.ledger(server, "pod-delete")
    assert [record["id"] for record in records] == ids
    assert {record["node"]: [target["name"] for target in record["targets"]] for record in records} == {
        "n1": ["a", "c"],
        "n2": ["b"],
    }
    ends = clock.parse(server.get("chaosresults", "shop-chaos-pod-delete")["status"]["run"]["chaosEndsAt"])
    for record in records:
        assert record["state"] == "planned"
        assert record["undo"] == {"kind": "none"}
        assert abs((clock.parse(record["deadline"]) - ends).total_seconds()) <= 1


async def test_a_record_of_a_later_hit_on_a_node_has_an_id_of_its_own(server, cluster):
    """In series a node is hit again while the first pod still ends: its record must stay open."""
    context = await stage.context(server, cluster, PodDelete())
    await context.start_chaos(60)
    first = await context.plan_faults("pod-delete", [(samples.a_pod("a", node="n1"), "")])
    context.note(api.Target(name="a"))
    second = await context.plan_faults("pod-delete", [(samples.a_pod("b", node="n1"), "")])
    assert (first, second) == (["pod-delete/n1/0"], ["pod-delete/n1/1"])
    assert [record["state"] for record in stage.ledger(server, "pod-delete")] == ["planned", "planned"]


async def test_chaos_is_not_over_before_its_first_round(server, cluster):
    """A slow API server may use up a short duration: a run that did nothing proves nothing."""
    context = await stage.context(server, cluster, PodDelete())
    await context.start_chaos(0)
    assert not context.over()
    context.rounds = 1
    assert context.over()


async def test_the_start_and_the_planned_end_of_the_chaos_are_told(server, cluster):
    context = await stage.context(server, cluster, PodDelete())
    await context.start_chaos(60)
    run = server.get("chaosresults", "shop-chaos-pod-delete")["status"]["run"]
    assert run["step"] == "chaos"
    assert (clock.parse(run["chaosEndsAt"]) - clock.parse(run["chaosStartedAt"])).total_seconds() == 60


async def test_all_that_is_done_together_is_answered_in_order():
    async def after(turns: int) -> int:
        for _ in range(turns):
            await asyncio.sleep(0)
        return turns

    assert await together(after(turns) for turns in (3, 1, 2)) == [3, 1, 2]


async def test_the_first_failure_is_raised_as_itself_and_cancels_the_others():
    cancelled = []

    async def endless() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append("cancelled")
            raise

    async def fail() -> None:
        raise errors.NotFound("gone")

    with pytest.raises(errors.NotFound, match="gone"):
        await together([endless(), fail()])
    assert cancelled == ["cancelled"]


async def test_an_interval_of_the_context_is_read_from_its_tunables(server, cluster):
    context = await stage.context(server, cluster, PodDelete(), CHAOS_INTERVAL="3")
    assert context.interval_s() == context.values[tunables.INTERVAL].low == 3
