"""The first moments after all chaos was stopped: everybody is told, what can be undone is, then engines are ended."""

import asyncio
from typing import Any

import pytest

from litmus.api import names
from litmus.kube import Cluster, kinds, switch, taints
from litmus.kube.objects import Taint
from litmus.operator import halting
from litmus.operator.rules import Rules
from tests import apiserver, samples

SWITCH = switch.Switch(namespace="litmus", by="ada on lab", at="2026-03-02T09:00:00Z", why="")
FAULT = Taint(key="chaos", value="yes", effect="NoSchedule")

SENT = {"namespace": "shop", "image": "litmus:1", "pullPolicy": "Always", "pullSecrets": [], "secrets": [], "env": []}
REATTACH = {"kind": "reattach", "by": "x", "volume": "v", "pod": {"serviceAccount": "default", **SENT}}


class Stage:
    """Runs that hold a taint each, and the switch."""

    def __init__(self, server: apiserver.Server, cluster: Cluster) -> None:
        self.server, self.cluster = server, cluster
        self.rules = Rules()
        self.woken: list[dict[str, list[str]]] = []
        self.halt = halting.Halt(cluster, self.rules, namespace="*", wake=lambda: self.woken.append(self.tainted()))

    async def run(self, number: int, *, put: bool = True, **record: Any) -> None:
        node, engine = f"node-{number}", f"chaos-{number}"
        self.server.put("nodes", samples.node(node), namespace="")
        self.server.put("chaosengines", samples.engine(name=engine))
        undo = taints.recipe(await self.cluster.get(kinds.NODE, node), FAULT, fault_id=f"f{number}")
        if put:
            await taints.put(self.cluster, undo)
        fault = {"id": "a", "mechanism": "taint", "node": node, "undo": undo, "state": "proven"}
        fault |= {"deadline": "2099-01-01T00:00:00Z"} | record
        meta = {"labels": {names.OPEN_FAULTS_LABEL: "true"}}
        result = samples.result(name=f"{engine}-node-taint", meta=meta, faults=[fault], run={"pod": "x"})
        result["spec"] |= {"engine": engine}
        self.server.put("chaosresults", result)

    async def stop(self) -> None:
        self.rules.stopped = SWITCH
        self.halt.changed()
        async with asyncio.timeout(20):
            await self.halt.over.wait()

    def tainted(self) -> dict[str, list[str]]:
        """The nodes that have the fault, and the engines that were told."""
        nodes = [n["metadata"]["name"] for n in self.server.all("nodes") if n["spec"].get("taints")]
        told = [e["metadata"]["name"] for e in self.server.all("chaosengines") if e["spec"]["engineState"] == "stop"]
        return {"nodes": nodes, "told": told}


@pytest.fixture
async def stage(server, cluster):
    made = Stage(server, cluster)
    yield made
    await made.halt.close()


async def test_every_fault_is_undone_and_every_engine_told_before_any_is_reconciled(stage):
    for number in range(20):
        await stage.run(number)
    await stage.stop()
    assert stage.woken == [{"nodes": [], "told": sorted(f"chaos-{number}" for number in range(20))}]
    results = stage.server.all("chaosresults")
    assert {fault["state"] for result in results for fault in result["status"]["faults"]} == {"proven"}


async def test_an_engine_is_told_before_its_fault_is_undone(stage):
    await stage.run(1)
    stage.server.asked.clear()
    await stage.stop()
    assert [asked.plural for asked in stage.server.asked if asked.verb == "patch"] == ["chaosengines", "nodes"]


async def test_what_is_closed_or_was_not_put_or_is_undone_on_a_node_is_left_alone(stage):
    await stage.run(1, state="reverted")
    await stage.run(2, put=False)
    await stage.run(3, undo={"kind": "node"})
    await stage.run(4, undo=REATTACH)  # would send a pod, where the run needs none
    await stage.stop()
    assert stage.tainted() == {
        "nodes": ["node-1", "node-3", "node-4"],
        "told": ["chaos-1", "chaos-2", "chaos-3", "chaos-4"],
    }
    assert "create" not in stage.server.verbs("pods")


async def test_a_record_that_makes_no_sense_or_an_engine_that_is_gone_keeps_no_other_from_it(stage):
    for number in (1, 2, 3):
        await stage.run(number)
    result = stage.server.get("chaosresults", "chaos-1-node-taint")
    result["status"]["faults"][0]["undo"] = {"kind": "untaint"}
    stage.server.remove("chaosengines", "chaos-2")
    await stage.stop()
    assert stage.tainted()["nodes"] == ["node-1"]


async def test_a_cluster_that_refuses_holds_the_engines_up_no_longer(stage):
    await stage.run(1)
    stage.server.forbid("list", "chaosresults")
    await stage.stop()
    assert len(stage.woken) == 1


async def test_what_takes_too_long_holds_the_engines_up_no_longer(stage, monkeypatch):
    monkeypatch.setattr(halting, "_LIMIT_S", 0.1)
    monkeypatch.setattr(halting.recipes, "end_at_once", lambda *_: asyncio.Event().wait())
    await stage.run(1)
    await stage.stop()
    assert stage.woken == [{"nodes": ["node-1"], "told": ["chaos-1"]}]


async def test_other_rules_wake_the_engines_and_undo_nothing(stage):
    await stage.run(1)
    stage.halt.changed()
    assert stage.woken == [{"nodes": ["node-1"], "told": []}]
    await stage.stop()
    stage.server.change("nodes", "node-1", {"spec": {"taints": [{"key": "chaos"}]}}, namespace="")
    stage.rules.stopped = None
    stage.halt.changed()
    assert len(stage.woken) == 3
    assert stage.tainted()["nodes"] == ["node-1"]
