"""The environment of a container: services, envFrom, env with ``$(NAME)``, in the order of precedence of a real node.

Pure: ConfigMaps and Secrets are looked up through ``Sources``, which the caller has filled. Source: Kubernetes
documentation, "Define Environment Variables for a Container", "Define Dependent Environment Variables", and for the
variables of services "Service", "Environment variables".
"""

import base64
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from litmus.sandbox.machinery import objects, ports
from litmus.sandbox.machinery.objects import Obj

from . import downward

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# ``$(NAME)``, and ``$$`` that stands for a dollar sign.
_REFERENCE = re.compile(r"\$(?:\$|\(([^()]*)\))")

Lookup = Callable[[str, str], Obj | None]
"""(``configmaps`` or ``secrets``, name) → the object in the pod's namespace, None when there is none."""


class Missing(Exception):
    """A value that the container can't start without; the message is the kubelet's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What is known beside the container. ``api`` is the address and port of the API server."""

    pod: Obj
    ip: str
    host_ip: str
    allocatable: Mapping[str, str]
    lookup: Lookup
    services: Iterable[Obj] = ()
    api: tuple[str, int] = ("", 443)


@dataclass(slots=True)
class Found:
    """Name → value, and which keys of envFrom could not be names."""

    values: dict[str, str] = field(default_factory=dict)
    skipped: list[tuple[str, str, list[str]]] = field(default_factory=list)


def of(container: Obj, context: Context) -> Found:
    """The variables that the manifest and the cluster give. Raises Missing."""
    found = Found()
    service = service_variables(context)
    for source in container.get("envFrom") or []:
        _from_all(source, context, found)
    for entry in container.get("env") or []:
        known = {**service, **found.values}
        found.values[entry["name"]] = value = _value(entry, container, context, known)
        if value is _ABSENT:
            del found.values[entry["name"]]
    found.values = {**service, **found.values}
    return found


def expanded(text: str, known: Mapping[str, str]) -> str:
    """``$(NAME)`` replaced where the name is known, ``$$`` by a dollar sign."""

    def value(match: re.Match[str]) -> str:
        if match[1] is None:
            return "$"
        return known.get(match[1], match[0])

    return _REFERENCE.sub(value, text)


def service_variables(context: Context) -> dict[str, str]:
    """``NAME_SERVICE_HOST`` and so on, for the services of the pod's namespace, and for the API server."""
    found: dict[str, str] = {}
    spec = context.pod.get("spec") or {}
    if spec.get("enableServiceLinks", True):
        for service in sorted(context.services, key=lambda one: objects.meta(one).get("creationTimestamp") or ""):
            address = (service.get("spec") or {}).get("clusterIP")
            if address and address != "None" and objects.namespace(service) == objects.namespace(context.pod):
                found |= dict(_of_service(service, address))
    host, port = context.api
    if host:
        found |= dict(_port("KUBERNETES", {"name": "https", "port": 443}, host, port, first=True))
    return found


def _of_service(service: Obj, address: str) -> Iterator[tuple[str, str]]:
    name = objects.name(service).upper().replace("-", "_")
    for index, port in enumerate((service.get("spec") or {}).get("ports") or []):
        yield from _port(name, port, address, ports.reachable(port["port"]), first=index == 0)


def _port(service: str, port: Obj, host: str, number: int, *, first: bool) -> Iterator[tuple[str, str]]:
    """The variables of one port. ``number`` is where it answers, the names say what the manifest says."""
    protocol = port.get("protocol") or "TCP"
    url = f"{protocol.lower()}://{host}:{number}"
    if first:
        yield f"{service}_SERVICE_HOST", host
        yield f"{service}_SERVICE_PORT", str(number)
        yield f"{service}_PORT", url
    if port.get("name"):
        yield f"{service}_SERVICE_PORT_{port['name'].upper().replace('-', '_')}", str(number)
    prefix = f"{service}_PORT_{port['port']}_{protocol}"
    yield prefix, url
    yield f"{prefix}_PROTO", protocol.lower()
    yield f"{prefix}_PORT", str(number)
    yield f"{prefix}_ADDR", host


_ABSENT = "\0absent"


def _value(entry: Obj, container: Obj, context: Context, known: Mapping[str, str]) -> str:
    source = entry.get("valueFrom")
    if not source:
        return expanded(str(entry.get("value") or ""), known)
    if "fieldRef" in source:
        return _downward(
            lambda: downward.field(context.pod, source["fieldRef"]["fieldPath"], ip=context.ip, host_ip=context.host_ip)
        )
    if "resourceFieldRef" in source:
        return _downward(
            lambda: downward.resource(
                context.pod,
                source["resourceFieldRef"],
                container=container["name"],
                allocatable=context.allocatable,
            )
        )
    if "configMapKeyRef" in source:
        return _key("configmaps", source["configMapKeyRef"], context)
    if "secretKeyRef" in source:
        return _key("secrets", source["secretKeyRef"], context)
    raise Missing(f"environment variable {entry['name']} has a source that the sandbox does not know")


def _downward(read: Callable[[], str]) -> str:
    try:
        return read()
    except downward.Unknown as error:
        raise Missing(str(error)) from error


def _key(resource: str, reference: Obj, context: Context) -> str:
    name, key = reference.get("name", ""), reference["key"]
    obj = context.lookup(resource, name)
    if obj is None:
        if reference.get("optional"):
            return _ABSENT
        raise Missing(f'{_SINGULAR[resource]} "{name}" not found')
    data = texts(obj)
    if key not in data:
        if reference.get("optional"):
            return _ABSENT
        kind = {"configmaps": "ConfigMap", "secrets": "Secret"}[resource]
        raise Missing(f"couldn't find key {key} in {kind} {objects.namespace(context.pod)}/{name}")
    return data[key]


def _from_all(source: Obj, context: Context, found: Found) -> None:
    for word, resource in (("configMapRef", "configmaps"), ("secretRef", "secrets")):
        reference = source.get(word)
        if not reference:
            continue
        obj = context.lookup(resource, reference.get("name", ""))
        if obj is None:
            if reference.get("optional"):
                return
            raise Missing(f'{_SINGULAR[resource]} "{reference.get("name", "")}" not found')
        prefix = source.get("prefix") or ""
        invalid = []
        for key, value in texts(obj).items():
            if _is_name(prefix + key):
                found.values[prefix + key] = value
            else:
                invalid.append(key)
        if invalid:
            found.skipped.append((_SINGULAR[resource], reference.get("name", ""), sorted(invalid)))


_SINGULAR = {"configmaps": "configmap", "secrets": "secret"}


def _is_name(text: str) -> bool:
    """Names of variables since Kubernetes 1.34: printable ASCII without ``=`` (relaxed validation)."""
    return bool(text) and all(" " <= character <= "~" and character != "=" for character in text)


def texts(obj: Obj) -> dict[str, str]:
    """The data of a ConfigMap or Secret as variables get it, without ``binaryData``."""
    plain = {name: part for name, part in obj.items() if name != "binaryData"}
    return {key: value.decode("utf-8", "surrogateescape") for key, value in contents(plain).items()}


def contents(obj: Obj) -> dict[str, bytes]:
    """The data of a ConfigMap (``data``, ``binaryData``) or Secret as bytes."""
    found: dict[str, bytes] = {}
    plain: dict[str, Any] = obj.get("data") or {}
    if obj.get("kind") == "Secret":
        return {key: base64.b64decode(value or "") for key, value in plain.items()}
    found |= {key: str(value).encode() for key, value in plain.items()}
    found |= {key: base64.b64decode(value) for key, value in (obj.get("binaryData") or {}).items()}
    return found
