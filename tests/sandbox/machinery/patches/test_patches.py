"""What the kinds of patches make of objects, beyond what was recorded on a real server."""

from datetime import UTC, datetime
from typing import Any

import pytest

from litmus.sandbox.machinery import objects, patches, resources, schemas, status
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.options import Options
from litmus.sandbox.machinery.schemas import Schema

POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web", "finalizers": ["a/b", "c/d"]},
    "spec": {
        "containers": [{"name": "one", "image": "x"}, {"name": "two", "image": "y"}],
        "nodeSelector": {"disk": "ssd"},
    },
}


def shape() -> Schema:
    found = schemas.of("", "v1", "Pod")
    assert found is not None
    return found


def patched(kind: patches.Kind, body: Any, current: Obj = POD) -> Obj:
    before = objects.copy(current)
    found = patches.applied(patches.Patch(kind=kind, body=body, shapes=lambda _: shape()), current, schema=shape())
    assert current == before, "the object of the store was changed"
    return found


def test_a_merge_patch_replaces_lists_and_removes_what_is_null() -> None:
    found = patched("merge", {"metadata": {"finalizers": ["e/f"]}, "spec": {"nodeSelector": None}})
    assert found["metadata"] == {"name": "web", "finalizers": ["e/f"]}
    assert found["spec"] == {"containers": POD["spec"]["containers"]}  # type: ignore[index]


def test_a_merge_patch_puts_an_object_in_the_place_of_a_value_without_its_nulls() -> None:
    assert patched("merge", {"a": {"b": {"c": None, "d": 1}}}, {"a": "text"}) == {"a": {"b": {"d": 1}}}


def test_a_json_patch_without_a_value_means_null() -> None:
    assert patched("json", [{"op": "add", "path": "/spec/hostNetwork"}])["spec"]["hostNetwork"] is None


def test_a_json_patch_escapes_slashes_and_appends_with_a_dash() -> None:
    found = patched(
        "json",
        [
            {"op": "add", "path": "/metadata/labels", "value": {"a/b": "1"}},
            {"op": "replace", "path": "/metadata/labels/a~1b", "value": "2"},
            {"op": "add", "path": "/metadata/finalizers/-", "value": "g/h"},
        ],
    )
    assert found["metadata"]["labels"] == {"a/b": "2"}
    assert found["metadata"]["finalizers"] == ["a/b", "c/d", "g/h"]


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "remove", "path": "/spec/nothing"},
        {"op": "replace", "path": "/nothing/at/all", "value": 1},
        {"op": "test", "path": "/metadata/name", "value": "other"},
        {"op": "test", "path": "/metadata/labels/nothing", "value": "x"},
        {"op": "copy", "from": "/nothing/at/all", "path": "/metadata/labels/a"},
        {"op": "add", "path": "/metadata/finalizers/9", "value": "x"},
        {"op": "add", "path": "no-slash", "value": "x"},
        {"op": "move", "from": "/nothing", "path": "/metadata/labels"},
        {"op": "bogus", "path": "/metadata/name"},
        {"path": "/metadata/name"},
        {"op": "add", "path": "/metadata/name/deeper", "value": "x"},
        {"op": "replace", "path": "", "value": "no object"},
    ],
)
def test_an_operation_that_cannot_be_done_is_answered_422(operation: Obj) -> None:
    with pytest.raises(status.Refusal) as refused:
        patched("json", [operation])
    assert (refused.value.code, refused.value.reason) == (422, "Invalid")
    assert refused.value.message == "the server rejected our request due to an error in our request"


def test_a_strategic_patch_finds_containers_by_name() -> None:
    found = patched(
        "strategic", {"spec": {"containers": [{"name": "two", "image": "z"}, {"name": "new", "image": "n"}]}}
    )
    assert found["spec"]["containers"] == [
        {"name": "one", "image": "x"},
        {"name": "two", "image": "z"},
        {"name": "new", "image": "n"},
    ]


def test_a_strategic_patch_of_a_list_that_is_new_drops_directives_and_nulls() -> None:
    body = {"spec": {"volumes": [{"name": "v", "emptyDir": {}, "$retainKeys": ["name", "emptyDir"], "hostPath": None}]}}
    assert patched("strategic", body)["spec"]["volumes"] == [{"name": "v", "emptyDir": {}}]


def test_ports_are_told_apart_by_number_alone_as_in_kubernetes() -> None:
    pod = {"spec": {"containers": [{"name": "one", "ports": [{"containerPort": 53, "protocol": "UDP"}]}]}}
    body = {"spec": {"containers": [{"name": "one", "ports": [{"containerPort": 53, "protocol": "TCP"}]}]}}
    assert patched("strategic", body, pod) == body


def test_a_strategic_patch_on_conditions_merges_by_type() -> None:
    pod = {
        "status": {
            "conditions": [{"type": "Ready", "status": "False", "reason": "x"}, {"type": "Other", "status": "True"}]
        }
    }
    body = {"status": {"conditions": [{"type": "Ready", "status": "True", "reason": None}]}}
    assert patched("strategic", body, pod)["status"]["conditions"] == [
        {"type": "Ready", "status": "True"},
        {"type": "Other", "status": "True"},
    ]


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ({"metadata": {"$deleteFromPrimitiveList/finalizers": "x"}}, 400, "invalid patch format of primitive list"),
        ({"metadata": {"$setElementOrder/finalizers": "x"}}, 500, "expected a slice, but received a string"),
        ({"spec": {"$retainKeys": "x"}}, 400, "invalid patch format of retainKeys"),
        (
            {"spec": {"containers": [{"image": "m"}]}},
            500,
            "map: map[image:m] does not contain declared merge key: name",
        ),
        (
            {"spec": {"containers": [{"name": "one", "$patch": "odd"}]}},
            500,
            "unknown patch type: odd in map: map[$patch:odd name:one]",
        ),
        ({"spec": {"$patch": "merge"}}, 500, "unknown patch type: merge in map: map[$patch:merge]"),
    ],
)
def test_a_wrong_directive_is_refused(body: Obj, code: int, message: str) -> None:
    with pytest.raises(status.Refusal) as refused:
        patched("strategic", body)
    assert (refused.value.code, refused.value.message) == (code, message)


def test_a_patch_that_breaks_a_type_is_invalid_and_not_a_bad_request() -> None:
    patch = patches.Patch(kind="strategic", body={"data": "x"}, shapes=lambda _: shape())
    why = status.bad_request(
        'Pod in version "v1" cannot be handled as a Pod: json: cannot unmarshal string into Go value of type v1.Pod'
    )
    refusal = patch.undecodable({"data": "x"}, why)
    assert (refusal.code, refusal.reason) == (422, "Invalid")
    assert refusal.message == (
        ' "" is invalid: patch: Invalid value: "map[data:x]": '
        "json: cannot unmarshal string into Go value of type v1.Pod"
    )


@pytest.mark.parametrize(
    ("kind", "body", "why"),
    [
        ("merge", {"kind": "Foo"}, 'no kind "Foo" is registered for version "v1" in scheme'),
        ("merge", {"apiVersion": "v9"}, 'no kind "Pod" is registered for version "v9" in scheme'),
        ("json", [{"op": "remove", "path": "/kind"}], "Object 'Kind' is missing in '{"),
        ("merge", {"apiVersion": None}, "Object 'apiVersion' is missing in '{"),
    ],
)
def test_no_patch_makes_an_object_one_of_another_kind(kind: patches.Kind, body: Any, why: str) -> None:
    patch = patches.Patch(kind=kind, body=body, shapes=lambda _: shape())
    pods, asked = resources.built_in().named("pods"), Options()
    with pytest.raises(status.Refusal) as refused:
        patch.applied(pods, POD, subresource="", asked=asked, now=datetime(2026, 1, 1, tzinfo=UTC))
    assert refused.value.code == 422
    assert why in refused.value.message


def test_a_strategic_patch_of_the_kind_does_nothing() -> None:
    patch = patches.Patch(kind="strategic", body={"kind": "Foo"}, shapes=lambda _: shape())
    pods = resources.built_in().named("pods")
    assert patch.applied(pods, POD, subresource="", asked=Options(), now=datetime(2026, 1, 1, tzinfo=UTC)) == POD


def test_what_an_object_lacks_is_null_to_a_json_patch() -> None:
    labels = {"op": "add", "path": "/metadata/labels", "value": {}}
    for operation, left in (
        ({"op": "replace", "path": "/metadata/labels/new", "value": "x"}, {"new": "x"}),
        ({"op": "copy", "from": "/metadata/labels/none", "path": "/metadata/labels/new"}, {"new": None}),
        ({"op": "test", "path": "/metadata/labels/none", "value": None}, {}),
    ):
        assert patched("json", [labels, operation])["metadata"]["labels"] == left
