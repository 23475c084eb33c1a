"""The kind CustomResourceDefinition; texts and causes compared with a real server of 1.20."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from litmus.sandbox.machinery import crds, objects, resources
from litmus.sandbox.machinery.objects import Obj

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SCHEMA = "spec.validation.openAPIV3Schema"
LABEL_1035 = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, "
    "and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is "
    "'[a-z]([-a-z0-9]*[a-z0-9])?')"
)


def definition(**spec: Any) -> Obj:
    schema = {"type": "object", "properties": {"spec": {"type": "object"}}}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    body = {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"plural": "foos", "kind": "Foo"},
        "versions": [version],
        **spec,
    }
    return {"metadata": {"name": "foos.example.com"}, "spec": body}


def made(obj: Obj, catalogue: resources.Catalogue | None = None) -> Obj:
    strategy = crds.DefinitionStrategy(catalogue or resources.built_in(), now=lambda: NOW)
    strategy.default(obj)
    strategy.prepare_create(obj)
    return obj


def said(obj: Obj) -> list[str]:
    strategy = crds.DefinitionStrategy(resources.built_in())
    return [str(cause) for cause in strategy.validate(made(obj))]


def root(obj: Obj) -> Obj:
    found: Obj = obj["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return found


def with_spec(**props: Any) -> Obj:
    obj = definition()
    root(obj)["properties"]["spec"] |= props
    return obj


def test_names_are_filled_in_from_the_kind() -> None:
    obj = made(definition())
    assert obj["spec"]["names"] == {"plural": "foos", "kind": "Foo", "singular": "foo", "listKind": "FooList"}
    assert obj["spec"]["conversion"] == {"strategy": "None"}


def test_a_definition_is_established_by_the_write_that_makes_it() -> None:
    found = made(definition())["status"]
    assert found["storedVersions"] == ["v1"]
    assert found["acceptedNames"] == {"plural": "foos", "kind": "Foo", "singular": "foo", "listKind": "FooList"}
    when = "2026-01-01T00:00:00Z"
    assert found["conditions"] == [
        {
            "type": "NamesAccepted",
            "status": "True",
            "lastTransitionTime": when,
            "reason": "NoConflicts",
            "message": "no conflicts found",
        },
        {
            "type": "Established",
            "status": "True",
            "lastTransitionTime": when,
            "reason": "InitialNamesAccepted",
            "message": "the initial names have been accepted",
        },
    ]


def test_names_that_somebody_in_the_group_has_are_not_accepted() -> None:
    catalogue = resources.built_in()
    crds.sync(catalogue, None, made(definition(), catalogue))
    other = definition(names={"plural": "bars", "kind": "Foo", "shortNames": ["foos"]})
    other["metadata"]["name"] = "bars.example.com"
    found = made(other, catalogue)["status"]
    accepted, established = found["conditions"]
    assert (accepted["status"], accepted["reason"]) == ("False", "MultipleNamesNotAllowed")
    assert '"foos" is already in use' in accepted["message"]
    assert (established["status"], established["reason"]) == ("False", "NotAccepted")
    assert crds.sync(catalogue, None, other) == {}


def test_the_same_names_in_another_group_are_free() -> None:
    catalogue = resources.built_in()
    crds.sync(catalogue, None, made(definition(), catalogue))
    other = definition(group="other.com")
    other["metadata"]["name"] = "foos.other.com"
    assert made(other, catalogue)["status"]["conditions"][1]["status"] == "True"


def test_an_update_keeps_the_times_of_conditions_that_do_not_change() -> None:
    old = made(definition())
    new = objects.copy(old)
    strategy = crds.DefinitionStrategy(resources.built_in(), now=lambda: datetime(2027, 1, 1, tzinfo=UTC))
    strategy.prepare_update(new, old)
    assert new["status"] == old["status"]
    assert new["metadata"]["generation"] == 1


def test_a_new_storage_version_is_remembered_beside_the_old_one() -> None:
    old = made(definition())
    new = objects.copy(old)
    version = objects.copy(new["spec"]["versions"][0])
    new["spec"]["versions"][0]["storage"] = False
    new["spec"]["versions"].append({**version, "name": "v2"})
    strategy = crds.DefinitionStrategy(resources.built_in(), now=lambda: NOW)
    strategy.prepare_update(new, old)
    assert new["status"]["storedVersions"] == ["v1", "v2"]
    assert new["metadata"]["generation"] == 2
    assert strategy.validate(new) == []
    new["spec"]["versions"].pop(0)
    assert [str(cause) for cause in strategy.validate(new)] == [
        'status.storedVersions[0]: Invalid value: "v1": must appear in spec.versions'
    ]


def test_names_group_and_scope_are_kept_once_established() -> None:
    old = made(definition())
    new = objects.copy(old)
    new["spec"] |= {"scope": "Cluster", "group": "other.com", "names": {"plural": "bars", "kind": "Bar"}}
    found = crds.DefinitionStrategy(resources.built_in()).validate_update(new, old)
    assert [cause.field for cause in found] == ["spec.scope", "spec.names.kind", "spec.group", "spec.names.plural"]
    assert str(found[0]) == 'spec.scope: Invalid value: "Cluster": field is immutable'


@pytest.mark.parametrize(
    ("obj", "causes"),
    [
        (definition(), []),
        (definition(scope="X"), ['spec.scope: Unsupported value: "X": supported values: "Cluster", "Namespaced"']),
        (definition(scope=""), ["spec.scope: Required value"]),
        (
            definition(group="x"),
            [
                'metadata.name: Invalid value: "foos.example.com": must be spec.names.plural+"."+spec.group',
                'spec.group: Invalid value: "x": should be a domain with at least one dot',
            ],
        ),
        (
            definition(names={"plural": "foos", "kind": "F_o"}),
            [
                f'spec.names.singular: Invalid value: "f_o": {LABEL_1035}',
                'spec.names.kind: Invalid value: "F_o": may have mixed case, but should otherwise match: ' + LABEL_1035,
                'spec.names.listKind: Invalid value: "F_oList": may have mixed case, but should otherwise match: '
                + LABEL_1035,
            ],
        ),
        (
            definition(names={"plural": "foos", "kind": "Foo", "listKind": "Foo"}),
            ['spec.names.listKind: Invalid value: "Foo": kind and listKind may not be the same'],
        ),
        (
            definition(names={"plural": "foos", "kind": "Foo", "shortNames": ["f", "A b"]}),
            [f'spec.names.shortNames[1]: Invalid value: "A b": {LABEL_1035}'],
        ),
        (
            definition(versions=[]),
            [
                "spec.versions: Invalid value: []: must have exactly one version marked as storage version",
                "status.storedVersions: Invalid value: []: must have at least one stored version",
            ],
        ),
        (
            definition(preserveUnknownFields=True),
            [
                "spec.preserveUnknownFields: Invalid value: true: cannot set to true, "
                "set x-preserve-unknown-fields to true in spec.versions[*].schema instead"
            ],
        ),
        (
            definition(conversion={"strategy": "Webhook"}),
            [
                "spec.conversion.webhookClientConfig: Required value: required when strategy is set to Webhook",
                "spec.conversion.conversionReviewVersions: Required value",
            ],
        ),
        (
            definition(conversion={"strategy": "X"}),
            ['spec.conversion.strategy: Unsupported value: "X": supported values: "None", "Webhook"'],
        ),
    ],
)
def test_the_spec_is_judged_as_by_a_real_server(obj: Obj, causes: list[str]) -> None:
    assert said(obj) == causes


def test_groups_of_kubernetes_need_its_approval() -> None:
    obj = definition(group="foo.k8s.io")
    obj["metadata"]["name"] = "foos.foo.k8s.io"
    assert said(objects.copy(obj)) == [
        "metadata.annotations[api-approved.kubernetes.io]: Required value: protected groups must have approval "
        'annotation "api-approved.kubernetes.io", see https://github.com/kubernetes/enhancements/pull/1111'
    ]
    obj["metadata"]["annotations"] = {"api-approved.kubernetes.io": "unapproved, a test"}
    assert said(obj) == []


def two_versions(obj: Obj) -> None:
    other = objects.copy(obj["spec"]["versions"][0])
    other["schema"]["openAPIV3Schema"]["properties"]["more"] = {}
    obj["spec"]["versions"].append({**other, "name": "v2", "storage": False})


@pytest.mark.parametrize(
    ("change", "causes"),
    [
        (
            lambda obj: obj["spec"]["versions"][0].update(storage=False),
            ["spec.versions", "status.storedVersions"],
        ),
        (lambda obj: obj["spec"]["versions"][0].pop("schema"), ["spec.versions[0].schema.openAPIV3Schema"]),
        (lambda obj: obj["spec"]["versions"][0].update(name="1.0"), ["spec.versions[0].name"]),
        (
            lambda obj: obj["spec"]["versions"][0].update(deprecationWarning="x"),
            ["spec.versions[0].deprecationWarning"],
        ),
        (
            lambda obj: obj["spec"]["versions"][0].update(
                subresources={"scale": {"specReplicasPath": ".x", "statusReplicasPath": "status"}}
            ),
            ["spec.subresources.scale.specReplicasPath", "spec.subresources.scale.statusReplicasPath"],
        ),
        (
            lambda obj: obj["spec"]["versions"][0].update(
                additionalPrinterColumns=[
                    {"name": "", "type": "foo", "jsonPath": "x", "format": "zz"},
                    {"name": "a", "type": "string", "jsonPath": ""},
                ]
            ),
            [
                "spec.additionalPrinterColumns[0].name",
                "spec.additionalPrinterColumns[0].type",
                "spec.additionalPrinterColumns[0].format",
                "spec.additionalPrinterColumns[0].JSONPath",
                "spec.additionalPrinterColumns[1].JSONPath",
            ],
        ),
        (
            lambda obj: (
                obj["spec"]["versions"][0].update(subresources={"status": {}}),
                root(obj).update(oneOf=[{"required": ["spec"]}]),
            ),
            [SCHEMA],
        ),
        (lambda obj: root(obj).update(nullable=True), [f"{SCHEMA}.nullable"]),
        # what only some versions say stays where it is
        (two_versions, ["spec.versions[1].schema.openAPIV3Schema.properties[more].type"]),
    ],
)
def test_mistakes_are_told_under_the_field_that_a_real_server_names(
    change: Callable[[Obj], Any], causes: list[str]
) -> None:
    obj = definition()
    change(obj)
    strategy = crds.DefinitionStrategy(resources.built_in())
    assert [cause.field for cause in strategy.validate(made(obj))] == causes


A = f"{SCHEMA}.properties[spec].properties[a]"


@pytest.mark.parametrize(
    ("a", "causes"),
    [
        ({"type": "string"}, []),
        ({}, [f"{A}.type: Required value: must not be empty for specified object fields"]),
        ({"type": "array"}, [f"{A}.items: Required value: must be specified"]),
        (
            {"type": "array", "items": {}},
            [f"{A}.items.type: Required value: must not be empty for specified array items"],
        ),
        (
            {"type": "array", "uniqueItems": True, "items": {"type": "string"}},
            [
                f"{A}.uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes "
                "quadratic"
            ],
        ),
        (
            {"type": "object", "properties": {"b": {"type": "string"}}, "additionalProperties": {"type": "string"}},
            [f"{A}.additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive"],
        ),
        (
            {"type": "string", "anyOf": [{"type": "string", "default": "x"}]},
            [
                f"{A}.anyOf[0].default: Forbidden: must be undefined to be structural",
                f"{A}.anyOf[0].type: Forbidden: must be empty to be structural",
            ],
        ),
        (
            {"type": "string", "pattern": "(?=x)"},
            [
                f'{A}.pattern: Invalid value: "(?=x)": must be a valid regular expression, but isn\'t: '
                "error parsing regexp: invalid or unsupported Perl syntax: `(?=`"
            ],
        ),
        (
            {"type": "string", "default": 3},
            [f'{A}.default: Invalid value: "integer":  in body must be of type string: "integer"'],
        ),
        (
            {"type": "string", "enum": ["x"], "default": "y"},
            [f'{A}.default: Unsupported value: "y": supported values: "x"'],
        ),
        (
            {"type": "object", "default": {"x": 1}},
            [f'{A}.default: Invalid value: {{"x":1}}: must not have unknown fields'],
        ),
        (
            {"type": "array", "items": {"type": "object"}, "x-kubernetes-list-type": "map"},
            [f"{A}.x-kubernetes-list-map-keys: Required value: must not be empty if x-kubernetes-list-type is map"],
        ),
        (
            {
                "type": "array",
                "items": {"type": "object", "properties": {"n": {"type": "string"}}},
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["n", "m"],
            },
            [
                f'{A}.x-kubernetes-list-map-keys: Invalid value: ["n","m"]: '
                "entries must all be names of item properties",
                f"{A}.items.properties[n].default: Required value: this property is in x-kubernetes-list-map-keys, "
                "so it must have a default or be a required property",
            ],
        ),
        (
            {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "foo"},
            [f'{A}.x-kubernetes-list-type: Unsupported value: "foo": supported values: "atomic", "set", "map"'],
        ),
        (
            {"type": "array", "items": {"type": "object"}, "x-kubernetes-list-type": "set"},
            [
                f"{A}.items.x-kubernetes-map-type: Invalid value: null: must be atomic as item of a list with "
                "x-kubernetes-list-type=set"
            ],
        ),
        ({"$ref": "#/x"}, [f"{A}.$ref: Forbidden: $ref is not supported"]),
        (
            {"type": "array", "items": [{"type": "string"}]},
            [f"{A}.items: Forbidden: items must be a schema object and not an array"],
        ),
        (
            {"type": "foo"},
            [
                f'{A}.type: Unsupported value: "foo": supported values: '
                '"array", "boolean", "integer", "number", "object", "string"'
            ],
        ),
        (
            {"type": "object", "x-kubernetes-embedded-resource": True},
            [
                f"{A}.properties: Required value: must not be empty if x-kubernetes-embedded-resource is true without "
                "x-kubernetes-preserve-unknown-fields"
            ],
        ),
        (
            {"x-kubernetes-int-or-string": True, "x-kubernetes-preserve-unknown-fields": True},
            [
                f"{A}.x-kubernetes-preserve-unknown-fields: Invalid value: true: "
                "must be false if x-kubernetes-int-or-string is true"
            ],
        ),
        ({"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]}, []),
        (
            {"type": "object", "x-kubernetes-preserve-unknown-fields": False},
            [f"{A}.x-kubernetes-preserve-unknown-fields: Invalid value: false: must be true or undefined"],
        ),
        ({"type": "string", "format": "no-such-format"}, []),
        ({"type": "integer", "x-kubernetes-validations": [{"rule": "self > 0"}]}, []),
    ],
)
def test_a_schema_is_judged_as_by_a_real_server(a: Obj, causes: list[str]) -> None:
    assert said(with_spec(properties={"a": a})) == causes


@pytest.mark.parametrize(
    ("change", "causes"),
    [
        (lambda schema: schema.pop("type"), [f"{SCHEMA}.type: Required value: must not be empty at the root"]),
        (
            lambda schema: schema.update(properties={}, additionalProperties={"type": "string"}),
            [f"{SCHEMA}.additionalProperties: Forbidden: must not be used at the root"],
        ),
        (
            lambda schema: schema["properties"].update(metadata={"type": "object", "default": {}}),
            [f"{SCHEMA}.properties[metadata].default: Forbidden: must not be set in top-level metadata"],
        ),
        (
            lambda schema: schema["properties"].update(
                metadata={"type": "object", "properties": {"labels": {"type": "object"}}}
            ),
            [
                f"{SCHEMA}.properties[metadata]: Forbidden: must not specify anything other than name and "
                "generateName, but metadata is implicitly specified"
            ],
        ),
        (
            lambda schema: schema["properties"].update(
                metadata={"type": "object", "properties": {"name": {"type": "string", "maxLength": 9}}}
            ),
            [],
        ),
        (
            lambda schema: schema.update(anyOf=[{"properties": {"nowhere": {"minLength": 1}}}]),
            [
                f"{SCHEMA}.properties[nowhere]: Required value: because it is defined in "
                f"{SCHEMA}.anyOf[0].properties[nowhere]"
            ],
        ),
    ],
)
def test_the_root_of_a_schema_has_rules_of_its_own(change: Callable[[Obj], Any], causes: list[str]) -> None:
    obj = definition()
    change(root(obj))
    assert said(obj) == causes
