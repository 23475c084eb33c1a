"""node-taint on a real cluster: taints are read by kubectl, and what they evict is told by uid."""

import json
from collections.abc import Iterator

import pytest

from tests.cluster import hollow, nodes
from tests.cluster.stage import Stage, kubectl, until

NAME = "node-taint"


@pytest.fixture
def node(stage: Stage) -> Iterator[str]:
    """A node that may be emptied, with a foreign taint of the key that is used."""
    with hollow.node() as name, nodes.granted(stage, NAME):
        kubectl("taint", "node", name, THEIRS)
        yield name
        kubectl("taint", "node", name, "chaos-", check=False)


THEIRS = "chaos=theirs:PreferNoSchedule"


def engine(stage: Stage, node: str, taints: str, duration_s: int = 6) -> dict[str, object]:
    return stage.engine({NAME: {"TARGET_NODE": node, "TOTAL_CHAOS_DURATION": duration_s, "TAINTS": taints}})


def test_no_execute_evicts_and_the_foreign_taint_stays(stage: Stage, node: str) -> None:
    kubectl("taint", "node", node, "chaos-")
    stage.deploy(3, **nodes.prefers(node))
    kubectl("taint", "node", node, THEIRS)
    before = nodes.on(stage, node)
    assert before, "the scheduler did not take the hint"
    stage.apply(engine(stage, node, "chaos=ours:NoExecute"))
    nodes.during(stage, NAME)
    assert nodes.taints(node) == [THEIRS, "chaos=ours:NoExecute"]
    assert nodes.on(stage, node) == set()
    assert node not in [pod["spec"]["nodeName"] for pod in stage.get("pods", selector="chaosUID")]
    stage.ended()
    assert stage.verdict(NAME) == ("Pass", "N/A")
    assert nodes.taints(node) == [THEIRS]
    assert nodes.marks(node) == []


def test_a_taint_in_the_place_of_ours_is_put_back(stage: Stage, node: str) -> None:
    stage.deploy(1)
    stage.apply(engine(stage, node, "chaos=ours:PreferNoSchedule,other:NoSchedule"))
    nodes.during(stage, NAME)
    assert sorted(nodes.taints(node)) == ["chaos=ours:PreferNoSchedule", "other=:NoSchedule"]
    stage.ended()
    assert stage.verdict(NAME) == ("Pass", "N/A")
    assert nodes.taints(node) == [THEIRS]


def test_a_stopped_engine_takes_the_taint_off(stage: Stage, node: str) -> None:
    stage.deploy(1)
    stage.apply(engine(stage, node, "chaos=ours:NoSchedule", 300))
    nodes.during(stage, NAME)
    stage.kubectl("patch", "chaosengine/chaos", "--type=merge", "-p", '{"spec":{"engineState":"stop"}}')
    until(lambda: nodes.taints(node) == [THEIRS], "the taint to be taken off", deadline_s=10)
    stage.ended()
    assert stage.verdict(NAME)[0] == "Stopped"


def test_a_taint_that_a_controller_puts_back_is_taken_off_again(stage: Stage, node: str) -> None:
    """It read the node while it was tainted, and writes all taints of it after it is not any more."""
    stage.deploy(1)
    stage.apply(engine(stage, node, "chaos=ours:NoSchedule", 4))
    nodes.during(stage, NAME)
    stale = json.dumps({"spec": {"taints": nodes.read(node)["spec"]["taints"]}})
    until(lambda: nodes.taints(node) == [THEIRS], "the taint to be taken off")
    kubectl("patch", "node", node, "--type=merge", "-p", stale)
    assert len(nodes.taints(node)) == 2
    stage.ended()
    assert stage.verdict(NAME) == ("Pass", "N/A")
    assert nodes.taints(node) == [THEIRS]
    assert nodes.marks(node) == []


def test_a_taint_is_taken_off_also_when_the_run_is_killed(stage: Stage, node: str) -> None:
    stage.deploy(1)
    stage.apply(engine(stage, node, "chaos=ours:NoSchedule", 300))
    nodes.during(stage, NAME)
    pod = stage.result(NAME)["run"]["pod"]
    stage.kubectl("delete", "pod", pod, "chaos-runner", "--grace-period=0", "--force")
    until(lambda: nodes.taints(node) == [THEIRS], "the taint to be taken off", deadline_s=30)
    stage.ended()
    assert stage.verdict(NAME)[0] == "Error"


@pytest.mark.parametrize("taints", ["", "chaos=ours:Never", "no key=x:NoExecute"])
def test_what_is_no_taint_is_an_error_before_the_node_is_touched(stage: Stage, node: str, taints: str) -> None:
    stage.deploy(1)
    stage.apply(engine(stage, node, taints))
    stage.ended()
    verdict, step = stage.verdict(NAME)
    assert verdict == "Error"
    assert "TAINTS=" in step
    assert "key=value:effect" in step
    assert nodes.taints(node) == [THEIRS]
