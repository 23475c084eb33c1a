"""Saved results: what ``kubectl get -o yaml`` or ``-o json`` wrote, and what ``litmus report --json`` wrote.

A file may hold results, engines and events, as single objects, as lists or as several documents: what belongs together
is found by its names.
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from litmus import api
from litmus.api import yaml_text
from litmus.api.meta import present
from litmus.kube import clock
from litmus.kube.objects import Event

from .. import failures
from .document import KIND
from .record import Record, Report, scored

_LARGEST = 64 * 1024 * 1024


def report(files: Sequence[Path], *, only: Sequence[str] = ()) -> Report:
    """The results of these files, or those of them that are named. Raises Misused with one sentence."""
    found = records(files)
    shown = [record for record in found if not only or record.name in only]
    missing = [name for name in only if name not in {record.name for record in found}]
    if missing:
        there = ", ".join(sorted({record.name for record in found}))
        raise failures.Misused(f"{_listed(files)} has no ChaosResult {missing[0]}; there is {there}")
    engines = {record.engine.metadata.name: record.engine for record in shown if record.engine}
    return Report(
        records=tuple(shown),
        score=scored(engines.values(), [record.result for record in found]),
        created=clock.stamp(),
    )


def records(files: Sequence[Path]) -> list[Record]:
    """Every result of these files with what they have around it. Raises Misused when there is none."""
    results: list[tuple[api.ChaosResult, dict[str, str], tuple[Event, ...]]] = []
    engines: dict[tuple[str, str], api.ChaosEngine] = {}
    events: list[Event] = []
    for file in files:
        for manifest, versions, told in _objects(file):
            match manifest.get("kind"):
                case "ChaosResult":
                    results.append((_decoded(manifest, api.ChaosResult, file), versions, told))
                case "ChaosEngine":
                    engine = _decoded(manifest, api.ChaosEngine, file)
                    engines[engine.metadata.namespace, engine.metadata.name] = engine
                case "Event":
                    events.append(_decoded(manifest, Event, file))
    if not results:
        raise failures.Misused(f"{_listed(files)} has no ChaosResult; save one with: kubectl get chaosresult -o yaml")
    return [
        Record(
            result=result,
            engine=engines.get((result.metadata.namespace, result.spec.engine)),
            events=(*told, *about(events, result)),
            versions=versions,
        )
        for result, versions, told in results
    ]


def about(events: Iterable[Event], result: api.ChaosResult) -> Iterator[Event]:
    """Those of the events that tell of a result or of its engine."""
    subjects = {("ChaosResult", result.metadata.name), ("ChaosEngine", result.spec.engine)}
    for event in events:
        involved = event.involved_object
        same = involved.namespace in ("", result.metadata.namespace)
        if same and (involved.kind, involved.name) in subjects:
            yield event


def _objects(file: Path) -> Iterator[tuple[dict[str, Any], dict[str, str], tuple[Event, ...]]]:
    """The objects of a file, those of a saved report with its versions and events."""
    for document in _documents(file):
        if not isinstance(document, dict):
            raise failures.Misused(f"{file} must hold Kubernetes objects; it holds {type(document).__name__}")
        if document.get("kind") == KIND:
            for entry in _list(document, "results", file):
                versions = _object(entry.get("versions") or {}, file)
                told = tuple(_decoded(event, Event, file) for event in _list(entry, "events", file))
                yield _object(entry.get("result"), file), {str(k): str(v) for k, v in versions.items()}, told
                if entry.get("engine"):
                    yield _object(entry["engine"], file), {}, ()
        elif str(document.get("kind", "")).endswith("List") or "items" in document:
            for item in _list(document, "items", file):
                yield item, {}, ()
        else:
            yield document, {}, ()


def _list(document: dict[str, Any], field: str, file: Path) -> list[dict[str, Any]]:
    found = document.get(field) or []
    if not isinstance(found, list):
        raise failures.Misused(f"{file}: {field} must be a list; it is {type(found).__name__}")
    return [_object(item, file) for item in found]


def _object(found: Any, file: Path) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise failures.Misused(f"{file} must hold Kubernetes objects; one of them is {type(found).__name__}")
    return found


def _decoded(manifest: dict[str, Any], kind: Any, file: Path) -> Any:
    try:
        return msgspec.convert(present(manifest), kind)
    except msgspec.ValidationError as error:
        raise failures.Misused(f"{file}: a {manifest.get('kind', kind.__name__)} can't be read: {error}") from error


def _documents(file: Path) -> list[Any]:
    try:
        if str(file) == "-":
            return _parsed(sys.stdin.read(), file)
        if file.stat().st_size > _LARGEST:
            raise failures.Misused(f"{file} is larger than {_LARGEST >> 20} MiB; save fewer results in it")
        return _parsed(file.read_text(encoding="utf-8"), file)
    except FileNotFoundError:
        raise failures.Misused(f"{file} does not exist; name a file with a ChaosResult") from None
    except (OSError, UnicodeDecodeError) as error:
        raise failures.Misused(f"{file} can't be read: {error}") from error


def _parsed(text: str, file: Path) -> list[Any]:
    if text.lstrip()[:1] in ("{", "["):
        try:
            found = msgspec.json.decode(text)
        except (msgspec.DecodeError, RecursionError) as error:
            raise failures.Misused(f"{file} is not JSON: {error}") from error
        return found if isinstance(found, list) else [found]
    try:
        return yaml_text.documents(text)
    except yaml_text.NotYaml as error:
        raise failures.Misused(f"{file} is not YAML: {error}") from error


def _listed(files: Sequence[Path]) -> str:
    return ", ".join(str(file) for file in files)
