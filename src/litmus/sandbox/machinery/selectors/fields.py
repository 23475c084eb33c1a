"""Field selectors: ``metadata.name=x,status.phase!=Running``, and which fields each kind lets be selected by.

Source: the documentation "Field Selectors"; k8s.io/apimachinery/pkg/fields for the grammar; the field label conversions
and GetAttrs functions of each kind for the labels and for what is said about others.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from litmus.sandbox.machinery import objects, status
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.resources import Resource

# Commas and backslashes are escaped with a backslash.
_TERM = re.compile(r"(?:\\.|[^,])+", re.DOTALL)
_PARTS = re.compile(r"(.*?)(!=|==|=)(.*)", re.DOTALL)
_ESCAPE = re.compile(r"\\(.?)|[,=]", re.DOTALL)

_METADATA = ("metadata.name", "metadata.namespace")
_ABOUT = ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
_REGARDING = {f"regarding.{field}": f"involvedObject.{field}" for field in _ABOUT}

# The fields that a kind has beside those of the metadata. Kinds that are not here have none.
SUPPORTED: Mapping[str, tuple[str, ...]] = {
    "pods": (
        *_METADATA, "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName",
        "spec.hostNetwork", "status.phase", "status.podIP", "status.podIPs", "status.nominatedNodeName",
    ),
    "events": (
        *_METADATA, *_REGARDING.values(), "reason", "reportingComponent", "source", "type",
    ),
    "events.events.k8s.io": (*_METADATA, *_REGARDING, "reason", "reportingController", "type"),
    "namespaces": ("metadata.name", "status.phase"),
    "nodes": ("metadata.name", "spec.unschedulable"),
    "secrets": (*_METADATA, "type"),
    "services": (*_METADATA, "spec.clusterIP", "spec.type"),
    "replicationcontrollers": (*_METADATA, "status.replicas"),
    "jobs.batch": (*_METADATA, "status.successful"),
}  # fmt: skip

# The name in the stored object of a field that another group-version calls by its own name.
_STORED = {**_REGARDING, "reportingController": "reportingComponent"}
# Numbers and booleans are selected by their text, also where the object leaves them out.
_ZERO = {
    "spec.hostNetwork": "false",
    "spec.unschedulable": "false",
    "status.replicas": "0",
    "status.successful": "0",
}


@dataclass(frozen=True, slots=True)
class Requirement:
    """One condition; ``operator`` is = or !=."""

    field: str
    operator: str
    value: str

    def matches(self, obj: Obj) -> bool:
        return (_value(obj, self.field) == self.value) is (self.operator == "=")

    def __str__(self) -> str:
        escaped = re.sub(r"([\\,=])", r"\\\1", self.value)
        return f"{self.field}{self.operator}{escaped}"


@dataclass(frozen=True, slots=True)
class Selector:
    """All requirements together; none at all selects everything."""

    requirements: tuple[Requirement, ...] = ()

    def matches(self, obj: Obj) -> bool:
        """Whether an object as it lies in the store is selected."""
        return all(requirement.matches(obj) for requirement in self.requirements)

    @property
    def empty(self) -> bool:
        return not self.requirements

    def exact(self, field: str) -> str | None:
        """The one value that the field must have, as authorisation and lists of one object want to know."""
        return next((one.value for one in self.requirements if one.field == field and one.operator == "="), None)

    def __str__(self) -> str:
        return ",".join(map(str, self.requirements))


EVERYTHING = Selector()


def parse(text: str, resource: Resource | None = None, *, selectable: Sequence[str] = ()) -> Selector:
    """The selector that the text of a query parameter means.

    ``resource`` says which fields there are; without one any field goes. ``selectable`` holds the JSON paths
    (``.spec.color``) of a custom resource's ``selectableFields``. Raises Refusal 400.
    """
    found: list[Requirement] = []
    for term in _TERM.findall(text):
        parts = _PARTS.fullmatch(term)
        if parts is None:
            raise status.bad_request(f"invalid selector: '{text}'; can't understand '{term}'")
        field, operator, value = parts.groups()
        found.append(Requirement(field, "!=" if operator == "!=" else "=", _unescaped(value)))
    if resource is not None:
        for requirement in found:
            _check(requirement.field, resource, selectable)
    return Selector(tuple(Requirement(_STORED.get(one.field, one.field), one.operator, one.value) for one in found))


def _unescaped(text: str) -> str:
    def plain(found: re.Match[str]) -> str:
        if found[0] in (",", "="):
            raise status.bad_request(f"invalid field selector: unescaped character in value: {ord(found[0])}")
        if found[1] not in ("\\", ",", "="):
            raise status.bad_request(f"invalid field selector: invalid escape sequence: \\{found[1]}")
        return found[1]

    return _ESCAPE.sub(plain, text)


def _check(field: str, resource: Resource, selectable: Sequence[str]) -> None:
    """Raises Refusal 400 for a field that objects of this kind cannot be selected by."""
    if resource.custom:
        known = (
            *(_METADATA if resource.namespaced else _METADATA[:1]),
            *(path.removeprefix(".") for path in selectable),
        )
    else:
        known = SUPPORTED.get(resource.qualified, _METADATA)
    if field in known:
        return
    if resource.qualified == "jobs.batch":
        raise status.bad_request(f"field label {status.shown(field)} not supported for Job")
    if resource.custom or resource.qualified in SUPPORTED:
        raise status.bad_request(f"field label not supported: {field}")
    only = ", ".join(map(status.shown, known))
    raise status.bad_request(f"{status.shown(field)} is not a known field selector: only {only}")


def _value(obj: Obj, field: str) -> str:
    """A field as text; '' where the object has none."""
    match field:
        case "metadata.name":
            return objects.name(obj)
        case "metadata.namespace":
            return objects.namespace(obj)
        case "source":
            return (obj.get("source") or {}).get("component") or obj.get("reportingComponent") or ""
        case "status.podIPs":  # a label that servers accept and no pod ever has
            return ""
    found: object = obj
    for step in field.split("."):
        found = found.get(step) if isinstance(found, dict) else None
    if found is None:
        return _ZERO.get(field, "")
    if isinstance(found, bool):
        return "true" if found else "false"
    return str(found) if isinstance(found, str | int) else ""
