"""What is wrong with a value, by the schema of its custom kind: every keyword of a structural schema.

The causes and texts are those of a real server of 1.37. Rules of ``x-kubernetes-validations`` (CEL) are accepted in
definitions and not evaluated. Source: k8s.io/kube-openapi/pkg/validation/validate and apiextensions-apiserver's
validation of custom resources, which turns its results into field errors.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from litmus.sandbox.machinery import status
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.status import Cause

from . import formats, patterns

NOWHERE = "<nil>"
"""The field of a cause about a combination of schemas: Go's empty path."""
_NAMES = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}


def causes(props: Obj, value: Any, path: str = "") -> list[Cause]:
    """The mistakes in a value that stands at ``path`` ('' for a whole object)."""
    if value is None:
        return [] if props.get("nullable") or not _types(props) else [_mistyped(props, value, path)]
    found = [] if _fits(props, value) else [_mistyped(props, value, path)]
    found += _combinations(props, value, path)
    if isinstance(value, str):
        found += _string(props, value, path)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        found += _number(props, value, path)
    elif isinstance(value, list):
        found += _array(props, value, path)
    found += _enum(props, value, path)
    if isinstance(value, dict):
        found += _object(props, value, path)
    return found


def type_name(value: Any) -> str:
    """``integer``, ``object``, …: what a JSON value is."""
    return "null" if value is None else _NAMES[type(value)]


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal; true is not 1."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def child(path: str, name: str) -> str:
    """The path of a field of the object at ``path``."""
    return f"{path}.{name}" if path else name


def _types(props: Obj) -> list[str]:
    if props.get("x-kubernetes-int-or-string"):
        return ["integer", "string"]
    return [props["type"]] if props.get("type") else []


def _fits(props: Obj, value: Any) -> bool:
    types = _types(props)
    name = type_name(value)
    if not types or name in types:
        return True
    return (name == "integer" and "number" in types) or (name == "number" and "integer" in types and value.is_integer())


def _mistyped(props: Obj, value: Any, path: str) -> Cause:
    name = type_name(value)
    wanted = ",".join(_types(props))
    return Cause(
        status.TYPE_INVALID, path, f'Invalid value: "{name}": {path} in body must be of type {wanted}: "{name}"'
    )


def _invalid(path: str, value: Any, rule: str) -> Cause:
    return status.invalid_value(path, value, f"{path} in body {rule}")


def _too_many(path: str, actual: int, most: int) -> Cause:
    return Cause(status.TOO_MANY, path, f"Too many: {actual}: must have at most {most} item{'s' if most != 1 else ''}")


def _combinations(props: Obj, value: Any, path: str) -> list[Cause]:
    """anyOf, oneOf, allOf, not. Of the branches that failed, the closest is told about."""
    found: list[Cause] = []
    if branches := props.get("anyOf"):
        results = [causes(branch, value, path) for branch in branches]
        if all(results):
            found += [_combined(path, "must validate at least one schema (anyOf)"), *_closest(results)]
    if branches := props.get("oneOf"):
        results = [causes(branch, value, path) for branch in branches]
        fine = results.count([])
        said = "must validate one and only one schema (oneOf)."
        if not fine:
            found += [_combined(path, f"{said} Found none valid"), *_closest(results)]
        elif fine > 1:
            found.append(_combined(path, f"{said} Found {fine} valid alternatives"))
    if branches := props.get("allOf"):
        results = [causes(branch, value, path) for branch in branches]
        if any(results):
            none = "" if [] in results else ". None validated"
            found += [cause for result in results for cause in result]
            found.append(_combined(path, f"must validate all the schemas (allOf){none}"))
    if (refused := props.get("not")) is not None and not causes(refused, value, path):
        found.append(_combined(path, "must not validate the schema (not)"))
    return found


def _combined(path: str, rule: str) -> Cause:
    return status.invalid_value(NOWHERE, "", f'"{path}" {rule}')


def _closest(results: Sequence[list[Cause]]) -> list[Cause]:
    return min(results, key=len)


def _string(props: Obj, value: str, path: str) -> list[Cause]:
    """The first rule that a string breaks, and its format."""
    found = []
    longest, shortest, pattern = props.get("maxLength"), props.get("minLength"), props.get("pattern")
    if longest is not None and len(value) > longest:
        unit = "bytes" if longest != 1 else "byte"
        found.append(Cause(status.TOO_LONG, path, f"Too long: may not be more than {longest} {unit}"))
    elif shortest is not None and len(value) < shortest:
        found.append(_invalid(path, value, f"should be at least {shortest} chars long"))
    elif pattern and not patterns.compiled(pattern).search(value):
        found.append(_invalid(path, value, f"should match '{pattern}'"))
    form = props.get("format", "")
    if form and not formats.fits(form, value):
        text = f"{path} in body must be of type {form}: {status.shown(value)}"
        found.append(Cause(status.TYPE_INVALID, path, f"Invalid value: {status.shown(value)}: {text}"))
    return found


def _number(props: Obj, value: float, path: str) -> list[Cause]:
    found = []
    factor, most, least = props.get("multipleOf"), props.get("maximum"), props.get("minimum")
    if factor and value % factor:
        found.append(_invalid(path, value, f"should be a multiple of {_go(factor, value)}"))
    if most is not None and (value >= most if props.get("exclusiveMaximum") else value > most):
        rule = "less than" if props.get("exclusiveMaximum") else "less than or equal to"
        found.append(_invalid(path, value, f"should be {rule} {_go(most, value)}"))
    if least is not None and (value <= least if props.get("exclusiveMinimum") else value < least):
        rule = "greater than" if props.get("exclusiveMinimum") else "greater than or equal to"
        found.append(_invalid(path, value, f"should be {rule} {_go(least, value)}"))
    return found


def _go(limit: float, value: float) -> str:
    """A limit as Go prints it: like the value, an integer or a float in the shortest form."""
    if isinstance(value, int) and float(limit).is_integer():
        return str(int(limit))
    return f"{limit:g}" if float(f"{limit:g}") == limit else repr(float(limit))


def _array(props: Obj, value: list[Any], path: str) -> list[Cause]:
    found: list[Cause] = []
    items = props.get("items")
    if isinstance(items, dict):
        for index, item in enumerate(value):
            found += causes(items, item, f"{path}[{index}]")
    least, most = props.get("minItems"), props.get("maxItems")
    if least is not None and len(value) < least:
        found.append(_invalid(path, len(value), f"should have at least {least} items"))
    if most is not None and len(value) > most:
        found.append(_too_many(path, len(value), most))
    return found


def _enum(props: Obj, value: Any, path: str) -> list[Cause]:
    allowed = props.get("enum")
    if not allowed or any(same(value, known) for known in allowed):
        return []
    return [unsupported(path, value, allowed)]


def unsupported(path: str, value: Any, allowed: Iterable[Any]) -> Cause:
    """A value outside an enumeration, which is shown in its own order."""
    shown = ", ".join(json.dumps(known if isinstance(known, str) else json.dumps(known)) for known in allowed)
    return Cause(status.NOT_SUPPORTED, path, f"Unsupported value: {status.shown(value)}: supported values: {shown}")


def _object(props: Obj, value: Obj, path: str) -> list[Cause]:
    found = []
    least, most = props.get("minProperties"), props.get("maxProperties")
    if least is not None and len(value) < least:
        found.append(_invalid(path, least, f"should have at least {least} properties"))
    if most is not None and len(value) > most:
        found.append(_too_many(path, len(value), most))
    found += [status.required(child(path, name)) for name in props.get("required") or [] if name not in value]
    known = props.get("properties") or {}
    others = props.get("additionalProperties")
    for name in sorted(value):
        inner = known.get(name) or (others if isinstance(others, dict) else None)
        if inner:
            found += causes(inner, value[name], child(path, name))
    return found
