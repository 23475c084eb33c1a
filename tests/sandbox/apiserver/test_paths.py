import pytest


async def test_the_version_is_that_of_kubernetes(server):
    for path in ("/version", "/version/"):
        found = (await server("GET", path)).content
        assert (found["major"], found["minor"], found["gitVersion"]) == ("1", "37", "v1.37.0+sandbox")


@pytest.mark.parametrize("endpoint", ["healthz", "livez", "readyz"])
async def test_health(server, endpoint):
    assert (await server("GET", f"/{endpoint}")).content == "ok"
    assert (await server("GET", f"/{endpoint}/ping")).content == "ok"
    lines = (await server("GET", f"/{endpoint}?verbose")).content.splitlines()
    assert lines[0] == "[+]ping ok"
    assert lines[-1] == f"{endpoint} check passed"


@pytest.mark.parametrize("path", ["/nope", "/healthz/nope", "/openapi/v2/x"])
async def test_an_unknown_path_lists_those_that_are_known(server, path):
    answer = await server("GET", path)
    assert answer.code == 404
    assert {"/apis/apps/v1", "/healthz/ping", "/openapi/v2", "/version"} <= set(answer.content["paths"])


async def test_the_root_lists_all_paths(server):
    answer = await server("GET", "/")
    assert answer.code == 200
    assert answer.content["paths"] == sorted(answer.content["paths"])


async def test_metrics_are_prometheus_text(server):
    answer = await server("GET", "/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert 'apiserver_resource_objects{resource="namespaces"} 1' in answer.content


async def test_a_watch_of_nothing_is_a_server_error(server):
    answer = await server("GET", "/api/v1/watch")
    said = "failed to create RequestInfo: unable to determine kind and namespace from url, /api/v1/watch"
    assert (answer.code, answer.content) == (500, f'Internal Server Error: "/api/v1/watch": {said}\n')


async def test_openid_says_where_the_keys_are(server):
    found = (await server("GET", "/.well-known/openid-configuration")).content
    assert found["jwks_uri"] == "https://127.0.0.1:6443/openid/v1/jwks"


async def test_openapi_v3_in_parts(server):
    index = (await server("GET", "/openapi/v3")).content["paths"]
    answer = await server("GET", index["apis/apps/v1"]["serverRelativeURL"])
    assert "io.k8s.api.apps.v1.Deployment" in answer.content["components"]["schemas"]
    tag = answer.headers["etag"]
    assert (await server("GET", "/openapi/v3/apis/apps/v1", headers={"If-None-Match": tag})).code == 304
    assert (await server("GET", "/openapi/v3/apis/nope/v1")).code == 404


async def test_openapi_v2_in_two_forms(server):
    answer = await server("GET", "/openapi/v2")
    assert "io.k8s.api.core.v1.Pod" in answer.content["definitions"]
    binary = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
    answer = await server("GET", "/openapi/v2", accept=f"application/json;q=0.5,{binary}")
    assert answer.headers["content-type"] == "application/octet-stream"
