"""The bytes of a patch as JSON or YAML, and what a real server says about bytes that are neither.

Source: encoding/json (scanner.go) for the words; sigs.k8s.io/yaml for server-side apply.
"""

import contextlib
import json
import re
from typing import Any

import yaml

MAX_DEPTH = 200
"""How deep lists and maps may stand in each other. Go's limit is 10,000; Python's stack ends long before that."""
_MAX_NODES = 2_000_000  # more than the largest body has without aliases that multiply it
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_TOO_DEEP = "exceeded max depth"
_CONTAINERS = (dict, list)
_LITERALS = {"t": "true", "f": "false", "n": "null"}


class Malformed(ValueError):
    """The message is Go's."""


class _Loader(yaml.CSafeLoader):
    """Dates stay the text that they are, as in Go."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _as_go_converts(text: str) -> float:
    """On its way from YAML to JSON 5.0 becomes 5, which an integer field takes."""
    found = float(text)
    return int(found) if found.is_integer() else found


def _number(loader: _Loader, node: yaml.ScalarNode) -> float:
    found: float = loader.construct_yaml_float(node)
    return int(found) if found.is_integer() else found


_Loader.add_constructor("tag:yaml.org,2002:float", _number)


def from_json(body: bytes) -> Any:
    """Raises Malformed."""
    text = body.decode(errors="replace")
    try:
        found = json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise Malformed(_as_go_says(text, error)) from error
    except RecursionError:
        raise Malformed(_TOO_DEEP) from None
    return _whole(bounded(found)) if _SURROGATE.search(text) else bounded(found)


def from_yaml(body: bytes) -> Any:
    """Raises Malformed."""
    text = body.decode(errors="replace")
    pairs = _SURROGATE.search(text) is not None
    if text.lstrip().startswith("{") and not pairs:
        with contextlib.suppress(ValueError, RecursionError):  # what is no JSON may be YAML yet
            return bounded(json.loads(text, parse_constant=_no_constant, parse_float=_as_go_converts))
    try:
        _check_depth(body)
        found = bounded(yaml.load(body, _Loader))
        if pairs:
            json.dumps(found, ensure_ascii=False).encode()
    except yaml.YAMLError as error:
        said = getattr(error, "problem", None) or str(error)
        raise Malformed(f"error converting YAML to JSON: yaml: {_line(error)}{said}") from error
    except UnicodeEncodeError:
        raise Malformed("error converting YAML to JSON: yaml: found invalid Unicode character escape code") from None
    except (Malformed, RecursionError):
        raise Malformed("error converting YAML to JSON: yaml: document contains excessive aliasing or depth") from None
    return found


def _line(error: yaml.YAMLError) -> str:
    """Where go-yaml says that it gave up: it counts from 0 but for what the scanner finds, and does not say 0."""
    marks = (getattr(error, "context_mark", None), getattr(error, "problem_mark", None))
    line = next((mark.line for mark in marks if mark is not None and mark.line), 0)
    line += bool(line and isinstance(error, yaml.scanner.ScannerError))
    return f"line {line}: " if line else ""


def _check_depth(body: bytes) -> None:
    """Raises Malformed, before a loader that nests as deep as its text runs out of stack, and YAMLError."""
    depth = 0
    for event in yaml.parse(body, yaml.CSafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise Malformed(_TOO_DEEP)


def bounded(value: Any) -> Any:
    """The value itself. Raises Malformed when it is too deep, or too large because of aliases, to be worked on."""
    nodes, depth, level = 0, 0, [value]
    while level:
        nodes, depth = nodes + len(level), depth + 1
        if depth > MAX_DEPTH or nodes > _MAX_NODES:
            raise Malformed(_TOO_DEEP)
        level = [inner for outer in level if isinstance(outer, _CONTAINERS) for inner in _inside(outer)]
    return value


def _inside(container: Any) -> Any:
    return container.values() if isinstance(container, dict) else container


def _whole(value: Any) -> Any:
    """With the replacement character for each half of a pair that is none, as Go reads it."""
    text = json.dumps(value, ensure_ascii=False).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return json.loads(text)


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
