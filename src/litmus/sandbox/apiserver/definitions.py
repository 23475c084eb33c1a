"""What the CustomResourceDefinition of a resource says about its subresources and selectable fields.

Source: the documentation "Custom Resources", "Scale subresource" and "Field selectors".
"""

from collections.abc import Sequence
from dataclasses import dataclass

from litmus.sandbox.machinery.objects import Key, Obj
from litmus.sandbox.machinery.resources import Resource
from litmus.sandbox.machinery.store import Store

STORAGE = "customresourcedefinitions.apiextensions.k8s.io"


@dataclass(frozen=True, slots=True)
class ScalePaths:
    """Where in an object the figures are: ``.spec.replicas``; ``selector`` may be ''."""

    spec: str
    status: str
    selector: str = ""


def version(store: Store, resource: Resource) -> Obj:
    """The entry of this version in ``spec.versions``, {} when there is none."""
    definition = store.get(STORAGE, Key("", f"{resource.plural}.{resource.group}")) or {}
    versions = (definition.get("spec") or {}).get("versions") or []
    return next((one for one in versions if one.get("name") == resource.version), {})


def selectable_fields(store: Store, resource: Resource) -> Sequence[str]:
    """JSON paths, ``.spec.color``."""
    return [one["jsonPath"] for one in version(store, resource).get("selectableFields") or []]


def scale_paths(store: Store, resource: Resource) -> ScalePaths | None:
    """None when the resource is not scaled."""
    found = (version(store, resource).get("subresources") or {}).get("scale")
    if not found:
        return None
    return ScalePaths(found["specReplicasPath"], found["statusReplicasPath"], found.get("labelSelectorPath") or "")


def at(obj: Obj, path: str) -> object:
    """The value at a dotted path, None when there is none."""
    value: object = obj
    for name in path.strip(".").split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def put(obj: Obj, path: str, value: object) -> None:
    """Sets the value at a dotted path."""
    *above, last = path.strip(".").split(".")
    for name in above:
        obj = obj.setdefault(name, {})
    obj[last] = value
