"""Which objects belong to a controller: those that refer to it, and orphans that its selector chooses.

The documentation calls it adoption and release ("ReplicaSet", "How a ReplicaSet works"): an orphan that matches becomes
ours, and one of ours whose labels no longer match is let go. An object that another controller owns is never touched.
Source of the rules: pkg/controller/controller_ref_manager.go.
"""

from collections.abc import Callable, Iterable, Iterator

from litmus.sandbox.machinery import objects, selectors, status
from litmus.sandbox.machinery.cluster import Cluster
from litmus.sandbox.machinery.objects import Key, Obj


def reference(owner: Obj) -> Obj:
    """The owner reference of a managing controller."""
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": objects.name(owner),
        "uid": objects.uid(owner),
        "controller": True,
        "blockOwnerDeletion": True,
    }


def owns(owner: Obj, obj: Obj) -> bool:
    """Whether the owner, this very one, manages the object."""
    found = objects.controller_of(obj)
    return found is not None and found["uid"] == objects.uid(owner)


def owned(cluster: Cluster, owner: Obj, resource: str) -> list[Obj]:
    """The objects that the owner manages, whatever their labels."""
    return [obj for obj in cluster.list(resource, objects.namespace(owner)) if owns(owner, obj)]


def concerned(
    cluster: Cluster, resource: str, *, kind: str, selector: Callable[[Obj], Obj | None]
) -> Callable[[Obj], Iterable[Key]]:
    """For ``Controller.watches``: whom a dependent concerns - its controller, or all that may adopt an orphan."""

    def keys(obj: Obj) -> Iterator[Key]:
        namespace = objects.namespace(obj)
        owner = objects.controller_of(obj)
        if owner is not None:
            if owner["kind"] == kind:
                yield Key(namespace, owner["name"])
            return
        for candidate in cluster.list(resource, namespace):
            wanted = selector(candidate)
            if wanted and selectors.from_label_selector(wanted).matches(obj):
                yield objects.key(candidate)

    return keys


def itself(obj: Obj) -> Iterable[Key]:
    """For ``Controller.watches``: an object of the controller's own kind."""
    return (objects.key(obj),)


def by_selector(obj: Obj) -> Obj | None:
    """The LabelSelector in a specification."""
    found: Obj | None = obj.get("spec", {}).get("selector")
    return found


def claim(
    cluster: Cluster,
    owner: Obj,
    resource: str,
    selector: Obj,
    *,
    may_adopt: Callable[[Obj], bool] = lambda obj: True,
    adopted: Callable[[Obj], None] = lambda obj: None,
) -> list[Obj]:
    """The owner's objects of a resource after orphans have been adopted and strangers released.

    ``selector`` is a LabelSelector; ``adopted`` changes an orphan further before it is stored.
    """
    wanted = selectors.from_label_selector(selector)
    claimed = []
    for obj in cluster.list(resource, objects.namespace(owner)):
        controller = objects.controller_of(obj)
        matches = wanted.matches(obj)
        if controller is not None:
            if controller["uid"] != objects.uid(owner):
                continue
            if matches:
                claimed.append(obj)
            elif not objects.leaving(owner):
                _release(cluster, owner, resource, obj)
        elif matches and not objects.leaving(owner) and not objects.leaving(obj) and may_adopt(obj):
            claimed.append(_adopt(cluster, owner, resource, obj, adopted))
    return claimed


def _adopt(cluster: Cluster, owner: Obj, resource: str, obj: Obj, adopted: Callable[[Obj], None]) -> Obj:
    changed = objects.copy(obj)
    changed["metadata"].setdefault("ownerReferences", []).append(reference(owner))
    adopted(changed)
    return cluster.update(resource, changed)


def _release(cluster: Cluster, owner: Obj, resource: str, obj: Obj) -> None:
    changed = objects.copy(obj)
    kept = [entry for entry in changed["metadata"]["ownerReferences"] if entry["uid"] != objects.uid(owner)]
    changed["metadata"]["ownerReferences"] = kept
    if not kept:
        del changed["metadata"]["ownerReferences"]
    try:
        cluster.update(resource, changed)
    except status.Refusal as refusal:
        if refusal.code not in (404, 422):  # gone already, or in a state that nobody may change any more
            raise
