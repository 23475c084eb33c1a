"""Owners and dependents: who goes with whom."""

from collections.abc import Iterator
from typing import Any

from tests.cluster.conformance.steps import Step, core, delete, get, meta, patch, post


def _child(name: str, owner: str, **more: Any) -> dict[str, Any]:
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": owner, "uid": f"{{uid:owners: create {owner}}}"}
    reference |= {"blockOwnerDeletion": True, "controller": True} if more.pop("blocks", False) else {}
    return {"metadata": meta(name, ownerReferences=[reference], **more)}


def owners() -> Iterator[Step]:
    """Owners that are not there."""
    where = core("configmaps")
    absent = {"apiVersion": "v1", "kind": "ConfigMap", "name": "absent", "uid": "00000000-0000-0000-0000-000000000001"}
    yield post("owners: one that is not there", where, {"metadata": meta("stray", ownerReferences=[absent])})
    yield get("owners: a stray goes", f"{where}/stray", gone=True)
    yield post("owners: one of an unknown kind", f"{where}?dryRun=All", {"metadata": meta("stray", ownerReferences=[{**absent, "kind": "Nothing"}])})  # fmt: skip
    yield post("owners: an event", f"{where}?dryRun=All", {"metadata": meta("stray", ownerReferences=[{**absent, "kind": "Event"}])})  # fmt: skip
    yield post("owners: twice the same", f"{where}?dryRun=All", {"metadata": meta("stray", ownerReferences=[absent, absent])})  # fmt: skip


def propagation() -> Iterator[Step]:
    """The three ways to delete an owner."""
    where = core("configmaps")
    for name in ("front", "orphaned", "shared", "back"):
        yield post(f"owners: create {name}", where, {"metadata": meta(name)})
    kept = _child("kept", "front", finalizers=["example.com/hold"], blocks=True)
    yield post("owners: a dependent that holds", where, kept)
    yield delete("owners: in the foreground", f"{where}/front", {"propagationPolicy": "Foreground"})
    yield get("owners: waits for its dependent", f"{where}/front")
    yield get("owners: the dependent is leaving", f"{where}/kept", until="metadata.deletionTimestamp")
    yield patch("owners: the dependent may go", f"{where}/kept", {"metadata": {"finalizers": None}})
    yield get("owners: both are gone", f"{where}/front", gone=True)
    yield get("owners: both are gone, the dependent too", f"{where}/kept")
    yield post("owners: a dependent that stays", where, _child("left", "orphaned", blocks=True))
    yield delete("owners: orphan", f"{where}/orphaned?propagationPolicy=Orphan")
    yield get("owners: the owner is gone", f"{where}/orphaned", gone=True)
    yield get("owners: the orphan stays", f"{where}/left")
    yield delete("owners: the orphan is deleted", f"{where}/left")
    two = _child("child", "back")
    two["metadata"]["ownerReferences"] += _child("child", "shared")["metadata"]["ownerReferences"]
    yield post("owners: a dependent of two", where, two)
    yield delete("owners: in the background", f"{where}/back", {"propagationPolicy": "Background"})
    yield get("owners: the dependent keeps the other", f"{where}/child", until="metadata.ownerReferences.0.name=shared")
    yield delete("owners: the old word for it", f"{where}/shared", {"orphanDependents": False})
    yield get("owners: the dependent goes with the last", f"{where}/child", gone=True)
