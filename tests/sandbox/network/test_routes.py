from typing import Any

import pytest

from litmus.sandbox.machinery.objects import Key, Obj
from litmus.sandbox.network import balance, routes
from litmus.sandbox.network.routes import Place, Target


def service(name: str = "web", **spec: Any) -> Obj:
    known = {"clusterIP": "127.9.128.7", "type": "ClusterIP", "ports": [{"port": 80}], **spec}
    return {"metadata": {"name": name, "namespace": "a"}, "spec": known}


def slice_(*endpoints: tuple[str, bool, bool], port: int = 8080, name: str = "") -> Obj:
    return {
        "metadata": {"name": "s", "namespace": "a", "labels": {"kubernetes.io/service-name": "web"}},
        "ports": [{"name": name, "port": port, "protocol": "TCP"}],
        "endpoints": [
            {"addresses": [ip], "conditions": {"ready": ready, "serving": True, "terminating": ending}}
            for ip, ready, ending in endpoints
        ],
    }


HERE = Place("TCP", "127.9.128.7", 80)
ONE, TWO = ("127.9.1.1", True, False), ("127.9.1.2", True, False)
ENDING = ("127.9.1.3", False, True)


def test_a_service_leads_to_its_ready_pods() -> None:
    found = routes.table([service()], [slice_(ONE, TWO, ENDING)])
    assert list(found) == [HERE]
    assert found[HERE].service == Key("a", "web")
    assert found[HERE].targets == (Target("127.9.1.1", 8080), Target("127.9.1.2", 8080))


def test_pods_that_are_being_ended_are_better_than_none() -> None:
    assert routes.table([service()], [slice_(ENDING)])[HERE].targets == (Target("127.9.1.3", 8080),)


@pytest.mark.parametrize(
    ("spec", "slices"),
    [
        ({}, []),
        ({}, [slice_(("127.9.1.1", False, False))]),
        ({"clusterIP": "None"}, [slice_(ONE)]),
        ({"type": "ExternalName", "clusterIP": ""}, [slice_(ONE)]),
        ({"ports": [{"port": 80, "protocol": "SCTP"}]}, [slice_(ONE)]),
        ({"ports": [{"name": "other", "port": 80}]}, [slice_(ONE)]),
    ],
)
def test_without_anybody_to_answer_there_is_no_route(spec: Obj, slices: list[Obj]) -> None:
    assert routes.table([service(**spec)], slices) == {}


def test_each_port_leads_to_the_port_of_its_name() -> None:
    ports = [{"name": "http", "port": 80}, {"name": "dns", "port": 53, "protocol": "UDP"}]
    found = routes.table([service(ports=ports)], [slice_(ONE, name="http"), slice_(ONE, name="dns", port=5353)])
    assert found[HERE].targets == (Target("127.9.1.1", 8080),)
    assert found[Place("UDP", "127.9.128.7", 53)].targets == (Target("127.9.1.1", 5353),)


def test_a_node_port_is_answered_on_this_machine() -> None:
    found = routes.table([service(type="NodePort", ports=[{"port": 80, "nodePort": 30080}])], [slice_(ONE)])
    assert list(found) == [HERE, Place("TCP", "127.0.0.1", 30080)]


def test_a_client_stays_with_its_target_when_the_service_says_so() -> None:
    now = [0.0]
    many = [(f"127.9.1.{number}", True, False) for number in range(1, 60)]
    config = {"clientIP": {"timeoutSeconds": 100}}
    found = routes.table([service(sessionAffinity="ClientIP", sessionAffinityConfig=config)], [slice_(*many)])
    assert found[HERE].affinity_s == 100
    balancer = balance.Balancer(found[HERE], now_s=lambda: now[0])
    first = balancer.choose("127.0.0.1")
    assert {balancer.choose("127.0.0.1") for _ in range(50)} == {first}
    now[0] = 99
    assert balancer.choose("127.0.0.1") == first
    now[0] = 300
    assert len({balancer.choose(f"127.0.1.{number}") for number in range(50)}) > 1
    rest = tuple(target for target in found[HERE].targets if target != first)
    balancer.route = routes.Route(service=Key("a", "web"), targets=rest, affinity_s=100)
    assert balancer.choose("127.0.0.1") != first


def test_without_affinity_all_targets_are_used() -> None:
    balancer = balance.Balancer(routes.table([service()], [slice_(ONE, TWO)])[HERE])
    assert len({balancer.choose("127.0.0.1") for _ in range(200)}) == 2
