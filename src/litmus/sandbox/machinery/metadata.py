"""ObjectMeta during a write: what the server sets, what it keeps, and which object a request means.

Source: k8s.io/apiserver/pkg/registry/rest (create.go, update.go, meta.go) and the API conventions, "Metadata". What a
name or a label may look like is checked in ``strategies.metadata``.
"""

from datetime import datetime

from . import names, objects, status
from .objects import Key, Obj
from .resources import Resource

# Only the server sets these; what a client sends in their place is ignored.
_SERVERS_OWN = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation", "selfLink")
# … except these, when they change: the rules of an update refuse that.
_REFUSED = ("uid", "deletionTimestamp", "deletionGracePeriodSeconds")
# A write of these kinds' status may also change labels and annotations: the kubelet does.
_STATUS_WITH_LABELS = ("pods", "nodes")
_DIGITS = 20  # of the largest uint64
_OTHERS_DATA = "the namespace of the provided object does not match the namespace sent on the request"
_REPEATED_OWNERS = (
    ".metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may reject "
    "such requests as early as 1.24; please fix your requests"
)
# Where a real server's storage has a resource whose path there is not its name; its messages show that.
_STORED_AT = {
    "services": "services/specs",
    "endpoints": "services/endpoints",
    "nodes": "minions",
    "replicationcontrollers": "controllers",
}


def place(resource: Resource, obj: Obj, namespace: str) -> None:
    """Puts a new object into the namespace of the request, under its own name or a generated one."""
    if obj.get("metadata") is None:
        obj["metadata"] = {}
    meta = obj["metadata"]
    if not resource.namespaced:
        meta.pop("namespace", None)
    elif meta.setdefault("namespace", namespace) != namespace:
        raise status.bad_request(_OTHERS_DATA)
    if not meta.get("name") and meta.get("generateName"):
        meta["name"] = names.generate(meta["generateName"])
    if revision(meta) not in (None, 0):
        raise status.Refusal(500, "", "resourceVersion should not be set on objects to be created")


def revision(meta: Obj) -> int | None:
    """The resourceVersion as a number; None when there is none or it is no number."""
    text = meta.get("resourceVersion") or ""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _DIGITS else None


def begin(obj: Obj, *, uid: str, now: datetime) -> None:
    """Gives a new object its identity."""
    meta = obj["metadata"]
    for field in (*_SERVERS_OWN, "resourceVersion"):
        meta.pop(field, None)
    meta |= {"uid": uid, "creationTimestamp": objects.timestamp(now)}


def drop_repeated_owners(obj: Obj, warnings: list[str]) -> None:
    """An owner that is named twice is kept once, which a warning says. Source: rest.go, dedupOwnerReferences."""
    owners = objects.meta(obj).get("ownerReferences") or []
    kept = [owner for index, owner in enumerate(owners) if owner not in owners[:index]]
    if len(kept) < len(owners):
        obj["metadata"]["ownerReferences"] = kept
        warnings.append(_REPEATED_OWNERS)


def check_target(resource: Resource, obj: Obj, key: Key) -> None:
    """Raises Refusal 400 when the body of a request is about another object than its URL.

    Source: k8s.io/apiserver/pkg/endpoints/handlers/rest.go, checkName.
    """
    if obj.get("metadata") is None:
        obj["metadata"] = {}
    meta = obj["metadata"]
    name = meta.get("name")
    if not name:
        why = f"the name of the object ({key.name} based on URL) was undeterminable: name must be provided"
        raise status.bad_request(why)
    if name != key.name:
        raise status.bad_request(f"the name of the object ({name}) does not match the name on the URL ({key.name})")
    if not resource.namespaced:
        meta.pop("namespace", None)
    elif meta.setdefault("namespace", key.namespace) != key.namespace:
        where = f"the namespace of the object ({meta['namespace']})"
        raise status.bad_request(f"{where} does not match the namespace on the request ({key.namespace})")


def check_uid(resource: Resource, new: Obj, old: Obj) -> None:
    """Raises Refusal 409 when an update says the uid of another object than the one that is there."""
    meta, known = new["metadata"], old["metadata"]
    if meta.get("uid") in (None, "", known["uid"]):
        return
    said = f"Precondition failed: UID in precondition: {meta['uid']}, UID in object meta: {known['uid']}"
    group = resource.group if resource.custom else ""
    place = _STORED_AT.get(resource.qualified, resource.plural)
    path = "/".join(part for part in ("registry", group, place, known.get("namespace"), known["name"]) if part)
    why = f"StorageError: invalid object, Code: 4, Key: /{path}, ResourceVersion: 0, AdditionalErrorMsg: {said}"
    raise status.conflict(resource.plural, resource.group, known["name"], why)


def nobody(key: Key) -> Obj:
    """What ``check_uid`` compares with where there is no object yet."""
    return {"metadata": {"uid": "", "name": key.name, "namespace": key.namespace}}


def check_version(resource: Resource, new: Obj, old: Obj, *, blind: bool) -> None:
    """Optimistic concurrency: raises Refusal 409 when the writer has not seen the latest state.

    ``blind``: whether this kind may be updated without saying which state was seen; else that is a Refusal 422.
    """
    known = old["metadata"]
    version = new["metadata"].get("resourceVersion")
    if version in (None, "", "0"):
        if not blind:
            cause = status.invalid_value("metadata.resourceVersion", 0, "must be specified for an update")
            raise status.invalid(resource.plural, resource.group, known["name"], [cause])
    elif revision(new["metadata"]) is None:
        raise status.Refusal(500, "", f"strconv.ParseUint: parsing {status.shown(version)}: invalid syntax")
    elif version != known["resourceVersion"]:
        raise status.conflict(resource.plural, resource.group, known["name"], status.MODIFIED)


def keep(resource: Resource, new: Obj, old: Obj, *, subresource: str) -> Obj:
    """The object to store: what the server owns as it was, and status or everything else as it was.

    ``subresource`` is the one that was written to, '' for the object itself.
    """
    if subresource == "status":
        kept = (
            {**old, "status": new.get("status")} if "status" in new else {k: v for k, v in old.items() if k != "status"}
        )
        kept["metadata"] = {**old["metadata"], **_from_status_writer(resource, new["metadata"])}
        return objects.copy(kept)
    if subresource == "finalize":
        return objects.copy({**old, "spec": {**old["spec"], "finalizers": new.get("spec", {}).get("finalizers", [])}})
    meta = new["metadata"]
    meta["resourceVersion"] = old["metadata"]["resourceVersion"]
    for field in _SERVERS_OWN:
        if field in old["metadata"] and not (field == "uid" and meta.get("uid")):
            meta[field] = old["metadata"][field]
        elif field not in _REFUSED:
            meta.pop(field, None)
    if resource.has_status:
        new.pop("status", None)
        if "status" in old:
            new["status"] = objects.copy(old["status"])
    return new


def _from_status_writer(resource: Resource, meta: Obj) -> Obj:
    # The strategies of built-in kinds put back the spec only: the controller of Deployments numbers them this way.
    taken: tuple[str, ...] = ("managedFields",) if resource.custom else ("managedFields", "annotations")
    if resource.qualified in _STATUS_WITH_LABELS:
        taken = ("managedFields", "labels", "annotations")
    return {field: meta[field] for field in taken if field in meta}


def count_generation(resource: Resource, new: Obj, old: Obj | None) -> None:
    """A custom object's generation rises with every change outside metadata and, if that is a subresource, status.

    Built-in kinds have rules of their own in their strategies.
    """
    if not resource.custom:
        return
    if old is None:
        new["metadata"]["generation"] = 1
        return
    ignored = ("metadata", "status") if resource.has_status else ("metadata",)
    changed = {k: v for k, v in new.items() if k not in ignored} != {k: v for k, v in old.items() if k not in ignored}
    new["metadata"]["generation"] = old["metadata"].get("generation", 1) + changed
