"""The OpenAPI documents: what kubectl and the client libraries look for in them."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from litmus.sandbox.machinery import crds, resources, status
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.schemas import openapi, openapi_v2, openapi_v3

META = "io.k8s.apimachinery.pkg.apis.meta.v1"


def crd() -> Obj:
    spec = {
        "type": "object",
        "required": ["text"],
        "properties": {
            "text": {"type": "string", "description": "What it says.", "default": "x", "maxLength": 5},
            "port": {"x-kubernetes-int-or-string": True},
            "maybe": {"type": "string", "nullable": True},
            "any": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
            "either": {"type": "object", "properties": {"a": {"type": "string"}}, "oneOf": [{"required": ["a"]}]},
            "list": {
                "type": "array",
                "items": {"type": "object", "required": ["n"], "properties": {"n": {"type": "string"}}},
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["n"],
            },
        },
    }
    schema = {"type": "object", "properties": {"spec": spec}}
    version = {"name": "v1alpha1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    version["subresources"] = {"status": {}}
    made: Obj = {
        "metadata": {"name": "wishes.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": {"plural": "wishes", "kind": "Wish"},
            "versions": [version],
        },
    }
    strategy = crds.DefinitionStrategy(resources.built_in())
    strategy.default(made)
    strategy.prepare_create(made)
    assert strategy.validate(made) == []
    return made


@pytest.fixture(scope="module")
def custom() -> tuple[resources.Catalogue, Obj]:
    catalogue, definition = resources.built_in(), crd()
    crds.sync(catalogue, None, definition)
    return catalogue, definition


@pytest.fixture(scope="module")
def v2(custom: tuple[resources.Catalogue, Obj]) -> Obj:
    return openapi_v2.document_v2(custom[0], [custom[1]])


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def test_every_reference_in_v2_leads_somewhere(v2: Obj) -> None:
    assert {f"#/definitions/{name}" for name in v2["definitions"]} >= set(references(v2))


def test_every_reference_in_every_v3_document_leads_somewhere(custom: tuple[resources.Catalogue, Obj]) -> None:
    catalogue, definition = custom
    for group, versions in catalogue.groups().items():
        for version in versions:
            found = openapi_v3.document_v3(catalogue, group, version, [definition])
            known = {f"#/components/schemas/{name}" for name in found["components"]["schemas"]}
            assert known >= set(references(found)), (group, version)


def test_ids_of_requests_are_unique(v2: Obj) -> None:
    ids = [one["operationId"] for item in v2["paths"].values() for one in item.values() if isinstance(one, dict)]
    assert len(ids) == len(set(ids))
    assert {"createAppsV1NamespacedDeployment", "listCoreV1PodForAllNamespaces", "readCoreV1Node"} <= set(ids)
    assert {"patchRbacAuthorizationV1ClusterRole", "replaceExampleComV1alpha1NamespacedWishStatus"} <= set(ids)


def test_definitions_look_as_those_of_a_real_server(v2: Obj) -> None:
    port = v2["definitions"]["io.k8s.api.core.v1.ServicePort"]
    assert port["required"] == ["port"]
    shown = {
        name: {key: value for key, value in one.items() if key != "description"}
        for name, one in port["properties"].items()
    }
    assert shown == {
        "appProtocol": {"type": "string"},
        "name": {"type": "string"},
        "nodePort": {"type": "integer", "format": "int32"},
        "port": {"type": "integer", "format": "int32"},
        "protocol": {"type": "string"},
        "targetPort": {"$ref": "#/definitions/io.k8s.apimachinery.pkg.util.intstr.IntOrString"},
    }
    assert v2["definitions"]["io.k8s.apimachinery.pkg.util.intstr.IntOrString"]["format"] == "int-or-string"


def test_lists_say_how_they_are_merged(v2: Obj) -> None:
    ports = v2["definitions"]["io.k8s.api.core.v1.ServiceSpec"]["properties"]["ports"]
    assert {key: value for key, value in ports.items() if key.startswith("x-")} == {
        "x-kubernetes-list-map-keys": ["port", "protocol"],
        "x-kubernetes-list-type": "map",
        "x-kubernetes-patch-merge-key": "port",
        "x-kubernetes-patch-strategy": "merge",
    }
    volumes = v2["definitions"]["io.k8s.api.core.v1.PodSpec"]["properties"]["volumes"]
    assert volumes["x-kubernetes-patch-strategy"] == "merge,retainKeys"
    assert "x-kubernetes-list-type" not in v2["definitions"]["io.k8s.api.core.v1.PodList"]["properties"]["items"]


def test_kinds_are_marked_and_what_only_looks_like_one_is_not(v2: Obj) -> None:
    marked = v2["definitions"]["io.k8s.api.apps.v1.Deployment"]["x-kubernetes-group-version-kind"]
    assert marked == [{"group": "apps", "kind": "Deployment", "version": "v1"}]
    roles = v2["definitions"]["io.k8s.api.rbac.v1.RoleList"]["x-kubernetes-group-version-kind"]
    assert roles == [{"group": "rbac.authorization.k8s.io", "kind": "RoleList", "version": "v1"}]
    assert "x-kubernetes-group-version-kind" not in v2["definitions"]["io.k8s.api.core.v1.ObjectReference"]


def test_texts_come_from_the_types_without_the_breaks_of_their_docstrings(v2: Obj) -> None:
    spec = v2["definitions"]["io.k8s.api.core.v1.PodSpec"]
    assert spec["description"] == "PodSpec is a description of a pod."
    assert spec["properties"]["hostIPC"]["description"] == "Use the host's ipc namespace. Optional: Default to false."
    assert all("  " not in one.get("description", "") for one in spec["properties"].values())


@pytest.mark.parametrize("word", ["dryRun", "fieldManager", "fieldValidation", "force"])
def test_a_patch_says_what_it_understands(custom: tuple[resources.Catalogue, Obj], v2: Obj, word: str) -> None:
    path = "/apis/apps/v1/namespaces/{namespace}/deployments/{name}"
    v3 = openapi_v3.document_v3(custom[0], "apps", "v1")
    for found in (v2["paths"][path]["patch"], v3["paths"][path]["patch"]):
        assert word in {one["name"] for one in found["parameters"] if one["in"] == "query"}
        assert found["x-kubernetes-group-version-kind"] == {"group": "apps", "kind": "Deployment", "version": "v1"}


def test_requests_are_those_of_the_verbs(v2: Obj) -> None:
    assert set(v2["paths"]["/api/v1/componentstatuses"]) == {"get", "parameters"}
    assert set(v2["paths"]["/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"]) == {"post", "parameters"}
    assert set(v2["paths"]["/api/v1/namespaces/{namespace}/pods/{name}/eviction"]) == {"post", "parameters"}
    scale = v2["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}/scale"]["get"]
    assert scale["x-kubernetes-group-version-kind"] == {"group": "autoscaling", "kind": "Scale", "version": "v1"}
    assert "name" not in [one["name"] for one in v2["paths"]["/api/v1/nodes"]["parameters"]]


def test_v3_describes_a_reference_beside_it(custom: tuple[resources.Catalogue, Obj]) -> None:
    found = openapi_v3.document_v3(custom[0], "apps", "v1")["components"]["schemas"]
    metadata = found["io.k8s.api.apps.v1.Deployment"]["properties"]["metadata"]
    assert metadata["allOf"] == [{"$ref": f"#/components/schemas/{META}.ObjectMeta"}]
    assert metadata["description"].startswith("Standard object's metadata.")
    assert found["io.k8s.apimachinery.pkg.api.resource.Quantity"]["oneOf"] == [{"type": "string"}, {"type": "number"}]


def test_a_custom_kind_is_published_in_v3_as_its_author_wrote_it(custom: tuple[resources.Catalogue, Obj]) -> None:
    catalogue, definition = custom
    found = openapi_v3.document_v3(catalogue, "example.com", "v1alpha1", [definition])["components"]["schemas"]
    wish = found["com.example.v1alpha1.Wish"]
    written = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    assert wish["properties"]["spec"] == written["properties"]["spec"]
    assert set(wish["properties"]) == {"apiVersion", "kind", "metadata", "spec"}
    assert wish["x-kubernetes-group-version-kind"] == [{"group": "example.com", "kind": "Wish", "version": "v1alpha1"}]
    assert "com.example.v1alpha1.WishList" in found


def test_a_custom_kind_in_v2_leaves_out_what_v2_cannot_say(v2: Obj) -> None:
    spec = v2["definitions"]["com.example.v1alpha1.Wish"]["properties"]["spec"]["properties"]
    assert spec["text"] == {"type": "string", "description": "What it says.", "maxLength": 5}
    assert spec["port"] == {"x-kubernetes-int-or-string": True}
    assert spec["maybe"] == {}
    assert spec["any"] == {"x-kubernetes-preserve-unknown-fields": True}
    assert spec["either"] == {"type": "object", "properties": {"a": {"type": "string"}}}
    assert spec["list"]["x-kubernetes-list-map-keys"] == ["n"]


def test_custom_kinds_take_no_strategic_patches(v2: Obj) -> None:
    path = "/apis/example.com/v1alpha1/namespaces/{namespace}/wishes/{name}"
    assert "application/strategic-merge-patch+json" not in v2["paths"][path]["patch"]["consumes"]
    assert set(v2["paths"][f"{path}/status"]) == {"get", "put", "patch", "parameters"}


def test_the_index_names_each_document_with_a_hash_of_what_it_says() -> None:
    catalogue, definition = resources.built_in(), crd()
    crds.sync(catalogue, None, definition)
    before = openapi_v3.index_v3(catalogue, [definition])["paths"]
    assert {"api/v1", "apis/apps/v1", "apis/example.com/v1alpha1"} <= set(before)
    address = before["apis/apps/v1"]["serverRelativeURL"]
    assert re.fullmatch(r"/openapi/v3/apis/apps/v1\?hash=[0-9A-F]{128}", address)
    changed = json.loads(json.dumps(definition))
    changed["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["more"] = {"type": "string"}
    after = openapi_v3.index_v3(catalogue, [changed])["paths"]
    assert {name for name in before if before[name] != after[name]} == {"apis/example.com/v1alpha1"}


def test_a_group_that_is_not_served_has_no_document() -> None:
    with pytest.raises(status.Refusal) as refused:
        openapi_v3.document_v3(resources.built_in(), "apps", "v2")
    assert refused.value.code == 404


def test_documents_are_made_again_only_when_something_changed() -> None:
    catalogue, there = resources.built_in(), [crd()]
    documents = openapi.Documents(catalogue, lambda: there)
    first = documents.v3("apps", "v1")
    assert documents.v3("apps", "v1") is first
    assert documents.v2() is documents.v2()
    crds.sync(catalogue, None, there[0])
    assert b"com.example.v1alpha1.Wish" in documents.v2()
    assert documents.v3("apps", "v1") is first
    assert b"com.example.v1alpha1.Wish" in documents.v3("example.com", "v1alpha1")
