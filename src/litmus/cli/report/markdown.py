"""The report as Markdown for a pull request, in GitHub's flavour: the verdict, the figures, and the rest folded away.

What a result says is escaped, so that it can neither become markup, nor a link, nor a mention of somebody.
"""

import re
from collections.abc import Iterator, Sequence

from litmus import __version__
from litmus.api.impact import Figure, Signal

from . import elements, moments, wording
from .record import LITMUS, Record, Report
from .wording import Say

_SIGNS = {"Pass": "✅", "Fail": "❌", "Error": "⚠️", "Stopped": "⏹️", "Awaited": "⏳"}
_JUDGED = {"met": "✅", "missed": "❌", "inconclusive": "❔"}
_MOST = 200  # a comment on GitHub has 65,536 characters


def text(report: Report, *, say: Say) -> str:
    """The whole report."""
    parts = [line for record in report.records for line in _record(record, say)]
    if report.score and report.score.value is not None:
        parts += [f"**{say('Resilience score')}: {report.score.value:g} %**", ""]
        parts += [f"- {escaped(note)}" for note in report.score.notes] + ([""] if report.score.notes else [])
    made = say("Written by litmus {version} on {time}.")
    parts.append(f"<sub>{made.format(version=__version__, time=wording.utc(wording.when(report.created)))}</sub>")
    return "\n".join(parts) + "\n"


def _record(record: Record, say: Say) -> Iterator[str]:
    yield f"### {_SIGNS[record.verdict]} {record.verdict}: {escaped(wording.why(record, say))}"
    yield ""
    spec, run = record.result.spec, record.result.status.run
    place = (
        f"{code(record.experiment)} · {say('Engine')} {code(spec.engine)} · {code(record.result.metadata.namespace)}"
    )
    took = f" · {wording.utc(wording.when(run.started_at))}, {wording.lasted(run.started_at, run.finished_at)}"
    yield place + (took if run.started_at else "")
    yield ""
    impact = record.result.status.impact
    if impact and impact.criteria:
        yield from _table(
            ["", say("Criterion"), say("Asked"), say("Measured"), say("Why")],
            [
                [
                    _JUDGED[c.judgement],
                    escaped(wording.criterion(c, say)),
                    code(c.asked),
                    escaped(wording.figure(c.observed, say)),
                    escaped(c.explanation),
                ]
                for c in impact.criteria
            ],
        )
    for signal in impact.signals if impact else ():
        yield from _signal(signal, say)
    yield from _folded(record, say)


def _signal(signal: Signal, say: Say) -> Iterator[str]:
    yield f"**{escaped(say('Signal: {probe}').format(probe=signal.probe))}**"
    yield ""
    windows = (signal.baseline, signal.fault, signal.recovery)
    figures: list[tuple[str, Sequence[Figure]]] = [
        ("Availability", [w.availability for w in windows]),
        ("Latency p50", [w.latency_p50 for w in windows]),
        ("Latency p95", [w.latency_p95 for w in windows]),
    ]
    rows = [[say(name), *(escaped(wording.figure(f, say)) for f in row)] for name, row in figures]
    yield from _table(["", say("Before"), say("During the chaos"), say("After")], rows)
    times = (
        ("Time to first impact", signal.time_to_impact),
        ("Time to recover", signal.time_to_recover),
        ("Longest outage", signal.longest_outage),
    )
    yield from (f"- {say(name)}: {escaped(wording.figure(figure, say))}" for name, figure in times)
    yield ""


def _folded(record: Record, say: Say) -> Iterator[str]:
    status = record.result.status
    targets = [
        [
            escaped(t.name),
            escaped(t.node),
            wording.utc(wording.when(t.injected_at), day=False),
            *map(escaped, (t.asked, t.delivered)),
        ]
        for t in status.targets[:_MOST]
    ]
    head = ["Target", "Node", "Hit at", "Asked", "Delivered"]
    yield from _details("Targets", _table([say(name) for name in head], targets), say, count=len(targets))
    probes = [
        [escaped(p.name), p.type, p.mode, p.status.verdict, escaped(p.status.description)]
        for p in status.probe_statuses
    ]
    head = ["Probe", "Type", "Mode", "Verdict", "Observed and expected"]
    shown = [say(name) for name in head]
    yield from _details("Probes", _table(shown, probes), say, count=len(probes))
    told = moments.of(record, say)[:_MOST]
    lines = [*(f"- `{wording.utc(m.at, day=False)}` {escaped(m.text)}" for m in told), ""]
    yield from _details("Timeline", lines, say, count=len(lines) - 1)
    versions = {LITMUS: __version__} | dict(record.versions)
    lines = [*(f"- {key}: {code(version)}" for key, version in (versions | record.tunables).items()), ""]
    yield from _details("Versions and settings", lines, say, count=len(lines) - 1)


def _details(title: str, lines: "Iterator[str] | list[str]", say: Say, *, count: int) -> Iterator[str]:
    if count:
        yield from (f"<details><summary>{say(title)} ({count})</summary>", "", *lines, "</details>", "")


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield _row(head)
    yield _row(["---"] * len(head))
    yield from (_row(row) for row in rows)
    yield ""


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def escaped(text: str) -> str:
    """Text that GitHub shows as it is, on one line. A mention or a reference is broken by a character of no width."""
    line = " ".join(elements.clean(text).split())
    line = re.sub(r"([\\`*_{}\[\]<|~$])", r"\\\1", line).replace("&", "&amp;")
    return re.sub(r"[@#](?=\w)|\b(?:https?|ftp|mailto):|www\.", lambda m: f"{m[0]}\u200b", line, flags=re.I)


def code(text: str) -> str:
    """A span of code, whatever quotes are in it; in a table, a bar has to be escaped even there."""
    line = " ".join(elements.clean(text).split()).replace("|", "\\|")
    if not line:
        return ""
    longest = max((len(ticks) for ticks in re.findall("`+", line)), default=0)
    fence, blank = "`" * (longest + 1), " " if "`" in line else ""
    return f"{fence}{blank}{line}{blank}{fence}"
