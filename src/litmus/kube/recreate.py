"""The way back of an object that was deleted: ``{"kind": "recreate", "object": its manifest, "uid"}``.

What the API server adds by itself is left out of the manifest; what users and other objects rely on stays, such as the
cluster address and the node ports of a Service, so that clients with an old answer of the DNS find it again.
"""

import copy
from collections.abc import Mapping
from typing import Any

from . import errors, kinds
from .cluster import Cluster
from .node_marks import Done, Undo

_SERVERS_OWN = (
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generation",
    "managedFields",
    "selfLink",
    # Put there by a controller that will do so again; without it, nobody would take it off the new object.
    "finalizers",
)
_ADDRESSES = ("clusterIP", "clusterIPs")
SERVICE: kinds.Kind[dict[str, Any]] = kinds.Kind("", "v1", "Service", "services", dict)


def recipe(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The way back of a Service that is still there."""
    kept = copy.deepcopy({key: value for key, value in manifest.items() if key != "status"})
    kept["metadata"] = {key: value for key, value in kept["metadata"].items() if key not in _SERVERS_OWN}
    kept |= {"apiVersion": "v1", "kind": "Service"}
    return {"kind": "recreate", "uid": manifest["metadata"]["uid"], "object": kept}


async def present(cluster: Cluster, undo: Undo) -> dict[str, Any] | None:
    """The object of that name which is there now and stays, whoever made it."""
    meta = undo["object"]["metadata"]
    found = await cluster.find(SERVICE, meta["name"], namespace=meta["namespace"])
    return None if found is None or found["metadata"].get("deletionTimestamp") else found


async def revert(cluster: Cluster, undo: Undo) -> Done:
    """Creates it again. One that somebody else made in the meantime stays as it is."""
    meta = undo["object"]["metadata"]
    called = f"Service {meta['namespace']}/{meta['name']}"
    if found := await present(cluster, undo):
        same = found["metadata"]["uid"] == undo["uid"]
        return Done(f"{called} was {'never deleted' if same else 'created again by somebody else'} and stays as it is")
    try:
        await cluster.create(SERVICE, undo["object"], namespace=meta["namespace"])
    except errors.Invalid as error:
        if "already allocated" not in str(error):
            raise
        # Somebody else got the address: a Service with a new one is better than none.
        await cluster.create(SERVICE, _without_address(undo["object"]), namespace=meta["namespace"])
        return Done(
            f"{called} created again with a new address, because {undo['object']['spec']['clusterIP']} is taken"
        )
    except (errors.NotFound, errors.Forbidden) as error:
        if isinstance(error, errors.Forbidden) and "being terminated" not in str(error):
            raise
        return Done(f"{called}: its namespace is gone or about to go", moot=True)
    except errors.Conflict:
        return Done(f"{called} was created again by somebody else")
    return Done(f"{called} created again")


async def leftovers(cluster: Cluster, undo: Undo) -> str:
    """What is missing."""
    meta = undo["object"]["metadata"]
    if await present(cluster, undo):
        return ""
    try:
        home = await cluster.find(kinds.NAMESPACE, meta["namespace"])
        gone = home is None or bool(home.metadata.deletion_timestamp)
    except errors.Forbidden:
        gone = False  # a role within the namespace: who has one is still in it
    return "" if gone else f"Service {meta['namespace']}/{meta['name']} is not there"


def _without_address(manifest: Mapping[str, Any]) -> dict[str, Any]:
    spec = {key: value for key, value in manifest["spec"].items() if key not in _ADDRESSES}
    return {**manifest, "spec": spec}
