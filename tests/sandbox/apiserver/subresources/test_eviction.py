"""Golden: a real server's answers to the same requests."""

import pytest

from litmus.sandbox.machinery import objects
from litmus.sandbox.machinery.options import Options

PODS = "/api/v1/namespaces/shop/pods"
MERGE = "application/merge-patch+json"
READY = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}


@pytest.fixture
def running(server, pod):
    """Makes a pod of this name run on a node; ``ready`` may be False."""

    def made(name, *, ready=True):
        server.put("pods", pod(name, nodeName="node1"), "shop")
        known = server.registry.catalogue.named("pods")
        key = objects.Key("shop", name)
        changed = objects.copy(server.registry.get(known, key))
        changed["status"] = {**changed["status"], "phase": "Running"}
        changed["status"]["conditions"] = [{"type": "Ready", "status": str(ready)}]
        server.registry.update(known, key, changed, subresource="status", asked=Options())

    return made


@pytest.fixture
def budget(server):
    """Puts a budget for the label app=x with these figures into the store."""

    def made(name="p", *, labels=None, **figures):
        spec = {"minAvailable": 1, "selector": {"matchLabels": labels or {"app": "x"}}, **figures.pop("spec", {})}
        found = objects.copy(
            server.put("poddisruptionbudgets.policy", {"metadata": {"name": name}, "spec": spec}, "shop")
        )
        found["status"] = {
            "observedGeneration": 1,
            "disruptionsAllowed": 0,
            "currentHealthy": 1,
            "desiredHealthy": 1,
            "expectedPods": 1,
            **figures,
        }
        known = server.registry.catalogue.named("poddisruptionbudgets.policy")
        server.registry.update(known, objects.key(found), found, subresource="status", asked=Options())

    return made


async def evict(server, name="x", version="policy/v1", query="", **more):
    body = {"kind": "Eviction", "apiVersion": version, "metadata": {"name": name}, **more}
    return await server("POST", f"{PODS}/x/eviction{query}", body)


async def test_a_pod_without_a_budget_is_evicted(server, running):
    running("x")
    answer = await evict(server)
    assert (answer.code, answer.content) == (
        201,
        {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201},
    )
    assert objects.leaving((await server("GET", f"{PODS}/x")).content)


@pytest.mark.parametrize("version", ["policy/v1", "policy/v1beta1"])
async def test_both_versions_are_understood(server, running, version):
    running("x")
    assert (await evict(server, version=version, deleteOptions={"gracePeriodSeconds": 0})).code == 201
    assert (await server("GET", f"{PODS}/x")).code == 404


async def test_a_spent_budget_refuses(server, running, budget):
    running("x")
    budget(currentHealthy=2, desiredHealthy=2)
    answer = await evict(server)
    assert (answer.code, answer.content["reason"]) == (429, "TooManyRequests")
    assert answer.message == "Cannot evict pod as it would violate the pod's disruption budget."
    cause = {
        "reason": "DisruptionBudget",
        "message": "The disruption budget p needs 2 healthy pods and has 2 currently",
    }
    assert answer.content["details"] == {"causes": [cause]}
    assert "deletionTimestamp" not in (await server("GET", f"{PODS}/x")).content["metadata"]


async def test_an_eviction_spends_the_budget(server, running, budget):
    running("x")
    budget(disruptionsAllowed=1, currentHealthy=2)
    assert (await evict(server)).code == 201
    found = (await server("GET", "/apis/policy/v1/namespaces/shop/poddisruptionbudgets/p")).content["status"]
    assert (found["disruptionsAllowed"], found["disruptedPods"]) == (0, {"x": "2030-01-02T03:04:05Z"})
    assert found["conditions"][0]["type"] == "DisruptionAllowed"
    assert (found["conditions"][0]["status"], found["conditions"][0]["reason"]) == ("False", "InsufficientPods")


async def test_a_pod_that_is_leaving_spends_nothing(server, running, budget):
    running("x")
    await server("DELETE", f"{PODS}/x")
    budget()
    assert (await evict(server)).code == 201


async def test_a_pod_that_is_not_running_yet_spends_nothing(server, pod, budget):
    server.put("pods", pod("x"), "shop")
    budget()
    assert (await evict(server)).code == 201


async def test_a_budget_that_is_not_known_yet_asks_for_patience(server, running, budget):
    running("x")
    budget(observedGeneration=0)
    answer = await evict(server)
    assert (answer.code, answer.headers["retry-after"]) == (429, "10")
    said = "The disruption budget p is still being processed by the server."
    assert answer.content["details"]["causes"][0]["message"] == said


async def test_an_unready_pod_may_go_while_enough_others_are_well(server, running, budget):
    running("x", ready=False)
    budget()
    assert (await evict(server)).code == 201


async def test_an_unready_pod_stays_when_too_few_are_well(server, running, budget):
    running("x", ready=False)
    budget(currentHealthy=0)
    assert (await evict(server)).code == 429


async def test_an_unready_pod_may_always_go_if_the_budget_says_so(server, running, budget):
    running("x", ready=False)
    budget(currentHealthy=0, spec={"unhealthyPodEvictionPolicy": "AlwaysAllow"})
    assert (await evict(server)).code == 201


async def test_two_budgets_are_one_too_many(server, running, budget):
    running("x")
    budget("p")
    budget("q")
    answer = await evict(server)
    said = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
    assert (answer.code, answer.message) == (500, said)


async def test_a_budget_of_others_is_none_of_it(server, running, budget):
    running("x")
    budget(labels={"app": "other"})
    assert (await evict(server)).code == 201


async def test_nothing_happens_in_a_dry_run(server, running, budget):
    running("x")
    budget(disruptionsAllowed=1)
    before = server.registry.store.revision
    assert (await evict(server, query="?dryRun=All")).code == 201
    assert (await evict(server, deleteOptions={"dryRun": ["All"]})).code == 201
    assert server.registry.store.revision == before


async def test_the_eviction_is_called_as_the_pod(server, running):
    running("x")
    answer = await evict(server, "nope")
    assert (answer.code, answer.message) == (400, "name in URL does not match name in Eviction object")


async def test_a_pod_that_is_not_there(server):
    answer = await evict(server)
    assert (answer.code, answer.message) == (404, 'pods "x" not found')
    assert (await server("GET", f"{PODS}/x/eviction")).code == 405
