"""The garbage collector: what belongs to an object goes with it, before it, or stays as an orphan.

Source: "Garbage Collection" and "Owners and Dependents" of the Kubernetes documentation;
k8s.io/kubernetes/pkg/controller/garbagecollector. Owners are known by uid: an owner of the same name that was made
again is another one. An owner in another namespace does not exist for its dependents, so they are collected; one of a
kind that is not served, or a namespaced one of a cluster-wide object, cannot be looked up, so its dependents stay.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from ..machinery import deletion, objects, options, status, store
from ..machinery.cluster import Cluster
from ..machinery.objects import Key, Obj

KIND_UNKNOWN_S = 30.0  # until asked again about an owner of a kind that nobody serves; it may be installed later
COMPONENT = "garbage-collector-controller"


@dataclass(slots=True)
class _Entry:
    """What the collector knows about an object; changes of nothing else concern it."""

    storage: str
    key: Key
    owners: dict[str, bool]  # uid → whether this object blocks the owner's deletion
    finalizers: tuple[str, ...]
    leaving: bool


@dataclass(slots=True)
class _Owners:
    """The owner references of an object, by what became of the owners."""

    solid: list[Obj] = field(default_factory=list)
    waiting: list[Obj] = field(default_factory=list)  # in foreground deletion
    gone: list[Obj] = field(default_factory=list)
    unknown: list[Obj] = field(default_factory=list)


class Garbage:
    """Keys are uids. An index of owners and dependents follows every write, so that nothing is ever searched."""

    name = "garbage-collector"

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._known: dict[str, _Entry] = {}
        self._dependents: dict[str, set[str]] = {}  # uid of an owner, whether it exists or not → uids
        self._affected: dict[str, list[str]] = {}  # uid of what changed → uids to look at
        there = cluster.registry.store
        for storage in there.storages():
            for obj in there.list(storage):
                self._note(storage, obj)
        cluster.subscribe("", self._follow)
        self.watches: Mapping[str, Callable[[Obj], Iterable[Key]]] = {"": self._concerned}

    def _follow(self, event: store.Event) -> None:
        if event.type == store.DELETED:
            self._forget(objects.uid(event.obj))
        else:
            self._note(event.storage, event.obj)

    def _note(self, storage: str, obj: Obj) -> None:
        uid, meta = objects.uid(obj), objects.meta(obj)
        owners = {
            owner["uid"]: bool(owner.get("blockOwnerDeletion"))
            for owner in meta.get("ownerReferences") or []
            if owner.get("uid")
        }
        entry = _Entry(
            storage, objects.key(obj), owners, tuple(meta.get("finalizers") or ()), bool(meta.get("deletionTimestamp"))
        )
        before = self._known.get(uid)
        if before == entry:
            return
        former = before.owners if before else {}
        for owner in former.keys() - owners.keys():
            self._unlink(owner, uid)
        for owner in owners:
            self._dependents.setdefault(owner, set()).add(uid)
        self._known[uid] = entry
        self._affected[uid] = [uid, *former, *owners, *(self._dependents.get(uid, ()) if entry.leaving else ())]

    def _forget(self, uid: str) -> None:
        entry = self._known.pop(uid, None)
        owners = entry.owners if entry else {}
        for owner in owners:
            self._unlink(owner, uid)
        self._affected[uid] = [*owners, *self._dependents.get(uid, ())]

    def _unlink(self, owner: str, dependent: str) -> None:
        dependents = self._dependents.get(owner, set())
        dependents.discard(dependent)
        if not dependents:
            self._dependents.pop(owner, None)

    def _concerned(self, obj: Obj) -> list[Key]:
        return [Key("", uid) for uid in self._affected.pop(objects.uid(obj), ())]

    def reconcile(self, key: Key) -> float | None:
        """Look at one object: free its dependents, wait for them, or let it follow its owners."""
        entry = self._known.get(key.name)
        obj = self._find(entry) if entry else None
        if entry is None or obj is None:
            return None
        if entry.leaving:
            if deletion.ORPHAN_DEPENDENTS in entry.finalizers:
                self._orphan(entry, obj)
            elif deletion.DELETE_DEPENDENTS in entry.finalizers and not self._blocking(key.name):
                self._finish(entry, obj, deletion.DELETE_DEPENDENTS)
            return None
        if not entry.owners:
            return None
        return self._follow_owners(entry, obj)

    def _find(self, entry: _Entry) -> Obj | None:
        try:
            return self._cluster.get(entry.storage, entry.key.name, entry.key.namespace)
        except status.Refusal:  # its kind is no longer served
            return None

    def _blocking(self, uid: str) -> bool:
        """Whether dependents are left that say that the owner must wait for them."""
        return any(self._known[one].owners.get(uid) for one in self._dependents.get(uid, ()) if one in self._known)

    def _orphan(self, entry: _Entry, obj: Obj) -> None:
        """Dependents forget their owner, then it goes."""
        for uid in sorted(self._dependents.get(objects.uid(obj), ())):
            dependent = self._known.get(uid)
            found = self._find(dependent) if dependent else None
            if dependent and found:
                self._disown(dependent, found, {objects.uid(obj)})
        self._finish(entry, obj, deletion.ORPHAN_DEPENDENTS)

    def _disown(self, entry: _Entry, obj: Obj, owners: set[str]) -> None:
        changed = objects.copy(obj)
        left = [owner for owner in changed["metadata"]["ownerReferences"] if owner["uid"] not in owners]
        if left:
            changed["metadata"]["ownerReferences"] = left
        else:
            del changed["metadata"]["ownerReferences"]
        self._cluster.update(entry.storage, changed)

    def _finish(self, entry: _Entry, obj: Obj, finalizer: str) -> None:
        changed = objects.copy(obj)
        left = [name for name in entry.finalizers if name != finalizer]
        if left:
            changed["metadata"]["finalizers"] = left
        else:
            changed["metadata"].pop("finalizers", None)
        self._cluster.update(entry.storage, changed)

    def _follow_owners(self, entry: _Entry, obj: Obj) -> float | None:
        owners = self._owners(obj)
        uid = objects.uid(obj)
        if owners.unknown:
            return KIND_UNKNOWN_S
        if owners.solid:
            unneeded = {owner["uid"] for owner in [*owners.gone, *owners.waiting]}
            if unneeded:
                self._disown(entry, obj, unneeded)
            return None
        if owners.waiting and self._dependents.get(uid):
            self._break_circles(entry, obj)
            self._delete(entry, uid, options.FOREGROUND)
        else:
            self._delete(entry, uid, _policy(entry))
        return None

    def _delete(self, entry: _Entry, uid: str, propagation: str) -> None:
        self._cluster.delete(entry.storage, entry.key.name, entry.key.namespace, uid=uid, propagation=propagation)

    def _break_circles(self, entry: _Entry, obj: Obj) -> None:
        """An object whose own dependent is already waiting for its dependents blocks no owner any more."""
        dependents = [self._known.get(uid) for uid in self._dependents.get(objects.uid(obj), ())]
        if not any(one and one.leaving and deletion.DELETE_DEPENDENTS in one.finalizers for one in dependents):
            return
        changed = objects.copy(obj)
        for owner in changed["metadata"]["ownerReferences"]:
            if owner.get("blockOwnerDeletion"):
                owner["blockOwnerDeletion"] = False
        self._cluster.update(entry.storage, changed)

    def _owners(self, obj: Obj) -> _Owners:
        found = _Owners()
        for reference in objects.meta(obj).get("ownerReferences") or []:
            getattr(found, self._state(obj, reference)).append(reference)
        return found

    def _state(self, obj: Obj, reference: Obj) -> str:
        resource = self._cluster.registry.catalogue.of_kind(reference["apiVersion"], reference["kind"])
        if resource is None:
            return "unknown"
        namespace = objects.namespace(obj)
        if resource.namespaced and not namespace:
            return "unknown"
        owner = self._cluster.get(resource.qualified, reference["name"], namespace if resource.namespaced else "")
        if owner is None or objects.uid(owner) != reference["uid"]:
            if owner is None and reference["uid"] in self._known:
                self._warn(obj, reference)
            return "gone"
        waits = deletion.DELETE_DEPENDENTS in (objects.meta(owner).get("finalizers") or [])
        return "waiting" if objects.leaving(owner) and waits else "solid"

    def _warn(self, obj: Obj, reference: Obj) -> None:
        """The owner lives in another namespace."""
        said = "/".join((reference["apiVersion"], reference["kind"]))
        where = objects.namespace(obj)
        message = (
            f"ownerRef [{said}, namespace: {where}, name: {reference['name']}, uid: {reference['uid']}] "
            f'does not exist in namespace "{where}"'
        )
        self._cluster.event(
            obj, reason="OwnerRefInvalidNamespace", message=message, component=COMPONENT, kind="Warning"
        )


def _policy(entry: _Entry) -> str:
    if deletion.ORPHAN_DEPENDENTS in entry.finalizers:
        return options.ORPHAN
    return options.FOREGROUND if deletion.DELETE_DEPENDENTS in entry.finalizers else options.BACKGROUND
