"""The resources that a CustomResourceDefinition serves.

Source: the Kubernetes documentation, "CustomResourceDefinitions" and "Versions in CustomResourceDefinitions".
"""

from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.resources import Resource

from . import acceptance, versions


def of(crd: Obj) -> list[Resource]:
    """A Resource for each served version, the preferred one first; none until the definition is established."""
    if not acceptance.established(crd):
        return []
    return [_resource(crd, version, preferred=not place) for place, version in enumerate(versions.served(crd))]


def _resource(crd: Obj, version: Obj, *, preferred: bool) -> Resource:
    spec, names = crd["spec"], crd["status"]["acceptedNames"]
    stored = versions.storage_version(crd)
    subresources = version.get("subresources") or {}
    return Resource(
        group=spec["group"],
        version=version["name"],
        plural=names["plural"],
        singular=names.get("singular", ""),
        kind=names["kind"],
        namespaced=spec["scope"] == "Namespaced",
        short_names=tuple(names.get("shortNames") or ()),
        categories=tuple(names.get("categories") or ()),
        subresources=tuple(word for word in ("status", "scale") if subresources.get(word) is not None),
        storage_version=stored if stored != version["name"] else "",
        custom=True,
        preferred=preferred,
    )
