from typing import Any

import pytest

from litmus.sandbox.controllers import owners, replica_sets
from litmus.sandbox.machinery import objects
from litmus.sandbox.machinery.objects import Key, Obj
from tests.sandbox.controllers import stage
from tests.sandbox.controllers.stage import Stage

WEB = {"matchLabels": {"app": "web"}}


@pytest.fixture
def world() -> Stage:
    return Stage()


def replica_set(world: Stage, name: str = "web", app: str = "web") -> Obj:
    spec = {"replicas": 0, "selector": {"matchLabels": {"app": app}}, "template": stage.template(app)}
    return world.create("replicasets.apps", name, spec)


def pod(world: Stage, name: str, app: str = "web", **metadata: Any) -> Obj:
    return world.create("pods", name, stage.template(app)["spec"], labels={"app": app}, **metadata)


def test_an_orphan_that_matches_is_adopted(world: Stage) -> None:
    owner = replica_set(world)
    pod(world, "a")
    (claimed,) = owners.claim(world.cluster, owner, "pods", WEB)
    assert claimed == world.get("pods", "a")
    assert claimed["metadata"]["ownerReferences"] == [
        {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "name": "web",
            "uid": objects.uid(owner),
            "controller": True,
            "blockOwnerDeletion": True,
        }
    ]


def test_an_owned_object_that_matches_no_longer_is_released_and_keeps_its_other_owners(world: Stage) -> None:
    owner = replica_set(world)
    other = {"apiVersion": "v1", "kind": "ConfigMap", "name": "c", "uid": "u"}
    pod(world, "a", app="blue", ownerReferences=[owners.reference(owner), other])
    pod(world, "b", app="blue", ownerReferences=[owners.reference(owner)])
    assert owners.claim(world.cluster, owner, "pods", WEB) == []
    assert world.get("pods", "a")["metadata"]["ownerReferences"] == [other]
    assert "ownerReferences" not in world.get("pods", "b")["metadata"]


def test_what_another_controller_owns_is_left_alone(world: Stage) -> None:
    first, second = replica_set(world), replica_set(world, "second")
    pod(world, "a", ownerReferences=[owners.reference(second)])
    before = world.get("pods", "a")
    assert owners.claim(world.cluster, first, "pods", WEB) == []
    assert world.get("pods", "a") == before


def test_an_owner_of_the_same_name_but_another_uid_is_a_stranger(world: Stage) -> None:
    owner = replica_set(world)
    pod(world, "a", ownerReferences=[{**owners.reference(owner), "uid": "of an earlier one"}])
    assert owners.claim(world.cluster, owner, "pods", WEB) == []


def test_an_owner_that_is_being_deleted_neither_adopts_nor_releases(world: Stage) -> None:
    owner = replica_set(world)
    world.change("replicasets.apps", "web", lambda one: one["metadata"].update(finalizers=["x.io/hold"]))
    world.cluster.delete("replicasets.apps", "web", stage.NAMESPACE)
    pod(world, "a")
    pod(world, "b", app="blue", ownerReferences=[owners.reference(owner)])
    assert owners.claim(world.cluster, world.get("replicasets.apps", "web"), "pods", WEB) == []
    assert "ownerReferences" not in world.get("pods", "a")["metadata"]
    assert "ownerReferences" in world.get("pods", "b")["metadata"]


def test_an_orphan_concerns_all_that_might_adopt_it_and_a_child_its_owner_only(world: Stage) -> None:
    owner = replica_set(world)
    replica_set(world, "second")
    replica_set(world, "blue", app="blue")
    keys = replica_sets.ReplicaSets(world.cluster).watches["pods"]
    assert list(keys(pod(world, "a"))) == [Key("shop", "second"), Key("shop", "web")]
    assert list(keys(pod(world, "b", ownerReferences=[owners.reference(owner)]))) == [Key("shop", "web")]
    of_another_kind = {**owners.reference(owner), "kind": "Job", "apiVersion": "batch/v1"}
    assert list(keys(pod(world, "c", ownerReferences=[of_another_kind]))) == []
