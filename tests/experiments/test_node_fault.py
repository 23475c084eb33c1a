"""Faults on nodes: which ones, what is said when they are not there, and Ready before and after."""

import asyncio

import pytest

from litmus.experiments import catalogue, held, node_fault, tunables, verdicts
from litmus.kube import helpers, report
from tests import samples
from tests.experiments import stage
from tests.experiments.helpers_stage import Kubelets


class Hog(node_fault.NodeFault):
    name = "node-cpu-hog"
    mechanism = "cpu-stress"
    needs = helpers.Needs()
    tunables = (
        tunables.DURATION,
        tunables.TARGET_NODES,
        tunables.NODE_LABEL,
        tunables.NODES_AFFECTED,
        tunables.SEQUENCE,
    )

    def aim(self, node, values):
        return held.Aim(target=node_fault.target(node, asked="2 cores"), parameters={"cores": 2})


@pytest.fixture
def kubelets(server, monkeypatch):
    monkeypatch.setattr(report, "_AGAIN_S", 0.01)
    for number in (1, 2, 3):
        made = samples.node(f"node-{number}")
        made["metadata"]["labels"]["disk"] = "ssd" if number < 3 else "hdd"
        server.put("nodes", made, namespace="")
    return Kubelets(server)


@pytest.fixture
async def begin(server, cluster, kubelets):
    async def run(**env):
        server.put("pods", samples.pod("web-1", node="node-2"))
        return await stage.context(server, cluster, Hog(), **env)

    return run


async def hit(context) -> list[str]:
    async with asyncio.timeout(20):
        await Hog().inject(context)
    return sorted(target.name for target in context.hit)


async def test_named_nodes_are_hit(begin):
    assert await hit(await begin(TARGET_NODES="node-3,node-1", NODE_LABEL="disk=ssd")) == ["node-1", "node-3"]


@pytest.mark.parametrize(("share", "count"), [("0", 1), ("50", 1), ("100", 2)])
async def test_a_share_of_the_labelled_nodes_is_hit(begin, share, count):
    chosen = await hit(await begin(NODE_LABEL="disk=ssd", NODES_AFFECTED_PERC=share))
    assert len(chosen) == count
    assert set(chosen) <= {"node-1", "node-2"}


async def test_else_the_node_of_a_pod_of_the_application_is_hit(begin):
    assert await hit(await begin()) == ["node-2"]


@pytest.mark.parametrize(
    ("env", "why"),
    [
        (
            {"TARGET_NODES": "node-1,node-9"},
            r"TARGET_NODES: node-9 is no node of this cluster \(node-1, node-2, node-3\)",
        ),
        ({"NODE_LABEL": "disk=tape"}, "NODE_LABEL='disk=tape': no node has this label"),
        ({"NODES_AFFECTED_PERC": "50"}, "NODES_AFFECTED_PERC=50: it is a share of the nodes with NODE_LABEL, which is"),
        ({"setting_": {"targets": ()}}, "no node is named: set TARGET_NODES"),
    ],
)
async def test_nodes_that_are_not_there_are_named_before_anything_is_touched(begin, kubelets, env, why):
    context = await begin(**env)
    with pytest.raises(verdicts.CannotRun, match=why):
        await hit(context)
    assert kubelets.first == []


@pytest.mark.parametrize("sequence", ["serial", "parallel"])
async def test_a_pod_that_is_on_no_node_is_no_success(server, begin, kubelets, sequence):
    context = await begin(SEQUENCE=sequence)
    server.put("pods", samples.pod("web-1", node="", phase="Pending"))
    with pytest.raises(verdicts.CannotRun, match="no pod of the application is on a node"):
        await hit(context)


async def test_serial_nodes_are_hit_one_after_the_other(server, begin, kubelets):
    seen = []
    server.on("create", "pods", lambda kept, _: seen.append([f["state"] for f in stage.ledger(kept, "node-cpu-hog")]))
    await hit(await begin(TARGET_NODES="node-1,node-2", SEQUENCE="serial"))
    assert [states[:-1] for states in seen] == [[], ["reverted"]]


async def test_a_node_that_is_not_ready_is_not_hit(server, begin, kubelets):
    context = await begin(TARGET_NODES="node-1", setting_={"check_timeout_s": 0.05})
    condition = {"type": "Ready", "status": "Unknown"}
    server.change("nodes", "node-1", {"status": {"conditions": [condition]}}, namespace="")
    with pytest.raises(verdicts.CheckFailed, match="node-1"):
        await Hog().check_before(context)
    with pytest.raises(verdicts.CheckFailed, match="node-1"):
        await Hog().check_after(context)


async def test_the_same_nodes_are_checked_hit_and_checked_again(server, begin):
    context = await begin()
    await Hog().check_before(context)
    server.put("pods", samples.pod("web-1", node="node-3"))
    assert await hit(context) == ["node-2"]


@pytest.mark.parametrize(
    "experiment",
    [one for one in catalogue.everything() if isinstance(one, node_fault.NodeFault)],
    ids=lambda one: one.name,
)
async def test_a_plan_of_every_experiment_on_nodes_says_what_is_done_to_the_node(server, cluster, experiment):
    server.put("nodes", samples.node("node-1"), namespace="")
    name = "TARGET_NODE" if any(one.name == "TARGET_NODE" for one in experiment.all_tunables()) else "TARGET_NODES"
    more = {"TAINTS": "a=b:NoSchedule"} if experiment.name == "node-taint" else {}
    seen = await experiment.foresee(cluster, (), stage.values(experiment, **{name: "node-1"}, **more), seed="s")
    assert [(victim.kind, victim.name) for victim in seen.first_round] == [("Node", "node-1")]
    assert seen.first_round[0].asked
