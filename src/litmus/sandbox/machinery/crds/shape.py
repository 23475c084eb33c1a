"""The schema of a custom kind in the form that patches and server-side apply use.

Source: the API concepts, "Server-Side Apply", merge strategy: ``x-kubernetes-list-type`` and friends.
"""

from litmus.sandbox.machinery import schemas
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.schemas.form import Fields, MapType, Schema, Struct, Type

_SCALARS: dict[str, Type] = {"string": "string", "integer": "int64", "number": "number", "boolean": "boolean"}
_META = {"apiVersion": Schema(type="string"), "kind": Schema(type="string")}


def of(props: Obj) -> Schema:
    """The schema of a whole object: the fields of every resource, and those of the definition."""
    return _object(props, resource=True)


def _of(props: Obj) -> Schema:
    if props.get("x-kubernetes-int-or-string"):
        return Schema(type="int-or-string")
    kind = props.get("type", "")
    if kind in _SCALARS:
        return Schema(type=_SCALARS[kind], default=props.get("default"))
    if kind == "array":
        return _array(props)
    if kind == "object":
        return _object(props, resource=bool(props.get("x-kubernetes-embedded-resource")))
    return Schema(type="json", open=True)


def _array(props: Obj) -> Schema:
    items = props.get("items")
    return Schema(
        type="array",
        items=_of(items) if isinstance(items, dict) else Schema(type="json", open=True),
        list_type=props.get("x-kubernetes-list-type") or "atomic",
        map_keys=tuple(props.get("x-kubernetes-list-map-keys") or ()),
    )


def _object(props: Obj, *, resource: bool) -> Schema:
    map_type: MapType = "atomic" if props.get("x-kubernetes-map-type") == "atomic" else "granular"
    others = props.get("additionalProperties")
    if others and not props.get("properties") and not resource:
        items = _of(others) if isinstance(others, dict) else Schema(type="json", open=True)
        return Schema(type="map", items=items, map_type=map_type)
    struct = Struct("", lambda: _fields(props, resource=resource), map_type=map_type)
    is_open = bool(props.get("x-kubernetes-preserve-unknown-fields"))
    return Schema(type="object", struct=struct, map_type=map_type, open=is_open)


def _fields(props: Obj, *, resource: bool) -> tuple[Fields, frozenset[str]]:
    found = {name: _of(inner) for name, inner in (props.get("properties") or {}).items()}
    if resource:
        found |= {**_META, "metadata": schemas.object_meta()}
    return dict(sorted(found.items())), frozenset(props.get("required") or ())
