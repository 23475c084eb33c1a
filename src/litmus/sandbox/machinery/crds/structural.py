"""What makes a schema structural, checked when a definition is written.

Everything that shapes an object (types, fields, what is preserved) stands outside of anyOf, oneOf, allOf and not; those
may only judge values. Source: the Kubernetes documentation, "Specifying a structural schema"; the texts are those of
apiextensions-apiserver's schema.ValidateStructural.
"""

from typing import Literal

from litmus.sandbox.machinery import status
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.status import Cause

from . import patterns

Level = Literal["root", "item", "field"]

_INT_OR_STRING = [{"type": "integer"}, {"type": "string"}]
_EMBEDDED = "x-kubernetes-embedded-resource"
_PRESERVE = "x-kubernetes-preserve-unknown-fields"
_EITHER = "x-kubernetes-int-or-string"
_EMPTY_TYPE = {
    "root": "must not be empty at the root",
    "item": "must not be empty for specified array items",
    "field": "must not be empty for specified object fields",
}
_ONLY_NAMES = "must not specify anything other than name and generateName, but metadata is implicitly specified"
# What must not stand inside of anyOf and the like, and how that is said.
_FORBIDDEN_NESTED = {
    "type": "must be empty",
    "additionalProperties": "must be undefined",
    "default": "must be undefined",
    "title": "must be empty",
    "description": "must be empty",
    "nullable": "must be false",
    "externalDocs": "must be undefined",
    _PRESERVE: "must be false",
    _EMBEDDED: "must be false",
    _EITHER: "must be false",
    "x-kubernetes-list-map-keys": "must be empty",
    "x-kubernetes-list-type": "must be undefined",
    "x-kubernetes-map-type": "must be undefined",
    "x-kubernetes-validations": "must be empty",
}


def causes(props: Obj, path: str) -> list[Cause]:
    """Why a schema is not structural, in the order of the texts."""
    return sorted([*_invariants(props, "root", path), *_completeness(props, path)], key=str)


def _invariants(props: Obj, level: Level, path: str) -> list[Cause]:
    found = _children(props, level, path)
    found += _extensions(props, path)
    found += _value_validation(props, path, either=_pattern_of_either(props))
    found += _type(props, level, path)
    found += _meta_fields(props, level, path)
    if props.get(_EMBEDDED) and not props.get(_PRESERVE) and not props.get("properties"):
        text = f"must not be empty if {_EMBEDDED} is true without {_PRESERVE}"
        found.append(status.required(f"{path}.properties", text))
    return found


def _children(props: Obj, level: Level, path: str) -> list[Cause]:
    found = []
    items, others = props.get("items"), props.get("additionalProperties")
    if props.get("type") == "array" and items is None:
        found.append(status.required(f"{path}.items", "must be specified"))
    if isinstance(items, dict):
        found += _invariants(items, "item", f"{path}.items")
    for name, inner in (props.get("properties") or {}).items():
        found += _invariants(inner, "field", f"{path}.properties[{name}]")
    if others is not None and level == "root":
        found.append(status.forbidden_field(f"{path}.additionalProperties", "must not be used at the root"))
    if others is not None and props.get(_EMBEDDED):
        text = f"must not be used if {_EMBEDDED} is set"
        found.append(status.forbidden_field(f"{path}.additionalProperties", text))
    if isinstance(others, dict):
        found += _invariants(others, "field", f"{path}.additionalProperties")
    return found


def _extensions(props: Obj, path: str) -> list[Cause]:
    if not props.get(_EITHER):
        return []
    refused = [name for name in (_PRESERVE, _EMBEDDED) if props.get(name)]
    return [status.invalid_value(f"{path}.{name}", True, f"must be false if {_EITHER} is true") for name in refused]


def _type(props: Obj, level: Level, path: str) -> list[Cause]:
    said, at = props.get("type", ""), f"{path}.type"
    if props.get(_EMBEDDED) and said != "object":
        text = f"must be object if {_EMBEDDED} is true"
        return [status.invalid_value(at, said, text) if said else status.required(at, text)]
    if not said and not props.get(_EITHER) and not props.get(_PRESERVE):
        return [status.required(at, _EMPTY_TYPE[level])]
    if said and said != "object" and level == "root":
        return [status.invalid_value(at, said, "must be object at the root")]
    return []


def _meta_fields(props: Obj, level: Level, path: str) -> list[Cause]:
    """apiVersion, kind and metadata of a resource are what they are; a schema may only restrict its names."""
    if level != "root" and not props.get(_EMBEDDED):
        return []
    found = []
    known = props.get("properties") or {}
    for name in ("kind", "apiVersion"):
        if name in known and known[name].get("type") != "string":
            at = f"{path}.properties[{name}].type"
            found.append(status.invalid_value(at, known[name].get("type", ""), "must be string"))
    metadata = known.get("metadata")
    if metadata is not None:
        at = f"{path}.properties[metadata]"
        if metadata.get("type") != "object":
            found.append(status.invalid_value(f"{at}.type", metadata.get("type", ""), "must be object"))
        names = set(metadata.get("properties") or {})
        rest = set(metadata) - {"type", "default", "description"} - ({"properties"} if _only_names(names) else set())
        if level == "root" and (rest or metadata.get("description")):
            found.append(status.forbidden_field(at, _ONLY_NAMES))
    return found


def _only_names(names: set[str]) -> bool:
    return bool(names) and names <= {"name", "generateName"}


def _pattern_of_either(props: Obj) -> bool:
    """Whether anyOf only repeats what int-or-string says, which is allowed."""
    return bool(props.get("anyOf") == _INT_OR_STRING)


def _value_validation(props: Obj, path: str, *, either: bool = False) -> list[Cause]:
    found = []
    for word in ("anyOf", "allOf", "oneOf"):
        for index, inner in enumerate(props.get(word) or []):
            if word == "anyOf" and either:
                continue
            allowed = word == "allOf" and index == 0 and inner.get("anyOf") == _INT_OR_STRING
            found += _nested(inner, f"{path}.{word}[{index}]", either=allowed)
    if props.get("not") is not None:
        found += _nested(props["not"], f"{path}.not")
    if pattern := props.get("pattern"):
        try:
            patterns.compiled(pattern)
        except patterns.Malformed as why:
            text = f"must be a valid regular expression, but isn't: {why}"
            found.append(status.invalid_value(f"{path}.pattern", pattern, text))
    return found


def _nested(props: Obj, path: str, *, either: bool = False) -> list[Cause]:
    """What stands in anyOf, oneOf, allOf, not."""
    found = _value_validation(props, path, either=either)
    if isinstance(props.get("items"), dict):
        found += _nested(props["items"], f"{path}.items")
    for name, inner in (props.get("properties") or {}).items():
        found += _nested(inner, f"{path}.properties[{name}]")
    for word, said in _FORBIDDEN_NESTED.items():
        if props.get(word) not in (None, "", False, [], {}):
            found.append(status.forbidden_field(f"{path}.{word}", f"{said} to be structural"))
    if "metadata" in (props.get("properties") or {}):
        text = "must not be specified in a nested context"
        found.append(status.forbidden_field(f"{path}.properties[metadata]", text))
    return found


def _completeness(props: Obj, path: str) -> list[Cause]:
    """Fields that only a judgement at the root names, but no type does."""
    found: list[Cause] = []
    for where, inner in _judged(props):
        found += _named(props, inner, path, f"{path}.{where}")
    return found


def _judged(props: Obj) -> list[tuple[str, Obj]]:
    branches = [
        (f"{word}[{index}]", inner)
        for word in ("allOf", "anyOf", "oneOf")
        for index, inner in enumerate(props.get(word) or [])
    ]
    return [*branches, *([("not", props["not"])] if props.get("not") is not None else [])]


def _named(props: Obj, inner: Obj, path: str, at: str) -> list[Cause]:
    """Whether the schema at ``path`` has what the judgement at ``at`` speaks of."""
    found = []
    known = props.get("properties") or {}
    for name, judged in (inner.get("properties") or {}).items():
        here, there = f"{path}.properties[{name}]", f"{at}.properties[{name}]"
        if name in known:
            found += _named(known[name], judged, here, there)
        else:
            found.append(status.required(here, f"because it is defined in {there}"))
    if isinstance(inner.get("items"), dict):
        if isinstance(props.get("items"), dict):
            found += _named(props["items"], inner["items"], f"{path}.items", f"{at}.items")
        else:
            found.append(status.required(f"{path}.items", f"because it is defined in {at}.items"))
    for where, deeper in _judged(inner):
        found += _named(props, deeper, path, f"{at}.{where}")
    return found
