"""The HTML report: whole, on its own, safe whatever a result says, and true to it."""

import base64
import hashlib
import math
import random
import re
from datetime import UTC, datetime
from functools import partial
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from litmus import api
from litmus.api.impact import Signal
from litmus.cli.report import axes, elements, moments, page, plots, sections
from litmus.cli.report.record import IMAGE, KUBERNETES, Record, Report, scored
from litmus.hub import translations
from litmus.impact import Sample, analyse
from tests.cli import runs

VOID = {"meta", "br", "hr", "img", "input", "link", "base", "area", "col", "embed", "source", "track", "wbr"}
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\u202e\x00 & \"'"


class Tree(HTMLParser):
    """Elements as a browser would find them; complains about one that is not closed."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.text: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "script"):
            self.text.append(data)

    @property
    def said(self) -> str:
        return " ".join(" ".join(self.text).split())


def record(**changes: Any) -> Record:
    return Record(
        result=runs.a_result(**changes),
        engine=msgspec.convert(runs.engine(), api.ChaosEngine),
        events=runs.some_events(),
        versions={KUBERNETES: "v1.31.2", IMAGE: "litmus-py:1.0"},
    )


def html(*records: Record, lang: str = "en") -> str:
    shown = records or (record(),)
    score = scored([shown[0].engine], [r.result for r in shown]) if shown[0].engine else None
    report = Report(records=shown, score=score, created="2026-05-04T13:00:00Z")
    return page.html(report, say=partial(translations.translate, lang), lang=lang)


def test_it_is_one_whole_file_that_asks_for_nothing():
    text = html()
    tree = Tree(text)
    assert text.startswith('<!doctype html>\n<html lang="en">')
    assert not re.search(r"https?://|//[a-z]|@import|url\(", text)
    loading = {"src", "srcset", "poster", "data", "action", "formaction", "background", "xlink:href", "ping"}
    assert [a for a in tree.attributes if a[1] in loading or a[1].startswith("on") or a[1] == "style"] == []
    assert {"link", "iframe", "object", "embed", "base", "form", "img"}.isdisjoint(tree.tags)
    assert [value for _, name, value in tree.attributes if name == "href" and not value.startswith("#")] == []


def test_its_policy_allows_its_own_script_alone():
    text = html()
    [script] = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'" in text


def test_every_drawing_is_well_formed_and_tells_what_it_shows():
    drawings = re.findall(r"<svg.*?</svg>", html(), re.DOTALL)
    assert len(drawings) == 3  # wide, narrow, and the bar of the timeline
    for drawing in drawings:
        assert ElementTree.fromstring(drawing).get("aria-label")
    assert "availability 99.8 % before, 72.4 % during and 98.7 % after the chaos" in drawings[0]


def test_the_first_line_is_the_verdict_and_why():
    tree = Tree(html())
    first = "Fail criterion availability >= 99% was missed: 72.4 % (66.1 to 78.2) of the requests"
    assert tree.said.removeprefix("Fail: pod-delete - shop-chaos ").startswith(first)


@pytest.mark.parametrize(
    "said",
    [
        "Availability during the chaos 72.4 %",
        "Time to recover 3.6 s (3.2 to 4.3)",
        "at least 99 % would have met it",
        "missed",
        "refused 190, timeout 31",
        "Against the time before worse error rate 0.01",
        "12:00:25 UTC The chaos begins",
        "12:00:34 UTC Ready again: web-5d7f9-edcba",
        "12:01:43 UTC Summary: pod-delete experiment has been Failed",
        "gone after 0.4 s, replaced by web-5d7f9-edcba, ready after 9.7 s",
        "moot",
        "observed 503, expected == 200, at 2026-05-04T12:01:28Z",
        "Kubernetes v1.31.2",
        "Image of the experiment litmus-py:1.0",
        "TOTAL_CHAOS_DURATION 40",
        "Resilience score 50 %",
        "checks before 20 s ramp 5.0 s chaos 40 s ramp 5.0 s recovery and checks 34 s",
        "3 Fail 2026-05-03 12:00:00 UTC 1 min 44 s 80.2 % 4.4 s",
    ],
)
def test_it_says(said: str):
    assert said in Tree(html()).said


def test_in_japanese_our_words_are_and_what_the_result_says_stays():
    tree = Tree(html(lang="ja"))
    assert "カオス中の可用性 72.4 %" in tree.said
    assert "criterion availability >= 99% was missed" in tree.said
    ours = [text.strip() for text in tree.text if text.strip() in translations.catalogue("ja")]
    assert ours == []


def hostile(value: Any) -> Any:
    """The same status with every text that somebody else may have chosen replaced."""
    kept = {"verdict", "judgement", "differs", "state", "unit", "phase"}
    if isinstance(value, dict):
        return {
            key: inner if key in kept or key.endswith(("At", "start", "end")) else hostile(inner)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [hostile(inner) for inner in value]
    return HOSTILE if isinstance(value, str) else value


def test_nothing_that_a_result_says_becomes_markup():
    told = record(**hostile(runs.status()))
    events = tuple(msgspec.structs.replace(e, reason=HOSTILE, message=HOSTILE) for e in runs.some_events())
    evil = Record(result=told.result, engine=told.engine, events=events, versions={HOSTILE: HOSTILE})
    text = html(evil, record())
    tree, plain = Tree(text), Tree(html(record(), record()))
    assert tree.tags.count("script") == plain.tags.count("script") == 1
    assert "img" not in tree.tags
    assert "\x00" not in text
    assert "\u202e" not in text
    assert "<img src=x onerror=alert(1)>" in tree.said  # as text
    assert not [name for _, name, _ in tree.attributes if name.startswith("on")]


@pytest.mark.parametrize("verdict", ["Pass", "Fail", "Error", "Stopped", "Awaited"])
def test_a_result_that_knows_next_to_nothing_still_is_a_report(verdict: str):
    bare = Record(result=api.ChaosResult(), engine=None)
    status = {"experimentstatus": {"verdict": verdict}}
    told = Record(result=msgspec.convert({"metadata": {"name": "r"}, "status": status}, api.ChaosResult))
    for shown in (bare, told):
        Tree(html(shown))
    assert verdict in Tree(html(told)).said


def test_a_pass_says_which_criteria_were_met():
    impact = runs.impact()
    met = impact | {"criteria": [c for c in impact["criteria"] if c["judgement"] == "met"]}
    told = record(experimentstatus={"verdict": "Pass", "failStep": "N/A"}, impact=met)
    assert "Pass every criterion was met: Time to recover 3.6 s (<= 20s)" in Tree(html(told)).said


def test_several_results_begin_with_an_overview_and_their_score():
    passed = record(experimentstatus={"verdict": "Pass", "failStep": "N/A", "probeSuccessPercentage": "100"})
    assert "1 of 2 experiments passed Resilience score" in Tree(html(record(), passed)).said


# The drawing


def drawn(signal: dict[str, Any], *, width: int = 980, **marks: Any) -> ElementTree.Element:
    return plots.plot(msgspec.convert(signal, Signal), plots.Marks(**marks), width=width, say=str)


def signal(**changes: Any) -> dict[str, Any]:
    found: dict[str, Any] = runs.impact()["signals"][0]
    return found | changes


def places(drawing: ElementTree.Element, kind: str) -> list[ElementTree.Element]:
    return [e for e in drawing.iter() if kind in (e.get("class") or "").split()]


def test_the_red_band_lies_where_the_chaos_was():
    marks = {"zero": 25.0, "chaos": (25.0, 65.0), "injections": (25.0, 45.0), "recovered": 68.6}
    drawing = drawn(signal(), **marks)
    [band] = places(drawing, "band")
    ticks = {e.text: float(e.get("x") or 0) for e in places(drawing, "tick")}
    assert float(band.get("x") or 0) == pytest.approx(ticks["0 s"], abs=0.01)
    assert float(band.get("width") or 0) == pytest.approx(ticks["+40 s"] - ticks["0 s"], abs=0.01)
    injections = [float(e.get("x1") or 0) for e in places(drawing, "injection")]
    assert injections == pytest.approx([ticks["0 s"], ticks["+20 s"]], abs=0.01)
    [recovered] = [float(e.get("x1") or 0) for e in places(drawing, "recovered")]
    assert ticks["+40 s"] < recovered < ticks["+50 s"]


@pytest.mark.parametrize(("recovered", "anchor"), [(29.0, "end"), (50.0, "start"), (68.6, "start")])
def test_the_words_above_the_drawing_do_not_cover_each_other(recovered: float, anchor: str):
    drawing = drawn(signal(), width=420, zero=25.0, chaos=(25.0, 65.0), recovered=recovered)
    [chaos] = places(drawing, "bandname")
    assert chaos.get("text-anchor") == anchor


def test_availability_is_drawn_to_scale():
    halves = [{"at": float(n), "good": n, "bad": 2 - n} for n in range(3)]
    drawing = drawn(signal(slices=halves))
    levels = {e.text: float(e.get("y1") or e.get("y") or 0) - 4 for e in places(drawing, "tick")}
    [line] = places(drawing, "good")
    heights = [float(point.split()[1]) for point in re.split("[ML]", line.get("d") or "")[1:]]
    assert heights == pytest.approx([levels[t] for t in ("0 %", "0 %", "50 %", "50 %", "100 %", "100 %")], abs=0.01)


def test_what_nobody_measured_is_a_gap():
    pieces = [{"at": float(n), "good": 10, "p50": 5.0, "p95": 9.0} for n in (0, 1, 2, 7, 8)]
    drawing = drawn(signal(slices=pieces))
    assert len(places(drawing, "good")) == len(places(drawing, "p95")) == 2


def test_a_signal_without_latencies_has_one_panel():
    pieces = [{"at": float(n), "good": 10} for n in range(5)]
    assert places(drawn(signal(slices=pieces)), "p95") == []


@given(
    st.lists(
        st.fixed_dictionaries(
            {"at": st.floats(0, 1e5), "good": st.integers(0, 10**6), "bad": st.integers(0, 10**6)},
            optional={"p50": st.floats(0, 1e7), "p95": st.floats(0, 1e7)},
        ),
        max_size=12,
    ),
    st.sampled_from([420, 980]),
)
def test_whatever_the_slices_nothing_is_drawn_outside(pieces: list[dict[str, Any]], width: int):
    drawing = drawn(
        signal(slices=pieces), width=width, chaos=(3.0, 9.0), injections=(3.0, 8.0), recovered=9.5, zero=3.0
    )
    numbers = [float(e.get(a) or 0) for e in drawing.iter() for a in ("x", "x1", "x2") if e.get(a)]
    for path in drawing.iter("path"):
        points = re.findall(r"[ML]([-\d.e+]+) ", path.get("d") or "")
        numbers += [float(x) for x in points]
    assert all(math.isfinite(x) and -10 <= x <= width + 10 for x in numbers)


@pytest.mark.parametrize(
    ("values", "floor"), [([100, 100], 0), ([99.5, 100], 99), ([97, 100], 90), ([60], 50), ([20], 0), ([], 0)]
)
def test_the_axis_of_availability_shows_what_is_rare(values: list[float], floor: float):
    assert axes.percentages(values)[0] == floor


def test_a_latency_that_dwarfs_the_others_gets_a_logarithmic_axis():
    axis, ticks = axes.latencies([5.0] * 9 + [4000.0], start=100, end=0)
    assert axis.logarithmic
    assert ticks == [1, 10, 100, 1000, 10000]
    axis, ticks = axes.latencies([30.0, 81.0], start=100, end=0)
    assert ticks == [0, 50, 100]
    assert axis(50) == 50


def test_ticks_of_time_are_round_and_hold_the_beginning_of_the_chaos():
    assert axes.times(-25, 75, most=10) == [-20, -10, 0, 10, 20, 30, 40, 50, 60, 70]
    assert [axes.seconds(s, span=900) for s in (-90, 0, 300)] == ["−1:30", "0 s", "+5:00"]


# The order of time


def test_moments_are_in_order_and_events_of_another_run_are_left_out():
    old = runs.event("ChaosEngine", runs.ENGINE, "Summary", "of an earlier run", -1000 + 60 * 30)
    shown = record()
    late = msgspec.convert(old, type(shown.events[0]))
    found = moments.of(Record(result=shown.result, engine=shown.engine, events=(*shown.events, late)), str)
    assert found == sorted(found, key=lambda m: m.at)
    assert not [m for m in found if "earlier run" in m.text]


def test_events_of_a_run_that_ended_a_moment_before_are_not_of_this_one():
    past = {"number": 1, "verdict": "Fail", "startedAt": runs.at(0), "finishedAt": runs.at(60)}
    seen = [("ended", 65), ("prepared", 85)]
    events = [runs.event("ChaosEngine", runs.ENGINE, "Summary", text, at) for text, at in seen]
    made = record(run={"number": 2, "startedAt": runs.at(90)}, history={"runs": [past]})
    told = tuple(msgspec.convert(event, type(made.events[0])) for event in events)
    found = moments.of(Record(result=made.result, engine=made.engine, events=told), str)
    assert [m.text for m in found if m.text.startswith("Summary")] == ["Summary: prepared"]


def test_the_first_hit_is_not_before_the_chaos_because_its_stamp_has_no_fractions():
    impact = runs.impact()
    impact["signals"][0]["fault"]["start"] = runs.at(runs.SECONDS_BEFORE).replace("Z", ".640Z")
    found = moments.of(record(impact=impact), str)
    [begins] = [n for n, m in enumerate(found) if m.text == "The chaos begins"]
    hits = [n for n, m in enumerate(found) if m.text.startswith("Hit: ")]
    assert begins < min(hits)
    assert found[min(hits)].at == found[begins].at


def test_a_time_that_can_not_be_read_is_left_out():
    told = record(run={"startedAt": "yesterday", "finishedAt": "2026-05-04T12:00:00Z"}, targets=[], impact=None)
    assert moments.phases(told) == []
    Tree(html(told))


@given(st.text(st.characters(codec=None), max_size=40))
def test_any_text_is_written_and_read_back_without_what_no_document_may_hold(text: str):
    written = elements.written(elements.node("p", text, title=text))
    written.encode("utf-8")
    tree = Tree(written)
    expected = elements.clean(text).replace("\r\n", "\n").replace("\r", "\n")
    assert "".join(tree.text).replace("\r\n", "\n").replace("\r", "\n").rstrip("\n") == expected.rstrip("\n")


def test_cells_know_their_column_for_a_phone():
    [head] = [s for s in [sections.targets(record(), str)] if s is not None]
    named = [cell.get("data-name") for cell in head.iter("td")]
    assert named[:6] == ["Target", "Node", "Hit at", "Asked", "Delivered", "What became of it"]


def test_slices_of_a_long_run_stay_a_file_that_fits_a_mail():
    chance = random.Random(1)
    pieces = [{"at": float(n), "good": 10, "bad": chance.randrange(3), "p50": 3.0, "p95": 9.0} for n in range(3600)]
    impact = runs.impact()
    impact["signals"][0] |= {"slices": pieces}
    assert len(html(record(impact=impact))) < 1_000_000


def test_what_the_analysis_measured_is_what_the_page_shows():
    began = datetime(2026, 5, 4, 12, 0, tzinfo=UTC).timestamp()
    samples = [
        Sample(began + n / 10, good, 12.0 if good else 2.0, "" if good else "refused")
        for n in range(900)
        for good in [not 320 <= n < 420]
    ]
    measured = analyse(
        {"storefront": samples},
        chaos_start=began + 30,
        chaos_end=began + 60,
        run_end=began + 90,
        injections=[began + 30],
        criteria={"availability": ">= 99%"},
        seed=1,
    )
    said = Tree(html(record(impact=msgspec.to_builtins(measured)))).said
    during = measured.signals[0].fault.availability
    assert during.value == pytest.approx(66.7, abs=0.2)
    assert f"Availability during the chaos {during.value:.2f} %" in said
    assert measured.criteria[0].explanation in said
    assert "refused 100" in said
