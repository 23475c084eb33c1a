"""The schemas of built-in kinds, read from the types that lightkube generates out of Kubernetes' OpenAPI document.

Nothing is vendored: names, types and what is required come from the installed ``lightkube.models``; ``facts`` and
``merge_keys`` add what those types do not say. A module is imported when the first kind of its group is asked for.
"""

import importlib
import re
from functools import cache
from types import ModuleType

from . import definitions, facts, go_types, merge_keys, zeroes
from .form import Fields, MapType, Schema, Struct, Type

_SCALARS: dict[str, Type] = {"str": "string", "int": "int32", "bool": "boolean", "float": "number", "Any": "json"}
# Aliases of the models: their Python type is looser than what they mean.
_ALIASES: dict[str, Type] = {
    "Time": "time",
    "MicroTime": "micro-time",
    "Quantity": "quantity",
    "IntOrString": "int-or-string",
    "RawExtension": "raw",
    "JSON": "json",
    "JSONSchemaPropsOrStringArray": "json",
}
_WRAPPED = re.compile(r"(Optional|List)\[(.*)\]")
_ANYWHERE = ("DeleteOptions", "Status", "WatchEvent")
"""Kinds of meta/v1 that every group knows."""


@cache
def of(group: str, version: str, kind: str) -> Schema | None:
    """The schema of a built-in kind, None when there is none of this name."""
    found = _class(definitions.module(group, version), kind)
    if found is None and (kind in _ANYWHERE or not group):
        return _struct_schema("meta_v1", kind) if _class("meta_v1", kind) else None
    return _struct_schema(definitions.module(group, version), kind) if found else None


def defined(definition: str) -> Struct:
    """The struct of a definition that some schema refers to."""
    return _struct(*_place(definition))


def is_kind(definition: str) -> bool:
    """Whether objects of a definition say their apiVersion and kind, as lightkube sets them for those."""
    found = _class(*_place(definition))
    return found is not None and "__post_init__" in vars(found)


def is_list(definition: str) -> bool:
    """Whether it is the list of a kind."""
    return is_kind(definition) and definition.endswith("List")


def described(definition: str) -> str:
    """The documentation text of a definition's class, '' when it has none."""
    found = _class(*_place(definition))
    return (found.__doc__ or "") if found else ""


def json_names(definition: str) -> dict[str, str]:
    """Python name → JSON name of the fields, where they differ."""
    found = _class(*_place(definition))
    if found is None:
        return {}
    pairs = zip(found.__struct_fields__, found.__struct_encode_fields__, strict=True)  # type: ignore[attr-defined]
    return {python: shown for python, shown in pairs if python != shown}


def _place(definition: str) -> tuple[str, str]:
    package, version, name = definition.split(".")[-3:]
    return f"{package}_{version}", name


def _module(name: str) -> ModuleType | None:
    try:
        return importlib.import_module(f"lightkube.models.{name}")
    except ModuleNotFoundError:
        return None


def _class(module: str, name: str) -> type | None:
    found = getattr(_module(module), name, None)
    return found if isinstance(found, type) and hasattr(found, "__struct_fields__") else None


@cache
def _struct(module: str, name: str) -> Struct:
    definition = definitions.named(module, name)
    atomic = definitions.short(definition) in merge_keys.ATOMIC_OBJECTS
    return Struct(definition, lambda: _fields(module, name), map_type="atomic" if atomic else "granular")


def _struct_schema(module: str, name: str) -> Schema:
    struct = _struct(module, name)
    return Schema(type="object", struct=struct, map_type=struct.map_type)


def _fields(module: str, name: str) -> tuple[Fields, frozenset[str]]:
    model = _class(module, name)
    assert model is not None  # a struct is only made for a class
    shown: tuple[str, ...] = model.__struct_encode_fields__  # type: ignore[attr-defined]
    optional = len(model.__struct_defaults__)  # type: ignore[attr-defined]
    required = frozenset(shown[: len(shown) - optional])
    short = definitions.short(definitions.named(module, name))
    fields = {
        field: _field(module, short, field, str(model.__annotations__[python]), required=field in required)
        for field, python in zip(shown, model.__struct_fields__, strict=True)  # type: ignore[attr-defined]
    }
    return dict(sorted(fields.items())), required


def _field(module: str, definition: str, name: str, annotation: str, *, required: bool) -> Schema:
    found = _typed(module, definition, name, annotation)
    at = f"{definition}.{name}"
    map_type: MapType = found.map_type
    if at in merge_keys.ATOMIC_FIELDS:
        map_type = "atomic"
    elif at in merge_keys.GRANULAR_FIELDS:
        map_type = "granular"
    merge = merge_keys.table().get((definition, name), merge_keys.Merge())
    return found.but(
        list_type=merge.list_type,
        map_keys=merge.map_keys,
        merge_key=merge.merge_key,
        patch_strategy=frozenset(merge.patch_strategy),
        map_type=map_type,
        omitted=not required and zeroes.vanish(definition, name, found.type),
        go_type=go_types.named(definition, name),
    )


def _typed(module: str, definition: str, name: str, annotation: str) -> Schema:
    if match := _WRAPPED.fullmatch(annotation):
        inner = _typed(module, definition, name, match[2])
        return inner if match[1] == "Optional" else Schema(type="array", items=inner)
    if annotation in ("dict", "Dict"):
        return Schema(type="map", items=_map_values(definition, name))
    if annotation == "int" and facts.is_int64(definition, name):
        return Schema(type="int64")
    if annotation == "str" and (definition, name) in facts.BYTES:
        return Schema(type="bytes")
    if annotation in _SCALARS:
        return Schema(type=_SCALARS[annotation])
    return _named(module, annotation)


def _map_values(definition: str, name: str) -> Schema:
    at = (definition, name)
    if at in facts.QUANTITY_MAPS:
        return Schema(type="quantity")
    if at in facts.BYTES:
        return Schema(type="bytes")
    if at in facts.TIME_MAPS:
        return Schema(type="time")
    if at in facts.STRING_LIST_MAPS:
        return Schema(type="array", items=Schema(type="string"))
    if at in facts.SCHEMA_MAPS:
        return _struct_schema("apiextensions_v1", "JSONSchemaProps")
    return Schema(type="json" if at in facts.JSON_MAPS else "string")


def _named(module: str, annotation: str) -> Schema:
    owner, _, name = annotation.rpartition(".")
    if name in _ALIASES:
        return Schema(type=_ALIASES[name])
    if name in ("JSONSchemaPropsOrArray", "JSONSchemaPropsOrBool"):
        return Schema(type="json", struct=_struct("apiextensions_v1", "JSONSchemaProps"))
    if name == "FieldsV1" or _class(owner or module, name) is None:
        return Schema(type="raw", map_type="atomic" if name == "FieldsV1" else "granular")
    return _struct_schema(owner or module, name)
