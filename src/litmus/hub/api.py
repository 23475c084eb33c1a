"""The API of the hub: the addresses of the public hub of 1.10, so that documented commands and its portal work.

    GET /api/chaos/{version}?file=charts/generic/experiments.yaml[&namespace=NAME][&hub=NAME]
    GET /api/charts/{version}[/{group}][?hub=NAME]      groups with their experiments (chart_json)
    GET /api/icon/{version}/{group}/{file}[?hub=NAME]
    GET /api/version
    GET /api/hubs                                       the hubs with their state; ours, not the original's
    GET /healthz, /readyz

Every version stands for the same files, those of this release: its experiments are what its image can run.
"""

import asyncio
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Any

import yaml
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler

from litmus import __version__

from . import answers, charts, model, placed
from .answers import AnyRequest, Refused
from .shelf import Shelf

COMPATIBLE_VERSION = "1.10.0"
NEWEST = "master"
VERSIONS = (COMPATIBLE_VERSION, __version__, NEWEST)

_JSON = "application/json"
_TYPES = {
    ".yaml": "text/yaml",  # the framework adds the charset
    ".yml": "text/yaml",
    ".json": _JSON,
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".ico": "image/x-icon",
}
_ROOTS = ("charts", "faults")
# Short enough that a fix or a sync arrives, and asking again costs an answer 304.
_FRESH = {"cache-control": "public, max-age=60"}
_FRESH_ICON = {"cache-control": "public, max-age=3600"}
_NOT_KEPT = {"cache-control": "no-store"}


def routes(shelf: Shelf) -> list[HTTPRouteHandler]:
    """The handlers. They take what they need from the request themselves, so that each mistake gets its sentence."""

    @get("/api/chaos/{version:str}")
    async def chaos(request: AnyRequest) -> Response[bytes]:
        if _asked(request, "namespace"):  # is written anew, which takes a while
            return await asyncio.to_thread(_file, shelf, request)
        return _file(shelf, request)

    @get(["/api/charts/{version:str}", "/api/charts/{version:str}/{group:str}"], sync_to_thread=False)
    def listed(request: AnyRequest) -> Response[bytes]:
        _check_version(request)
        hub = shelf.hub(_asked(request, "hub"))
        body = shelf.charts(hub, request.path_params.get("group", ""))
        return Response(body, media_type=_JSON, headers=_FRESH)

    @get("/api/icon/{version:str}/{group:str}/{file:str}", sync_to_thread=False)
    def icon(request: AnyRequest) -> Response[bytes]:
        return _icon(shelf, request)

    @get("/api/version", sync_to_thread=False)
    def version() -> Response[list[str]]:
        return Response(list(VERSIONS), headers=_FRESH)

    @get("/api/hubs", sync_to_thread=False)
    def hubs() -> Response[list[dict[str, Any]]]:
        return Response([_state(hub) for hub in shelf.hubs()], headers=_NOT_KEPT)

    @get("/healthz", media_type="text/plain", sync_to_thread=False)
    def healthz() -> Response[str]:
        return Response("ok\n", media_type="text/plain", headers=_NOT_KEPT)

    @get("/readyz", sync_to_thread=False)
    def readyz() -> Response[str]:
        """Whether there is something to serve; a fault of a custom hub is shown on its page and stops nothing."""
        shelf.hub(model.OURS)
        return Response("ok\n", media_type="text/plain", headers=_NOT_KEPT)

    return [chaos, listed, icon, version, hubs, healthz, readyz]


def _file(shelf: Shelf, request: AnyRequest) -> Response[bytes]:
    _check_version(request)
    hub = shelf.hub(_asked(request, "hub"))
    file, namespace = _asked(request, "file"), _asked(request, "namespace")
    if not file:
        sentence = f"The parameter file is missing: add ?file=PATH, where PATH is {_summary(hub)}."
        raise Refused(400, sentence, exist=list(hub.files))
    if namespace and not charts.is_namespace(namespace):
        raise Refused(400, f"namespace={namespace[:100]!r} is no name of a namespace: small letters, digits and -.")
    if file not in hub.files:
        raise answers.missing("file", file, hub.files, listed=_summary(hub))
    if namespace and hub.name == model.OURS:
        hub = shelf.in_namespace(namespace)
    body = hub.files[file]
    if namespace and hub.name != model.OURS and _type(file, body) == "text/yaml":
        body = _placed(body, file, namespace)
    return Response(body, media_type=_type(file, body), headers=_FRESH)


def _placed(body: bytes, file: str, namespace: str) -> bytes:
    """A manifest of another hub, with the namespace in it."""
    try:
        return placed.text(body.decode(), namespace=namespace).encode()
    except (UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        sentence = f"{file} is not YAML that a namespace could be put into; fetch it without &namespace=."
        raise Refused(400, sentence) from error


def _icon(shelf: Shelf, request: AnyRequest) -> Response[bytes]:
    """An icon by the name that the original gives it, ``pod-delete.png``, is ours in SVG if that is what there is."""
    _check_version(request)
    hub = shelf.hub(_asked(request, "hub"))
    group, file = request.path_params["group"], request.path_params["file"]
    if hub.group(group) is None:
        raise answers.missing("group", group, [one.name for one in hub.groups])
    folders = tuple(f"{root}/{group}/icons/" for root in _ROOTS)
    for name in (file, f"{PurePosixPath(file).stem}.svg"):
        for path in (folder + name for folder in folders):
            body = hub.files.get(path)
            if body is not None and _type(path, body).startswith("image/"):
                return Response(body, media_type=_type(path, body), headers=_FRESH_ICON)
    known = [path.rpartition("/")[2] for path in hub.files if path.startswith(folders)]
    raise answers.missing("icon", file, known)


def _check_version(request: AnyRequest) -> None:
    version = request.path_params["version"]
    if version not in VERSIONS and version.removeprefix("v") not in VERSIONS[:-1]:
        raise answers.missing("version", version, VERSIONS, guess=False)


def _asked(request: AnyRequest, name: str) -> str:
    """A parameter of the query, '' if it is not there; of several the last, as one that was added at the end."""
    values: list[str] = request.query_params.getall(name, [])
    return values[-1] if values else ""


def _type(path: str, body: bytes) -> str:
    """What a file is, and never a page: files of others must not become scripts of this site."""
    known = _TYPES.get(PurePosixPath(path).suffix.lower())
    if known:
        return known
    try:
        body.decode()
    except UnicodeDecodeError:
        return "application/octet-stream"
    return "text/plain"


def _state(hub: model.Hub) -> dict[str, Any]:
    problems = [*hub.problems, *(problem for group in hub.groups for problem in group.problems)]
    problems += [problem for chart in hub.charts() for problem in chart.problems]
    broken = [chart for chart in hub.charts() if any(not problem.warning for problem in chart.problems)]
    return {
        "name": hub.name,
        "source": hub.source,
        "revision": hub.revision,
        "synced": hub.synced,
        "available": bool(hub.groups),
        "groups": len(hub.groups),
        "experiments": sum(1 for _ in hub.charts()),
        "broken": [f"{chart.group}/{chart.name}" for chart in broken],
        "problems": [{"file": p.file, "line": p.line, "message": p.message, "warning": p.warning} for p in problems],
    }


def _summary(hub: model.Hub) -> str:
    """The manifests on one line, as a shell would write them: ``charts/generic/{a,b}/{experiment,engine}.yaml``."""
    alike: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for chart in hub.charts():
        paths = [PurePosixPath(p) for p in (chart.experiment_file, chart.rbac_file, chart.engine_file) if p]
        if paths:
            folder = paths[0].parent
            alike.setdefault((str(folder.parent), tuple(p.stem for p in paths)), []).append(folder.name)
    folders = [f"{top}/{_either(names)}/{_either(files)}.yaml" for (top, files), names in alike.items()]
    bundles = [group.bundle_file for group in hub.groups if group.bundle_file]
    return ", ".join([*bundles, *folders]) or "of a file, of which this hub has none"


def _either(names: Iterable[str]) -> str:
    several = list(names)
    return several[0] if len(several) == 1 else f"{{{','.join(several)}}}"
