"""Schemas in the words of OpenAPI, in its two dialects: v2 (Swagger) and v3.

Source: the Kubernetes documentation, "The Kubernetes API", OpenAPI interface definition, and the documents that a real
server publishes (``kubectl get --raw /openapi/v2``).
"""

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Literal

from litmus.sandbox.machinery.objects import Obj

from . import built_in, definitions, descriptions
from .form import Schema, Struct

Dialect = Literal["v2", "v3"]

_REFERENCES = {"v2": "#/definitions/", "v3": "#/components/schemas/"}
_SCALARS: dict[str, Obj] = {
    "string": {"type": "string"},
    "int32": {"type": "integer", "format": "int32"},
    "int64": {"type": "integer", "format": "int64"},
    "number": {"type": "number", "format": "double"},
    "boolean": {"type": "boolean"},
    "bytes": {"type": "string", "format": "byte"},
    "map": {"type": "object"},
    "array": {"type": "array"},
}
_NAMED = {
    "time": definitions.TIME,
    "micro-time": definitions.MICRO_TIME,
    "quantity": definitions.QUANTITY,
    "int-or-string": definitions.INT_OR_STRING,
    "raw": definitions.RAW_EXTENSION,
    "json": definitions.JSON,
}
PATCH = f"{definitions.META}.Patch"
_MOMENT: Obj = {"type": "string", "format": "date-time"}
_SPECIAL: dict[str, Obj] = {
    definitions.TIME: _MOMENT,
    definitions.MICRO_TIME: _MOMENT,
    definitions.QUANTITY: {"type": "string"},
    definitions.INT_OR_STRING: {"type": "string", "format": "int-or-string"},
    definitions.RAW_EXTENSION: {"type": "object"},
    definitions.JSON: {},
    PATCH: {"type": "object"},
}
_SPECIAL_V3: dict[str, Obj] = {
    definitions.QUANTITY: {"oneOf": [{"type": "string"}, {"type": "number"}]},
    definitions.INT_OR_STRING: {"format": "int-or-string", "oneOf": [{"type": "integer"}, {"type": "string"}]},
}
_SPECIAL_TEXTS = {
    definitions.TIME: "A moment in RFC 3339 form, with whole seconds.",
    definitions.MICRO_TIME: "A moment in RFC 3339 form, with microseconds.",
    definitions.QUANTITY: "An amount with a suffix: 500m, 1.5, 10k, 64Mi, 1e3.",
    definitions.INT_OR_STRING: "A whole number or a text.",
    definitions.RAW_EXTENSION: "Any object.",
    definitions.JSON: "Any JSON value.",
    PATCH: "The body of a PATCH request, in the form that its Content-Type names.",
}


def reference(definition: str, dialect: Dialect) -> Obj:
    """``{"$ref": …}``"""
    return {"$ref": f"{_REFERENCES[dialect]}{definition}"}


def described(definition: str, dialect: Dialect, text: str) -> Obj:
    """A reference with a text of its own, which v3 does not allow beside a plain ``$ref``."""
    found = reference(definition, dialect)
    if not text:
        return found
    return {"description": text, **found} if dialect == "v2" else {"allOf": [found], "default": {}, "description": text}


def definition(name: str, dialect: Dialect) -> Obj:
    """A built-in definition."""
    if name in _SPECIAL:
        shape = _SPECIAL_V3.get(name) if dialect == "v3" else None
        return {"description": _SPECIAL_TEXTS[name], **(shape or _SPECIAL[name])}
    struct = built_in.defined(name)
    text, texts = descriptions.of(name)
    fields = {field: _field(schema, dialect, texts.get(field, "")) for field, schema in struct.fields.items()}
    if built_in.is_list(name) and "items" in fields:
        fields["items"].pop("x-kubernetes-list-type", None)
    found: Obj = {"description": text, "type": "object", "properties": fields}
    if struct.required:
        found["required"] = sorted(struct.required)
    if struct.map_type != "granular":
        found["x-kubernetes-map-type"] = struct.map_type
    if built_in.is_kind(name):
        group, version = definitions.group_version(name)
        kind = struct.name
        found["x-kubernetes-group-version-kind"] = [{"group": group, "kind": kind, "version": version}]
    return found


def closure(names: Iterable[str]) -> list[str]:
    """The definitions that these need, themselves included, by the alphabet."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _needed(name)
    return sorted(found)


@cache
def _needed(name: str) -> tuple[str, ...]:
    if name in _SPECIAL:
        return ()
    struct = built_in.defined(name)
    return tuple({used for schema in struct.fields.values() for used in _used(schema)})


def _used(schema: Schema) -> Iterator[str]:
    if schema.type == "object" and schema.struct:
        yield schema.struct.definition
    elif schema.type in _NAMED:
        yield _NAMED[schema.type]
    elif schema.items:
        yield from _used(schema.items)


def _field(schema: Schema, dialect: Dialect, text: str) -> Obj:
    name = _referred(schema)
    if name:
        found = described(name, dialect, text)
    else:
        found = {**({"description": text} if text else {}), **_SCALARS[schema.type]}
        if schema.items:
            word = "items" if schema.type == "array" else "additionalProperties"
            found[word] = _field(schema.items, dialect, "")
    return {**found, **_extensions(schema)}


def _referred(schema: Schema) -> str:
    if schema.type == "object":
        struct: Struct | None = schema.struct
        return struct.definition if struct else ""
    return _NAMED.get(schema.type, "")


def _extensions(schema: Schema) -> Obj:
    found: Obj = {}
    if schema.type == "array":
        if schema.map_keys:
            found["x-kubernetes-list-map-keys"] = list(schema.map_keys)
        found["x-kubernetes-list-type"] = schema.list_type
    if schema.type == "map" and schema.map_type != "granular":
        found["x-kubernetes-map-type"] = schema.map_type
    if schema.merge_key:
        found["x-kubernetes-patch-merge-key"] = schema.merge_key
    if schema.patch_strategy:
        found["x-kubernetes-patch-strategy"] = ",".join(sorted(schema.patch_strategy))
    return found
