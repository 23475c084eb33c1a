"""The volumes of a pod as folders, and where each mount of a container really is.

ConfigMaps, Secrets, the downward API and projections are written below the pod's folder and kept up to date; an
emptyDir is a folder there; a hostPath is itself; a claim is a folder of the sandbox that all nodes share. Other kinds
need a storage driver and are refused. Source: Kubernetes documentation, "Volumes", "Projected Volumes".
"""

import shutil
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from litmus.sandbox.machinery import objects
from litmus.sandbox.machinery.objects import Obj

from . import downward, environment, payload
from .view import Mount

TOKEN_S = 3607
_MODE = 0o644
_HOST_TYPES: dict[str, Callable[[Path], bool]] = {
    "": lambda _: True,
    "Directory": Path.is_dir,
    "File": Path.is_file,
    "Socket": Path.is_socket,
    "CharDevice": Path.is_char_device,
    "BlockDevice": Path.is_block_device,
    "DirectoryOrCreate": lambda path: path.is_dir() or not path.exists(),
    "FileOrCreate": lambda path: path.is_file() or not path.exists(),
}


class NotMounted(Exception):
    """A volume is not ready; the message is the kubelet's."""


Token = Callable[[Obj], Awaitable[str]]
"""A projection of a service account token (audience, expirationSeconds) → the token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """``folder`` is the pod's; ``claims`` holds a folder a claim. ``claim`` looks a PersistentVolumeClaim up."""

    pod: Obj
    folder: Path
    claims: Path
    ip: str
    host_ip: str
    allocatable: Mapping[str, str]
    lookup: environment.Lookup
    token: Token
    claim: Callable[[str], Awaitable[Obj | None]]


async def set_up(volume: Obj, context: Context) -> Path:
    """Makes a volume ready or brings it up to date, and says where it is. Raises NotMounted and OSError."""
    place = context.folder / "volumes" / str(volume["name"])
    if is_payload(volume):
        payload.write(place, await _files(volume, context))
        return place
    if "emptyDir" in volume:
        place.mkdir(parents=True, exist_ok=True)
        place.chmod(0o777)
        return place
    if "hostPath" in volume:
        return _host_path(volume["hostPath"])
    if "persistentVolumeClaim" in volume:
        return await _claim(volume["persistentVolumeClaim"]["claimName"], context)
    if "ephemeral" in volume:
        return await _claim(f"{objects.name(context.pod)}-{volume['name']}", context)
    kind = next((word for word in volume if word != "name"), "")
    if not kind:
        place.mkdir(parents=True, exist_ok=True)  # a volume of no kind is an emptyDir
        return place
    raise NotMounted(f"volumes of type {kind} need a storage driver, which a sandbox node does not have")


def is_payload(volume: Obj) -> bool:
    """Whether its files come from the API and follow it."""
    return any(kind in volume for kind in ("configMap", "secret", "downwardAPI", "projected"))


def references(volume: Obj) -> list[tuple[str, str]]:
    """(``configmaps`` or ``secrets``, name) of the objects that the volume shows."""
    found = []
    for source in _sources(volume):
        if "configMap" in source:
            found.append(("configmaps", source["configMap"].get("name", "")))
        if "secret" in source:
            found.append(("secrets", source["secret"].get("secretName") or source["secret"].get("name", "")))
    return found


def mounts(container: Obj, places: Mapping[str, Path], *, root: Path, known: Mapping[str, str]) -> tuple[Mount, ...]:
    """Where the mounts of a container really are. ``places``: volume → folder; ``known``: for subPathExpr.

    A file below a ConfigMap that is mounted by subPath is copied, because it must not follow the ConfigMap.
    Raises NotMounted and OSError.
    """
    found = []
    for index, mount in enumerate(container.get("volumeMounts") or []):
        volume = places.get(mount["name"])
        if volume is None:
            raise NotMounted(f"volume {mount['name']!r} of the mount {mount['mountPath']} is not in the pod")
        sub = mount.get("subPath") or environment.expanded(mount.get("subPathExpr") or "", known)
        place = _sub_path(volume, sub, copies=root.parent / "subpaths" / str(index)) if sub else volume
        path = mount["mountPath"].rstrip("/") or "/"
        found.append(Mount(path if path.startswith("/") else f"/{path}", str(place)))
    return tuple(found)


def link(root: Path, found: tuple[Mount, ...]) -> None:
    """Makes relative paths from the root folder lead to the mounts as well."""
    for mount in sorted(found, key=lambda one: len(one.path)):
        place = root / mount.path.lstrip("/")
        if place != root and not place.exists() and not place.is_symlink():
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(mount.place)


def _sub_path(volume: Path, sub: str, *, copies: Path) -> Path:
    if sub.startswith("/") or ".." in sub.split("/"):
        raise NotMounted(f"subPath {sub!r} must be a relative path within the volume")
    place = volume / sub
    if (volume / payload.DATA).is_symlink():
        if not place.exists():
            raise NotMounted(f"subPath {sub!r} does not exist in the volume")
        shutil.rmtree(copies, ignore_errors=True)
        copies.mkdir(parents=True)
        target = copies / place.name
        if place.is_dir():
            shutil.copytree(place, target)
        else:
            shutil.copy2(place, target)
        return target
    if not place.exists():
        place.mkdir(parents=True)
    return place


def _host_path(spec: Obj) -> Path:
    path, kind = Path(spec["path"]), spec.get("type") or ""
    if kind not in _HOST_TYPES or not _HOST_TYPES[kind](path):
        raise NotMounted(f"hostPath type check failed: {path} is not a {_KIND_WORDS.get(kind, kind)}")
    if kind == "DirectoryOrCreate":
        path.mkdir(parents=True, exist_ok=True)
    if kind == "FileOrCreate":
        path.touch()
    return path


_KIND_WORDS = {
    "Directory": "directory",
    "DirectoryOrCreate": "directory",
    "File": "file",
    "FileOrCreate": "file",
    "Socket": "socket file",
    "CharDevice": "character device",
    "BlockDevice": "block device",
}


async def _claim(name: str, context: Context) -> Path:
    if await context.claim(name) is None:
        raise NotMounted(f'persistentvolumeclaim "{name}" not found')
    place = context.claims / objects.namespace(context.pod) / name
    place.mkdir(parents=True, exist_ok=True)
    return place


def _sources(volume: Obj) -> list[Obj]:
    if "projected" in volume:
        return list(volume["projected"].get("sources") or [])
    return [volume]


async def _files(volume: Obj, context: Context) -> dict[str, payload.File]:
    spec = volume.get("projected") or volume.get("configMap") or volume.get("secret") or volume.get("downwardAPI") or {}
    mode = int(spec.get("defaultMode") or _MODE)
    found: dict[str, payload.File] = {}
    for source in _sources(volume):
        for word, resource in (("configMap", "configmaps"), ("secret", "secrets")):
            if word in source:
                found |= _of_object(resource, source[word], context, mode=mode)
        for item in (source.get("downwardAPI") or {}).get("items") or []:
            found[item["path"]] = payload.File(_downward(item, context).encode(), int(item.get("mode") or mode))
        if "serviceAccountToken" in source:
            token = source["serviceAccountToken"]
            found[token["path"]] = payload.File((await context.token(token)).encode(), mode)
    return found


def _of_object(resource: str, spec: Obj, context: Context, *, mode: int) -> dict[str, payload.File]:
    word = {"configmaps": "configmap", "secrets": "secret"}[resource]
    name = spec.get("secretName") or spec.get("name") or ""
    optional = bool(spec.get("optional"))
    obj = context.lookup(resource, name)
    if obj is None:
        if optional:
            return {}
        raise NotMounted(f'{word} "{name}" not found')
    data = environment.contents(obj)
    items = spec.get("items")
    if not items:
        return {key: payload.File(content, mode) for key, content in data.items()}
    found = {}
    for item in items:
        if item["key"] in data:
            found[item["path"]] = payload.File(data[item["key"]], int(item.get("mode") or mode))
        elif not optional:
            raise NotMounted(
                f"{word} references non-existent {'config' if word == 'configmap' else word} key: {item['key']}"
            )
    return found


def _downward(item: Obj, context: Context) -> str:
    try:
        if "fieldRef" in item:
            path = item["fieldRef"]["fieldPath"]
            return downward.field(context.pod, path, ip=context.ip, host_ip=context.host_ip)
        reference = item["resourceFieldRef"]
        return downward.resource(context.pod, reference, container="", allocatable=context.allocatable)
    except downward.Unknown as error:
        raise NotMounted(str(error)) from error
