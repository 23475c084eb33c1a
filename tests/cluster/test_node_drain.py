"""node-drain on a real cluster: who goes and who stays is read by kubectl, from uids and from the node itself."""

from collections.abc import Iterator

import pytest

from tests.cluster import hollow, nodes
from tests.cluster.stage import Stage, kubectl, until

NAME = "node-drain"


@pytest.fixture
def node(stage: Stage) -> Iterator[str]:
    """A node that may be emptied; a real one is emptied by the crash test."""
    with hollow.node() as name, nodes.granted(stage, NAME):
        yield name


def engine(stage: Stage, node: str, **env: object) -> dict[str, object]:
    return stage.engine({NAME: {"TARGET_NODE": node, "TOTAL_CHAOS_DURATION": 8, **env}})


def budget() -> dict[str, object]:
    """A PodDisruptionBudget `keep` of one web pod, in the version that the cluster serves."""
    version = "policy/v1" if "policy/v1\n" in kubectl("api-versions") else "policy/v1beta1"
    spec = {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}}
    return {"apiVersion": version, "kind": "PodDisruptionBudget", "metadata": {"name": "keep"}, "spec": spec}


def test_what_may_go_goes_and_comes_back_elsewhere_and_the_node_is_uncordoned(stage: Stage, node: str) -> None:
    stage.deploy(3, **nodes.prefers(node))
    only_there = {"kubernetes.io/hostname": node}
    stage.deploy(name="daemon", kind="DaemonSet", nodeSelector=only_there, tolerations=[hollow.toleration(node)])
    before, daemon = nodes.on(stage, node), nodes.on(stage, node, "daemon")
    assert before, "the scheduler did not take the hint"
    assert daemon
    stage.apply(engine(stage, node))
    nodes.during(stage, NAME)
    assert nodes.cordoned(node)
    assert nodes.on(stage, node) == set()
    assert nodes.on(stage, node, "daemon") == daemon
    ours = [pod["spec"]["nodeName"] for pod in stage.get("pods", selector="chaosUID")]
    assert len(ours) == 2
    assert node not in ours
    stage.ended()
    assert stage.verdict(NAME) == ("Pass", "N/A")
    assert not nodes.cordoned(node)
    assert nodes.marks(node) == []
    assert before.isdisjoint(stage.pods())
    assert len(stage.pods()) == 3
    [target] = stage.result(NAME)["targets"]
    assert target["delivered"] == f"cordoned; {len(before)} pods evicted and gone from the node"


def test_a_budget_is_respected_and_named(stage: Stage, node: str) -> None:
    stage.deploy(1, **nodes.prefers(node))
    before = nodes.on(stage, node)
    assert before, "the scheduler did not take the hint"
    stage.apply(budget())
    until(lambda: (stage.get("pdb", "keep") or {}).get("status", {}).get("currentHealthy") == 1, "the budget to count")
    stage.apply(engine(stage, node, TOTAL_CHAOS_DURATION=3))
    stage.ended()
    verdict, step = stage.verdict(NAME)
    assert verdict == "Error"
    assert "disruption budget keep needs 1 healthy pods and has 1 currently" in step
    assert nodes.on(stage, node) == before
    assert not nodes.cordoned(node)
    assert nodes.marks(node) == []


def test_a_node_that_was_cordoned_before_stays_cordoned(stage: Stage, node: str) -> None:
    stage.deploy(1)
    kubectl("cordon", node)
    stage.apply(engine(stage, node, TOTAL_CHAOS_DURATION=2))
    stage.ended()
    assert stage.verdict(NAME) == ("Pass", "N/A")
    assert nodes.cordoned(node)
    assert nodes.marks(node) == []


def test_a_stopped_engine_uncordons_the_node(stage: Stage, node: str) -> None:
    stage.deploy(1)
    stage.apply(engine(stage, node, TOTAL_CHAOS_DURATION=300))
    nodes.during(stage, NAME)
    assert nodes.cordoned(node)
    stage.kubectl("patch", "chaosengine/chaos", "--type=merge", "-p", '{"spec":{"engineState":"stop"}}')
    until(lambda: not nodes.cordoned(node), "the node to be uncordoned", deadline_s=10)
    stage.ended()
    assert stage.verdict(NAME)[0] == "Stopped"
    assert [fault["state"] for fault in stage.result(NAME)["faults"]] == ["reverted"]


def test_a_node_is_uncordoned_also_when_the_run_is_killed(stage: Stage, node: str) -> None:
    stage.deploy(1)
    stage.apply(engine(stage, node, TOTAL_CHAOS_DURATION=300))
    nodes.during(stage, NAME)
    pod = stage.result(NAME)["run"]["pod"]
    stage.kubectl("delete", "pod", pod, "chaos-runner", "--grace-period=0", "--force")
    until(lambda: not nodes.cordoned(node), "the node to be uncordoned", deadline_s=30)
    stage.ended()
    assert stage.verdict(NAME)[0] == "Error"
    assert nodes.marks(node) == []


def test_a_node_that_is_none_is_an_error(stage: Stage, node: str) -> None:
    stage.deploy(1)
    stage.apply(engine(stage, "no-such-node"))
    stage.ended()
    verdict, step = stage.verdict(NAME)
    assert verdict == "Error"
    assert "TARGET_NODE: no-such-node is no node of this cluster" in step


def test_the_node_of_the_application_is_chosen_and_our_pods_are_elsewhere(stage: Stage, node: str) -> None:
    stage.deploy(2, **nodes.prefers(node))
    where = {pod["spec"]["nodeName"] for pod in stage.get("pods", selector="app=web")}
    if where != {node}:
        pytest.skip("the scheduler did not take the hint, and another node must not be drained")
    stage.apply(engine(stage, "", TOTAL_CHAOS_DURATION=4))
    record = nodes.during(stage, NAME)
    assert record["node"] == node
    assert node not in [pod["spec"]["nodeName"] for pod in stage.get("pods", selector="chaosUID")]
    stage.ended()
    assert stage.verdict(NAME) == ("Pass", "N/A")
