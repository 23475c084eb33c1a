"""A request body of type ``application/vnd.kubernetes.protobuf`` → the object that the same client's JSON would be.

The body is the magic word ``k8s\\0`` and an envelope (runtime.Unknown of apimachinery) with apiVersion, kind and the
object's own bytes. Numbers that the table does not know are passed over, as every protobuf reader does.
"""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from ...machinery import status
from ...machinery.objects import Obj, micro_timestamp, timestamp
from . import messages, wire

CONTENT_TYPE = "application/vnd.kubernetes.protobuf"
_MAGIC = b"k8s\x00"
_TYPE_META, _RAW, _ENCODING = 1, 2, 3
_API_VERSION, _KIND = 1, 2


def decode(body: bytes) -> Obj:
    """The object, with apiVersion and kind. Raises Refusal: 400 for bytes that are none, 415 for an unknown kind."""
    if not body.startswith(_MAGIC):
        raise status.bad_request(
            f"couldn't get version/kind; the body does not begin with {list(_MAGIC)}, as {CONTENT_TYPE} does"
        )
    try:
        return _object(body[len(_MAGIC) :])
    except (wire.Malformed, UnicodeDecodeError, OverflowError) as mistake:
        raise status.bad_request(f"the protobuf object in the body cannot be decoded: {mistake}") from mistake


def _object(envelope: bytes) -> Obj:
    outer = dict(wire.fields(envelope))
    type_meta = dict(wire.fields(_bytes(outer.get(_TYPE_META, b""))))
    api_version, kind = (_string(type_meta.get(number, b"")) for number in (_API_VERSION, _KIND))
    message = messages.kind(api_version, kind)
    if message is None or outer.get(_ENCODING):
        raise status.unsupported_media_type(
            f"the sandbox does not read {kind or 'this object'} of {api_version or 'no version'} in protobuf; send JSON"
            " or YAML; with kubectl, add --dry-run=client -o yaml to the command and pipe it into kubectl create -f -"
        )
    return {"kind": kind, "apiVersion": api_version, **_fields(_bytes(outer.get(_RAW, b"")), message)}


def _fields(data: bytes, message: messages.Message) -> Obj:
    """The fields of a message as JSON. A list's items come one by one, and so do a map's entries."""
    found: Obj = {}
    for number, value in wire.fields(data):
        field = message.fields.get(number)
        if field is None:
            continue
        if field.inlined:
            found |= _fields(_bytes(value), messages.part(message, field.type))
        elif field.shape == "[]":
            found.setdefault(field.name, []).extend(_items(value, field, message))
        elif field.shape == "{}":
            entry = dict(wire.fields(_bytes(value)))
            found.setdefault(field.name, {})[_string(entry.get(1, b""))] = _value(entry.get(2), field, message)
        else:
            _single(found, field, _value(value, field, message))
    return found


def _single(found: Obj, field: messages.Field, value: Any) -> None:
    """Go writes each plain field on the wire, also a zero, which JSON leaves out unless the table says otherwise."""
    if value is None or not (value or field.said_if_zero or isinstance(value, dict)):
        found.pop(field.name, None)
    else:
        found[field.name] = value


def _items(value: int | bytes, field: messages.Field, message: messages.Message) -> list[Any]:
    if field.type == "int" and isinstance(value, bytes):
        return [wire.signed(number) for number in wire.packed(value)]
    return [_value(value, field, message)]


def _value(value: int | bytes | None, field: messages.Field, message: messages.Message) -> Any:
    """One value as JSON. ``value`` is None in a map's entry that leaves it out: then it is the type's zero."""
    if field.type[:1].isupper():
        return _fields(_bytes(value or b""), messages.part(message, field.type))
    if field.type in ("int", "bool"):
        number = _int(value or 0)
        return bool(number) if field.type == "bool" else wire.signed(number)
    return _READ[field.type](_bytes(value or b""))


def _int(value: int | bytes) -> int:
    if isinstance(value, bytes):
        raise wire.Malformed("a number was expected where bytes stand")
    return value


def _bytes(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise wire.Malformed("bytes were expected where a number stands")
    return value


def _string(value: int | bytes) -> str:
    return _bytes(value).decode()


def _moment(data: bytes) -> datetime | None:
    """metav1.Time on the wire: seconds since 1970 and nanoseconds; an empty message is no time at all."""
    parts = {number: wire.signed(_int(value)) for number, value in wire.fields(data)}
    if not parts:
        return None
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=parts.get(1, 0), microseconds=parts.get(2, 0) // 1000)


def _time(data: bytes) -> str | None:
    moment = _moment(data)
    return timestamp(moment) if moment else None


def _micro_time(data: bytes) -> str | None:
    moment = _moment(data)
    return micro_timestamp(moment) if moment else None


def _quantity(data: bytes) -> str:
    return _string(dict(wire.fields(data)).get(1, b""))


def _int_or_string(data: bytes) -> int | str:
    """intstr.IntOrString: which of both it is, the number, the text."""
    parts = dict(wire.fields(data))
    return _string(parts.get(3, b"")) if parts.get(1) else wire.signed(_int(parts.get(2, 0)))


def _raw(data: bytes) -> Any:
    """RawExtension and FieldsV1: JSON in a field."""
    raw = _bytes(dict(wire.fields(data)).get(1, b""))
    try:
        return json.loads(raw) if raw else None
    except ValueError as mistake:
        raise wire.Malformed(f"JSON inside of it is broken: {mistake}") from mistake


def _extra(data: bytes) -> list[str]:
    """ExtraValue of the reviews: a list of strings in a map."""
    return [_string(value) for number, value in wire.fields(data) if number == 1]


_READ: dict[str, Callable[[bytes], Any]] = {
    "": lambda data: data.decode(),
    "bytes": lambda data: base64.b64encode(data).decode(),
    "time": _time,
    "micro": _micro_time,
    "quantity": _quantity,
    "intstr": _int_or_string,
    "raw": _raw,
    "extra": _extra,
}
