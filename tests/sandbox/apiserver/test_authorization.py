"""Golden: the refusals of a real server to the same requests."""

import pytest

ALICE = 'User "alice" cannot'


@pytest.mark.parametrize(
    ("method", "path", "message"),
    [
        (
            "GET",
            "/api/v1/pods",
            f'pods is forbidden: {ALICE} list resource "pods" in API group "" at the cluster scope',
        ),
        (
            "GET",
            "/api/v1/namespaces/shop/pods",
            f'pods is forbidden: {ALICE} list resource "pods" in API group "" in the namespace "shop"',
        ),
        (
            "GET",
            "/api/v1/namespaces/shop/pods/x/log",
            f'pods "x" is forbidden: {ALICE} get resource "pods/log" in API group "" in the namespace "shop"',
        ),
        (
            "GET",
            "/apis/apps/v1/namespaces/shop/deployments/x",
            f'deployments.apps "x" is forbidden: {ALICE} get resource "deployments" in API group "apps" '
            'in the namespace "shop"',
        ),
        (
            "POST",
            "/api/v1/namespaces/shop/pods/x/exec?command=a",
            f'pods "x" is forbidden: {ALICE} create resource "pods/exec" in API group "" in the namespace "shop"',
        ),
        (
            "GET",
            "/api/v1/namespaces/shop/pods?watch=1",
            f'pods is forbidden: {ALICE} watch resource "pods" in API group "" in the namespace "shop"',
        ),
        (
            "DELETE",
            "/api/v1/namespaces/shop/pods",
            f'pods is forbidden: {ALICE} deletecollection resource "pods" in API group "" in the namespace "shop"',
        ),
        (
            "GET",
            "/api/v1/namespaces/shop",
            f'namespaces "shop" is forbidden: {ALICE} get resource "namespaces" in API group "" '
            'in the namespace "shop"',
        ),
        (
            "GET",
            "/apis/foo/v1/namespaces/shop/bars/x",
            f'bars.foo "x" is forbidden: {ALICE} get resource "bars" in API group "foo" in the namespace "shop"',
        ),
        ("GET", "/metrics", f'forbidden: {ALICE} get path "/metrics"'),
    ],
)
async def test_a_refusal_says_who_may_not_do_what_and_where(server, method, path, message):
    answer = await server(method, path, user="alice")
    assert (answer.code, answer.content["reason"], answer.message) == (403, "Forbidden", message)


async def test_the_details_of_a_refusal_name_the_resource(server):
    answer = await server("GET", "/apis/apps/v1/namespaces/shop/deployments/x", user="alice")
    assert answer.content["details"] == {"name": "x", "group": "apps", "kind": "deployments"}


async def test_a_refusal_of_a_path_has_empty_details(server):
    assert (await server("GET", "/metrics", user="alice")).content["details"] == {}


async def test_a_role_is_enough(server):
    server.role(
        "reader", [{"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}], user="alice", namespace="shop"
    )
    assert (await server("GET", "/api/v1/namespaces/shop/pods", user="alice")).code == 200
    assert (await server("GET", "/api/v1/namespaces/default/pods", user="alice")).code == 403


async def test_a_named_object_may_be_listed_and_watched(server):
    rules = [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["list"], "resourceNames": ["x"]}]
    server.role("one", rules, user="alice", namespace="shop")
    path = "/api/v1/namespaces/shop/configmaps"
    assert (await server("GET", f"{path}?fieldSelector=metadata.name%3Dx", user="alice")).code == 200
    assert (await server("GET", path, user="alice")).code == 403


async def test_a_broken_binding_is_told(server):
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "missing"}
    subject = {"kind": "User", "name": "alice", "apiGroup": "rbac.authorization.k8s.io"}
    binding = {"metadata": {"name": "b"}, "roleRef": reference, "subjects": [subject]}
    server.put("rolebindings.rbac.authorization.k8s.io", binding, "shop")
    answer = await server("GET", "/api/v1/namespaces/shop/secrets", user="alice")
    assert answer.message == (
        f'secrets is forbidden: {ALICE} list resource "secrets" in API group "" in the namespace "shop": '
        'RBAC: role.rbac.authorization.k8s.io "missing" not found'
    )


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/api/v1/pods?fieldSelector=spec.nodeName%3Dnode1", True),
        ("GET", "/api/v1/namespaces/shop/secrets", True),
        ("GET", "/apis/discovery.k8s.io/v1/endpointslices", True),
        ("GET", "/apis/apps/v1/deployments", False),
        ("DELETE", "/api/v1/namespaces/shop/secrets/x", False),
        ("POST", "/api/v1/namespaces", False),
    ],
)
async def test_a_node_may_what_a_kubelet_needs(server, method, path, allowed):
    assert ((await server(method, path, user="node1")).code != 403) is allowed


@pytest.mark.parametrize(
    ("path", "code"), [("/version", 200), ("/healthz", 200), ("/readyz", 200), ("/api", 403), ("/", 403)]
)
async def test_strangers_see_version_and_health_only(server, path, code):
    assert (await server("GET", path, user="")).code == code


async def test_users_see_what_is_served(server):
    assert [(await server("GET", path, user="alice")).code for path in ("/api", "/apis", "/apis/apps/v1")] == [200] * 3


@pytest.mark.parametrize(
    ("role", "verb", "resource", "group", "allowed"),
    [
        ("view", "list", "pods", "", True),
        ("view", "list", "secrets", "", False),
        ("view", "create", "pods", "", False),
        ("edit", "create", "deployments", "apps", True),
        ("edit", "get", "secrets", "", True),
        ("edit", "create", "roles", "rbac.authorization.k8s.io", False),
        ("admin", "create", "roles", "rbac.authorization.k8s.io", True),
        ("admin", "create", "nodes", "", False),
        ("cluster-admin", "create", "nodes", "", True),
    ],
)
async def test_the_roles_for_users_hold_what_people_know_of_them(server, role, verb, resource, group, allowed):
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role}
    subject = {"kind": "User", "name": "alice", "apiGroup": "rbac.authorization.k8s.io"}
    binding = {"metadata": {"name": "b"}, "roleRef": reference, "subjects": [subject]}
    server.put("clusterrolebindings.rbac.authorization.k8s.io", binding)
    spec = {"resourceAttributes": {"namespace": "shop", "verb": verb, "resource": resource, "group": group}}
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    answer = await server("POST", path, {"spec": spec}, user="alice")
    assert answer.content["status"]["allowed"] is allowed
