"""What ``litmus hub lint`` and every sync check of charts: file, line and a sentence that says what to do.

A path in a problem is relative to what was checked: to the hub, or to the folder that ``lint`` was given. A problem is
what keeps the chart from being used; a warning is what its author should know.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from . import layout, manifest_checks, tree
from .layout import ChartPlace, GroupPlace
from .model import Problem
from .tree import Tree


class NoCharts(Exception):
    """There is nothing to check. The sentence says what was looked for."""


def folder(path: Path) -> list[Problem]:
    """Everything that is wrong with a hub, a group or a single chart in a folder. Raises NoCharts."""
    if not path.is_dir():
        raise NoCharts(f"{path} is no folder; name one with charts")
    place = path.resolve()
    if place.name in tree.ROOTS:  # all groups of the hub around it
        top = f"{place.name}/"
        return [replace(p, file=p.file.removeprefix(top)) for p in folder(place.parent) if p.file.startswith(top)]
    if any((path / root).is_dir() for root in tree.ROOTS):
        files = tree.read(path)
        if layout.groups(_all_paths(files)) or files.problems:
            return hub(files)
    else:
        files = tree.read_all(path)
        paths = _all_paths(files)
        if layout.is_chart(paths):
            icon = _icon_beside(path, place.name)
            single = layout.chart("", set(paths), group=place.parent.name, name=place.name)
            return _sorted([*chart(files, single), *icon])
        whole = layout.group("", paths, name=place.name)
        if whole.charts:
            return _sorted([*group(files, whole), *(p for c in whole.charts for p in chart(files, c))])
    raise NoCharts(
        f"{path} has no charts: neither a folder charts/ or faults/ with groups, nor experiment.yaml or fault.yaml"
    )


def hub(files: Tree) -> list[Problem]:
    """Everything that is wrong with a hub."""
    groups = layout.groups(_all_paths(files))
    found = [problem for place in groups for problem in group(files, place)]
    found += [problem for place in groups for member in place.charts for problem in chart(files, member)]
    return _sorted([*found, *beside(files, groups)])


def beside(files: Tree, groups: list[GroupPlace]) -> Iterator[Problem]:
    """What is wrong outside of all groups, and names under which nothing is found."""
    yield from (p for p in files.problems if not any(place.has(p.file) for place in groups))
    strange = set()
    for path in files.files:
        _, *folders = path.split("/")[:-1]
        for number, name in enumerate(folders[:2]):
            if not layout.is_name(name):
                strange.add("/".join(path.split("/")[: number + 2]))
    for place in sorted(strange):
        yield Problem(place, 0, "this name can't be one of a group or a chart: letters, digits and -._ only")


def group(files: Tree, place: GroupPlace) -> Iterator[Problem]:
    """What is wrong with a group, without its charts."""
    yield from (p for p in files.problems if _of_group(place, p.file))
    if _there(files, place.metadata):
        yield from manifest_checks.metadata(files, place.metadata, name=place.name)
    else:
        yield from _missing(files, place.metadata, "it describes the group")
    if _there(files, place.package):
        yield from manifest_checks.package(files, place.package, name=place.name, charts=place.charts)
    else:
        yield from _missing(files, place.package, "it lists the charts of the group")
    if place.bundle and _there(files, place.bundle):
        yield from manifest_checks.bundle(files, place.bundle, charts=place.charts)


def chart(files: Tree, place: ChartPlace) -> Iterator[Problem]:
    """What is wrong with a chart."""
    yield from (p for p in files.problems if _of_chart(place, p.file))
    if _there(files, place.experiment):
        yield from manifest_checks.experiment(files, place.experiment, name=place.name)
    else:
        yield from _missing(files, place.experiment, "it is the experiment itself")
    if _there(files, place.engine):
        yield from manifest_checks.engine(files, place.engine, name=place.name)
    else:
        yield from _missing(files, place.engine, "it is the engine to start from")
    if _there(files, place.metadata):
        yield from manifest_checks.metadata(files, place.metadata, name=place.name)
    else:
        yield from _missing(files, place.metadata, "it describes the chart")
    if _there(files, place.rbac):
        yield from manifest_checks.rbac(files, place.rbac)
    elif place.rbac_needed:
        yield from _missing(files, place.rbac, "it has the service account and its rights")


def _there(files: Tree, path: str) -> bool:
    return path in files.files


def _missing(files: Tree, path: str, why: str) -> Iterator[Problem]:
    if path not in {problem.file for problem in files.problems}:  # else it is there, and was refused
        yield Problem(path, 0, f"missing; {why}")


def _of_chart(place: ChartPlace, file: str) -> bool:
    prefix = f"{place.folder}/" if place.folder else ""
    group = place.folder.rpartition("/")[0]
    icons = f"{group}/icons/" if group else "icons/"
    return (file.startswith(prefix) and file.rpartition("/")[0] != "icons") or (
        file.startswith(icons) and file.removeprefix(icons).rpartition(".")[0] == place.name
    )


def _of_group(place: GroupPlace, file: str) -> bool:
    return (not place.folder or place.has(file)) and not any(_of_chart(chart, file) for chart in place.charts)


def _icon_beside(path: Path, name: str) -> list[Problem]:
    """The icon of a single chart is in the folder of its group."""
    icons = path.resolve().parent / "icons"
    if not icons.is_dir():
        return []
    found = tree.read_all(icons).problems
    return [Problem(f"../icons/{p.file}", p.line, p.message) for p in found if p.file.rpartition(".")[0] == name]


def _all_paths(files: Tree) -> list[str]:
    """Refused files, too: the chart that they belong to is there."""
    return [*files.files, *(problem.file for problem in files.problems)]


def _sorted(problems: list[Problem]) -> list[Problem]:
    return sorted(dict.fromkeys(problems), key=lambda p: (p.file, p.line, p.message))
