"""What the decoder of a real API server does with the JSON of an object.

A value of a wrong type is a mistake, told in Go's words; of several, the first in the order of the document. Fields
that no type has are dropped and listed. null is no field. What Go writes back differently from what it read (times in
UTC, quantities in canonical form, zero values of fields with omitempty) is written that way.
Source: sigs.k8s.io/json (encoding/json with the API server's options), metav1.Time, resource.Quantity, intstr.
"""

import base64
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from litmus.sandbox.machinery import objects, quantity
from litmus.sandbox.machinery.objects import Obj

from .form import Schema

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")
_LAYOUT = "2006-01-02T15:04:05Z07:00"
_RANGES = {"int32": 2**31, "int64": 2**63}
_ABSENT = object()


class Mistyped(Exception):
    """A value that its field cannot hold; the message is what follows ``cannot be handled as a Kind:``."""


@dataclass(slots=True)
class Decoded:
    """An object as a server reads it, and the paths of fields that it does not know (``spec.containers[0].foo``)."""

    obj: Obj
    unknown: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a value stands: the Go struct and the keys down to it (no indices), and the path for people."""

    struct: str
    keys: tuple[str, ...]
    path: str


class _Reader:
    """One pass over one object."""

    def __init__(self) -> None:
        self.unknown: list[str] = []
        self._mistake: str | None = None

    def read(self, schema: Schema, value: Any) -> Obj:
        found = self._object(schema, value, _Place("", (), ""))
        if self._mistake is not None:
            raise Mistyped(self._mistake)
        return found  # type: ignore[no-any-return]

    def _value(self, schema: Schema, value: Any, at: _Place) -> Any:
        return _READERS[schema.type](self, schema, value, at)

    def _wrong(self, schema: Schema, value: Any, at: _Place) -> Any:
        """Notes a mistake; reading goes on, because unknown fields further down do not matter any more then."""
        shown = _json_type(value)
        if shown == "number" and _go_type(schema).startswith("int"):
            shown = f"number {_number(value)}"
        where = f"Go struct field {at.struct}.{'.'.join(at.keys)}" if at.struct else "Go value"
        self._note(f"json: cannot unmarshal {shown} into {where} of type {_go_type(schema)}")
        return _ABSENT

    def _note(self, mistake: str) -> Any:
        if self._mistake is None:
            self._mistake = mistake
        return _ABSENT

    def _object(self, schema: Schema, value: Any, at: _Place) -> Any:
        if not isinstance(value, dict):
            return self._wrong(schema, value, at)
        assert schema.struct is not None  # objects have one
        found: Obj = {}
        for name, given in value.items():
            known = schema.struct.fields.get(name)
            path = f"{at.path}.{name}" if at.path else name
            if known is None:
                self.unknown.append(path)
            elif given is not None:
                read = self._value(known, given, _Place(schema.struct.name, (*at.keys, name), path))
                if read is not _ABSENT and not (known.omitted and not read):
                    found[name] = read
        return found

    def _map(self, schema: Schema, value: Any, at: _Place) -> Any:
        if not isinstance(value, dict):
            return self._wrong(schema, value, at)
        return self._kept(schema, value, at, lambda key: f"{at.path}.{key}")

    def _array(self, schema: Schema, value: Any, at: _Place) -> Any:
        if not isinstance(value, list):
            return self._wrong(schema, value, at)
        read = self._kept(schema, dict(enumerate(value)), at, lambda index: f"{at.path}[{index}]")
        return list(read.values())

    def _kept(self, schema: Schema, values: dict[Any, Any], at: _Place, path: Callable[[Any], str]) -> dict[Any, Any]:
        """The members of a list or map; null becomes the zero value there, as in Go."""
        items = schema.items
        assert items is not None  # arrays and maps have them
        found = {}
        for key, given in values.items():
            inside = _Place(at.struct, at.keys, path(key))
            read = _zero(items) if given is None else self._value(items, given, inside)
            if read is not _ABSENT:
                found[key] = read
        return found

    def _string(self, schema: Schema, value: Any, at: _Place) -> Any:
        return value if isinstance(value, str) else self._wrong(schema, value, at)

    def _boolean(self, schema: Schema, value: Any, at: _Place) -> Any:
        return value if isinstance(value, bool) else self._wrong(schema, value, at)

    def _number(self, schema: Schema, value: Any, at: _Place) -> Any:
        fine = isinstance(value, int | float) and not isinstance(value, bool)
        return value if fine else self._wrong(schema, value, at)

    def _integer(self, schema: Schema, value: Any, at: _Place) -> Any:
        bound = _RANGES[schema.type]
        fine = isinstance(value, int) and not isinstance(value, bool) and -bound <= value < bound
        return value if fine else self._wrong(schema, value, at)

    def _bytes(self, schema: Schema, value: Any, at: _Place) -> Any:
        if not isinstance(value, str):
            return self._wrong(schema, value, at)
        try:
            base64.b64decode(value.replace("\n", "").replace("\r", ""), validate=True)
        except ValueError:  # binascii.Error is one
            return self._note(f"illegal base64 data at input byte {_bad_base64(value)}")
        return value

    def _time(self, schema: Schema, value: Any, at: _Place) -> Any:
        if not isinstance(value, str):
            return self._wrong(Schema(type="string"), value, at)
        if not value:
            return _ABSENT
        try:
            moment = datetime.fromisoformat(value.upper()) if _RFC3339.fullmatch(value) else None
        except ValueError:
            return self._note(f'parsing time "{value}": {_out_of_range(value)} out of range')
        if moment is None:
            return self._note(f'parsing time "{value}" as "{_LAYOUT}": cannot parse "{value}" as "2006"')
        moment = moment.astimezone(UTC)
        return objects.timestamp(moment) if schema.type == "time" else objects.micro_timestamp(moment)

    def _quantity(self, schema: Schema, value: Any, at: _Place) -> Any:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            return self._note(quantity.FORMAT_TEXT)
        try:
            return quantity.canonical(value)
        except quantity.Malformed as why:
            return self._note(str(why))

    def _int_or_string(self, schema: Schema, value: Any, at: _Place) -> Any:
        if isinstance(value, str):
            return value
        return self._integer(Schema(type="int32"), value, at)

    def _raw(self, schema: Schema, value: Any, at: _Place) -> Any:
        return value if isinstance(value, dict) else self._wrong(schema, value, at)

    def _json(self, schema: Schema, value: Any, at: _Place) -> Any:
        if schema.struct is not None and isinstance(value, dict):
            return self._object(schema, value, at)
        return value


_READERS: dict[str, Callable[[_Reader, Schema, Any, _Place], Any]] = {
    "object": _Reader._object,
    "map": _Reader._map,
    "array": _Reader._array,
    "string": _Reader._string,
    "int32": _Reader._integer,
    "int64": _Reader._integer,
    "number": _Reader._number,
    "boolean": _Reader._boolean,
    "bytes": _Reader._bytes,
    "time": _Reader._time,
    "micro-time": _Reader._time,
    "quantity": _Reader._quantity,
    "int-or-string": _Reader._int_or_string,
    "raw": _Reader._raw,
    "json": _Reader._json,
}
_ZEROES: dict[str, Any] = {
    "string": "",
    "bytes": "",
    "int32": 0,
    "int64": 0,
    "number": 0,
    "boolean": False,
    "quantity": "0",
    "int-or-string": 0,
}
_GO_SCALARS = {"number": "float64", "boolean": "bool", "bytes": "[]uint8", "raw": "map[string]interface {}"}


def decode(schema: Schema, value: Any) -> Decoded:
    """Reads an object by a schema of type object; the result shares only raw JSON with ``value``. Raises Mistyped."""
    reader = _Reader()
    return Decoded(reader.read(schema, value), reader.unknown)


def _zero(schema: Schema) -> Any:
    if schema.type == "object":
        return {}
    return _ZEROES.get(schema.type)


def _json_type(value: Any) -> str:
    names = {bool: "bool", str: "string", dict: "object", list: "array"}
    return names.get(type(value), "number")


def _number(value: float) -> str:
    return json.dumps(value)


def _go_type(schema: Schema) -> str:
    if schema.go_type:
        return schema.go_type
    if schema.type == "object" and schema.struct is not None:
        return schema.struct.go_type
    if schema.type == "array" and schema.items is not None:
        return f"[]{_go_type(schema.items)}"
    if schema.type == "map" and schema.items is not None:
        return "v1.ResourceList" if schema.items.type == "quantity" else f"map[string]{_go_type(schema.items)}"
    return _GO_SCALARS.get(schema.type, schema.type)


def _bad_base64(text: str) -> int:
    """The offset at which Go's decoder gives up."""
    wrong = re.search(r"[^A-Za-z0-9+/\r\n]", text)
    return wrong.start() if wrong and not re.fullmatch(r"={1,2}", text[wrong.start() :]) else len(text) // 4 * 4


def _out_of_range(text: str) -> str:
    """Which part of a time with the right shape cannot be, as Go's parser says it."""
    limits = (("month", 5, 12), ("day", 8, 31), ("hour", 11, 23), ("minute", 14, 59), ("second", 17, 59))
    return next((part for part, start, most in limits if int(text[start : start + 2]) > most), "day")
