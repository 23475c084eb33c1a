"""Who is hit: a pure function of the pods and a seed, by the rules of the reference, 5.2."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litmus.api.targeting import ANY_OWNER, POD, AppTarget
from litmus.experiments import selection, tunables, verdicts
from litmus.experiments.pod_delete import PodDelete
from litmus.experiments.tunables import Range
from tests import samples
from tests.experiments import stage

numbers = st.integers(0, 40)
shares = st.integers(0, 100)
seeds = st.text("ab/0", max_size=4)


def pods(count: int) -> list:
    return [samples.a_pod(f"web-{number:02}") for number in range(count)]


def chosen(total: int, share: int, seed: str = "s") -> list[str]:
    return [pod.metadata.name for pod in selection.window(pods(total), Range(share, share), seed=seed)]


@given(shares, numbers)
def test_a_percentage_hits_its_share_rounded_down_but_at_least_one(share, total):
    expected = max(1, math.floor(share * total / 100)) if total else 0
    assert selection.count(share, total) == len(chosen(total, share)) == expected


@given(shares, numbers, seeds)
def test_no_pod_is_hit_twice_in_one_round(share, total, seed):
    hit = chosen(total, share, seed)
    assert len(set(hit)) == len(hit)


@given(shares, numbers.filter(bool), seeds)
def test_those_that_are_hit_are_neighbours_on_a_circle(share, total, seed):
    order = [pod.metadata.name for pod in pods(total)]
    hit = chosen(total, share, seed)
    start = order.index(hit[0])
    assert hit == [order[(start + step) % total] for step in range(len(hit))]


@given(shares, numbers, seeds, st.randoms(use_true_random=False))
def test_the_same_pods_and_seed_give_the_same_choice_in_whatever_order_they_are_listed(share, total, seed, rng):
    shuffled = pods(total)
    rng.shuffle(shuffled)
    again = selection.window(shuffled, Range(share, share), seed=seed)
    assert [pod.metadata.name for pod in again] == chosen(total, share, seed)


def test_every_pod_is_hit_sooner_or_later():
    hit = {chosen(5, 0, seed=str(number))[0] for number in range(100)}
    assert len(hit) == 5


def test_new_pods_of_the_same_names_are_drawn_anew():
    before = [samples.a_pod(f"db-{n}", uid=f"old-{n}") for n in range(9)]
    drawn = set()
    for generation in range(20):
        after = [samples.a_pod(f"db-{n}", uid=f"{generation}-{n}") for n in range(9)]
        drawn.add(selection.window(after, Range(0, 0), seed="s")[0].metadata.name)
    assert len(drawn) > 1
    assert selection.window(before, Range(0, 0), seed="s") == selection.window(before, Range(0, 0), seed="s")


@given(st.integers(0, 50), st.integers(50, 100), numbers.filter(bool), seeds)
def test_a_range_of_percentages_hits_a_number_inside_it(low, high, total, seed):
    hit = selection.window(pods(total), Range(low, high), seed=seed)
    assert selection.count(low, total) <= len(hit) <= selection.count(high, total)


def test_the_seed_differs_from_run_to_run_and_from_round_to_round():
    seeds_ = {selection.seed("e", "x", run=run, round_=round_) for run in (1, 2, 11) for round_ in (0, 1, 11)}
    assert len(seeds_) == 9


async def choose(cluster, *targets: AppTarget, successors=None, **env: str) -> selection.Choice:
    values = stage.values(PodDelete(), **env)
    return await selection.choose(cluster, targets or (stage.WEB,), values, seed="s", successors=successors)


async def refusal(cluster, *targets: AppTarget, **env: str) -> str:
    with pytest.raises(verdicts.CannotRun) as caught:
        await choose(cluster, *targets, **env)
    assert caught.value.code == verdicts.TARGET_SELECTION
    return str(caught.value)


@pytest.fixture
def application(server):
    for number in range(4):
        server.put("pods", samples.pod(f"web-{number}", node=f"node-{number % 2}"))
    server.put("pods", samples.pod("db-0", owner=("StatefulSet", "db"), labels={"app": "db"}))
    server.put("pods", samples.pod("leaving", deletionTimestamp="2026-01-01T00:00:00Z"))
    server.put("nodes", {"metadata": {"name": "node-0", "labels": {"zone": "a"}}}, namespace="")
    server.put("nodes", {"metadata": {"name": "node-1", "labels": {"zone": "b"}}}, namespace="")


@pytest.mark.usefixtures("application")
async def test_the_candidates_are_the_applications_pods_that_are_not_leaving_already(cluster):
    choice = await choose(cluster, PODS_AFFECTED_PERC="50")
    assert stage.names(choice.candidates) == ["web-0", "web-1", "web-2", "web-3"]
    assert len(choice.chosen) == 2
    assert set(stage.names(choice.chosen)) <= set(stage.names(choice.candidates))


@pytest.mark.usefixtures("application")
async def test_without_a_percentage_one_pod_is_hit(cluster):
    assert len((await choose(cluster)).chosen) == 1


@pytest.mark.usefixtures("application")
async def test_named_pods_are_hit_whatever_the_percentage(cluster):
    choice = await choose(cluster, TARGET_PODS="web-3,web-1", PODS_AFFECTED_PERC="100")
    assert [pod.metadata.name for pod in choice.chosen] == ["web-3", "web-1"]


@pytest.mark.usefixtures("application")
async def test_a_named_pod_is_represented_by_what_took_its_place(cluster):
    choice = await choose(cluster, TARGET_PODS="web-9,web-1", successors={"web-9": "web-2"})
    assert [pod.metadata.name for pod in choice.chosen] == ["web-2", "web-1"]


@pytest.mark.usefixtures("application")
async def test_a_named_pod_that_is_not_of_the_application_is_refused_with_those_that_are(cluster):
    assert await refusal(cluster, TARGET_PODS="web-1,db-0") == (
        "TARGET_PODS: db-0 is not among the application's pods (web-0, web-1, web-2, web-3)"
    )


@pytest.mark.usefixtures("application")
async def test_a_node_label_leaves_the_pods_on_those_nodes(cluster):
    choice = await choose(cluster, NODE_LABEL="zone=a", PODS_AFFECTED_PERC="100")
    assert stage.names(choice.candidates) == stage.names(choice.chosen) == ["web-0", "web-2"]


@pytest.mark.usefixtures("application")
async def test_a_named_pod_is_hit_whatever_the_label_of_its_node(cluster):
    choice = await choose(cluster, NODE_LABEL="zone=a", TARGET_PODS="web-1")
    assert stage.names(choice.chosen) == ["web-1"]


@pytest.mark.usefixtures("application")
async def test_a_node_label_without_a_pod_of_the_application_is_refused(cluster):
    assert await refusal(cluster, NODE_LABEL="zone=c") == (
        "NODE_LABEL='zone=c': no pod of the application runs on a node with this label"
    )


@pytest.mark.usefixtures("application")
async def test_pods_that_an_engine_names_one_by_one_are_all_hit(cluster):
    choice = await choose(cluster, AppTarget(kind=POD, namespace="shop", names=("web-0", "db-0")))
    assert stage.names(choice.chosen) == ["db-0", "web-0"]


@pytest.mark.usefixtures("application")
async def test_a_pod_that_an_engine_names_and_that_is_not_there_is_refused(cluster):
    target = AppTarget(kind=POD, namespace="shop", names=("web-0", "leaving", "gone"))
    assert await refusal(cluster, target) == (
        "pods gone, leaving are not there: pod web-0, leaving, gone in namespace shop"
    )


@pytest.mark.usefixtures("application")
async def test_several_applications_are_one_pool_and_a_pod_of_two_of_them_counts_once(cluster):
    anything = AppTarget(kind=ANY_OWNER, namespace="shop")
    choice = await choose(cluster, stage.WEB, anything, PODS_AFFECTED_PERC="100")
    assert stage.names(choice.chosen) == ["db-0", "web-0", "web-1", "web-2", "web-3"]


@pytest.mark.usefixtures("application")
async def test_every_application_must_have_a_pod(cluster):
    missing = AppTarget(kind="deployment", namespace="shop", names=("api",))
    assert await refusal(cluster, stage.WEB, missing) == ("no running pod was found: deployment api in namespace shop")


async def test_an_engine_without_an_application_is_told_where_to_name_one(cluster):
    values = stage.values(PodDelete())
    with pytest.raises(verdicts.CannotRun, match=r"set spec\.appinfo .* or spec\.selectors"):
        await selection.choose(cluster, (), values, seed="s")


@pytest.mark.usefixtures("application")
async def test_choosing_needs_no_more_than_the_right_to_list_pods(server, cluster):
    for verb in ("get", "watch", "create", "patch", "delete"):
        server.forbid(verb, "*")
    server.forbid("list", "deployments", "replicasets", "nodes")
    assert (await choose(cluster)).chosen


def test_an_unknown_percentage_never_reaches_the_choice():
    with pytest.raises(tunables.TunableError):
        stage.values(PodDelete(), PODS_AFFECTED_PERC="150")
