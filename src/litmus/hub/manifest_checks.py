"""The checks of single files of a chart: kind, names, fields; each mistake with its line."""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from litmus import api
from litmus.api import strict
from litmus.api.yaml_text import Document

from . import chart_kinds
from .layout import ChartPlace
from .model import Problem
from .tree import Tree, Unreadable

_RBAC_GROUP = "rbac.authorization.k8s.io"
_RBAC = {
    "ServiceAccount": "",
    "Role": _RBAC_GROUP,
    "ClusterRole": _RBAC_GROUP,
    "RoleBinding": _RBAC_GROUP,
    "ClusterRoleBinding": _RBAC_GROUP,
}
_UNKNOWN = "unknown field"


def experiment(tree: Tree, path: str, *, name: str) -> Iterator[Problem]:
    """The ChaosExperiment of a chart."""
    document, found = _only(tree, path, "ChaosExperiment", (api.API_VERSION,))
    yield from found
    if document is None:
        return
    yield from _mistakes(path, document, api.ChaosExperiment)
    yield from _named(path, document, "metadata.name", name)


def engine(tree: Tree, path: str, *, name: str) -> Iterator[Problem]:
    """The ChaosEngine to start from."""
    document, found = _only(tree, path, "ChaosEngine", (api.API_VERSION,))
    yield from found
    if document is None:
        return
    yield from _mistakes(path, document, api.ChaosEngine)
    if not text(document.value, "metadata", "name"):
        yield Problem(path, document.line("metadata"), "metadata.name: missing; name the engine")
    for number, entry in enumerate(entries(document.value, "spec", "experiments")):
        asked = entry.get("name") if isinstance(entry, dict) else None
        if isinstance(asked, str) and asked != name:
            where = f"spec.experiments[{number}].name"
            yield Problem(path, document.line(where), f"{where}: {asked!r} is another experiment; this chart is {name}")


def rbac(tree: Tree, path: str) -> Iterator[Problem]:
    """The service account, its role and the binding: nothing else, or who installs an experiment installs more."""
    documents, found = _readable(tree, path)
    yield from found
    kinds = set()
    for document in documents:
        if not isinstance(document.value, dict):
            yield Problem(path, document.line(), f"{_shown(document.value)} is no manifest")
            continue
        kind, version = document.value.get("kind"), str(document.value.get("apiVersion"))
        kinds.add(kind)
        if kind not in _RBAC:
            message = f"kind: {_shown(kind)} does not belong here, only {', '.join(_RBAC)}"
            yield Problem(path, document.line("kind"), message)
        elif version.rpartition("/")[0] != _RBAC[kind]:
            wanted = f"{_RBAC[kind]}/v1".removeprefix("/")
            yield Problem(path, document.line("apiVersion"), f"apiVersion: {version!r} of a {kind} must be {wanted}")
        elif version.endswith(("beta1", "alpha1")):
            message = f"apiVersion: {version} is gone since Kubernetes 1.22; write {_RBAC[kind]}/v1"
            yield Problem(path, document.line("apiVersion"), message, warning=True)
    if documents and "ServiceAccount" not in kinds:
        yield Problem(path, documents[0].line(), "there is no ServiceAccount; engines name one", warning=True)


def metadata(tree: Tree, path: str, *, name: str) -> Iterator[Problem]:
    """The ChartServiceVersion of a chart or a group."""
    document, found = _only(tree, path, "ChartServiceVersion", chart_kinds.API_VERSIONS)
    yield from found
    if document is None:
        return
    value = document.value
    if isinstance(value.get("metadata"), dict):
        value = value | {"metadata": {k: v for k, v in value["metadata"].items() if k != "createdAt"}}
    yield from _mistakes(path, Document(value, document.root), chart_kinds.ChartServiceVersion)
    yield from _named(path, document, "metadata.name", name)
    for number, link in enumerate(entries(document.value, "spec", "links")):
        url = text(link, "url")
        if url and not url.startswith(("https://", "http://")):
            where = f"spec.links[{number}].url"
            yield Problem(
                path,
                document.line(where),
                f"{where}: {_shown(url)} is no http(s) address; it is not shown",
                warning=True,
            )


def package(tree: Tree, path: str, *, name: str, charts: Iterable[ChartPlace]) -> Iterator[Problem]:
    """The list of a group: each chart that it names is there, and each that is there is named."""
    documents, found = _readable(tree, path)
    yield from found
    if not documents:
        return
    document = documents[0]
    yield from _mistakes(path, document, chart_kinds.Package)
    if not isinstance(document.value, dict):
        return
    yield from _named(path, document, "packageName", name)
    places = {chart.name: chart for chart in charts}
    listed = set()
    for where, entry in _listed(document.value):
        asked = text(entry, "name")
        listed.add(asked)
        if asked and asked not in places:
            yield Problem(path, document.line(f"{where}.name"), f"{asked} is listed, but there is no such folder")
        elif asked:
            file = places[asked].metadata.rpartition("/")[2]
            if text(entry, "CSV") not in ("", file):
                yield Problem(
                    path, document.line(f"{where}.CSV"), f"{_shown(entry['CSV'])} is not there; {asked} has {file}"
                )
    for chart in places:
        if chart not in listed:
            yield Problem(path, document.line(), f"{chart} is in the folder, but not listed", warning=True)


def bundle(tree: Tree, path: str, *, charts: Iterable[ChartPlace]) -> Iterator[Problem]:
    """All ChaosExperiments of a group in one file: nothing else, and none of them forgotten or outdated."""
    documents, found = _readable(tree, path)
    yield from found
    values = {}
    for document in documents:
        kind = document.value.get("kind") if isinstance(document.value, dict) else None
        if kind != "ChaosExperiment":
            yield Problem(
                path, document.line("kind"), f"kind: {_shown(kind)} does not belong here, only ChaosExperiment"
            )
        else:
            values[text(document.value, "metadata", "name")] = document
    for chart in charts if documents else ():
        if chart.name not in values:
            yield Problem(path, documents[0].line(), f"{chart.name} is not in it; write the file anew", warning=True)
        elif _differs(tree, chart.experiment, values[chart.name].value):
            line = values[chart.name].line()
            yield Problem(path, line, f"{chart.name} differs from {chart.experiment}; write it anew", warning=True)


def text(value: Any, *path: str) -> str:
    """What stands at a path of a document, if it is text; else ''."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, str) else ""


def entries(value: Any, *path: str) -> list[Any]:
    """What stands at a path of a document, if it is a list; else []."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, list) else []


def _listed(package: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for field in ("experiments", "faults"):
        for number, entry in enumerate(entries(package, field)):
            yield f"{field}[{number}]", entry


def _differs(tree: Tree, path: str, value: object) -> bool:
    try:
        return path in tree.files and [document.value for document in tree.documents(path)] != [value]
    except Unreadable:
        return False  # said at its own file


def _readable(tree: Tree, path: str) -> tuple[list[Document], list[Problem]]:
    try:
        documents = tree.documents(path)
    except Unreadable as unreadable:
        return [], [unreadable.problem]
    return documents, [] if documents else [Problem(path, 1, "the file is empty")]


def _only(tree: Tree, path: str, kind: str, versions: tuple[str, ...]) -> tuple[Document | None, list[Problem]]:
    """The one document of a file, if it has the kind."""
    documents, found = _readable(tree, path)
    chosen = None
    for document in documents:
        value = document.value
        if not isinstance(value, dict):
            found.append(Problem(path, document.line(), f"{_shown(value)} is no manifest; a {kind} is needed"))
        elif value.get("kind") != kind:
            found.append(Problem(path, document.line("kind"), f"kind: {_shown(value.get('kind'))} must be {kind}"))
        elif value.get("apiVersion") not in versions:
            message = f"apiVersion: {_shown(value.get('apiVersion'))} must be {versions[0]}"
            found.append(Problem(path, document.line("apiVersion"), message))
        elif chosen is not None:
            found.append(Problem(path, document.line(), f"a second {kind}; one belongs here"))
        else:
            chosen = document
    return chosen, found


def _mistakes(path: str, document: Document, kind: type[msgspec.Struct]) -> Iterator[Problem]:
    for sentence in strict.mistakes(kind, document.value):
        where, _, said = sentence.partition(": ")
        missing = said.removesuffix(" is missing")
        place = where.removeprefix("the manifest")
        if missing != said:  # the line of what has to hold it
            yield Problem(path, document.line(place), sentence)
        else:
            yield Problem(path, document.line(place), sentence, warning=said.startswith(_UNKNOWN))


def _named(path: str, document: Document, where: str, name: str) -> Iterator[Problem]:
    found = text(document.value, *where.split("."))
    if found != name:
        message = f"{where}: {found!r} differs from its folder, {name}" if found else f"{where}: missing; write {name}"
        yield Problem(path, document.line(where), message)


def _shown(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}…"
