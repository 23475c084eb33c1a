"""Golden: a real server's answers to the same requests."""

import pytest

PODS = "/api/v1/namespaces/shop/pods"


@pytest.fixture(autouse=True)
def unbound(server, pod):
    server.put("pods", pod("x"), "shop")


def binding(called="x", **target):
    return {"kind": "Binding", "apiVersion": "v1", "metadata": {"name": called}, "target": target}


async def test_a_pod_gets_its_node(server):
    answer = await server("POST", f"{PODS}/x/binding", binding(kind="Node", name="node1"))
    success = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}
    assert (answer.code, answer.content) == (201, success)
    found = (await server("GET", f"{PODS}/x")).content
    assert found["spec"]["nodeName"] == "node1"
    assert found["status"]["conditions"][0]["type"] == "PodScheduled"


async def test_the_old_way_names_the_pod_in_the_body(server):
    answer = await server("POST", "/api/v1/namespaces/shop/bindings", binding("node1", name="n"))
    assert answer.code == 404
    answer = await server("POST", "/api/v1/namespaces/shop/bindings", binding(name="node1"))
    assert answer.code == 201
    assert (await server("GET", "/api/v1/namespaces/shop/bindings")).code == 405


async def test_a_pod_is_bound_once(server):
    await server("POST", f"{PODS}/x/binding", binding(name="node1"))
    answer = await server("POST", f"{PODS}/x/binding", binding(name="node2"))
    said = 'Operation cannot be fulfilled on pods/binding "x": pod x is already assigned to node "node1"'
    assert (answer.code, answer.message) == (409, said)


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        (binding("y", name="n"), 400, "name in URL does not match name in Binding object"),
        (binding(), 500, "target.name: Required value"),
        (
            binding(kind="Foo", name="n"),
            500,
            'target.kind: Unsupported value: "Foo": supported values: "Node", "<empty>"',
        ),
    ],
)
async def test_a_bad_binding_is_refused(server, body, code, message):
    answer = await server("POST", f"{PODS}/x/binding", body)
    assert (answer.code, answer.message) == (code, message)


async def test_ephemeral_containers_are_refused_with_the_reason(server):
    assert (await server("GET", f"{PODS}/x/ephemeralcontainers")).content["metadata"]["name"] == "x"
    answer = await server("PATCH", f"{PODS}/x/ephemeralcontainers", {}, type="application/merge-patch+json")
    assert (answer.code, answer.content["reason"]) == (403, "Forbidden")
    assert "cannot add an ephemeral container" in answer.message
