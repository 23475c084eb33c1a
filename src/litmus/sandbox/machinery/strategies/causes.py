"""The causes that many kinds share: one rule of a field each, in the words of a real server.

Source: k8s.io/apimachinery/pkg/api/validation and apis/meta/v1/validation.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from litmus.sandbox.machinery import names, status
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.status import Cause

IMMUTABLE = "field is immutable"
NEGATIVE = "must be greater than or equal to 0"
_OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist")


def each(field: str, value: object, texts: Iterable[str]) -> list[Cause]:
    """One cause a text: what ``names`` says about a value."""
    return [status.invalid_value(field, value, text) for text in texts]


def unsupported(field: str, value: object, allowed: Sequence[str]) -> Cause:
    """Not one of the allowed words, which are named in the order given."""
    known = ", ".join(f'"{word}"' for word in allowed)
    return Cause(status.NOT_SUPPORTED, field, f"Unsupported value: {status.shown(value)}: supported values: {known}")


def too_long(field: str, most: int) -> Cause:
    """Longer than ``most`` bytes."""
    return Cause(status.TOO_LONG, field, f"Too long: may not be more than {most} bytes")


def immutable(field: str, new: Any, old: Any) -> list[Cause]:
    """The value may not change; empty and absent are the same."""
    if (new or None) == (old or None):
        return []
    return [status.invalid_value(field, ordered(new), IMMUTABLE)]


def non_negative(field: str, value: Any) -> list[Cause]:
    """A number that is given is at least 0."""
    return [status.invalid_value(field, value, NEGATIVE)] if isinstance(value, int) and value < 0 else []


def labels(field: str, found: Mapping[str, str] | None) -> list[Cause]:
    """Keys and values of labels."""
    causes = []
    for key, value in sorted((found or {}).items()):
        causes += each(field, key, names.qualified(key))
        causes += each(field, value, names.label_value(value))
    return causes


def label_selector(field: str, selector: Obj | None) -> list[Cause]:
    """A LabelSelector: its labels, and expressions with the values that their operator takes."""
    if not selector:
        return []
    causes = labels(f"{field}.matchLabels", selector.get("matchLabels"))
    for index, expression in enumerate(selector.get("matchExpressions") or []):
        at = f"{field}.matchExpressions[{index}]"
        operator, values = expression.get("operator", ""), expression.get("values") or []
        if operator not in _OPERATORS:
            causes.append(status.invalid_value(f"{at}.operator", operator, "not a valid selector operator"))
        elif operator in ("In", "NotIn") and not values:
            causes.append(status.required(f"{at}.values", "must be specified when `operator` is 'In' or 'NotIn'"))
        elif operator in ("Exists", "DoesNotExist") and values:
            forbidden = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
            causes.append(status.forbidden_field(f"{at}.values", forbidden))
        causes += each(f"{at}.key", expression.get("key", ""), names.qualified(expression.get("key", "")))
        for number, value in enumerate(values):
            causes += each(f"{at}.values[{number}]", value, names.label_value(value))
    return causes


def ordered(value: Any) -> Any:
    """Maps in the order in which Go writes them, as messages show them."""
    if isinstance(value, dict):
        return {key: ordered(value[key]) for key in sorted(value)}
    return [ordered(inner) for inner in value] if isinstance(value, list) else value
