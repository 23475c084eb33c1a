"""The shape of objects: one compact form for built-in kinds and custom ones, for decoding, patches and apply.

A ``Schema`` describes what stands in a field: its type and how lists and maps in it are merged. The fields of an object
are in its ``Struct``, which loads them when they are asked for: shapes are recursive, and most are never needed.
Source of the words: the API concepts, "Server-Side Apply", merge strategy; sigs.k8s.io/structured-merge-diff.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import Literal

Type = Literal[
    "object",  # with named fields: a struct
    "map",  # any key, values of one schema
    "array",
    "string",
    "int32",
    "int64",
    "number",
    "boolean",
    "bytes",  # base64 text
    "time",  # whole seconds
    "micro-time",
    "quantity",
    "int-or-string",
    "raw",  # any JSON object: its fields are not looked at
    "json",  # any JSON value; with a struct: an object is one of these
]
ListType = Literal["atomic", "set", "map"]
MapType = Literal["granular", "atomic"]
Fields = Mapping[str, "Schema"]

_NONE: Fields = MappingProxyType({})


class Struct:
    """The named fields of an object. ``definition`` is its name in the OpenAPI documents ('' for custom ones)."""

    def __init__(
        self, definition: str, load: Callable[[], tuple[Fields, frozenset[str]]], *, map_type: MapType = "granular"
    ) -> None:
        self.definition = definition
        self.map_type: MapType = map_type
        self._load = load

    @cached_property
    def _loaded(self) -> tuple[Fields, frozenset[str]]:
        return self._load()

    @property
    def fields(self) -> Fields:
        return self._loaded[0]

    @property
    def required(self) -> frozenset[str]:
        return self._loaded[1]

    @property
    def name(self) -> str:
        """``DeploymentSpec``: the Go type."""
        return self.definition.rpartition(".")[2]

    @property
    def go_type(self) -> str:
        """``v1.DeploymentSpec``: the Go type as decoding errors name it."""
        return ".".join(self.definition.split(".")[-2:])

    def __repr__(self) -> str:
        return f"Struct({self.definition})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """What stands in a field.

    ``items``: of an array's elements, a map's values. ``list_type``, ``map_keys``, ``map_type``: how server-side apply
    merges. ``merge_key``, ``patch_strategy``: how a strategic merge patch does. ``omitted``: a zero value (false, 0,
    '', an empty list) vanishes, as Go's omitempty does on a field that is no pointer. ``go_type``: a named Go type of a
    string or list, for error texts. ``open``: fields that no schema names stay (preserve-unknown-fields). ``default``:
    of a custom resource's scalar, where it is the key of a list.
    """

    type: Type
    struct: Struct | None = None
    items: "Schema | None" = None
    list_type: ListType = "atomic"
    map_keys: tuple[str, ...] = ()
    map_type: MapType = "granular"
    merge_key: str = ""
    patch_strategy: frozenset[str] = field(default_factory=frozenset)
    omitted: bool = False
    go_type: str = ""
    open: bool = False
    default: str | int | bool | None = None

    @property
    def fields(self) -> Fields:
        """The named fields; none for what is no object."""
        return self.struct.fields if self.struct else _NONE

    @property
    def required(self) -> frozenset[str]:
        return self.struct.required if self.struct else frozenset()

    def at(self, *path: str) -> "Schema | None":
        """The schema down a path of fields (lists and maps are entered by any word), None where there is none."""
        found: Schema | None = self
        for word in path:
            if found is None:
                return None
            found = found.fields.get(word) or found.items
        return found

    def but(self, **changed: object) -> "Schema":
        return replace(self, **changed)  # type: ignore[arg-type]
