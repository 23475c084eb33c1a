"""What no client in its right mind sends: it is refused as a real server refuses it, and never a 500 of our own."""

import json

import pytest

from litmus.sandbox.apiserver.authentication import ANONYMOUS

RBAC = "/apis/rbac.authorization.k8s.io/v1/namespaces/shop"
MAPS = "/api/v1/namespaces/shop/configmaps"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/shop/leases"
MERGE, APPLY = "application/merge-patch+json", "application/apply-patch+yaml"
JSON_PATCH = "application/json-patch+json"


@pytest.fixture
def config(server):
    return server.put("configmaps", {"metadata": {"name": "a"}, "data": {"k": "v"}}, "shop")


@pytest.mark.parametrize("metadata", ["x", 1.5, [], [1]])
@pytest.mark.parametrize("kind", ["roles", "rolebindings"])
async def test_metadata_of_a_wrong_type_is_a_bad_request_also_where_permissions_are_compared(server, kind, metadata):
    assert (await server("POST", f"{RBAC}/{kind}", {"metadata": metadata})).code == 400


async def test_applied_metadata_of_a_wrong_type_is_told(server):
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": "x"}
    found = await server("PATCH", f"{MAPS}/a?fieldManager=m", body, type=APPLY)
    assert (found.code, "metadata: expected map" in found.message) == (500, True)


@pytest.mark.parametrize(
    "asked",
    [
        {"preconditions": "x"},
        {"preconditions": []},
        {"preconditions": {"uid": 5}},
        {"gracePeriodSeconds": "x"},
        {"gracePeriodSeconds": 1.5},
        {"gracePeriodSeconds": 2**70},
        {"propagationPolicy": {}},
        {"dryRun": "All"},
        {"dryRun": [1]},
        {"kind": {}},
        {"apiVersion": []},
        [],
        "x",
    ],
)
async def test_options_of_a_deletion_with_wrong_types_delete_nothing(server, config, asked):
    assert (await server("DELETE", f"{MAPS}/a", asked)).code == 500  # as a real server says it
    assert (await server("DELETE", MAPS, asked)).code == 500
    assert (await server("GET", f"{MAPS}/a")).code == 200


@pytest.mark.parametrize("media_type", ["application/json", "application/yaml"])
@pytest.mark.parametrize("depth", [300, 5_000])
async def test_what_is_nested_too_deep_is_a_bad_request(server, media_type, depth):
    body = f'{{"metadata":{{"name":"a"}},"x":{"[" * depth}{"]" * depth}}}'
    found = await server("POST", MAPS, body, type=media_type)
    assert (found.code, found.content["reason"]) == (400, "BadRequest")


@pytest.mark.parametrize("media_type", [MERGE, JSON_PATCH, "application/strategic-merge-patch+json", APPLY])
async def test_a_patch_that_is_nested_too_deep_is_a_bad_request(server, config, media_type):
    body = f'{{"x":{"[" * 5_000}{"]" * 5_000}}}'
    assert (await server("PATCH", f"{MAPS}/a?fieldManager=m", body, type=media_type)).code == 400


@pytest.mark.parametrize("bomb", ["&a [*a]", "metadata: &a {name: a, x: *a}"])
async def test_yaml_that_contains_itself_is_a_bad_request(server, bomb):
    assert (await server("POST", MAPS, bomb, type="application/yaml")).code == 400


async def test_yaml_whose_aliases_multiply_is_a_bad_request(server):
    lines = ["x0: &x0 [a, a, a, a, a, a, a, a, a, a]"]
    lines += [f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 10)}]" for n in range(1, 9)]
    assert (await server("POST", MAPS, "\n".join(lines), type="application/yaml")).code == 400


async def test_half_a_pair_of_surrogates_is_replaced_in_json_and_refused_in_yaml(server):
    body = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"k":"x\\ud800","e":"\\ud83d\\ude00"}}'
    made = await server("POST", f"{MAPS}?dryRun=All", body)
    assert (made.code, made.content["data"]) == (201, {"k": "x\ufffd", "e": "\U0001f600"})
    assert (await server("POST", MAPS, body, type="application/yaml")).code == 400
    applied = await server("PATCH", f"{MAPS}/a?fieldManager=m", body, type=APPLY)
    assert (applied.code, "invalid Unicode character escape code" in applied.message) == (400, True)


async def test_a_secret_that_is_no_ascii_is_no_base64(server):
    found = await server("POST", "/api/v1/namespaces/shop/secrets", {"metadata": {"name": "a"}, "data": {"k": "Yg==é"}})
    assert (found.code, "illegal base64 data" in found.message) == (400, True)


@pytest.mark.parametrize("name", ["%25", "%2e%2e", "%2E"])
@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_a_name_that_cannot_stand_in_a_path_is_a_bad_request(server, method, name):
    found = await server(method, f"{MAPS}/{name}")
    assert (found.code, found.message.startswith("Name parameter invalid: ")) == (400, True)


async def test_what_is_accepted_is_known_before_what_is_there(server):
    found = await server("GET", f"{MAPS}/none", accept="text/html")
    assert (found.code, found.message) == (406, "406: Not Acceptable")


@pytest.mark.parametrize(("media_type", "body"), [(JSON_PATCH, {}), (MERGE, "{"), (MERGE, [])])
async def test_a_missing_object_is_said_before_a_broken_patch(server, media_type, body):
    assert (await server("PATCH", f"{MAPS}/none", body, type=media_type)).code == 404


async def test_a_broken_body_is_said_before_a_missing_object(server):
    assert (await server("PUT", f"{MAPS}/none", {"metadata": {"name": "other"}})).code == 400
    assert (await server("PUT", f"{MAPS}/none", {"metadata": {"name": "none"}, "data": 1})).code == 400


async def test_the_scale_of_a_missing_object_is_missing_whatever_is_sent(server):
    path = "/apis/apps/v1/namespaces/shop/deployments/none/scale"
    assert (await server("PUT", path, {"metadata": {"name": "none"}, "spec": {"replicas": -1}})).code == 404


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (f"{LEASES}/new", {}),
        (f"{RBAC}/roles/new", {"rules": []}),
        ("/api/v1/namespaces/shop/limitranges/new", {"spec": {"limits": []}}),
        ("/api/v1/namespaces/shop/endpoints/new", {}),
        ("/api/v1/namespaces/shop/events/new", {"involvedObject": {"namespace": "shop"}}),
    ],
)
async def test_an_update_makes_an_object_of_the_kinds_that_allow_it(server, path, body):
    sent = {**body, "metadata": {"name": "new", "resourceVersion": "7"}}
    made = await server("PUT", path, sent)
    assert (made.code, made.content["metadata"]["name"]) == (201, "new")
    assert (await server("PUT", path, {**body, "metadata": {"name": "new", "uid": "other"}})).code == 409


async def test_an_update_that_says_a_uid_makes_nothing(server):
    assert (await server("PUT", f"{LEASES}/new", {"metadata": {"name": "new", "uid": "x"}})).code == 409
    assert (await server("GET", f"{LEASES}/new")).code == 404


async def test_who_may_update_or_apply_but_not_create_makes_nothing(server):
    rules = [
        {"apiGroups": ["", "coordination.k8s.io"], "resources": ["configmaps", "leases"], "verbs": ["update", "patch"]}
    ]
    server.role("writer", rules, user="alice", namespace="shop")
    assert (await server("PUT", f"{LEASES}/new", {"metadata": {"name": "new"}}, user="alice")).code == 403
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "new"}}
    found = await server("PATCH", f"{MAPS}/new?fieldManager=m", config, user="alice", type=APPLY)
    assert (found.code, 'cannot create resource "configmaps"' in found.message) == (403, True)
    server.put("configmaps", {"metadata": {"name": "new"}}, "shop")
    assert (await server("PATCH", f"{MAPS}/new?fieldManager=m", config, user="alice", type=APPLY)).code == 200


async def test_a_field_selector_does_not_lend_its_name_to_a_create_or_a_delete_of_many(server, config):
    rules = [{"apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["a"], "verbs": ["*"]}]
    server.role("one", rules, user="alice", namespace="shop")
    selected = f"{MAPS}?fieldSelector=metadata.name%3Da"
    assert (await server("GET", selected, user="alice")).code == 200
    assert (await server("POST", selected, {"metadata": {"name": "b"}}, user="alice")).code == 403
    assert (await server("DELETE", selected, user="alice")).code == 403


@pytest.mark.parametrize("number", ["1_0", "%201", "%D9%A3", "9" * 30, "9" * 5_000, "1.5", "x"])
async def test_a_limit_is_a_number_as_go_reads_it(server, number):
    assert (await server("GET", f"{MAPS}?limit={number}")).code == 400
    assert (await server("GET", f"{MAPS}?timeoutSeconds={number}")).code == 400


@pytest.mark.parametrize("revision", ["1_0", "%2B1", "%D9%A3", "9" * 30, "9" * 5_000, "-1", "x"])
async def test_a_resource_version_is_a_number_as_go_reads_it(server, config, revision):
    for path in (MAPS, f"{MAPS}/a"):
        found = await server("GET", f"{path}?resourceVersion={revision}")
        assert (found.code, found.message.startswith("resourceVersion: Invalid value")) == (500, True)


async def test_a_resource_version_that_is_no_number_is_no_conflict(server, config):
    found = await server("PUT", f"{MAPS}/a", {"metadata": {"name": "a", "resourceVersion": "x"}})
    assert (found.code, found.message) == (500, 'strconv.ParseUint: parsing "x": invalid syntax')
    assert (await server("POST", MAPS, {"metadata": {"name": "b", "resourceVersion": "x"}})).code == 201


async def test_a_grace_period_beyond_the_calendar_is_a_long_one(server, pod):
    server.put("pods", {**pod("p"), "spec": {**pod("p")["spec"], "nodeName": "node1"}}, "shop")
    body = json.dumps({"gracePeriodSeconds": 2**62})
    found = await server("DELETE", "/api/v1/namespaces/shop/pods/p", body)
    assert (found.code, found.content["metadata"]["deletionGracePeriodSeconds"]) == (200, 2**62)


async def test_the_rules_of_strangers_namespaces_are_not_remembered_without_end(server):
    rulebook = server.services.authorizer.rulebook
    for number in range(5_000):
        rulebook.grants(ANONYMOUS, f"ns-{number}")
    assert len(rulebook._known) <= 4096


@pytest.mark.parametrize("value", [1, "x", [1], {"a": 1}, True, 1.5])
@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", "resourceAttributes"),
        ("/apis/authorization.k8s.io/v1/subjectaccessreviews", "groups"),
        ("/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", "namespace"),
        ("/apis/authentication.k8s.io/v1/tokenreviews", "token"),
        ("/api/v1/namespaces/shop/serviceaccounts/default/token", "boundObjectRef"),
    ],
)
async def test_what_is_asked_and_not_stored_has_types_as_well(server, path, field, value):
    for body in ({"spec": value}, {"metadata": value}, {"spec": {field: value}}):
        assert (await server("POST", path, body)).code in (201, 400, 422)


@pytest.mark.parametrize("path", ["pods/p/eviction", "pods/p/binding", "bindings"])
@pytest.mark.parametrize("field", ["metadata", "target", "deleteOptions"])
async def test_an_eviction_or_binding_of_wrong_types_is_a_bad_request(server, path, field):
    found = await server("POST", f"/api/v1/namespaces/shop/{path}", {"metadata": {"name": "p"}, field: 1})
    assert "Internal error" not in found.message
    assert found.code >= 400
