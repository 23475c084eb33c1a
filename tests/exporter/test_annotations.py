"""Grafana's annotations, against a server that keeps them as Grafana's API does."""

import json
from typing import Any

import pytest
from aiohttp import web

from litmus.exporter.outlets import delivery
from litmus.exporter.outlets.grafana import Annotations, annotation
from tests.exporter import window_stage as stage


class Grafana:
    """POST answers with an id, PATCH changes what is named, GET finds what carries all tags."""

    def __init__(self) -> None:
        self.kept: dict[int, dict[str, Any]] = {}
        self.asked: list[str] = []

    async def respond(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.method)
        if request.headers.get("Authorization") != "Bearer glsa_x":
            return web.json_response({"message": "Unauthorized"}, status=401)
        if request.method == "GET":
            wanted = set(request.query.getall("tags"))
            found = [{"id": id_, **one} for id_, one in self.kept.items() if wanted <= set(one["tags"])]
            return web.json_response(found[: int(request.query["limit"])])
        body = await request.json()
        if request.method == "POST":
            assert request.path == "/grafana/api/annotations"
            id_ = len(self.asked)
            self.kept[id_] = {"timeEnd": body["time"], **body}
            return web.json_response({"message": "Annotation added", "id": id_})
        id_ = int(request.path.rpartition("/")[2])
        if id_ not in self.kept:
            return web.json_response({"message": "Could not find annotation"}, status=404)
        self.kept[id_] |= body
        return web.json_response({"message": "Annotation patched"})


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "FIRST_PAUSE_S", 0.01)


def outlet(url: str, token: str = "glsa_x") -> Annotations:
    return Annotations(f"{url}/grafana/", token=token)


async def told(to: Annotations, *kinds: Any) -> None:
    for kind in kinds:
        to.tell(stage.change(kind))
    await to.delivery.emptied(5)
    await to.aclose()


async def test_one_annotation_follows_a_window_from_its_begin_to_its_verdict() -> None:
    grafana = Grafana()
    async with stage.receiver(grafana.respond) as there:
        await told(outlet(there.url), "begun", "ended", "verdict")
    assert grafana.asked == ["GET", "POST", "PATCH", "PATCH"]
    [kept] = grafana.kept.values()
    assert (kept["time"], kept["timeEnd"]) == (1772359212000, 1772359271000)
    assert {"litmus", "namespace:shop", "engine:shop", "experiment:pod-delete", "verdict:Pass"} < set(kept["tags"])


async def test_a_restarted_exporter_goes_on_with_the_annotation_that_is_there() -> None:
    grafana = Grafana()
    async with stage.receiver(grafana.respond) as there:
        await told(outlet(there.url), "begun")
        await told(outlet(there.url), "begun", "ended", "verdict")
    assert grafana.asked == ["GET", "POST", "GET", "PATCH", "PATCH", "PATCH"]
    assert len(grafana.kept) == 1


async def test_an_annotation_that_somebody_deleted_is_made_again() -> None:
    grafana = Grafana()
    async with stage.receiver(grafana.respond) as there:
        to = outlet(there.url)
        to.tell(stage.change("begun"))
        await to.delivery.emptied(5)
        grafana.kept.clear()
        await told(to, "ended")
    assert grafana.asked == ["GET", "POST", "PATCH", "POST"]
    [kept] = grafana.kept.values()
    assert kept["timeEnd"] == 1772359271000


async def test_a_token_that_is_not_accepted_is_said_without_the_token(caplog: pytest.LogCaptureFixture) -> None:
    async with stage.receiver(Grafana().respond) as there:
        await told(outlet(there.url, "glsa_wrong"), "begun")
    assert stage.logged(caplog) == [f"Grafana at {there.url} does not take chaos windows: it answered 401"]


async def test_an_answer_that_is_not_grafanas_is_a_refusal_and_no_crash() -> None:
    async def page(_: web.Request) -> web.StreamResponse:
        return web.Response(text="<html>log in</html>")

    async with stage.receiver(page) as there:
        to = outlet(there.url)
        await told(to, "begun", "ended")
    assert to.delivery.failures == 2


def test_what_a_name_or_a_reason_holds_is_no_markup() -> None:
    failed = stage.finished(
        experimentstatus={"phase": "Completed", "verdict": "Fail", "failStep": "<script>alert(1)</script>"}
    )
    text = annotation(stage.window(failed))["text"]
    assert "<script>" not in text
    assert "&lt;script&gt;" in text


def test_no_tag_is_longer_than_grafanas_table_takes() -> None:
    long = stage.window(stage.begun(name="r" * 200, experiment="e" * 253))
    assert max(map(len, annotation(long)["tags"])) <= 100
    assert json.dumps(annotation(long))


async def test_a_run_that_hit_nothing_has_no_annotation() -> None:
    to = outlet("http://127.0.0.1:9")
    to.tell(stage.change("verdict", stage.finished(targets=[])))
    await to.delivery.emptied(1)
    assert to.delivery.failures == 0
    await to.aclose()
