"""Which keywords a definition's schema may use, and what their values may be.

Source: the Kubernetes documentation, "CustomResourceDefinitions", Validation; the texts are those of
apiextensions-apiserver's ValidateCustomResourceDefinitionOpenAPISchema. CEL rules are taken as they are.
"""

from dataclasses import dataclass, replace

from litmus.sandbox.machinery import objects, status
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.status import Cause

from . import defaulting, pruning, validation

_TYPES = ("array", "boolean", "integer", "number", "object", "string")
_META = ("metadata", "kind", "apiVersion")
_LIST_TYPE, _MAP_TYPE = "x-kubernetes-list-type", "x-kubernetes-map-type"
_KEYS, _EMBEDDED = "x-kubernetes-list-map-keys", "x-kubernetes-embedded-resource"
_PRESERVE = "x-kubernetes-preserve-unknown-fields"
_REFUSED = ("id", "additionalItems", "patternProperties", "definitions", "dependencies", "$ref")
UNSUPPORTED = " is not supported"
"""How the text ends that refuses a keyword."""


@dataclass(frozen=True, slots=True)
class _Context:
    """Where in a schema we are: whether defaults may stand here, and whether this describes a resource's metadata."""

    root: bool = False
    no_defaults: str = ""
    in_meta: bool = False


def causes(props: Obj, path: str) -> list[Cause]:
    """What is wrong with the schema of a version."""
    return _rules(props, path, _Context(root=True))


def default_causes(props: Obj, path: str, *, root: bool = True) -> list[Cause]:
    """Defaults that break the very schema in which they stand, or say what it would prune."""
    found: list[Cause] = []
    if props.get("default") is not None:
        found += _default(props, f"{path}.default")
    for name, inner in (props.get("properties") or {}).items():
        if not (root and name in _META):
            found += default_causes(inner, f"{path}.properties[{name}]", root=False)
    for word in ("items", "additionalProperties"):
        if isinstance(props.get(word), dict):
            found += default_causes(props[word], f"{path}.{word}", root=False)
    return found


def _default(props: Obj, at: str) -> list[Cause]:
    holder = objects.copy({"x": props["default"]})
    if pruning.prune({"properties": {"x": props}}, holder, "default"):
        return [status.invalid_value(at, props["default"], "must not have unknown fields")]
    defaulting.default({"properties": {"x": props}}, holder)
    found = validation.causes(props, holder["x"])
    return [replace(cause, field=validation.child(at, cause.field) if cause.field else at) for cause in found]


def _rules(props: Obj, path: str, context: _Context) -> list[Cause]:
    found = [*_keywords(props, path, context), *_inside(props, path, replace(context, root=False), root=context.root)]
    if props.get(_PRESERVE) is False:
        found.append(status.invalid_value(f"{path}.{_PRESERVE}", False, "must be true or undefined"))
    found += _map_type(props, path)
    found += _list_type(props, path)
    found += _map_list(props, path)
    return found


def _keywords(props: Obj, path: str, context: _Context) -> list[Cause]:
    found = []
    said = props.get("type", "")
    if said == "null":
        text = "type cannot be set to null, use nullable as an alternative"
        found.append(status.forbidden_field(f"{path}.type", text))
    if said and said not in _TYPES:
        found.append(validation.unsupported(f"{path}.type", said, _TYPES))
    if props.get("default") is not None and context.no_defaults:
        found.append(status.forbidden_field(f"{path}.default", f"must not be set {context.no_defaults}"))
    found += [status.forbidden_field(f"{path}.{word}", f"{word}{UNSUPPORTED}") for word in _REFUSED if props.get(word)]
    if isinstance(props.get("items"), list):
        found.append(status.forbidden_field(f"{path}.items", "items must be a schema object and not an array"))
    if context.in_meta and props.get(_EMBEDDED):
        found.append(status.forbidden_field(f"{path}.{_EMBEDDED}", "must not be used inside of resource meta"))
    if props.get("uniqueItems"):
        text = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
        found.append(status.forbidden_field(f"{path}.uniqueItems", text))
    others = props.get("additionalProperties")
    if others is not None and others is not True and props.get("properties"):
        text = "additionalProperties and properties are mutual exclusive"
        found.append(status.forbidden_field(f"{path}.additionalProperties", text))
    return found


def _inside(props: Obj, path: str, context: _Context, *, root: bool) -> list[Cause]:
    found = []
    others = props.get("additionalProperties")
    if isinstance(others, dict):
        why = "inside additionalProperties applying to object metadata" if context.in_meta else context.no_defaults
        found += _rules(others, f"{path}.additionalProperties", replace(context, no_defaults=why))
    for name, inner in (props.get("properties") or {}).items():
        within = context
        if (root or props.get(_EMBEDDED)) and name in _META:
            within = replace(context, in_meta=True, no_defaults=f"in top-level {name}" if root else context.no_defaults)
        found += _rules(inner, f"{path}.properties[{name}]", within)
    if props.get("not") is not None:
        found += _rules(props["not"], f"{path}.not", context)
    for word in ("allOf", "oneOf", "anyOf"):
        for index, inner in enumerate(props.get(word) or []):
            found += _rules(inner, f"{path}.{word}[{index}]", context)
    if isinstance(props.get("items"), dict):
        found += _rules(props["items"], f"{path}.items", context)
    return found


def _must_be(kind: str, props: Obj, path: str, why: str) -> list[Cause]:
    said = props.get("type", "")
    if said == kind:
        return []
    text = f"must be {kind} if {why} is specified"
    return [status.invalid_value(f"{path}.type", said, text) if said else status.required(f"{path}.type", text)]


def _map_type(props: Obj, path: str) -> list[Cause]:
    said = props.get(_MAP_TYPE)
    if said is None:
        return []
    found = _must_be("object", props, path, _MAP_TYPE)
    if said not in ("atomic", "granular"):
        found.append(validation.unsupported(f"{path}.{_MAP_TYPE}", said, ["atomic", "granular"]))
    return found


def _list_type(props: Obj, path: str) -> list[Cause]:
    said, keys = props.get(_LIST_TYPE), props.get(_KEYS)
    found = []
    if said is not None:
        found += _must_be("array", props, path, _LIST_TYPE)
        if not found and said == "set":
            found += _set_items(props, path)
        if said not in ("atomic", "set", "map"):
            found.append(validation.unsupported(f"{path}.{_LIST_TYPE}", said, ["atomic", "set", "map"]))
    if keys and said != "map":
        text = f"must be map if {_KEYS} is non-empty"
        at = f"{path}.{_LIST_TYPE}"
        found.append(status.required(at, text) if said is None else status.invalid_value(at, said, text))
    if said in ("set", "map") and isinstance(props.get("items"), dict) and props["items"].get("nullable"):
        text = f"cannot be nullable when {_LIST_TYPE} is {said}"
        found.append(status.forbidden_field(f"{path}.items.nullable", text))
    return found


def _set_items(props: Obj, path: str) -> list[Cause]:
    """The items of a set are compared as wholes."""
    items = props.get("items") if isinstance(props.get("items"), dict) else None
    if items is None:
        return []
    text = f"must be atomic as item of a list with {_LIST_TYPE}=set"
    if items.get("type") == "array" and items.get(_LIST_TYPE, "atomic") != "atomic":
        return [status.invalid_value(f"{path}.items.{_LIST_TYPE}", items[_LIST_TYPE], text)]
    if items.get("type") == "object" and items.get(_MAP_TYPE) != "atomic":
        return [status.invalid_value(f"{path}.items.{_MAP_TYPE}", items.get(_MAP_TYPE), text)]
    return []


def _map_list(props: Obj, path: str) -> list[Cause]:
    if props.get(_LIST_TYPE) != "map":
        return []
    found = []
    keys, items = props.get(_KEYS) or [], props.get("items")
    if not keys:
        found.append(status.required(f"{path}.{_KEYS}", f"must not be empty if {_LIST_TYPE} is map"))
    if items is None:
        found.append(status.required(f"{path}.items", f"must have a schema if {_LIST_TYPE} is map"))
    elif isinstance(items, dict) and items.get("type") != "object":
        text = f"must be object if parent array's {_LIST_TYPE} is map"
        found.append(status.invalid_value(f"{path}.items.type", items.get("type", ""), text))
    elif isinstance(items, dict):
        found += _map_keys(keys, items, path)
    return found


def _map_keys(keys: list[str], items: Obj, path: str) -> list[Cause]:
    found, later = [], []
    known = items.get("properties") or {}
    for index, key in enumerate(keys):
        at = f"{path}.items.properties[{key}]"
        if key not in known:
            found.append(status.invalid_value(f"{path}.{_KEYS}", keys, "entries must all be names of item properties"))
        elif known[key].get("type") in ("array", "object"):
            text = f"must be a scalar type if parent array's {_LIST_TYPE} is map"
            found.append(status.invalid_value(f"{at}.type", items["type"], text))
        if key in keys[:index]:
            found.append(status.invalid_value(f"{path}.{_KEYS}", keys, "must not contain duplicate entries"))
        if key in known and key not in (items.get("required") or []) and known[key].get("default") is None:
            text = f"this property is in {_KEYS}, so it must have a default or be a required property"
            later.append(status.required(f"{at}.default", text))
        if key in known and known[key].get("nullable"):
            text = f"this property is in {_KEYS}, so it cannot be nullable"
            later.append(status.forbidden_field(f"{at}.nullable", text))
    return [*found, *later]
