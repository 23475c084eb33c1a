"""Which cluster, as whom: a kubeconfig or the service account of a pod, and one clear sentence when neither works."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import yaml
from lightkube.config import kubeconfig
from lightkube.config.models import User
from lightkube.core import exceptions

from . import errors

__all__ = ["User", "load", "written"]

_REMEDY = "set KUBECONFIG, pass --kubeconfig, or start a cluster first"


def load(*, path: str = "", context: str = "", env: Mapping[str, str] = os.environ) -> kubeconfig.SingleConfig:
    """The connection settings: an explicit file, else $KUBECONFIG, else the pod's account, else ~/.kube/config.

    Several files in $KUBECONFIG are merged as kubectl does: the first mention of a name wins. Raises ConfigError.
    """
    named = path or env.get("KUBECONFIG", "")
    if not named and kubeconfig.SERVICE_ACCOUNT and Path(kubeconfig.SERVICE_ACCOUNT, "token").exists():
        try:
            return _single(kubeconfig.KubeConfig.from_service_account(), context)
        except (exceptions.ConfigError, KeyError) as error:
            raise errors.ConfigError(f"this pod's service account can't be used: {error}") from error
    files = [Path(name).expanduser() for name in (named or kubeconfig.DEFAULT_KUBECONFIG).split(os.pathsep) if name]
    present = [file for file in files if file.is_file()]
    if not present:
        raise errors.ConfigError(f"no kubeconfig: {', '.join(map(str, files))} does not exist; {_REMEDY}")
    merged: dict[str, Any] = {}
    for file in present:
        _merge(merged, _read(file))
    try:
        return _single(kubeconfig.KubeConfig.from_dict(merged, fname=present[0]), context)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise errors.ConfigError(
            f"kubeconfig {present[0]} is not complete ({type(error).__name__}: {error}); "
            "it needs clusters, contexts and users"
        ) from error


_PATHS = {
    "clusters": ("cluster", ("certificate-authority",)),
    "users": ("user", ("client-certificate", "client-key", "tokenFile")),
    "contexts": ("context", ()),
}


def _merge(merged: dict[str, Any], config: dict[str, Any]) -> None:
    """As kubectl does: of two entries with one name, and of two values, the first counts."""
    for key, value in config.items():
        if key not in _PATHS:
            merged.setdefault(key, value)
            continue
        entries = merged.setdefault(key, [])
        known = {entry["name"] for entry in entries}
        entries.extend(entry for entry in value or [] if entry["name"] not in known)


def _resolve(config: dict[str, Any], file: Path) -> None:
    """Makes paths absolute, which in a kubeconfig are relative to its folder. Raises ConfigError for another shape."""
    for key, (part, paths) in _PATHS.items():
        for entry in config.get(key) or []:
            if not isinstance(entry, dict) or not isinstance(entry.get(part) or {}, dict) or "name" not in entry:
                raise errors.ConfigError(f"kubeconfig {file}: {key} must be a list of entries with a name and a {part}")
            for path in paths:
                if (entry.get(part) or {}).get(path):
                    entry[part][path] = str(file.absolute().parent / entry[part][path])


def _read(file: Path) -> dict[str, Any]:
    try:
        content = yaml.load(file.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (OSError, UnicodeDecodeError) as error:
        raise errors.ConfigError(f"kubeconfig {file} can't be read: {error}; {_REMEDY}") from error
    except yaml.YAMLError as error:
        first = str(error).splitlines()[0]
        raise errors.ConfigError(f"kubeconfig {file} is not YAML ({first}); {_REMEDY}") from error
    if not isinstance(content, dict):
        raise errors.ConfigError(f"kubeconfig {file} is empty or not a mapping; {_REMEDY}")
    _resolve(content, file)
    return content


def _single(config: kubeconfig.KubeConfig, context: str) -> kubeconfig.SingleConfig:
    try:
        single = config.get(context or None)
    except exceptions.ConfigError as error:
        known = ", ".join(sorted(config.contexts)) or "none"
        raise errors.ConfigError(f"{error}; contexts in the kubeconfig: {known}") from error
    if single is None or single.user is None:
        raise errors.ConfigError("the kubeconfig's context names no user; add one with kubectl config set-context")
    return single


def written(config: kubeconfig.SingleConfig) -> dict[str, Any]:
    """One connection as the content of a kubeconfig, with absolute paths."""
    name = "litmus"
    cluster, user = msgspec.to_builtins(config.cluster), msgspec.to_builtins(config.user or User())
    for part, paths in ((cluster, _PATHS["clusters"][1]), (user, _PATHS["users"][1])):
        for path in paths:
            if part.get(path):
                part[path] = str(config.abs_file(part[path]))
    context = {"cluster": name, "user": name, "namespace": config.namespace}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [{"name": name, "user": user}],
        "contexts": [{"name": name, "context": context}],
        "current-context": name,
    }
