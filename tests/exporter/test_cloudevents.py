"""The webhook, against receivers on loopback that are well, slow, failing, dead, or send it elsewhere."""

import asyncio
import json
import random
import socket

import pytest
from aiohttp import web

from litmus.exporter.outlets import cloudevents, delivery, signature
from litmus.exporter.outlets.cloudevents import Webhook
from litmus.exporter.outlets.delivery import Delivery
from litmus.exporter.outlets.posting import Poster
from tests.exporter import window_stage as stage

KEY = b"0123456789abcdef0123"


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "FIRST_PAUSE_S", 0.01)


def webhook(url: str, *, key: bytes = KEY, timeout_s: float = 10.0, deadline_s: float = 600.0) -> Webhook:
    return Webhook(
        url,
        key=key,
        delivery=Delivery("the webhook", deadline_s=deadline_s, rng=random.Random(2)),
        poster=Poster(timeout_s=timeout_s),
        now=lambda: 1772359500.9,
    )


async def until_failed(outlet: Webhook, times: int = 1) -> None:
    while outlet.delivery.failures < times:  # noqa: ASYNC110 - a plain count, which the exporter reads when it is scraped
        await asyncio.sleep(0.005)


async def test_a_run_is_told_when_it_hits_and_when_it_has_its_verdict() -> None:
    async with stage.receiver() as there:
        outlet = webhook(f"{there.url}/hook?token=t")
        async with stage.running(outlet):
            for kind in ("begun", "ended", "verdict"):
                outlet.tell(stage.change(kind))  # type: ignore[arg-type]
            await there.until_got(2)
    (method, path, headers, begun), (_, _, _, ended) = there.got
    assert (method, path) == ("POST", "/hook?token=t")
    assert headers["content-type"] == "application/cloudevents+json; charset=utf-8"
    first, last = json.loads(begun), json.loads(ended)
    assert {name: first[name] for name in ("specversion", "type", "source", "subject", "time")} == {
        "specversion": "1.0",
        "type": "org.litmuschaos.run.begun",
        "source": "/litmus/namespaces/shop/chaosengines/shop",
        "subject": "pod-delete",
        "time": "2026-03-01T10:00:12.000Z",
    }
    assert last["type"] == "org.litmuschaos.run.ended"
    assert (last["data"]["verdict"], last["data"]["chaosEndedAt"]) == ("Pass", "2026-03-01T10:01:11.000Z")
    assert first["data"]["targets"] == [{"kind": "Pod", "namespace": "shop", "name": "web-1", "node": "node-1"}]
    assert first["id"] != last["id"]


def test_an_id_is_the_same_whenever_and_by_whomever_it_is_told() -> None:
    early = cloudevents.event(stage.change("begun"), cluster="")
    late = cloudevents.event(stage.change("begun", stage.finished()), cluster="")
    assert early["id"] == late["id"]


def test_names_that_json_or_an_address_must_escape_come_through_whole() -> None:
    odd = stage.begun()
    named = cloudevents.event(stage.change("begun", odd), cluster='a "b"/ü\n')
    assert named["source"] == "/litmus/a%20%22b%22%2F%C3%BC%0A/namespaces/shop/chaosengines/shop"


async def test_a_receiver_can_tell_that_it_was_us_and_now() -> None:
    async with stage.receiver() as there:
        outlet = webhook(there.url)
        async with stage.running(outlet):
            outlet.tell(stage.change())
            await there.until_got(1)
    _, _, headers, body = there.got[0]
    given = {"timestamp": headers["litmus-timestamp"], "signature": headers["litmus-signature"]}
    assert given["timestamp"] == "1772359500"
    assert signature.verify(KEY, body, **given, now=1772359600.0)
    assert not signature.verify(KEY, body + b" ", **given, now=1772359600.0)
    assert not signature.verify(b"another key of us", body, **given, now=1772359600.0)
    assert not signature.verify(KEY, body, **given, now=1772359500.0 + signature.TOLERANCE_S + 1)
    assert not signature.verify(KEY, body, **given | {"timestamp": "1772359501"}, now=1772359600.0)
    assert not signature.verify(KEY, body, **given | {"signature": "v1=ü"}, now=1772359600.0)


def test_the_signature_is_the_one_of_the_documented_recipe() -> None:
    """Made by: printf '1772359500.{"a":1}' | openssl dgst -sha256 -hmac 0123456789abcdef0123"""
    found = signature.headers(KEY, b'{"a":1}', at=1772359500)
    assert found["Litmus-Signature"] == "v1=b9d9214bf7b7acda87d7828b61dd8f028a0129ac37409b393fec6ff0ba985732"


async def test_without_a_key_nothing_is_signed() -> None:
    async with stage.receiver() as there:
        outlet = webhook(there.url, key=b"")
        async with stage.running(outlet):
            outlet.tell(stage.change())
            await there.until_got(1)
    assert "litmus-signature" not in there.got[0][2]


async def test_a_receiver_that_fails_gets_the_very_same_again_until_it_takes_it() -> None:
    async with stage.receiver(stage.statuses(500, 503, 200)) as there:
        outlet = webhook(there.url)
        async with stage.running(outlet):
            outlet.tell(stage.change())
            await there.until_got(3)
    assert len({body for _, _, _, body in there.got}) == 1
    assert outlet.delivery.failures == 2


async def test_a_receiver_that_refuses_is_not_asked_again() -> None:
    async with stage.receiver(stage.statuses(400, 200)) as there:
        outlet = webhook(there.url)
        async with stage.running(outlet):
            outlet.tell(stage.change())
            outlet.tell(stage.change("verdict"))
            await there.until_got(2)
    assert [json.loads(body)["type"].rpartition(".")[2] for _, _, _, body in there.got] == ["begun", "ended"]
    assert outlet.delivery.failures == 1


async def test_a_slow_receiver_is_a_failure_and_holds_up_nobody() -> None:
    left = asyncio.Event()

    async def drip(request: web.Request) -> web.StreamResponse:
        """Answers at once, and then never ends."""
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b".")
        await left.wait()
        return response

    async with stage.receiver(drip) as there:
        outlet = webhook(there.url, timeout_s=0.05)
        async with stage.running(outlet):
            outlet.tell(stage.change())
            outlet.tell(stage.change("verdict"))
            await until_failed(outlet, 2)
        left.set()
    assert len({body for _, _, _, body in there.got}) == 1


async def test_a_dead_receiver_is_tried_again_and_gets_it_when_it_is_back() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    got = asyncio.Event()

    async def handle(_: web.BaseRequest) -> web.StreamResponse:
        got.set()
        return web.Response()

    outlet = webhook(f"http://127.0.0.1:{port}")
    async with stage.running(outlet):
        outlet.tell(stage.change())
        await until_failed(outlet, 2)
        runner = web.ServerRunner(web.Server(handle), shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port, reuse_address=True).start()
        await got.wait()
        await runner.cleanup()


async def test_a_redirect_to_another_host_is_not_followed() -> None:
    async with stage.receiver() as other:
        elsewhere = stage.statuses(307, headers={"Location": f"{other.url}/steal"})
        async with stage.receiver(elsewhere) as there:
            outlet = webhook(there.url)
            async with stage.running(outlet):
                outlet.tell(stage.change())
                await until_failed(outlet)
    assert other.got == []
    assert len(there.got) == 1


async def test_a_redirect_on_the_same_host_is_followed_with_method_and_body() -> None:
    async with stage.receiver(stage.statuses(308, 200, headers={"Location": "/final"})) as there:
        outlet = webhook(f"{there.url}/hook")
        async with stage.running(outlet):
            outlet.tell(stage.change())
            await there.until_got(2)
    assert [(method, path) for method, path, _, _ in there.got] == [("POST", "/hook"), ("POST", "/final")]
    assert there.got[0][3] == there.got[1][3]
    assert outlet.delivery.failures == 0


async def test_a_redirect_that_leads_in_a_circle_ends() -> None:
    async with stage.receiver(stage.statuses(307, headers={"Location": "/again"})) as there:
        outlet = webhook(there.url)
        async with stage.running(outlet):
            outlet.tell(stage.change())
            await until_failed(outlet)
    assert len(there.got) == 4


async def test_the_log_names_the_server_and_no_secret_of_its_address(caplog: pytest.LogCaptureFixture) -> None:
    async with stage.receiver(stage.statuses(403)) as there:
        address = there.url.replace("http://", "http://user:geheim@") + "/hook/geheim?key=geheim"
        outlet = Webhook(address, key=KEY)
        async with stage.running(outlet):
            outlet.tell(stage.change())
            await until_failed(outlet)
    assert stage.logged(caplog) == [f"the webhook at {there.url} does not take chaos windows: it answered 403"]
