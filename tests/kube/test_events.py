"""Kubernetes events: what people see in `kubectl describe`."""

import logging

import pytest

from litmus.kube import events
from tests import samples


@pytest.fixture
def poster(cluster):
    return events.Poster(cluster, "pod-delete-x")


async def test_an_event_names_its_object_its_reason_and_its_source(server, poster):
    await poster.post(samples.an_engine(), "ChaosInject", "Injecting pod-delete chaos on web-1")
    [event] = server.all("events")
    assert event["involvedObject"] == {
        "apiVersion": "litmuschaos.io/v1alpha1",
        "kind": "ChaosEngine",
        "name": "shop-chaos",
        "namespace": "shop",
        "uid": samples.ENGINE_UID,
    }
    assert (event["reason"], event["message"]) == ("ChaosInject", "Injecting pod-delete chaos on web-1")
    assert (event["type"], event["count"], event["source"]) == ("Normal", 1, {"component": "pod-delete-x"})
    assert event["firstTimestamp"] == event["lastTimestamp"]


async def test_a_warning_is_told_as_one(server, poster):
    await poster.post(samples.a_result(), "Fail", "it did not hold", warning=True)
    [event] = server.all("events")
    assert event["type"] == "Warning"
    assert event["involvedObject"]["kind"] == "ChaosResult"


async def test_the_same_event_again_raises_its_count_and_adds_no_line(server, poster):
    for _ in range(3):
        await poster.post(samples.an_engine(), "ChaosInject", "again")
    [event] = server.all("events")
    assert event["count"] == 3


async def test_another_reason_message_source_or_object_is_another_event(server, cluster, poster):
    await poster.post(samples.an_engine(), "ChaosInject", "a")
    await poster.post(samples.an_engine(), "ChaosInject", "b")
    await poster.post(samples.an_engine(), "Summary", "a")
    await poster.post(samples.an_engine(uid="another"), "ChaosInject", "a")
    await events.Poster(cluster, "other").post(samples.an_engine(), "ChaosInject", "a")
    assert [event["count"] for event in server.all("events")] == [1] * 5


async def test_a_very_long_message_is_cut(server, poster):
    await poster.post(samples.an_engine(), "Summary", "x" * 5000)
    [event] = server.all("events")
    assert len(event["message"]) <= 1024  # the API server refuses more
    assert event["message"].endswith("…")


@pytest.mark.parametrize("verb", ["create", "patch"])
async def test_an_event_that_can_not_be_posted_stops_nothing_and_is_logged(server, poster, caplog, verb):
    await poster.post(samples.an_engine(), "ChaosInject", "a")
    server.forbid(verb, "events")
    with caplog.at_level(logging.WARNING):
        await poster.post(samples.an_engine(), "ChaosInject", "a")
    assert "event ChaosInject on ChaosEngine shop-chaos was not posted" in caplog.text
