"""Evictions: what a budget refuses is asked again and never forced."""

import pytest

from litmus.kube import errors, eviction
from tests import apiserver, samples

_NO = "The disruption budget web needs 2 healthy pods and has 2 currently"


@pytest.fixture(autouse=True)
def _quickly(monkeypatch):
    monkeypatch.setattr(eviction, "_AGAIN_S", 0.01)


def refuse(server, *, times: int):
    """A budget that says no so often."""
    left = [times]

    def respond(asked):
        if asked.verb == "evict" and left[0]:
            left[0] -= 1
            return apiserver.over_budget(_NO)
        return None

    return server.answer(respond)


@pytest.mark.parametrize("version", ["policy/v1", "policy/v1beta1"])
async def test_a_pod_is_evicted_in_the_version_that_the_cluster_knows(server, cluster, version):
    server.evictions = version
    evictor = eviction.Evictor(cluster)
    for name in ("web-a", "web-b"):
        server.put("pods", samples.pod(name))
        await evictor.evict(samples.a_pod(name), deadline_s=5)
    assert server.all("pods") == []
    asked = [asked.body["apiVersion"] for asked in server.asked]
    assert asked == ([] if version == "policy/v1" else ["policy/v1"]) + [version, version]


async def test_a_budget_that_says_no_is_asked_again(server, cluster):
    server.put("pods", samples.pod("web-a"))
    with refuse(server, times=3):
        await eviction.Evictor(cluster).evict(samples.a_pod("web-a"), deadline_s=60)
    assert server.verbs("pods").count("evict") == 4
    assert server.all("pods") == []


async def test_a_budget_that_never_allows_it_is_named_and_the_pod_stays(server, cluster):
    server.put("pods", samples.pod("web-a"))
    with (
        refuse(server, times=-1),
        pytest.raises(errors.OverBudget, match=r"pod shop/web-a could not be evicted .*disruption budget web needs 2"),
    ):
        await eviction.Evictor(cluster).evict(samples.a_pod("web-a"), deadline_s=0.05)
    assert len(server.all("pods")) == 1


async def test_a_pod_that_is_gone_needs_no_eviction(server, cluster):
    await eviction.Evictor(cluster).evict(samples.a_pod("web-a"), deadline_s=5)


async def test_a_namesake_is_not_evicted(server, cluster):
    server.put("pods", samples.pod("web-a", uid="another"))
    await eviction.Evictor(cluster).evict(samples.a_pod("web-a"), deadline_s=5)
    assert len(server.all("pods")) == 1


async def test_a_busy_server_is_no_budget(server, cluster):
    server.put("pods", samples.pod("web-a"))
    with (
        server.answer(lambda asked: apiserver.failure(429, "too many requests")),
        pytest.raises(errors.Unreachable, match="429"),
    ):
        await eviction.Evictor(cluster).evict(samples.a_pod("web-a"), deadline_s=5)
