"""A folder with charts as a hub: what others wrote, for the same pages, API and commands as our own.

Everything is read leniently, so that a broken chart is listed as well as it can be, with its problems, and hides no
other. Nothing is executed, no template evaluated, no address in a chart asked.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from litmus.api.yaml_text import Document
from litmus.experiments.declaration import Permission

from . import checking, layout, model, tree
from .layout import ChartPlace, GroupPlace
from .manifest_checks import entries, text
from .model import Problem
from .tree import Tree, Unreadable

_SCOPES: dict[str, Literal["Namespaced", "Cluster"]] = {"namespaced": "Namespaced", "cluster": "Cluster"}
_NOTHING = Document({}, None)


def hub(
    folder: Path,
    *,
    name: str,
    source: str,
    revision: str = "",
    synced: str = "",
    problems: Sequence[Problem] = (),
) -> model.Hub:
    """The hub in a folder of either layout, or of both. ``problems`` are what its reader knows already."""
    files = tree.read(folder)
    files.problems += problems
    places = layout.groups([*files.files, *(problem.file for problem in files.problems)])
    return model.Hub(
        name=name,
        source=source,
        groups=tuple(_group(files, place) for place in places),
        files=files.files,
        problems=_errors(checking.beside(files, places)),
        revision=revision,
        synced=synced,
    )


def _group(files: Tree, place: GroupPlace) -> model.Group:
    about = _first(files, place.metadata).value
    charts = [_chart(files, member) for member in place.charts]
    order = {name: number for number, name in enumerate(_listed(files, place, about))}
    charts.sort(key=lambda chart: (order.get(chart.name, len(order)), chart.name))
    return model.Group(
        name=place.name,
        title=text(about, "spec", "displayName").strip() or place.name,
        help=text(about, "spec", "categoryDescription").strip()
        or text(about, "metadata", "annotations", "chartDescription").strip(),
        charts=tuple(charts),
        bundle_file=_served(files, place.bundle),
        icon_file=_served(files, place.icon),
        version=_version(about),
        maintainers=_maintainers(about),
        links=_links(about),
        keywords=_words(about, "keywords"),
        problems=_errors(checking.group(files, place)),
    )


def _chart(files: Tree, place: ChartPlace) -> model.Chart:
    about = _first(files, place.metadata).value
    experiment = _first(files, place.experiment, kind="ChaosExperiment")
    lines = files.text_lines(place.experiment) if place.experiment in files.files else []
    scope = text(experiment.value, "spec", "definition", "scope").lower()
    return model.Chart(
        group=place.group,
        name=place.name,
        title=text(about, "spec", "displayName").strip() or place.name,
        help=text(about, "spec", "categoryDescription").strip()
        or text(experiment.value, "description", "message").strip(),
        version=_version(about),
        scope=_SCOPES.get(scope, ""),
        keywords=_words(about, "keywords"),
        platforms=_words(about, "platforms"),
        maturity=text(about, "spec", "maturity"),
        chaos_type=text(about, "spec", "chaosType"),
        maintainers=_maintainers(about),
        links=_links(about),
        variables=tuple(_variables(experiment, lines)),
        permissions=tuple(_permissions(experiment, lines)),
        privileges=tuple(_privileges(experiment.value)),
        problems=_errors(checking.chart(files, place)),
        experiment_file=_served(files, place.experiment),
        rbac_file=_served(files, place.rbac),
        engine_file=_served(files, place.engine),
        icon_file=_served(files, place.icon),
    )


def _errors(problems: Iterator[Problem]) -> tuple[Problem, ...]:
    return tuple(dict.fromkeys(problem for problem in problems if not problem.warning))


def _first(files: Tree, path: str, *, kind: str = "ChartServiceVersion") -> Document:
    """The first document of that kind; an empty one where there is none."""
    try:
        documents = files.documents(path) if path in files.files else []
    except Unreadable:
        documents = []
    return next((d for d in documents if isinstance(d.value, dict) and d.value.get("kind") == kind), _NOTHING)


def _served(files: Tree, path: str) -> str:
    return path if path in files.files else ""


def _listed(files: Tree, place: GroupPlace, about: Any) -> Iterator[str]:
    """The names of a group's charts in the order of its author."""
    for field in ("experiments", "faults"):
        for entry in entries(about, "spec", field):
            yield entry if isinstance(entry, str) else text(entry, "name")
    try:
        documents = files.documents(place.package) if place.package in files.files else []
    except Unreadable:
        return
    for document in documents:
        for field in ("experiments", "faults"):
            yield from (text(entry, "name") for entry in entries(document.value, field))


def _version(about: Any) -> str:
    metadata = about.get("metadata")
    version = metadata.get("version") if isinstance(metadata, dict) else None
    return str(version) if isinstance(version, str | int | float) else ""


def _words(about: Any, field: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in entries(about, "spec", field) if isinstance(word, str) and word.strip())


def _maintainers(about: Any) -> tuple[model.Maintainer, ...]:
    people = ((text(entry, "name"), text(entry, "email")) for entry in entries(about, "spec", "maintainers"))
    return tuple(model.Maintainer(name, email) for name, email in people if name or email)


def _links(about: Any) -> tuple[model.Link, ...]:
    """Addresses of the web only: a page makes links of them."""
    links = ((text(entry, "name"), text(entry, "url").strip()) for entry in entries(about, "spec", "links"))
    return tuple(model.Link(name or url, url) for name, url in links if url.startswith(("https://", "http://")))


def _variables(experiment: Document, lines: Sequence[str]) -> Iterator[model.Variable]:
    for number, entry in enumerate(entries(experiment.value, "spec", "definition", "env")):
        name = text(entry, "name")
        if name:
            value = entry.get("value")
            yield model.Variable(
                name=name,
                value=None if "valueFrom" in entry else _scalar(value),
                help=_comment(lines, experiment.line(f"spec.definition.env[{number}]")),
            )


def _scalar(value: object) -> str:
    """As an author meant it who forgot the quotes; an absent value is empty to Kubernetes."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) else ""


def _permissions(experiment: Document, lines: Sequence[str]) -> Iterator[Permission]:
    definition = experiment.value.get("spec", {}).get("definition", {}) if _is_whole(experiment.value) else {}
    rules = definition.get("permissions")
    for number, rule in enumerate([rules] if isinstance(rules, dict) else rules if isinstance(rules, list) else []):
        if isinstance(rule, dict):
            where = "spec.definition.permissions" + (f"[{number}]" if isinstance(rules, list) else "")
            groups, resources, verbs = (
                tuple(word for word in entries(rule, field) if isinstance(word, str))
                for field in ("apiGroups", "resources", "verbs")
            )
            reason = _comment(lines, experiment.line(where))
            yield Permission(groups=groups, resources=resources, verbs=verbs, reason=reason)


def _privileges(experiment: Any) -> Iterator[str]:
    """What the experiment's own pod needs of a node; what its helpers need stands nowhere."""
    definition = experiment["spec"]["definition"] if _is_whole(experiment) else {}
    if definition.get("hostPID") is True:
        yield "hostPID"
    for entry in entries(definition, "hostFileVolumes"):
        if text(entry, "nodePath"):
            yield f"hostPath {text(entry, 'nodePath')}"
    security = definition.get("securityContext")
    container = security.get("containerSecurityContext") if isinstance(security, dict) else None
    if isinstance(container, dict):
        if container.get("privileged") is True:
            yield "privileged"
        yield from (f"capability {word}" for word in entries(container, "capabilities", "add"))


def _is_whole(experiment: Any) -> bool:
    spec = experiment.get("spec")
    return isinstance(spec, dict) and isinstance(spec.get("definition"), dict)


def _comment(lines: Sequence[str], line: int) -> str:
    """The comment right above a line: what authors write to explain an entry."""
    words: list[str] = []
    for above in reversed(lines[: line - 1]):
        if not above.lstrip().startswith("#"):
            break
        words.insert(0, above.strip().lstrip("#").strip())
    return " ".join(word for word in words if word)
