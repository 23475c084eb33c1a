"""Events are sent in the background; repeats raise a count; a flood drops the oldest."""

import asyncio

import pytest

from litmus.sandbox import client
from litmus.sandbox.machinery import status
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.node import events
from litmus.sandbox.node.events import Recorder

POD: Obj = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "p", "namespace": "ns", "uid": "u", "resourceVersion": "7"},
}


class Api:
    def __init__(self) -> None:
        self.created: list[Obj] = []
        self.patched: list[tuple[str, Obj]] = []
        self.failures: list[Exception] = []

    async def create(self, resource: str, obj: Obj, namespace: str = "") -> Obj:
        if self.failures:
            raise self.failures.pop()
        assert (resource, namespace) == ("events", "ns")
        self.created.append(obj)
        return obj

    async def patch(self, resource: str, name: str, patch: Obj, namespace: str = "") -> Obj:
        if self.failures:
            raise self.failures.pop()
        self.patched.append((name, patch))
        return patch


@pytest.fixture
def api() -> Api:
    return Api()


async def test_an_event_says_who_what_where(api: Api) -> None:
    recorder = Recorder(api, "node1")
    recorder.record(POD, reason="Started", message="Container started", field_path="spec.containers{c}")
    await recorder.flush()
    (event,) = api.created
    assert event["involvedObject"] == {
        "apiVersion": "v1",
        "kind": "Pod",
        "name": "p",
        "namespace": "ns",
        "uid": "u",
        "resourceVersion": "7",
        "fieldPath": "spec.containers{c}",
    }
    assert (event["type"], event["reason"], event["message"]) == ("Normal", "Started", "Container started")
    assert event["source"] == {"component": "kubelet", "host": "node1"}
    assert event["count"] == 1
    assert event["metadata"]["name"].startswith("p.")


async def test_a_repeat_is_a_higher_count_of_the_first(api: Api) -> None:
    recorder = Recorder(api, "node1")
    recorder.record(POD, reason="Unhealthy", message="no", kind="Warning")
    await recorder.flush()
    recorder.record(POD, reason="Unhealthy", message="no", kind="Warning")
    await recorder.flush()
    assert len(api.created) == 1
    ((name, patch),) = api.patched
    assert name == api.created[0]["metadata"]["name"]
    assert patch["count"] == 2


async def test_repeats_that_are_not_sent_yet_are_one(api: Api) -> None:
    recorder = Recorder(api, "node1")
    for _ in range(5):
        recorder.record(POD, reason="Unhealthy", message="no")
    recorder.record(POD, reason="Unhealthy", message="other")
    await recorder.flush()
    assert sorted(event["count"] for event in api.created) == [1, 5]


async def test_a_repeat_of_an_event_that_has_gone_is_a_new_one(api: Api) -> None:
    recorder = Recorder(api, "node1")
    recorder.record(POD, reason="A", message="a")
    await recorder.flush()
    recorder.record(POD, reason="A", message="a")
    api.failures.append(status.not_found("events", "", "x"))
    await recorder.flush()
    assert [event["count"] for event in api.created] == [1, 2]


async def test_an_event_that_can_not_be_sent_is_given_up(api: Api) -> None:
    recorder = Recorder(api, "node1")
    api.failures.append(client.Unreachable("gone"))
    recorder.record(POD, reason="A", message="a")
    recorder.record(POD, reason="B", message="b")
    await recorder.flush()
    assert [event["reason"] for event in api.created] == ["B"]


async def test_a_flood_drops_the_oldest(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "QUEUE", 3)
    recorder = Recorder(api, "node1")
    for number in range(5):
        recorder.record(POD, reason="A", message=str(number))
    await recorder.flush()
    assert [event["message"] for event in api.created] == ["2", "3", "4"]


async def test_an_event_about_a_node_is_in_the_default_namespace() -> None:
    recorder = Recorder(Api(), "node1")
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node1", "uid": "n"}}
    recorder.record(node, reason="Starting", message="Starting kubelet.")
    ((_, event),) = recorder._queue.values()
    assert event["metadata"]["namespace"] == "default"
    assert "namespace" not in event["involvedObject"]


async def test_what_is_recorded_while_it_runs_is_sent(api: Api) -> None:
    recorder = Recorder(api, "node1")
    sent = asyncio.Event()
    create = api.create

    async def created(resource: str, obj: Obj, namespace: str = "") -> Obj:
        sent.set()
        return await create(resource, obj, namespace)

    api.create = created  # type: ignore[method-assign]
    running = asyncio.create_task(recorder.run())
    await asyncio.sleep(0)
    recorder.record(POD, reason="A", message="a")
    await sent.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert len(api.created) == 1
