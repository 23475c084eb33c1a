"""Custom resources over HTTP. Golden: a real server's answers to the same requests."""

import pytest

WIDGETS = "/apis/x.io/v1/namespaces/shop/widgets"
TABLE = "application/json;as=Table;g=meta.k8s.io;v=v1"


@pytest.fixture(autouse=True)
def definition(server):
    names = {"plural": "widgets", "singular": "widget", "kind": "Widget", "shortNames": ["wg"], "categories": ["all"]}
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    columns = [{"name": "Size", "type": "integer", "jsonPath": ".spec.size"}]
    new = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": schema,
        "subresources": {"status": {}},
        "additionalPrinterColumns": columns,
        "selectableFields": [{"jsonPath": ".spec.size"}],
    }
    new["schema"] = {
        "openAPIV3Schema": {
            "type": "object",
            "properties": {"spec": {"type": "object", "properties": {"size": {"type": "integer"}}}},
        }
    }
    old = {"name": "v1beta1", "served": True, "storage": False, "schema": schema, "deprecated": True}
    spec = {"group": "x.io", "scope": "Namespaced", "names": names, "versions": [new, old]}
    crd = {"metadata": {"name": "widgets.x.io"}, "spec": spec}
    server.put("customresourcedefinitions.apiextensions.k8s.io", crd)


@pytest.fixture
async def widget(server):
    body = {"kind": "Widget", "apiVersion": "x.io/v1", "metadata": {"name": "w"}, "spec": {"size": 3}}
    answer = await server("POST", WIDGETS, body)
    assert answer.code == 201
    return answer.content


async def test_a_list_says_kind_and_version_of_each(server, widget):
    found = (await server("GET", WIDGETS)).content
    assert (found["kind"], found["apiVersion"]) == ("WidgetList", "x.io/v1")
    assert found["metadata"]["continue"] == ""
    assert found["items"] == [widget]


async def test_columns_are_those_of_the_definition(server, widget):
    found = (await server("GET", WIDGETS, accept=TABLE)).content
    assert [column["name"] for column in found["columnDefinitions"]] == ["Name", "Size"]
    assert found["rows"][0]["cells"] == ["w", 3]


async def test_fields_of_the_definition_select(server, widget):
    assert len((await server("GET", f"{WIDGETS}?fieldSelector=spec.size%3D3")).content["items"]) == 1
    assert (await server("GET", f"{WIDGETS}?fieldSelector=spec.size%3D4")).content["items"] == []
    answer = await server("GET", f"{WIDGETS}?fieldSelector=spec.foo%3Dx")
    assert (answer.code, answer.message) == (400, "field label not supported: spec.foo")


async def test_all_versions_show_the_same_object(server, widget):
    found = (await server("GET", f"{WIDGETS.replace('v1', 'v1beta1')}/w")).content
    assert (found["apiVersion"], found["spec"]) == ("x.io/v1beta1", {"size": 3})


async def test_an_old_version_warns(server, widget):
    assert "warning" not in (await server("GET", WIDGETS)).headers
    answer = await server("GET", WIDGETS.replace("v1", "v1beta1"))
    assert answer.headers["warning"] == '299 - "x.io/v1beta1 Widget is deprecated"'


async def test_discovery_lists_the_custom_kind(server):
    found = (await server("GET", "/apis/x.io/v1")).content["resources"]
    verbs = ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"]
    assert [entry["name"] for entry in found] == ["widgets", "widgets/status"]
    assert (found[0]["verbs"], found[0]["shortNames"], found[0]["categories"]) == (verbs, ["wg"], ["all"])
    group = (await server("GET", "/apis/x.io")).content
    assert [version["version"] for version in group["versions"]] == ["v1", "v1beta1"]
    assert group["preferredVersion"]["version"] == "v1"


async def test_a_strategic_patch_is_for_built_in_kinds(server, widget):
    answer = await server("PATCH", f"{WIDGETS}/w", {}, type="application/strategic-merge-patch+json")
    assert (answer.code, answer.message) == (
        415,
        "the body of the request was in an unknown format - accepted media types include: "
        "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml",
    )


async def test_a_subresource_that_is_not_there_is_the_object_that_is_not(server, widget):
    answer = await server("GET", f"{WIDGETS}/w/foo")
    assert (answer.code, answer.message) == (404, 'widgets.x.io "w" not found')
    answer = await server("GET", f"{WIDGETS.replace('v1', 'v1beta1')}/w/status")
    assert answer.code == 404


@pytest.mark.parametrize("path", ["/apis/x.io/v2/widgets", "/apis/x.io/v1/namespaces/shop/gadgets/g"])
async def test_an_unknown_version_or_resource_is_no_page(server, path):
    answer = await server("GET", path)
    assert (answer.code, answer.content) == (404, "404 page not found\n")


async def test_an_update_needs_a_name(server):
    answer = await server("PUT", WIDGETS)
    assert (answer.code, answer.message) == (400, "name must be provided")
