"""Definitions of custom kinds in the OpenAPI documents.

v3 says all that the author wrote; v2 cannot say nullable, default, int-or-string or any combination of schemas, so what
depends on them is left open there. Where unknown fields are preserved nothing is said about fields in v2, because old
clients would refuse what they do not know.
Source: the Kubernetes documentation, "Publish Validation Schema in OpenAPI"; what a real server publishes.
"""

from typing import Any

from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.resources import Resource

from . import definitions, descriptions
from .openapi_types import Dialect, described, reference

_PRESERVE, _EITHER = "x-kubernetes-preserve-unknown-fields", "x-kubernetes-int-or-string"
_ONLY_V3 = ("default", "nullable", "oneOf", "anyOf", "allOf", "not", "example", "externalDocs")
_META, _LIST_META = f"{definitions.META}.ObjectMeta", f"{definitions.META}.ListMeta"


def name(resource: Resource) -> str:
    """``io.litmuschaos.v1alpha1.ChaosEngine``: the group's words turned around."""
    return f"{'.'.join(reversed(resource.group.split('.')))}.{resource.version}.{resource.kind}"


def built_in_needs() -> tuple[str, ...]:
    """The definitions to which those of custom kinds refer."""
    return (_META, _LIST_META)


def of(resource: Resource, crd: Obj, dialect: Dialect) -> dict[str, Obj]:
    """The definitions of a custom kind and of its list."""
    version = next(one for one in crd["spec"]["versions"] if one["name"] == resource.version)
    props = (version.get("schema") or {}).get("openAPIV3Schema") or {"type": "object", _PRESERVE: True}
    kind = name(resource)
    return {kind: _kind(resource, props, dialect), f"{kind}List": _list(resource, kind, dialect)}


def _kind(resource: Resource, props: Obj, dialect: Dialect) -> Obj:
    shown = props if dialect == "v3" else _in_v2(props)
    found: Obj = {**shown, "type": "object"}
    known = dict(shown.get("properties") or {})
    if known or not shown.get(_PRESERVE) or dialect == "v3":
        found["properties"] = {**known, **_meta(dialect, _META, "Pod")}
    found["x-kubernetes-group-version-kind"] = [_gvk(resource, resource.kind)]
    return found


def _list(resource: Resource, kind: str, dialect: Dialect) -> Obj:
    items = {"type": "array", "description": f"List of {resource.plural}.", "items": reference(kind, dialect)}
    return {
        "description": f"{resource.kind}List is a list of {resource.kind}",
        "type": "object",
        "required": ["items"],
        "properties": {"items": items, **_meta(dialect, _LIST_META, "PodList")},
        "x-kubernetes-group-version-kind": [_gvk(resource, f"{resource.kind}List")],
    }


def _gvk(resource: Resource, kind: str) -> Obj:
    return {"group": resource.group, "kind": kind, "version": resource.version}


def _meta(dialect: Dialect, metadata: str, like: str) -> Obj:
    """The fields that every object has, with the texts of a built-in kind."""
    _, texts = descriptions.of(f"io.k8s.api.core.v1.{like}")
    found: Obj = {word: {"description": texts.get(word, ""), "type": "string"} for word in ("apiVersion", "kind")}
    found["metadata"] = described(metadata, dialect, texts.get("metadata", ""))
    return found


def _in_v2(props: Obj) -> Obj:
    """The schema as far as v2 can say it."""
    found = {word: value for word, value in props.items() if word not in _ONLY_V3}
    if props.get(_PRESERVE) or props.get("nullable") or props.get(_EITHER):
        found = {word: value for word, value in found.items() if word in ("description", *_said_of_open(props))}
    for word in ("items", "additionalProperties"):
        if isinstance(found.get(word), dict):
            found[word] = _in_v2(found[word])
    if "properties" in found:
        found["properties"] = {field: _in_v2(inner) for field, inner in found["properties"].items()}
    return found


def _said_of_open(props: Obj) -> tuple[Any, ...]:
    return tuple(word for word in props if word.startswith("x-kubernetes-") and word != "x-kubernetes-validations")
