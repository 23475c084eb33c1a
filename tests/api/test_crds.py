"""The definitions that are applied to a cluster are what Kubernetes and the field accept."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from litmus import api
from litmus.api import crds, schema

CRDS = {crd["spec"]["names"]["kind"]: crd for crd in crds.all_crds()}
EXTENSIONS = {"x-kubernetes-preserve-unknown-fields", "x-kubernetes-int-or-string"}


def version(kind: str) -> dict[str, Any]:
    [only] = CRDS[kind]["spec"]["versions"]
    return only


def openapi(kind: str) -> dict[str, Any]:
    return version(kind)["schema"]["openAPIV3Schema"]


def at(kind: str, path: str) -> dict[str, Any]:
    """The schema of one field: `spec.experiments[].name`."""
    node = openapi(kind)
    for part in path.split("."):
        node = node["properties"][part.removesuffix("[]")]
        if part.endswith("[]"):
            node = node["items"]
    return node


def nodes(node: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    yield path, node
    for name, inner in node.get("properties", {}).items():
        yield from nodes(inner, f"{path}.{name}")
    for key in ("items", "additionalProperties"):
        if key in node:
            yield from nodes(node[key], f"{path}[]")


ALL_NODES = [(kind, path, node) for kind in CRDS for path, node in nodes(openapi(kind))]


def test_the_four_kinds_have_the_names_that_kubectl_users_know():
    assert {crd["metadata"]["name"] for crd in CRDS.values()} == {
        "chaosengines.litmuschaos.io",
        "chaosexperiments.litmuschaos.io",
        "chaosresults.litmuschaos.io",
        "chaosschedules.litmuschaos.io",
    }
    for kind, crd in CRDS.items():
        assert crd["apiVersion"] == "apiextensions.k8s.io/v1"
        assert crd["spec"]["scope"] == "Namespaced"
        assert crd["spec"]["names"]["singular"] == kind.lower()
        assert crd["spec"]["names"]["listKind"] == f"{kind}List"


@pytest.mark.parametrize("kind", CRDS)
def test_the_one_version_is_served_and_stored(kind):
    assert (version(kind)["name"], version(kind)["served"], version(kind)["storage"]) == ("v1alpha1", True, True)


@pytest.mark.parametrize("kind", CRDS)
def test_no_kind_has_a_status_subresource_because_the_fields_roles_may_not_patch_one(kind):
    assert "subresources" not in version(kind)


def test_a_schema_is_structural():
    """Kubernetes: a type at every node unless an extension stands for it, nothing shared, nothing of anyOf."""
    assert ALL_NODES
    for kind, path, node in ALL_NODES:
        assert "type" in node or EXTENSIONS & set(node), (kind, path)
        assert not {"$ref", "anyOf", "oneOf", "allOf", "not", "definitions", "$defs", "title"} & set(node), (kind, path)
        assert not (node.get("properties") and node.get("additionalProperties")), (kind, path)


def test_every_array_says_what_its_items_are():
    for kind, path, node in ALL_NODES:
        if node.get("type") == "array":
            assert "items" in node, (kind, path)


def test_a_default_is_valid_where_it_stands():
    types = {"string": str, "integer": int, "boolean": bool}
    found = [(kind, path, node) for kind, path, node in ALL_NODES if "default" in node]
    assert found
    for kind, path, node in found:
        assert isinstance(node["default"], types[node["type"]]), (kind, path)
        assert node["default"] in node.get("enum", [node["default"]]), (kind, path)


def test_kind_and_api_version_have_no_default():
    for kind in CRDS:
        for name in ("kind", "apiVersion"):
            assert openapi(kind)["properties"][name]["type"] == "string"
            assert "default" not in openapi(kind)["properties"][name]


def test_a_scalar_that_may_be_empty_admits_null_for_old_api_servers_take_the_one_for_the_other():
    for kind, path, node in ALL_NODES:
        if node.get("type") in ("string", "integer", "boolean") and not node.get("minLength"):
            assert node.get("nullable") is True, (kind, path)


@pytest.mark.parametrize("kind", CRDS)
def test_metadata_is_left_to_the_api_server(kind):
    assert openapi(kind)["properties"]["metadata"] == {"type": "object"}


@pytest.mark.parametrize("kind", CRDS)
def test_a_status_keeps_what_another_release_writes_there(kind):
    assert openapi(kind)["properties"]["status"]["x-kubernetes-preserve-unknown-fields"] is True


@pytest.mark.parametrize("kind", CRDS)
def test_a_spec_does_not_keep_what_nobody_knows(kind):
    assert "x-kubernetes-preserve-unknown-fields" not in openapi(kind)["properties"]["spec"]


@pytest.mark.parametrize(
    ("kind", "columns"),
    [
        ("ChaosEngine", {"Status": ".status.engineStatus", "Age": ".metadata.creationTimestamp"}),
        ("ChaosExperiment", {"Age": ".metadata.creationTimestamp"}),
        (
            "ChaosResult",
            {
                "Verdict": ".status.experimentstatus.verdict",
                "Phase": ".status.experimentstatus.phase",
                "Probes": ".status.experimentstatus.probeSuccessPercentage",
                "Age": ".metadata.creationTimestamp",
            },
        ),
    ],
)
def test_kubectl_get_shows_what_people_look_for(kind, columns):
    shown = version(kind)["additionalPrinterColumns"]
    assert {column["name"]: column["jsonPath"] for column in shown} == columns
    assert list(shown[-1].items()) == [("name", "Age"), ("type", "date"), ("jsonPath", ".metadata.creationTimestamp")]


@pytest.mark.parametrize("kind", CRDS)
def test_every_column_points_to_a_field_of_the_schema(kind):
    for column in version(kind)["additionalPrinterColumns"]:
        path = column["jsonPath"].removeprefix(".")
        assert path == "metadata.creationTimestamp" or at(kind, path)["type"] == column["type"]


@pytest.mark.parametrize(
    ("path", "default"),
    [
        ("spec.annotationCheck", "true"),
        ("spec.engineState", "active"),
        ("spec.jobCleanUpPolicy", "delete"),
        ("spec.monitoring", False),
        ("spec.experiments[].spec.components.statusCheckTimeouts.delay", 2),
        ("spec.experiments[].spec.components.statusCheckTimeouts.timeout", 180),
    ],
)
def test_defaults_of_the_originals_code_are_in_the_schema(path, default):
    assert at("ChaosEngine", path)["default"] == default


@pytest.mark.parametrize("path", ["spec.defaultHealthCheck", "spec.appinfo.appns", "spec.components.runner.image"])
def test_what_has_no_default_in_the_original_has_none_here(path):
    assert "default" not in at("ChaosEngine", path)


def test_typos_in_words_are_refused_by_the_api_server():
    assert at("ChaosEngine", "spec.engineState")["enum"] == ["", "active", "stop"]
    assert at("ChaosEngine", "spec.annotationCheck")["enum"] == ["false", "true"]
    assert at("ChaosEngine", "spec.experiments")["minItems"] == 1
    assert at("ChaosEngine", "spec.experiments[].name")["minLength"] == 1


def test_an_engine_needs_its_experiments_and_nothing_else():
    assert at("ChaosEngine", "spec")["required"] == ["experiments"]
    assert openapi("ChaosEngine")["required"] == ["spec"]


def test_probes_are_described_under_the_keys_with_a_slash():
    assert "url" in at("ChaosEngine", "spec.experiments[].spec.probe[].httpProbe/inputs")["properties"]


def test_a_duration_of_a_probe_may_be_a_number_or_text():
    timeout = at("ChaosEngine", "spec.experiments[].spec.probe[].runProperties.probeTimeout")
    assert timeout["x-kubernetes-int-or-string"] is True
    assert "type" not in timeout


@pytest.mark.parametrize("path", ["spec.engineState", "spec.experiments[].spec.components.env[].value"])
def test_fields_are_explained_to_kubectl_explain(path):
    assert at("ChaosEngine", path)["description"]


def test_a_type_that_no_structural_schema_can_say_is_refused_when_the_schema_is_made():
    class Impossible(msgspec.Struct):
        metadata: dict[str, str] = {}
        both: list[str] | int = 0

    with pytest.raises(TypeError, match="no union"):
        schema.of(Impossible)


@given(st.sampled_from(list(CRDS)))
def test_definitions_are_the_same_every_time(kind):
    again = {crd["spec"]["names"]["kind"]: crd for crd in crds.all_crds()}
    assert msgspec.json.encode(again[kind]) == msgspec.json.encode(CRDS[kind])


def test_the_kinds_of_the_definitions_are_those_of_the_types():
    assert set(CRDS) == {
        cls.__name__ for cls in (api.ChaosEngine, api.ChaosExperiment, api.ChaosResult, api.ChaosSchedule)
    }
