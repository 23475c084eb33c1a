from typing import Any

import pytest

from litmus.sandbox.machinery.objects import Obj
from tests.sandbox.machinery import desk
from tests.sandbox.machinery.desk import Desk, service


def named(name: str, **spec: Any) -> Obj:
    return {**service(**spec), "metadata": {"name": name}}


def test_addresses_are_given_out_above_the_reserved_band() -> None:
    at = Desk(desk.fixed_addresses(0, 5).admit)
    assert at.create(named("a"))["spec"]["clusterIP"] == "127.5.129.1"
    assert at.create(named("b"))["spec"]["clusterIP"] == "127.5.129.6"


def test_an_address_is_given_once_and_again_after_its_service_is_gone() -> None:
    at = Desk(desk.fixed_addresses(0, 0, 1, 0).admit)
    first = at.create(named("a"))
    assert at.create(named("b"))["spec"]["clusterIP"] == "127.5.129.2"
    at.delete(first)
    assert at.create(named("c"))["spec"]["clusterIP"] == "127.5.129.1"


def test_who_wants_a_certain_address_gets_it() -> None:
    made = Desk().create(service(clusterIP="127.5.128.1"))
    assert made["spec"]["clusterIPs"] == ["127.5.128.1"]


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("127.5.128.1", "provided IP is already allocated"),
        (
            "10.0.0.1",
            "the provided IP (10.0.0.1) is not in the valid range. The range of valid IPs is 127.5.128.0/17",
        ),
        (
            "127.5.128.0",
            "the provided IP (127.5.128.0) is not in the valid range. The range of valid IPs is 127.5.128.0/17",
        ),
    ],
)
def test_an_address_that_cannot_be_had_is_refused(address: str, why: str) -> None:
    at = Desk()
    at.create(named("first", clusterIP="127.5.128.1"))
    assert at.causes(named("second", clusterIP=address)) == [
        ("spec.clusterIPs", f'Invalid value: ["{address}"]: failed to allocate IP {address}: {why}')
    ]


def test_a_headless_service_has_no_address() -> None:
    spec = Desk().create(service(clusterIP="None", selector={"a": "b"}))["spec"]
    assert (spec["clusterIP"], spec["clusterIPs"]) == ("None", ["None"])
    assert (spec["ipFamilies"], spec["ipFamilyPolicy"]) == (["IPv4"], "SingleStack")


def test_a_headless_service_without_selector_may_be_of_both_families() -> None:
    spec = Desk().create(service(clusterIP="None"))["spec"]
    assert (spec["ipFamilies"], spec["ipFamilyPolicy"]) == (["IPv4", "IPv6"], "RequireDualStack")


@pytest.mark.parametrize(
    ("spec", "causes"),
    [
        (
            {"ipFamilyPolicy": "RequireDualStack"},
            [
                (
                    "spec.ipFamilyPolicy",
                    'Invalid value: "RequireDualStack": Cluster is not configured for dual stack services',
                )
            ],
        ),
        (
            {"ipFamilies": ["IPv6"]},
            [("spec.ipFamilies[0]", 'Invalid value: "IPv6": not configured on this cluster')],
        ),
    ],
)
def test_there_is_one_family_of_addresses(spec: dict[str, Any], causes: list[tuple[str, str]]) -> None:
    assert Desk().causes(service(**spec)) == causes


def test_a_node_port_is_given_or_chosen_once_for_each_protocol() -> None:
    at = Desk(desk.fixed_addresses(0, 0, 1, 0).admit)
    assert at.create(named("a", type="NodePort"))["spec"]["ports"][0]["nodePort"] == 30000
    assert at.create(named("b", type="NodePort"))["spec"]["ports"][0]["nodePort"] == 30001
    assert at.causes(named("c", type="NodePort", ports=[{"port": 80, "nodePort": 30001}], clusterIP="127.5.128.7")) == [
        ("spec.ports[0].nodePort", "Invalid value: 30001: provided port is already allocated")
    ]
    udp = [{"port": 80, "nodePort": 30001, "protocol": "UDP"}]
    at.create(named("d", type="NodePort", ports=udp, clusterIP="127.5.128.7"))


def test_a_node_port_lies_in_its_range() -> None:
    assert Desk().causes(service(type="NodePort", ports=[{"port": 80, "nodePort": 80}])) == [
        (
            "spec.ports[0].nodePort",
            "Invalid value: 80: provided port is not in the valid range. The range of valid ports is 30000-32767",
        )
    ]


def test_a_range_that_is_nearly_full_is_searched_to_its_end() -> None:
    taken = [0] * 64  # random choice finds nothing free, so the rest of the range is looked through
    at = Desk(desk.fixed_addresses(0, *taken).admit)
    at.create(named("a"))
    assert at.create(named("b"))["spec"]["clusterIP"] == "127.5.129.2"
