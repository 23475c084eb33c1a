"""Our own pods stay off the nodes that a run hits."""

import msgspec
import pytest

from litmus import api
from litmus.api.meta import Toleration
from litmus.api.targeting import AppTarget
from litmus.experiments import node_drain, placement
from litmus.experiments.placement import Danger
from litmus.kube.objects import NodeStatus
from tests import samples
from tests.experiments import nodes_stage, stage

WEB = (AppTarget(kind="deployment", namespace="shop", labels="app=web"),)


def decide(*dangers: Danger, nodes=("node-1", "node-2"), **changes):
    wishes = {"selector": {}, "tolerations": ()} | changes
    return placement.decide(dangers, [samples.a_node(name) for name in nodes], **wishes)


def test_a_pod_avoids_the_nodes_that_are_hit_by_their_names():
    spec = decide(Danger(nodes=frozenset({"node-1"}))).applied({"containers": []})
    [term] = spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    assert term == {"matchFields": [{"key": "metadata.name", "operator": "NotIn", "values": ["node-1"]}]}
    assert spec["containers"] == []


def test_a_pod_avoids_the_nodes_of_all_experiments_of_its_engine():
    dangers = [Danger(nodes=frozenset({name})) for name in ("node-2", "node-1")]
    assert decide(*dangers, nodes=("node-1", "node-2", "node-3")).avoid == ("node-1", "node-2")


@pytest.mark.parametrize(
    "wishes",
    [{"nodes": ("node-1",)}, {"selector": {"disk": "fast"}}],
)
def test_without_another_node_a_pod_stays_and_tolerates_what_is_to_come(wishes):
    ours = Toleration(key="chaos", operator="Exists", effect="NoExecute")
    placed = decide(Danger(nodes=frozenset({"node-1"}), tolerations=(ours,)), **wishes)
    assert placed.avoid == ()
    before = [{"key": "a", "operator": "Exists"}]
    assert placed.applied({"tolerations": before})["tolerations"] == [
        *before,
        {"key": "chaos", "operator": "Exists", "effect": "NoExecute"},
    ]
    assert placed.refusal == ""


def test_without_another_node_what_would_not_be_survived_is_refused():
    deadly = Danger(nodes=frozenset({"node-1"}), deadly=True)
    assert "node node-1 ends every pod" in decide(deadly, nodes=["node-1"]).refusal
    assert decide(deadly).refusal == ""


@pytest.mark.parametrize(
    "other",
    [
        samples.a_node("node-2", unschedulable=True),
        samples.a_node("node-2", taints=[{"key": "master", "effect": "NoSchedule"}]),
        msgspec.structs.replace(samples.a_node("node-2"), status=NodeStatus()),
    ],
    ids=["cordoned", "tainted", "not ready"],
)
def test_a_node_that_takes_no_pods_is_no_other_node(other):
    danger = Danger(nodes=frozenset({"node-1"}))
    nodes = [samples.a_node("node-1"), other]
    assert placement.decide([danger], nodes, selector={}, tolerations=()).avoid == ()


def test_a_taint_that_is_tolerated_or_only_preferred_does_not_matter():
    danger = Danger(nodes=frozenset({"node-1"}))
    taints = [{"key": "gpu", "effect": "NoSchedule"}, {"key": "old", "effect": "PreferNoSchedule"}]
    nodes = [samples.a_node("node-2", taints=taints)]
    tolerated = [Toleration(key="gpu", operator="Exists")]
    assert placement.decide([danger], nodes, selector={}, tolerations=tolerated).avoid == ("node-1",)


def engine(*experiments: str, **env: str) -> api.ChaosEngine:
    variables = [{"name": name, "value": value} for name, value in env.items()]
    return samples.an_engine(
        experiments=[{"name": name, "spec": {"components": {"env": variables}}} for name in experiments]
    )


async def place(cluster, made: api.ChaosEngine, *, run: int = 1):
    return await placement.of_experiment(cluster, made, made.spec.experiments[0], WEB, run=run)


async def test_the_nodes_of_a_run_are_foreseen_as_the_run_chooses_them(server, cluster):
    nodes_stage.nodes(server, *(f"node-{number}" for number in range(6)))
    for number in range(6):
        nodes_stage.pod(server, f"web-{number}", node=f"node-{number}")
    foreseen = []
    for run in range(1, 6):
        placed = await place(cluster, engine("node-drain"), run=run)
        context = await stage.context(server, cluster, node_drain.NodeDrain())
        context.run_number = run
        assert placed.avoid == tuple(node.metadata.name for node in await context.choose_nodes())
        foreseen += placed.avoid
    assert len(set(foreseen)) > 1


async def test_a_named_node_is_avoided_also_by_the_runner(server, cluster):
    nodes_stage.nodes(server, "node-1", "node-2")
    made = engine("pod-delete", "node-drain", TARGET_NODE="node-2")
    assert (await placement.of_runner(cluster, made, ())).avoid == ("node-2",)


async def test_a_chart_may_name_the_node(server, cluster):
    nodes_stage.nodes(server, "node-1", "node-2")
    server.put("chaosexperiments", samples.experiment("node-drain", env=[{"name": "TARGET_NODE", "value": "node-1"}]))
    assert (await place(cluster, engine("node-drain"))).avoid == ("node-1",)


async def test_a_taint_is_tolerated_by_a_pod_that_has_no_other_node(server, cluster):
    nodes_stage.nodes(server, "node-1")
    placed = await place(cluster, engine("node-taint", TARGET_NODE="node-1", TAINTS="chaos=yes:NoExecute"))
    assert placed.tolerations == (Toleration(key="chaos", operator="Exists", effect="NoExecute"),)


@pytest.mark.parametrize("name", ["pod-delete", "pod-autoscaler", "of-another-package"])
async def test_what_hits_no_node_is_not_placed_and_asks_nothing(server, cluster, name):
    assert await place(cluster, engine(name)) == placement.ANYWHERE
    assert server.asked == []


@pytest.mark.parametrize("env", [{"TARGET_NODE": "no-such"}, {"TOTAL_CHAOS_DURATION": "long"}])
async def test_what_the_experiment_will_refuse_is_not_placed(server, cluster, env):
    nodes_stage.nodes(server, "node-1")
    assert await place(cluster, engine("node-drain", **env)) == placement.ANYWHERE


async def test_a_role_without_nodes_places_nothing_and_goes_on(server, cluster):
    nodes_stage.nodes(server, "node-1", "node-2")
    server.forbid("list", "nodes")
    assert await place(cluster, engine("node-drain", TARGET_NODE="node-1")) == placement.ANYWHERE
