from typing import Any

import pytest

from litmus.sandbox.controllers.endpoints import Endpoints
from litmus.sandbox.machinery import objects
from litmus.sandbox.machinery.objects import Obj
from tests.sandbox.world import World


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def endpoints(world: World) -> Endpoints:
    return Endpoints(world)


def service(world: World, name: str = "web", **spec: Any) -> Obj:
    spec.setdefault("selector", {"app": "web"})
    spec.setdefault("ports", [{"name": "http", "port": 80, "targetPort": "web"}])
    meta = {"name": name, "namespace": "default", "labels": {"team": "x"}}
    return world.make("services", {"metadata": meta, "spec": spec})


def pod(world: World, name: str, ip: str, *, ready: bool = True, **more: Any) -> Obj:
    more.setdefault("ports", [{"name": "web", "containerPort": 8080}])
    return world.pod(name, labels={"app": "web"}, node="node1", ip=ip, ready=ready, **more)


def subsets(world: World, name: str = "web") -> list[Obj]:
    found = world.get("endpoints", name, "default")
    assert found is not None
    return list(found.get("subsets") or [])


def addresses(subset: Obj, side: str = "addresses") -> list[str]:
    return [address["ip"] for address in subset.get(side, [])]


def test_ready_pods_are_addresses_with_the_port_that_they_name(world: World, endpoints: Endpoints) -> None:
    service(world)
    made = pod(world, "a", "127.1.1.10")
    pod(world, "b", "127.1.1.9")
    world.settle(endpoints)
    target = {"kind": "Pod", "name": "a", "namespace": "default", "uid": objects.uid(made)}
    (subset,) = subsets(world)
    assert addresses(subset) == ["127.1.1.9", "127.1.1.10"]
    assert subset["addresses"][1] == {"ip": "127.1.1.10", "nodeName": "node1", "targetRef": target}
    assert subset["ports"] == [{"name": "http", "port": 8080, "protocol": "TCP"}]
    found = world.get("endpoints", "web", "default")
    assert found is not None
    assert objects.labels(found) == {"team": "x", "endpoints.kubernetes.io/managed-by": "endpoint-controller"}


def test_pods_that_are_not_ready_stand_apart(world: World, endpoints: Endpoints) -> None:
    service(world)
    pod(world, "a", "127.1.1.1")
    pod(world, "b", "127.1.1.2", ready=False)
    world.settle(endpoints)
    (subset,) = subsets(world)
    assert (addresses(subset), addresses(subset, "notReadyAddresses")) == (["127.1.1.1"], ["127.1.1.2"])


def test_a_service_may_publish_them_nevertheless(world: World, endpoints: Endpoints) -> None:
    service(world, publishNotReadyAddresses=True)
    pod(world, "b", "127.1.1.2", ready=False)
    world.settle(endpoints)
    assert addresses(subsets(world)[0]) == ["127.1.1.2"]


def test_a_pod_without_address_or_at_its_end_does_not_count(world: World, endpoints: Endpoints) -> None:
    service(world)
    pod(world, "a", "")
    pod(world, "b", "127.1.1.2", phase="Succeeded")
    leaving = pod(world, "c", "127.1.1.3")
    held = {**objects.copy(leaving), "metadata": {**leaving["metadata"], "finalizers": ["x.io/y"]}}
    world.update("pods", held)
    world.delete("pods", "c", "default")
    world.settle(endpoints)
    assert subsets(world) == []
    assert "subsets" not in (world.get("endpoints", "web", "default") or {})


def test_pods_with_other_ports_make_a_subset_of_their_own(world: World, endpoints: Endpoints) -> None:
    ports = [{"name": "http", "port": 80, "targetPort": "web"}, {"name": "fixed", "port": 90, "targetPort": 91}]
    service(world, ports=ports)
    pod(world, "a", "127.1.1.1")
    pod(world, "b", "127.1.1.2", ports=[{"name": "web", "containerPort": 9000}])
    pod(world, "c", "127.1.1.3", ports=[])
    world.settle(endpoints)
    found = {tuple(addresses(subset)): [port["port"] for port in subset["ports"]] for subset in subsets(world)}
    assert found == {("127.1.1.1",): [8080, 91], ("127.1.1.2",): [9000, 91], ("127.1.1.3",): [91]}


def test_an_unnamed_port_has_no_name_and_a_missing_target_is_the_port(world: World, endpoints: Endpoints) -> None:
    service(world, ports=[{"port": 80}])
    pod(world, "a", "127.1.1.1")
    world.settle(endpoints)
    assert subsets(world)[0]["ports"] == [{"port": 80, "protocol": "TCP"}]


def test_a_headless_service_without_ports_still_has_addresses(world: World, endpoints: Endpoints) -> None:
    service(world, clusterIP="None", ports=[])
    pod(world, "a", "127.1.1.1", hostname="a", subdomain="web")
    world.settle(endpoints)
    (subset,) = subsets(world)
    assert "ports" not in subset
    assert subset["addresses"][0]["hostname"] == "a"
    found = world.get("endpoints", "web", "default")
    assert objects.labels(found or {})["service.kubernetes.io/headless"] == ""


@pytest.mark.parametrize("spec", [{"selector": {}}, {"type": "ExternalName", "externalName": "x.org"}])
def test_a_service_without_selector_is_left_to_people(world: World, endpoints: Endpoints, spec: Obj) -> None:
    service(world, **spec)
    pod(world, "a", "127.1.1.1")
    world.settle(endpoints)
    assert world.there("endpoints") == []


def test_endpoints_follow_the_pods_and_go_with_the_service(world: World, endpoints: Endpoints) -> None:
    service(world)
    made = pod(world, "a", "127.1.1.1")
    world.settle(endpoints)
    world.change("pods", made, status={**made["status"], "podIP": "127.1.1.7"})
    world.settle(endpoints)
    assert addresses(subsets(world)[0]) == ["127.1.1.7"]
    world.delete("pods", "a", "default", grace_s=0)
    world.settle(endpoints)
    assert subsets(world) == []
    world.delete("services", "web", "default")
    world.settle(endpoints)
    assert world.there("endpoints") == []


def test_what_does_not_change_is_not_written(world: World, endpoints: Endpoints) -> None:
    service(world)
    made = pod(world, "a", "127.1.1.1")
    world.settle(endpoints)
    before = world.get("endpoints", "web", "default")
    world.clock.advance(60)
    world.change("pods", made, status={**made["status"], "message": "alive"})
    world.settle(endpoints)
    assert world.get("endpoints", "web", "default") is before


def test_endpoints_that_a_user_makes_are_nobody_elses_business(world: World, endpoints: Endpoints) -> None:
    service(world)
    world.settle(endpoints)
    world.delete("services", "web", "default")
    world.settle(endpoints)
    world.make("endpoints", {"metadata": {"name": "web", "namespace": "default"}, "subsets": []})
    world.settle(endpoints)
    assert len(world.there("endpoints")) == 1
