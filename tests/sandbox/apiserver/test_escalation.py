"""Golden: what a real server says to the same writes by the same user."""

import pytest

RBAC = "/apis/rbac.authorization.k8s.io/v1"
NAMESPACED = f"{RBAC}/namespaces/shop"
GROUP = "rbac.authorization.k8s.io"
OWN = [
    {
        "apiGroups": [GROUP],
        "resources": ["roles", "rolebindings", "clusterroles", "clusterrolebindings"],
        "verbs": ["get", "create", "update", "patch"],
    },
    {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]},
]
PODS = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]
MERGE = "application/merge-patch+json"


@pytest.fixture(autouse=True)
def alice(server):
    server.role("own", OWN, user="alice", namespace="shop")


def role(name, rules):
    return {"metadata": {"name": name}, "rules": rules}


def binding(name, role, kind="ClusterRole"):
    subject = {"kind": "User", "name": "alice", "apiGroup": GROUP}
    reference = {"apiGroup": GROUP, "kind": kind, "name": role}
    return {"metadata": {"name": name}, "roleRef": reference, "subjects": [subject]}


async def test_what_one_does_not_have_cannot_be_granted(server):
    rules = [
        {"apiGroups": ["apps"], "resources": ["deployments", "pods"], "verbs": ["get", "list"]},
        {"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["x"], "verbs": ["*"]},
    ]
    answer = await server("POST", f"{NAMESPACED}/roles", role("r2", rules), user="alice")
    assert (answer.code, answer.message) == (
        403,
        'roles.rbac.authorization.k8s.io "r2" is forbidden: user "alice" (groups=["system:authenticated"]) is '
        "attempting to grant RBAC permissions not currently held:\n"
        '{APIGroups:[""], Resources:["secrets"], ResourceNames:["x"], Verbs:["*"]}\n'
        '{APIGroups:["apps"], Resources:["deployments"], Verbs:["get" "list"]}\n'
        '{APIGroups:["apps"], Resources:["pods"], Verbs:["get" "list"]}',
    )
    assert (await server("GET", f"{NAMESPACED}/roles/r2")).code == 404


async def test_what_one_has_may_be_granted(server):
    assert (await server("POST", f"{NAMESPACED}/roles", role("r", PODS), user="alice")).code == 201


async def test_a_change_may_not_escalate_either(server):
    await server("POST", f"{NAMESPACED}/roles", role("r", PODS))
    wider = {"rules": [{"apiGroups": [""], "resources": ["*"], "verbs": ["get"]}]}
    answer = await server("PATCH", f"{NAMESPACED}/roles/r", wider, user="alice", type=MERGE)
    assert answer.code == 403
    assert answer.message.endswith('{APIGroups:[""], Resources:["*"], Verbs:["get"]}')
    answer = await server("PUT", f"{NAMESPACED}/roles/r", role("r", wider["rules"]), user="alice")
    assert answer.code == 403


async def test_a_change_of_labels_alone_is_none_of_that(server):
    await server("POST", f"{NAMESPACED}/roles", role("r", [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]))
    labels = {"metadata": {"labels": {"a": "b"}}}
    assert (await server("PATCH", f"{NAMESPACED}/roles/r", labels, user="alice", type=MERGE)).code == 200


async def test_who_may_escalate_may_grant_anything(server):
    escalate = [{"apiGroups": [GROUP], "resources": ["roles"], "verbs": ["escalate"]}]
    server.role("escalate", escalate, user="alice", namespace="shop")
    rules = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]
    assert (await server("POST", f"{NAMESPACED}/roles", role("r", rules), user="alice")).code == 201


async def test_masters_may_grant_anything(server):
    rules = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]
    assert (await server("POST", f"{RBAC}/clusterroles", role("r", rules))).code == 201


async def test_a_wider_own_rule_covers_a_narrower_one(server):
    own = [{"apiGroups": ["*"], "resources": ["*/scale", "secrets"], "verbs": ["*"]}]
    server.role("wide", own, user="alice", namespace="shop")
    rules = [
        {"apiGroups": ["apps"], "resources": ["deployments/scale"], "verbs": ["get", "update"]},
        {"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["x"], "verbs": ["get"]},
    ]
    assert (await server("POST", f"{NAMESPACED}/roles", role("r", rules), user="alice")).code == 201


async def test_paths_are_compared_too(server):
    server.role("cluster", [*OWN, {"nonResourceURLs": ["/api/*"], "verbs": ["get"]}], user="alice")
    granted = role("r", [{"nonResourceURLs": ["/api/v1"], "verbs": ["get"]}])
    assert (await server("POST", f"{RBAC}/clusterroles", granted, user="alice")).code == 201
    granted = role("q", [{"nonResourceURLs": ["/secret"], "verbs": ["get"]}])
    answer = await server("POST", f"{RBAC}/clusterroles", granted, user="alice")
    assert answer.message.endswith('{NonResourceURLs:["/secret"], Verbs:["get"]}')


async def test_an_aggregated_role_may_hold_anything_so_it_needs_all(server):
    server.role("cluster", OWN, user="alice")
    selector = {"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]}
    answer = await server("POST", f"{RBAC}/clusterroles", {**role("r", []), "aggregationRule": selector}, user="alice")
    assert answer.code == 403
    assert answer.message.endswith(
        '{APIGroups:["*"], Resources:["*"], Verbs:["*"]}\n{NonResourceURLs:["*"], Verbs:["*"]}'
    )


async def test_a_role_that_one_has_may_be_bound(server):
    assert (await server("POST", f"{NAMESPACED}/rolebindings", binding("b", "own", "Role"), user="alice")).code == 201


async def test_a_role_that_is_more_may_not_be_bound(server):
    answer = await server("POST", f"{NAMESPACED}/rolebindings", binding("b", "view"), user="alice")
    assert answer.code == 403
    assert answer.message.startswith('rolebindings.rbac.authorization.k8s.io "b" is forbidden: user "alice"')


async def test_who_may_bind_a_role_binds_it(server):
    bind = [{"apiGroups": [GROUP], "resources": ["clusterroles"], "resourceNames": ["view"], "verbs": ["bind"]}]
    server.role("bind", bind, user="alice", namespace="shop")
    assert (await server("POST", f"{NAMESPACED}/rolebindings", binding("b", "view"), user="alice")).code == 201
    assert (await server("POST", f"{NAMESPACED}/rolebindings", binding("c", "edit"), user="alice")).code == 403


async def test_binding_a_role_that_is_missing_says_so(server):
    answer = await server("POST", f"{NAMESPACED}/rolebindings", binding("b", "nope"), user="alice")
    assert (answer.code, answer.message) == (404, 'clusterroles.rbac.authorization.k8s.io "nope" not found')


async def test_a_role_of_nonsense_is_refused_as_such(server):
    answer = await server("POST", f"{NAMESPACED}/roles", role("r", "nonsense"), user="alice")
    assert answer.code == 400
