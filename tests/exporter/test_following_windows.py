"""From a cluster's results to what receivers get, through the exporter's own watches."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from prometheus_client import CollectorRegistry

from litmus.exporter import outlets
from litmus.exporter.outlets import feeding
from litmus.exporter.state import State
from litmus.kube import Cluster, clock
from tests.apiserver import Server
from tests.exporter import window_stage as stage


def recent(found: dict[str, Any], *, ago: timedelta = timedelta()) -> dict[str, Any]:
    """The same with all its times moved, so that the latest was just now, or that long ago."""
    shift = datetime.now(UTC) - clock.parse("2026-03-01T10:01:31Z") - ago

    def moved(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: moved(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [moved(inner) for inner in value]
        return clock.stamp(clock.parse(value) + shift) if str(value).startswith("2026-03-01T") else value

    return moved(found)  # type: ignore[no-any-return]


BEGUN = {"run": stage.CLOCKED, "targets": [stage.KILLED]}
FINISHED = {"run": stage.FINISHED, "targets": [stage.KILLED], "experimentstatus": stage.PASSED}
ENGINE: dict[str, Any] = {
    "metadata": {"name": "shop", "uid": "engine-uid"},
    "spec": {"experiments": [{"name": "pod-delete"}]},
    "status": {"engineStatus": "completed", "experiments": [{"name": "pod-delete", "verdict": "Pass"}]},
}


@asynccontextmanager
async def exporting(cluster: Cluster, env: dict[str, str]) -> AsyncIterator[CollectorRegistry]:
    """The exporter's watches with the outlets beside."""
    state, registry = State(), CollectorRegistry()
    work = outlets.configured({}, env)
    tasks = [asyncio.create_task(one) for one in (state.follow(cluster), work(cluster, state, registry))]
    try:
        yield registry
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def counted(registry: CollectorRegistry, outlet: str) -> float:
    found = registry.get_sample_value("litmus_exporter_webhook_failures_total", {"outlet": outlet})
    return -1 if found is None else found


def kinds(there: stage.Receiver) -> list[str]:
    return [json.loads(body)["type"].rpartition(".")[2] for _, _, _, body in there.got]


async def test_a_run_that_is_watched_reaches_the_webhook_and_the_events(server: Server, cluster: Cluster) -> None:
    async with stage.receiver() as there, exporting(cluster, {"LITMUS_WEBHOOK_URL": there.url}):
        server.put("chaosresults", recent(stage.manifest(**BEGUN)))
        await there.until_got(1)
        server.put("chaosresults", recent(stage.manifest(**FINISHED)))
        await there.until_got(2)
        await server.until_asked("create", "events", times=2)
    assert kinds(there) == ["begun", "ended"]
    reasons = {event["reason"] for event in server.all("events")}
    assert reasons == {"ChaosWindowBegin", "ChaosWindowEnd"}


async def test_a_complete_run_of_an_engine_is_one_trace(server: Server, cluster: Cluster) -> None:
    async with stage.receiver() as there, exporting(cluster, {"OTEL_EXPORTER_OTLP_ENDPOINT": there.url}):
        server.put("chaosengines", ENGINE)
        server.put("chaosresults", recent(stage.manifest(**FINISHED)))
        await there.until_got(1)
    [resource] = ExportTraceServiceRequest.FromString(there.got[0][3]).resource_spans
    assert [span.name for span in resource.scope_spans[0].spans] == ["engine shop", "experiment pod-delete"]


async def test_runs_of_long_ago_are_neither_told_nor_read(server: Server, cluster: Cluster) -> None:
    for number in range(5):
        old = stage.manifest(name=f"old-{number}", **FINISHED)
        server.put("chaosresults", recent(old, ago=timedelta(hours=2)))
    async with stage.receiver() as there, exporting(cluster, {"LITMUS_WEBHOOK_URL": there.url}):
        await server.until_asked("watch", "chaosresults")
        server.put("chaosresults", recent(stage.manifest(name="new", **FINISHED)))
        await there.until_got(2)
    assert {json.loads(body)["data"]["result"] for _, _, _, body in there.got} == {"new"}
    assert server.verbs("chaosresults").count("get") == 1


async def test_a_dead_webhook_is_a_metric_and_keeps_nothing_else_from_being_told(
    server: Server, cluster: Cluster, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeding, "_LAST_CHANCE_S", 0.01)
    async with (
        stage.receiver(stage.statuses(503)) as there,
        exporting(cluster, {"LITMUS_WEBHOOK_URL": there.url}) as registry,
    ):
        server.put("chaosresults", recent(stage.manifest(**BEGUN)))
        await there.until_got(1)
        await server.until_asked("create", "events")
        while counted(registry, "webhook") < 1:  # noqa: ASYNC110 - a scrape is how anybody learns of it
            await asyncio.sleep(0.01)
        assert counted(registry, "events") == 0
    assert stage.logged(caplog) == [
        f"the webhook at {there.url} does not take chaos windows: it answered 503",
        f"what waits for the webhook at {there.url} was not sent before the end: 1 messages",
    ]


async def test_a_result_that_is_deleted_during_its_chaos_is_told_to_have_ended(
    server: Server, cluster: Cluster
) -> None:
    async with stage.receiver() as there, exporting(cluster, {"LITMUS_WEBHOOK_URL": there.url}):
        server.put("chaosresults", recent(stage.manifest(**BEGUN)))
        await there.until_got(1)
        await server.until_asked("watch", "chaosresults")
        server.remove("chaosresults", "shop-pod-delete")
        await there.until_got(2)
    assert kinds(there) == ["begun", "ended"]
    assert json.loads(there.got[1][3])["data"]["verdict"] == "Awaited"


async def test_a_result_that_nobody_can_read_hides_no_other(
    server: Server, cluster: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    odd = recent(stage.manifest(name="odd", **BEGUN))
    odd["status"]["experimentstatus"]["verdict"] = "Perhaps"
    async with stage.receiver() as there, exporting(cluster, {"LITMUS_WEBHOOK_URL": there.url}):
        server.put("chaosresults", odd)
        server.put("chaosresults", recent(stage.manifest(**BEGUN)))
        await there.until_got(1)
    assert json.loads(there.got[0][3])["data"]["result"] == "shop-pod-delete"
    assert any("shop/odd is not told" in record.getMessage() for record in caplog.records)


def test_a_mistake_or_a_missing_package_shows_before_anything_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(outlets.Misused):
        outlets.configured({}, {"LITMUS_WEBHOOK_URL": "x"})
    monkeypatch.setattr("litmus.exporter.outlets.otlp.find_spec", lambda name: None)
    with pytest.raises(outlets.MissingExtra):
        outlets.configured({}, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://o"})
