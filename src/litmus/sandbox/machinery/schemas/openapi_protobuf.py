"""The v2 document as protobuf, the only form in which kubectl asks for it.

Media type ``application/com.github.proto-openapi.spec.v2.v1.0+protobuf`` (and, by older clients, with ``v2@v1.0``). The
messages are those of ``openapi.v2`` by google/gnostic, written by hand: only what the document has is here.
Source of the numbers: gnostic's openapiv2/OpenAPIv2.proto; of the wire format: the Protocol Buffers documentation,
"Encoding".
"""

import json
import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from litmus.sandbox.machinery.objects import Obj

MEDIA_TYPES = (
    "application/com.github.proto-openapi.spec.v2.v1.0+protobuf",
    "application/com.github.proto-openapi.spec.v2@v1.0+protobuf",
)

Writer = Callable[[int, Any], bytes]


def encode(document: Obj) -> bytes:
    """The document as the message ``openapi.v2.Document``."""
    security = [_pairs(1, one, _strings_item) for one in document.get("security", [])]
    definitions = {name: _api_key(one) for name, one in document.get("securityDefinitions", {}).items()}
    return b"".join(
        (
            _text(1, document["swagger"]),
            _message(2, _text(1, document["info"]["title"]) + _text(2, document["info"]["version"])),
            _message(8, _pairs(2, document["paths"], _path_item)),
            _message(9, _pairs(1, document["definitions"], schema)),
            *[_message(12, one) for one in security],
            _message(13, _pairs(1, definitions, bytes)),
        )
    )


def schema(props: Obj) -> bytes:
    """A schema as the message ``openapi.v2.Schema``."""
    parts = [_SCHEMA[word](value) for word, value in props.items() if word in _SCHEMA]
    return b"".join(parts) + _extensions(31, props)


def _varint(value: int) -> bytes:
    value &= 2**64 - 1  # negative numbers are written as 64 bits of two's complement
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)


def _message(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _text(number: int, value: str) -> bytes:
    return _message(number, value.encode()) if value else b""


def _texts(number: int, values: Iterable[str]) -> bytes:
    return b"".join(_message(number, value.encode()) for value in values)


def _flag(number: int, value: bool) -> bytes:
    return _varint(number << 3) + b"\x01" if value else b""


def _whole(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _double(number: int, value: float) -> bytes:
    return _varint(number << 3 | 1) + struct.pack("<d", value)


def _pairs(number: int, values: Mapping[str, Any], content: Callable[[Any], bytes]) -> bytes:
    """A map as a list of messages with a name and a value."""
    return b"".join(_message(number, _text(1, name) + _message(2, content(value))) for name, value in values.items())


def _any(value: Any) -> bytes:
    """A value as YAML; JSON is YAML."""
    return _text(2, json.dumps(value))


def _extensions(number: int, props: Obj) -> bytes:
    return _pairs(number, {word: value for word, value in props.items() if word.startswith("x-")}, _any)


def _anys(number: int, values: Sequence[Any]) -> bytes:
    return b"".join(_message(number, _any(value)) for value in values)


def _additional(value: Obj | bool) -> bytes:
    return _message(1, schema(value)) if isinstance(value, dict) else _whole(2, int(value))


def _field(number: int, write: Writer) -> Callable[[Any], bytes]:
    return lambda value: write(number, value)


_SCHEMA: dict[str, Callable[[Any], bytes]] = {
    "$ref": _field(1, _text),
    "format": _field(2, _text),
    "title": _field(3, _text),
    "description": _field(4, _text),
    "multipleOf": _field(6, _double),
    "maximum": _field(7, _double),
    "exclusiveMaximum": _field(8, _flag),
    "minimum": _field(9, _double),
    "exclusiveMinimum": _field(10, _flag),
    "maxLength": _field(11, _whole),
    "minLength": _field(12, _whole),
    "pattern": _field(13, _text),
    "maxItems": _field(14, _whole),
    "minItems": _field(15, _whole),
    "uniqueItems": _field(16, _flag),
    "maxProperties": _field(17, _whole),
    "minProperties": _field(18, _whole),
    "required": _field(19, _texts),
    "enum": _field(20, _anys),
    "additionalProperties": lambda value: _message(21, _additional(value)),
    "type": lambda value: _message(22, _text(1, value)),
    "items": lambda value: _message(23, _message(1, schema(value))),
    "properties": lambda value: _message(25, _pairs(1, value, schema)),
}


def _path_item(item: Obj) -> bytes:
    numbers = {"get": 2, "put": 3, "post": 4, "delete": 5, "patch": 8}
    found = b"".join(_message(numbers[word], _operation(item[word])) for word in numbers if word in item)
    return found + _parameters(9, item.get("parameters", []))


def _operation(one: Obj) -> bytes:
    return b"".join(
        (
            _texts(1, one["tags"]),
            _text(3, one["description"]),
            _text(5, one["operationId"]),
            _texts(6, one["produces"]),
            _texts(7, one["consumes"]),
            _parameters(8, one["parameters"]),
            _message(9, _pairs(1, one["responses"], _response)),
            _texts(10, one["schemes"]),
            _extensions(13, one),
        )
    )


def _parameters(number: int, parameters: Sequence[Obj]) -> bytes:
    return b"".join(_message(number, _message(1, _parameter(one))) for one in parameters)


def _parameter(one: Obj) -> bytes:
    where = _text(1, one.get("description", "")) + _text(2, one["name"]) + _text(3, one["in"])
    if one["in"] == "body":
        return _message(1, where + _flag(4, one.get("required", False)) + _message(5, schema(one["schema"])))
    said = (
        _flag(1, one.get("required", False))
        + _text(2, one["in"])
        + _text(3, one["description"])
        + _text(4, one["name"])
    )
    if one["in"] == "query":
        return _message(2, _message(3, said + _text(6, one["type"]) + _flag(20, one["uniqueItems"])))
    return _message(2, _message(4, said + _text(5, one["type"]) + _flag(19, one["uniqueItems"])))


def _response(one: Obj) -> bytes:
    shown = _message(2, _message(1, schema(one["schema"]))) if "schema" in one else b""
    return _message(1, _text(1, one["description"]) + shown)


def _strings_item(values: Iterable[str]) -> bytes:
    return _texts(1, values)


def _api_key(one: Obj) -> bytes:
    said = _text(1, one["type"]) + _text(2, one["name"]) + _text(3, one["in"]) + _text(4, one["description"])
    return _message(2, said)
