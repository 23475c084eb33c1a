"""Structural OpenAPI schemas, walked out of the types in this room.

Kubernetes accepts only *structural* schemas (https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/
custom-resource-definitions/#specifying-a-structural-schema), so this is a generator of its own rather than
``msgspec.json.schema``: no ``$ref``, no ``anyOf``, ``x-kubernetes-*`` extensions instead. The types stay the only
place where a field, its default or its description is written.
"""

from typing import Any

import msgspec
from msgspec import inspect

Schema = dict[str, Any]

ANYTHING: Schema = {"x-kubernetes-preserve-unknown-fields": True}
INT_OR_STRING: Schema = {"x-kubernetes-int-or-string": True}

# Kept with unknown fields: an image of the original writes fields of its own release there.
_OPEN_FIELDS = {"status"}
_SCALARS = ("string", "integer", "number", "boolean")


def of(kind: type[msgspec.Struct]) -> Schema:
    """The ``openAPIV3Schema`` of one of the four kinds; ``metadata`` is left to the API server."""
    schema = _walk(inspect.type_info(kind))
    schema["properties"]["metadata"] = {"type": "object"}
    return schema


def _walk(node: inspect.Type) -> Schema:
    schema = _shape(node)
    # An API server of Kubernetes before 1.24 that was compiled with Go 1.18 or later takes "", 0 and false for null
    # (go-openapi/validate compares reflect.Values), so `auxiliaryAppInfo: ''` needs a schema that allows null.
    if schema.get("type") in _SCALARS and not schema.get("minLength"):
        schema["nullable"] = True
    return schema


def _shape(node: inspect.Type) -> Schema:  # noqa: C901 - a table: one line of thought for each type
    match node:
        case inspect.Metadata(type=inner, extra_json_schema=extra):
            return _walk(inner) | _documentation(extra)
        case inspect.StructType():
            return _struct(node)
        case (
            inspect.ListType(item_type=item, min_length=least)
            | inspect.CollectionType(item_type=item, min_length=least)
        ):
            return {"type": "array", "items": _walk(item)} | ({"minItems": least} if least else {})
        case inspect.DictType(value_type=value):
            values_schema = _walk(value)
            if values_schema == ANYTHING:
                return {"type": "object"} | ANYTHING
            return {"type": "object", "additionalProperties": values_schema}
        case inspect.LiteralType(values=values):
            return {"type": "string", "enum": sorted(map(str, values))}
        case inspect.StrType(min_length=least, pattern=pattern):
            return (
                {"type": "string"} | ({"minLength": least} if least else {}) | ({"pattern": pattern} if pattern else {})
            )
        case inspect.IntType(ge=least, le=most):
            return {"type": "integer"} | _bounds(least, most)
        case inspect.FloatType(ge=least, le=most):
            return {"type": "number"} | _bounds(least, most)
        case inspect.BoolType():
            return {"type": "boolean"}
        case inspect.AnyType():
            return dict(ANYTHING)
        case inspect.UnionType(types=types):
            return _union([t for t in types if not isinstance(t, inspect.NoneType)])
    raise TypeError(f"no structural schema for {node!r}")


def _bounds(least: float | None, most: float | None) -> Schema:
    return {name: value for name, value in (("minimum", least), ("maximum", most)) if value is not None}


def _union(types: list[inspect.Type]) -> Schema:
    if len(types) == 1:
        return _walk(types[0])
    if {type(t) for t in types} == {inspect.IntType, inspect.StrType}:
        return dict(INT_OR_STRING)
    raise TypeError(f"a structural schema has no union of {types!r}")


def _documentation(extra: dict[str, Any] | None) -> Schema:
    return {k: v for k, v in (extra or {}).items() if k == "description"}


def _struct(node: inspect.StructType) -> Schema:
    properties: dict[str, Schema] = {}
    required: list[str] = []
    for field in node.fields:
        prop = _walk(field.type)
        if field.encode_name in _OPEN_FIELDS:
            prop |= ANYTHING
        if field.required:
            required.append(field.encode_name)
        elif isinstance(field.default, str | int | bool) and field.default != "":
            prop["default"] = field.default
        properties[field.encode_name] = prop
    for fixed in ("apiVersion", "kind"):
        if fixed in properties:
            properties[fixed].pop("default", None)
    return {"type": "object", "properties": properties} | ({"required": required} if required else {})
