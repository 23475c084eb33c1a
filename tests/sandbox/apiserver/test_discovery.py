import pytest

from litmus.sandbox.apiserver import discovery
from litmus.sandbox.machinery import resources

AGGREGATED = (
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
    "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json"
)


async def test_the_core_group(server):
    answer = await server("GET", "/api")
    assert answer.content == {
        "kind": "APIVersions",
        "versions": ["v1"],
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": "127.0.0.1:6443"}],
    }


async def test_the_named_groups(server):
    answer = await server("GET", "/apis")
    assert (answer.content["kind"], answer.content["apiVersion"]) == ("APIGroupList", "v1")
    apps = {"groupVersion": "apps/v1", "version": "v1"}
    assert {"name": "apps", "versions": [apps], "preferredVersion": apps} in answer.content["groups"]
    answer = await server("GET", "/apis/apps")
    kind = {"kind": "APIGroup", "apiVersion": "v1"}
    assert answer.content == {**kind, "name": "apps", "versions": [apps], "preferredVersion": apps}


async def test_resources_and_their_subresources(server):
    found = (await server("GET", "/apis/apps/v1/")).content
    assert (found["kind"], found["apiVersion"], found["groupVersion"]) == ("APIResourceList", "v1", "apps/v1")
    entries = {entry["name"]: entry for entry in found["resources"]}
    assert entries["deployments"] == {
        "name": "deployments",
        "singularName": "deployment",
        "namespaced": True,
        "kind": "Deployment",
        "verbs": ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
        "shortNames": ["deploy"],
        "categories": ["all"],
        "storageVersionHash": "8aSe+NMegvE=",  # a real server's
    }
    assert entries["deployments/scale"] == {
        "name": "deployments/scale",
        "singularName": "",
        "namespaced": True,
        "group": "autoscaling",
        "version": "v1",
        "kind": "Scale",
        "verbs": ["get", "patch", "update"],
    }


async def test_the_core_version_names_foreign_kinds_with_their_groups(server):
    found = (await server("GET", "/api/v1")).content
    assert "apiVersion" not in found
    entries = {entry["name"]: entry for entry in found["resources"]}
    shown = {
        name: (entry.get("group"), entry.get("version"), entry["kind"], entry["verbs"])
        for name, entry in entries.items()
        if "/" in name
    }
    assert shown["pods/eviction"] == ("policy", "v1", "Eviction", ["create"])
    assert shown["pods/binding"] == (None, None, "Binding", ["create"])
    assert shown["pods/log"] == (None, None, "Pod", ["get"])
    assert shown["pods/exec"] == (None, None, "PodExecOptions", ["create", "get"])
    assert shown["serviceaccounts/token"] == ("authentication.k8s.io", "v1", "TokenRequest", ["create"])
    assert shown["namespaces/finalize"] == (None, None, "Namespace", ["update"])


@pytest.mark.parametrize(("plural", "expected"), [("configmaps", "qFsyl6wFWjQ="), ("endpoints", "fWeeMqaN/OA=")])
def test_the_hash_of_the_storage_version_is_a_real_servers(plural, expected):
    assert discovery.storage_version_hash(resources.built_in().named(plural)) == expected


@pytest.mark.parametrize("path", ["/api", "/apis"])
async def test_all_at_once(server, path):
    answer = await server("GET", path, accept=AGGREGATED)
    kind = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    assert answer.headers["content-type"] == kind
    assert (answer.content["kind"], answer.content["apiVersion"]) == (
        "APIGroupDiscoveryList",
        "apidiscovery.k8s.io/v2",
    )
    groups = [item["metadata"].get("name", "") for item in answer.content["items"]]
    assert ("apps" in groups) is (path == "/apis")
    assert ("" in groups) is (path == "/api")


async def test_a_resource_in_the_aggregated_document(server):
    answer = await server("GET", "/apis", accept=AGGREGATED)
    apps = next(item for item in answer.content["items"] if item["metadata"]["name"] == "apps")
    assert (apps["versions"][0]["version"], apps["versions"][0]["freshness"]) == ("v1", "Current")
    found = next(one for one in apps["versions"][0]["resources"] if one["resource"] == "deployments")
    assert found["responseKind"] == {"group": "apps", "version": "v1", "kind": "Deployment"}
    assert (found["scope"], found["singularResource"], found["shortNames"]) == ("Namespaced", "deployment", ["deploy"])
    scale = {"group": "autoscaling", "version": "v1", "kind": "Scale"}
    verbs = ["get", "patch", "update"]
    assert {"subresource": "scale", "responseKind": scale, "verbs": verbs} in found["subresources"]


async def test_who_has_it_already_gets_nothing(server):
    tag = (await server("GET", "/apis", accept=AGGREGATED)).headers["etag"]
    answer = await server("GET", "/apis", accept=AGGREGATED, headers={"If-None-Match": tag})
    assert (answer.code, answer.content) == (304, "")
