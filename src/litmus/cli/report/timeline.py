"""The timeline of a report: a bar of the run's phases, and everything that has a time below it."""

from . import moments, sections, wording
from .elements import Element, node
from .record import Record
from .wording import Say

_MOST = 400
_NAMES = {"before": "checks before", "ramp": "ramp", "chaos": "chaos", "after": "recovery and checks"}


def section(record: Record, say: Say) -> Element | None:
    """The bar and the list; None for a result without times."""
    found = moments.of(record, say)
    if not found:
        return None
    left_out = len(found) - _MOST
    more = say("{n} more are left out.").format(n=left_out) if left_out > 0 else None
    items = [
        node("li", sections.moment(m.at, day=False), node("span", m.text), class_=f"moment {m.sort}")
        for m in found[:_MOST]
    ]
    return node(
        "section",
        node("h2", say("Timeline")),
        _bar(record, say),
        node("ol", *items, class_="timeline"),
        node("p", more) if more else None,
    )


def _bar(record: Record, say: Say) -> Element | None:
    phases = moments.phases(record)
    if not phases:
        return None
    begun, ended = phases[0].start, phases[-1].end
    whole = (ended - begun).total_seconds() or 1.0

    def place(seconds: float) -> float:
        return 1000 * seconds / whole

    drawn = [
        node("rect", x=place((p.start - begun).total_seconds()), y=0, width=place(p.seconds), height=18, class_=p.name)
        for p in phases
    ]
    ticks = [
        node("rect", x=place((at - begun).total_seconds()) - 1, y=0, width=2, height=18, class_="tickmark")
        for at in moments.injections(record)
        if begun <= at <= ended
    ]
    said = ", ".join(f"{say(_NAMES[p.name])} {wording.span(p.seconds)}" for p in phases)
    names = [
        node("li", node("i", class_=f"key {p.name}"), f"{say(_NAMES[p.name])} ", node("b", wording.span(p.seconds)))
        for p in phases
    ]
    bar = node("svg", *drawn, *ticks, viewBox="0 0 1000 18", preserveAspectRatio="none", role="img", aria_label=said)
    return node("div", bar, node("ul", *names, class_="legend"), class_="phases")
