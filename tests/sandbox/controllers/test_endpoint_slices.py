from typing import Any

import pytest

from litmus.sandbox.controllers.apiserver_service import ApiserverService
from litmus.sandbox.controllers.endpoint_mirror import EndpointMirror
from litmus.sandbox.controllers.endpoint_slices import RESOURCE, EndpointSlices
from litmus.sandbox.machinery import objects
from litmus.sandbox.machinery.objects import Obj
from tests.sandbox.world import World, reference


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def slices(world: World) -> EndpointSlices:
    return EndpointSlices(world)


def service(world: World, name: str = "web", **spec: Any) -> Obj:
    spec.setdefault("selector", {"app": "web"})
    spec.setdefault("ports", [{"port": 80}])
    return world.make(
        "services", {"metadata": {"name": name, "namespace": "default", "labels": {"t": "x"}}, "spec": spec}
    )


def pod(world: World, number: int, *, ready: bool = True, **more: Any) -> Obj:
    return world.pod(f"p{number}", labels={"app": "web"}, node="node1", ip=f"127.1.1.{number}", ready=ready, **more)


def endpoints(slice_: Obj) -> dict[str, Obj]:
    return {endpoint["addresses"][0]: endpoint["conditions"] for endpoint in slice_["endpoints"]}


def test_a_slice_says_where_each_pod_is_and_how_it_does(world: World, slices: EndpointSlices) -> None:
    world.node("node1", labels={"topology.kubernetes.io/zone": "z"})
    made = service(world)
    first = pod(world, 1)
    pod(world, 2, ready=False)
    world.settle(slices)
    (slice_,) = world.list(RESOURCE)
    assert slice_["addressType"] == "IPv4"
    assert objects.name(slice_).startswith("web-")
    assert objects.labels(slice_) == {
        "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
        "kubernetes.io/service-name": "web",
        "t": "x",
    }
    assert slice_["metadata"]["ownerReferences"] == [reference(made)]
    assert slice_["ports"] == [{"name": "", "port": 80, "protocol": "TCP"}]
    assert slice_["endpoints"][0] == {
        "addresses": ["127.1.1.1"],
        "conditions": {"ready": True, "serving": True, "terminating": False},
        "nodeName": "node1",
        "targetRef": {"kind": "Pod", "name": "p1", "namespace": "default", "uid": objects.uid(first)},
        "zone": "z",
    }
    assert endpoints(slice_)["127.1.1.2"] == {"ready": False, "serving": False, "terminating": False}


def test_a_pod_that_is_being_ended_still_serves_but_gets_no_new_work(world: World, slices: EndpointSlices) -> None:
    service(world)
    service(world, "all", publishNotReadyAddresses=True)
    made = pod(world, 1)
    world.update("pods", {**objects.copy(made), "metadata": {**made["metadata"], "finalizers": ["x.io/y"]}})
    world.delete("pods", "p1", "default")
    world.settle(slices)
    by_service = {objects.labels(one)["kubernetes.io/service-name"]: endpoints(one) for one in world.list(RESOURCE)}
    assert by_service["web"]["127.1.1.1"] == {"ready": False, "serving": True, "terminating": True}
    assert by_service["all"]["127.1.1.1"] == {"ready": True, "serving": True, "terminating": True}


def test_a_service_without_pods_has_one_empty_slice(world: World, slices: EndpointSlices) -> None:
    service(world)
    made = pod(world, 1)
    world.settle(slices)
    (full,) = world.list(RESOURCE)
    world.delete("pods", objects.name(made), "default", grace_s=0)
    world.settle(slices)
    (empty,) = world.list(RESOURCE)
    assert objects.uid(empty) == objects.uid(full)
    assert not empty.get("endpoints")
    assert not empty.get("ports")


def test_a_slice_has_a_hundred_endpoints_at_most_and_pods_keep_their_places(
    world: World, slices: EndpointSlices
) -> None:
    service(world)
    for number in range(1, 151):
        pod(world, number)
    world.settle(slices)
    before = {objects.uid(slice_): slice_ for slice_ in world.list(RESOURCE)}
    assert sorted(len(slice_["endpoints"]) for slice_ in before.values()) == [50, 100]
    world.delete("pods", "p7", "default", grace_s=0)
    world.settle(slices)
    after = {objects.uid(slice_): slice_ for slice_ in world.list(RESOURCE)}
    assert after.keys() == before.keys()
    changed = [uid for uid in after if after[uid] is not before[uid]]
    assert len(changed) == 1
    assert "127.1.1.7" not in endpoints(after[changed[0]])


def test_pods_with_other_ports_are_in_other_slices(world: World, slices: EndpointSlices) -> None:
    service(world, ports=[{"name": "http", "port": 80, "targetPort": "web"}])
    pod(world, 1, ports=[{"name": "web", "containerPort": 8080}])
    pod(world, 2, ports=[{"name": "web", "containerPort": 9090}])
    world.settle(slices)
    found = {slice_["ports"][0]["port"]: list(endpoints(slice_)) for slice_ in world.list(RESOURCE)}
    assert found == {8080: ["127.1.1.1"], 9090: ["127.1.1.2"]}


def test_a_slice_that_somebody_deletes_or_changes_is_put_right(world: World, slices: EndpointSlices) -> None:
    service(world)
    pod(world, 1)
    world.settle(slices)
    (slice_,) = world.list(RESOURCE)
    world.update(RESOURCE, {**objects.copy(slice_), "endpoints": []})
    world.settle(slices)
    (repaired,) = world.list(RESOURCE)
    assert list(endpoints(repaired)) == ["127.1.1.1"]
    world.delete(RESOURCE, objects.name(slice_), "default")
    world.settle(slices)
    (again,) = world.list(RESOURCE)
    assert list(endpoints(again)) == ["127.1.1.1"]


def test_endpoints_that_people_write_are_mirrored(world: World, slices: EndpointSlices) -> None:
    mirror = EndpointMirror(world)
    service(world, selector={})
    subset = {
        "addresses": [{"ip": "1.2.3.4"}],
        "notReadyAddresses": [{"ip": "1.2.3.5"}],
        "ports": [{"name": "http", "port": 80, "protocol": "TCP"}],
    }
    meta = {"name": "web", "namespace": "default", "labels": {"k": "v"}}
    made = world.make("endpoints", {"metadata": meta, "subsets": [subset]})
    world.settle(slices, mirror)
    (slice_,) = world.list(RESOURCE)
    assert slice_["ports"] == subset["ports"]
    assert endpoints(slice_) == {"1.2.3.4": {"ready": True}, "1.2.3.5": {"ready": False}}
    assert slice_["metadata"]["ownerReferences"] == [reference(made)]
    assert objects.labels(slice_) == {
        "endpointslice.kubernetes.io/managed-by": "endpointslicemirroring-controller.k8s.io",
        "k": "v",
        "kubernetes.io/service-name": "web",
    }
    world.delete("endpoints", "web", "default")
    world.settle(slices, mirror)
    assert world.list(RESOURCE) == []


def test_the_api_server_stands_behind_the_service_kubernetes(world: World, slices: EndpointSlices) -> None:
    ours = ApiserverService(world, address="127.0.0.1", port=6443, cluster_ip="127.96.128.1")
    world.namespace("default")
    world.settle(ours, EndpointMirror(world), slices)
    service_ = world.get("services", "kubernetes", "default")
    assert service_ is not None
    assert service_["spec"]["clusterIP"] == "127.96.128.1"
    assert service_["spec"]["ports"] == [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": 6443}]
    assert objects.labels(service_) == {"component": "apiserver", "provider": "kubernetes"}
    assert [objects.name(slice_) for slice_ in world.list(RESOURCE)] == ["kubernetes"]
    there = world.get("endpoints", "kubernetes", "default")
    assert there is not None
    ports = [{"name": "https", "port": 6443, "protocol": "TCP"}]
    assert there["subsets"] == [{"addresses": [{"ip": "127.0.0.1"}], "ports": ports}]
    world.delete("services", "kubernetes", "default")
    world.settle(ours)
    assert world.there("services") == ["kubernetes"]
