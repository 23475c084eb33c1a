"""The trace of a run, as a real collector's protobuf reads it."""

import random
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from litmus.exporter import seen, wire
from litmus.exporter.outlets import delivery, encoding, otlp
from litmus.exporter.outlets.engine_runs import EngineRun, EngineRuns
from litmus.exporter.outlets.otlp import Traces
from litmus.exporter.outlets.windows import Window
from litmus.kube import clock
from tests.exporter import window_stage as stage

PROBES = [
    {"name": "front", "type": "httpProbe", "mode": "SOT", "status": {"verdict": "Passed", "description": "200"}},
    {"name": "cart", "type": "httpProbe", "mode": "OnChaos", "status": {"verdict": "Failed", "description": "was 503"}},
]
UNDONE = stage.HELD | {"state": "reverted", "updatedAt": "2026-03-01T10:01:13Z"}


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(delivery, "FIRST_PAUSE_S", 0.01)
    for name in ("OTEL_RESOURCE_ATTRIBUTES", "OTEL_SERVICE_NAME"):
        monkeypatch.delenv(name, raising=False)
    encoding._resource.cache_clear()
    yield
    encoding._resource.cache_clear()


def engine(status: str = "completed", **verdicts: str) -> seen.Engine:
    named = {name.replace("_", "-"): verdict for name, verdict in (verdicts or {"pod_delete": "Pass"}).items()}
    return seen.engine(
        msgspec.convert(
            {
                "metadata": {"name": "shop", "namespace": "shop", "uid": "engine-uid"},
                "spec": {"experiments": [{"name": name} for name in named]},
                "status": {
                    "engineStatus": status,
                    "experiments": [{"name": name, "verdict": verdict} for name, verdict in named.items()],
                },
            },
            wire.Engine,
        )
    )


def latency(**status: Any) -> Window:
    """An experiment with a held fault, a probe before the chaos and one during it."""
    known = {"name": "shop-latency", "experiment": "pod-network-latency", "faults": [UNDONE], "probeStatuses": PROBES}
    return stage.window(stage.finished(**known | status))


def run(*windows: Window) -> EngineRun:
    runs = EngineRuns()
    for window in windows:
        assert runs.see_window(window) is None
    found = runs.engine_gone("engine-uid", stage.NOW)
    assert found is not None
    return found


def decoded(body: bytes) -> Any:
    return ExportTraceServiceRequest.FromString(body).resource_spans[0]


async def sent(found: EngineRun, *, headers: dict[str, str] | None = None) -> tuple[stage.Receiver, Any]:
    async with stage.receiver() as there:
        outlet = Traces(f"{there.url}/v1/traces", headers=headers, cluster="blue")
        async with stage.running(outlet):
            outlet.tell_run(found)
            await there.until_got(1)
    return there, decoded(there.got[0][3])


def nanoseconds(stamp: str) -> int:
    return int(clock.parse(stamp).timestamp()) * 10**9


async def test_engine_experiment_fault_and_probes_hang_together_with_the_times_of_the_result() -> None:
    there, resource = await sent(run(latency()), headers={"x-tenant": "a"})
    method, path, headers, _ = there.got[0]
    assert (method, path, headers["content-type"]) == ("POST", "/v1/traces", "application/x-protobuf")
    assert headers["x-tenant"] == "a"
    spans = {span.name: span for span in resource.scope_spans[0].spans}
    assert set(spans) == {
        "engine shop",
        "experiment pod-network-latency",
        "fault netem",
        "probe front",
        "probe cart",
    }
    root, own = spans["engine shop"], spans["experiment pod-network-latency"]
    assert root.parent_span_id == b""
    assert own.parent_span_id == root.span_id
    assert {spans[name].parent_span_id for name in ("fault netem", "probe front", "probe cart")} == {own.span_id}
    assert len({span.trace_id for span in spans.values()}) == 1
    assert len({span.span_id for span in spans.values()}) == 5
    fault = spans["fault netem"]
    assert fault.start_time_unix_nano == nanoseconds("2026-03-01T10:00:12Z")
    assert fault.end_time_unix_nano == nanoseconds("2026-03-01T10:01:13Z")
    assert own.start_time_unix_nano == nanoseconds("2026-03-01T10:00:00Z")
    assert own.end_time_unix_nano == nanoseconds("2026-03-01T10:01:30Z")
    attributes = {item.key: item.value.string_value for item in resource.resource.attributes}
    assert (attributes["service.name"], attributes["k8s.cluster.name"]) == ("litmus", "blue")


async def test_a_probe_is_linked_to_the_faults_that_it_was_asked_during() -> None:
    _, resource = await sent(run(latency()))
    spans = {span.name: span for span in resource.scope_spans[0].spans}
    assert [link.span_id for link in spans["probe cart"].links] == [spans["fault netem"].span_id]
    assert spans["probe cart"].status.message == "was 503"
    assert spans["probe front"].end_time_unix_nano == nanoseconds("2026-03-01T10:00:12Z")
    assert [event.name for event in spans["experiment pod-network-latency"].events] == [
        "chaos begins",
        "hit",
        "chaos ends",
    ]


def test_a_restarted_exporter_makes_the_very_same_trace() -> None:
    windows = [latency(), stage.window()]
    random.Random(3).shuffle(windows)
    assert encoding.request(run(*windows), cluster="") == encoding.request(run(stage.window(), latency()), cluster="")


def test_the_next_run_of_an_engine_is_another_trace_without_what_only_the_first_did() -> None:
    again = stage.FINISHED | {"number": 2, "startedAt": "2026-03-01T10:02:00Z", "finishedAt": "2026-03-01T10:03:30Z"}
    second = run(latency(), stage.window(stage.finished(run=again)))
    assert [window.experiment for window in second.windows] == ["pod-delete"]
    assert second.uid != run(latency(), stage.window()).uid


def test_a_run_is_complete_when_the_engine_says_so_and_every_experiment_with_a_verdict_was_seen() -> None:
    both = {"pod_delete": "Pass", "pod_network_latency": "Pass"}
    runs = EngineRuns()
    assert runs.see_window(stage.window()) is None
    assert runs.see_engine(engine("initialized", pod_delete="Pass")) is None
    assert runs.see_engine(engine(**both)) is None
    told = runs.see_window(latency())
    assert told is not None
    assert len(told.windows) == 2
    assert runs.see_engine(engine(**both)) is None


def test_an_engine_whose_chaos_still_goes_on_is_not_told() -> None:
    runs = EngineRuns()
    runs.see_window(stage.window(stage.begun()))
    assert runs.see_engine(engine("stopped", pod_delete="Awaited")) is None
    told = runs.see_window(stage.window())
    assert told is not None


async def test_a_collector_that_takes_only_a_part_is_a_failure_that_is_not_sent_again() -> None:
    answer = ExportTraceServiceResponse()
    answer.partial_success.rejected_spans = 2
    answer.partial_success.error_message = "too old"

    async def partly(_: web.Request) -> web.StreamResponse:
        return web.Response(body=answer.SerializeToString(), content_type="application/x-protobuf")

    async with stage.receiver(partly) as there:
        outlet = Traces(f"{there.url}/v1/traces")
        outlet.tell_run(run(latency()))
        await outlet.delivery.emptied(5)
        await outlet.aclose()
    assert (len(there.got), outlet.delivery.failures) == (1, 1)


def test_without_the_extra_there_is_one_sentence_that_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(otlp, "find_spec", lambda name: None)
    with pytest.raises(otlp.MissingExtra, match=r"^traces need the package .*: pip install 'litmus-py\[otel\]'$"):
        Traces("http://127.0.0.1:9/v1/traces")
