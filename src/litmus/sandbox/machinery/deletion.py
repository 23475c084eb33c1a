"""How an object leaves: preconditions, grace, finalizers, and what its dependents are to expect.

Source: k8s.io/apiserver/pkg/registry/rest/delete.go (BeforeDelete) and registry/generic/registry/store.go; the
Kubernetes documentation, "Finalizers" and "Owners and Dependents".
"""

from datetime import datetime

from . import objects, options, status
from .objects import Obj
from .resources import Resource

ORPHAN_DEPENDENTS = "orphan"
DELETE_DEPENDENTS = "foregroundDeletion"
_POLICY_FINALIZERS = {options.FOREGROUND: DELETE_DEPENDENTS, options.ORPHAN: ORPHAN_DEPENDENTS}


def check_preconditions(resource: Resource, obj: Obj, asked: options.DeleteOptions) -> None:
    """Raises Refusal 409 when the object is not the one that was meant."""
    meta = objects.meta(obj)
    for what, wanted, found, fate in (
        ("UID", asked.uid, meta["uid"], "deleted and then recreated"),
        ("ResourceVersion", asked.resource_version, meta["resourceVersion"], "modified"),
    ):
        if wanted and wanted != found:
            why = (
                f"the {what} in the precondition ({wanted}) does not match the {what} in record ({found}). "
                f"The object might have been {fate}"
            )
            raise status.conflict(resource.kind, resource.group, objects.name(obj), why)


def begun(obj: Obj, *, grace_s: int, propagation: str, now: datetime) -> Obj:
    """The object in the state that a deletion leaves it in: marked, with the finalizers of the propagation policy.

    A deletion that has begun can only be shortened. ``grace_s`` counts from ``now``.
    """
    changed = {**obj, "metadata": {**obj["metadata"]}}
    meta = changed["metadata"]
    finalizers = [
        name for name in meta.get("finalizers", []) if not propagation or name not in _POLICY_FINALIZERS.values()
    ]
    if propagation in _POLICY_FINALIZERS:
        finalizers.append(_POLICY_FINALIZERS[propagation])
    if finalizers:
        meta["finalizers"] = finalizers
    else:
        meta.pop("finalizers", None)
    if not objects.leaving(obj):
        meta["deletionTimestamp"] = objects.timestamp(now + objects.span(grace_s))
        if not _is_namespace(obj):
            meta["deletionGracePeriodSeconds"] = grace_s
        if meta.get("generation"):
            meta["generation"] += 1
    elif grace_s < meta.get("deletionGracePeriodSeconds", 0):
        asked_at = objects.moment(meta["deletionTimestamp"]) - objects.span(meta["deletionGracePeriodSeconds"])
        meta["deletionTimestamp"] = objects.timestamp(asked_at + objects.span(grace_s))
        meta["deletionGracePeriodSeconds"] = grace_s
    return changed


def may_go(obj: Obj) -> bool:
    """Whether nothing holds a deletion any more: no finalizer, no grace, and for a namespace no ``spec.finalizers``."""
    meta = objects.meta(obj)
    if not meta.get("deletionTimestamp") or meta.get("finalizers") or meta.get("deletionGracePeriodSeconds"):
        return False
    return not (_is_namespace(obj) and (obj.get("spec") or {}).get("finalizers"))


def _is_namespace(obj: Obj) -> bool:
    return obj.get("kind") == "Namespace" and obj.get("apiVersion") == "v1"
