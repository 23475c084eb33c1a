"""The report as one HTML file: it opens from disk, asks for nothing, and can be attached to a ticket.

Everything that a result says is text (``elements``), and a policy in the page's head allows nothing but its own style
and its own script, whose only work is to add the reader's zone to the times. Without scripts the page says the same
in UTC.
"""

import base64
import functools
import hashlib
from importlib import resources

from litmus import __version__

from . import sections, timeline, wording
from .elements import Element, node, written
from .record import LITMUS, Record, Report
from .wording import Say


def html(report: Report, *, say: Say, lang: str) -> str:
    """The whole file."""
    several = len(report.records) > 1
    parts = [_article(record, say, several=several) for record in report.records]
    body = node(
        "body",
        node("main", _overview(report, say) if several else None, *parts),
        _foot(report, say),
        node("script", _file("zone.js")),
    )
    return written(node("html", _head(report, say), body, lang=lang))


def _head(report: Report, say: Say) -> Element:
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{_digest(_file('zone.js'))}'"
    return node(
        "head",
        node("meta", charset="utf-8"),
        node("meta", http_equiv="Content-Security-Policy", content=policy),
        node("meta", name="viewport", content="width=device-width, initial-scale=1"),
        node("meta", name="color-scheme", content="light dark"),
        node("meta", name="robots", content="noindex"),
        node("title", title(report, say)),
        node("style", _file("style.css")),
    )


def title(report: Report, say: Say) -> str:
    """One line for a tab or the subject of a mail."""
    if len(report.records) == 1:
        [record] = report.records
        return f"{record.verdict}: {record.experiment} - {record.result.spec.engine}"
    passed = sum(record.verdict == "Pass" for record in report.records)
    return say("{passed} of {all} experiments passed").format(passed=passed, all=len(report.records))


def _article(record: Record, say: Say, *, several: bool) -> Element:
    """All about one result, the verdict and its reason first."""
    record = _with_litmus(record)
    parts: list[Element | None] = [
        _header(record, say, level="h2" if several else "h1"),
        sections.cards(record, say),
        sections.criteria(record, say),
        *sections.signals(record, say),
        timeline.section(record, say),
        sections.targets(record, say),
        sections.ledger(record, say),
        sections.probes(record, say),
        sections.history(record, say),
        sections.surroundings(record, say),
    ]
    return node("article", *parts, id=record.name)


def _with_litmus(record: Record) -> Record:
    versions = {LITMUS: __version__} | dict(record.versions)
    return Record(result=record.result, engine=record.engine, events=record.events, versions=versions)


def _header(record: Record, say: Say, *, level: str) -> Element:
    run, spec = record.result.status.run, record.result.spec
    line = node(level, sections.verdict(record.verdict), node("span", wording.why(record, say)))
    facts = [
        (say("Experiment"), record.experiment),
        (say("Engine"), f"{spec.engine} ({record.result.metadata.namespace})" if spec.engine else ""),
        (say("Application"), record.application),
        (say("Run"), str(run.number) if run.number else ""),
        (say("Began"), sections.moment(wording.when(run.started_at)) if run.started_at else ""),
        (say("Took"), wording.lasted(run.started_at, run.finished_at) if run.finished_at else ""),
        (say("Probes passed"), _percentage(record)),
    ]
    pairs = [node("div", node("dt", name), node("dd", value)) for name, value in facts if value != ""]
    return node("header", line, node("dl", *pairs), class_="verdict " + record.verdict.lower())


def _percentage(record: Record) -> str:
    written = record.result.status.experimentstatus.probe_success_percentage
    return f"{written} %" if written.replace(".", "", 1).isdecimal() else ""


def _overview(report: Report, say: Say) -> Element:
    rows = [
        node(
            "li",
            sections.verdict(record.verdict),
            node("a", f"{record.experiment} ({record.result.spec.engine})", href=f"#{record.name}"),
            node("span", wording.why(record, say)),
        )
        for record in report.records
    ]
    return node("header", node("h1", title(report, say)), _score(report, say), node("ul", *rows), class_="overview")


def _score(report: Report, say: Say) -> Element | None:
    score = report.score
    if score is None:
        return None
    value = wording.NONE if score.value is None else f"{score.value:g} %"
    notes = [node("small", note) for note in score.notes]
    return node("p", say("Resilience score"), " ", node("b", value), *notes, class_="score")


def _foot(report: Report, say: Say) -> Element:
    zone = node("span", say("Times are UTC."), class_="zone", data_said=say("Times are UTC; small: yours, {zone}."))
    made = say("Written by litmus {version} on {time}.").format(
        version=__version__, time=wording.utc(wording.when(report.created))
    )
    intervals = say("In parentheses: the interval that holds the true value, but for the stated error rate.")
    score = _score(report, say) if len(report.records) == 1 else None
    return node("footer", score, node("p", zone, " ", intervals), node("p", made))


@functools.cache
def _file(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
