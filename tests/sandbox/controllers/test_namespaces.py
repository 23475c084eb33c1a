import pytest

from litmus.sandbox.controllers.namespaces import Namespaces
from litmus.sandbox.machinery import conditions, objects
from litmus.sandbox.machinery.objects import Key
from litmus.sandbox.machinery.resources import Resource
from tests.sandbox.world import World


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def namespaces(world: World) -> Namespaces:
    return Namespaces(world)


def test_a_namespace_goes_with_everything_in_it(world: World, namespaces: Namespaces) -> None:
    things = Resource(group="x.io", version="v1", plural="things", singular="thing", kind="Thing", custom=True)
    world.registry.catalogue.add(things)
    world.namespace("shop")
    for namespace in ("shop", "other"):
        world.make("configmaps", {"metadata": {"name": "a", "namespace": namespace}})
        meta = {"name": "b", "namespace": namespace, "uid": f"b in {namespace}"}
        world.registry.store.put("things.x.io", Key(namespace, "b"), {"apiVersion": "x.io/v1", "metadata": meta})
    world.pod("c", namespace="shop")
    world.settle(namespaces)
    world.delete("namespaces", "shop")
    world.settle(namespaces)
    assert world.get("namespaces", "shop") is None
    left = [objects.namespace(obj) for obj in world.list("")]
    assert [namespace for namespace in left if namespace] == ["other", "other"]


def test_it_waits_for_what_has_finalizers_and_says_so(world: World, namespaces: Namespaces) -> None:
    world.namespace("shop")
    meta = {"name": "held", "namespace": "shop", "finalizers": ["x.io/y"]}
    world.make("configmaps", {"metadata": meta})
    world.settle(namespaces)
    world.delete("namespaces", "shop")
    world.settle(namespaces)
    namespace = world.get("namespaces", "shop")
    assert namespace is not None
    assert namespace["status"]["phase"] == "Terminating"
    said = {one["type"]: (one["status"], one["reason"], one["message"]) for one in namespace["status"]["conditions"]}
    # As the kit's cluster answers.
    assert said == {
        "NamespaceDeletionDiscoveryFailure": (
            "False",
            "ResourcesDiscovered",
            "All resources successfully discovered",
        ),
        "NamespaceDeletionGroupVersionParsingFailure": (
            "False",
            "ParsedGroupVersions",
            "All legacy kube types successfully parsed",
        ),
        "NamespaceDeletionContentFailure": (
            "False",
            "ContentDeleted",
            "All content successfully deleted, may be waiting on finalization",
        ),
        "NamespaceContentRemaining": (
            "True",
            "SomeResourcesRemain",
            "Some resources are remaining: configmaps. has 1 resource instances",
        ),
        "NamespaceFinalizersRemaining": (
            "True",
            "SomeFinalizersRemain",
            "Some content in the namespace has finalizers remaining: x.io/y in 1 resource instances",
        ),
    }
    held = world.get("configmaps", "held", "shop")
    assert held is not None
    assert objects.leaving(held)
    world.update("configmaps", {**held, "metadata": {**held["metadata"], "finalizers": []}})
    world.settle(namespaces)
    assert world.get("namespaces", "shop") is None


def test_the_finalizers_of_others_hold_the_namespace_itself(world: World, namespaces: Namespaces) -> None:
    made = world.namespace("shop")
    both = {**made, "spec": {"finalizers": ["kubernetes", "x.io/mine"]}}
    world.update("namespaces", both, subresource="finalize")
    world.delete("namespaces", "shop")
    world.settle(namespaces)
    namespace = world.get("namespaces", "shop")
    assert namespace is not None
    assert namespace["spec"]["finalizers"] == ["x.io/mine"]
    assert (conditions.find(namespace, "NamespaceContentRemaining") or {})["reason"] == "ContentRemoved"


def test_a_pod_on_a_node_is_ended_first(world: World, namespaces: Namespaces) -> None:
    world.namespace("shop")
    world.pod("p", namespace="shop", node="node1", ready=True)
    world.delete("namespaces", "shop")
    world.settle(namespaces)
    left = world.get("pods", "p", "shop")
    assert left is not None
    assert objects.leaving(left)
    assert world.get("namespaces", "shop") is not None
    world.delete("pods", "p", "shop", grace_s=0)
    world.settle(namespaces)
    assert world.get("namespaces", "shop") is None
