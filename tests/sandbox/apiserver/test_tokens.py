import jwt
import pytest

from litmus.sandbox.apiserver import tokens
from litmus.sandbox.apiserver.tokens import Invalid

ACCOUNT = "/api/v1/namespaces/shop/serviceaccounts/robot"
REQUEST = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest"}


@pytest.fixture
def account(server):
    return server.put("serviceaccounts", {"metadata": {"name": "robot"}}, "shop")


@pytest.fixture
def issuer(server):
    return server.services.issuer


async def whoami(server, token):
    path = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
    return await server("POST", path, {}, user=token)


async def asked(server, **spec):
    return await server("POST", f"{ACCOUNT}/token", {**REQUEST, "spec": spec})


async def test_a_token_makes_its_account_the_user(server, account, issuer):
    answer = await whoami(server, issuer.issue(account, seconds=600).token)
    user = answer.content["status"]["userInfo"]
    assert user["username"] == "system:serviceaccount:shop:robot"
    assert user["uid"] == account["metadata"]["uid"]
    assert user["groups"] == ["system:serviceaccounts", "system:serviceaccounts:shop", "system:authenticated"]
    assert user["extra"]["authentication.kubernetes.io/credential-id"][0].startswith("JTI=")


async def test_a_token_ends(server, account, issuer):
    token = issuer.issue(account, seconds=600).token
    server.clock.forward(599)
    assert (await whoami(server, token)).code == 201
    server.clock.forward(1)
    answer = await whoami(server, token)
    assert (answer.code, answer.content) == (
        401,
        {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": "Unauthorized",
            "reason": "Unauthorized",
            "code": 401,
        },
    )


async def test_a_token_dies_with_its_account(server, account, issuer):
    token = issuer.issue(account, seconds=600).token
    await server("DELETE", ACCOUNT)
    assert (await whoami(server, token)).code == 401
    server.put("serviceaccounts", {"metadata": {"name": "robot"}}, "shop")
    assert (await whoami(server, token)).code == 401


async def test_a_token_dies_with_the_pod_that_it_is_bound_to(server, account, pod):
    made = server.put("pods", pod("p", serviceAccountName="robot"), "shop")
    answer = await asked(server, boundObjectRef={"kind": "Pod", "apiVersion": "v1", "name": "p"})
    token = answer.content["status"]["token"]
    assert jwt.decode(token, options={"verify_signature": False})["kubernetes.io"]["pod"] == {
        "name": "p",
        "uid": made["metadata"]["uid"],
    }
    assert (await whoami(server, token)).code == 201
    await server("DELETE", "/api/v1/namespaces/shop/pods/p?gracePeriodSeconds=0")
    assert (await whoami(server, token)).code == 401


async def test_a_pod_that_is_leaving_keeps_its_token_for_a_minute(server, account, issuer, pod):
    made = server.put("pods", pod("p", serviceAccountName="robot", nodeName="node1"), "shop")
    token = issuer.issue(account, seconds=6000, bound=made).token
    await server("DELETE", "/api/v1/namespaces/shop/pods/p?gracePeriodSeconds=30")
    server.clock.forward(30 + 59)
    assert (await whoami(server, token)).code == 201
    server.clock.forward(2)
    assert (await whoami(server, token)).code == 401


async def test_the_token_of_a_pod_names_its_node(server, account, issuer, pod):
    server.put("nodes", {"metadata": {"name": "node1"}})
    made = server.put("pods", pod("p", serviceAccountName="robot", nodeName="node1"), "shop")
    answer = await whoami(server, issuer.issue(account, seconds=600, bound=made).token)
    extra = answer.content["status"]["userInfo"]["extra"]
    assert extra["authentication.kubernetes.io/pod-name"] == ["p"]
    assert extra["authentication.kubernetes.io/node-name"] == ["node1"]


async def test_a_token_of_somebody_else_is_nothing(server, account):
    stranger = tokens.Issuer(tokens.new_key(), store=server.registry.store, now=server.clock)
    assert (await whoami(server, stranger.issue(account, seconds=600).token)).code == 401


@pytest.mark.parametrize("token", ["foo", "a.b.c", "e30.e30.e30"])
async def test_a_bad_token_is_unauthorized(server, token):
    assert (await whoami(server, token)).code == 401


async def test_an_unsigned_token_is_unauthorized(server, account):
    claims = {"iss": tokens.ISSUER, "aud": [tokens.ISSUER], "exp": 9999999999, "sub": "x"}
    assert (await whoami(server, jwt.encode(claims, None, algorithm="none"))).code == 401


async def test_a_token_for_others_does_not_open_the_server(server, account, issuer):
    token = issuer.issue(account, seconds=600, audiences=("vault",)).token
    assert (await whoami(server, token)).code == 401
    assert issuer.verify(token, audiences=("vault",)).audiences == ("vault",)


async def test_the_token_of_a_secret_lives_as_long_as_the_secret(server, account, issuer):
    annotations = {"kubernetes.io/service-account.name": "robot"}
    secret = {"metadata": {"name": "s", "annotations": annotations}, "type": "kubernetes.io/service-account-token"}
    made = server.put("secrets", secret, "shop")
    token = issuer.legacy(account, made)
    assert (await whoami(server, token)).code == 201
    await server("DELETE", "/api/v1/namespaces/shop/secrets/s")
    with pytest.raises(Invalid, match="invalidated"):
        issuer.verify(token)


async def test_a_request_for_a_token_is_answered_with_it(server, account):
    answer = await asked(server, expirationSeconds=3600)
    assert answer.code == 201
    assert answer.content["spec"] == {
        "audiences": [tokens.ISSUER],
        "expirationSeconds": 3600,
        "boundObjectRef": None,
    }
    assert answer.content["status"]["expirationTimestamp"] == "2030-01-02T04:04:05Z"
    assert (await whoami(server, answer.content["status"]["token"])).code == 201


# Golden: a real server's messages.
@pytest.mark.parametrize(
    ("spec", "code", "message"),
    [
        (
            {"expirationSeconds": 3},
            422,
            'TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: 3: '
            "may not specify a duration less than 10 minutes",
        ),
        ({"boundObjectRef": {"kind": "Pod", "apiVersion": "v1", "name": "p"}}, 404, 'pods "p" not found'),
        ({"boundObjectRef": {"kind": "Secret", "apiVersion": "v1", "name": "p"}}, 404, 'secrets "p" not found'),
        (
            {"boundObjectRef": {"kind": "ConfigMap", "apiVersion": "v1", "name": "p"}},
            400,
            "cannot bind token to object of type /v1, Kind=ConfigMap",
        ),
    ],
)
async def test_a_bad_request_for_a_token_is_refused(server, account, spec, code, message):
    answer = await asked(server, **spec)
    assert (answer.code, answer.message) == (code, message)


async def test_a_token_of_an_account_that_is_missing(server):
    answer = await asked(server)
    assert (answer.code, answer.message) == (404, 'serviceaccounts "robot" not found')


async def test_the_public_key_is_published(server, account, issuer):
    keys = (await server("GET", "/openid/v1/jwks")).content["keys"]
    token = issuer.issue(account, seconds=600).token
    public = jwt.PyJWK(keys[0])
    header = jwt.get_unverified_header(token)
    assert header["kid"] == keys[0]["kid"]
    now = {"verify_exp": False, "verify_iat": False, "verify_nbf": False}  # the clock of the test is another one
    found = jwt.decode(token, public, algorithms=["ES256"], audience=tokens.ISSUER, options=now)
    assert found["sub"] == "system:serviceaccount:shop:robot"
