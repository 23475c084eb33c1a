"""``litmus hub list`` and ``show``: the experiments of a hub on a terminal and for programs."""

import json as json_
import os
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from litmus.experiments.declaration import Experiment
from litmus.hub import model, story, translations
from litmus.tutorial import texts

from . import failures, hubs, terminal

Json = Annotated[bool, Parameter(help="Print JSON.", negative="")]
Lang = Annotated[
    Literal["en", "ja"] | None, Parameter(help="Language; else that of LC_ALL or LANG.", show_default=False)
]


def list_(
    *,
    category: Annotated[str, Parameter(help="Only the experiments of this category.", show_default=False)] = "",
    search: Annotated[
        str, Parameter(help="Only those with all of these words in their name, text or keywords.", show_default=False)
    ] = "",
    hub: hubs.Hub = "",
    lang: Lang = None,
    json: Json = False,
) -> int:
    """List the experiments of a hub."""
    found = hubs.named(hub)
    if category and not found.group(category):
        known = [group.name for group in found.groups]
        raise failures.Misused(f"--category: {hubs.called(found)} has no {category!r}{hubs.closest(category, known)}")
    groups = [group for group in found.groups if category in ("", group.name)]
    say = _saying(lang)
    shown = [(group, matching(group, search, say=say)) for group in groups]
    if json:
        print(_json([_summary(chart) for _, charts in shown for chart in charts]))
        return 0
    for problem in (*found.problems, *(problem for group in groups for problem in group.problems)):
        terminal.warn(f"{hubs.called(found)}: {problem}")
    lines_ = list(listing([(group, charts) for group, charts in shown if charts], say=say))
    missing = f"experiment with {search!r}" if search else "experiments"
    print("\n".join(lines_) if lines_ else f"{hubs.called(found, first=True)} has no {missing}.")
    return 0


def show(
    experiment: Annotated[str, Parameter(help="Its name, for instance pod-delete; else GROUP/NAME.")],
    *,
    hub: hubs.Hub = "",
    lang: Lang = None,
    json: Json = False,
) -> int:
    """Show what an experiment does, what it needs, and its tunables."""
    found = hubs.find(hubs.named(hub), experiment)
    print(_json(_everything(found)) if json else "\n".join(page(found, width=terminal.width(), say=_saying(lang))))
    return 0


def matching(group: model.Group, search: str, *, say: story.Say = str) -> list[model.Chart]:
    """The group's experiments that have every word of the search somewhere, in English or as shown, by their names."""
    words = search.casefold().split()

    def text(chart: model.Chart) -> str:
        english = (group.name, group.title, chart.name, chart.title, chart.help, *chart.keywords)
        return " ".join((*english, *(say(word) for word in english))).casefold()

    return sorted((c for c in group.charts if all(word in text(c) for word in words)), key=lambda chart: chart.name)


def listing(
    groups: Sequence[tuple[model.Group, Sequence[model.Chart]]], *, say: story.Say = str, width: int = 0
) -> Iterator[str]:
    """The experiments with one sentence each, and the groups above them where there are several."""
    indent = "  " if len(groups) > 1 else ""
    column = max((len(chart.name) for _, charts in groups for chart in charts), default=0) + 2
    for number, (group, charts) in enumerate(groups):
        if len(groups) > 1:
            yield from ([""] if number else [])
            yield f"{say(group.title)} ({group.name}):"
        for chart in charts:
            mark = indent + chart.name.ljust(column)
            rest = indent + " " * column
            said = f"✗ {'; '.join(map(str, chart.problems))}" if chart.problems else say(chart.help)
            yield from terminal.wrapped(mark, said, rest=rest, width=width or terminal.width())


def page(chart: model.Chart, *, width: int, say: story.Say = str) -> Iterator[str]:
    """All about an experiment of any hub."""
    if chart.declared:
        yield from lines(chart.declared, width=width, say=say)
        return
    yield from terminal.wrapped(f"{chart.name}: ", chart.help, rest="", width=width)
    for problem in chart.problems:
        yield from terminal.wrapped("✗ ", str(problem), rest="  ", width=width)
    yield ""
    facts = {
        "Title": chart.title,
        "Category": chart.group,
        "Version": chart.version,
        "Scope": chart.scope,
        "Platforms": ", ".join(chart.platforms),
        "Maturity": chart.maturity,
        "Keywords": ", ".join(chart.keywords),
        "Maintainers": ", ".join(f"{who.name} <{who.email}>" if who.email else who.name for who in chart.maintainers),
        "Links": ", ".join(link.url for link in chart.links),
    }
    for name, fact in facts.items():
        if fact:
            yield from terminal.wrapped(f"{say(name)}: ", fact, rest="  ", width=width)
    yield from _tunables(chart.variables, width=width, say=say)


def lines(experiment: Experiment, *, width: int, say: story.Say = str) -> Iterator[str]:
    """All about an experiment that this installation has."""
    yield from terminal.wrapped(f"{experiment.name}: ", say(experiment.help), rest="", width=width)
    yield ""
    for name, fact in story.facts(experiment, say=say).items():
        yield from terminal.wrapped(f"{name}: ", fact, rest="  ", width=width)
    variables = [
        model.Variable(name=t.name, value=t.chart, default=t.default, unit=t.unit, allowed=t.allowed, help=t.help)
        for t in experiment.all_tunables()
        if not t.unneeded
    ]
    yield from _tunables(variables, width=width, say=say)


def _tunables(variables: Iterable[model.Variable], *, width: int, say: story.Say) -> Iterator[str]:
    every = list(variables)
    if every:
        yield ""
        yield say("Tunables, as variables of the engine:")
    for variable in every:
        value = variable.default if variable.value is None else variable.value
        yield f"  {variable.name}={value}{f'  ({say(variable.unit)})' if variable.unit else ''}"
        yield from terminal.wrapped("      ", story.explained(variable, say=say), rest="      ", width=width)


def _saying(lang: str | None) -> story.Say:
    return partial(translations.translate, lang or texts.wanted(os.environ))


def _summary(chart: model.Chart) -> dict[str, Any]:
    return {
        "name": chart.name,
        "chart": chart.group,
        "title": chart.title,
        "scope": chart.scope,
        "help": chart.help,
        "privileges": list(chart.privileges),
        "sandbox": chart.sandbox,
        "problems": [str(problem) for problem in chart.problems],
    }


def _everything(chart: model.Chart) -> dict[str, Any]:
    declared = chart.declared
    told = {"proof": declared.proof, "undo": declared.undo} if declared else {}
    tunables = [
        {"name": v.name, "unit": v.unit, "default": v.default, "chart": v.value, "allowed": v.allowed, "help": v.help}
        for v in chart.variables
    ]
    return _summary(chart) | told | {"tunables": tunables}


def _json(content: Any) -> str:
    return json_.dumps(content, indent=2, ensure_ascii=False)
