"""Watches, spoken to by ASGI itself: what is sent is seen at once, and time is virtual where it matters."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import yaml

from litmus.sandbox.apiserver import watching
from litmus.sandbox.machinery import store
from litmus.sandbox.machinery.options import DeleteOptions, Options

MAPS = "/api/v1/namespaces/shop/configmaps"
TABLE = "application/json;as=Table;g=meta.k8s.io;v=v1"
PARTIAL = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"


class Watcher:
    """One watch and what it has said."""

    def __init__(self, app: Any, path: str, accept: str = "application/json") -> None:
        self.messages: asyncio.Queue[Any] = asyncio.Queue()
        self.gone = asyncio.Event()
        self.blocked: asyncio.Event | None = None
        self.lines: list[Any] = []
        self._asked = False
        route, _, query = path.partition("?")
        headers = [(b"accept", accept.encode()), (b"authorization", b"Bearer admin")]
        self.scope = {
            "type": "http", "method": "GET", "path": route, "raw_path": route.encode(), "root_path": "",
            "query_string": query.encode(), "headers": headers, "scheme": "https", "server": ("127.0.0.1", 6443),
        }  # fmt: skip
        self.task = asyncio.create_task(app(self.scope, self._receive, self._send))

    async def _receive(self) -> Any:
        if self._asked:
            await self.gone.wait()
            return {"type": "http.disconnect"}
        self._asked = True
        return {"type": "http.request", "body": b"", "more_body": False}

    async def _send(self, message: Any) -> None:
        if self.blocked is not None:
            await self.blocked.wait()
        await self.messages.put(message)

    async def started(self) -> None:
        """Waits until it hears of changes."""
        assert (await self.messages.get())["type"] == "http.response.start"

    async def event(self) -> Any:
        """The next event."""
        while not self.lines:
            message = await self.messages.get()
            if message["type"] == "http.response.start":
                assert message["status"] == 200
            elif message["body"]:
                self.lines += [json.loads(line) for line in message["body"].splitlines()]
            elif not message["more_body"]:
                raise EOFError
        return self.lines.pop(0)

    async def told(self, count: int) -> list[tuple[str, str]]:
        """Type and name of the next events."""
        events = [await self.event() for _ in range(count)]
        return [(event["type"], event["object"]["metadata"].get("name", "")) for event in events]

    async def over(self) -> bool:
        """Whether the stream ends without another event."""
        try:
            await self.event()
        except EOFError:
            return True
        return False


@pytest.fixture
async def watch(server) -> AsyncIterator[Callable[..., Watcher]]:
    watchers: list[Watcher] = []

    def made(query: str = "", accept: str = "application/json", path: str = MAPS) -> Watcher:
        watchers.append(Watcher(server.app, f"{path}?watch=1&{query}", accept))
        return watchers[-1]

    yield made
    for watcher in watchers:
        watcher.gone.set()
    await asyncio.gather(*(watcher.task for watcher in watchers))


class Maps:
    """Writes config maps."""

    def __init__(self, server: Any) -> None:
        self.server = server
        self.registry = server.registry
        self.known = server.registry.catalogue.named("configmaps")

    def create(self, name: str, namespace: str = "shop", **labels: str) -> str:
        obj = {"metadata": {"name": name, "labels": labels}, "data": {"k": "v"}}
        return str(self.server.put("configmaps", obj, namespace)["metadata"]["resourceVersion"])

    def label(self, name: str, **labels: str) -> None:
        obj = {
            "metadata": {"name": name, "namespace": "shop", "labels": labels},
            "kind": "ConfigMap",
            "apiVersion": "v1",
        }
        self.registry.update(self.known, store.Key("shop", name), obj, asked=Options())

    def delete(self, name: str) -> None:
        self.registry.delete(self.known, store.Key("shop", name), asked=DeleteOptions())


@pytest.fixture
def maps(server) -> Maps:
    return Maps(server)


@pytest.mark.parametrize("query", ["", "resourceVersion=0"])
async def test_without_a_revision_a_watch_begins_with_what_is_there(watch, maps, query):
    maps.create("a")
    watcher = watch(query)
    assert await watcher.told(1) == [("ADDED", "a")]
    maps.create("b")
    maps.label("b", x="y")
    maps.delete("b")
    assert await watcher.told(3) == [("ADDED", "b"), ("MODIFIED", "b"), ("DELETED", "b")]


async def test_from_a_revision_on_nothing_is_missed(watch, maps):
    revision = maps.create("a")
    maps.create("b")
    maps.delete("a")
    watcher = watch(f"resourceVersion={revision}")
    assert await watcher.told(2) == [("ADDED", "b"), ("DELETED", "a")]


async def test_an_object_goes_over_the_wire_whole(watch, maps):
    watcher = watch("resourceVersion=0")
    maps.create("a", x="y")
    event = await watcher.event()
    assert list(event["object"])[:2] == ["kind", "apiVersion"]
    assert (event["object"]["kind"], event["object"]["data"]) == ("ConfigMap", {"k": "v"})


async def test_what_enters_or_leaves_a_selector_is_added_or_deleted(watch, maps):
    maps.create("a", x="no")
    watcher = watch("labelSelector=x%3Dyes")
    maps.label("a", x="yes")
    event = await watcher.event()
    assert (event["type"], event["object"]["metadata"]["labels"]) == ("ADDED", {"x": "yes"})
    maps.label("a", x="yes", more="1")
    assert (await watcher.event())["type"] == "MODIFIED"
    maps.label("a", x="no")
    event = await watcher.event()
    # the state that was selected, under the revision of the change
    assert (event["type"], event["object"]["metadata"]["labels"]) == ("DELETED", {"x": "yes", "more": "1"})
    assert event["object"]["metadata"]["resourceVersion"] == str(maps.registry.store.revision)
    maps.delete("a")
    maps.create("b", x="yes")
    assert await watcher.told(1) == [("ADDED", "b")]


async def test_other_namespaces_and_names_are_not_seen(server, watch, maps):
    server.put("namespaces", {"metadata": {"name": "other"}})
    everywhere = watch(path="/api/v1/configmaps")
    here = watch("fieldSelector=metadata.name%3Db")
    old = Watcher(server.app, "/api/v1/watch/namespaces/shop/configmaps/b")
    for watcher in (everywhere, here, old):
        await watcher.started()
    maps.create("a")
    maps.create("b", "other")
    maps.create("b")
    assert await everywhere.told(3) == [("ADDED", "a"), ("ADDED", "b"), ("ADDED", "b")]
    assert await here.told(1) == [("ADDED", "b")]
    assert await old.told(1) == [("ADDED", "b")]
    old.gone.set()
    await old.task


async def test_a_list_that_is_streamed_ends_with_a_bookmark(watch, maps):
    maps.create("a")
    watcher = watch("sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true")
    assert await watcher.told(1) == [("ADDED", "a")]
    event = await watcher.event()
    meta = {
        "resourceVersion": str(maps.registry.store.revision),
        "annotations": {"k8s.io/initial-events-end": "true"},
    }
    assert event == {"type": "BOOKMARK", "object": {"kind": "ConfigMap", "apiVersion": "v1", "metadata": meta}}


async def test_initial_events_may_be_refused(watch, maps):
    maps.create("a")
    watcher = watch("sendInitialEvents=false&resourceVersionMatch=NotOlderThan&resourceVersion=0")
    await watcher.started()
    maps.create("b")
    assert await watcher.told(1) == [("ADDED", "b")]


async def test_a_revision_that_is_forgotten_is_an_error(server, watch, maps, monkeypatch):
    revision = maps.create("a")
    server.registry.store.load({}, server.registry.store.revision + 10)
    watcher = watch(f"resourceVersion={revision}")
    event = await watcher.event()
    assert (event["type"], event["object"]["code"], event["object"]["reason"]) == ("ERROR", 410, "Expired")
    assert await watcher.over()


async def test_the_future_is_waited_for(watch, maps):
    revision = int(maps.create("a"))
    watcher = watch(f"resourceVersion={revision + 1}")
    await watcher.started()
    maps.create("b")
    maps.create("c")
    assert await watcher.told(1) == [("ADDED", "c")]


async def test_tables_say_their_columns_once(watch, maps):
    watcher = watch(accept=TABLE)
    maps.create("a")
    maps.create("b")
    first, second = await watcher.event(), await watcher.event()
    assert first["object"]["columnDefinitions"][0]["name"] == "Name"
    assert second["object"]["columnDefinitions"] is None
    assert [event["object"]["rows"][0]["cells"][0] for event in (first, second)] == ["a", "b"]
    assert first["object"]["rows"][0]["object"]["kind"] == "PartialObjectMetadata"


async def test_metadata_alone(watch, maps):
    watcher = watch(accept=PARTIAL)
    maps.create("a")
    event = await watcher.event()
    assert sorted(event["object"]) == ["apiVersion", "kind", "metadata"]


async def test_an_event_is_encoded_once_for_all(server, watch, maps):
    watchers = [watch("resourceVersion=0") for _ in range(3)]
    events: list[store.Event] = []
    for watcher in watchers:
        await watcher.started()
    server.registry.store.subscribe("configmaps", events.append)
    maps.create("a")
    told = [await watcher.event() for watcher in watchers]
    assert told[0] == told[1] == told[2]
    assert len(events[0].encoded) == 1


async def test_events_in_their_other_group_have_its_words(server, watch):
    watcher = watch(path="/apis/events.k8s.io/v1/events")
    about = {"kind": "Pod", "namespace": "shop", "name": "p"}
    event = {"metadata": {"name": "e"}, "involvedObject": about, "reason": "R", "message": "said", "type": "Normal"}
    server.put("events", event, "shop")
    found = (await watcher.event())["object"]
    assert (found["apiVersion"], found["note"], found["regarding"]["name"]) == ("events.k8s.io/v1", "said", "p")


@pytest.mark.looptime
async def test_a_watch_ends_when_its_time_is_up(watch, maps):
    watcher = watch("timeoutSeconds=7")
    assert await watcher.over()
    assert asyncio.get_running_loop().time() == pytest.approx(7)


@pytest.mark.looptime
async def test_bookmarks_come_every_minute_and_at_the_end(server, watch, maps):
    maps.create("a")
    watcher = watch("allowWatchBookmarks=true&timeoutSeconds=90&fieldSelector=metadata.name%3Dnobody")
    server.put("secrets", {"metadata": {"name": "s"}}, "shop")
    event = await watcher.event()
    assert asyncio.get_running_loop().time() == pytest.approx(60)
    assert (event["type"], event["object"]["metadata"]) == (
        "BOOKMARK",
        {"resourceVersion": str(server.registry.store.revision)},
    )
    assert (await watcher.event())["type"] == "BOOKMARK"
    assert asyncio.get_running_loop().time() == pytest.approx(90)
    assert await watcher.over()


@pytest.mark.looptime
async def test_without_asking_there_are_no_bookmarks(watch):
    watcher = watch("timeoutSeconds=90")
    assert await watcher.over()


async def test_a_client_that_leaves_is_forgotten_at_once(server, watch, maps):
    watcher = watch()
    maps.create("a")
    await watcher.told(1)
    watcher.gone.set()
    await watcher.task
    assert not server.registry.store._listeners["configmaps"]


async def test_a_client_that_does_not_read_is_cut_off(watch, maps, monkeypatch):
    monkeypatch.setattr(watching, "WAITING", 10)
    watcher = watch()
    maps.create("a")
    await watcher.told(1)
    watcher.blocked = asyncio.Event()
    for number in range(15):
        maps.create(f"b{number}")
        await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await watcher.task


async def test_a_watch_ends_with_its_resource(server, watch, pod):
    names = {"plural": "widgets", "singular": "widget", "kind": "Widget"}
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    versions = [{"name": "v1", "served": True, "storage": True, "schema": schema}]
    spec = {"group": "x.io", "scope": "Namespaced", "names": names, "versions": versions}
    crd = server.put(
        "customresourcedefinitions.apiextensions.k8s.io", {"metadata": {"name": "widgets.x.io"}, "spec": spec}
    )
    watcher = watch(path="/apis/x.io/v1/widgets")
    widget = {"kind": "Widget", "apiVersion": "x.io/v1", "metadata": {"name": "w"}}
    await server("POST", "/apis/x.io/v1/namespaces/shop/widgets", widget)
    assert await watcher.told(1) == [("ADDED", "w")]
    server.registry.store.remove(
        "customresourcedefinitions.apiextensions.k8s.io", store.Key("", crd["metadata"]["name"])
    )
    assert await watcher.over()


async def test_a_watch_is_json(server):
    answer = await server("GET", f"{MAPS}?watch=1", accept="application/yaml")
    assert (answer.code, yaml.safe_load(answer.content)["reason"]) == (406, "NotAcceptable")


async def test_reviews_cannot_be_watched(server):
    answer = await server("GET", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews?watch=1")
    assert answer.code == 405


async def test_a_change_that_comes_with_the_deadline_is_not_lost(maps, watch, monkeypatch):
    """The deadline has cancelled the wait, and before the watch runs again somebody writes."""
    revision = maps.create("a")
    real = watching._Watch._next_change

    async def too_late(self, within_s):
        monkeypatch.undo()

        async def wait():
            maps.create("b")
            raise TimeoutError

        monkeypatch.setattr(self._wake, "wait", wait)
        await real(self, within_s)
        monkeypatch.undo()

    monkeypatch.setattr(watching._Watch, "_next_change", too_late)
    watcher = watch(f"resourceVersion={revision}")
    assert await watcher.told(1) == [("ADDED", "b")]
