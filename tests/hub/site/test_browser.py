"""The site as people use it: Chromium walks through it, and what it copies is carried out on a sandbox.

The hub is a process of its own, and so is the browser; what a copied command does is seen by the real kubectl. Every
page is watched: it may ask only its own hub for something, say nothing on the console and break no content policy.
With SCREENSHOTS=1 the last test leaves pictures for people in build/screenshots.
"""

import os
import re
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests import chromium
from tests.sandbox.whole.conftest import Sandbox, until

SCREENSHOTS = Path(__file__).parents[3] / "build" / "screenshots"
_PATIENCE_MS = 60_000  # of a busy machine
_VIOLATIONS = """
window.violations = [];
const note = (event) => window.violations.push(`${event.violatedDirective} ${event.blockedURI}`);
document.addEventListener("securitypolicyviolation", note);
"""
NGINX = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: nginx, labels: {app: nginx}, annotations: {litmuschaos.io/chaos: "true"}}
spec:
  replicas: 2
  selector: {matchLabels: {app: nginx}}
  template:
    metadata: {labels: {app: nginx}}
    spec: {terminationGracePeriodSeconds: 1, containers: [{name: nginx, image: nginx}]}
"""

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def hub() -> Iterator[str]:
    """The address of a hub that somebody has started."""
    command = [sys.executable, "-m", "litmus", "hub", "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as started:
        assert started.stdout
        said = ""
        while not (found := re.search(r"http://[\w.]+:\d+", said)):
            line = started.stdout.readline()
            assert line, f"the hub ended: {said}"
            said += line
        yield found[0].replace("0.0.0.0", "127.0.0.1")
        started.terminate()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path, arguments = chromium.executable(), chromium.arguments()
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=arguments, timeout=_PATIENCE_MS)
        yield launched
        launched.close()


Opener = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser, hub: str) -> Iterator[Opener]:
    """Opens a path of the hub for a visitor of their own; what no page may do is looked for at the end."""
    contexts: list[BrowserContext] = []
    asked: list[str] = []
    complaints: list[str] = []

    def opened(path: str = "/", *, lang: str = "en-US", **visitor: object) -> Page:
        context = browser.new_context(base_url=hub, locale=lang, **visitor)  # type: ignore[arg-type]
        context.set_default_timeout(_PATIENCE_MS)
        contexts.append(context)
        if visitor.get("java_script_enabled", True):
            context.grant_permissions(["clipboard-read", "clipboard-write"], origin=hub)
            context.add_init_script(_VIOLATIONS)
        context.on("request", lambda request: asked.append(request.url))
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text) if message.type != "log" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(path)
        return page

    expect.set_options(timeout=_PATIENCE_MS)
    yield opened
    try:
        assert [url for url in asked if not url.startswith((f"{hub}/", "blob:", "data:"))] == []
        assert complaints == []
        for context in contexts:
            for page in context.pages:
                assert page.evaluate("window.violations ?? []") == []
    finally:
        for context in contexts:
            context.close()


def checked(page: Page, state: str = "right") -> None:
    """Waits until the editor has filled in the form and checked the text."""
    expect(page.locator("#editor")).to_have_attribute("aria-busy", "false")
    expect(page.locator(".editor-verdict")).to_have_attribute("data-state", state)


def copied(page: Page) -> str:
    text: str = page.evaluate("navigator.clipboard.readText()")
    return text


def engine_text(page: Page) -> str:
    return page.locator("#editor-text").input_value()


def press_until(page: Page, key: str, found: str) -> None:
    """Presses a key until the focus is on what the selector finds."""
    for _ in range(120):
        if page.evaluate("selector => document.activeElement.matches(selector)", found):
            return
        page.keyboard.press(key)
    raise AssertionError(f"{key} does not lead to {found}")


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """One of this test's own, with the operator and an application."""
    with tempfile.TemporaryDirectory(prefix="lsb-") as home:
        made = Sandbox(Path(home), f"b{secrets.token_hex(2)}")
        try:
            made.up()
            made.litmus("install")
            made.kubectl("create", "namespace", "shop")
            made.kubectl("apply", "-n", "shop", "-f", "-", stdin=NGINX)
            yield made
        finally:
            made.down()


def test_a_visitor_searches_changes_two_tunables_and_runs_what_the_page_lets_them_copy(
    open_page: Opener, sandbox: Sandbox
):
    page = open_page("/")
    page.locator("#search [name=q]").fill("pod delete")
    page.locator(".card:visible a", has_text="Pod delete").first.click()
    expect(page.locator("h1")).to_have_text("Pod delete")

    page.locator("#namespace").fill("shop")
    commands = []
    for button in page.locator("#install .command .copy").all()[:2]:  # the experiment, and its role
        button.click()
        commands.append(copied(page))
    page.locator("#ef-TOTAL_CHAOS_DURATION").fill("4")
    page.locator("#ef-CHAOS_INTERVAL").fill("2")
    expect(page.locator("#editor-text")).to_have_value(re.compile(r"CHAOS_INTERVAL\n +value: '2'\n"))
    checked(page)
    page.locator("[data-copy=kubectl]").click()
    expect(page.locator(".editor-said")).to_have_text("Copied.")
    commands.append(copied(page))

    sandbox.kubectl("rollout", "status", "-n", "shop", "deployment/nginx", "--timeout=60s")
    before = {pod["metadata"]["uid"] for pod in sandbox.get("pods", "-n", "shop", "-l", "app=nginx")["items"]}
    for command in commands:
        assert command.startswith("kubectl apply ")
        done = subprocess.run(["sh", "-c", command], env=sandbox.env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    def verdict() -> str:
        found = sandbox.get("chaosengine", "nginx-chaos", "-n", "shop").get("status", {}).get("experiments") or [{}]
        over = found[0].get("status") == "Completed"
        return found[0]["verdict"] if over else ""

    assert until(verdict, "the engine to end", deadline_s=300) == "Pass"
    after = {pod["metadata"]["uid"] for pod in sandbox.get("pods", "-n", "shop", "-l", "app=nginx")["items"]}
    assert len(before - after) >= 1
    result = sandbox.get("chaosresult", "nginx-chaos-pod-delete", "-n", "shop")
    assert result["status"]["experimentstatus"]["verdict"] == "Pass"


def test_the_keyboard_alone_leads_from_the_search_to_the_copied_engine(open_page: Opener):
    page = open_page("/")
    page.keyboard.press("/")
    page.keyboard.type("pod-network-latency")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Pod network latency")
    press_until(page, "Tab", "#ef-NETWORK_LATENCY")
    page.keyboard.press("Control+A")
    page.keyboard.type("250")
    expect(page.locator("#editor-text")).to_have_value(re.compile(r"NETWORK_LATENCY\n +value: '250'\n"))
    press_until(page, "Tab", "[data-copy=kubectl]")
    page.keyboard.press("Enter")
    expect(page.locator(".editor-said")).to_have_text("Copied.")
    assert copied(page) == f"kubectl apply -f - <<'EOF'\n{engine_text(page)}EOF\n"


def test_a_value_that_is_not_allowed_is_said_beside_the_field_and_at_the_line(open_page: Opener):
    page = open_page("/charts/generic/pod-network-latency")
    field = page.locator("#ef-NETWORK_LATENCY")
    field.fill("2s")
    checked(page, "wrong")
    expect(page.locator("#ef-NETWORK_LATENCY-error")).to_contain_text("NETWORK_LATENCY='2s': must be a number")
    expect(field).to_have_attribute("aria-invalid", "true")
    entry = page.locator("#editor-list li")
    expect(entry).to_contain_text("NETWORK_LATENCY='2s': must be a number of milliseconds from 1 to 240000")
    entry.locator("button").click()
    selected = page.evaluate("(t => t.value.slice(t.selectionStart, t.selectionEnd))(document.activeElement)")
    assert selected.strip() == "value: '2s'"
    field.fill("200")
    checked(page)
    expect(page.locator("#ef-NETWORK_LATENCY-error")).to_be_hidden()


def test_typing_into_the_yaml_marks_the_line_and_undo_takes_it_back(open_page: Opener):
    page = open_page("/charts/generic/pod-delete")
    checked(page)
    before = engine_text(page)
    text = page.locator("#editor-text")
    text.focus()
    at = before.index("annotationCheck") + len("annotation")
    text.evaluate("(t, at) => t.setSelectionRange(at, at)", at)
    page.keyboard.type("s")
    checked(page, "wrong")
    line = before[:at].count("\n") + 1
    expect(page.locator("#editor-list li")).to_have_text(
        f"Line {line} spec.annotationsCheck: unknown field; did you mean annotationCheck?"
    )
    expect(page.locator(f".editor-paint > div:nth-child({line})")).to_have_attribute("data-mark", "error")
    expect(text).to_have_attribute("aria-invalid", "true")
    page.keyboard.press("Control+Z")
    checked(page)
    assert engine_text(page) == before


def test_the_form_does_not_overwrite_what_was_typed_until_it_is_told_to(open_page: Opener):
    page = open_page("/charts/generic/pod-delete")
    checked(page)
    text = page.locator("#editor-text")
    text.focus()
    page.keyboard.press("Control+Home")
    page.keyboard.type("# mine\n")
    page.locator("#ef-TOTAL_CHAOS_DURATION").fill("77")
    expect(page.locator(".editor-notice")).to_be_visible()
    assert engine_text(page).startswith("# mine\n")
    assert "'77'" not in engine_text(page)
    page.locator("[data-replace]").click()
    expect(text).to_have_value(re.compile("'77'"))
    assert not engine_text(page).startswith("# mine")
    text.focus()
    page.keyboard.press("Control+Z")
    assert engine_text(page).startswith("# mine\n")


def test_without_a_script_the_server_fills_in_the_command(open_page: Opener):
    page = open_page("/charts/generic/pod-delete", java_script_enabled=False)
    expect(page.locator("#editor-text")).to_be_hidden()
    page.locator("#ef-TOTAL_CHAOS_DURATION").fill("12")
    page.get_by_role("button", name="Fill in").click()
    command = page.locator(".editor-command").inner_text()
    assert command.startswith("kubectl apply -f - <<'EOF'\n")
    assert "value: '12'" in command
    assert command.rstrip().endswith("\nEOF")


def test_the_theme_is_kept(open_page: Opener):
    page = open_page("/", color_scheme="light")
    paper = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(paper)
    page.locator("button.theme").click()
    dark = page.evaluate(paper)
    assert dark != light
    page.goto("/charts/generic/pod-delete")
    assert page.evaluate(paper) == dark
    page.locator("button.theme").click()
    page.reload()
    assert page.evaluate(paper) == light


def test_japanese_is_kept_from_page_to_page_and_the_checks_speak_it(open_page: Opener):
    page = open_page("/")
    page.locator("a.switch[hreflang=ja]").click()
    expect(page.locator("html")).to_have_attribute("lang", "ja")
    page.goto("/charts/generic/pod-delete")
    expect(page.locator("html")).to_have_attribute("lang", "ja")
    page.locator("#ef-TOTAL_CHAOS_DURATION").fill("1m")
    checked(page, "wrong")
    expect(page.locator("#editor-list li")).to_contain_text("秒")


def test_a_browser_that_prefers_japanese_gets_it(open_page: Opener):
    assert open_page("/", lang="ja-JP").locator("html").get_attribute("lang") == "ja"


PATHS = ("/", "/charts/generic", "/charts/generic/pod-network-latency", "/hubs")


@pytest.mark.parametrize("lang", ["en", "ja"])
@pytest.mark.parametrize("path", PATHS)
def test_a_phone_shows_a_page_without_scrolling_sideways(open_page: Opener, path: str, lang: str):
    page = open_page(path, lang=lang, viewport={"width": 360, "height": 740}, is_mobile=True, has_touch=True)
    page.wait_for_load_state("networkidle")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize("path", PATHS)
def test_a_page_with_all_that_it_needs_weighs_less_than_100_kb(browser: Browser, hub: str, path: str):
    context = browser.new_context(base_url=hub, locale="ja")
    page = context.new_page()
    page.set_default_timeout(_PATIENCE_MS)
    done = []
    page.on("requestfinished", lambda request: done.append(request))  # noqa: PLW0108 - it marks what it is given
    page.goto(path, wait_until="networkidle")
    weights = {request.url: sum(request.sizes()[part] for part in _RECEIVED) for request in done}
    context.close()
    assert sum(weights.values()) < 100_000, weights


_RECEIVED = ("responseHeadersSize", "responseBodySize")


@pytest.mark.skipif(not os.environ.get("SCREENSHOTS"), reason="pictures are for people: SCREENSHOTS=1 takes them")
@pytest.mark.parametrize("lang", ["en", "ja"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pictures_for_people(open_page: Opener, lang: str, theme: str):
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    pages = {"home": "/", "group": "/charts/generic", "experiment": "/charts/generic/pod-network-latency"}
    for name, path in pages.items():
        page = open_page(path, lang=lang, color_scheme=theme, viewport={"width": 1280, "height": 900})
        page.wait_for_load_state("networkidle")
        page.screenshot(path=SCREENSHOTS / f"{name}-{theme}-{lang}.png", full_page=True)
