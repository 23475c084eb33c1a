from typing import Any

import pytest

from litmus.sandbox.controllers import daemon_sets, revisions
from litmus.sandbox.machinery import objects
from litmus.sandbox.machinery.objects import Obj
from tests.sandbox.controllers import stage
from tests.sandbox.controllers.stage import Stage

SETS = "daemonsets.apps"


@pytest.fixture
def world() -> Stage:
    made = Stage(daemon_sets.DaemonSets)
    for number in (1, 2, 3):
        node(made, f"node{number}")
    return made


def node(world: Stage, name: str, labels: dict[str, str] | None = None, **spec: Any) -> None:
    world.cluster.create("nodes", {"metadata": {"name": name, "labels": labels or {}}, "spec": spec})


def agent(world: Stage, template: Obj | None = None, **spec: Any) -> Obj:
    whole = {"selector": {"matchLabels": {"app": "agent"}}, "template": template or stage.template("agent"), **spec}
    return world.create(SETS, "agent", whole)


def image(world: Stage, name: str) -> None:
    world.change(SETS, "agent", lambda one: one["spec"]["template"]["spec"]["containers"][0].update(image=name))


def change_node(world: Stage, name: str, **spec: Any) -> None:
    found = world.cluster.get("nodes", name)
    assert found is not None
    world.cluster.update("nodes", {**found, "spec": {**found.get("spec", {}), **spec}})


def placed(world: Stage) -> list[str]:
    return sorted(pod["spec"].get("nodeName", "") for pod in world.pods())


def status(world: Stage) -> Obj:
    found: Obj = world.get(SETS, "agent")["status"]
    return found


def rolling(surge: int, unavailable: int) -> Obj:
    return {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}


def taint(key: str, effect: str) -> Obj:
    return {"key": key, "effect": effect}


def test_each_node_gets_a_pod_that_only_it_can_get(world: Stage) -> None:
    """Golden: the affinity and the tolerations of a daemon pod on Kubernetes 1.20.2."""
    agent(world)
    world.settle()
    assert placed(world) == ["node1", "node2", "node3"]
    (pod,) = (one for one in world.pods() if one["spec"]["nodeName"] == "node2")
    required = {
        "nodeSelectorTerms": [{"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["node2"]}]}]
    }
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}
    assert pod["spec"]["affinity"] == affinity
    assert [(one["key"], one["effect"]) for one in pod["spec"]["tolerations"]] == [
        ("node.kubernetes.io/not-ready", "NoExecute"),
        ("node.kubernetes.io/unreachable", "NoExecute"),
        ("node.kubernetes.io/disk-pressure", "NoSchedule"),
        ("node.kubernetes.io/memory-pressure", "NoSchedule"),
        ("node.kubernetes.io/pid-pressure", "NoSchedule"),
        ("node.kubernetes.io/unschedulable", "NoSchedule"),
    ]
    (revision,) = world.names(revisions.RESOURCE)
    assert pod["metadata"]["labels"] == {
        "app": "agent",
        "controller-revision-hash": revision.removeprefix("agent-"),
        "pod-template-generation": "1",
    }


def test_the_status_is_that_of_a_real_one(world: Stage) -> None:
    agent(world)
    world.settle()
    assert status(world) == {
        "currentNumberScheduled": 3,
        "desiredNumberScheduled": 3,
        "numberAvailable": 3,
        "numberMisscheduled": 0,
        "numberReady": 3,
        "observedGeneration": 1,
        "updatedNumberScheduled": 3,
    }


def test_pods_that_are_not_ready_count_as_unavailable(world: Stage) -> None:
    world.kubelet.ready = lambda pod: stage.assigned(pod) != "node1"
    agent(world)
    world.settle()
    assert (status(world)["numberReady"], status(world)["numberAvailable"], status(world)["numberUnavailable"]) == (
        2,
        2,
        1,
    )


def test_a_new_node_gets_its_pod_and_a_node_that_goes_counts_no_more(world: Stage) -> None:
    agent(world)
    world.settle()
    node(world, "node4")
    world.settle()
    assert placed(world) == ["node1", "node2", "node3", "node4"]
    world.cluster.delete("nodes", "node4")
    world.settle()
    assert status(world)["desiredNumberScheduled"] == 3


def test_a_heartbeat_of_a_node_asks_for_nothing(world: Stage) -> None:
    agent(world)
    world.settle()
    (controller,) = world.controllers
    found = world.cluster.get("nodes", "node1")
    assert found is not None
    beating = world.cluster.update_status("nodes", {**found, "status": {"conditions": []}})
    assert list(controller.watches["nodes"](beating)) == []
    change_node(world, "node1", taints=[taint("x", "NoSchedule")])
    changed = world.cluster.get("nodes", "node1")
    assert changed is not None
    assert [key.name for key in controller.watches["nodes"](changed)] == ["agent"]


def test_a_node_selector_leaves_nodes_out(world: Stage) -> None:
    node(world, "fast", {"disk": "ssd"})
    agent(world, stage.template("agent", nodeSelector={"disk": "ssd"}))
    world.settle()
    assert placed(world) == ["fast"]


def test_a_node_that_loses_its_label_loses_its_pod(world: Stage) -> None:
    node(world, "fast", {"disk": "ssd"})
    agent(world, stage.template("agent", nodeSelector={"disk": "ssd"}))
    world.settle()
    found = world.cluster.get("nodes", "fast")
    assert found is not None
    world.cluster.update("nodes", {**found, "metadata": {**found["metadata"], "labels": {}}})
    world.settle()
    assert placed(world) == []
    assert status(world)["desiredNumberScheduled"] == 0


def test_a_taint_keeps_new_pods_off_and_no_execute_ends_those_there(world: Stage) -> None:
    change_node(world, "node1", taints=[taint("dedicated", "NoSchedule")])
    agent(world)
    world.settle()
    assert placed(world) == ["node2", "node3"]
    change_node(world, "node2", taints=[taint("dedicated", "NoSchedule")])
    world.settle()
    assert placed(world) == ["node2", "node3"]
    assert status(world)["numberMisscheduled"] == 1
    change_node(world, "node2", taints=[taint("dedicated", "NoExecute")])
    world.settle()
    assert placed(world) == ["node3"]


def test_a_cordoned_or_unreachable_node_keeps_its_daemon(world: Stage) -> None:
    change_node(world, "node1", unschedulable=True, taints=[taint("node.kubernetes.io/unschedulable", "NoSchedule")])
    change_node(world, "node2", taints=[taint("node.kubernetes.io/unreachable", "NoExecute")])
    agent(world)
    world.settle()
    assert placed(world) == ["node1", "node2", "node3"]


def test_a_deleted_pod_is_replaced_when_it_is_gone(world: Stage) -> None:
    agent(world)
    world.settle()
    world.kubelet.ends = False
    world.cluster.delete("pods", world.names("pods")[0], stage.NAMESPACE)
    world.settle()
    assert len(world.pods()) == 3
    world.kubelet.ends = True
    world.settle()
    assert placed(world) == ["node1", "node2", "node3"]


def test_a_failed_pod_is_replaced_with_growing_pauses(world: Stage) -> None:
    agent(world, stage.template("agent", nodeName="node1"))
    world.settle()
    for pause_s in (0, 1, 2, 4):
        (name,) = world.names("pods")
        world.end(name, "Failed")
        if pause_s:
            world.settle(for_s=pause_s - 0.1)
            assert world.names("pods") == [name]
            world.settle(for_s=0.1)
        else:
            world.settle()
        assert name not in world.names("pods")
    assert world.events("FailedDaemonPod")[0].startswith("Found failed daemon pod shop/agent-")
    assert world.events("FailedDaemonPod")[0].endswith(" on node node1, will try to kill it")


def test_an_update_replaces_one_node_after_the_other(world: Stage) -> None:
    agent(world)
    world.settle()
    least = 3

    def note(_: object) -> None:
        nonlocal least
        least = min(least, sum("True" in str(pod["status"].get("conditions")) for pod in world.pods()))

    world.cluster.subscribe("pods", note)
    image(world, "nginx:2")
    world.settle()
    assert {pod["spec"]["containers"][0]["image"] for pod in world.pods()} == {"nginx:2"}
    assert least == 2
    assert status(world)["updatedNumberScheduled"] == 3
    assert {objects.labels(pod)["pod-template-generation"] for pod in world.pods()} == {"2"}


def test_an_update_stops_at_the_pods_that_may_be_unavailable(world: Stage) -> None:
    agent(world, updateStrategy=rolling(0, 2))
    world.settle()
    world.kubelet.ready = lambda pod: pod["spec"]["containers"][0]["image"] == "nginx:1"
    image(world, "nginx:broken")
    world.settle(for_s=600)
    found = sorted(pod["spec"]["containers"][0]["image"] for pod in world.pods())
    assert found == ["nginx:1", "nginx:broken", "nginx:broken"]


def test_a_surge_makes_the_new_pod_before_it_ends_the_old_one(world: Stage) -> None:
    agent(world, updateStrategy=rolling(1, 0))
    world.settle()
    counts: list[int] = []
    world.cluster.subscribe("pods", lambda event: counts.append(sum(not objects.leaving(pod) for pod in world.pods())))
    image(world, "nginx:2")
    world.settle()
    assert {pod["spec"]["containers"][0]["image"] for pod in world.pods()} == {"nginx:2"}
    assert (min(counts), max(counts)) == (3, 4)


def test_a_surge_whose_new_pod_is_broken_keeps_the_old_one(world: Stage) -> None:
    agent(world, updateStrategy=rolling(1, 0))
    world.settle()
    world.kubelet.ready = lambda pod: pod["spec"]["containers"][0]["image"] == "nginx:1"
    image(world, "nginx:broken")
    world.settle(for_s=600)
    found = sorted(pod["spec"]["containers"][0]["image"] for pod in world.pods())
    assert found == ["nginx:1", "nginx:1", "nginx:1", "nginx:broken"]


def test_on_delete_leaves_the_pods_to_people(world: Stage) -> None:
    agent(world, updateStrategy={"type": "OnDelete"})
    world.settle()
    image(world, "nginx:2")
    world.settle()
    assert {pod["spec"]["containers"][0]["image"] for pod in world.pods()} == {"nginx:1"}
    world.cluster.delete("pods", world.names("pods")[0], stage.NAMESPACE)
    world.settle()
    assert sorted(pod["spec"]["containers"][0]["image"] for pod in world.pods())[-1] == "nginx:2"


def test_revisions_hold_the_template_and_the_limit_keeps_those_in_use(world: Stage) -> None:
    agent(world, revisionHistoryLimit=1)
    for number in range(1, 5):
        world.settle()
        image(world, f"nginx:{number}")
    world.settle()
    found = world.list(revisions.RESOURCE)
    assert sorted(one["revision"] for one in found) == [3, 4]
    newest = max(found, key=lambda one: one["revision"])
    assert newest["data"]["spec"]["template"]["$patch"] == "replace"
    assert newest["metadata"]["labels"]["controller-revision-hash"] == objects.name(newest).removeprefix("agent-")


def test_pods_for_a_node_that_is_gone_do_not_wait_for_it(world: Stage) -> None:
    agent(world)
    world.settle(pods_live=False)
    world.cluster.delete("nodes", "node3")
    world.settle(pods_live=False)
    assert [stage.assigned(pod) for pod in world.pods()].count("node3") == 0


def test_a_refused_pod_on_one_node_is_told_and_tried_again(world: Stage) -> None:
    world.refuse("pods")
    agent(world)
    world.settle(for_s=1)
    assert world.events("FailedCreate") == ['Error creating: pods "x" is forbidden: exceeded quota: small']
    world.allow("pods")
    world.settle(for_s=30)
    assert placed(world) == ["node1", "node2", "node3"]


def test_nothing_is_written_when_nothing_changes(world: Stage) -> None:
    agent(world, updateStrategy=rolling(1, 0))
    world.settle()
    image(world, "nginx:2")
    world.settle()
    before = world.cluster.registry.store.revision
    world.settle(for_s=3600)
    assert world.cluster.registry.store.revision == before
