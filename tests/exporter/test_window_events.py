"""Kubernetes events of chaos windows: once each, whoever posts them and how often."""

from typing import Any

import pytest

from litmus.exporter.outlets import delivery, events
from litmus.exporter.outlets.events import Events
from litmus.kube import Cluster
from tests.apiserver import Server
from tests.exporter import window_stage as stage


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "FIRST_PAUSE_S", 0.01)


async def told(cluster: Cluster, *changes: Any) -> Events:
    outlet = Events(cluster)
    for change in changes:
        outlet.tell(change)
    await outlet.delivery.emptied(5)
    return outlet


async def test_begin_and_end_are_events_on_the_result_at_the_times_of_the_chaos(
    server: Server, cluster: Cluster
) -> None:
    await told(cluster, *[stage.change(kind) for kind in ("begun", "ended", "verdict")])  # type: ignore[arg-type]
    found = sorted(server.all("events"), key=lambda event: event["firstTimestamp"])
    assert [(event["reason"], event["firstTimestamp"]) for event in found] == [
        ("ChaosWindowBegin", "2026-03-01T10:00:12Z"),
        ("ChaosWindowEnd", "2026-03-01T10:01:11Z"),
    ]
    assert found[0]["involvedObject"] == {
        "apiVersion": "litmuschaos.io/v1alpha1",
        "kind": "ChaosResult",
        "name": "shop-pod-delete",
        "namespace": "shop",
        "uid": "uid-of-shop-pod-delete",
    }
    assert found[1]["message"] == (
        "the chaos of pod-delete (engine shop, run 1) ends at 2026-03-01T10:01:11.000Z, "
        "59 s after its begin, on Pod web-1"
    )


async def test_a_restarted_exporter_posts_nothing_twice(server: Server, cluster: Cluster) -> None:
    await told(cluster, stage.change("begun"))
    before = server.all("events")
    again = await told(cluster, stage.change("begun", stage.finished()))
    assert server.all("events") == before
    assert again.delivery.failures == 0
    assert "patch" not in server.verbs("events")


async def test_a_role_without_events_is_said_once_and_stops_nothing(
    server: Server, cluster: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    server.forbid("create", "events")
    outlet = await told(cluster, stage.change("begun"), stage.change("ended"))
    assert outlet.delivery.failures == 2
    [sentence] = stage.logged(caplog)
    assert sentence.endswith("let its role create events, or give --no-events")


async def test_an_answer_that_got_lost_does_not_make_a_second_event(server: Server, cluster: Cluster) -> None:
    server.lose("create", "events")
    outlet = await told(cluster, stage.change("begun"))
    assert server.verbs("events") == ["create", "create"]
    assert len(server.all("events")) == 1
    assert outlet.delivery.failures == 1


def test_many_targets_are_counted_and_a_long_name_is_cut_to_what_kubernetes_takes() -> None:
    many = [stage.KILLED | {"name": f"web-{n}"} for n in range(9)]
    change = stage.change("begun", stage.begun(name="r" * 253, targets=many))
    made = events.manifest(change)
    assert made["message"].endswith("on Pod web-0, Pod web-1, Pod web-2, Pod web-3, Pod web-4 and 4 more")
    assert len(made["metadata"]["name"]) == 253
