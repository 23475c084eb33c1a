"""What every page owes to people who can't see it, or use no mouse, or pay for every byte."""

import gzip
import itertools
import re
from importlib import resources

import pytest
from litestar.testing import AsyncTestClient

from .conftest import PAGES
from .html import Element, parse

BUDGET = 100_000  # bytes of a page with all that it needs, as they are transferred
CSS = resources.files("litmus.hub.site").joinpath("static/style.css").read_text(encoding="utf-8")


async def opened(site: AsyncTestClient, path: str, lang: str) -> Element:
    return parse((await site.get(path, headers={"accept-language": lang})).text)


EVERYWHERE = [(path, lang) for path in PAGES for lang in ("en", "ja")]


@pytest.mark.parametrize(("path", "lang"), EVERYWHERE)
async def test_a_page_has_a_language_a_title_landmarks_and_headings_in_order(
    site: AsyncTestClient, path: str, lang: str
):
    page = await opened(site, path, lang)

    assert page.one("html")["lang"] == lang
    assert page.one("head").one("title").text
    assert page.one("main")["id"] == page.one("a", class_="skip")["href"].removeprefix("#")
    levels = [int(e.tag[1]) for e in page.walk() if re.fullmatch(r"h[1-6]", e.tag)]
    assert levels.count(1) == 1
    assert all(deeper <= higher + 1 for higher, deeper in itertools.pairwise(levels)), levels
    assert [e for e in page.all("nav") if not (e.get("aria-label") or e.get("aria-labelledby"))] == []


@pytest.mark.parametrize(("path", "lang"), EVERYWHERE)
async def test_everything_has_a_name_and_every_reference_leads_to_something(
    site: AsyncTestClient, path: str, lang: str
):
    page = await opened(site, path, lang)
    ids = [e["id"] for e in page.walk() if "id" in e.attributes]
    labelled = {e["for"] for e in page.all("label", where=lambda e: "for" in e.attributes)}
    wrapped = {id(field) for label in page.all("label") for field in label.walk()}

    assert len(ids) == len(set(ids)), sorted(i for i in ids if ids.count(i) > 1)
    for element in page.walk():
        if element.tag in ("input", "select", "textarea"):
            assert element.get("id") in labelled or id(element) in wrapped or element.get("aria-label"), element
        if element.tag in ("a", "button"):
            pictures = [e.get("alt") for e in element.all("img")]
            assert element.text or element.get("aria-label") or any(pictures), element
        if element.tag == "img":
            assert "alt" in element.attributes
        if element.tag in ("img", "svg") and not element.get("viewbox"):
            assert element.get("width"), "its place is not kept while it loads"
            assert element.get("height")
        if element.tag == "th":
            assert element.get("scope")
        for name in ("aria-describedby", "aria-labelledby", "aria-controls", "for"):
            assert set(element.get(name).split()) <= set(ids), element
        if element.get("href").startswith("#") and element.tag == "a":
            assert element["href"][1:] in ids, element["href"]


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_with_all_that_it_needs_is_light(site: AsyncTestClient, path: str):
    answer = await site.get(path)
    page = parse(answer.text)

    needed = {e["src"] for e in page.all(where=lambda e: e.tag in ("script", "img"))}
    needed |= {e["href"] for e in page.all("link", where=lambda e: e["rel"] in ("stylesheet", "icon"))}
    needed |= {e["href"].partition("#")[0] for e in page.all("use")} - {""}
    files = [(await site.get(address)).content for address in needed if address.startswith("/static/")]
    assert sum(len(gzip.compress(content, 6)) for content in (answer.content, *files)) < BUDGET


def test_nothing_but_what_a_page_shows_is_loaded_by_the_style():
    assert "url(" not in CSS
    assert "@import" not in CSS


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, 1.4.3."""
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def palette(theme: int) -> dict[str, str]:
    """The colours of the light theme (0) or the dark one (1)."""
    pairs = re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", CSS)
    single = re.findall(r"--([\w-]+): (#\w{6});", CSS)
    return {name: (light, dark)[theme] for name, light, dark in pairs} | dict(single)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("text", "ground", "least"),
    [
        *((text, ground, 4.5) for text in ("ink", "soft", "accent") for ground in ("paper", "sheet", "sunk", "tint")),
        ("on-yellow", "yellow", 4.5),
        ("red", "paper", 4.5),
        ("red", "sheet", 4.5),
        ("red", "red-tint", 4.5),
        ("ink", "red-tint", 4.5),
        ("edge", "sheet", 3),  # the rim of a field
        ("edge", "paper", 3),
        ("accent", "paper", 3),  # the ring of the focus
    ],
)
def test_colours_can_be_told_apart(text: str, ground: str, least: float, theme: int):
    colours = palette(theme)
    assert contrast(colours[text], colours[ground]) >= least
