import pytest

from litmus.sandbox.controllers.node_life import LEASES, NodeLife
from litmus.sandbox.controllers.taint_eviction import TaintEviction
from litmus.sandbox.machinery import conditions, objects
from litmus.sandbox.machinery.objects import Obj
from tests.sandbox.world import World

NOT_READY, UNREACHABLE = "node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"
TOLERATED = [{"key": UNREACHABLE, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}]


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def life(world: World) -> NodeLife:
    return NodeLife(world, grace_s=4)


def beat(world: World, *names: str) -> None:
    for name in names:
        lease = world.get(LEASES, name, "kube-node-lease")
        spec = {"holderIdentity": name, "leaseDurationSeconds": 40, "renewTime": objects.micro_timestamp(world.now())}
        if lease is None:
            world.make(LEASES, {"metadata": {"name": name, "namespace": "kube-node-lease"}, "spec": spec})
        else:
            world.update(LEASES, {**lease, "spec": spec})


def node(world: World, name: str) -> Obj:
    found = world.get("nodes", name)
    assert found is not None
    return found


def taints(world: World, name: str) -> list[tuple[str, str]]:
    return sorted((taint["key"], taint["effect"]) for taint in node(world, name)["spec"].get("taints", []))


def ready(world: World, name: str) -> Obj:
    found = conditions.find(node(world, name), "Ready")
    assert found is not None
    return found


def pass_by(world: World, seconds: int, *controllers: NodeLife | TaintEviction, beating: tuple[str, ...]) -> None:
    for _ in range(seconds):
        world.settle(*controllers, for_s=1)
        beat(world, *beating)
    world.settle(*controllers)


def test_a_node_that_renews_its_lease_stays_ready(world: World, life: NodeLife) -> None:
    world.node("node1")
    beat(world, "node1")
    pass_by(world, 20, life, beating=("node1",))
    assert ready(world, "node1")["status"] == "True"
    assert taints(world, "node1") == []
    assert world.said("RegisteredNode") == ["Node node1 event: Registered Node node1 in Controller"]


def test_a_silent_node_is_unknown_and_unreachable_after_the_grace_period(world: World, life: NodeLife) -> None:
    for name in ("node1", "node2"):
        world.node(name)
    pass_by(world, 2, life, beating=("node1", "node2"))
    pass_by(world, 3, life, beating=("node2",))
    assert ready(world, "node1")["status"] == "True"
    pass_by(world, 2, life, beating=("node2",))
    condition = ready(world, "node1")
    assert (condition["status"], condition["reason"]) == ("Unknown", "NodeStatusUnknown")
    assert condition["message"] == "Kubelet stopped posting node status."
    assert (conditions.find(node(world, "node1"), "DiskPressure") or {})["reason"] == "NodeStatusNeverUpdated"
    assert taints(world, "node1") == [(UNREACHABLE, "NoExecute"), (UNREACHABLE, "NoSchedule")]
    assert all("timeAdded" in taint for taint in node(world, "node1")["spec"]["taints"])
    assert taints(world, "node2") == []
    assert world.said("NodeNotReady") == ["Node node1 status is now: NodeNotReady"]


def test_when_no_node_is_ready_nobody_is_evicted(world: World, life: NodeLife) -> None:
    world.node("node1")
    world.settle(life, for_s=10)
    assert taints(world, "node1") == [(UNREACHABLE, "NoSchedule")]
    world.node("node2")
    pass_by(world, 1, life, beating=("node2",))
    assert taints(world, "node1") == [(UNREACHABLE, "NoExecute"), (UNREACHABLE, "NoSchedule")]


def test_a_node_that_comes_back_loses_our_taints_and_keeps_those_of_people(world: World, life: NodeLife) -> None:
    theirs = {"key": "mine", "effect": "NoSchedule", "value": "x"}
    world.node("node1", taints=[theirs])
    world.node("node2")
    pass_by(world, 6, life, beating=("node2",))
    assert len(taints(world, "node1")) == 3
    back = objects.copy(node(world, "node1"))
    conditions.put(back, "Ready", "True", now=world.now(), reason="KubeletReady", message="ready")
    world.update_status("nodes", back)
    beat(world, "node1")
    world.settle(life)
    assert taints(world, "node1") == [("mine", "NoSchedule")]


def test_a_node_that_says_that_it_is_not_ready_is_tainted_so(world: World, life: NodeLife) -> None:
    world.node("node1", ready="False")
    world.node("node2")
    beat(world, "node1", "node2")
    world.settle(life)
    assert taints(world, "node1") == [(NOT_READY, "NoExecute"), (NOT_READY, "NoSchedule")]


def test_a_cordoned_node_has_a_taint_until_it_is_uncordoned(world: World, life: NodeLife) -> None:
    made = world.node("node1")
    beat(world, "node1")
    world.change("nodes", made, spec={"unschedulable": True})
    world.settle(life)
    assert taints(world, "node1") == [("node.kubernetes.io/unschedulable", "NoSchedule")]
    world.change("nodes", made, spec={"taints": node(world, "node1")["spec"]["taints"]})
    world.settle(life)
    assert taints(world, "node1") == []


def test_the_pods_of_a_silent_node_are_no_longer_ready(world: World, life: NodeLife) -> None:
    for name in ("node1", "node2"):
        world.node(name)
        world.pod(f"on-{name}", node=name, ready=True)
    pass_by(world, 6, life, beating=("node2",))
    values = {}
    for pod in world.list("pods"):
        values[objects.name(pod)] = (conditions.find(pod, "Ready") or {})["status"]
    assert values == {"on-node1": "False", "on-node2": "True"}
    assert "Node is not ready" in world.said("NodeNotReady")


def test_a_deleted_node_is_taken_leave_of(world: World, life: NodeLife) -> None:
    world.node("node1")
    world.settle(life)
    world.delete("nodes", "node1")
    world.settle(life)
    assert world.said("RemovingNode") == ["Node node1 event: Removing Node node1 from Controller"]


def leaving(world: World) -> list[str]:
    return [objects.name(pod) for pod in world.list("pods") if objects.leaving(pod)]


def test_pods_leave_a_silent_node_when_their_toleration_has_run_out(world: World, life: NodeLife) -> None:
    eviction = TaintEviction(world)
    for name in ("node1", "node2"):
        world.node(name)
    at_once = [{**TOLERATED[0], "tolerationSeconds": 0}]  # without any, admission would give it the usual ones
    world.pod("intolerant", node="node1", ready=True, tolerations=at_once)
    world.pod("patient", node="node1", ready=True, tolerations=TOLERATED)
    world.pod("stays", node="node1", ready=True, tolerations=[{"operator": "Exists"}])
    world.pod("elsewhere", node="node2", ready=True)
    pass_by(world, 6, life, eviction, beating=("node2",))
    assert leaving(world) == ["intolerant"]
    pass_by(world, 290, life, eviction, beating=("node2",))
    assert leaving(world) == ["intolerant"]
    pass_by(world, 20, life, eviction, beating=("node2",))
    assert leaving(world) == ["intolerant", "patient"]
    gone = world.get("pods", "patient", "default")
    assert (conditions.find(gone or {}, "DisruptionTarget") or {})["reason"] == "DeletionByTaintManager"
    assert "Marking for deletion Pod default/patient" in world.said("TaintManagerEviction")


def test_a_node_that_is_back_in_time_keeps_its_pods(world: World) -> None:
    eviction = TaintEviction(world)
    made = world.node("node1", taints=[{"key": UNREACHABLE, "effect": "NoExecute"}])
    world.pod("patient", node="node1", ready=True, tolerations=TOLERATED)
    world.settle(eviction, for_s=200)
    world.change("nodes", made, spec={})
    world.settle(eviction, for_s=200)
    assert leaving(world) == []
    assert world.said("TaintManagerEviction") == ["Cancelling deletion of Pod default/patient"]


def test_the_patience_of_pods_can_be_capped(world: World) -> None:
    eviction = TaintEviction(world, longest_s=10)
    world.node("node1", taints=[{"key": UNREACHABLE, "effect": "NoExecute"}])
    world.pod("patient", node="node1", ready=True, tolerations=TOLERATED)
    world.pod("stays", node="node1", ready=True, tolerations=[{"operator": "Exists"}])
    said = [{"key": UNREACHABLE, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 60}]
    world.pod("says-so", node="node1", ready=True, tolerations=said)
    world.settle(eviction, for_s=9)
    assert leaving(world) == []
    world.settle(eviction, for_s=2)
    assert leaving(world) == ["patient"]
    world.settle(eviction, for_s=50)
    assert leaving(world) == ["patient", "says-so"]


def test_a_taint_of_people_evicts_too(world: World) -> None:
    eviction = TaintEviction(world)
    made = world.node("node1")
    world.pod("p", node="node1", ready=True)
    world.pod("stays", node="node1", ready=True, tolerations=[{"key": "k", "operator": "Equal", "value": "v"}])
    world.settle(eviction)
    world.change("nodes", made, spec={"taints": [{"key": "k", "value": "v", "effect": "NoExecute"}]})
    world.settle(eviction)
    assert leaving(world) == ["p"]
