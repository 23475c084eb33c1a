"""Experiment files of the Chaos Toolkit: those that we bring, under the names of the original, and those of users.

Ours say in their ``extensions`` how many of the objects with the label they hit, and hit exactly those that we name in
the environment; so it is known beforehand who is hit. A file of a user chooses by itself.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from litmus.kube import Cluster, errors, kinds

from .. import verdicts

Hits = Literal["one", "percentage", "all", "unknown"]

_DATA = Path(__file__).with_name("data")
_MAP: kinds.Kind[dict[str, Any]] = kinds.Kind("", "v1", "ConfigMap", "configmaps", dict)
# The original's files for a label of one's own differ from those for the label `app` in nothing else.
_CUSTOM, _APP = "-custom-", "-app-"


def ours(family: str) -> list[str]:
    """Names of our files, for instance of the family ``pod``."""
    found = sorted(path.name for path in _DATA.glob(f"{family}-app-*.json"))
    return found + [name.replace(_APP, _CUSTOM) for name in found if family == "pod"]


async def read(cluster: Cluster, name: str, *, config_map: str, namespace: str, family: str) -> dict[str, Any]:
    """The experiment: from a ConfigMap of the run's namespace, from a path, or one of ours. Raises CannotRun."""
    where = f"FILE={name!r}"
    if config_map:
        where = f"CONFIGMAP={config_map!r}"
        text = await _of_map(cluster, config_map, name, namespace=namespace)
    elif "/" in name:
        try:
            text = Path(name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise _wrong(f"{where}: can't be read ({error}); mount it by configMaps of the engine") from error
    elif name in ours(family):
        text = (_DATA / name.replace(_CUSTOM, _APP)).read_text(encoding="utf-8")
    else:
        raise _wrong(f"{where}: must be one of {', '.join(ours(family))}, the path of a file, or a key of CONFIGMAP")
    return checked(text, where)


def checked(text: str, where: str) -> dict[str, Any]:
    """The document, if it is an experiment at all; the toolkit looks closer. Raises CannotRun."""
    try:
        document = json.loads(text)
    except ValueError as error:
        raise _wrong(f"{where}: is not JSON ({error})") from error
    if not isinstance(document, dict) or not isinstance(document.get("method"), list) or not document["method"]:
        raise _wrong(f"{where}: is no experiment of the Chaos Toolkit; it needs a method with an activity")
    if not document.get("steady-state-hypothesis"):
        raise _wrong(f"{where}: has no steady-state-hypothesis, so that nothing would be checked")
    return document


def hits(document: Mapping[str, Any]) -> Hits:
    """How many it hits, where the file says so."""
    for extension in document.get("extensions") or []:
        if extension.get("name") == "litmus" and extension.get("hits") in ("one", "percentage", "all"):
            said: Hits = extension["hits"]
            return said
    return "unknown"


def variables(document: Mapping[str, Any]) -> list[str]:
    """Environment variables that it reads and has no default for."""
    configuration = document.get("configuration") or {}
    return [
        str(entry["key"])
        for entry in configuration.values()
        if isinstance(entry, dict) and entry.get("type") == "env" and "default" not in entry and "key" in entry
    ]


def for_each(document: Mapping[str, Any], variable: str, values: list[str]) -> dict[str, Any]:
    """The same experiment, with an activity that mentions ``${variable}`` done once for each of the values."""
    mark = f"${{{variable}}}"
    method: list[Any] = []
    for activity in document["method"]:
        text = json.dumps(activity)
        repeated = values if mark in text else [""]
        method += [json.loads(text.replace(mark, value)) for value in repeated]
        for earlier in method[-len(repeated) : -1]:
            earlier.pop("pauses", None)  # one pause, when all of them are done
    return {**document, "method": method}


async def _of_map(cluster: Cluster, name: str, key: str, *, namespace: str) -> str:
    try:
        data = (await cluster.get(_MAP, name, namespace=namespace)).get("data") or {}
    except (errors.NotFound, errors.Forbidden) as error:
        raise _wrong(f"CONFIGMAP={name!r}: {error}") from error
    if key not in data and len(data) == 1:
        return str(next(iter(data.values())))
    if key not in data:
        raise _wrong(f"CONFIGMAP={name!r}: has no key {key}; set FILE to one of {', '.join(sorted(data))}")
    return str(data[key])


def _wrong(sentence: str) -> verdicts.CannotRun:
    return verdicts.CannotRun(sentence, code=verdicts.TUNABLE)
