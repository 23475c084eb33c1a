"""What a cluster serves, by its discovery documents: for resources that a user names and we know nothing of.

Every authenticated identity may read them (the role system:discovery).
"""

from typing import Any

from . import errors
from .cluster import Cluster
from .kinds import Kind


async def kind(cluster: Cluster, *, group: str, version: str, resource: str) -> Kind[dict[str, Any]]:
    """The kind behind a group, a version ('': the one that the cluster prefers) and the plural of a resource.

    Raises NotFound with what there is instead.
    """
    version = version or await _preferred(cluster, group)
    called = f"{group}/{version}" if group else version
    try:
        document = await cluster.document(f"/apis/{called}" if group else f"/api/{called}")
    except errors.NotFound as error:
        raise errors.NotFound(
            f"the cluster does not serve {called}; kubectl api-versions lists what it does"
        ) from error
    served = [one for one in document.get("resources", []) if "/" not in one["name"]]
    for one in served:
        if one["name"] == resource:
            return Kind(group, version, one["kind"], one["name"], dict, namespaced=one["namespaced"])
    raise errors.NotFound(f"{called} has no resource {resource!r}{_meant(resource, served)}")


async def _preferred(cluster: Cluster, group: str) -> str:
    if not group:
        return "v1"
    try:
        return str((await cluster.document(f"/apis/{group}"))["preferredVersion"]["version"])
    except errors.NotFound as error:
        raise errors.NotFound(f"the cluster serves no group {group!r}; kubectl api-versions lists them") from error


def _meant(resource: str, served: list[dict[str, Any]]) -> str:
    """The plural of what was written as a kind, in the singular or in short."""
    word = resource.lower()
    for one in served:
        others = (one["name"], one["kind"].lower(), one.get("singularName", ""), *one.get("shortNames", ()))
        if word in others:
            return f"; write {one['name']!r}"
    return "; it has " + ", ".join(sorted(one["name"] for one in served)) if served else ""
