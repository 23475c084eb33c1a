"""Which hub a command means, and which of its experiments: what ``litmus hub`` has in common."""

import difflib
from collections.abc import Iterable, Sequence
from typing import Annotated

from cyclopts import Parameter

from litmus.hub import model

from . import failures, options

Hub = Annotated[
    str, Parameter(name="--hub", help="Which hub: the name of one that was added; else our own.", show_default=False)
]
Names = Annotated[str, Parameter(help="Names of experiments, for instance pod-delete; else GROUP/NAME.")]


def named(name: str, *, image: str = "", namespace: str = "") -> model.Hub:
    """The hub of that name, '' for ours. Raises Misused when there is none."""
    if name in ("", model.OURS):
        from litmus.hub import ours

        return ours.hub(image=options.image(image), namespace=namespace)
    from litmus.hub import custom

    try:
        return custom.hub(name)
    except custom.Misused as error:
        raise failures.Misused(str(error)) from error


def chosen(hub: model.Hub, names: Sequence[str]) -> list[model.Chart]:
    """The experiments of these names. Raises Misused for one that is not there, and for one that can't be used."""
    if not names:
        raise failures.Misused("name an experiment; litmus hub list shows them")
    found = [find(hub, name) for name in dict.fromkeys(names)]
    for chart in found:
        if chart.problems:
            raise failures.Failed(f"{chart.name} of {called(hub)} can't be used: {'; '.join(map(str, chart.problems))}")
    return found


def find(hub: model.Hub, name: str) -> model.Chart:
    """The experiment of that name, or of that GROUP/NAME. Raises Misused with all there is."""
    group, slash, plain = name.rpartition("/")
    found = [c for c in hub.charts() if c.name == plain and (not slash or c.group == group)]
    if len(found) > 1:
        both = ", ".join(f"{chart.group}/{chart.name}" for chart in found)
        raise failures.Misused(f"{called(hub)} has {name!r} more than once; name one of {both}")
    if found:
        return found[0]
    known = sorted({chart.name for chart in hub.charts()})
    if not known and hub.problems:
        raise failures.Failed(f"{called(hub)} has no experiments: {'; '.join(map(str, hub.problems))}")
    raise failures.Misused(f"there is no experiment {name!r} in {called(hub)}{closest(plain, known)}")


def called(hub: model.Hub, *, first: bool = False) -> str:
    """The hub in a sentence, or at its beginning."""
    the = "The" if first else "the"
    return f"{the} hub" if hub.name == model.OURS else f"{the} hub {hub.name}"


def content(hub: model.Hub, path: str) -> str:
    """The text of one of its files."""
    return hub.files[path].decode("utf-8")


def closest(word: str, known: Iterable[str]) -> str:
    """The end of a sentence that names what was probably meant, and all there is."""
    every = list(known)
    near = difflib.get_close_matches(word, every, n=1)
    hint = f"; did you mean {near[0]}?" if near else "."
    return f"{hint} Known: {', '.join(every) or 'none'}"
