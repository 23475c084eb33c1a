"""The bytes of a patch as JSON or YAML, and what a real server says about bytes that are neither.

Source: encoding/json (scanner.go) for the words; sigs.k8s.io/yaml for server-side apply.
"""

import json
import re
from typing import Any

import yaml

_LITERALS = {"t": "true", "f": "false", "n": "null"}


class Malformed(ValueError):
    """The message is Go's."""


class _Loader(yaml.SafeLoader):
    """Dates stay the text that they are, as in Go."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def from_json(body: bytes) -> Any:
    """Raises Malformed."""
    text = body.decode(errors="replace")
    try:
        return json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise Malformed(_as_go_says(text, error)) from error


def from_yaml(body: bytes) -> Any:
    """Raises Malformed."""
    try:
        return yaml.load(body, _Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f"line {mark.line + 1}: " if mark else ""
        said = getattr(error, "problem", None) or str(error)
        raise Malformed(f"error converting YAML to JSON: yaml: {line}{said}") from error


def go_kind(value: Any) -> str:
    """The kind of JSON value, as Go's decoding errors name it."""
    names = {bool: "bool", str: "string", dict: "object", list: "array"}
    return names.get(type(value), "number")


def _no_constant(name: str) -> None:
    raise json.JSONDecodeError("constant", name, 0)


def _as_go_says(text: str, error: json.JSONDecodeError) -> str:
    rest = text[error.pos :].lstrip()
    if not rest or error.msg.startswith("Unterminated"):
        return "unexpected end of JSON input"
    word = _LITERALS.get(rest[0])
    if word and error.msg == "Expecting value":
        wrong = next(
            (place for place, (want, got) in enumerate(zip(word, rest, strict=False)) if want != got), len(rest)
        )
        if wrong >= len(rest):
            return "unexpected end of JSON input"
        return f"invalid character {_quoted(rest[wrong])} in literal {word} (expecting {_quoted(word[wrong])})"
    where = {
        "Extra data": "after top-level value",
        "Expecting property name enclosed in double quotes": "looking for beginning of object key string",
        "Expecting ':' delimiter": "after object key",
        "Illegal trailing comma before end of object": "looking for beginning of object key string",
    }.get(error.msg, "looking for beginning of value")
    if error.msg == "Expecting ',' delimiter":
        before = re.sub(r'"(\\.|[^"\\])*"', "", text[: error.pos])
        where = "after object key:value pair" if before.rfind("{") > before.rfind("[") else "after array element"
    return f"invalid character {_quoted(rest[0])} {where}"


def _quoted(character: str) -> str:
    return {"'": r"'\''", '"': "'\"'"}.get(character, f"'{character}'")
