"""Amounts of resources, ``500m``, ``1Gi``, ``1e3``: exact, and written back as a real server writes them.

The finest amount that Kubernetes knows is a nano unit, so a quantity is a whole number of them and no floating point is
involved. Source: k8s.io/apimachinery/pkg/api/resource and the API reference, "Quantity".
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

NANO = 10**9
EXPONENT_MAX = 400
"""Beyond it nobody means an amount, and the arithmetic would take long."""
FORMAT_TEXT = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
SUFFIX_TEXT = "unable to parse quantity's suffix"

Format = Literal["DecimalSI", "BinarySI", "DecimalExponent"]

_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_DECIMAL_SUFFIX = {exponent: suffix for suffix, exponent in _DECIMAL.items()}
_BINARY_SUFFIX = {exponent: suffix for suffix, exponent in _BINARY.items()} | {0: ""}
_SHAPE = re.compile(r"([+-]?)([0-9]*)\.?([0-9]*)([eEinumkKMGTP]*[-+]?[0-9]*)", re.ASCII)
_EXPONENT = re.compile(r"[eE]([-+]?[0-9]+)", re.ASCII)


class Malformed(ValueError):
    """The text is no quantity; the message is the one of a real server."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """An amount: ``nano`` is in billionths of the unit (core, byte, piece)."""

    nano: int
    format: Format = "DecimalSI"

    def __str__(self) -> str:
        """The canonical form: the largest suffix that leaves no fraction, ``1Gi`` for 1024Mi, ``500m`` for 0.5."""
        if not self.nano:
            return "0"
        if self.format == "BinarySI" and not self.nano % NANO and abs(self.nano) >= 1024 * NANO:
            return _in_binary(self.nano // NANO)
        return _in_decimal(self.nano, plain=self.format == "DecimalExponent")

    def __add__(self, other: "Quantity") -> "Quantity":
        return Quantity(self.nano + other.nano, self.format if self.nano else other.format)

    def __sub__(self, other: "Quantity") -> "Quantity":
        return Quantity(self.nano - other.nano, self.format if self.nano else other.format)

    def __lt__(self, other: "Quantity") -> bool:
        return self.nano < other.nano

    def __le__(self, other: "Quantity") -> bool:
        return self.nano <= other.nano

    def __gt__(self, other: "Quantity") -> bool:
        return self.nano > other.nano

    def __ge__(self, other: "Quantity") -> bool:
        return self.nano >= other.nano

    def same(self, other: "Quantity") -> bool:
        """Whether the amounts are equal, however they are written."""
        return self.nano == other.nano

    @property
    def milli(self) -> int:
        """In thousandths, rounded up: cores as the scheduler counts them."""
        return -(-self.nano // (NANO // 1000))

    @property
    def whole(self) -> int:
        """In units, rounded up: bytes, pieces."""
        return -(-self.nano // NANO)

    def rounded_to_milli(self) -> "Quantity":
        """Rounded up (away from zero) to thousandths: amounts of resource lists are."""
        step = NANO // 1000
        up = -(-abs(self.nano) // step) * step
        return Quantity(up if self.nano >= 0 else -up, self.format)


ZERO = Quantity(0)


def of(value: str | int | float) -> Quantity:
    """What a JSON value means. Raises Malformed."""
    return parse(str(value))


@lru_cache(maxsize=4096)
def parse(text: str) -> Quantity:
    """What a text means. Raises Malformed."""
    shape = _SHAPE.fullmatch(text.strip())
    if not shape or not text.strip():
        raise Malformed(FORMAT_TEXT)
    sign, whole, fraction, suffix = shape.groups()
    base, exponent, form = _suffix(suffix)
    nano = _nano(int(whole + fraction or "0"), places=len(fraction), base=base, exponent=exponent)
    if form == "BinarySI" and nano < NANO:
        form = "DecimalSI"
    return Quantity(-nano if sign == "-" else nano, form)


def canonical(value: str | int | float) -> str:
    """The text as a real server returns it. Raises Malformed."""
    return str(of(value))


def total(values: Iterable[str | int | float]) -> Quantity:
    """The sum. Raises Malformed."""
    found = ZERO
    for value in values:
        found += of(value)
    return found


def _suffix(suffix: str) -> tuple[int, int, Format]:
    if suffix in _DECIMAL:
        return 10, _DECIMAL[suffix], "DecimalSI"
    if suffix in _BINARY:
        return 2, _BINARY[suffix], "BinarySI"
    if (exponent := _EXPONENT.fullmatch(suffix)) and abs(int(exponent[1])) <= EXPONENT_MAX:
        return 10, int(exponent[1]), "DecimalExponent"
    raise Malformed(SUFFIX_TEXT)


def _nano(digits: int, *, places: int, base: int, exponent: int) -> int:
    """Rounded up to whole nano units."""
    units = digits << exponent if base == 2 else digits
    shift = (exponent if base == 10 else 0) - places + 9
    scale: int = 10 ** abs(shift)
    return units * scale if shift >= 0 else -(-units // scale)


def _in_binary(units: int) -> str:
    exponent = 0
    while exponent < 60 and not units % 1024:
        units //= 1024
        exponent += 10
    return f"{units}{_BINARY_SUFFIX[exponent]}"


def _in_decimal(nano: int, *, plain: bool) -> str:
    exponent = -9
    while not nano % 1000 and exponent < 18:
        nano //= 1000
        exponent += 3
    if plain:
        return f"{nano}e{exponent}" if exponent else str(nano)
    return f"{nano}{_DECIMAL_SUFFIX[exponent]}"
