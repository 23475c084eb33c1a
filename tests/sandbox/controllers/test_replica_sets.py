from typing import Any

import pytest

from litmus.sandbox.controllers import loop, replica_sets
from litmus.sandbox.machinery import objects
from litmus.sandbox.machinery.objects import Obj
from tests.sandbox.controllers import stage
from tests.sandbox.controllers.stage import Stage

SETS = "replicasets.apps"


@pytest.fixture
def world() -> Stage:
    return Stage(replica_sets.ReplicaSets, replica_sets.ReplicationControllers)


def web(world: Stage, replicas: int = 3, **spec: Any) -> Obj:
    selector = {"matchLabels": {"app": "web"}}
    return world.create(
        SETS, "web", {"replicas": replicas, "selector": selector, "template": stage.template("web"), **spec}
    )


def test_as_many_pods_as_asked_for_are_made_from_the_template(world: Stage) -> None:
    owner = web(world)
    world.settle()
    made = world.pods("app=web")
    assert len(made) == 3
    for pod in made:
        assert pod["metadata"]["generateName"] == "web-"
        assert pod["metadata"]["name"].startswith("web-")
        assert pod["metadata"]["ownerReferences"][0]["uid"] == objects.uid(owner)
        assert pod["spec"]["containers"][0]["image"] == "nginx:1"


def test_the_status_counts_as_a_real_one_does(world: Stage) -> None:
    web(world)
    world.settle()
    assert world.get(SETS, "web")["status"] == {
        "availableReplicas": 3,
        "fullyLabeledReplicas": 3,
        "observedGeneration": 1,
        "readyReplicas": 3,
        "replicas": 3,
        "terminatingReplicas": 0,
    }


def test_figures_of_nothing_are_left_out(world: Stage) -> None:
    world.kubelet.ready = lambda pod: False
    web(world, 1)
    world.settle()
    assert world.get(SETS, "web")["status"] == {
        "fullyLabeledReplicas": 1,
        "observedGeneration": 1,
        "replicas": 1,
        "terminatingReplicas": 0,
    }


def test_events_tell_of_each_pod_at_the_set(world: Stage) -> None:
    web(world, 2)
    world.settle()
    assert world.events("SuccessfulCreate") == [f"Created pod: {name}" for name in _by_age(world)]
    world.change(SETS, "web", lambda one: one["spec"].update(replicas=1))
    before = set(world.names("pods"))
    world.settle()
    (gone,) = before - set(world.names("pods"))
    assert world.events("SuccessfulDelete", "ReplicaSet") == [f"Deleted pod: {gone}"]
    assert {event["source"]["component"] for event in world.list("events")} == {"replicaset-controller"}


def _by_age(world: Stage) -> list[str]:
    created = [event["message"].removeprefix("Created pod: ") for event in world.list("events")]
    assert sorted(created) == world.names("pods")
    return [message.removeprefix("Created pod: ") for message in world.events("SuccessfulCreate")]


def test_a_deleted_pod_is_replaced_while_it_still_ends(world: Stage) -> None:
    world.kubelet.ends = False
    web(world, 2)
    world.settle()
    world.cluster.delete("pods", world.names("pods")[0], stage.NAMESPACE)
    world.settle()
    assert len(world.pods()) == 3
    status = world.get(SETS, "web")["status"]
    assert (status["replicas"], status["terminatingReplicas"]) == (2, 1)


def test_a_pod_that_has_failed_is_replaced_and_remains(world: Stage) -> None:
    web(world, 1)
    world.settle()
    (failed,) = world.names("pods")
    world.end(failed, "Failed")
    world.settle()
    assert len(world.pods()) == 2
    assert world.get(SETS, "web")["status"]["replicas"] == 1


def test_of_too_many_pods_the_unready_one_goes(world: Stage) -> None:
    web(world, 2)
    world.settle()
    world.kubelet.ready = lambda pod: pod["metadata"]["name"] in kept
    kept = set(world.names("pods"))
    world.change(SETS, "web", lambda one: one["spec"].update(replicas=3))
    world.settle()
    world.change(SETS, "web", lambda one: one["spec"].update(replicas=2))
    world.settle()
    assert set(world.names("pods")) == kept


def test_orphans_count_towards_the_replicas(world: Stage) -> None:
    world.create("pods", "mine", stage.template("web")["spec"], labels={"app": "web"})
    web(world, 2)
    world.settle()
    assert len(world.pods()) == 2
    assert "mine" in world.names("pods")


def test_a_pod_that_loses_its_label_is_released_and_replaced(world: Stage) -> None:
    web(world, 1)
    world.settle()
    (first,) = world.names("pods")
    world.change("pods", first, lambda pod: pod["metadata"]["labels"].update(app="debug"))
    world.settle()
    assert "ownerReferences" not in world.get("pods", first)["metadata"]
    assert len(world.pods("app=web")) == 1


def test_availability_waits_for_min_ready_seconds(world: Stage) -> None:
    web(world, 1, minReadySeconds=10)
    world.settle(for_s=9)
    assert "availableReplicas" not in world.get(SETS, "web")["status"]
    world.settle(for_s=2)
    assert world.get(SETS, "web")["status"]["availableReplicas"] == 1


def test_a_refused_pod_is_told_as_event_and_condition_and_tried_again(world: Stage) -> None:
    world.refuse("pods")
    web(world, 2)
    world.settle(for_s=1)
    status = world.get(SETS, "web")["status"]
    (failure,) = status["conditions"]
    assert status["replicas"] == 0
    assert (failure["type"], failure["status"], failure["reason"]) == ("ReplicaFailure", "True", "FailedCreate")
    assert failure["message"] == 'pods "x" is forbidden: exceeded quota: small'
    (event,) = [event for event in world.list("events") if event["reason"] == "FailedCreate"]
    assert event["message"] == 'Error creating: pods "x" is forbidden: exceeded quota: small'
    assert event["type"] == "Warning"
    assert event["count"] > 3
    world.allow("pods")
    world.settle(for_s=30)
    assert len(world.pods()) == 2
    assert "conditions" not in world.get(SETS, "web")["status"]


def test_a_set_that_is_going_makes_no_pods(world: Stage) -> None:
    web(world, 2)
    world.change(SETS, "web", lambda one: one["metadata"].update(finalizers=["foregroundDeletion"]))
    world.cluster.delete(SETS, "web", stage.NAMESPACE, propagation="Foreground")
    world.settle()
    assert world.pods() == []


def test_nothing_is_written_when_nothing_changes(world: Stage) -> None:
    web(world)
    world.settle()
    before = world.cluster.registry.store.revision
    world.settle(for_s=3600)
    assert world.cluster.registry.store.revision == before


def test_more_pods_than_one_step_makes_are_made_in_several(world: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replica_sets, "BURST", 2)
    web(world, 5)
    world.settle()
    assert len(world.pods()) == 5


def test_a_replication_controller_selects_by_a_plain_map(world: Stage) -> None:
    spec = {"replicas": 1, "selector": {"app": "old"}, "template": stage.template("old")}
    world.create("replicationcontrollers", "old", spec)
    world.settle()
    (pod,) = world.pods("app=old")
    assert pod["metadata"]["ownerReferences"][0]["kind"] == "ReplicationController"
    assert pod["metadata"]["ownerReferences"][0]["apiVersion"] == "v1"
    status = world.get("replicationcontrollers", "old")["status"]
    assert status == {
        "availableReplicas": 1,
        "fullyLabeledReplicas": 1,
        "observedGeneration": 1,
        "readyReplicas": 1,
        "replicas": 1,
    }


def test_two_sets_that_select_the_same_do_not_fight(world: Stage) -> None:
    web(world, 2)
    spec = {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": stage.template("web")}
    world.create(SETS, "twin", spec)
    try:
        world.settle(for_s=10)
    except loop.Unsettled as unsettled:
        pytest.fail(str(unsettled))
    assert len(world.pods()) == 4
