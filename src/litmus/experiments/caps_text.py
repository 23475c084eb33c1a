"""Reading the caps as an administrator wrote them: strictly, every mistake with its line and the remedy.

Caps that can't be understood are never left out: whoever meets a ``caps.Mistake`` must let nothing run.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

import msgspec

from litmus.api import calendars, strict, yaml_text

from .caps import Caps, Mistake, Window

KEY = "caps.yaml"


def read(data: Mapping[str, str] | None, *, default: Caps) -> Caps:
    """The caps of a ConfigMap's data, None where there is no ConfigMap. Raises Mistake."""
    if data is None:
        return default
    unknown = sorted(set(data) - {KEY})
    if unknown or KEY not in data:
        found = f"it has {', '.join(unknown)}" if unknown else "it has no data"
        raise Mistake(f"ConfigMap {default.place} must have the one key {KEY}; {found}")
    try:
        documents = yaml_text.located(data[KEY])
    except yaml_text.NotYaml as error:
        raise Mistake(f"ConfigMap {default.place}, {KEY}: {error}; mend it, nothing runs meanwhile") from error
    if not documents:
        return default
    if len(documents) > 1 or not isinstance(documents[0].value, dict):
        raise Mistake(f"ConfigMap {default.place}, {KEY}: must be one set of caps, such as longestDuration: 1h")
    return _read(documents[0], default)


def _read(document: yaml_text.Document, default: Caps) -> Caps:
    changes: dict[str, Any] = {}
    for name, value in document.value.items():
        path = str(name)
        try:
            if name not in _FIELDS:
                raise ValueError(f"unknown cap{strict.closest(path, list(_FIELDS))}; known: {', '.join(_FIELDS)}")
            field, read_value = _FIELDS[name]
            changes[field] = read_value(value)
        except _At as mistake:
            _complain(document, default, f"{path}{mistake.path}", str(mistake))
        except ValueError as error:
            _complain(document, default, path, f"{_quoted(value)}{error}" if name in _FIELDS else str(error))
    return msgspec.structs.replace(default, **changes)


def _complain(document: yaml_text.Document, default: Caps, path: str, what: str) -> NoReturn:
    line = document.line(path)
    raise Mistake(
        f"ConfigMap {default.place}, {KEY} line {line}: {path}: {what}; mend it, nothing runs meanwhile"
    ) from None


class _At(ValueError):
    """A mistake inside a value, with the rest of the path to it."""

    def __init__(self, path: str, sentence: str) -> None:
        super().__init__(sentence)
        self.path = path


def _quoted(value: object) -> str:
    return f"{value!r} "


def _namespaces(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(name, str) and name for name in value):
        raise ValueError("must be a list of namespaces such as [kube-system, litmus]; [] forbids none")
    return tuple(value)


def _share(value: object) -> float | None:
    if value == "off" or value is False:
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*%", str(value))
    if not match or not 0 <= float(match[1]) <= 100:
        raise ValueError("must be a percentage from 0% to 100%, or off")
    return float(match[1])


def _longest(value: object) -> float | None:
    if value == "off" or value is False:
        return None
    try:
        return calendars.duration(str(value)).total_seconds()
    except ValueError as error:
        raise ValueError(f"{error}, or off") from None


def _windows(value: object) -> tuple[Window, ...]:
    if not isinstance(value, list):
        raise ValueError("must be a list of times such as {days: Mon-Fri, from: '09:00', to: '17:00'}; [] is always")
    return tuple(_window(entry, f"[{index}]") for index, entry in enumerate(value))


def _window(entry: object, path: str) -> Window:
    checks: dict[str, Callable[[str], object]] = {
        "days": calendars.days,
        "from": calendars.clock_time,
        "to": calendars.clock_time,
        "timeZone": calendars.zone,
    }
    if not isinstance(entry, dict):
        raise _At(path, f"{entry!r} must have days, from, to and timeZone, each as needed")
    for name, value in entry.items():
        if name not in checks:
            raise _At(f"{path}.{name}", f"unknown field{strict.closest(str(name), list(checks))}")
        try:
            checks[name](str(value))
        except ValueError as error:
            raise _At(f"{path}.{name}", f"{value!r} {error}") from None
    return msgspec.convert({name: str(value) for name, value in entry.items()}, Window)


_FIELDS: dict[str, tuple[str, Callable[[object], Any]]] = {
    "forbiddenNamespaces": ("forbidden_namespaces", _namespaces),
    "largestShareOfNodes": ("nodes", _share),
    "largestShareOfPods": ("pods", _share),
    "longestDuration": ("longest_s", _longest),
    "allowedTimes": ("windows", _windows),
}
