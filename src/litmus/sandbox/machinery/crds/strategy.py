"""What the registry asks about objects of a custom kind, answered by the schema of its version.

The order is that of a real server: metadata is read as that of every kind, unknown fields are pruned, defaults are
filled in, and then the whole is validated. Rules in CEL are not evaluated.
Source: the Kubernetes documentation, "CustomResourceDefinitions"; apiextensions-apiserver's customresource registry.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import cached_property
from typing import Any

from litmus.sandbox.machinery import objects, schemas, status
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.options import Options
from litmus.sandbox.machinery.resources import Resource
from litmus.sandbox.machinery.schemas import Schema, decoding
from litmus.sandbox.machinery.status import Cause
from litmus.sandbox.machinery.strategies import Strategy

from . import columns, defaulting, lists, pruning, shape, validation, versions

_META = ("apiVersion", "kind", "metadata")


class CustomStrategy(Strategy):
    """One served version of a definition."""

    generation_of = ("spec",)
    unconditional_update = False

    def __init__(self, resource: Resource, crd: Obj) -> None:
        self.resource = resource
        self._version = versions.named(crd, resource.version) or {}
        self.props: Obj = (self._version.get("schema") or {}).get("openAPIV3Schema") or {"type": "object"}
        self._body = {
            **self.props,
            "properties": {
                name: inner for name, inner in (self.props.get("properties") or {}).items() if name not in _META
            },
        }

    @cached_property
    def schema(self) -> Schema:
        """For patches and server-side apply."""
        return shape.of(self.props)

    @cached_property
    def column_definitions(self) -> list[Obj]:
        """The columns of a Table."""
        return columns.definitions(columns.of(self._version))

    def cells(self, obj: Obj, *, now: datetime) -> list[Any]:
        """The cells of an object's row, which stand under the ``column_definitions``."""
        return columns.cells(columns.of(self._version), obj, now=now)

    @property
    def deprecation(self) -> str:
        """The warning for whoever uses this version, '' when it is not deprecated."""
        if not self._version.get("deprecated"):
            return ""
        found = self._version.get("deprecationWarning")
        return found or f"{self.resource.group_version} {self.resource.kind} is deprecated"

    def decode(self, obj: Obj, *, asked: Options) -> Obj:
        """A private copy without what the schema does not know. Raises Refusal (400)."""
        found = objects.copy(obj)
        unknown: list[str] = []
        try:
            _read_meta(self.props, found, "", unknown)
        except schemas.Mistyped as why:
            raise schemas.handled(self.resource, str(why)) from why
        unknown += pruning.prune(self.props, found)
        schemas.validate_fields(self.resource, unknown, asked=asked)
        return found

    def default(self, obj: Obj) -> None:
        defaulting.default(self._body, obj)

    def raises_generation(self, new: Obj, old: Obj) -> bool:
        """Everything counts but metadata, and the status where it is a subresource."""
        apart = ("metadata", "apiVersion", "status" if self.resource.has_status else "metadata")
        return _without(new, apart) != _without(old, apart)

    def validate(self, obj: Obj) -> list[Cause]:
        kind = obj.get("kind", "")
        wrong = (
            [] if kind == self.resource.kind else [status.invalid_value("kind", kind, f"must be {self.resource.kind}")]
        )
        found = [*wrong, *validation.causes(self.props, obj)]
        return [*found, *self._scale(obj), *lists.causes(self.props, obj)]

    def validate_status_update(self, new: Obj, old: Obj) -> list[Cause]:
        return self.validate(new)

    def _scale(self, obj: Obj) -> list[Cause]:
        """The figures that the scale subresource shows are no negative numbers."""
        said = (self._version.get("subresources") or {}).get("scale") or {}
        found = []
        for path in (said.get("specReplicasPath", ""), said.get("statusReplicasPath", "")):
            value = _at(obj, path)
            if isinstance(value, int) and value < 0:
                found.append(status.invalid_value(path, value, "should be a non-negative integer"))
        return found


def _without(obj: Obj, fields: tuple[str, ...]) -> Obj:
    return {name: value for name, value in obj.items() if name not in fields}


def _at(obj: Obj, path: str) -> Any:
    found: Any = obj
    for word in path.strip(".").split("."):
        found = found.get(word) if isinstance(found, dict) else None
    return found


def _read_meta(props: Obj, value: Any, path: str, unknown: list[str]) -> None:
    """Reads ``metadata`` of the object and of the resources embedded in it as that of any kind, in place."""
    if isinstance(value, list):
        items = props.get("items")
        for index, item in enumerate(value if isinstance(items, dict) else ()):
            _read_meta(items or {}, item, f"{path}[{index}]", unknown)
    if not isinstance(value, dict):
        return
    if value.get("metadata") is not None and (not path or props.get("x-kubernetes-embedded-resource")):
        value["metadata"] = _meta(value["metadata"], path, unknown)
    for name, inner in _inner(props, value):
        _read_meta(inner, value[name], validation.child(path, name), unknown)


def _meta(value: Any, path: str, unknown: list[str]) -> Obj:
    at = validation.child(path, "metadata")
    try:
        found = decoding.decode(schemas.object_meta(), value)
    except schemas.Mistyped as why:
        if not path:
            raise
        raise schemas.Mistyped(str(status.invalid_value(at, value, str(why)))) from why
    unknown += [f"{at}.{lost}" for lost in found.unknown]
    return found.obj


def _inner(props: Obj, value: Obj) -> Sequence[tuple[str, Obj]]:
    known = props.get("properties") or {}
    others = props.get("additionalProperties")
    found = [(name, known.get(name) or others) for name in value]
    return [(name, inner) for name, inner in found if isinstance(inner, dict)]
