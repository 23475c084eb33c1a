"""What came of a search: a curve in the terminal with the margin in words, and the same as JSON."""

from collections.abc import Iterator
from typing import Any, TextIO

import msgspec

from litmus.api.impact import Figure

from .asking import Question, text
from .search import Measured, Search

_BAR = 32
_COLOURS = {"held": "green", "broken": "red", "unclear": "yellow"}
_ENDED = {
    "deadline": "The deadline came before the search was done.",
    "stopped": "The search was stopped before it was done.",
    "errors": "The search was given up, because its last run was an Error: {why}",
}


def show(search: Search, *, stream: TextIO, width: int) -> None:
    """The curve and what it means; colours only on a terminal."""
    from rich.console import Console
    from rich.padding import Padding
    from rich.table import Table

    console = Console(file=stream, width=width, highlight=False, emoji=False)
    if search.runs:
        table = Table.grid(padding=(0, 2))
        table.add_column(justify="right")
        longest = max((run.observed.value or 0.0 for run in search.runs), default=0.0)
        for run in sorted(search.runs, key=lambda each: each.value):
            bar, colour = _bar(run.observed, longest), _COLOURS[run.answer]
            word = "held (as measured)" if run.answer == "held" and not run.sure else run.answer
            table.add_row(_with_unit(search.question, run.value), f"[{colour}]{bar}[/]", _figure(run), word)
        console.print(f"\n{search.question.tunable}: {search.question.asked}?\n", markup=False)
        console.print(Padding(table, (0, 0, 1, 2)))
    for line in sentences(search):
        console.print(line, markup=False)


def sentences(search: Search) -> Iterator[str]:
    """What is known, what it leaves open, and what was assumed."""
    found, question = search.bracket, search.question
    runs = f"{found.runs} run{'' if found.runs == 1 else 's'}"
    if search.ended:
        yield _ENDED[search.ended].format(why=search.runs[-1].why if search.runs else "")
    held = None if found.held is None else _with_unit(question, found.held)
    broken = None if found.broken is None else _with_unit(question, found.broken)
    if held and broken:
        yield f"{question.asked} held up to {held} and broke at {broken} ({runs})."
    elif held:
        yield f"{question.asked} held at {held}, the most that was tried, and never broke ({runs})."
    elif broken:
        if found.broken == question.search.low:
            yield f"{question.asked} broke already at {broken}, the least that was tried ({runs})."
        else:
            yield f"{question.asked} broke at {broken}, and nothing milder was seen to hold ({runs})."
    else:
        yield f"Nothing is known: no run was sure ({runs})."
    yield from _margin(search)
    if question.criterion and (held or broken):
        yield _certainty(search, held=held, broken=broken)
    if found.unclear:
        listed = ", ".join(_with_unit(question, value) for value in found.unclear)
        yield f"Unclear stayed {listed}; a longer chaos or a higher rate of the probe would tell."
    if held and broken:
        yield "It is assumed that more is never better: nothing was tried below what held or above what broke."


def _certainty(search: Search, *, held: str | None, broken: str | None) -> str:
    found = search.bracket
    sure = f"at least {100 * found.confidence:.0f} % sure over all runs"
    if held is None or (held and found.sure):
        return f"This is {sure}."
    measured = f"That it holds at {held} is what was measured; its interval reaches beyond the limit."
    return f"That it breaks at {broken} is {sure}. {measured}" if broken else measured


def _margin(search: Search) -> Iterator[str]:
    """How far what the engine asks for by itself is from where it breaks."""
    found, own = search.bracket, search.question.own
    if own is None or found.held is None or own > found.held:
        return
    least, most = found.held - own, None if found.broken is None else found.broken - own
    span = f"{text(least)} to {_with_unit(search.question, most)}" if most else _with_unit(search.question, least)
    factor = f", {found.held / own:.3g} times as much" if own > 0 else ""
    yield (
        f"The engine itself asks for {_with_unit(search.question, own)}: "
        f"a margin of {'' if most else 'at least '}{span}{factor}."
    )


def as_json(search: Search) -> dict[str, Any]:
    """The same for programs."""
    question, found = search.question, search.bracket
    return {
        "engine": question.engine.metadata.name,
        "namespace": question.engine.metadata.namespace,
        "experiment": question.entry.name,
        "tunable": question.tunable,
        "unit": question.unit,
        "until": question.criterion.name if question.criterion else "verdict",
        "asked": question.criterion.asked if question.criterion else "Pass",
        "from": question.search.low,
        "to": question.search.high,
        "own": question.own,
        "held": found.held,
        "heldIsSure": found.held is not None and found.sure,
        "broken": found.broken,
        "unclear": list(found.unclear),
        "confidence": round(found.confidence, 6) if question.criterion else None,
        "ended": search.ended or "done",
        "runs": [_run(each) for each in search.runs],
    }


def _run(run: Measured) -> dict[str, Any]:
    return {
        "value": run.value,
        "engine": run.engine,
        "verdict": run.verdict,
        "answer": run.answer,
        "sure": run.sure,
        "observed": msgspec.to_builtins(run.observed),
        "why": run.why,
        "seconds": round(run.took_s, 1),
    }


def _bar(figure: Figure, longest: float) -> str:
    """Percentages against a hundred, everything else against the largest."""
    full = 100.0 if figure.unit == "%" else longest
    if figure.value is None or full <= 0:
        return ""
    return "█" * round(_BAR * figure.value / full) or "▏"


def _figure(run: Measured) -> str:
    seen = run.observed
    if seen.value is None:
        return seen.note or run.verdict
    bounds = [f"{bound:.4g}" if bound is not None else "?" for bound in (seen.low, seen.high)]
    return f"{seen.value:.4g} {seen.unit} ({' to '.join(bounds)})"


def _with_unit(question: Question, value: float) -> str:
    return f"{text(value)} {question.unit}".strip()
