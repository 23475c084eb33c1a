import pytest

from litmus.sandbox.apiserver import rbac
from litmus.sandbox.apiserver.rbac import Attributes
from litmus.sandbox.machinery.options import User

USER = User(name="alice", groups=("devs",))


def asked(verb: str = "get", resource: str = "pods", **more: str) -> Attributes:
    return Attributes(user=USER, verb=verb, resource=resource, **more)


def rule(verbs: str = "get", groups: str = "", resources: str = "pods", names: str = "") -> dict[str, list[str]]:
    found = {"verbs": verbs.split(), "apiGroups": groups.split() or [""], "resources": resources.split()}
    return {**found, "resourceNames": names.split()} if names else found


@pytest.mark.parametrize(
    ("known", "wanted", "expected"),
    [
        (rule(), asked(), True),
        (rule(), asked("list"), False),
        (rule("*"), asked("list"), True),
        (rule(), asked(group="apps"), False),
        (rule(groups="*"), asked(group="apps"), True),
        (rule(resources="*"), asked(resource="secrets"), True),
        (rule(resources="*"), asked(subresource="log"), True),
        (rule(), asked(subresource="log"), False),
        (rule(resources="pods/log"), asked(subresource="log"), True),
        (rule(resources="pods/log"), asked(), False),
        (rule(resources="*/scale"), asked(resource="deployments", subresource="scale"), True),
        (rule(resources="*/scale"), asked(resource="deployments"), False),
        (rule(names="x y"), asked(name="y"), True),
        (rule(names="x y"), asked(name="z"), False),
        (rule(names="x"), asked("list"), False),
    ],
)
def test_a_rule_covers_verb_group_resource_and_name(known, wanted, expected):
    assert rbac.allows(known, wanted) is expected


@pytest.mark.parametrize(
    ("url", "path", "expected"),
    [("/healthz", "/healthz", True), ("/api/*", "/api/v1", True), ("/api", "/api/v1", False), ("*", "/any", True)],
)
def test_a_rule_covers_a_path(url, path, expected):
    wanted = Attributes(user=USER, verb="get", path=path)
    assert rbac.allows({"verbs": ["get"], "nonResourceURLs": [url]}, wanted) is expected


def test_a_rule_on_paths_covers_no_resource():
    assert not rbac.allows({"verbs": ["*"], "nonResourceURLs": ["*"]}, asked())


def test_a_service_account_is_known_by_its_user():
    assert rbac.service_account_of(User(name="system:serviceaccount:a:b")) == ("a", "b")
    assert rbac.service_account_of(USER) is None


async def test_users_groups_and_accounts_are_subjects(server):
    server.put("serviceaccounts", {"metadata": {"name": "robot"}}, "shop")
    server.role("reader", [rule()], namespace="shop", account="robot")
    book = server.services.authorizer.rulebook
    robot = User(name="system:serviceaccount:shop:robot")
    assert [grant.reason for grant in book.grants(robot, "shop").rules] == [
        'RBAC: allowed by RoleBinding "reader/shop" of Role "reader" to ServiceAccount "robot/shop"'
    ]
    assert book.grants(robot, "default").rules == []
    assert book.grants(robot, "").rules == []


async def test_an_account_without_a_namespace_is_of_the_binding(server):
    server.put(rbac.ROLES, {"metadata": {"name": "r"}, "rules": [rule()]}, "shop")
    subject = {"kind": "ServiceAccount", "name": "robot", "namespace": "shop"}
    reference = {"apiGroup": rbac.GROUP, "kind": "Role", "name": "r"}
    server.put(rbac.ROLE_BINDINGS, {"metadata": {"name": "r"}, "roleRef": reference, "subjects": [subject]}, "shop")
    assert server.services.authorizer.rulebook.grants(User(name="system:serviceaccount:shop:robot"), "shop").rules


async def test_rules_are_looked_up_again_when_a_role_changes(server):
    book = server.services.authorizer.rulebook
    assert book.grants(USER, "shop").rules == []
    server.role("reader", [rule()], user="alice", namespace="shop")
    assert len(book.grants(USER, "shop").rules) == 1
    await server("DELETE", "/apis/rbac.authorization.k8s.io/v1/namespaces/shop/rolebindings/reader")
    assert book.grants(USER, "shop").rules == []


async def test_a_role_that_is_missing_is_said(server):
    reference = {"apiGroup": rbac.GROUP, "kind": "Role", "name": "missing"}
    subject = {"kind": "User", "name": "alice", "apiGroup": rbac.GROUP}
    server.put(rbac.ROLE_BINDINGS, {"metadata": {"name": "b"}, "roleRef": reference, "subjects": [subject]}, "shop")
    said = server.services.authorizer.rulebook.grants(USER, "shop").said
    assert said == 'role.rbac.authorization.k8s.io "missing" not found'
