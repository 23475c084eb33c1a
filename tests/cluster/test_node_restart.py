"""node-restart on a real cluster: only ``netem1``, a machine of its own, is ever restarted here.

Two guards of the tests, beside those of the product: ``safe`` compares boot ids itself before any engine is made, and
where a refusal is tested the service account may not create pods, so that there could be no helper.
"""

import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest

from litmus.experiments import catalogue
from tests.cluster import node_states, nodes
from tests.cluster.stage import Stage, grant, kubectl, until

pytestmark = pytest.mark.alone
NODE = "netem1"


def engine(stage: Stage, node: str, **env: str) -> dict[str, Any]:
    made = stage.engine({"node-restart": {"TARGET_NODE": node, **env}})
    del made["spec"]["appinfo"]
    # The run must not live on the node that it restarts.
    elsewhere = next(
        name
        for name, other in sorted(node_states.everything().items())[::-1]
        if name != node and other["status"]["nodeInfo"]["kubeletVersion"]
    )
    place = {"nodeSelector": {"kubernetes.io/hostname": elsewhere}}
    made["spec"]["components"] = {"runner": place}
    made["spec"]["experiments"][0]["spec"]["components"] |= place
    return made


@pytest.fixture
def safe(operator: None) -> str:
    """The node that may be restarted."""
    node_states.alone_on_its_machine(NODE)
    return NODE


@pytest.fixture
def rights(stage: Stage) -> Iterator[None]:
    with nodes.granted(stage, "node-restart"):
        yield


def test_the_node_comes_back_with_another_boot_id_and_the_others_keep_theirs(
    stage: Stage, rights: None, safe: str
) -> None:
    operator = kubectl("get", "pods", "-A", "-l=name=chaos-operator", "-o", "jsonpath={.items[*].spec.nodeName}")
    if safe in operator.split():
        pytest.skip(f"the operator happens to run on {safe}, where a restart is refused")
    before = node_states.boot_ids()
    stage.apply(engine(stage, safe))
    until(lambda: node_states.boot_ids()[safe] != before[safe], f"{safe} to come back", deadline_s=180)
    stage.ended(deadline_s=180)
    after = node_states.boot_ids()
    # Of those that are still there: other tests make and remove nodes of their own.
    assert {name: boot for name, boot in after.items() if before.get(name) not in (None, boot)} == {safe: after[safe]}
    assert node_states.ready(safe) == "True"
    assert stage.verdict("node-restart") == ("Pass", "N/A")
    (target,) = stage.result("node-restart")["targets"]
    assert target["delivered"] == f"boot id {before[safe]} → {after[safe]}, Ready again"
    stage.swept()


@pytest.mark.parametrize("node", ["node1", "node2"])
def test_a_node_that_shares_its_machine_is_refused_before_anything_is_touched(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, node: str
) -> None:
    node_states.need("node1", "node2")
    boots = node_states.boot_ids()
    if boots["node1"] != boots["node2"]:
        pytest.skip("node1 and node2 are machines of their own here")
    with harmless(stage, monkeypatch):
        account = f"--as=system:serviceaccount:{stage.name}:chaos-sa"
        assert stage.kubectl("auth", "can-i", "create", "pods", account, check=False).strip() == "no"
        stage.apply(engine(stage, node))
        stage.ended()
    verdict, step = stage.verdict("node-restart")
    assert verdict == "Error"
    assert f"node {node} can't be restarted: it shares its machine with" in step
    assert not stage.result("node-restart").get("faults")
    assert node_states.boot_ids() == boots


def harmless(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The rights of the experiment without that to create pods: there can be no helper, whatever the product thinks."""
    experiment = catalogue.find("node-restart")
    bare = [
        dataclasses.replace(one, verbs=tuple(verb for verb in one.verbs if verb != "create"))
        for one in experiment.permissions
    ]
    jobs = {"apiGroups": ["", "batch", "litmuschaos.io"], "resources": ["jobs", "events", "chaosresults"]}
    kubectl("-n", stage.name, "delete", "rolebinding/chaos-sa", "role/chaos-sa")
    grant(
        stage,
        rules=[
            {**jobs, "verbs": ["create"]},
            *(
                {"apiGroups": list(one.groups), "resources": list(one.resources), "verbs": list(one.verbs)}
                for one in bare
                if "nodes" not in one.resources
            ),
        ],
    )
    monkeypatch.setattr(type(experiment), "permissions", tuple(bare))
    return nodes.granted(stage, "node-restart")
