"""What the templates show: cards, and the parts of the page about one experiment. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from litmus.experiments.declaration import USED_BY_EVERY_RUN, Permission
from litmus.hub import diagrams, model, story

from . import finding, markdown
from .visits import Visit


@dataclass(frozen=True, slots=True)
class Card:
    """A chart in a list, and whether it is among what the visitor looks for."""

    chart: model.Chart
    title: str
    help: str
    group_title: str
    traits: finding.Traits
    shown: bool


@dataclass(frozen=True, slots=True)
class Option:
    """A value of a filter with its name and how many charts have it."""

    value: str
    title: str
    count: int


@dataclass(frozen=True, slots=True)
class Run:
    """The steps of a run by their phase; numbers go through."""

    heading: str
    start: int
    steps: list[Markup]


def cards(groups: Iterable[model.Group], wish: finding.Wish, visit: Visit) -> list[Card]:
    """All charts of the groups."""
    return [card(chart, group, wish, visit) for group in groups for chart in group.charts]


def card(chart: model.Chart, group: model.Group, wish: finding.Wish, visit: Visit) -> Card:
    """One chart. Its words can be found in English too, whichever the language of the page."""
    title, group_title = visit.say(chart.title), visit.say(group.title)
    words = markdown.plain(visit.say(chart.help))
    keywords = [word for keyword in chart.keywords for word in (keyword, visit.say(keyword))]
    text = (chart.name, chart.title, title, group.name, group.title, group_title, chart.help, words)
    found = finding.Traits(
        text=finding.plain(" ".join(dict.fromkeys((*text, *keywords)))),
        group=group.name,
        privileges="yes" if chart.privileges else "no",
        sandbox="" if chart.sandbox is None else "no" if chart.sandbox else "yes",
        platforms=chart.platforms,
    )
    return Card(chart, title or chart.name, words, group_title or group.name, found, wish.finds(found))


def groups(found: Iterable[model.Group], visit: Visit) -> list[Option]:
    """The categories as values of a filter."""
    return [Option(group.name, visit.say(group.title) or group.name, len(group.charts)) for group in found]


def platforms(found: Sequence[Card]) -> list[Option]:
    """The platforms that the charts name, in the order of their names."""
    counted: dict[str, int] = {}
    for card in found:
        for platform in card.traits.platforms:
            counted[platform] = counted.get(platform, 0) + 1
    return [Option(name, name, counted[name]) for name in sorted(counted, key=str.lower)]


def runs(chart: model.Chart, visit: Visit) -> list[Run]:
    """What a run does before, during and after the chaos; nothing for an experiment that we don't know."""
    if chart.declared is None:
        return []
    headings = {"before": "Before the chaos", "during": "During the chaos", "after": "After the chaos"}
    steps = story.steps(chart.declared, say=visit.say)
    found, start = [], 1
    for phase, heading in headings.items():
        texts = [markdown.inline(step.text) for step in steps if step.phase == phase]
        found.append(Run(visit.say(heading), start, texts))
        start += len(texts)
    return found


def health_checks(chart: model.Chart, visit: Visit) -> Markup:
    """Which steps an engine may leave out."""
    if chart.declared is None:
        return Markup()
    first, last = story.health_checks(story.steps(chart.declared))
    sentence = "`defaultHealthCheck: false` in the engine leaves out steps {first} and {last}."
    return markdown.inline(visit.say(sentence, first=first, last=last))


def diagram(chart: model.Chart, visit: Visit) -> Markup:
    """What breaks where. It is drawn by us, and for experiments that are declared only."""
    return Markup(diagrams.diagram(chart.declared, visit.lang)) if chart.declared else Markup()


def privileges(chart: model.Chart, visit: Visit) -> list[tuple[str, Markup]]:
    """Each privilege of the helper pods, and what for."""
    return [(name, markdown.inline(visit.say(story.PRIVILEGES.get(name, "")))) for name in chart.privileges]


def used(chart: model.Chart) -> list[Permission]:
    """What a run asks for of its account; nothing where we don't know."""
    return [*USED_BY_EVERY_RUN, *chart.declared.all_uses] if chart.declared else []


def variable_help(variable: model.Variable, visit: Visit) -> str:
    """What a tunable means and what it may be."""
    return story.explained(variable, say=visit.say)


def links(found: Iterable[model.Link]) -> list[model.Link]:
    """Those that a page may lead to."""
    return [model.Link(link.name or url, url) for link in found if (url := markdown.safe_url(link.url))]
