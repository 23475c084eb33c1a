"""Golden: a real server's answers to the same requests."""

import json

import pytest
import yaml

MAPS = "/api/v1/namespaces/shop/configmaps"
MERGE = "application/merge-patch+json"
TABLE = "application/json;as=Table;g=meta.k8s.io;v=v1"
PARTIAL = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"


@pytest.fixture
def config(server):
    return server.put("configmaps", {"metadata": {"name": "a"}, "data": {"k": "v"}}, "shop")


async def test_an_object_is_created_and_read_back(server):
    made = await server("POST", MAPS, {"metadata": {"name": "a"}, "data": {"k": "v"}})
    assert (made.code, made.content["kind"], made.content["apiVersion"]) == (201, "ConfigMap", "v1")
    found = await server("GET", f"{MAPS}/a")
    assert (found.code, found.content) == (200, made.content)
    assert list(found.content)[:3] == ["kind", "apiVersion", "metadata"]


async def test_answers_may_be_yaml(server, config):
    found = await server("GET", f"{MAPS}/a", accept="application/yaml")
    assert found.headers["content-type"].startswith("application/yaml")
    assert yaml.safe_load(found.content)["data"] == {"k": "v"}


async def test_refusals_may_be_yaml(server):
    found = await server("GET", f"{MAPS}/a", accept="application/yaml")
    assert yaml.safe_load(found.content)["message"] == 'configmaps "a" not found'


async def test_requests_may_be_yaml(server):
    body = "kind: ConfigMap\napiVersion: v1\nmetadata: {name: a}\n"
    assert (await server("POST", MAPS, body, type="application/yaml")).code == 201


async def test_requests_may_be_protobuf(server):
    name = b"\x0a\x01a"
    raw = b"\x0a" + bytes([len(name)]) + name
    body = b"k8s\x00" + b"\x0a\x0f" + b"\x0a\x02v1\x12\x09ConfigMap" + b"\x12" + bytes([len(raw)]) + raw
    answer = await server("POST", MAPS, body, type="application/vnd.kubernetes.protobuf")
    assert (answer.code, answer.content["metadata"]["name"]) == (201, "a")


async def test_people_read_indented_answers(server, config):
    answer = await server("GET", f"{MAPS}/a?pretty=true")
    assert answer.headers["content-length"] == str(len(json.dumps(answer.content, indent=2)))


async def test_a_list_says_its_kind_once(server, config):
    found = await server("GET", MAPS)
    assert (found.content["kind"], found.content["apiVersion"]) == ("ConfigMapList", "v1")
    assert found.content["metadata"] == {"resourceVersion": str(server.registry.store.revision)}
    assert [sorted(item) for item in found.content["items"]] == [["data", "metadata"]]


async def test_a_list_in_pages(server, names):
    for name in "abc":
        server.put("configmaps", {"metadata": {"name": name}}, "shop")
    first = await server("GET", f"{MAPS}?limit=2")
    assert (names(first), first.content["metadata"]["remainingItemCount"]) == (["a", "b"], 1)
    second = await server("GET", f"{MAPS}?limit=2&continue={first.content['metadata']['continue']}")
    assert (names(second), "continue" in second.content["metadata"]) == (["c"], False)


async def test_selectors(server, names):
    server.put("configmaps", {"metadata": {"name": "x", "labels": {"app": "x"}}}, "shop")
    server.put("configmaps", {"metadata": {"name": "y", "labels": {"app": "y"}}}, "shop")
    assert names(await server("GET", f"{MAPS}?labelSelector=app%20in%20(x,z)")) == ["x"]
    assert names(await server("GET", f"{MAPS}?fieldSelector=metadata.name!%3Dx")) == ["y"]


@pytest.mark.parametrize("query", ["labelSelector=a%20b%20c", "fieldSelector=spec.foo%3Dx", "fieldSelector=spec.foo"])
@pytest.mark.parametrize("watch", ["", "&watch=1"])
async def test_a_bad_selector_is_refused(server, query, watch):
    assert (await server("GET", f"{MAPS}?{query}{watch}")).code == 400


async def test_a_namespace_that_is_not_there_is_empty(server):
    answer = await server("GET", "/api/v1/namespaces/nowhere/configmaps")
    assert (answer.code, answer.content["items"]) == (200, [])


async def test_a_revision_of_the_future_is_a_timeout(server, config):
    for path in (MAPS, f"{MAPS}/a"):
        answer = await server("GET", f"{path}?resourceVersion=99999999")
        current = server.registry.store.revision
        assert (answer.code, answer.content["reason"]) == (504, "Timeout")
        assert answer.message == f"Timeout: Too large resource version: 99999999, current: {current}"
        assert answer.headers["retry-after"] == "1"


async def test_an_exact_revision_is_there_until_something_changes(server, config):
    path = f"{MAPS}?resourceVersionMatch=Exact&resourceVersion={server.registry.store.revision}"
    assert (await server("GET", path)).code == 200
    server.put("secrets", {"metadata": {"name": "s"}}, "shop")
    assert (await server("GET", path)).code == 200
    server.put("configmaps", {"metadata": {"name": "b"}}, "shop")
    answer = await server("GET", path)
    assert (answer.code, answer.content["reason"]) == (410, "Expired")
    assert answer.message == "The resourceVersion for the provided list is too old."


async def test_an_update_replaces(server, config):
    answer = await server("PUT", f"{MAPS}/a", {"metadata": {"name": "a"}, "data": {"k": "w"}})
    assert (answer.code, answer.content["data"]) == (200, {"k": "w"})


async def test_an_old_version_is_a_conflict(server, config):
    meta = {"name": "a", "resourceVersion": config["metadata"]["resourceVersion"]}
    assert (await server("PUT", f"{MAPS}/a", {"metadata": meta, "data": {"k": "w"}})).code == 200
    answer = await server("PUT", f"{MAPS}/a", {"metadata": meta, "data": {"k": "x"}})
    assert (answer.code, answer.content["reason"]) == (409, "Conflict")


async def test_the_kinds_of_patches(server, config):
    answer = await server("PATCH", f"{MAPS}/a", {"data": {"k": None, "n": "1"}}, type=MERGE)
    assert (answer.code, answer.content["data"]) == (200, {"n": "1"})
    operations = [{"op": "replace", "path": "/data/n", "value": "2"}]
    answer = await server("PATCH", f"{MAPS}/a", operations, type="application/json-patch+json")
    assert answer.content["data"] == {"n": "2"}
    answer = await server("PATCH", f"{MAPS}/a", {"data": {"s": "3"}}, type="application/strategic-merge-patch+json")
    assert answer.content["data"] == {"n": "2", "s": "3"}


async def test_apply_creates_and_updates(server):
    body = {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "b"}, "data": {"k": "v"}}
    path = f"{MAPS}/b?fieldManager=me"
    assert (await server("PATCH", path, body, type="application/apply-patch+yaml")).code == 201
    assert (await server("PATCH", path, body, type="application/apply-patch+yaml")).code == 200


async def test_a_patch_of_another_media_type(server, config):
    answer = await server("PATCH", f"{MAPS}/a", {})
    assert (answer.code, answer.message, answer.content["details"]) == (415, "415: Unsupported Media Type", {})


async def test_nothing_is_stored_in_a_dry_run(server, config):
    before = server.registry.store.revision
    assert (await server("POST", f"{MAPS}?dryRun=All", {"metadata": {"name": "b"}})).code == 201
    assert (await server("PUT", f"{MAPS}/a?dryRun=All", {"metadata": {"name": "a"}})).code == 200
    assert (await server("PATCH", f"{MAPS}/a?dryRun=All", {"data": None}, type=MERGE)).code == 200
    assert (await server("DELETE", f"{MAPS}/a?dryRun=All")).code == 200
    assert server.registry.store.revision == before


async def test_a_deletion_is_a_success_about_the_object(server, config):
    answer = await server("DELETE", f"{MAPS}/a")
    uid = config["metadata"]["uid"]
    assert (answer.code, answer.content) == (
        200,
        {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Success",
            "details": {"name": "a", "kind": "configmaps", "uid": uid},
        },
    )
    answer = await server("DELETE", f"{MAPS}/a")
    assert (answer.code, answer.message) == (404, 'configmaps "a" not found')


async def test_some_kinds_are_returned_when_deleted(server, pod):
    server.put("serviceaccounts", {"metadata": {"name": "robot"}}, "shop")
    answer = await server("DELETE", "/api/v1/namespaces/shop/serviceaccounts/robot")
    assert (answer.code, answer.content["kind"]) == (200, "ServiceAccount")
    server.put("pods", pod("p"), "shop")
    answer = await server("DELETE", "/api/v1/namespaces/shop/pods/p")
    assert (answer.code, answer.content["kind"]) == (200, "Pod")


async def test_what_is_held_is_returned_when_deleted(server):
    server.put("configmaps", {"metadata": {"name": "f", "finalizers": ["a.io/b"]}}, "shop")
    answer = await server("DELETE", f"{MAPS}/f")
    assert (answer.code, answer.content["metadata"]["finalizers"]) == (200, ["a.io/b"])
    assert answer.content["metadata"]["deletionTimestamp"]


async def test_preconditions_of_a_deletion(server, config):
    answer = await server("DELETE", f"{MAPS}/a", {"preconditions": {"uid": "x"}})
    assert (answer.code, answer.content["reason"]) == (409, "Conflict")


async def test_a_collection_is_deleted_by_its_selector(server, names, config):
    server.put("configmaps", {"metadata": {"name": "x", "labels": {"app": "x"}}}, "shop")
    answer = await server("DELETE", f"{MAPS}?labelSelector=app%3Dx")
    assert (answer.code, answer.content["kind"], names(answer)) == (200, "ConfigMapList", ["x"])
    assert names(await server("GET", MAPS)) == ["a"]


async def test_unknown_and_repeated_fields_are_warned_about_or_refused(server):
    body = '{"metadata":{"name":"a"},"data":{"x":"1","x":"2"},"oops":1}'
    answer = await server("POST", f"{MAPS}?fieldValidation=Strict", body)
    assert (answer.code, answer.content["reason"]) == (400, "BadRequest")
    answer = await server("POST", MAPS, body)
    assert answer.code == 201
    assert set(answer.headers.get_list("warning")) == {
        '299 - "unknown field \\"oops\\""',
        '299 - "duplicate field \\"data.x\\""',
    }


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", f"{MAPS}/a"),
        ("PUT", MAPS),
        ("PATCH", MAPS),
        ("POST", "/api/v1/configmaps"),
        ("DELETE", "/api/v1/configmaps"),
        ("OPTIONS", MAPS),
        ("DELETE", "/api/v1/namespaces"),
        ("DELETE", "/api/v1/namespaces/shop/pods/x/status"),
        ("POST", "/version"),
        ("POST", "/api"),
    ],
)
async def test_a_verb_that_is_not_there(server, method, path):
    answer = await server(method, path, {"metadata": {"name": "a"}})
    assert (answer.code, answer.content["reason"], answer.content["details"]) == (405, "MethodNotAllowed", {})
    assert answer.message == "the server does not allow this method on the requested resource"


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/nope",
        "/api/v2",
        "/api/v1/nope/x",
        "/apis/apps/v2",
        "/apis/apps/v1/nope",
        "/apis/apps/v1/namespaces/shop",
        "/api/v1/namespaces/shop/pods/x/nope",
        "/api/v1/namespaces/shop/pods/x/status/y",
        "/api/v1/namespaces/shop/nodes",
        "/api/v1/namespaces/shop/configmaps/a/status",
    ],
)
async def test_a_path_that_is_not_there(server, path):
    answer = await server("GET", path)
    assert (answer.code, answer.content["reason"], answer.content["details"]) == (404, "NotFound", {})
    assert answer.message == "the server could not find the requested resource"


@pytest.mark.parametrize("path", ["/apis/foo", "/apis/foo/v1", "/apis/foo/v1/bars", "/apis/foo/v1/namespaces/x/bars/y"])
async def test_a_group_that_is_not_there(server, path):
    answer = await server("GET", path)
    assert (answer.code, answer.content) == (404, "404 page not found\n")


async def test_tables_and_partial_objects(server, config):
    found = (await server("GET", MAPS, accept=TABLE)).content
    assert (found["kind"], found["rows"][0]["cells"][:2]) == ("Table", ["a", 1])
    assert found["rows"][0]["object"]["kind"] == "PartialObjectMetadata"
    found = (await server("GET", f"{MAPS}?includeObject=None", accept=TABLE)).content
    assert found["rows"][0]["object"] is None
    found = (await server("GET", f"{MAPS}?includeObject=Object", accept=TABLE)).content
    assert found["rows"][0]["object"]["data"] == {"k": "v"}
    assert (await server("GET", f"{MAPS}?includeObject=Foo", accept=TABLE)).code == 400
    found = (await server("GET", f"{MAPS}/a", accept=PARTIAL)).content
    assert sorted(found) == ["apiVersion", "kind", "metadata"]
    found = (await server("GET", MAPS, accept=PARTIAL.replace("Metadata", "MetadataList"))).content
    assert (found["kind"], found["items"][0]["kind"]) == ("PartialObjectMetadataList", "PartialObjectMetadata")


async def test_a_list_is_no_partial_object(server):
    answer = await server("GET", MAPS, accept=PARTIAL)
    assert (answer.code, answer.content["reason"]) == (406, "NotAcceptable")
    said = "you requested PartialObjectMetadata, but the requested object is a list (*core.ConfigMapList)"
    assert answer.message == said


async def test_a_body_that_is_too_large_is_refused(server):
    answer = await server("POST", MAPS, b"x" * (3 * 1024 * 1024 + 1))
    assert (answer.code, answer.content["reason"]) == (413, "RequestEntityTooLarge")


async def test_a_defect_is_an_internal_error_and_is_logged(server, monkeypatch, caplog):
    def broken(*_, **__):
        raise KeyError("oops")

    monkeypatch.setattr(server.registry, "get", broken)
    answer = await server("GET", f"{MAPS}/a")
    assert (answer.code, answer.content["reason"]) == (500, "InternalError")
    assert "Traceback" in caplog.text


async def test_status_is_a_subresource(server, pod):
    server.put("pods", pod("p"), "shop")
    path = "/api/v1/namespaces/shop/pods/p"
    answer = await server("PATCH", f"{path}/status", {"status": {"phase": "Running"}}, type=MERGE)
    assert (answer.code, answer.content["status"]["phase"]) == (200, "Running")
    assert (await server("GET", f"{path}/status")).content["status"]["phase"] == "Running"
    answer = await server("PATCH", path, {"status": {"phase": "Failed"}}, type=MERGE)
    assert answer.content["status"]["phase"] == "Running"


async def test_component_statuses_are_well_and_deprecated(server):
    answer = await server("GET", "/api/v1/componentstatuses")
    assert [item["conditions"][0]["status"] for item in answer.content["items"]] == ["True"] * 3
    assert answer.headers["warning"] == '299 - "v1 ComponentStatus is deprecated in v1.19+"'


async def test_a_namespace_is_finalized(server):
    path = "/api/v1/namespaces/shop"
    namespace = (await server("GET", path)).content
    answer = await server("PUT", f"{path}/finalize", {**namespace, "spec": {"finalizers": ["kubernetes", "a.io/b"]}})
    assert (answer.code, answer.content["spec"]["finalizers"]) == (200, ["kubernetes", "a.io/b"])
    assert (await server("GET", f"{path}/finalize")).code == 405
