"""Lists that are sets or maps, and embedded resources."""

from litmus.sandbox.machinery.crds import lists

SET = {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"}
PORTS = {
    "type": "array",
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["port", "proto"],
    "items": {"type": "object", "properties": {"port": {"type": "integer"}, "proto": {"type": "string"}}},
}
EMBEDDED = {"type": "object", "x-kubernetes-embedded-resource": True, "x-kubernetes-preserve-unknown-fields": True}
PROPS = {"type": "object", "properties": {"set": SET, "ports": PORTS, "emb": EMBEDDED, "free": {"type": "array"}}}


def said(**value: object) -> list[str]:
    return [str(cause) for cause in lists.causes(PROPS, value, "spec")]


def test_an_element_stands_once_in_a_set() -> None:
    assert said(set=["a", "b"]) == []
    assert said(set=["a", "b", "a"]) == ['spec.set[2]: Duplicate value: "a"']


def test_an_element_of_a_map_list_is_known_by_all_its_keys() -> None:
    assert said(ports=[{"port": 1, "proto": "a"}, {"port": 1, "proto": "b"}]) == []
    twice = [{"port": 1, "proto": "a", "x": 1}, {"port": 1, "proto": "a", "x": 2}]
    assert said(ports=twice) == ['spec.ports[1]: Duplicate value: {"port":1,"proto":"a"}']


def test_a_list_of_no_type_may_repeat_itself() -> None:
    assert said(free=[1, 1]) == []


def test_an_embedded_resource_says_what_it_is() -> None:
    assert said(emb={"apiVersion": "v1", "kind": "Pod"}) == []
    assert said(emb={}) == [
        "spec.emb.apiVersion: Required value: must not be empty",
        "spec.emb.kind: Required value: must not be empty",
    ]
    (cause,) = lists.causes(PROPS, {"emb": {"apiVersion": "v1", "kind": "P_od"}}, "spec")
    assert cause.field == "spec.emb.kind"
    assert "may have mixed case, but should otherwise match: a DNS-1035 label" in cause.message
