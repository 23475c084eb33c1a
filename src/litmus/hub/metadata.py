"""The metadata of charts: chartserviceversion and package files as the public hub has them at 1.10. Pure.

    charts/<group>/<group>.chartserviceversion.yaml
    charts/<group>/<group>.package.yaml
    charts/<group>/<experiment>/<experiment>.chartserviceversion.yaml

The layout and the names of the fields are those that the original portal reads (reference/litmus-outer.md, 1.4), the
misspelt API group included. They describe charts to a hub and are no objects of a cluster: nobody applies them.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from litmus import __version__
from litmus.experiments.declaration import Experiment

from . import categories, documents
from .documents import Quoted

API_VERSION = "litmuchaos.io/v1alpha1"  # so upstream
KIND = "ChartServiceVersion"
MIN_KUBE_VERSION = "1.20.0"
OURS = "Litmus in Python"
_ICON_TYPE = "image/svg+xml"

Document = dict[Any, Any]


def icon_path(group: str, name: str) -> str:
    """Where the icon of an experiment or, by its own name, of a group lies."""
    return f"charts/{group}/icons/{name}.svg"


def csv_path(group: str, experiment: str) -> str:
    """Where the chartserviceversion of an experiment lies."""
    return f"charts/{group}/{experiment}/{experiment}.chartserviceversion.yaml"


def group_csv_path(group: str) -> str:
    """Where that of a group lies."""
    return f"charts/{group}/{group}.chartserviceversion.yaml"


def package_path(group: str) -> str:
    """Where the list of a group's experiments lies."""
    return f"charts/{group}/{group}.package.yaml"


def of_experiment(experiment: Experiment) -> str:
    """``<experiment>.chartserviceversion.yaml``."""
    words = (*dict.fromkeys(("Kubernetes", *experiment.keywords)),)
    spec = {
        "displayName": experiment.title,
        "categoryDescription": experiment.help,
        "keywords": list(words),
        "platforms": list(experiment.platforms),
        "maturity": experiment.maturity,
        **({"chaosType": experiment.chaos_type} if experiment.chaos_type else {}),
        **_origin([experiment]),
        "links": [{"name": name, "url": url} for name, url in experiment.links.items()],
        **_last(experiment.chart, experiment.name, f"charts/{experiment.chart}/{experiment.name}/experiment.yaml"),
    }
    return documents.write([_document(experiment.name, experiment.chart, experiment.help, experiment.created, spec)])


def of_group(name: str, experiments: Sequence[Experiment]) -> str:
    """``<group>.chartserviceversion.yaml``."""
    texts = categories.category(name)
    created = min((e.created for e in experiments if e.created), default="")
    spec = {
        "displayName": texts.title,
        "categoryDescription": texts.help,
        "experiments": [experiment.name for experiment in experiments],
        "keywords": list(texts.keywords),
        **_origin(experiments),
        "links": [{"name": link, "url": url} for link, url in texts.links],
        **_last(name, name, f"charts/{name}/experiments.yaml"),
    }
    return documents.write([_document(name, name, texts.help, created, spec)])


def package(name: str, experiments: Iterable[Experiment]) -> str:
    """``<group>.package.yaml``: which chartserviceversion belongs to which experiment."""
    listed = [{"name": e.name, "CSV": f"{e.name}.chartserviceversion.yaml", "desc": e.help} for e in experiments]
    return documents.write([{"packageName": name, "experiments": listed}])


def provider(experiment: Experiment) -> str:
    """Whose experiment it is: ours, or the package that brings it."""
    module = type(experiment).__module__
    return OURS if module.startswith("litmus.") else module.partition(".")[0]


def maintainers(experiment: Experiment) -> dict[str, str]:
    """Names and mail addresses; the provider, without an address, where nobody is named."""
    return dict(experiment.maintainers) or {provider(experiment): ""}


def _document(name: str, group: str, description: str, created: str, spec: Document) -> Document:
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {
            **({"createdAt": Quoted(created)} if created else {}),
            "name": name,
            "version": __version__,
            "annotations": {
                "categories": categories.category(group).title,
                "vendor": spec["provider"]["name"],
                "chartDescription": description,
            },
        },
        "spec": spec,
    }


def _origin(experiments: Sequence[Experiment]) -> Document:
    people = {name: mail for experiment in experiments for name, mail in maintainers(experiment).items()}
    providers = dict.fromkeys(provider(experiment) for experiment in experiments)
    return {
        "maintainers": [{"name": name, "email": mail} for name, mail in people.items()],
        "minKubeVersion": MIN_KUBE_VERSION,
        "provider": {"name": ", ".join(providers)},
    }


def _last(group: str, name: str, resource: str) -> Document:
    """The paths are relative to the hub: where it is served is not known here."""
    return {
        "icon": [{"url": icon_path(group, name), "mediatype": _ICON_TYPE}],
        "chaosexpcrdlink": resource,
        "labels": {
            "app.kubernetes.io/component": "chartserviceversion",
            "app.kubernetes.io/version": Quoted(__version__),
        },
    }
