"""Comparators: what a probe saw against what its author expects, as int, float or string.

The criteria are those of the original, 1.10 and 3.x (reference, 1.2). Two things differ on purpose: everything that
can be wrong with a comparator is told when it is read and not when the application is in trouble, and text that is no
number is never taken for 0.
"""

import math
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from litmus.api import strict
from litmus.api.probe import Comparator

from . import patterns
from .contract import ProbeError

Type = Literal["int", "float", "string"]
TYPES: tuple[Type, ...] = ("int", "float", "string")

_INT = re.compile(r"[+-]?[0-9]{1,400}")
_FLOAT = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})?")
_SPECIAL = re.compile(r"[+-]?(inf|nan)", re.IGNORECASE)

# By criterion: does the observed value hold against the operand?
_NUMERIC: Mapping[str, Callable[[Any, Any], bool]] = {
    ">=": lambda a, b: a >= b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    "<": lambda a, b: a < b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b and not math.isnan(a),
    "oneOf": lambda a, b: a in b,
    "between": lambda a, b: b[0] <= a <= b[1],
}
_TEXTUAL: Mapping[str, Callable[[Any, Any], bool]] = {
    "equal": lambda a, b: a == b,
    "notEqual": lambda a, b: a != b,
    "contains": lambda a, b: b in a,
    "matches": lambda a, b: patterns.found(b, a),
    "notMatches": lambda a, b: not patterns.found(b, a),
    "oneOf": lambda a, b: a in b,
}
_CROSSED = {"==": "equal", "!=": "notEqual", "equal": "==", "notequal": "!=", "equals": "equal", "=": "=="}


class NoNumber(ProbeError):
    """What was observed is no number, and the comparator is about numbers."""


def criteria_of(type_: Type) -> tuple[str, ...]:
    """The criteria that a type knows."""
    return tuple(_TEXTUAL if type_ == "string" else _NUMERIC)


@dataclass(frozen=True, slots=True)
class Check:
    """A comparator that was understood. ``operand`` is a number, text, a tuple of them, or a pattern."""

    type: Type
    criteria: str
    operand: Any

    def holds(self, observed: str) -> bool:
        """Whether the observed text meets the criterion; blanks around it do not count, and NaN meets none.

        Raises NoNumber, and ProbeError for a regular expression that comes to no end.
        """
        seen = observed.strip()
        if self.type == "string":
            return _TEXTUAL[self.criteria](seen, self.operand)
        return _NUMERIC[self.criteria](self._number(seen), self.operand)

    def describe(self) -> str:
        """What would hold, for people: ``int >= 5``, ``string oneOf a, b``."""
        return f"{self.type} {self.criteria} {self._operand_text()}".rstrip()

    def _operand_text(self) -> str:
        if isinstance(self.operand, re.Pattern):
            return repr(self.operand.pattern)
        if isinstance(self.operand, tuple):
            joint = " and " if self.criteria == "between" else ", "
            return joint.join(_shown(part) for part in self.operand)
        return _shown(self.operand)

    def _number(self, seen: str) -> int | float:
        try:
            return _number(self.type, seen, special=True)
        except ValueError:
            raise NoNumber(
                f"{_short(seen)} is no {_noun(self.type)}, and the comparator is {self.describe()}: make the probe "
                "yield a number, or set the comparator's type to string"
            ) from None


def read(comparator: Comparator, *, path: str, default: Type | None = None) -> Check:
    """A comparator of an engine. ``default``: its type when it names none. Raises ProbeError with the path."""
    named = (comparator.type or "").lower() or default
    if named is None:
        raise ProbeError(f"{path}.type: missing; write one of {', '.join(TYPES)}")
    type_ = next((known for known in TYPES if known == named), None)
    if type_ is None:
        near = strict.closest(named, list(TYPES))
        raise ProbeError(f"{path}.type: {comparator.type!r} is not one of {', '.join(TYPES)}{near}")
    return check(type_, comparator.criteria, comparator.value, path=path)


def check(type_: Type, criteria: str, value: str, *, path: str, value_name: str = "value") -> Check:
    """A comparator by its parts; ``value_name`` is how the field of the value is called. Raises ProbeError."""
    known = criteria_of(type_)
    chosen = next((one for one in known if one.lower() == criteria.strip().lower()), None)
    if chosen is None:
        raise ProbeError(
            f"{path}.criteria: {criteria!r} is not known for {type_}; it is one of {', '.join(known)}"
            f"{_meant(criteria.strip(), known)}"
        )
    return Check(type=type_, criteria=chosen, operand=_operand(type_, chosen, value, path=f"{path}.{value_name}"))


def _operand(type_: Type, criteria: str, value: str, *, path: str) -> Any:
    if criteria in ("oneOf", "between"):
        parts = _parts(type_, value, path=path)
        if criteria == "between" and (len(parts) != 2 or parts[0] > parts[1]):
            raise ProbeError(f"{path}: {value!r} must be the lower and the upper limit, as in 10,20")
        return parts
    if type_ != "string":
        return _expected(type_, value, path=path)
    if criteria in ("matches", "notMatches"):
        return _pattern(value, path=path)
    if criteria == "contains" and not value:
        raise ProbeError(f"{path}: everything contains the empty text; write what must be there")
    return value.strip()


def _parts(type_: Type, value: str, *, path: str) -> tuple[Any, ...]:
    """The items of a list that is written ``a,b`` or ``[a,b]``."""
    text = value.strip()
    inner = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    items = [item.strip() for item in inner.split(",")]
    if not all(items):
        raise ProbeError(f"{path}: {value!r} must be a list of values, as in {'a,b' if type_ == 'string' else '1,2'}")
    return tuple(items if type_ == "string" else (_expected(type_, item, path=path) for item in items))


def _expected(type_: Type, value: str, *, path: str) -> int | float:
    try:
        return _number(type_, value.strip(), special=False)
    except ValueError:
        other = "float" if type_ == "int" and _FLOAT.fullmatch(value.strip()) else "string"
        raise ProbeError(
            f"{path}: {_short(value)} is no {_noun(type_)}, but the comparator's type is {type_}; "
            f"write a number, or set the type to {other}"
        ) from None


def _number(type_: Type, text: str, *, special: bool) -> int | float:
    """Raises ValueError. ``special``: infinity and NaN are numbers too, as what Prometheus may answer."""
    if type_ == "int" and _INT.fullmatch(text):
        return int(text)
    if type_ == "float" and (_FLOAT.fullmatch(text) or (special and _SPECIAL.fullmatch(text))):
        number = float(text)
        if special or math.isfinite(number):
            return number
    raise ValueError(text)


def _pattern(value: str, *, path: str) -> re.Pattern[str]:
    with warnings.catch_warnings():
        # Python warns of [[:alpha:]] and takes it for something else.
        warnings.simplefilter("error", FutureWarning)
        try:
            return re.compile(value)
        except (re.error, FutureWarning, RecursionError, OverflowError) as error:
            raise ProbeError(f"{path}: {value!r} is no regular expression: {error}") from error


def _meant(word: str, known: tuple[str, ...]) -> str:
    crossed = _CROSSED.get(word.lower(), "")
    for guess in (crossed, _CROSSED.get(crossed.lower(), "")):
        if guess in known:
            return f"; did you mean {guess}?"
    return strict.closest(word, list(known))


def _noun(type_: Type) -> str:
    return "whole number" if type_ == "int" else "number"


def _shown(value: object) -> str:
    return _short(value) if isinstance(value, str) else str(value).removesuffix(".0")


def _short(text: str, most: int = 120) -> str:
    """Text in quotes, cut where it is too long to read."""
    return repr(text if len(text) <= most else f"{text[:most]}…")
