"""Environment variables of containers, and the references to fields and keys that volumes share with them.

Source: pkg/apis/core/validation; documentation "Downward API".
"""

import re
from typing import Any

from litmus.sandbox.machinery import names, status
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.status import Cause

from . import causes

ENV_FIELDS = (
    *("metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName"),
    *("status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"),
)
FILE_FIELDS = ("metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid")
_KNOWN_FIELDS = {*ENV_FIELDS, *FILE_FIELDS, "spec.restartPolicy", "spec.schedulerName", "status.phase"}
_RESOURCES = (
    *("limits.cpu", "limits.ephemeral-storage", "limits.memory"),
    *("requests.cpu", "requests.ephemeral-storage", "requests.memory"),
)
_SOURCES = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef")
_SUBSCRIPT = re.compile(r"(.+)\['(.*)'\]")
_ONE_SOURCE = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`"
_ONE_BULK_SOURCE = "must specify one of: `configMapRef` or `secretRef`"
_MORE = "may not have more than one field specified at a time"


def variables(found: list[Obj], at: str) -> list[Cause]:
    """``env`` of a container."""
    said: list[Cause] = []
    for index, variable in enumerate(found):
        name = variable.get("name", "")
        field = f"{at}[{index}].name"
        said += causes.each(field, name, names.env(name)) if name else [status.required(field)]
        if variable.get("valueFrom") is not None:
            said += _value_from(variable, f"{at}[{index}].valueFrom")
    return said


def bulk(found: list[Obj], at: str) -> list[Cause]:
    """``envFrom`` of a container."""
    said: list[Cause] = []
    for index, source in enumerate(found):
        if source.get("prefix"):
            said += causes.each(f"{at}[{index}].prefix", source["prefix"], names.env(source["prefix"]))
        given = [kind for kind in ("configMapRef", "secretRef") if isinstance(source.get(kind), dict)]
        for kind in given:
            field, name = f"{at}[{index}].{kind}.name", source[kind].get("name", "")
            said += causes.each(field, name, names.subdomain(name)) if name else [status.required(field)]
        if len(given) != 1:
            said.append(status.invalid_value(at, "", _MORE if given else _ONE_BULK_SOURCE))
    return said


def field_reference(reference: Obj, known: tuple[str, ...], at: str) -> list[Cause]:
    """An ObjectFieldSelector; ``known``: the fields that may be named here."""
    path = reference.get("fieldPath", "")
    if not path:
        return [status.required(f"{at}.fieldPath")]
    if reference.get("apiVersion") != "v1":
        why = f"error converting fieldPath: unsupported pod version: {reference.get('apiVersion')}"
        return [status.invalid_value(f"{at}.fieldPath", path, why)]
    if subscripted := _SUBSCRIPT.fullmatch(path):
        base, key = subscripted.groups()
        if base in ("metadata.annotations", "metadata.labels"):
            return causes.each(at, key, names.qualified(key.lower() if base.endswith("annotations") else key))
        if base in _KNOWN_FIELDS:
            why = f"error converting fieldPath: field label does not support subscript: {path}"
            return [status.invalid_value(f"{at}.fieldPath", path, why)]
    if path not in _KNOWN_FIELDS:
        why = f"error converting fieldPath: field label not supported: {subscripted[1] if subscripted else path}"
        return [status.invalid_value(f"{at}.fieldPath", path, why)]
    return [] if path in known else [causes.unsupported(f"{at}.fieldPath", path, sorted(known))]


def resource_reference(reference: Obj, at: str, *, in_volume: bool) -> list[Cause]:
    """A ResourceFieldSelector; a volume must say which container it means."""
    resource = reference.get("resource", "")
    if in_volume and not reference.get("containerName"):
        return [status.required(f"{at}.containerName")]
    if not resource:
        return [status.required(f"{at}.resource")]
    if resource not in _RESOURCES and not resource.startswith(("limits.hugepages-", "requests.hugepages-")):
        return [causes.unsupported(f"{at}.resource", resource, _RESOURCES)]
    return []


def key_reference(reference: Obj, at: str) -> list[Cause]:
    """A key of a ConfigMap or Secret."""
    name, key = reference.get("name", ""), reference.get("key", "")
    said = causes.each(f"{at}.name", name, names.subdomain(name))
    said += causes.each(f"{at}.key", key, names.config_key(key)) if key else [status.required(f"{at}.key")]
    return said


def _value_from(variable: Obj, at: str) -> list[Cause]:
    source: dict[str, Any] = variable["valueFrom"]
    given = [kind for kind in _SOURCES if isinstance(source.get(kind), dict)]
    said: list[Cause] = []
    for kind in given:
        field = f"{at}.{kind}"
        if kind == "fieldRef":
            said += field_reference(source[kind], ENV_FIELDS, field)
        elif kind == "resourceFieldRef":
            said += resource_reference(source[kind], field, in_volume=False)
        else:
            said += key_reference(source[kind], field)
    if not given and "fileKeyRef" not in source:
        said.append(status.invalid_value(at, "", _ONE_SOURCE))
    elif variable.get("value"):
        said.append(status.invalid_value(at, "", "may not be specified when `value` is not empty"))
    elif len(given) > 1:
        said.append(status.invalid_value(at, "", _MORE))
    return said
