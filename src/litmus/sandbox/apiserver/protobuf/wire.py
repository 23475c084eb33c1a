"""The wire format of protocol buffers: numbered fields, each a varint, eight bytes, a length and bytes, or four bytes.

Source: the encoding page of the Protocol Buffers documentation.
"""

from collections.abc import Iterator

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5
_FIXED = {FIXED64: 8, FIXED32: 4}
_SIGN = 1 << 63


class Malformed(ValueError):
    """Bytes that are no protobuf message."""


def fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """(number, value) of each field in order: an unsigned int for a varint, bytes for all others. Raises Malformed."""
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        number, form = tag >> 3, tag & 7
        if number == 0:
            raise Malformed("a field has number 0")
        if form == VARINT:
            value, at = varint(data, at)
            yield number, value
            continue
        if form == LENGTH:
            size, at = varint(data, at)
        elif form in _FIXED:
            size = _FIXED[form]
        else:
            raise Malformed(f"field {number} has the unknown wire type {form}")
        if at + size > len(data):
            raise Malformed(f"field {number} is cut off")
        yield number, data[at : at + size]
        at += size


def varint(data: bytes, at: int) -> tuple[int, int]:
    """The unsigned number at ``at`` and the place after it. Raises Malformed."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            raise Malformed("a number is cut off")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, at
    raise Malformed("a number has more than 64 bits")


def signed(value: int) -> int:
    """What an int32 or int64 means by this varint: two's complement of 64 bits."""
    return value - 2 * _SIGN if value >= _SIGN else value


def packed(data: bytes) -> Iterator[int]:
    """The varints of a packed repeated field. Raises Malformed."""
    at = 0
    while at < len(data):
        value, at = varint(data, at)
        yield value
