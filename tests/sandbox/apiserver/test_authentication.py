"""Golden: a real server's answers to the same headers."""

import pytest

IMPERSONATE = {"Impersonate-User": "bob"}


async def whoami(server, user="admin", **headers):
    path = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
    answer = await server("POST", path, {}, user=user, headers=headers)
    return answer.content["status"]["userInfo"] if answer.code == 201 else answer


async def test_a_static_token_is_its_user(server):
    assert await whoami(server, "alice") == {"username": "alice", "groups": ["system:authenticated"]}


async def test_no_token_is_a_stranger(server):
    answer = await server("GET", "/api/v1/pods", user="")
    assert answer.message == (
        'pods is forbidden: User "system:anonymous" cannot list resource "pods" in API group "" at the cluster scope'
    )


async def test_a_wrong_token_is_unauthorized_even_where_strangers_may(server):
    assert (await server("GET", "/version", user="wrong")).code == 401


async def test_another_scheme_is_no_token(server):
    answer = await server("GET", "/version", user="", headers={"authorization": "Basic YTpi"})
    assert answer.code == 200


async def test_masters_may_be_anybody(server):
    assert await whoami(server, **IMPERSONATE) == {"username": "bob", "groups": ["system:authenticated"]}


async def test_groups_come_along(server):
    found = await whoami(server, **IMPERSONATE, **{"Impersonate-Group": "devs"})
    assert found["groups"] == ["devs", "system:authenticated"]


async def test_an_account_has_its_groups(server):
    found = await whoami(server, **{"Impersonate-User": "system:serviceaccount:a:b"})
    assert found["groups"] == ["system:serviceaccounts", "system:serviceaccounts:a", "system:authenticated"]


async def test_extras_and_uid_come_along(server):
    found = await whoami(server, **IMPERSONATE, **{"Impersonate-Extra-Acme.com%2Fproject": "x", "Impersonate-Uid": "7"})
    assert (found["extra"], found["uid"]) == ({"acme.com/project": ["x"]}, "7")


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        (
            IMPERSONATE,
            'users "bob" is forbidden: User "alice" cannot impersonate resource "users" in API group "" '
            "at the cluster scope",
        ),
        (
            {"Impersonate-User": "system:serviceaccount:a:b"},
            'serviceaccounts "b" is forbidden: User "alice" cannot impersonate resource "serviceaccounts" '
            'in API group "" in the namespace "a"',
        ),
    ],
)
async def test_being_another_must_be_allowed(server, headers, message):
    answer = await whoami(server, "alice", **headers)
    assert (answer.code, answer.message) == (403, message)


async def test_each_group_must_be_allowed(server):
    rules = [{"apiGroups": [""], "resources": ["users"], "verbs": ["impersonate"], "resourceNames": ["bob"]}]
    server.role("as-bob", rules, user="alice")
    assert (await whoami(server, "alice", **IMPERSONATE))["username"] == "bob"
    answer = await whoami(server, "alice", **IMPERSONATE, **{"Impersonate-Group": "system:masters"})
    assert answer.message == (
        'groups "system:masters" is forbidden: User "alice" cannot impersonate resource "groups" in API group "" '
        "at the cluster scope"
    )


async def test_groups_without_a_user_make_no_sense(server):
    answer = await server("GET", "/api/v1/pods", headers={"Impersonate-Group": "foo"})
    said = 'Internal Server Error: "/api/v1/pods": requested [{Group  foo    }] without impersonating a user\n'
    assert (answer.code, answer.content) == (500, said)
