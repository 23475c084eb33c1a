"""Server-side apply and managedFields beyond what a server of 1.20 could tell: the rules of newer ones."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from litmus.sandbox.machinery import objects, schemas, status
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.patches import apply, field_sets, managed_fields, typed
from litmus.sandbox.machinery.schemas import Schema

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = datetime(2026, 1, 2, tzinfo=UTC)


def shape(kind: str = "ConfigMap", group: str = "") -> Schema:
    found = schemas.of(group, "v1", kind)
    assert found is not None
    return found


def config_map(**data: str) -> Obj:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": data}


def request(manager: str, now: datetime = NOW, *, force: bool = False, subresource: str = "") -> apply.Request:
    return apply.Request(
        schema=shape(),
        kind="ConfigMap",
        api_version="v1",
        manager=manager,
        force=force,
        now=now,
        subresource=subresource,
    )


def written(new: Obj, old: Obj | None, manager: str, now: datetime = NOW, **more: Any) -> Obj:
    new = objects.copy(new)
    entries = managed_fields.updated(old, new, schema=shape(), name=manager, api_version="v1", now=now, **more)
    new["metadata"]["managedFields"] = entries
    return new


def owners(obj: Obj) -> dict[str, Any]:
    return {entry["manager"]: entry["fieldsV1"] for entry in obj["metadata"].get("managedFields", [])}


def test_applying_the_same_again_changes_nothing_not_even_the_time() -> None:
    first = apply.applied(None, config_map(k="1"), request("me"))
    assert apply.applied(first, config_map(k="1"), request("me", LATER)) == first


def test_a_manager_that_owned_something_else_before_gets_a_new_time() -> None:
    first = written(config_map(k="1"), None, "creator")
    again = apply.applied(first, config_map(k="1"), request("me", LATER))
    assert [(entry["manager"], entry["time"]) for entry in again["metadata"]["managedFields"]] == [
        ("me", "2026-01-02T00:00:00Z"),
        ("creator", "2026-01-01T00:00:00Z"),
    ]


def test_a_field_goes_when_the_last_one_who_applied_it_leaves_it_out() -> None:
    both = apply.applied(
        apply.applied(None, config_map(k="1", l="2"), request("one")), config_map(k="1"), request("two")
    )
    without_one = apply.applied(both, config_map(l="2"), request("one"))
    assert without_one["data"] == {"k": "1", "l": "2"}
    assert apply.applied(without_one, config_map(), request("two"))["data"] == {"l": "2"}


def test_a_conflict_names_a_writer_through_a_subresource_and_force_takes_the_field() -> None:
    live = written(config_map(k="1"), None, "creator", subresource="scale")
    with pytest.raises(status.Refusal) as refused:
        apply.applied(live, config_map(k="2"), request("me"))
    assert refused.value.message == (
        'Apply failed with 1 conflict: conflict with "creator" with subresource "scale" using v1: .data.k'
    )
    taken = apply.applied(live, config_map(k="2"), request("me", force=True))
    assert owners(taken) == {"me": {"f:data": {"f:k": {}}}, "creator": {"f:data": {}}}


def test_several_conflicts_are_listed_by_manager() -> None:
    live = written(config_map(k="1"), None, "one")
    live = written({**live, "data": {"k": "1", "l": "2"}}, live, "two")
    with pytest.raises(status.Refusal) as refused:
        apply.applied(live, config_map(k="x", l="y"), request("me"))
    assert refused.value.message == (
        'Apply failed with 2 conflicts: conflicts with "one" using v1:\n- .data.k\n'
        'conflicts with "two" using v1:\n- .data.l'
    )
    assert refused.value.details["causes"][0] == {
        "reason": "FieldManagerConflict",
        "message": 'conflict with "one" using v1',
        "field": ".data.k",
    }


def test_kubectl_may_take_over_what_it_applied_on_the_client_side() -> None:
    last = json.dumps(config_map(k="1"))
    annotated = config_map(k="1")
    annotated["metadata"]["annotations"] = {apply.LAST_APPLIED: last}
    live = written(annotated, None, "kubectl-client-side-apply")
    with pytest.raises(status.Refusal, match="conflict with"):
        apply.applied(live, config_map(k="2"), request("someone"))
    found = apply.applied(live, config_map(k="2"), request("kubectl"))
    assert found["data"] == {"k": "2"}
    assert json.loads(found["metadata"]["annotations"][apply.LAST_APPLIED]) == config_map(k="2")


def test_what_somebody_else_has_changed_since_is_a_conflict_for_kubectl_too() -> None:
    annotated = config_map(k="1")
    annotated["metadata"]["annotations"] = {apply.LAST_APPLIED: json.dumps(config_map(k="1"))}
    live = written(annotated, None, "kubectl-client-side-apply")
    live = written({**live, "data": {"k": "changed"}}, live, "other")
    with pytest.raises(status.Refusal, match='conflict with "other"'):
        apply.applied(live, config_map(k="2"), request("kubectl"))


@pytest.mark.parametrize(
    ("config", "code", "message"),
    [
        (
            {"apiVersion": "v2", "kind": "ConfigMap"},
            400,
            "Incorrect version specified in apply patch. Specified patch version: v2, expected: v1",
        ),
        ({}, 400, "Incorrect version specified in apply patch. Specified patch version: , expected: v1"),
        (
            {**config_map(), "metadata": {"managedFields": []}},
            400,
            "metadata.managedFields must be nil",
        ),
        (
            {**config_map(), "bogus": 1, "data": {"k": 5}},
            500,
            "failed to create typed patch object (/a; v1, Kind=ConfigMap): errors:\n"
            "  .bogus: field not declared in schema\n"
            "  .data.k: expected string, got &value.valueUnstructured{Value:5}",
        ),
    ],
)
def test_a_configuration_that_does_not_fit_is_refused(config: Obj, code: int, message: str) -> None:
    with pytest.raises(status.Refusal) as refused:
        apply.applied(None, config, request("me"))
    assert (refused.value.code, refused.value.message) == (code, message)


def test_the_status_endpoint_gives_no_ownership_of_the_spec() -> None:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p"},
        "spec": {"nodeName": "n"},
        "status": {"phase": "Running"},
    }
    asked = apply.Request(
        schema=shape("Pod"), kind="Pod", api_version="v1", manager="kubelet", subresource="status", now=NOW
    )
    entry = apply.applied({"metadata": {"name": "p"}}, pod, asked)["metadata"]["managedFields"][0]
    assert entry == {
        "manager": "kubelet",
        "operation": "Apply",
        "apiVersion": "v1",
        "time": "2026-01-01T00:00:00Z",
        "fieldsType": "FieldsV1",
        "fieldsV1": {"f:status": {"f:phase": {}}},
        "subresource": "status",
    }


def test_the_creator_does_not_own_what_every_object_of_the_kind_has() -> None:
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "d"},
        "spec": {
            "replicas": 1,
            "template": {"spec": {"containers": [{"name": "c"}], "dnsConfig": {"nameservers": []}}},
        },
    }
    entries = managed_fields.updated(
        None, deployment, schema=shape("Deployment", "apps"), name="me", api_version="apps/v1", now=NOW
    )
    assert entries[0]["fieldsV1"]["f:spec"] == {
        "f:replicas": {},
        "f:template": {
            "f:spec": {
                "f:containers": {'k:{"name":"c"}': {".": {}, "f:name": {}}},
                "f:dnsConfig": {".": {}, "f:nameservers": {}},
            }
        },
    }


def test_a_client_may_rewrite_managed_fields_and_give_them_up() -> None:
    live = written(config_map(k="1"), None, "kubectl-client-side-apply")
    entry = {**live["metadata"]["managedFields"][0], "manager": "kubectl", "operation": "Apply"}
    rewritten = {**live, "metadata": {**live["metadata"], "managedFields": [entry]}}
    assert written(rewritten, live, "kubectl")["metadata"]["managedFields"] == [entry]
    given_up = {**live, "metadata": {**live["metadata"], "managedFields": [{}]}}
    assert written(given_up, live, "kubectl")["metadata"]["managedFields"] == []


def test_what_is_no_managed_fields_is_ignored_in_favour_of_what_was_there() -> None:
    live = written(config_map(k="1"), None, "creator")
    nonsense = {**live, "metadata": {**live["metadata"], "managedFields": [{"manager": "x", "operation": "Odd"}]}}
    assert written(nonsense, live, "me")["metadata"]["managedFields"] == live["metadata"]["managedFields"]


def test_more_than_ten_updaters_are_folded_and_own_together_what_they_owned() -> None:
    live = written(config_map(k="1"), None, "m00")
    for number in range(1, 14):
        data = {**live["data"], f"k{number}": "x"}
        live = written({**live, "data": data}, live, f"m{number:02}", datetime(2026, 1, 1, 0, number, tzinfo=UTC))
    entries = live["metadata"]["managedFields"]
    assert len(entries) == managed_fields.UPDATERS_MAX
    assert entries[0]["manager"] == managed_fields.ANCIENT
    assert set(entries[0]["fieldsV1"]["f:data"]) == {".", "f:k", "f:k1", "f:k2", "f:k3", "f:k4"}


def test_times_alone_make_no_difference() -> None:
    live = written(config_map(k="1"), None, "creator")["metadata"]["managedFields"]
    assert managed_fields.same(live, [{**live[0], "time": "2027-01-01T00:00:00Z"}])
    assert not managed_fields.same(live, [{**live[0], "manager": "other"}])
    assert managed_fields.same(None, [])


def test_a_set_of_fields_survives_being_written_and_read() -> None:
    fields = {"f:b": {".": {}, "f:c": {}, 'k:{"n":"x"}': {"f:y": {}}, 'v:"z"': {}}, "f:a": {}, "f:only": {"i:0": {}}}
    found = field_sets.from_fields_v1(fields)
    assert field_sets.to_fields_v1(found) == fields
    assert list(field_sets.to_fields_v1(found)) == ["f:a", "f:b", "f:only"]
    shown = sorted(map(field_sets.shown, found))
    assert shown == [".a", ".b", ".b.c", '.b[="z"]', '.b[n="x"].y', ".only[0]"]


def test_a_merged_list_follows_the_applied_order_and_keeps_others_near_their_place() -> None:
    assert typed.interleaved(["a", "b", "c", "d"], ["d", "x", "b"]) == ["a", "c", "d", "x", "b"]
    assert typed.interleaved(["a", "s"], ["x", "s"]) == ["a", "x", "s"]
    assert typed.interleaved([], ["x"]) == ["x"]
    assert typed.interleaved(["x", "y"], []) == ["x", "y"]


def test_without_a_schema_maps_merge_and_lists_belong_to_one() -> None:
    live = {"m": {"a": 1, "deep": {"x": 1}}, "l": [1, 2]}
    assert typed.merged(typed.DEDUCED, live, {"m": {"deep": {"y": 2}}, "l": [3]}) == {
        "m": {"a": 1, "deep": {"x": 1, "y": 2}},
        "l": [3],
    }
    assert typed.fields_of(typed.DEDUCED, live) == {
        ("f:m",),
        ("f:m", "f:a"),
        ("f:m", "f:deep"),
        ("f:m", "f:deep", "f:x"),
        ("f:l",),
    }
