"""The parts of a report on one result: a heading with a table or a drawing each, None where there is nothing."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from litmus.api.impact import Figure, Signal, Window

from . import moments, plots, wording
from .elements import Element, node
from .record import IMAGE, KUBERNETES, LITMUS, Record
from .wording import Say

_WIDE, _NARROW = 980, 420
_JUDGED = {"met": "pass", "missed": "fail", "inconclusive": "open"}
_STATES = {"reverted": "pass", "moot": "open", "lost": "fail"}
_COMPARED = {"worse": "fail", "better": "pass", "no difference": "pass", "inconclusive": "open"}
_PROBED = {"Passed": "pass", "Failed": "fail"}

Cell = Element | str | None


def cards(record: Record, say: Say) -> Element | None:
    """The four numbers that a reader wants first."""
    impact = record.result.status.impact
    if impact is None or not impact.signals:
        return None
    signal = impact.signals[0]
    shown = [
        ("Availability during the chaos", signal.fault.availability, signal.baseline.availability),
        ("Time to recover", signal.time_to_recover, None),
        ("Longest outage", signal.longest_outage, None),
        ("Latency p95 during the chaos", signal.fault.latency_p95, signal.baseline.latency_p95),
    ]
    return node("div", *(_card(say(name), figure, before, say) for name, figure, before in shown), class_="cards")


def _card(name: str, figure: Figure, before: Figure | None, say: Say) -> Element:
    notes = [wording.interval(figure, say), figure.note]
    if before is not None and wording.value(before) != wording.NONE:
        notes.append(say("before: {figure}").format(figure=wording.value(before)))
    told = [node("small", note) for note in notes if note]
    return node("div", node("span", name), node("strong", wording.value(figure)), *told, class_="card")


def signals(record: Record, say: Say) -> list[Element]:
    """Each signal: the drawing, and its figures before, during and after the chaos."""
    impact = record.result.status.impact
    return [_signal(signal, record, say) for signal in impact.signals] if impact else []


def _signal(signal: Signal, record: Record, say: Say) -> Element:
    drawn: list[Cell] = []
    if signal.slices:
        marks = _marks(signal, record)
        wide = plots.plot(signal, marks, width=_WIDE, say=say)
        narrow = plots.plot(signal, marks, width=_NARROW, say=say)
        drawn = [node("div", wide, class_="wide"), node("div", narrow, class_="narrow"), _legend(signal, marks, say)]
    heading = node("h2", say("Signal: {probe}").format(probe=signal.probe))
    return node("section", heading, *drawn, _figures(signal, say))


def _marks(signal: Signal, record: Record) -> plots.Marks:
    origin = wording.when(signal.baseline.start)
    start, end = wording.when(signal.fault.start), wording.when(signal.fault.end)
    if origin is None or start is None or end is None:
        return plots.Marks()

    def after(at: datetime) -> float:
        return (at - origin).total_seconds()

    recovered = wording.when(signal.steady_at)
    return plots.Marks(
        zero=after(start),
        chaos=(after(start), after(end)),
        injections=tuple(after(at) for at in moments.injections(record)),
        recovered=after(recovered) if recovered else None,
    )


def _legend(signal: Signal, marks: plots.Marks, say: Say) -> Element:
    entries = [("good", "availability"), ("lost", "failed requests")]
    if any(piece.p95 is not None for piece in signal.slices):
        entries += [("p50", "latency p50"), ("p95", "latency p95")]
    if marks.chaos:
        entries.append(("band", "the chaos"))
    if marks.injections:
        entries.append(("arrow", "injection"))
    keys = [node("li", node("i", class_=f"key {key}"), say(text)) for key, text in entries]
    return node("ul", *keys, class_="legend")


def _figures(signal: Signal, say: Say) -> Element:
    windows = (signal.baseline, signal.fault, signal.recovery)
    read: list[tuple[str, Callable[[Window], Figure]]] = [
        ("Availability", lambda w: w.availability),
        ("Latency p50", lambda w: w.latency_p50),
        ("Latency p95", lambda w: w.latency_p95),
        ("Latency p99", lambda w: w.latency_p99),
    ]
    rows: list[Sequence[Cell]] = [[say("Requests"), *(f"{w.samples:,}" for w in windows)]]
    rows += [[say(name), *(_figure(get(window), say) for window in windows)] for name, get in read]
    if any(window.errors for window in windows):
        rows.append([say("Failures by kind"), *(_errors(window) for window in windows)])
    table = _table(("", "Before", "During the chaos", "After"), rows, say, class_="figures")
    whole = [
        ("Time to first impact", signal.time_to_impact),
        ("Time to recover", signal.time_to_recover),
        ("Longest outage", signal.longest_outage),
    ]
    facts = [item for name, figure in whole for item in (node("dt", say(name)), node("dd", _figure(figure, say)))]
    compared = _badge(say(signal.differs), _COMPARED[signal.differs])
    stated = node("small", say("error rate {alpha}").format(alpha=f"{signal.alpha:g}"))
    facts += [node("dt", say("Against the time before")), node("dd", compared, " ", stated)]
    return node("div", table, node("dl", *facts, class_="facts"))


def _errors(window: Window) -> str:
    counted = sorted(window.errors.items(), key=lambda item: -item[1])
    return ", ".join(f"{kind} {count:,}" for kind, count in counted) or wording.NONE


def _figure(figure: Figure, say: Say) -> Element:
    bounds = wording.interval(figure, say)
    notes: list[Cell] = [" ", node("small", f"({bounds})", class_="bounds")] if bounds else []
    notes += [" ", node("small", figure.note)] if figure.note else []
    return node("span", node("b", wording.value(figure)), *notes)


def criteria(record: Record, say: Say) -> Element | None:
    """What was asked, what was measured, and what would have met it."""
    impact = record.result.status.impact
    rows = [
        (
            node("b", wording.criterion(c, say)),
            node("code", c.asked),
            _figure(c.observed, say),
            _badge(say(c.judgement), _JUDGED[c.judgement]),
            c.explanation,
        )
        for c in (impact.criteria if impact else ())
    ]
    return _section("Criteria", ("Criterion", "Asked", "Measured", "Verdict", "Why"), rows, say, class_="criteria")


def targets(record: Record, say: Say) -> Element | None:
    """Who was hit, when, what was asked and what was delivered."""
    rows = [
        (
            node("span", node("b", t.name), f" / {t.container}" if t.container else "", node("small", f" {t.kind}")),
            t.node,
            moment(wording.when(t.injected_at), day=False),
            t.asked,
            t.delivered,
            _became(t.gone_after_seconds, t.replaced_by, t.ready_after_seconds, say),
        )
        for t in record.result.status.targets
    ]
    return _section("Targets", ("Target", "Node", "Hit at", "Asked", "Delivered", "What became of it"), rows, say)


def _became(gone_s: float | None, by: str | None, ready_s: float | None, say: Say) -> str:
    told = []
    if gone_s is not None:
        told.append(say("gone after {span}").format(span=wording.span(gone_s)))
    if by:
        told.append(say("replaced by {name}").format(name=by))
    if ready_s is not None:
        told.append(say("ready after {span}").format(span=wording.span(ready_s)))
    return ", ".join(told) or wording.NONE


def ledger(record: Record, say: Say) -> Element | None:
    """What was changed, and whether it was undone."""
    rows = [
        (
            node("b", f.mechanism),
            f.node,
            ", ".join(t.name for t in f.targets),
            _badge(say(f.state), _STATES.get(f.state, "open")),
            moment(wording.when(f.updated_at), day=False),
            f.message,
        )
        for f in record.result.status.faults
    ]
    return _section("Faults and their end", ("Mechanism", "Node", "Targets", "State", "Since", "Message"), rows, say)


def probes(record: Record, say: Say) -> Element | None:
    """Each probe, with the value observed, the one expected, and when."""
    status = record.result.status
    rows: list[Sequence[Cell]] = [
        (
            node("b", p.name),
            p.type,
            p.mode,
            _badge(p.status.verdict, _PROBED.get(p.status.verdict, "open")),
            p.status.description,
        )
        for p in status.probe_statuses
    ]
    known = {p.name for p in status.probe_statuses}
    for older in status.probe_status:
        if older.name not in known:
            told = "; ".join(f"{phase}: {text}" for phase, text in older.status.items())
            rows.append((node("b", older.name), older.type, "", "", told))
    return _section("Probes", ("Probe", "Type", "Mode", "Verdict", "Observed and expected"), rows, say)


def history(record: Record, say: Say) -> Element | None:
    """The runs before, the latest first."""
    rows: list[Sequence[Cell]] = [
        (
            str(run.number),
            _badge(run.verdict, _class(run.verdict)),
            moment(wording.when(run.started_at)),
            wording.lasted(run.started_at, run.finished_at),
            wording.NONE if run.availability is None else f"{wording.number(run.availability, '%')} %",
            wording.NONE if run.recovery_seconds is None else f"{wording.number(run.recovery_seconds, 's')} s",
            "" if run.fail_step in ("N/A", "") else run.fail_step,
        )
        for run in reversed(record.result.status.history.runs)
    ]
    head: Sequence[str] = ("Run", "Verdict", "Began", "Took", "Availability", "Recovery", "Why")
    if not any(row[-1] for row in rows):
        head, rows = head[:-1], [row[:-1] for row in rows]
    return _section("History of runs", head, rows, say, class_="runs")


def surroundings(record: Record, say: Say) -> Element:
    """Versions and settings: what somebody needs to do it again."""
    result = record.result
    names = {LITMUS: "litmus that wrote this report", KUBERNETES: "Kubernetes", IMAGE: "Image of the experiment"}
    facts = [(say(names.get(key, key)), node("code", version)) for key, version in record.versions.items()]
    facts += [(say("Result"), node("code", f"{result.metadata.namespace}/{record.name}"))]
    if result.status.run.pod:
        facts.append((say("Pod of the experiment"), node("code", result.status.run.pod)))
    facts += [(name, node("code", value)) for name, value in record.tunables.items()]
    pairs = [item for name, value in facts for item in (node("dt", name), node("dd", value))]
    return node("section", node("h2", say("Versions and settings")), node("dl", *pairs, class_="facts"))


def moment(at: datetime | None, *, day: bool = True) -> Element:
    """A time, as UTC; a script of the page adds the reader's own where scripts may run."""
    if at is None:
        return node("span", wording.NONE)
    return node("time", wording.utc(at, day=day), datetime=wording.utc(at).replace(" UTC", "Z").replace(" ", "T"))


def verdict(word: str) -> Element:
    """A verdict as a badge."""
    return _badge(word, _class(word))


def _class(word: str) -> str:
    return {"Pass": "pass", "Fail": "fail", "Error": "error"}.get(word, "open")


def _badge(word: str, kind: str) -> Element:
    return node("span", word, class_=f"badge {kind}")


def _section(
    title: str, head: Sequence[str], rows: Sequence[Sequence[Cell]], say: Say, class_: str = ""
) -> Element | None:
    return node("section", node("h2", say(title)), _table(head, rows, say, class_=class_)) if rows else None


def _table(head: Sequence[str], rows: Iterable[Sequence[Cell]], say: Say, class_: str = "") -> Element:
    """A table; on a phone its rows become lists, so each cell knows the name of its column."""
    names = [say(name) if name else "" for name in head]
    body = [
        node("tr", *(node("td", cell, data_name=name or None) for name, cell in zip(names, row, strict=True)))
        for row in rows
    ]
    headings = node("tr", *(node("th", name, scope="col") for name in names))
    table = node("table", node("thead", headings), node("tbody", *body), class_=class_ or None)
    return node("div", table, class_="scroll")
