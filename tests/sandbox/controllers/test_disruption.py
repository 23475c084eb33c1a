from typing import Any

import pytest

from litmus.sandbox.controllers.disruption import RESOURCE, Disruption
from litmus.sandbox.machinery import conditions, objects
from litmus.sandbox.machinery.objects import Obj
from tests.sandbox.world import World, reference

TEMPLATE = {"metadata": {"labels": {"app": "w"}}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}}


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def disruption(world: World) -> Disruption:
    return Disruption(world)


def budget(world: World, **spec: Any) -> None:
    spec.setdefault("selector", {"matchLabels": {"app": "w"}})
    world.make(RESOURCE, {"metadata": {"name": "b", "namespace": "default"}, "spec": spec})


def replica_set(world: World, replicas: int, **meta: Any) -> Obj:
    known = {"name": "w", "namespace": "default", **meta}
    spec = {"replicas": replicas, "selector": {"matchLabels": {"app": "w"}}, "template": TEMPLATE}
    return world.make("replicasets.apps", {"metadata": known, "spec": spec})


def pods(world: World, owner: Obj | None, ready: int, unready: int = 0) -> None:
    for number in range(ready + unready):
        world.pod(f"p{number}", labels={"app": "w"}, node="node1", ready=number < ready, owner=owner)


def figures(world: World) -> tuple[int, int, int, int]:
    """Allowed, healthy, desired, expected."""
    status = (world.get(RESOURCE, "b", "default") or {})["status"]
    return status["disruptionsAllowed"], status["currentHealthy"], status["desiredHealthy"], status["expectedPods"]


def condition(world: World) -> Obj:
    found = conditions.find(world.get(RESOURCE, "b", "default") or {}, "DisruptionAllowed")
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("spec", "replicas", "ready", "expected"),
    [
        ({"minAvailable": 2}, 3, 3, (1, 3, 2, 3)),
        ({"minAvailable": 5}, 3, 3, (0, 3, 5, 3)),
        ({"minAvailable": "50%"}, 3, 3, (1, 3, 2, 3)),
        ({"minAvailable": "100%"}, 3, 3, (0, 3, 3, 3)),
        ({"maxUnavailable": 1}, 3, 3, (1, 3, 2, 3)),
        ({"maxUnavailable": 1}, 3, 2, (0, 2, 2, 3)),
        ({"maxUnavailable": "34%"}, 3, 3, (2, 3, 1, 3)),
        ({"maxUnavailable": 0}, 3, 3, (0, 3, 3, 3)),
        ({"maxUnavailable": 1}, 0, 0, (0, 0, 0, 0)),
    ],
)
def test_figures(
    world: World, disruption: Disruption, spec: Obj, replicas: int, ready: int, expected: tuple[int, int, int, int]
) -> None:
    pods(world, replica_set(world, replicas), ready, replicas - ready)
    budget(world, **spec)
    world.settle(disruption)
    assert figures(world) == expected


def test_the_condition_says_whether_a_pod_may_go(world: World, disruption: Disruption) -> None:
    owner = replica_set(world, 2)
    pods(world, owner, 2)
    budget(world, minAvailable=1)
    world.settle(disruption)
    found = condition(world)
    assert (found["status"], found["reason"], found["message"]) == ("True", "SufficientPods", "")
    assert found["observedGeneration"] == (world.get(RESOURCE, "b", "default") or {})["status"]["observedGeneration"]
    pod = world.get("pods", "p0", "default")
    assert pod is not None
    world.change("pods", pod, status={"phase": "Running", "conditions": [{"type": "Ready", "status": "False"}]})
    world.settle(disruption)
    assert (condition(world)["status"], condition(world)["reason"]) == ("False", "InsufficientPods")


def test_a_pod_that_is_leaving_is_not_healthy(world: World, disruption: Disruption) -> None:
    pods(world, replica_set(world, 3), 3)
    budget(world, maxUnavailable=1)
    world.settle(disruption)
    world.delete("pods", "p0", "default")
    world.settle(disruption)
    assert figures(world) == (0, 2, 2, 3)


def test_the_deployment_above_says_how_many_there_ought_to_be(world: World, disruption: Disruption) -> None:
    spec = {"replicas": 4, "selector": {"matchLabels": {"app": "w"}}, "template": TEMPLATE}
    deployment = world.make("deployments.apps", {"metadata": {"name": "w", "namespace": "default"}, "spec": spec})
    pods(world, replica_set(world, 3, ownerReferences=[reference(deployment)]), 3)
    budget(world, maxUnavailable=1)
    world.settle(disruption)
    assert figures(world) == (0, 3, 3, 4)
    world.change("deployments.apps", deployment, spec={**deployment["spec"], "replicas": 3})
    world.settle(disruption)
    assert figures(world) == (1, 3, 2, 3)


def test_what_cannot_be_counted_may_not_be_disrupted(world: World, disruption: Disruption) -> None:
    spec = {"template": {**TEMPLATE, "spec": {**TEMPLATE["spec"], "restartPolicy": "Never"}}}
    job = world.make("jobs.batch", {"metadata": {"name": "j", "namespace": "default"}, "spec": spec})
    pods(world, job, 1)
    budget(world, maxUnavailable=1)
    world.settle(disruption)
    found = condition(world)
    assert (found["status"], found["reason"]) == ("False", "SyncFailed")
    assert found["message"] == "jobs.batch does not implement the scale subresource"
    assert world.said("CalculateExpectedPodCountFailed")


def test_pods_of_nobody_count_with_a_number_and_are_reported_with_a_share(world: World, disruption: Disruption) -> None:
    pods(world, None, 2)
    budget(world, maxUnavailable=1)
    world.settle(disruption)
    assert figures(world) == (0, 2, 0, 0)
    assert world.said("UnmanagedPods") == ["found unmanaged pods associated with this PDB: p0 p1"]


def test_a_pod_that_is_being_evicted_is_counted_out_until_it_is_plain_that_it_stays(
    world: World, disruption: Disruption
) -> None:
    pods(world, replica_set(world, 3), 3)
    budget(world, maxUnavailable=1)
    world.settle(disruption)
    there = world.get(RESOURCE, "b", "default")
    assert there is not None
    spent = {"p0": objects.timestamp(world.now()), "ghost": objects.timestamp(world.now())}
    world.change(RESOURCE, there, status={**there["status"], "disruptedPods": spent, "disruptionsAllowed": 0})
    world.settle(disruption, for_s=60)
    assert figures(world) == (0, 2, 2, 3)
    assert list((world.get(RESOURCE, "b", "default") or {})["status"]["disruptedPods"]) == ["p0"]
    world.settle(disruption, for_s=61)
    assert figures(world) == (1, 3, 2, 3)
    assert "disruptedPods" not in (world.get(RESOURCE, "b", "default") or {})["status"]


def test_a_budget_covers_only_its_namespace_and_selector(world: World, disruption: Disruption) -> None:
    pods(world, None, 2)
    world.pod("other", labels={"app": "w"}, namespace="else", node="node1", ready=True)
    world.pod("plain", node="node1", ready=True)
    budget(world, minAvailable=1)
    world.settle(disruption)
    assert figures(world) == (1, 2, 1, 2)
