"""Where the files of groups and charts stand in a hub, in either layout. Pure: it looks at paths only.

    charts/<group>/<name>/{experiment,rbac,engine}.yaml     1.10
    faults/<group>/<name>/{fault,engine}.yaml               3.x; rbac.yaml may be there

Beside the charts of a group: ``<group>.chartserviceversion.yaml``, ``<group>.package.yaml``, ``experiments.yaml``
and ``icons/``. A chart has ``<name>.chartserviceversion.yaml``, too.
"""

import re
from collections.abc import Iterable, Set
from dataclasses import dataclass

from .tree import ROOTS

METADATA = ".chartserviceversion.yaml"
PACKAGE = ".package.yaml"
BUNDLE = "experiments.yaml"
ENGINE = "engine.yaml"
RBAC = "rbac.yaml"

_EXPERIMENTS = {"charts": "experiment.yaml", "faults": "fault.yaml"}
_MAIN_FILES = frozenset({*_EXPERIMENTS.values(), ENGINE})
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,250}[A-Za-z0-9])?")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartPlace:
    """Where the files of a chart are or have to be. ``icon`` is '' where there is none."""

    group: str
    name: str
    folder: str
    experiment: str
    metadata: str
    engine: str
    rbac: str
    rbac_needed: bool
    icon: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupPlace:
    name: str
    folder: str
    metadata: str
    package: str
    bundle: str  # '' where there is none
    icon: str
    charts: tuple[ChartPlace, ...]

    def has(self, path: str) -> bool:
        """Whether a path stands in this group."""
        return path.startswith(f"{self.folder}/")


def groups(paths: Iterable[str]) -> list[GroupPlace]:
    """Every group of a hub, by name."""
    members: dict[tuple[str, str], set[str]] = {}
    for path in paths:
        root, _, rest = path.partition("/")
        name, _, file = rest.partition("/")
        if root in ROOTS and file and is_name(name):
            members.setdefault((root, name), set()).add(path)
    found = (group(f"{root}/{name}", inside) for (root, name), inside in sorted(members.items(), key=_by_name))
    return [place for place in found if place.charts or place.metadata in members[_key(place)]]


def group(folder: str, paths: Iterable[str], *, name: str = "") -> GroupPlace:
    """The group in a folder, whose name it has unless it is told. ``paths`` are those of the hub, or of the group."""
    prefix = f"{folder}/" if folder else ""
    own = {path.removeprefix(prefix) for path in paths if path.startswith(prefix)}
    name = name or folder.rpartition("/")[2]
    below: dict[str, set[str]] = {}
    for path in own:
        inner, _, file = path.partition("/")
        if file:
            below.setdefault(inner, set()).add(file)
    charts = [inner for inner, files in sorted(below.items()) if inner != "icons" and _is_chart(files)]
    return GroupPlace(
        name=name,
        folder=folder,
        metadata=prefix + _metadata(name, {path for path in own if "/" not in path}),
        package=f"{prefix}{name}{PACKAGE}",
        bundle=f"{prefix}{BUNDLE}" if BUNDLE in own else "",
        icon=_icon(prefix, name, own),
        charts=tuple(
            chart(f"{prefix}{inner}", below[inner], group=name, icon=_icon(prefix, inner, own))
            for inner in charts
            if is_name(inner)
        ),
    )


def chart(folder: str, files: Set[str], *, group: str, icon: str = "", name: str = "") -> ChartPlace:
    """The chart in a folder, whose name it has unless it is told. ``files`` are relative to the folder."""
    prefix = f"{folder}/" if folder else ""
    name = name or folder.rpartition("/")[2]
    recent = "fault.yaml" in files or (folder.startswith("faults/") and "experiment.yaml" not in files)
    return ChartPlace(
        group=group,
        name=name,
        folder=folder,
        experiment=f"{prefix}{_EXPERIMENTS['faults' if recent else 'charts']}",
        metadata=prefix + _metadata(name, {path for path in files if "/" not in path}),
        engine=f"{prefix}{ENGINE}",
        rbac=f"{prefix}{RBAC}",
        rbac_needed=not recent,
        icon=icon,
    )


def is_name(name: str) -> bool:
    """Whether a group or a chart may be called so."""
    return bool(_NAME.fullmatch(name))


def is_chart(paths: Iterable[str]) -> bool:
    """Whether a folder itself is a chart: ``paths`` are relative to it."""
    return bool(_MAIN_FILES & set(paths))


def _is_chart(files: Set[str]) -> bool:
    return is_chart(files) or any("/" not in file and file.endswith(METADATA) for file in files)


def _metadata(name: str, files: Set[str]) -> str:
    """The file by the name of the folder; else the only other one that stands there."""
    expected = f"{name}{METADATA}"
    others = [file for file in files if file.endswith(METADATA)]
    return others[0] if expected not in files and len(others) == 1 else expected


def _icon(prefix: str, name: str, own: Set[str]) -> str:
    candidates = (f"icons/{name}.{suffix}" for suffix in ("svg", "png"))
    return next((prefix + path for path in candidates if path in own), "")


def _by_name(item: tuple[tuple[str, str], set[str]]) -> tuple[str, str]:
    (root, name), _ = item
    return name, root


def _key(place: GroupPlace) -> tuple[str, str]:
    root, _, name = place.folder.partition("/")
    return root, name
