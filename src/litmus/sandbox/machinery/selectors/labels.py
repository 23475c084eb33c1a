"""Label selectors: the text of the ``labelSelector`` parameter and the LabelSelector objects inside specs.

Grammar and refusals are those of k8s.io/apimachinery/pkg/labels: equality (``=``, ``==``, ``!=``), sets (``in``,
``notin``), existence (``key``, ``!key``) and integers (``>``, ``<``), joined by commas that mean "and".
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from litmus.sandbox.machinery import names, objects, status
from litmus.sandbox.machinery.objects import Obj

_BINARY = ("in", "notin", "=", "==", "!=", "gt", "lt")
_SIGNS = {"=": "=", "==": "==", "!=": "!=", ">": "gt", "<": "lt", "in": "in", "notin": "notin"}
_SHOWN = {operator: sign for sign, operator in _SIGNS.items()}
_EXPRESSIONS = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "!"}
_TOKEN = re.compile(r"[ \t\r\n]*(==|!=|[=!(),<>]|[^=!(),<> \t\r\n]+)")
_PUNCTUATION = frozenset({"=", "==", "!=", "!", "(", ")", ",", "<", ">", ""})
_INT64 = range(-(2**63), 2**63)


@dataclass(frozen=True, slots=True)
class Requirement:
    """One condition on one key. ``operator`` is a word of ``selection.Operator``: in, =, exists, !, gt, …"""

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        value = labels.get(self.key)
        match self.operator:
            case "in" | "=" | "==":
                return value in self.values
            case "notin" | "!=":
                return value is None or value not in self.values
            case "exists":
                return value is not None
            case "!":
                return value is None
        left, right = _integer(value or ""), _integer(self.values[0])
        if left is None or right is None:
            return False
        return left > right if self.operator == "gt" else left < right

    def __str__(self) -> str:
        match self.operator:
            case "exists":
                return self.key
            case "!":
                return f"!{self.key}"
            case "in" | "notin":
                return f"{self.key} {self.operator} ({','.join(sorted(self.values))})"
        return f"{self.key}{_SHOWN[self.operator]}{self.values[0]}"


@dataclass(frozen=True, slots=True)
class Selector:
    """All requirements together; none at all selects everything, unless it is ``NOTHING``."""

    requirements: tuple[Requirement, ...] = ()
    selectable: bool = True

    def matches(self, obj: Obj) -> bool:
        """Whether an object's own labels match."""
        return self.matches_labels(objects.labels(obj))

    def matches_labels(self, labels: Mapping[str, str]) -> bool:
        return self.selectable and all(requirement.matches(labels) for requirement in self.requirements)

    @property
    def empty(self) -> bool:
        """Whether it selects everything."""
        return self.selectable and not self.requirements

    def __str__(self) -> str:
        return ",".join(map(str, self.requirements))


EVERYTHING = Selector()
NOTHING = Selector(selectable=False)


def parse(text: str) -> Selector:
    """The selector that the text of a query parameter means. Raises Refusal 400."""
    return _selector(_Parser(text).parse()) if text else EVERYTHING


def from_label_selector(selector: Mapping[str, Any] | None) -> Selector:
    """A LabelSelector object: {} selects everything, None nothing. Raises Refusal 400 for an impossible one.

    Source: metav1.LabelSelectorAsSelector.
    """
    if selector is None:
        return NOTHING
    found = [_checked(key, "=", [value]) for key, value in (selector.get("matchLabels") or {}).items()]
    for expression in selector.get("matchExpressions") or ():
        operator = _EXPRESSIONS.get(expression.get("operator", ""))
        if operator is None:
            raise status.bad_request(
                f"{status.shown(expression.get('operator', ''))} is not a valid label selector operator"
            )
        found.append(_checked(expression.get("key", ""), operator, expression.get("values") or []))
    return _selector(found)


def _selector(requirements: list[Requirement]) -> Selector:
    return Selector(tuple(sorted(requirements, key=lambda requirement: requirement.key)))


def _integer(text: str) -> int | None:
    if not re.fullmatch(r"[+-]?[0-9]{1,30}", text):
        return None
    return int(text) if int(text) in _INT64 else None


def _checked(key: str, operator: str, values: Sequence[str]) -> Requirement:
    """Raises Refusal 400 with what labels.NewRequirement says."""
    found: list[str] = []
    if mistakes := names.qualified(key):
        found.append(f"key: Invalid value: {status.shown(key)}: {'; '.join(mistakes)}")
    found += _count_mistakes(operator, values)
    for index, value in enumerate(values):
        if mistakes := names.label_value(value):
            found.append(f"values[{index}][{key}]: Invalid value: {status.shown(value)}: {'; '.join(mistakes)}")
    if found:
        raise status.bad_request(found[0] if len(found) == 1 else f"[{', '.join(found)}]")
    return Requirement(key, operator, tuple(values))


def _count_mistakes(operator: str, values: Sequence[str]) -> list[str]:
    shown = status.shown(list(values))
    if operator in ("in", "notin") and not values:
        return [f"values: Invalid value: {shown}: for 'in', 'notin' operators, values set can't be empty"]
    if operator in ("exists", "!") and values:
        return [f"values: Invalid value: {shown}: values set must be empty for exists and does not exist"]
    if operator in ("gt", "lt") and _integer(values[0]) is None:
        value = status.shown(values[0])
        return [f"values[0]: Invalid value: {value}: for 'Gt', 'Lt' operators, the value must be an integer"]
    return []


class _Parser:
    """Recursive descent over the tokens; '' is the end of the text."""

    def __init__(self, text: str) -> None:
        self._tokens: list[str] = [*_TOKEN.findall(text), "", ""]
        self._position = 0

    @property
    def _ahead(self) -> str:
        return self._tokens[self._position]

    def _next(self) -> str:
        self._position += 1
        return self._tokens[self._position - 1]

    def parse(self) -> list[Requirement]:
        found: list[Requirement] = []
        while self._ahead:
            if self._ahead in _PUNCTUATION and self._ahead != "!":
                raise status.bad_request(f"found '{self._ahead}', expected: !, identifier, or 'end of string'")
            try:
                found.append(self._requirement())
            except status.Refusal as mistake:
                raise status.bad_request(f"unable to parse requirement: {mistake.message}") from None
            separator = self._next()
            if separator not in (",", ""):
                raise status.bad_request(f"found '{separator}', expected: ',' or 'end of string'")
            if separator and self._ahead in _PUNCTUATION and self._ahead != "!":
                raise status.bad_request(f"found '{self._ahead}', expected: identifier after ','")
        return found

    def _requirement(self) -> Requirement:
        absent = self._ahead == "!"
        if absent:
            self._next()
        key = self._next()
        if key in _PUNCTUATION:
            raise status.bad_request(f"found '{key}', expected: identifier")
        if mistakes := names.qualified(key):
            raise status.bad_request(f"<nil>: Invalid value: {status.shown(key)}: {'; '.join(mistakes)}")
        if absent:
            return Requirement(key, "!")
        if self._ahead in ("", ","):
            return Requirement(key, "exists")
        sign = self._next()
        if sign not in _SIGNS:
            raise status.bad_request(f"found '{sign}', expected: {', '.join(_BINARY)}")
        values = self._set() if sign in ("in", "notin") else {self._exact()}
        return _checked(key, _SIGNS[sign], sorted(values))

    def _exact(self) -> str:
        if self._ahead in ("", ","):
            return ""
        value = self._next()
        if value in _PUNCTUATION:
            raise status.bad_request(f"found '{value}', expected: identifier")
        return value

    def _set(self) -> set[str]:
        """``(a,b)``; a place left empty between commas or brackets is the empty value."""
        bracket = self._next()
        if bracket != "(":
            raise status.bad_request(f"found '{bracket}' expected: '('")
        if self._ahead in _PUNCTUATION - {",", ")"}:
            raise status.bad_request(f"found '{self._ahead}', expected: ',', ')' or identifier")
        found: set[str] = set()
        value = ""
        while True:
            token = self._next()
            if token == ")":
                return found | {value}
            if token == ",":
                found.add(value)
                value = ""
            elif token in _PUNCTUATION:
                raise status.bad_request(f"found '{token}', expected: ',', or identifier")
            else:
                value = token
                if self._ahead not in (",", ")"):
                    raise status.bad_request(f"found '{self._ahead}', expected: ',' or ')'")
