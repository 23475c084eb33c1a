import pytest

from litmus.sandbox.controllers.pod_garbage import PodGarbage
from litmus.sandbox.machinery import conditions, objects
from tests.sandbox.world import World


@pytest.fixture
def world() -> World:
    return World()


def test_the_pods_of_a_node_that_is_gone_go_after_a_while(world: World) -> None:
    garbage = PodGarbage(world, quarantine_s=40)
    world.node("node1")
    world.pod("a", node="node1", ready=True)
    world.pod("b", node="node2", ready=True)
    world.settle(garbage, for_s=39)
    assert world.there("pods") == ["a", "b"]
    world.settle(garbage, for_s=2)
    assert world.there("pods") == ["a"]


def test_before_it_goes_such_a_pod_has_failed(world: World) -> None:
    garbage = PodGarbage(world, quarantine_s=0)
    pod = world.pod("b", node="node2", ready=True)
    world.update("pods", {**pod, "metadata": {**pod["metadata"], "finalizers": ["test/hold"]}})
    world.settle(garbage)
    left = world.get("pods", "b", "default")
    assert left is not None
    assert objects.leaving(left)
    assert left["status"]["phase"] == "Failed"
    assert (conditions.find(left, "DisruptionTarget") or {})["reason"] == "DeletionByPodGC"


def test_a_node_that_comes_back_in_time_keeps_its_pods(world: World) -> None:
    garbage = PodGarbage(world, quarantine_s=40)
    world.node("node1")
    world.pod("a", node="node1", ready=True)
    world.settle(garbage)
    world.delete("nodes", "node1")
    world.settle(garbage, for_s=30)
    world.node("node1")
    world.settle(garbage, for_s=60)
    assert world.there("pods") == ["a"]


def test_of_the_pods_that_are_over_only_so_many_stay(world: World) -> None:
    garbage = PodGarbage(world, threshold=2)
    for name in ("a", "b", "c"):
        world.pod(name, phase="Succeeded", ready=False)
        world.clock.advance(1)
    world.settle(garbage)
    assert world.there("pods") == ["b", "c"]


def test_a_pod_on_a_node_out_of_service_need_not_wait_for_it(world: World) -> None:
    garbage = PodGarbage(world)
    node = world.node("node1", ready="Unknown")
    world.pod("a", node="node1", ready=True)
    world.pod("b", node="node1", ready=True)
    world.delete("pods", "a", "default")
    world.settle(garbage)
    assert world.there("pods") == ["a", "b"]
    taint = {"key": "node.kubernetes.io/out-of-service", "value": "nodeshutdown", "effect": "NoExecute"}
    world.change("nodes", node, spec={"taints": [taint]})
    world.settle(garbage)
    assert world.there("pods") == ["b"]
