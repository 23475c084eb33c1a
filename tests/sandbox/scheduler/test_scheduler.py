import pytest

from litmus.sandbox.machinery import conditions, objects
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.scheduler.scheduler import Scheduler
from tests.sandbox.world import World


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def scheduler(world: World) -> Scheduler:
    return Scheduler(world)


def node_of(world: World, name: str) -> str:
    pod = world.get("pods", name, "default")
    assert pod is not None
    return str(pod["spec"].get("nodeName", ""))


def why(world: World, name: str) -> Obj:
    pod = world.get("pods", name, "default")
    assert pod is not None
    found = conditions.find(pod, "PodScheduled")
    assert found is not None
    return found


def test_a_pod_gets_a_node_and_an_event_says_so(world: World, scheduler: Scheduler) -> None:
    world.node("node1")
    world.pod("a")
    world.settle(scheduler)
    assert node_of(world, "a") == "node1"
    assert why(world, "a")["status"] == "True"
    assert world.said("Scheduled") == ["Successfully assigned default/a to node1"]


def test_events_of_a_scheduler_have_an_action_and_repeat_as_a_series(world: World) -> None:
    pod = world.pod("a")
    for _ in range(3):
        world.event(pod, reason="R", message="m", component="default-scheduler", action="Binding")
    (event,) = world.list("events")
    assert (event["action"], event["source"], event["firstTimestamp"]) == ("Binding", {}, None)
    assert "count" not in event
    assert event["reportingInstance"].startswith("default-scheduler-")
    assert event["eventTime"] == "2026-01-01T00:00:00.000000Z"
    assert event["series"] == {"count": 3, "lastObservedTime": "2026-01-01T00:00:00.000000Z"}


def test_pods_that_ask_for_nothing_are_shared_out(world: World, scheduler: Scheduler) -> None:
    for name in ("node1", "node2", "node3"):
        world.node(name)
    for number in range(6):
        world.pod(f"p{number}")
    world.settle(scheduler)
    assert sorted(node_of(world, f"p{number}") for number in range(6)) == [
        "node1", "node1", "node2", "node2", "node3", "node3",
    ]  # fmt: skip


def test_a_pod_that_fits_nowhere_says_why_in_the_words_of_kubernetes(world: World, scheduler: Scheduler) -> None:
    world.node("node1", cpu="2")
    world.node("node2", cpu="2")
    world.node("node3", taints=[{"key": "k", "value": "v", "effect": "NoSchedule"}])
    world.pod("there", node="node1", cpu="1500m")
    world.pod("also", node="node2", cpu="1500m")
    world.pod("a", cpu="1")
    world.settle(scheduler)
    message = (
        "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu. "
        "no new claims to deallocate, preemption: 0/3 nodes are available: "
        "1 Preemption is not helpful for scheduling, 2 No preemption victims found for incoming pod."
    )
    condition = why(world, "a")
    assert (condition["status"], condition["reason"], condition["message"]) == ("False", "Unschedulable", message)
    assert world.said("FailedScheduling") == [message]


def test_without_nodes_the_message_is_another(world: World, scheduler: Scheduler) -> None:
    world.pod("a")
    world.settle(scheduler)
    assert why(world, "a")["message"] == "no nodes available to schedule pods"


def test_a_waiting_pod_is_tried_again_when_a_pod_leaves(world: World, scheduler: Scheduler) -> None:
    world.node("node1", cpu="2")
    first = world.pod("first", cpu="2")
    world.settle(scheduler)
    world.pod("second", cpu="2")
    world.settle(scheduler)
    assert node_of(world, "second") == ""
    world.delete("pods", objects.name(first), "default", grace_s=0)
    world.settle(scheduler)
    assert node_of(world, "second") == "node1"


def test_a_waiting_pod_is_tried_again_when_a_pod_has_ended(world: World, scheduler: Scheduler) -> None:
    world.node("node1", cpu="2")
    first = world.pod("first", cpu="2")
    world.pod("second", cpu="2")
    world.settle(scheduler)
    waiting = next(name for name in ("first", "second") if not node_of(world, name))
    assert waiting == "second"
    world.change("pods", first, status={"phase": "Succeeded"})
    world.settle(scheduler)
    assert node_of(world, "second") == "node1"


def test_a_heartbeat_does_not_repeat_the_refusal(world: World, scheduler: Scheduler) -> None:
    node = world.node("node1", cpu="1")
    world.pod("a", cpu="2")
    world.settle(scheduler)
    world.change("nodes", node, status={**node["status"], "nodeInfo": {"kernelVersion": "6"}})
    world.settle(scheduler)
    events = [event for event in world.list("events") if event["reason"] == "FailedScheduling"]
    assert [(event["action"], event.get("series")) for event in events] == [("Scheduling", None)]
    world.change("nodes", node, spec={"unschedulable": True})
    world.settle(scheduler)
    assert why(world, "a")["message"].startswith("0/1 nodes are available: 1 node(s) were unschedulable.")


def test_the_important_pod_comes_first(world: World, scheduler: Scheduler) -> None:
    world.node("node1", cpu="1")
    world.pod("a", cpu="1", priority=0)
    world.pod("b", cpu="1", priority=1000)
    world.settle(scheduler)
    assert (node_of(world, "a"), node_of(world, "b")) == ("", "node1")


def test_an_important_pod_pushes_the_least_important_out(world: World, scheduler: Scheduler) -> None:
    world.node("node1", cpu="2")
    world.pod("low", cpu="1", node="node1", priority=1)
    world.pod("lower", cpu="1", node="node1", priority=0)
    world.pod("high", cpu="1", priority=100)
    world.settle(scheduler)
    said = world.said("Preempted")
    high = world.get("pods", "high", "default")
    assert high is not None
    assert said == [f"Preempted by pod {objects.uid(high)} on node node1"]
    lower = world.get("pods", "lower", "default")
    if lower is not None:  # its node has not ended it yet
        assert objects.leaving(lower)
        assert high["status"]["nominatedNodeName"] == "node1"
        world.delete("pods", "lower", "default", grace_s=0)
        world.settle(scheduler)
    assert node_of(world, "high") == "node1"
    assert node_of(world, "low") == "node1"


def test_room_made_for_one_pod_is_not_taken_by_a_lesser_one(world: World, scheduler: Scheduler) -> None:
    world.node("node1", cpu="1")
    world.pod("high", cpu="1", priority=100, status=None)
    high = world.get("pods", "high", "default")
    assert high is not None
    world.change("pods", high, status={"phase": "Pending", "nominatedNodeName": "node1"})
    world.pod("low", cpu="1", priority=0)
    snapshot = scheduler._snapshot()
    low = world.get("pods", "low", "default")
    assert low is not None
    assert snapshot.with_nominated(low).places["node1"].taken["cpu"] == 1000
    assert snapshot.with_nominated(high) is snapshot


def test_a_pod_that_may_not_preempt_says_so(world: World, scheduler: Scheduler) -> None:
    world.node("node1", cpu="1")
    world.pod("low", cpu="1", node="node1", priority=0)
    world.pod("high", cpu="1", priority=100, preemptionPolicy="Never")
    world.settle(scheduler)
    assert why(world, "high")["message"].endswith("preemption: not eligible due to preemptionPolicy=Never.")
    assert node_of(world, "low") == "node1"


def test_the_pods_of_other_schedulers_are_left_alone(world: World, scheduler: Scheduler) -> None:
    world.node("node1")
    world.pod("a", schedulerName="mine")
    world.settle(scheduler)
    assert node_of(world, "a") == ""


def test_a_gated_pod_waits_until_its_gates_are_taken_away(world: World, scheduler: Scheduler) -> None:
    world.node("node1")
    pod = world.pod("a", schedulingGates=[{"name": "g"}])
    world.settle(scheduler)
    assert why(world, "a")["reason"] == "SchedulingGated"
    world.change("pods", pod, spec={key: value for key, value in pod["spec"].items() if key != "schedulingGates"})
    world.settle(scheduler)
    assert node_of(world, "a") == "node1"


def test_a_pod_waits_for_its_claim(world: World, scheduler: Scheduler) -> None:
    world.node("node1")
    world.pod("a", volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}])
    world.settle(scheduler)
    said = why(world, "a")["message"]
    assert said == '0/1 nodes are available: persistentvolumeclaim "data" not found. not found'
    claim = {
        "metadata": {"name": "data", "namespace": "default"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, "volumeName": "pv"},
    }
    made = world.make("persistentvolumeclaims", claim, {"phase": "Pending"})
    world.settle(scheduler)
    assert "pod has unbound immediate PersistentVolumeClaims" in why(world, "a")["message"]
    world.change("persistentvolumeclaims", made, status={"phase": "Bound"})
    world.settle(scheduler)
    assert node_of(world, "a") == "node1"


def test_many_pods_are_all_scheduled(world: World, scheduler: Scheduler) -> None:
    for name in ("node1", "node2", "node3"):
        world.node(name)
    for number in range(55):
        world.pod(f"p{number}")
    world.settle(scheduler)
    assert all(node_of(world, f"p{number}") for number in range(55))
