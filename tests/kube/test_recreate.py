"""A deleted Service comes back as it was, with what the API server adds left out."""

import pytest

from litmus.kube import recipes, recreate
from tests import apiserver

BEFORE = {
    "metadata": {
        "name": "web",
        "namespace": "shop",
        "uid": "first",
        "labels": {"app": "web"},
        "creationTimestamp": "2026-01-01T00:00:00Z",
        "managedFields": [{}],
        "finalizers": ["service.kubernetes.io/load-balancer-cleanup"],
    },
    "spec": {"clusterIP": "10.0.0.7", "clusterIPs": ["10.0.0.7"], "ports": [{"port": 80, "nodePort": 30080}]},
    "status": {"loadBalancer": {}},
}


@pytest.fixture
def undo() -> recipes.Undo:
    return recreate.recipe(BEFORE)


async def test_it_is_created_again_with_its_address_its_ports_and_its_labels(server, cluster, undo):
    server.put("namespaces", {"metadata": {"name": "shop"}}, namespace="")
    assert await recipes.leftovers(cluster, undo) == "Service shop/web is not there"
    done = await recipes.revert(cluster, undo)
    made = server.get("services", "web")
    assert made["spec"] == BEFORE["spec"]
    assert made["metadata"]["labels"] == {"app": "web"}
    assert not {"managedFields", "finalizers"} & set(made["metadata"])
    assert done.message == "Service shop/web created again"
    assert await recipes.leftovers(cluster, undo) == ""


async def test_one_that_was_never_deleted_stays_as_it_is(server, cluster, undo):
    server.put("services", {"metadata": {"name": "web", "uid": "first"}, "spec": {}})
    assert "never deleted" in (await recipes.revert(cluster, undo)).message
    assert server.verbs("services") == ["get"]


async def test_one_that_somebody_else_made_stays_as_it_is(server, cluster, undo):
    server.put("services", {"metadata": {"name": "web", "uid": "another"}, "spec": {}})
    assert "by somebody else" in (await recipes.revert(cluster, undo)).message
    assert server.get("services", "web")["metadata"]["uid"] == "another"


async def test_with_its_address_taken_it_comes_back_with_another(server, cluster, undo):
    def taken(asked: apiserver.Asked):
        address = asked.verb == "create" and asked.body["spec"].get("clusterIP")
        text = 'Service "web" is invalid: spec.clusterIPs: failed to allocate IP: provided IP is already allocated'
        return apiserver.failure(422, text) if address else None

    with server.answer(taken):
        done = await recipes.revert(cluster, undo)
    assert "10.0.0.7 is taken" in done.message
    assert "clusterIP" not in server.get("services", "web")["spec"]


async def test_there_is_nothing_to_undo_in_a_namespace_that_goes(server, cluster, undo):
    def ending(asked: apiserver.Asked):
        text = "unable to create new content in namespace shop because it is being terminated"
        return apiserver.failure(403, text) if asked.verb == "create" else None

    with server.answer(ending):
        assert (await recipes.revert(cluster, undo)).moot
