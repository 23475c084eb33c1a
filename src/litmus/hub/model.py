"""What a hub offers, wherever it comes from: the model behind the pages, the API and the command line. Pure data.

Our own hub is made from the declarations in ``experiments/`` (``ours``), and those of other packages; a custom hub is
read from a folder that came from Git or a zip (``reading``). Whoever shows or serves a hub needs not know which.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from litmus.experiments.declaration import Experiment, Permission

OURS = "litmus"  # the name of the built-in hub


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a file of a chart. ``line`` counts from 1; 0 where the file as a whole is meant.

    A warning keeps nobody from using the chart: ``lint`` says it, and a hub that is shown does not.
    """

    file: str
    line: int
    message: str
    warning: bool = False

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {'warning: ' if self.warning else ''}{self.message}"


@dataclass(frozen=True, slots=True)
class Link:
    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Maintainer:
    name: str
    email: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A tunable as a page shows it. ``value`` is what the ChaosExperiment sets, None where it does not list it."""

    name: str
    value: str | None
    default: str = ""
    unit: str = ""
    allowed: str = ""
    help: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """One experiment of a hub. ``problems`` is not empty for one that is listed but can't be used."""

    group: str
    name: str
    title: str
    help: str
    version: str = ""
    scope: Literal["Namespaced", "Cluster", ""] = ""
    keywords: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    maturity: str = ""
    chaos_type: str = ""
    maintainers: tuple[Maintainer, ...] = ()
    links: tuple[Link, ...] = ()
    variables: tuple[Variable, ...] = ()
    permissions: tuple[Permission, ...] = ()
    privileges: tuple[str, ...] = ()
    # Why it answers Error on the sandbox; '' if it runs there; None if nobody knows (charts of others).
    sandbox: str | None = None
    problems: tuple[Problem, ...] = ()
    # Paths in the hub, as ``?file=`` takes them; '' where the hub has no such file.
    experiment_file: str = ""
    rbac_file: str = ""
    engine_file: str = ""
    icon_file: str = ""
    # The declaration of an experiment that this Python knows; None for charts of others.
    declared: Experiment | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A category with its charts, in the order in which they are shown."""

    name: str
    title: str
    help: str
    charts: tuple[Chart, ...]
    bundle_file: str = ""  # all its ChaosExperiments in one file
    icon_file: str = ""
    version: str = ""
    maintainers: tuple[Maintainer, ...] = ()
    links: tuple[Link, ...] = ()
    keywords: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Hub:
    """A hub at one state. ``files`` has every file that may be fetched, by its path in the hub."""

    name: str
    source: str  # where it comes from, for people: a URL without secrets, a path, or 'this installation'
    groups: tuple[Group, ...]
    files: Mapping[str, bytes] = field(repr=False)
    problems: tuple[Problem, ...] = ()  # of the hub as a whole; for instance a sync that failed
    revision: str = ""  # the commit or the release
    synced: str = ""  # when it was fetched, RFC 3339; '' for ours

    def charts(self) -> Iterator[Chart]:
        for group in self.groups:
            yield from group.charts

    def group(self, name: str) -> Group | None:
        return next((group for group in self.groups if group.name == name), None)

    def chart(self, group: str, name: str) -> Chart | None:
        found = self.group(group)
        return next((chart for chart in found.charts if chart.name == name), None) if found else None
