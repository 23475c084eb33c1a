from typing import Any

import pytest

from litmus.sandbox.machinery import names, status
from tests.sandbox.machinery import desk
from tests.sandbox.machinery.desk import Desk


def config_map(**metadata: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x", **metadata}}


def test_an_object_has_a_name() -> None:
    assert Desk().causes(config_map(name="")) == [("metadata.name", "Required value: name or generateName is required")]


def test_a_bad_name_is_refused_in_the_words_of_its_kind() -> None:
    assert Desk().causes(config_map(name="A_b")) == [
        ("metadata.name", f'Invalid value: "A_b": {names.SUBDOMAIN_TEXT}'),
    ]


def test_a_bad_prefix_for_a_name_is_named_beside_what_it_led_to() -> None:
    fields = [field for field, _ in Desk().causes(config_map(name="", generateName="A"))]
    assert fields == ["metadata.generateName", "metadata.name"]


def test_a_prefix_may_end_with_a_hyphen() -> None:
    made = Desk().create(config_map(name="", generateName="web-"))
    assert made["metadata"]["name"].startswith("web-")


@pytest.mark.parametrize(
    ("metadata", "field", "message"),
    [
        ({"labels": {"a b": "c"}}, "metadata.labels", f'Invalid value: "a b": name part {names.QUALIFIED_TEXT}'),
        ({"labels": {"a": "b c"}}, "metadata.labels", f'Invalid value: "b c": {names.LABEL_VALUE_TEXT}'),
        (
            {"annotations": {"a b": ""}},
            "metadata.annotations",
            f'Invalid value: "a b": name part {names.QUALIFIED_TEXT}',
        ),
        (
            {"annotations": {"a": "x" * 300_000}},
            "metadata.annotations",
            "Too long: may not be more than 262144 bytes",
        ),
        (
            {"finalizers": ["mine"]},
            "metadata.finalizers[0]",
            'Invalid value: "mine": name is neither a standard finalizer name nor is it fully qualified',
        ),
        (
            {"ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "a", "uid": ""}]},
            "metadata.ownerReferences.uid",
            'Invalid value: "": must not be empty',
        ),
    ],
)
def test_a_mistake_in_the_metadata_is_named(metadata: dict[str, Any], field: str, message: str) -> None:
    assert Desk().causes(config_map(**metadata)) == [(field, message)]


def test_annotation_keys_may_have_capitals() -> None:
    Desk().create(config_map(annotations={"Example.com/A": "b"}))


def test_an_object_has_one_controller_at_most() -> None:
    owners = [{"apiVersion": "v1", "kind": "Pod", "name": name, "uid": name, "controller": True} for name in ("a", "b")]
    ((field, message),) = Desk().causes(config_map(ownerReferences=owners))
    assert field == "metadata.ownerReferences"
    assert 'Found "true" in references for Pod/a and Pod/b' in message


def test_a_leaving_object_takes_no_new_finalizers() -> None:
    at = Desk()
    made = at.create(config_map(finalizers=["example.com/hold"]))
    at.delete(made)
    leaving = at.get(made)
    leaving["metadata"]["finalizers"].append("example.com/more")
    assert at.update_causes(leaving) == 2 * [
        (
            "metadata.finalizers",
            "Forbidden: no new finalizers can be added if the object is being deleted, "
            'found new finalizers []string{"example.com/more"}',
        )
    ]


def test_a_quantity_that_is_none_is_not_even_understood() -> None:
    refusal = Desk().refusal(desk.pod(containers=[desk.container(resources={"limits": {"cpu": "much"}})]))
    assert (refusal.code, refusal.reason) == (400, "BadRequest")
    assert "quantities must match the regular expression" in refusal.message


def test_the_causes_of_a_refusal_are_in_its_message() -> None:
    refusal = Desk().refusal(config_map(name="A_b"))
    assert refusal.message.startswith(
        'ConfigMap "A_b" is invalid: metadata.name: Invalid value: "A_b": a lowercase RFC 1123'
    )
    assert isinstance(refusal, status.Refusal)


def test_some_kinds_want_to_know_which_state_an_update_is_based_on() -> None:
    at = Desk()
    lease = at.create({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "x"}})
    del lease["metadata"]["resourceVersion"]
    assert at.update_causes(lease) == [
        ("metadata.resourceVersion", "Invalid value: 0: must be specified for an update")
    ]
    made = at.create(config_map())
    del made["metadata"]["resourceVersion"]
    at.update(made)
