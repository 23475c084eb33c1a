"""The JSONPath of printer columns: fields, indices, wildcards, slices, recursion and simple filters.

Source: the Kubernetes documentation, "JSONPath Support"; what cannot be read finds nothing.
"""

import json
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

Step = Callable[[Any], Iterator[Any]]

_TOKEN = re.compile(
    r"\.\.(?P<deep>[\w-]+|\*)"
    r"|\.(?P<field>(?:\\.|[^.\[\]\\\s])+)"
    r"|\[\s*'(?P<quoted>(?:\\.|[^'\\])*)'\s*\]"
    r"|\[\s*(?P<index>-?\d+)\s*\]"
    r"|\[\s*(?P<slice>-?\d*:-?\d*(?::-?\d*)?)\s*\]"
    r"|(?P<wild>\[\s*\*\s*\])"
    r"|\[\?\(\s*@(?P<path>(?:\.|\[)[^=!<>]*?)\s*(?:(?P<operator>==|!=|<=|>=|<|>)\s*(?P<value>.*?))?\s*\)\]"
)


def find(path: str, value: Any) -> list[Any]:
    """The values at a path (``.status.conditions[?(@.type=="Ready")].status``) in their order."""
    found = [value]
    for step in _steps(path):
        found = [result for one in found for result in step(one)]
    return found


@lru_cache(maxsize=1024)
def _steps(path: str) -> tuple[Step, ...]:
    text = path.strip()
    if text.startswith("{") and text.endswith("}"):
        text = text[1:-1].strip()
    text = text.removeprefix("$")
    found, at = [], 0
    while at < len(text) and text != ".":
        token = _TOKEN.match(text, at)
        if token is None:
            return (lambda value: iter(()),)
        found.append(_step(token))
        at = token.end()
    return tuple(found)


def _step(token: re.Match[str]) -> Step:
    if token["deep"]:
        return lambda value: _deep(value, token["deep"])
    if token["wild"] or token["field"] == "*":
        return _members
    if token["index"]:
        return lambda value: _at(value, int(token["index"]))
    if token["slice"]:
        return lambda value: _sliced(value, token["slice"])
    if token["path"]:
        return _filter(token["path"], token["operator"], token["value"])
    name = re.sub(r"\\(.)", r"\1", token["field"] or token["quoted"] or "")
    return lambda value: iter([value[name]] if isinstance(value, dict) and name in value else [])


def _members(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from (value[name] for name in sorted(value))
    elif isinstance(value, list):
        yield from value


def _at(value: Any, index: int) -> Iterator[Any]:
    if isinstance(value, list) and -len(value) <= index < len(value):
        yield value[index]


def _sliced(value: Any, said: str) -> Iterator[Any]:
    if isinstance(value, list):
        yield from value[slice(*(int(part) if part else None for part in said.split(":")))]


def _deep(value: Any, name: str) -> Iterator[Any]:
    if isinstance(value, dict) and name in value:
        yield value[name]
    for member in _members(value):
        if name == "*":
            yield member
        yield from _deep(member, name)


def _filter(path: str, operator: str | None, said: str | None) -> Step:
    literal = _literal(said or "")

    def passes(item: Any) -> bool:
        found = find(path, item)
        if operator is None:
            return bool(found)
        return any(_compares(one, operator, literal) for one in found)

    return lambda value: (item for item in _members(value) if passes(item))


def _literal(text: str) -> Any:
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1]
    try:
        return json.loads(text)
    except ValueError:
        return text


def _compares(one: Any, operator: str, other: Any) -> bool:
    if operator == "==":
        return bool(one == other)
    if operator == "!=":
        return bool(one != other)
    try:
        return bool({"<": one < other, "<=": one <= other, ">": one > other, ">=": one >= other}[operator])
    except TypeError:
        return False
