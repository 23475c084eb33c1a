"""Our own hub: what this installation offers, made of the declarations, those of other packages included.

A file is written when somebody asks for it and then kept, so that a hub for another image or namespace costs next to
nothing. An experiment of another package is foreign code: its files are tried once at the start, and one that can't be
used is listed with its problem instead of taking the others with it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

from litmus import __version__
from litmus.experiments import catalogue
from litmus.experiments.declaration import Experiment

from . import categories, charts, icons, metadata, model

SOURCE = "this installation"
CHICK = "icons/chick.svg"  # the sign of the hub itself


class Files(Mapping[str, bytes]):
    """The files by their paths, each written once, when it is asked for."""

    def __init__(self, writers: Mapping[str, Callable[[], str]]) -> None:
        self._writers = writers
        self._written: dict[str, bytes] = {}

    def __getitem__(self, path: str) -> bytes:
        if path not in self._written:
            self._written[path] = self._writers[path]().encode()
        return self._written[path]

    def __contains__(self, path: object) -> bool:
        return path in self._writers

    def __iter__(self) -> Iterator[str]:
        return iter(self._writers)

    def __len__(self) -> int:
        return len(self._writers)


def hub(
    *, image: str = charts.DEFAULT_IMAGE, namespace: str = "", experiments: Iterable[Experiment] | None = None
) -> model.Hub:
    """The hub. ``image`` is what its ChaosExperiments name, ``namespace`` goes into the files that may carry one.

    ``experiments`` are all that are installed unless they are given.
    """
    offered, unusable = catalogue.offered() if experiments is None else (list(experiments), [])
    usable, broken = _tried(offered)
    broken += [_unusable(entry.name, entry.reason) for entry in unusable]
    files = {**charts.table(usable, image=image, namespace=namespace), CHICK: icons.chick}
    listed: dict[str, list[model.Chart]] = {}
    for experiment in usable:
        listed.setdefault(experiment.chart, []).append(_chart(experiment))
    for chart in broken:
        listed.setdefault(chart.group, []).append(chart)
    return model.Hub(
        name=model.OURS,
        source=SOURCE,
        groups=tuple(_group(name, members, files) for name, members in listed.items()),
        files=Files(files),
        revision=__version__,
    )


def groups() -> Mapping[str, categories.Category]:
    """The texts of every category with a text of its own."""
    return categories.KNOWN


def _tried(experiments: Iterable[Experiment]) -> tuple[list[Experiment], list[model.Chart]]:
    """Those whose files can be written, and the others, with why not."""
    usable: list[Experiment] = []
    broken: list[model.Chart] = []
    for experiment in experiments:
        try:
            if not _is_ours(experiment):
                files = charts.table([experiment])
                _chart(experiment)
                for write in files.values():
                    write()
            usable.append(experiment)
        except Exception as error:  # noqa: BLE001  # foreign code may have declared anything
            reason = f"its declaration can't be written as a chart: {type(error).__name__}: {error}"
            broken.append(_unusable(experiment.name, f"the experiment {experiment.name!r}: {reason}"))
    return usable, broken


def _is_ours(experiment: Experiment) -> bool:
    return type(experiment).__module__.startswith("litmus.")


def _unusable(name: str, reason: str) -> model.Chart:
    problem = model.Problem(f"entry point {catalogue.ENTRY_POINTS}: {name}", 0, reason)
    return model.Chart(
        group=categories.UNUSABLE,
        name=name,
        title=name,
        help="This experiment is installed and can't be used.",
        problems=(problem,),
    )


def _group(name: str, members: list[model.Chart], files: Mapping[str, object]) -> model.Group:
    texts = categories.category(name)

    def existing(path: str) -> str:
        return path if path in files else ""

    return model.Group(
        name=name,
        title=texts.title,
        help=texts.help,
        charts=tuple(members),
        bundle_file=existing(f"charts/{name}/{charts.BUNDLE}"),
        icon_file=existing(metadata.icon_path(name, name)),
        version=__version__,
        links=tuple(model.Link(*link) for link in texts.links),
        keywords=texts.keywords,
    )


def _chart(experiment: Experiment) -> model.Chart:
    folder = f"charts/{experiment.chart}/{experiment.name}"
    return model.Chart(
        group=experiment.chart,
        name=experiment.name,
        title=experiment.title,
        help=experiment.help,
        version=__version__,
        scope=experiment.scope,
        keywords=tuple(experiment.keywords),
        platforms=tuple(experiment.platforms),
        maturity=experiment.maturity,
        chaos_type=experiment.chaos_type,
        maintainers=tuple(model.Maintainer(name, mail) for name, mail in metadata.maintainers(experiment).items()),
        links=tuple(model.Link(name, url) for name, url in experiment.links.items()),
        variables=tuple(
            model.Variable(
                name=tunable.name,
                value=tunable.chart,
                default=tunable.default,
                unit=tunable.unit,
                allowed=tunable.allowed,
                help=tunable.help,
            )
            for tunable in experiment.all_tunables()
            if not tunable.unneeded
        ),
        permissions=tuple(experiment.permissions),
        privileges=experiment.privileges,
        sandbox=experiment.sandbox,
        experiment_file=f"{folder}/experiment.yaml",
        rbac_file=f"{folder}/rbac.yaml",
        engine_file=f"{folder}/engine.yaml",
        icon_file=metadata.icon_path(experiment.chart, experiment.name),
        declared=experiment,
    )
