"""Volumes of a pod and their mounts. Source: pkg/apis/core/validation; documentation "Volumes"."""

from collections.abc import Iterable, Mapping

from litmus.sandbox.machinery import names, quantity, status
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.status import Cause

from . import causes, environment

_MODE_TEXT = "must be a number between 0 and 0777 (octal), both inclusive"
_HOST_TYPES = ("", "DirectoryOrCreate", "Directory", "FileOrCreate", "File", "Socket", "CharDevice", "BlockDevice")
_ONE_TYPE = "may not specify more than 1 volume type"
_PROJECTED = ("secret", "configMap", "downwardAPI", "serviceAccountToken", "clusterTrustBundle", "podCertificate")


def of_pod(volumes: list[Obj], at: str) -> list[Cause]:
    """The volumes of a pod's spec."""
    said: list[Cause] = []
    seen: set[str] = set()
    for index, volume in enumerate(volumes):
        field, name = f"{at}[{index}]", volume.get("name", "")
        here = _source(volume, field)
        here += causes.each(f"{field}.name", name, names.label(name)) if name else [status.required(f"{field}.name")]
        if name in seen:
            here.append(status.duplicate(f"{field}.name", name))
        if not here:
            seen.add(name)
        said += here
    return said


def mounts(found: list[Obj], known: Iterable[str], at: str) -> list[Cause]:
    """``volumeMounts`` of a container; ``known``: the names of the pod's volumes."""
    said: list[Cause] = []
    paths: set[str] = set()
    volumes = set(known)
    for index, mount in enumerate(found):
        field, name, path = f"{at}[{index}]", mount.get("name", ""), mount.get("mountPath", "")
        if not name:
            said.append(status.required(f"{field}.name"))
        if name not in volumes:
            said.append(status.not_found_value(f"{field}.name", name))
        if not path:
            said.append(status.required(f"{field}.mountPath"))
        if path in paths:
            said.append(status.invalid_value(f"{field}.mountPath", path, "must be unique"))
        paths.add(path)
        if mount.get("subPath"):
            said += _relative(mount["subPath"], f"{at}.subPath")  # without the index, as a real server
        if mount.get("subPath") and mount.get("subPathExpr"):
            why = "subPathExpr and subPath are mutually exclusive"
            said.append(status.invalid_value(f"{field}.subPathExpr", mount["subPathExpr"], why))
    return said


def _source(volume: Obj, at: str) -> list[Cause]:
    given = [kind for kind in volume if kind != "name" and isinstance(volume[kind], dict)]
    if not given:
        return [status.required(at, "must specify a volume type")]
    said = _details(given[0], volume[given[0]], f"{at}.{given[0]}")
    return said + [status.forbidden_field(f"{at}.{kind}", _ONE_TYPE) for kind in given[1:]]


def _details(kind: str, source: Obj, at: str) -> list[Cause]:
    match kind:
        case "emptyDir":
            return _empty_dir(source, at)
        case "hostPath":
            return _host_path(source, at)
        case "configMap" | "secret":
            name = "name" if kind == "configMap" else "secretName"
            said = [] if source.get(name) else [status.required(f"{at}.{name}")]
            return said + _mode(source, "defaultMode", at) + _items(source, at)
        case "downwardAPI":
            return _mode(source, "defaultMode", at) + _downward_files(source, at)
        case "projected":
            return _mode(source, "defaultMode", at) + _projected(source, at)
        case "persistentVolumeClaim":
            return [] if source.get("claimName") else [status.required(f"{at}.claimName")]
        case "nfs":
            return _nfs(source, at)
    return []


def _nfs(source: Obj, at: str) -> list[Cause]:
    said = [status.required(f"{at}.{field}") for field in ("server", "path") if not source.get(field)]
    if not source.get("path", "").startswith("/"):
        said.append(status.invalid_value(f"{at}.path", source.get("path", ""), "must be an absolute path"))
    return said


def _empty_dir(source: Obj, at: str) -> list[Cause]:
    if "sizeLimit" in source and quantity.of(source["sizeLimit"]).nano < 0:
        return [status.forbidden_field(f"{at}.sizeLimit", "SizeLimit field must be a valid resource quantity")]
    return []


def _host_path(source: Obj, at: str) -> list[Cause]:
    path = source.get("path", "")
    if not path:
        return [status.required(f"{at}.path")]
    said = _no_backsteps(path, f"{at}.path")
    if source.get("type", "") not in _HOST_TYPES:
        said.append(causes.unsupported(f"{at}.type", source["type"], sorted(_HOST_TYPES)))
    return said


def _mode(source: Mapping[str, object], name: str, at: str) -> list[Cause]:
    mode = source.get(name)
    if isinstance(mode, int) and not 0 <= mode <= 0o777:
        return [status.invalid_value(f"{at}.{name}", mode, _MODE_TEXT)]
    return []


def _items(source: Obj, at: str) -> list[Cause]:
    said: list[Cause] = []
    for index, item in enumerate(source.get("items") or []):
        field = f"{at}.items[{index}]"
        if not item.get("key"):
            said.append(status.required(f"{field}.key"))
        said += _file_path(item, field) + _mode(item, "mode", field)
    return said


def _downward_files(source: Obj, at: str) -> list[Cause]:
    said: list[Cause] = []
    for index, item in enumerate(source.get("items") or []):
        field = f"{at}.items[{index}]" if "items" in source else at
        said += _file_path(item, at)
        if isinstance(item.get("fieldRef"), dict):
            said += environment.field_reference(item["fieldRef"], environment.FILE_FIELDS, f"{at}.fieldRef")
            if isinstance(item.get("resourceFieldRef"), dict):
                both = "fieldRef and resourceFieldRef can not be specified simultaneously"
                said.append(status.invalid_value(at, "resource", both))
        elif isinstance(item.get("resourceFieldRef"), dict):
            reference = item["resourceFieldRef"]
            said += environment.resource_reference(reference, f"{at}.resourceFieldRef", in_volume=True)
        else:
            said.append(status.required(at, "one of fieldRef and resourceFieldRef is required"))
        said += _mode(item, "mode", field)
    return said


def _projected(source: Obj, at: str) -> list[Cause]:
    said: list[Cause] = []
    for index, part in enumerate(source.get("sources") or []):
        field = f"{at}.sources[{index}]"
        given = [kind for kind in _PROJECTED if isinstance(part.get(kind), dict)]
        for kind in given:
            said += _projection(kind, part[kind], f"{field}.{kind}", volume=at)
        if len(given) > 1:
            said += [status.forbidden_field(f"{field}.{kind}", _ONE_TYPE) for kind in given[1:]]
    return said


def _projection(kind: str, part: Obj, at: str, *, volume: str) -> list[Cause]:
    if kind in ("secret", "configMap"):
        said = [] if part.get("name") else [status.required(f"{at}.name")]
        return said + _items(part, at)
    if kind == "downwardAPI":
        return _downward_files(part, at)
    if kind == "serviceAccountToken":
        said = [] if part.get("path") else [status.required(f"{volume}.path")]
        expires_s = part.get("expirationSeconds", 0)
        if expires_s < 600:
            said.append(
                status.invalid_value(
                    f"{at}.expirationSeconds", expires_s, "may not specify a duration less than 10 minutes"
                )
            )
        return said
    return []


def _file_path(item: Obj, at: str) -> list[Cause]:
    path = item.get("path", "")
    if not path:
        return [status.required(f"{at}.path")]
    said = _relative(path, f"{at}.path")
    if path.startswith("..") and not path.startswith("../"):
        said.append(status.invalid_value(f"{at}.path", path, "must not start with '..'"))
    return said


def _relative(path: str, field: str) -> list[Cause]:
    said = [status.invalid_value(field, path, "must be a relative path")] if path.startswith("/") else []
    return said + _no_backsteps(path, field)


def _no_backsteps(path: str, field: str) -> list[Cause]:
    return [status.invalid_value(field, path, "must not contain '..'")] if ".." in path.split("/") else []
