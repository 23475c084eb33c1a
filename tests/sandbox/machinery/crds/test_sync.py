"""Definitions and the catalogue, and how custom objects behave."""

from datetime import UTC, datetime
from typing import Any

import pytest

from litmus.sandbox.machinery import crds, objects, resources, status
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.options import Options

SPEC = {
    "type": "object",
    "required": ["text"],
    "properties": {
        "text": {"type": "string", "default": "hello"},
        "replicas": {"type": "integer"},
        "ports": {
            "type": "array",
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["n"],
            "items": {"type": "object", "required": ["n"], "properties": {"n": {"type": "string"}}},
        },
        "pod": {"type": "object", "x-kubernetes-embedded-resource": True, "x-kubernetes-preserve-unknown-fields": True},
    },
}


def version(name: str, **more: Any) -> Obj:
    schema = {"type": "object", "properties": {"spec": SPEC, "status": {"type": "object"}}}
    return {"name": name, "served": True, "storage": False, "schema": {"openAPIV3Schema": schema}, **more}


def definition(*versions: Obj, **spec: Any) -> Obj:
    names = {"plural": "wishes", "kind": "Wish", "shortNames": ["w"], "categories": ["all"]}
    listed = list(versions) or [version("v1", storage=True)]
    body = {"group": "example.com", "scope": "Namespaced", "names": names, "versions": listed, **spec}
    made: Obj = {"metadata": {"name": "wishes.example.com"}, "spec": body}
    strategy = crds.DefinitionStrategy(resources.built_in())
    strategy.default(made)
    strategy.prepare_create(made)
    assert strategy.validate(made) == []
    return made


def wish(**spec: Any) -> Obj:
    return {"apiVersion": "example.com/v1", "kind": "Wish", "metadata": {"name": "x"}, "spec": spec}


def behaviour(*versions: Obj) -> crds.CustomStrategy:
    return next(iter(crds.sync(resources.built_in(), None, definition(*versions)).values()))


def test_a_definition_brings_its_resource_into_the_catalogue() -> None:
    catalogue = resources.built_in()
    scale = {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"}
    crds.sync(catalogue, None, definition(version("v1", storage=True, subresources={"status": {}, "scale": scale})))
    found = catalogue.named("wishes.example.com")
    assert found == resources.Resource(
        group="example.com",
        version="v1",
        plural="wishes",
        singular="wish",
        kind="Wish",
        short_names=("w",),
        categories=("all",),
        subresources=("status", "scale"),
        custom=True,
    )


def test_the_preferred_version_is_the_highest_that_is_served() -> None:
    catalogue = resources.built_in()
    versions = [version("v1beta1", storage=True), version("v2", served=False), version("v1"), version("v1alpha1")]
    found = crds.sync(catalogue, None, definition(*versions))
    assert [one.version for one in found] == ["v1", "v1beta1", "v1alpha1"]
    assert [one.preferred for one in found] == [True, False, False]
    assert catalogue.named("wishes.example.com").version == "v1"
    assert catalogue.groups()["example.com"][0] == "v1"
    assert {one.storage_api_version for one in found} == {"example.com/v1beta1"}


def test_a_changed_definition_takes_back_what_it_no_longer_serves() -> None:
    catalogue = resources.built_in()
    old = definition(version("v1", storage=True), version("v2"))
    new = definition(version("v2", storage=True))
    crds.sync(catalogue, None, old)
    crds.sync(catalogue, old, new)
    assert catalogue.find("example.com", "v1", "wishes") is None
    assert catalogue.named("wishes.example.com").version == "v2"


def test_a_definition_that_is_gone_leaves_nothing_behind() -> None:
    catalogue = resources.built_in()
    there = list(catalogue)
    crds.sync(catalogue, None, definition(version("v1", storage=True), version("v2")))
    assert crds.sync(catalogue, definition(), None) == {}
    assert list(catalogue) == there


def test_an_object_is_pruned_and_the_author_told() -> None:
    asked = Options()
    sent = {**wish(text="a", nope=1), "extra": 1}
    sent["metadata"]["clusterNam"] = "x"
    found = behaviour().decode(sent, asked=asked)
    assert found == wish(text="a")
    assert asked.warnings == [
        'unknown field "metadata.clusterNam"',
        'unknown field "spec.nope"',
        'unknown field "extra"',
    ]
    assert "nope" in sent["spec"]


def test_strict_field_validation_refuses_unknown_fields() -> None:
    with pytest.raises(status.Refusal) as refused:
        behaviour().decode(wish(nope=1), asked=Options(field_validation="Strict"))
    assert refused.value.code == 400
    assert refused.value.message == (
        'Wish in version "v1" cannot be handled as a Wish: strict decoding error: unknown field "spec.nope"'
    )


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        ({"labels": {"a": 1}}, "json: cannot unmarshal number into Go struct field ObjectMeta.labels of type string"),
        ([], "json: cannot unmarshal array into Go value of type v1.ObjectMeta"),
    ],
)
def test_metadata_has_the_types_that_it_has_everywhere(metadata: Any, said: str) -> None:
    with pytest.raises(status.Refusal) as refused:
        behaviour().decode({**wish(text="a"), "metadata": metadata}, asked=Options())
    assert refused.value.message == f'Wish in version "v1" cannot be handled as a Wish: {said}'


def test_metadata_of_an_embedded_resource_too() -> None:
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "nope": 1}, "any": {"thing": 1}}
    asked = Options()
    found = behaviour().decode(wish(pod=pod), asked=asked)
    assert found["spec"]["pod"] == {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "any": {"thing": 1}}
    assert asked.warnings == ['unknown field "spec.pod.metadata.nope"']
    with pytest.raises(status.Refusal, match=r'spec.pod.metadata: Invalid value: {"name":3}: json: cannot unmarshal'):
        behaviour().decode(wish(pod={**pod, "metadata": {"name": 3}}), asked=Options())


def test_defaults_come_before_validation() -> None:
    how = behaviour()
    sent = wish()
    how.default(sent)
    assert sent["spec"] == {"text": "hello"}
    assert how.validate(sent) == []


def test_an_object_is_validated_whole() -> None:
    sent = {**wish(text=3, ports=[{"n": "a"}, {"n": "a"}]), "kind": "Wash"}
    assert [str(cause) for cause in behaviour().validate(sent)] == [
        'kind: Invalid value: "Wash": must be Wish',
        'spec.text: Invalid value: "integer": spec.text in body must be of type string: "integer"',
        'spec.ports[1]: Duplicate value: {"n":"a"}',
    ]


def test_figures_of_the_scale_are_not_negative() -> None:
    scale = {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"}
    how = behaviour(version("v1", storage=True, subresources={"scale": scale}))
    assert [str(cause) for cause in how.validate(wish(text="a", replicas=-1))] == [
        ".spec.replicas: Invalid value: -1: should be a non-negative integer"
    ]


def test_the_generation_counts_what_is_asked_for() -> None:
    old = wish(text="a")
    relabelled = {**objects.copy(old), "metadata": {"name": "x", "labels": {"a": "b"}}}
    reported = {**objects.copy(old), "status": {"a": 1}}
    with_status = behaviour(version("v1", storage=True, subresources={"status": {}}))
    without = behaviour()
    assert with_status.raises_generation(wish(text="b"), old)
    assert not with_status.raises_generation(relabelled, old)
    assert not with_status.raises_generation(reported, old)
    assert without.raises_generation(reported, old)


def test_an_update_must_name_the_version_that_it_is_based_on() -> None:
    assert not behaviour().unconditional_update


def test_the_shape_is_good_for_patches() -> None:
    schema = behaviour().schema
    ports = schema.at("spec", "ports")
    assert ports is not None
    assert (ports.list_type, ports.map_keys) == ("map", ("n",))
    finalizers = schema.at("metadata", "finalizers")
    assert finalizers is not None
    assert finalizers.list_type == "set"
    pod = schema.at("spec", "pod")
    assert pod is not None
    assert pod.open
    assert schema.fields["spec"].required == {"text"}


def test_columns_of_a_version_make_a_table() -> None:
    column = {"name": "Text", "type": "string", "jsonPath": ".spec.text"}
    how = behaviour(version("v1", storage=True, additionalPrinterColumns=[column]))
    assert [one["name"] for one in how.column_definitions] == ["Name", "Text"]
    assert how.cells(wish(text="a"), now=datetime(2026, 1, 1, tzinfo=UTC)) == ["x", "a"]


def test_a_deprecated_version_warns_its_users() -> None:
    assert behaviour().deprecation == ""
    old = behaviour(version("v1", storage=True, deprecated=True))
    assert old.deprecation == "example.com/v1 Wish is deprecated"
    said = behaviour(version("v1", storage=True, deprecated=True, deprecationWarning="use v2"))
    assert said.deprecation == "use v2"
