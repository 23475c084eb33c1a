import asyncio
import base64
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import yaml
from aiohttp import test_utils, web

from litmus.sandbox import client
from litmus.sandbox.machinery import status
from litmus.sandbox.machinery.objects import Obj

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def pod(name: str, version: int, uid: str = "") -> Obj:
    return {"metadata": {"name": name, "namespace": "a", "uid": uid or name, "resourceVersion": str(version)}}


def listing(version: int, *items: Obj) -> Obj:
    return {"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": str(version)}, "items": list(items)}


class Api:
    """An API server whose answers a test puts in a row; it remembers what it was asked."""

    def __init__(self) -> None:
        self.answers: list[Handler] = []
        self.asked: list[web.Request] = []
        self.bodies: list[bytes] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request)
        self.bodies.append(await request.read())
        return await self.answers.pop(0)(request)

    def json(self, body: Obj, code: int = 200) -> None:
        async def answer(request: web.Request) -> web.StreamResponse:
            return web.json_response(body, status=code)

        self.answers.append(answer)

    def events(self, *events: tuple[str, Obj], stay: bool = False) -> None:
        async def answer(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse()
            await response.prepare(request)
            text = b"".join(json.dumps({"type": kind, "object": obj}).encode() + b"\n" for kind, obj in events)
            half = len(text) // 2  # a line may come in two pieces
            await response.write(text[:half])
            await response.write(text[half:])
            if stay:
                await asyncio.Event().wait()
            return response

        self.answers.append(answer)


@pytest.fixture
def api() -> Api:
    return Api()


@pytest.fixture
async def ours(api: Api, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[client.Client]:
    monkeypatch.setattr(client, "BACK_OFF_S", (0.001, 0.002))
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", api.answer)
    async with (
        test_utils.TestServer(app, shutdown_timeout=0) as server,
        client.Client(client.Access(server=str(server.make_url("")).rstrip("/"), token="secret")) as ours,
    ):
        yield ours


async def first(ours: client.Client, count: int) -> list[tuple[str, str]]:
    seen = []
    async with asyncio.timeout(10):
        stream = ours.watch("pods", "a", labels="app=x")
        async for change in stream:
            seen.append((change.type, change.obj.get("metadata", {}).get("name", "")))
            if len(seen) == count:
                break
        await stream.aclose()
    return seen


async def test_a_watch_tells_what_there_is_and_then_what_changes(api: Api, ours: client.Client) -> None:
    api.json(listing(5, pod("x", 3)))
    api.events(("ADDED", pod("y", 6)), ("DELETED", pod("x", 7)), stay=True)
    assert await first(ours, 4) == [("ADDED", "x"), ("SYNCED", ""), ("ADDED", "y"), ("DELETED", "x")]
    assert api.asked[0].headers["Authorization"] == "Bearer secret"
    assert api.asked[1].query["resourceVersion"] == "5"
    assert api.asked[1].query["labelSelector"] == "app=x"
    assert api.asked[1].path == "/api/v1/namespaces/a/pods"


async def test_a_watch_that_ends_is_resumed_where_it_was(api: Api, ours: client.Client) -> None:
    api.json(listing(5))
    api.events(("BOOKMARK", {"kind": "Pod", "metadata": {"resourceVersion": "9"}}))
    api.events(("ADDED", pod("y", 10)), stay=True)
    assert await first(ours, 2) == [("SYNCED", ""), ("ADDED", "y")]
    assert api.asked[2].query["resourceVersion"] == "9"


async def test_after_410_gone_the_difference_to_a_new_list_is_told(api: Api, ours: client.Client) -> None:
    gone = status.expired("too old resource version: 5 (9)").status
    api.json(listing(5, pod("stays", 1), pod("leaves", 2), pod("changes", 3), pod("is-another", 4, uid="one")))
    api.events(("ERROR", gone))
    api.json(listing(20, pod("stays", 1), pod("changes", 13), pod("is-another", 14, uid="two"), pod("new", 15)))
    api.events(stay=True)
    seen = await first(ours, 11)
    assert seen[5:] == [
        ("DELETED", "leaves"),
        ("MODIFIED", "changes"),
        ("DELETED", "is-another"),
        ("ADDED", "is-another"),
        ("ADDED", "new"),
        ("SYNCED", ""),
    ]


async def test_a_list_that_is_refused_is_asked_again(api: Api, ours: client.Client) -> None:
    api.json(status.unavailable("starting").status, 503)
    api.json(listing(1))
    api.events(stay=True)
    assert await first(ours, 1) == [("SYNCED", "")]


async def test_a_line_of_a_watch_may_be_long(api: Api, ours: client.Client) -> None:
    big = pod("big", 6)
    big["data"] = "x" * 1_000_000
    api.json(listing(5))
    api.events(("ADDED", big), stay=True)
    assert await first(ours, 2) == [("SYNCED", ""), ("ADDED", "big")]


async def test_a_refusal_arrives_as_it_was_raised(api: Api, ours: client.Client) -> None:
    api.json(status.not_found("leases", "coordination.k8s.io", "node1").status, 404)
    with pytest.raises(status.Refusal) as caught:
        await ours.get("leases.coordination.k8s.io", "node1", "kube-node-lease")
    assert caught.value.status == status.not_found("leases", "coordination.k8s.io", "node1").status
    assert api.asked[0].path == "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/node1"


async def test_nobody_listening_is_unreachable() -> None:
    async with client.Client(client.Access(server="http://127.0.0.1:1")) as ours:
        with pytest.raises(client.Unreachable):
            await ours.get("pods", "x", "a")


async def test_listed_objects_say_their_kind(api: Api, ours: client.Client) -> None:
    api.json(listing(5, pod("x", 3)))
    items, revision = await ours.list("pods")
    assert (items[0]["apiVersion"], items[0]["kind"], revision) == ("v1", "Pod", "5")
    assert api.asked[0].path == "/api/v1/pods"


async def test_a_patch_names_its_kind_and_a_deletion_its_options(api: Api, ours: client.Client) -> None:
    api.json({})
    api.json({})
    await ours.patch("pods", "x", {"status": {}}, "a", subresource="status", kind="strategic")
    await ours.delete("pods", "x", "a", grace_s=0, uid="u")
    assert api.asked[0].path == "/api/v1/namespaces/a/pods/x/status"
    assert api.asked[0].headers["Content-Type"] == "application/strategic-merge-patch+json"
    assert json.loads(api.bodies[1]) == {
        "kind": "DeleteOptions",
        "apiVersion": "v1",
        "gracePeriodSeconds": 0,
        "preconditions": {"uid": "u"},
    }


def test_a_kubeconfig_gives_server_and_token(tmp_path: Path) -> None:
    config = {
        "current-context": "here",
        "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:8080/"}}],
        "users": [{"name": "u", "user": {"token": "abc"}}],
    }
    file = tmp_path / "kubeconfig"
    file.write_text(yaml.safe_dump(config))
    assert client.access(file) == client.Access(server="http://127.0.0.1:8080", token="abc")
    file.write_text(yaml.safe_dump({**config, "users": []}))
    with pytest.raises(ValueError, match="no user named 'u'"):
        client.access(file)


def test_an_authority_that_is_no_certificate_is_refused(tmp_path: Path) -> None:
    data = base64.b64encode(b"nonsense").decode()
    config = {
        "current-context": "here",
        "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": "https://x", "certificate-authority-data": data}}],
        "users": [{"name": "u", "user": {}}],
    }
    file = tmp_path / "kubeconfig"
    file.write_text(yaml.safe_dump(config))
    with pytest.raises(ssl.SSLError):
        client.access(file)
