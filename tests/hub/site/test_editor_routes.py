"""The questions of the engine editor, asked over HTTP as its script asks them."""

import json
from collections.abc import AsyncIterator

import pytest
import yaml
from litestar import Litestar
from litestar.testing import AsyncTestClient

from litmus.experiments import catalogue
from litmus.hub import charts, model
from litmus.hub.site import editor_routes

ENGINE = charts.engine(catalogue.find("pod-delete"))
THEIRS = "apiVersion: litmuschaos.io/v1alpha1\nkind: ChaosEngine\nmetadata: {name: theirs}\nspec: {experiments: []}\n"


def hubs() -> list[model.Hub]:
    experiment = catalogue.find("pod-delete")
    about = {"name": experiment.name, "title": experiment.title, "help": experiment.help}
    ours = model.Chart(group="generic", declared=experiment, **about)
    theirs = model.Chart(group="generic", engine_file="e.yaml", **about)
    return [
        model.Hub(name=name, source="", groups=(group,), files={"e.yaml": THEIRS.encode()})
        for name, chart in ((model.OURS, ours), ("team", theirs))
        for group in [model.Group(name="generic", title="", help="", charts=(chart,))]
    ]


@pytest.fixture
async def site() -> AsyncIterator[AsyncTestClient[Litestar]]:
    application = Litestar(editor_routes.routes(hubs), request_max_body_size=1 << 20, openapi_config=None)
    async with AsyncTestClient(application) as client:
        yield client


def form(**more: object) -> dict[str, object]:
    return {"group": "generic", "name": "pod-delete", **more}


async def test_a_form_becomes_the_engine(site: AsyncTestClient[Litestar]):
    answer = await site.post("/engine", json=form(values={"CHAOS_INTERVAL": "7", "namespace": "shop"}))
    assert answer.status_code == 200
    found = answer.json()
    assert found["problems"] == []
    assert yaml.safe_load(found["yaml"])["metadata"]["namespace"] == "shop"
    assert "value: '7'" in found["yaml"]


async def test_a_problem_of_the_form_has_field_line_and_sentence_in_the_language(site: AsyncTestClient[Litestar]):
    for lang, word in (("en", "must be a whole number"), ("ja", "整数")):
        answer = await site.post("/engine", json=form(lang=lang, values={"TOTAL_CHAOS_DURATION": "x"}))
        [problem] = answer.json()["problems"]
        assert (problem["field"], problem["severity"]) == ("TOTAL_CHAOS_DURATION", "error")
        assert answer.json()["yaml"].splitlines()[problem["line"] - 1].strip() == "value: 'x'"
        assert word in problem["message"]


async def test_a_chart_of_another_hub_starts_from_its_own_engine(site: AsyncTestClient[Litestar]):
    answer = await site.post("/engine", json=form(hub="team"))
    assert yaml.safe_load(answer.json()["yaml"])["metadata"]["name"] == "theirs"


async def test_the_text_is_checked(site: AsyncTestClient[Litestar]):
    right = await site.post("/engine/check", content=ENGINE)
    wrong = await site.post("/engine/check?lang=en", content=ENGINE.replace("engineState", "engineStat"))
    assert right.json() == {"problems": []}
    [problem] = wrong.json()["problems"]
    assert problem["message"] == "spec.engineStat: unknown field; did you mean engineState?"
    assert ENGINE.splitlines()[problem["line"] - 1].strip() == "engineState: 'active'"


async def test_what_is_too_large_is_refused(site: AsyncTestClient[Litestar]):
    assert (await site.post("/engine/check", content=b"a" * 65536)).status_code == 200
    assert (await site.post("/engine/check", content=b"a" * 65537)).status_code == 413
    assert (await site.post("/engine", json=form(values={"FORCE": "x" * 65536}))).status_code == 413


BODIES = [
    b"",
    b"{",
    b"[]",
    b"5",
    b"\xff",
    b'{"group": 5}',
    json.dumps(form(values={"FORCE": 5})).encode(),
    json.dumps(form(values=[])).encode(),
    b"[" * 60000,
]


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
async def test_a_body_that_is_no_form_is_refused_with_a_sentence(site: AsyncTestClient[Litestar], body: bytes):
    answer = await site.post("/engine", content=body)
    assert answer.status_code == 400
    assert "JSON" in answer.json()["problems"][0]["message"]


@pytest.mark.parametrize("place", [{"hub": "nobody"}, {"group": "nothing"}, {"name": "no-such"}])
async def test_a_form_of_no_chart_is_not_found(site: AsyncTestClient[Litestar], place: dict[str, str]):
    answer = await site.post("/engine", json=form() | place)
    assert answer.status_code == 404
    assert "there is no chart" in answer.json()["problems"][0]["message"]


HOSTILE = {
    "not UTF-8": b"\xff\xfe",
    "nested too deep": b"[" * 60000,
    "aliases of aliases": b"a: &a [1,1,1,1,1,1,1,1,1]\n"
    + b"".join(b"%c: &%c [%s]\n" % (98 + n, 98 + n, b",".join([b"*%c" % (97 + n)] * 9)) for n in range(9)),
    "holds itself": b"a: &a [*a]",
    "a huge number": b"a: " + b"9" * 60000,
    "nothing": b"",
    "zero bytes": b"\0" * 100,
    "a tag of Python": b"!!python/object/apply:os.system [id]",
    "many fields": b"kind: ChaosEngine\napiVersion: litmuschaos.io/v1alpha1\nspec:\n"
    + b"".join(b"  f%d: 1\n" % n for n in range(5000)),
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
async def test_a_hostile_text_is_answered_with_a_problem(site: AsyncTestClient[Litestar], text: bytes):
    answer = await site.post("/engine/check", content=text)
    assert answer.status_code in (200, 400)
    problems = answer.json()["problems"]
    assert problems
    assert all(len(problem["message"]) < 1000 for problem in problems)
    assert len(problems) <= 50
