from typing import Any

import pytest

from litmus.sandbox.machinery.objects import Obj
from tests.sandbox.machinery.desk import Desk, service


def test_a_service_gets_the_defaults_of_a_real_server() -> None:
    made = Desk().create(service(clusterIP="127.5.128.9"))
    assert made["spec"] == {
        "type": "ClusterIP",
        "clusterIP": "127.5.128.9",
        "clusterIPs": ["127.5.128.9"],
        "ipFamilies": ["IPv4"],
        "ipFamilyPolicy": "SingleStack",
        "internalTrafficPolicy": "Cluster",
        "sessionAffinity": "None",
        "ports": [{"port": 80, "protocol": "TCP", "targetPort": 80}],
    }
    assert made["status"] == {"loadBalancer": {}}
    assert "generation" not in made["metadata"]


def test_an_external_name_has_no_address() -> None:
    made = Desk().create(service(type="ExternalName", externalName="example.com", ports=[]))
    assert made["spec"] == {"type": "ExternalName", "externalName": "example.com", "sessionAffinity": "None"}


def test_a_client_stays_with_its_pod_for_three_hours() -> None:
    made = Desk().create(service(sessionAffinity="ClientIP"))
    assert made["spec"]["sessionAffinityConfig"] == {"clientIP": {"timeoutSeconds": 10800}}


@pytest.mark.parametrize(
    ("spec", "causes"),
    [
        ({"ports": []}, [("spec.ports", "Required value")]),
        (
            {"ports": [{"port": 0}]},
            [
                ("spec.ports[0].port", "Invalid value: 0: must be between 1 and 65535, inclusive"),
                ("spec.ports[0].targetPort", "Invalid value: 0: must be between 1 and 65535, inclusive"),
            ],
        ),
        (
            {"ports": [{"port": 80}, {"port": 81}]},
            [("spec.ports[0].name", "Required value"), ("spec.ports[1].name", "Required value")],
        ),
        (
            {"ports": [{"port": 80, "name": "a"}, {"port": 81, "name": "a"}]},
            [("spec.ports[1].name", 'Duplicate value: "a"')],
        ),
        (
            {"ports": [{"port": 80, "nodePort": 30000}]},
            [("spec.ports[0].nodePort", "Forbidden: may not be used when `type` is 'ClusterIP'")],
        ),
        (
            {"type": "x"},
            [
                (
                    "spec.type",
                    'Unsupported value: "x": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
                )
            ],
        ),
        ({"type": "ExternalName"}, [("spec.externalName", "Required value")]),
        (
            {"sessionAffinity": "x"},
            [("spec.sessionAffinity", 'Unsupported value: "x": supported values: "ClientIP", "None"')],
        ),
        (
            {"type": "NodePort", "clusterIP": "None"},
            [("spec.clusterIPs[0]", "Invalid value: \"None\": may not be set to 'None' for NodePort services")],
        ),
        (
            {"externalTrafficPolicy": "Local"},
            [
                (
                    "spec.externalTrafficPolicy",
                    'Invalid value: "Local": may only be set for externally-accessible services',
                )
            ],
        ),
    ],
)
def test_a_mistake_is_named_as_a_real_server_names_it(spec: dict[str, Any], causes: list[tuple[str, str]]) -> None:
    assert Desk().causes(service(**spec)) == causes


def changed(made: Obj, **spec: Any) -> Obj:
    return {**made, "spec": {**made["spec"], **spec}}


def without(made: Obj, *fields: str) -> Obj:
    return {**made, "spec": {name: value for name, value in made["spec"].items() if name not in fields}}


def test_the_address_of_a_service_does_not_change() -> None:
    at = Desk()
    made = at.create(service())
    assert at.update_causes(changed(made, clusterIP="127.5.129.9")) == [
        ("spec.clusterIPs[0]", 'Invalid value: ["127.5.129.9"]: may not change once set')
    ]


def test_an_update_that_says_nothing_of_the_address_keeps_it() -> None:
    at = Desk()
    made = at.create(service())
    kept = at.update(without(made, "clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"))
    assert kept["spec"] == made["spec"]


def test_an_address_cannot_be_given_back() -> None:
    at = Desk()
    made = at.create(service())
    assert at.update_causes(without(made, "clusterIP")) == [
        ("spec.clusterIPs[0]", "Invalid value: null: primary clusterIP can not be unset")
    ]


def test_what_the_new_type_cannot_have_goes_by_itself() -> None:
    at = Desk()
    made = at.create(service(type="NodePort"))
    assert 30000 <= made["spec"]["ports"][0]["nodePort"] <= 32767
    inner = at.update(changed(made, type="ClusterIP"))
    assert inner["spec"]["clusterIP"] == made["spec"]["clusterIP"]
    assert inner["spec"]["ports"] == [{"port": 80, "protocol": "TCP", "targetPort": 80}]
    assert "externalTrafficPolicy" not in inner["spec"]
    outer = at.update(changed(inner, type="ExternalName", externalName="example.com"))
    assert not {"clusterIP", "clusterIPs", "ipFamilies", "internalTrafficPolicy"} & set(outer["spec"])
    back = at.update(changed(outer, type="ClusterIP"))
    assert back["spec"]["clusterIP"].startswith("127.5.")


def test_node_ports_stay_with_their_ports() -> None:
    at = Desk()
    made = at.create(service(type="NodePort"))
    (port,) = made["spec"]["ports"]
    kept = at.update(changed(made, ports=[{"port": 80, "name": "http"}]))
    assert kept["spec"]["ports"][0]["nodePort"] == port["nodePort"]
