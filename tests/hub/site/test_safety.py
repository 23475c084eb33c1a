"""A chart of a stranger can't do anything on a page: no script, no request, no link that runs, no bad command."""

import shlex

import pytest
from litestar.testing import AsyncTestClient

from litmus.hub.site import markdown

from .conftest import ATTACK, PAGES
from .html import parse

THEIRS = [path for path in PAGES if "hostile" in path or path == "/hubs"]


@pytest.mark.parametrize("path", [*THEIRS, f"/charts/generic/{'%3Cscript%3E'}", "/?q=%22%3E%3Cscript%3Ealert(1)"])
@pytest.mark.parametrize("lang", ["en", "ja"])
async def test_no_page_has_a_script_a_handler_a_style_or_a_picture_of_a_stranger(
    site: AsyncTestClient, path: str, lang: str
):
    page = parse((await site.get(path, headers={"accept-language": lang})).text)

    for element in page.walk():
        assert not [name for name in element.attributes if name.startswith("on") or name in ("style", "srcdoc")]
        if element.tag in ("script", "img", "link", "use", "iframe", "object", "embed", "form"):
            address = element.get("src") or element.get("href") or element.get("action")
            assert address.startswith(("/static/", "/api/icon/", "?", "#")) or not address, address
        if element.tag == "script":
            assert element.inside == []
        assert element.tag not in ("style", "iframe", "object", "embed", "base")
        assert element.get("http-equiv") == ""


@pytest.mark.parametrize("path", THEIRS)
async def test_links_lead_into_the_site_or_to_the_web_and_never_run(site: AsyncTestClient, path: str):
    page = parse((await site.get(path)).text)

    for link in page.all("a"):
        assert link["href"].startswith(("/", "#", "?", "https://example.org/", "mailto:")), link
        if link["href"].startswith("http"):
            assert set(link["rel"].split()) >= {"noopener", "nofollow"}


async def test_what_a_stranger_wrote_is_shown_as_it_is(site: AsyncTestClient):
    page = parse((await site.get("/hubs/hostile/charts/g/x;reboot")).text)

    assert page.one("h1").text == " ".join(ATTACK.split())
    assert ATTACK in page.one(id="tunables").raw


async def test_what_is_copied_into_a_shell_has_nothing_of_a_stranger_that_a_shell_acts_on(site: AsyncTestClient):
    for path in ("/hubs/hostile/charts/g", "/hubs/hostile/charts/g/x;reboot"):
        page = parse((await site.get(path)).text)
        for command in page.all("div", class_="command"):
            text = command.one("code").raw
            words = shlex.split(text, comments=True)
            assert words[:2] in (["kubectl", "apply"], ["litmus", "hub"])
            for sign in "$`\\":
                assert sign not in text
            assert len(words) == (6 if words[0] == "kubectl" else 8)


@pytest.mark.parametrize(
    "text",
    [
        "[a](javascript:alert(1))",
        "[a](JaVaScRiPt:alert(1))",
        "[a](&#106;avascript:alert(1))",
        "[a](  javascript:alert(1))",
        "[a](vbscript:x)",
        "[a](data:text/html,x)",
        "[a](//example.org/x)",
        "[a][1]\n\n[1]: javascript:alert(1)",
        "<javascript:alert(1)>",
        "![x](https://example.org/x.png)",
        "<img src=x onerror=alert(1)>",
        "<script>alert(1)</script>",
        "<a href='javascript:alert(1)'>x</a>",
        '[a](https://example.org/" onmouseover="alert(1))',
    ],
)
def test_markdown_makes_no_html_no_picture_and_no_link_but_to_the_web(text: str):
    page = parse(f"{markdown.block(text)}{markdown.inline(text)}")

    for element in page.walk():
        assert element.tag in ("", "p", "a")
        assert set(element.attributes) <= {"href", "rel"}
        if element.tag == "a":
            assert element["href"].startswith(("https://example.org/", "http://example.org/"))


def test_markdown_of_a_chart_keeps_its_form_and_has_no_headings_among_those_of_the_page():
    page = parse(str(markdown.block("# Big\n\n* `one`\n* [two](https://example.org)\n\n| a |\n| - |\n| b |\n")))

    shown = ("h1", "li", "code", "a", "table")
    assert [e.tag for e in page.walk() if e.tag in shown] == ["li", "code", "li", "a", "table"]
    assert page.one("p", class_="heading").text == "Big"


def test_a_text_on_a_card_has_no_marks_and_no_glued_words():
    assert markdown.plain("# Kills *a*\nbroker\n\nand `waits`, see [docs](https://example.org)") == (
        "Kills a broker and waits, see docs"
    )


@pytest.mark.parametrize("url", ["https://example.org", "http://example.org/x?y", "mailto:a@example.org"])
def test_an_address_on_the_web_may_be_a_link(url: str):
    assert markdown.safe_url(f" {url} ") == url


@pytest.mark.parametrize(
    "url", ["", "javascript:alert(1)", "java\nscript:x", "data:x", "//x", "/x", "https://", "http://["]
)
def test_no_other_address_may_be_one(url: str):
    assert markdown.safe_url(url) == ""
