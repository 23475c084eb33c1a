"""Whether what is applied fits its schema, told as a real server does: in Go's words, with the path in front.

Server-side apply refuses what other writes let pass with a warning: a field that the schema does not know, and an
element of a list that stands there twice. Source: sigs.k8s.io/structured-merge-diff, typed/validate.go.
"""

from collections.abc import Iterator
from typing import Any

from litmus.sandbox.machinery.schemas.form import Schema

from . import field_sets, go_text, typed
from .field_sets import Path

_STRINGS = ("string", "bytes", "time", "micro-time")
_NUMBERS = ("int32", "int64", "number")
_UNTYPED = ("quantity", "int-or-string")


def mistakes(schema: Schema, value: Any) -> list[str]:
    """What does not fit, sorted; [] when all does."""
    return sorted(set(_mistakes(schema, value, ())))


def _mistakes(schema: Schema, value: Any, path: Path) -> Iterator[str]:
    if value is None or schema.type in ("json", "raw"):
        return
    if schema.type in ("object", "map"):
        yield from _map(schema, value, path)
    elif schema.type == "array":
        yield from _list(schema, value, path)
    else:
        yield from _scalar(schema, value, path)


def _map(schema: Schema, value: Any, path: Path) -> Iterator[str]:
    if not isinstance(value, dict):
        yield _said(path, f"expected map, got &{{{go_text.shown(value)}}}")
        return
    for name, inside in value.items():
        deeper = (*path, field_sets.field(name))
        if schema.type == "object" and name not in schema.fields:
            if not schema.open:
                yield _said(deeper, "field not declared in schema")
        else:
            yield from _mistakes(typed.child(schema, name), inside, deeper)


def _list(schema: Schema, value: Any, path: Path) -> Iterator[str]:
    if not isinstance(value, list):
        yield _said(path, f"expected list, got &{{{go_text.shown(value)}}}")
        return
    items = schema.items or typed.DEDUCED
    seen: set[str] = set()
    for index, item in enumerate(value):
        if schema.list_type == "atomic":
            yield from _mistakes(items, item, (*path, f"i:{index}"))
            continue
        if mistake := _element_mistake(schema, item):
            yield _said((*path,), f"element {index}: {mistake}")
            continue
        step = typed.step_of(schema, item)
        if step in seen:
            yield _said(path, f"duplicate entries for key {field_sets.shown((step,))}")
        seen.add(step)
        yield from _mistakes(items, item, (*path, step))


def _element_mistake(schema: Schema, item: Any) -> str:
    """Why an element has no name of its own."""
    if schema.list_type == "set":
        if item is None:
            return "associative list without keys has an element that's an explicit null"
        if isinstance(item, dict | list):
            kind = "map" if isinstance(item, dict) else "list"
            return f"associative list without keys has an element that's a {kind} type"
        return ""
    if item is None:
        return "associative list with keys may not have a null element"
    if not isinstance(item, dict):
        return "associative list with keys may not have non-map elements"
    if not typed.keys_of(schema, item):
        keys = "[" + " ".join(f'"{key}"' for key in schema.map_keys) + "]"
        return (
            f"associative list with keys has an element that omits all key fields {keys} "
            "(and doesn't have default values for any key fields)"
        )
    return ""


def _scalar(schema: Schema, value: Any, path: Path) -> Iterator[str]:
    boxed = f"&value.valueUnstructured{{Value:{_literal(value)}}}"
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if schema.type in _STRINGS and not isinstance(value, str):
        yield _said(path, f"expected string, got {boxed}")
    elif schema.type in _NUMBERS and not number:
        yield _said(path, f"expected numeric (int or float), got {go_text.type_of(value)}")
    elif schema.type == "boolean" and not isinstance(value, bool):
        yield _said(path, f"expected boolean, got &{{{go_text.shown(value)}}}")
    elif schema.type in _UNTYPED and isinstance(value, dict | list):
        yield _said(path, f"expected any scalar, got &{{{go_text.shown(value)}}}")


def _literal(value: Any) -> str:
    """As %#v prints it."""
    if isinstance(value, dict):
        inside = ", ".join(f'"{name}":{_literal(value[name])}' for name in sorted(value))
        return f"map[string]interface {{}}{{{inside}}}"
    if isinstance(value, list):
        return f"[]interface {{}}{{{', '.join(map(_literal, value))}}}"
    return f'"{value}"' if isinstance(value, str) else go_text.shown(value)


def _said(path: Path, what: str) -> str:
    return f"{field_sets.shown(path)}: {what}" if path else what
