"""The engine that the form starts from: ours from the declaration, a custom chart's from its own file. Pure."""

from collections.abc import Mapping
from typing import Any

from litmus import api
from litmus.api import yaml_text

from .. import charts, documents, model
from ..documents import Comment, Quoted

Place = tuple[str, ...]

_NAMESPACE: Place = ("metadata", "namespace")
_APPLICATION: Place = ("spec", "appinfo", "appns")


def document(
    chart: model.Chart, *, namespace: str, engine: str, listed: Mapping[str, str] | None = None
) -> charts.Document:
    """The engine with the tunables of ``listed``, or with those that it starts with.

    ``engine`` is the text of a custom chart's own engine, '' if it has none or nobody can read it.
    """
    if chart.declared:
        every = chart.declared.all_tunables()
        pairs = None if listed is None else [(t, listed[t.name]) for t in every if t.name in listed]
        return charts.engine_document(chart.declared, namespace=namespace, listed=pairs)
    found = _own(engine) or _plain(chart)
    if namespace:
        place(found, _APPLICATION, namespace)
    if listed is not None:
        help_ = {variable.name: variable.help for variable in chart.variables}
        _set_environment(_entry(found, chart.name), listed, help_)
    return found


def at(node: charts.Document, where: Place) -> str:
    """The text at a place; '' where there is none."""
    found: Any = node
    for step in where:
        found = found.get(step) if isinstance(found, dict) else None
    if isinstance(found, bool):
        return str(found).lower()
    return "" if found is None or isinstance(found, dict | list) else str(found)


def place(node: charts.Document, where: Place, text: str) -> None:
    """Puts a text at a place; objects on the way are made."""
    for step in where[:-1]:
        if not isinstance(node.get(step), dict):
            node[step] = {}
        node = node[step]
    node[where[-1]] = text if where[-1] == "name" else Quoted(text)


def set_namespace(node: charts.Document, namespace: str) -> None:
    """The engine's own namespace, right after its name; none when it is empty."""
    metadata = {key: value for key, value in node["metadata"].items() if key != _NAMESPACE[-1]}
    name = {"name": metadata.pop("name", "")}
    node["metadata"] = name | ({"namespace": namespace} if namespace else {}) | metadata


def environment(node: charts.Document, experiment: str) -> dict[str, str]:
    """The tunables that the engine itself sets for an experiment, by name: not what it takes from elsewhere."""
    listed = _variables(_components(_entry(node, experiment)))
    texts = [(item["name"], item.get("value")) for item in listed if item.get("valueFrom") is None]
    return {name: "" if value is None else str(value) for name, value in texts}


def _own(engine: str) -> charts.Document | None:
    try:
        found = yaml_text.documents(engine)
    except yaml_text.NotYaml:
        return None
    engines = [d for d in found if isinstance(d, dict) and d.get("kind") == "ChaosEngine"]
    usable = len(engines) == 1 and all(isinstance(engines[0].get(part), dict) for part in ("metadata", "spec"))
    return engines[0] if usable else None


def _plain(chart: model.Chart) -> charts.Document:
    """For a chart without an engine: as ours, with the tunables of the chart."""
    account = f"{chart.name}-sa"
    appinfo = {"appns": Quoted(""), "applabel": Quoted("app=nginx"), "appkind": Quoted("deployment")}
    env = [{"name": v.name, "value": Quoted(v.value or v.default)} for v in chart.variables if v.value is not None]
    return {
        "apiVersion": api.API_VERSION,
        "kind": "ChaosEngine",
        "metadata": {"name": "nginx-chaos"},
        "spec": {
            "appinfo": appinfo,
            "annotationCheck": Quoted("true"),
            "engineState": Quoted("active"),
            "chaosServiceAccount": account,
            "jobCleanUpPolicy": Quoted("delete"),
            "experiments": [{"name": chart.name, "spec": {"components": {"env": env}}}],
        },
    }


def _entry(node: charts.Document, experiment: str) -> charts.Document:
    """The experiment's entry, else the first one; a new one where there is none."""
    spec = node["spec"]
    entries = spec.get("experiments")
    entries = [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
    named = [entry for entry in entries if entry.get("name") == experiment] or entries
    if not named:
        named = spec["experiments"] = [{"name": experiment}]
    return named[0]


def _variables(components: charts.Document) -> list[charts.Document]:
    """The entries of the environment that have a name."""
    listed = documents.plain(components.get("env"))
    found = [item for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []
    return [item for item in found if isinstance(item.get("name"), str)]


def _components(entry: charts.Document) -> charts.Document:
    for step in ("spec", "components"):
        if not isinstance(entry.get(step), dict):
            entry[step] = {}
        entry = entry[step]
    return entry


def _set_environment(entry: charts.Document, listed: Mapping[str, str], help_: Mapping[str, str]) -> None:
    """The values into the list; what comes from elsewhere (``valueFrom``) stays as it is."""
    components = _components(entry)
    lines: list[Any] = []
    for name, value in listed.items():
        lines += [Comment(help_[name])] if help_.get(name) else []
        lines.append({"name": name, "value": Quoted(value)})
    components["env"] = lines + [item for item in _variables(components) if item.get("valueFrom") is not None]
