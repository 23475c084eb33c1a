"""The pages of the site: what they tell, in both languages, at which addresses."""

import re

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from litmus.hub import model, translations
from litmus.hub.site import routes

from .conftest import OURS, PAGES
from .html import Element, parse

LATENCY = "/charts/generic/pod-network-latency"


async def page(site: AsyncTestClient, path: str, **headers: str) -> Element:
    answer = await site.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    assert answer.status_code == 200
    return parse(answer.text)


def shown(home: Element) -> list[str]:
    """The names on the cards that are not hidden."""
    cards = home.all("li", class_="card", where=lambda card: "hidden" not in card.attributes)
    return [card.one("p", class_="where").one("code").text for card in cards]


async def test_home_has_a_card_for_every_experiment_with_icon_title_sentence_and_a_link_to_its_page(
    site: AsyncTestClient,
):
    home = await page(site, "/")

    cards = home.all("li", class_="card")
    assert len(cards) == len(list(OURS.charts()))
    for card, chart in zip(cards, OURS.charts(), strict=True):
        assert card.one("h3").text == chart.title
        assert card.one("p", class_="help").text == chart.help
        assert card.one("a")["href"] == f"/charts/{chart.group}/{chart.name}"
        address, _, drawing = card.one("use")["href"].partition("#")
        sprite = parse((await site.get(address)).text)
        assert sprite.one("symbol", id=drawing).inside


async def test_badges_tell_what_runs_on_the_sandbox_and_what_needs_privileges(site: AsyncTestClient):
    home = await page(site, "/")

    for card, chart in zip(home.all("li", class_="card"), OURS.charts(), strict=True):
        badges = {badge.text for badge in card.all("li", class_="badge")}
        assert ("Runs on the sandbox" in badges) == (chart.sandbox == "")
        assert ("Privileged helper" in badges) == bool(chart.privileges)
        assert ("Cluster role" in badges) == (chart.scope == "Cluster")


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("q=network+loss", {"pod-network-loss"}),
        ("q=LOSS++Network", {"pod-network-loss"}),
        ("q=pod-network&privileges=no", set()),
        ("q=kubelet&sandbox=no&privileges=yes", {"kubelet-service-kill", "node-memory-hog"}),
        ("group=nothing", set()),
        ("privileges=perhaps&q=pod-autoscaler", {"pod-autoscaler"}),
    ],
)
async def test_the_server_filters_as_the_address_says(site: AsyncTestClient, query: str, names: set[str]):
    home = await page(site, f"/?{query}")

    assert names <= set(shown(home))
    assert bool(shown(home)) == bool(names)
    assert len(shown(home)) < 22


async def test_filters_by_privileges_sandbox_and_platform_show_those_and_no_others(site: AsyncTestClient):
    wanted = {
        "privileges=yes": [c.name for c in OURS.charts() if c.privileges],
        "sandbox=yes": [c.name for c in OURS.charts() if c.sandbox == ""],
        "sandbox=no": [c.name for c in OURS.charts() if c.sandbox],
        "platform=Kind": [c.name for c in OURS.charts() if "Kind" in c.platforms],
    }
    for query, names in wanted.items():
        assert shown(await page(site, f"/?{query}")) == names


async def test_the_form_comes_back_as_it_was_sent_and_the_count_says_how_many_there_are(site: AsyncTestClient):
    home = await page(site, "/?q=Network%20pod&privileges=yes&platform=GKE&group=generic")

    assert home.one("input", name="q")["value"] == "Network pod"
    chosen = {
        select["name"]: [o["value"] for o in select.all("option", where=lambda o: "selected" in o.attributes)]
        for select in home.all("select")
    }
    assert chosen == {"privileges": ["yes"], "sandbox": [], "platform": ["GKE"]}
    [radio] = home.all("input", type="radio", where=lambda r: "checked" in r.attributes)
    assert radio["value"] == "generic"
    count = home.one(id="count")
    assert count["aria-live"] == "polite"
    assert count.text == f"{len(shown(home))} experiments"


async def test_japanese_words_find_an_experiment_on_the_japanese_page_and_english_ones_too(site: AsyncTestClient):
    for words in (
        "遅延",
        "ネットワーク\u3000遅延",
        "latency",
        "".join(chr(ord(c) + 0xFEE0) for c in "latency"),
    ):  # the last one in full-width letters
        home = parse((await site.get("/", params={"q": words, "lang": "ja"})).text)
        assert "pod-network-latency" in shown(home)


@pytest.mark.parametrize("chart", list(OURS.charts()), ids=lambda chart: chart.name)
async def test_the_page_of_an_experiment_tells_all_there_is_to_know(site: AsyncTestClient, chart: model.Chart):
    found = await page(site, f"/charts/{chart.group}/{chart.name}")

    assert found.one("h1").text == chart.title
    text = found.one("main").text
    assert chart.declared is not None
    for sentence in (chart.help, chart.declared.hits, chart.sandbox):
        assert sentence is not None
        assert sentence in text
    assert text.count(re.sub(r"`", "", chart.declared.proof)) == 2  # once by itself, once as a step
    assert found.one("figure").all("svg", where=lambda svg: svg.get("role") == "img")
    assert [p.text for p in found.all("div", class_="phase")]
    rows = found.one(id="tunables").one("tbody").all("tr")
    told = {row.one("th").one("code").text: [cell.text for cell in row.all("td")] for row in rows}
    assert told == {
        v.name: [v.unit or "–", {None: "not listed", "": "empty"}.get(v.value, v.value), v.default or "empty"]
        for v in chart.variables
    }
    rights = found.one(id="permissions")
    assert all(rule.reason in rights.text for rule in chart.permissions)
    for privilege in chart.privileges:
        assert privilege in found.one(id="privileges").text
    for link in chart.links:
        assert found.all("a", href=link.url)


async def test_steps_are_numbered_through_and_stand_before_during_and_after_the_chaos(site: AsyncTestClient):
    phases = (await page(site, LATENCY)).all("div", class_="phase")

    assert [phase.one("h3").text for phase in phases] == ["Before the chaos", "During the chaos", "After the chaos"]
    next_one = 1
    for phase in phases:
        assert phase.one("ol")["start"] == str(next_one)
        next_one += len(phase.all("li"))
    assert next_one == 12


async def test_commands_name_the_address_by_which_the_page_was_asked_and_the_files_are_those_of_the_hub(
    site: AsyncTestClient,
):
    found = await page(site, LATENCY, host="hub.example.org:8443", x_forwarded_proto="https")

    commands = [command.one("code").text for command in found.all("div", class_="command")]
    folder = "https://hub.example.org:8443/api/chaos/1.10.0?file=charts/generic/pod-network-latency"
    assert commands[:4] == [
        f'kubectl apply -n default -f "{folder}/experiment.yaml"',
        f'kubectl apply -n default -f "{folder}/rbac.yaml"',
        f'kubectl apply -n default -f "{folder}/engine.yaml"',
        "litmus hub install pod-network-latency -n default",
    ]


async def test_a_role_of_the_cluster_is_fetched_with_the_namespace(site: AsyncTestClient):
    found = await page(site, "/charts/generic/node-drain?namespace=shop")

    [role] = [c.one("code").text for c in found.all("div", class_="command") if "rbac.yaml" in c.text]
    assert role.startswith("kubectl apply -n shop -f ")
    assert role.endswith('rbac.yaml&namespace=shop"')


@pytest.mark.parametrize("namespace", ["Shop", "a b", "$(reboot)", "-x", "x" * 64])
async def test_a_namespace_that_cannot_be_one_does_not_get_into_a_command(site: AsyncTestClient, namespace: str):
    answer = await site.get(LATENCY, params={"namespace": namespace})

    found = parse(answer.text)
    assert found.one("input", id="namespace")["value"] == "default"
    assert {place.text for place in found.all(where=lambda e: "data-namespace" in e.attributes)} == {"default"}


@pytest.mark.parametrize("host", ['x"$(reboot)"', "x`reboot`", "a b", "x';reboot", ""])
async def test_a_host_that_cannot_be_one_does_not_get_into_a_command(site: AsyncTestClient, host: str):
    answer = await site.get(LATENCY, headers={"host": host})

    if answer.status_code != 400:  # the framework refuses some of them itself
        commands = parse(answer.text).all("div", class_="command")
        assert {c.one("code").text.count("http://localhost/api") for c in commands[:3]} == {1}
    assert "reboot" not in answer.text


async def test_with_a_public_url_commands_and_links_lead_there():
    handlers = routes(lambda: [OURS], public_url="https://example.org/chaos/")
    async with AsyncTestClient(Litestar(handlers, openapi_config=None, logging_config=None)) as client:
        found = await page(client, LATENCY)

    assert 'f "https://example.org/chaos/api/chaos/1.10.0?file=' in found.one(id="install").text
    links = [element.get("href") or element.get("src") for element in found.all(where=lambda e: e.tag in ("a", "img"))]
    inside = [link for link in links if link.startswith("/")]
    assert inside
    assert all(link.startswith("/chaos/") for link in inside)


async def test_a_group_has_its_experiments_and_the_command_for_its_bundle(site: AsyncTestClient):
    found = await page(site, "/charts/generic")

    assert len(found.all("li", class_="card")) == len(list(OURS.charts()))
    first, second = (c.one("code").text for c in found.all("div", class_="command"))
    assert first.endswith('/api/chaos/1.10.0?file=charts/generic/experiments.yaml"')
    assert second.split()[:3] == ["litmus", "hub", "install"]
    assert set(second.split()[3:-2]) == {chart.name for chart in OURS.charts()}


async def test_hubs_are_listed_with_their_problems_and_a_broken_chart_does_not_hide_the_others(site: AsyncTestClient):
    found = await page(site, "/hubs")

    assert [heading.text for heading in found.one("ul", class_="hubs").all("h2")] == ["litmus", "hostile"]
    assert "charts/g/broken/experiment.yaml:7" in found.text
    cards = (await page(site, "/hubs/hostile/charts/g")).all("li", class_="card")
    assert len(cards) == 2
    assert [badge.text for badge in cards[1].all("li", class_="broken")] == ["Broken"]
    broken = await page(site, "/hubs/hostile/charts/g/broken")
    assert "charts/g/broken/experiment.yaml:7" in broken.one(class_="alarm").text
    assert broken.all(id="install") == []


async def test_commands_for_the_charts_of_others_name_their_hub(site: AsyncTestClient):
    commands = (await page(site, "/hubs/hostile/charts/g/x;reboot")).all("div", class_="command")

    assert "&hub=hostile" in commands[0].text
    assert "litmus hub install 'x;reboot' --hub hostile -n default" in commands[1].text


@pytest.mark.parametrize(
    ("path", "near"),
    [
        ("/charts/generic/pod-delet", "/charts/generic/pod-delete"),
        ("/charts/genric", "/charts/generic"),
        ("/hubs/hostil", "/hubs/hostile/"),
        ("/charts/generic/" + "x" * 3000, ""),
    ],
)
async def test_what_is_not_there_is_a_page_that_says_what_is(site: AsyncTestClient, path: str, near: str):
    answer = await site.get(path)

    assert answer.status_code == 404
    found = parse(answer.text).one("main")
    assert not near or found.one("p", class_="lead").one("a")["href"] == near
    assert found.one("ul", class_="names").all("a")
    assert len(found.one("h1").text) < 200


# --- languages


@pytest.mark.parametrize(
    ("headers", "query", "language"),
    [
        ({}, "", "en"),
        ({"accept-language": "ja,en;q=0.5"}, "", "ja"),
        ({"accept-language": "ja", "cookie": "lang=en"}, "", "en"),
        ({"accept-language": "en", "cookie": "lang=en"}, "?lang=ja", "ja"),
        ({"accept-language": "en"}, "?lang=xx", "en"),
    ],
)
async def test_the_language_is_the_one_asked_for_then_the_remembered_one_then_the_accepted_one(
    site: AsyncTestClient, headers: dict[str, str], query: str, language: str
):
    answer = await site.get(f"/{query}", headers={"accept-language": "", **headers})

    assert parse(answer.text).one("html")["lang"] == language
    assert {part.strip().lower() for part in answer.headers["vary"].split(",")} >= {"accept-language", "cookie"}
    assert ("lang=ja" in answer.headers.get("set-cookie", "")) == (query == "?lang=ja")


async def test_the_switch_of_languages_keeps_the_search(site: AsyncTestClient):
    home = await page(site, "/?q=pod%26x&sandbox=yes")

    assert home.one("a", class_="switch")["href"] == "?q=pod%26x&sandbox=yes&lang=ja"


@pytest.mark.parametrize("path", [p for p in PAGES if "hostile" not in p])
async def test_a_japanese_page_has_no_sentence_left_in_english(site: AsyncTestClient, path: str):
    main = parse((await site.get(path, params={"lang": "ja"})).text).one("main")

    english = {text for text in translations.catalogue("ja") if len(text) > 12}
    left = [
        part.strip()
        for element in main.walk()
        for part in element.inside
        if isinstance(part, str) and part.strip() in english
    ]
    assert left == []
    for heading in main.all(where=lambda e: e.tag in ("h1", "h2")):
        assert re.search(r"[\u3040-\u30ff\u4e00-\u9fff]|^Secret$|^litmus$|^hostile$", heading.text), heading.text


# --- assets


async def test_everything_a_page_needs_comes_from_here_and_may_be_kept_for_a_year(site: AsyncTestClient):
    found = await page(site, LATENCY)

    needed = [e["src"] for e in found.all(where=lambda e: e.tag in ("script", "img"))]
    needed += [e["href"] for e in found.all("link", where=lambda e: e["rel"] in ("stylesheet", "icon"))]
    needed += [e["href"].partition("#")[0] for e in found.all("use") if not e["href"].startswith("#")]
    for address in set(needed):
        answer = await site.get(address)
        assert answer.status_code == 200, address
        assert "immutable" in answer.headers["cache-control"]
        assert re.fullmatch(r"/static/\w+\.[0-9a-f]{12}\.\w+", address)


@pytest.mark.parametrize("file", ["style.css", "../handlers.py", "%2e%2e%2fhandlers.py", "style.000000000000.css", ""])
async def test_no_other_file_is_served(site: AsyncTestClient, file: str):
    assert (await site.get(f"/static/{file}")).status_code == 404


async def test_icons_of_a_hub_that_changed_are_served_anew():
    hubs = [OURS]
    async with AsyncTestClient(Litestar(routes(lambda: hubs), openapi_config=None, logging_config=None)) as client:
        before = (await page(client, "/")).all("use")[0]["href"]
        hubs[:] = [model.Hub(name=model.OURS, source="", groups=OURS.groups[:1], files={})]
        after = (await page(client, "/")).all("use")[0]["href"]
        assert after != before
        assert (await client.get(after.partition("#")[0])).status_code == 200
