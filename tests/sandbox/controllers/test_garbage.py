from typing import Any

import pytest

from litmus.sandbox.controllers.garbage import Garbage
from litmus.sandbox.machinery import objects
from litmus.sandbox.machinery.objects import Obj
from tests.sandbox.world import World, reference


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def garbage(world: World) -> Garbage:
    return Garbage(world)


def thing(world: World, name: str, *owners: Obj, namespace: str = "default", finalizers: Any = ()) -> Obj:
    meta: Obj = {"name": name, "namespace": namespace}
    if owners:
        meta["ownerReferences"] = [owner if "uid" in owner else reference(owner, controller=False) for owner in owners]
    if finalizers:
        meta["finalizers"] = list(finalizers)
    return world.make("configmaps", {"metadata": meta})


def owners_of(world: World, name: str) -> list[str]:
    found = world.get("configmaps", name, "default")
    assert found is not None
    return [owner["name"] for owner in objects.meta(found).get("ownerReferences", [])]


def test_what_belongs_to_a_deleted_object_goes_after_it_all_the_way_down(world: World, garbage: Garbage) -> None:
    parent = thing(world, "parent")
    child = thing(world, "child", parent)
    thing(world, "grandchild", child)
    thing(world, "bystander")
    world.settle(garbage)
    assert world.there("configmaps") == ["bystander", "child", "grandchild", "parent"]
    world.delete("configmaps", "parent", "default")
    world.settle(garbage)
    assert world.there("configmaps") == ["bystander"]


def test_an_object_whose_owner_never_was_goes(world: World, garbage: Garbage) -> None:
    ghost = {"apiVersion": "v1", "kind": "ConfigMap", "name": "ghost", "uid": "none"}
    thing(world, "child", ghost)
    world.settle(garbage)
    assert world.there("configmaps") == []


def test_a_new_object_under_the_owners_name_is_no_owner(world: World, garbage: Garbage) -> None:
    parent = thing(world, "parent")
    thing(world, "child", parent)
    world.delete("configmaps", "parent", "default")
    thing(world, "parent")
    world.settle(garbage)
    assert world.there("configmaps") == ["parent"]


def test_one_owner_that_lives_keeps_an_object_and_the_others_are_forgotten(world: World, garbage: Garbage) -> None:
    one, two = thing(world, "one"), thing(world, "two")
    thing(world, "child", one, two)
    world.settle(garbage)
    world.delete("configmaps", "one", "default")
    world.settle(garbage)
    assert owners_of(world, "child") == ["two"]


def test_in_the_foreground_the_owner_goes_last(world: World, garbage: Garbage) -> None:
    parent = thing(world, "parent")
    thing(world, "child", parent, finalizers=["x.io/hold"])
    thing(world, "quick", parent)
    world.settle(garbage)
    world.delete("configmaps", "parent", "default", propagation="Foreground")
    world.settle(garbage)
    assert world.there("configmaps") == ["child", "parent"]
    child = world.get("configmaps", "child", "default")
    assert child is not None
    assert objects.leaving(child)
    world.update("configmaps", {**child, "metadata": {**child["metadata"], "finalizers": []}})
    world.settle(garbage)
    assert world.there("configmaps") == []


def test_a_dependent_that_does_not_block_is_not_waited_for(world: World, garbage: Garbage) -> None:
    parent = thing(world, "parent")
    thing(world, "child", reference(parent, block=False), finalizers=["x.io/hold"])
    world.delete("configmaps", "parent", "default", propagation="Foreground")
    world.settle(garbage)
    assert world.there("configmaps") == ["child"]


def test_foreground_goes_down_all_generations_before_it_comes_back_up(world: World, garbage: Garbage) -> None:
    parent = thing(world, "parent")
    child = thing(world, "child", parent)
    thing(world, "grandchild", child, finalizers=["x.io/hold"])
    world.delete("configmaps", "parent", "default", propagation="Foreground")
    world.settle(garbage)
    assert world.there("configmaps") == ["child", "grandchild", "parent"]
    held = world.get("configmaps", "grandchild", "default")
    assert held is not None
    world.update("configmaps", {**held, "metadata": {**held["metadata"], "finalizers": []}})
    world.settle(garbage)
    assert world.there("configmaps") == []


def test_a_circle_of_owners_does_not_hold_itself(world: World, garbage: Garbage) -> None:
    one = thing(world, "one")
    two = thing(world, "two", one)
    world.update("configmaps", {**one, "metadata": {**one["metadata"], "ownerReferences": [reference(two)]}})
    world.settle(garbage)
    world.delete("configmaps", "one", "default", propagation="Foreground")
    world.settle(garbage)
    assert world.there("configmaps") == []


def test_orphans_stay_and_forget_their_owner(world: World, garbage: Garbage) -> None:
    parent = thing(world, "parent")
    other = thing(world, "other")
    thing(world, "child", parent, other)
    world.settle(garbage)
    world.delete("configmaps", "parent", "default", propagation="Orphan")
    world.settle(garbage)
    assert world.there("configmaps") == ["child", "other"]
    assert owners_of(world, "child") == ["other"]


def test_an_owner_in_another_namespace_does_not_exist(world: World, garbage: Garbage) -> None:
    parent = thing(world, "parent", namespace="elsewhere")
    thing(world, "child", parent)
    world.settle(garbage)
    assert world.there("configmaps", "default") == []
    assert "does not exist in namespace" in world.said("OwnerRefInvalidNamespace")[0]


def test_an_owner_of_a_kind_that_is_not_served_keeps_its_dependents(world: World, garbage: Garbage) -> None:
    unknown = {"apiVersion": "x.io/v1", "kind": "Thing", "name": "t", "uid": "u"}
    thing(world, "child", unknown)
    world.settle(garbage, for_s=120)
    assert world.there("configmaps") == ["child"]


def test_a_namespaced_owner_of_a_cluster_wide_object_cannot_be_found(world: World, garbage: Garbage) -> None:
    parent = thing(world, "parent")
    meta = {"name": "role", "ownerReferences": [reference(parent)]}
    world.make("clusterroles.rbac.authorization.k8s.io", {"metadata": meta, "rules": []})
    world.delete("configmaps", "parent", "default")
    world.settle(garbage)
    assert world.there("clusterroles.rbac.authorization.k8s.io") == ["role"]


def test_a_cluster_wide_owner_of_namespaced_objects_is_found(world: World, garbage: Garbage) -> None:
    node = world.node("node1")
    meta = {"name": "lease", "namespace": "default", "ownerReferences": [reference(node)]}
    world.make("leases.coordination.k8s.io", {"metadata": meta, "spec": {}})
    world.settle(garbage)
    assert world.there("leases.coordination.k8s.io") == ["lease"]
    world.delete("nodes", "node1")
    world.settle(garbage)
    assert world.there("leases.coordination.k8s.io") == []


def test_an_owner_reference_that_is_added_later_counts(world: World, garbage: Garbage) -> None:
    parent, child = thing(world, "parent"), thing(world, "child")
    world.settle(garbage)
    world.update("configmaps", {**child, "metadata": {**child["metadata"], "ownerReferences": [reference(parent)]}})
    world.settle(garbage)
    world.delete("configmaps", "parent", "default")
    world.settle(garbage)
    assert world.there("configmaps") == []
