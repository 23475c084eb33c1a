"""What ``/api/charts`` answers: groups with their experiments, in the JSON that the original's hub server writes.

Its keys are those of its Go structures at 1.10 (``ApiVersion``, ``Metadata``, ``PackageInfo`` and so on), and its
values those of the chartserviceversion and package files, so that a portal or a page written for it can read this hub.
Where such a file is missing or broken, what the hub's model knows stands in for it. Pure.
"""

from collections.abc import Mapping
from typing import Any

from litmus.api import yaml_text

from .model import Chart, Group, Hub

_API_VERSION = "litmuchaos.io/v1alpha1"  # misspelt in the original, and read so by others
_KIND = "ChartServiceVersion"
_ROOTS = ("charts", "faults")  # of 1.10 and of HEAD

Document = Mapping[str, Any]


def groups(hub: Hub) -> list[dict[str, Any]]:
    """All groups of a hub."""
    return [group(hub, found) for found in hub.groups]


def group(hub: Hub, about: Group) -> dict[str, Any]:
    """A group: its own metadata, its package, and its experiments."""
    folder = _folder(hub, about.name)
    package = _document(hub, f"{folder}/{about.name}.package.yaml")
    members = [_chart(hub, folder, chart) for chart in about.charts]
    entry = _entry(_document(hub, f"{folder}/{about.name}.chartserviceversion.yaml"), about, about.bundle_file)
    entry["Spec"]["Experiments"] = entry["Spec"]["Experiments"] or [chart.name for chart in about.charts]
    return entry | {"PackageInfo": _package(package, about), "Experiments": members}


def _chart(hub: Hub, folder: str, chart: Chart) -> dict[str, Any]:
    document = _document(hub, f"{folder}/{chart.name}/{chart.name}.chartserviceversion.yaml")
    entry = _entry(document, chart, chart.experiment_file)
    return entry | {"PackageInfo": {"PackageName": "", "Experiments": []}, "Experiments": []}


def _folder(hub: Hub, name: str) -> str:
    folders = [f"{root}/{name}" for root in _ROOTS]
    return next((folder for folder in folders if any(path.startswith(f"{folder}/") for path in hub.files)), folders[0])


def _document(hub: Hub, path: str) -> Document:
    """The first document of a file; empty when there is none to be read, which is the hub's problem and not ours."""
    try:
        found = yaml_text.documents(hub.files.get(path, b"").decode())
    except (yaml_text.NotYaml, UnicodeDecodeError):
        return {}
    return found[0] if found and isinstance(found[0], dict) else {}


def _entry(document: Document, about: Group | Chart, manifest: str) -> dict[str, Any]:
    metadata, spec = _mapping(document, "metadata"), _mapping(document, "spec")
    notes = _mapping(metadata, "annotations")
    maintainers = _items(spec, "maintainers") or [{"name": one.name, "email": one.email} for one in about.maintainers]
    links = _items(spec, "links") or [{"name": one.name, "url": one.url} for one in about.links]
    return {
        "ApiVersion": _text(document, "apiVersion") or _API_VERSION,
        "Kind": _text(document, "kind") or _KIND,
        "Metadata": {
            "Name": about.name,
            "Version": _text(metadata, "version") or about.version,
            "Annotations": {
                "Categories": _text(notes, "categories"),
                "Vendor": _text(notes, "vendor"),
                "CreatedAt": _text(notes, "createdAt") or _text(metadata, "createdAt"),
                "Repository": _text(notes, "repository"),
                "Support": _text(notes, "support"),
                "ChartDescription": _text(notes, "chartDescription") or about.help,
            },
        },
        "Spec": {
            "DisplayName": _text(spec, "displayName") or about.title,
            "CategoryDescription": _text(spec, "categoryDescription") or about.help,
            "Keywords": _texts(spec, "keywords") or list(about.keywords),
            "Maturity": _text(spec, "maturity") or getattr(about, "maturity", ""),
            "Maintainers": [{"Name": _text(one, "name"), "Email": _text(one, "email")} for one in maintainers],
            "MinKubeVersion": _text(spec, "minKubeVersion"),
            "Provider": {"Name": _text(_mapping(spec, "provider"), "name")},
            "Links": [{"Name": _text(one, "name"), "Url": _text(one, "url")} for one in links],
            "Experiments": _texts(spec, "experiments"),
            "ChaosExpCRDLink": _text(spec, "chaosexpcrdlink") or manifest,
            "Platforms": _texts(spec, "platforms") or list(getattr(about, "platforms", ())),
            "ChaosType": _text(spec, "chaosType") or getattr(about, "chaos_type", ""),
        },
    }


def _package(document: Document, about: Group) -> dict[str, Any]:
    listed = [
        {"Name": _text(one, "name"), "CSV": _text(one, "CSV"), "Desc": _text(one, "desc")}
        for one in _items(document, "experiments")
    ]
    fallback = [
        {"Name": chart.name, "CSV": f"{chart.name}.chartserviceversion.yaml", "Desc": chart.title}
        for chart in about.charts
    ]
    return {"PackageName": _text(document, "packageName") or about.name, "Experiments": listed or fallback}


def _mapping(document: Document, key: str) -> Document:
    found = document.get(key)
    return found if isinstance(found, dict) else {}


def _items(document: Document, key: str) -> list[Document]:
    found = document.get(key)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _text(document: Document, key: str) -> str:
    """A plain value as text; the files of others have numbers where a version is meant."""
    found = document.get(key)
    return "" if found is None or isinstance(found, dict | list) else str(found)


def _texts(document: Document, key: str) -> list[str]:
    found = document.get(key)
    if not isinstance(found, list):
        return []
    return [str(one) for one in found if one is not None and not isinstance(one, dict | list)]
