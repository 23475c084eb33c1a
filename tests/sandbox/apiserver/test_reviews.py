"""Golden: a real server's answers to the same reviews."""

import pytest

AUTHORIZATION = "/apis/authorization.k8s.io/v1"
PODS = {"namespace": "shop", "verb": "get", "resource": "pods"}


async def asked(server, kind, spec, **more):
    return await server("POST", f"{AUTHORIZATION}/{kind}", {"spec": spec}, **more)


async def test_masters_may_without_a_reason(server):
    answer = await asked(server, "selfsubjectaccessreviews", {"resourceAttributes": PODS})
    assert answer.code == 201
    assert answer.content["spec"] == {"resourceAttributes": PODS}
    assert answer.content["status"] == {"allowed": True}


async def test_the_reason_is_the_binding(server):
    answer = await asked(
        server, "selfsubjectaccessreviews", {"nonResourceAttributes": {"verb": "get", "path": "/api"}}, user="alice"
    )
    assert answer.content["status"] == {
        "allowed": True,
        "reason": 'RBAC: allowed by ClusterRoleBinding "system:discovery" of ClusterRole "system:discovery" '
        'to Group "system:authenticated"',
    }


async def test_a_refusal_has_no_reason(server):
    answer = await asked(server, "selfsubjectaccessreviews", {"resourceAttributes": PODS}, user="alice")
    assert answer.content["status"] == {"allowed": False}


async def test_access_of_others(server):
    server.role(
        "reader", [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}], user="alice", namespace="shop"
    )
    answer = await asked(server, "subjectaccessreviews", {"user": "alice", "resourceAttributes": PODS})
    assert (
        answer.content["status"]["reason"]
        == 'RBAC: allowed by RoleBinding "reader/shop" of Role "reader" to User "alice"'
    )


@pytest.mark.parametrize(
    ("kind", "spec", "message"),
    [
        (
            "selfsubjectaccessreviews",
            {},
            '.authorization.k8s.io "" is invalid: spec.resourceAttributes: Invalid value: "null": '
            "exactly one of nonResourceAttributes or resourceAttributes must be specified",
        ),
        (
            "subjectaccessreviews",
            {"resourceAttributes": PODS},
            '.authorization.k8s.io "" is invalid: spec.user: Invalid value: "": '
            "at least one of user or group must be specified",
        ),
        (
            "namespaces/other/localsubjectaccessreviews",
            {"user": "x", "resourceAttributes": PODS},
            '.authorization.k8s.io "" is invalid: spec.resourceAttributes.namespace: Invalid value: "shop": '
            "must match metadata.namespace",
        ),
    ],
)
async def test_a_question_that_makes_no_sense_is_invalid(server, kind, spec, message):
    server.put("namespaces", {"metadata": {"name": "other"}})
    answer = await asked(server, kind, spec)
    assert (answer.code, answer.message) == (422, message)


async def test_a_local_review(server):
    spec = {"user": "alice", "resourceAttributes": PODS}
    answer = await asked(server, "namespaces/shop/localsubjectaccessreviews", spec)
    assert answer.content["status"] == {"allowed": False}


async def test_all_rules_of_oneself(server):
    server.role(
        "reader", [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}], user="alice", namespace="shop"
    )
    found = (await asked(server, "selfsubjectrulesreviews", {"namespace": "shop"}, user="alice")).content["status"]
    assert {"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]} in found["resourceRules"]
    assert {"verbs": ["get"], "nonResourceURLs": ["/healthz", "/livez", "/readyz", "/version", "/version/"]} in found[
        "nonResourceRules"
    ]
    assert found["incomplete"] is False


async def test_rules_are_of_a_namespace(server):
    answer = await asked(server, "selfsubjectrulesreviews", {})
    assert (answer.code, answer.message) == (400, "no namespace on request")


async def test_a_good_token_is_reviewed_as_its_user(server):
    account = server.put("serviceaccounts", {"metadata": {"name": "robot"}}, "shop")
    token = server.services.issuer.issue(account, seconds=600).token
    answer = await server("POST", "/apis/authentication.k8s.io/v1/tokenreviews", {"spec": {"token": token}})
    found = answer.content["status"]
    assert (found["authenticated"], found["user"]["username"]) == (True, "system:serviceaccount:shop:robot")
    assert found["audiences"] == ["https://kubernetes.default.svc.cluster.local"]


async def test_a_bad_token_is_reviewed_as_nobody(server):
    answer = await server("POST", "/apis/authentication.k8s.io/v1/tokenreviews", {"spec": {"token": "x"}})
    assert (answer.code, answer.content["status"]) == (201, {"user": {}, "error": "invalid bearer token"})


async def test_a_token_review_needs_a_token(server):
    answer = await server("POST", "/apis/authentication.k8s.io/v1/tokenreviews", {"spec": {}})
    assert (answer.code, answer.message) == (400, "token is required for TokenReview in authentication")


async def test_reviews_cannot_be_read(server):
    answer = await server("GET", f"{AUTHORIZATION}/selfsubjectaccessreviews")
    assert (answer.code, answer.content["reason"], answer.content["details"]) == (405, "MethodNotAllowed", {})
