"""Replicas of a workload, asked for and put back.

There is no marker here, because a Deployment hands its annotations on to its ReplicaSets: the number itself tells
whether somebody else scaled meanwhile, and then it is left alone.
"""

from collections.abc import Callable
from typing import Any

from . import errors, kinds
from .cluster import Cluster
from .node_marks import Done, Undo
from .objects import Workload


def replicas(workload: Workload) -> int:
    """How many replicas are asked for; Kubernetes takes an absent number for 1."""
    return 1 if workload.spec.replicas is None else workload.spec.replicas


def recipe(workload: Workload, *, kind: str, asked: int) -> dict[str, Any]:
    """The way back from a number of replicas that is still to be asked for. ``kind``: one of ``kinds.WORKLOADS``."""
    meta = workload.metadata
    return {
        "kind": "rescale",
        "workload": kind,
        "namespace": meta.namespace,
        "name": meta.name,
        "uid": meta.uid,
        "replicas": replicas(workload),
        "asked": asked,
    }


async def put(cluster: Cluster, undo: Undo) -> None:
    """Asks for the replicas. Raises Conflict when the workload has no more those that the recipe would restore."""

    def write(workload: Workload) -> dict[str, Any] | None:
        now = replicas(workload)
        if now == undo["asked"]:
            return None  # written already, and only the answer was lost
        if now != undo["replicas"]:
            raise errors.Conflict(f"{called(undo)} was scaled to {now} by somebody else; apply the engine again")
        return {"spec": {"replicas": undo["asked"]}}

    await _change(cluster, undo, write)


async def revert(cluster: Cluster, undo: Undo) -> Done:
    """Asks for the replicas that were there, unless somebody else changed what the fault had asked for."""
    said = ""

    def write(workload: Workload) -> dict[str, Any] | None:
        nonlocal said
        said, patch = _step_back(workload, undo)
        return patch

    try:
        await _change(cluster, undo, write)
    except errors.NotFound:
        return Done(f"{called(undo)} is gone", moot=True)
    return Done(said)


async def leftovers(cluster: Cluster, undo: Undo) -> str:
    """Whether the workload is still scaled as the fault asked, '' if not."""
    seen = await cluster.find(kinds.WORKLOADS[undo["workload"]], undo["name"], namespace=undo["namespace"])
    if seen is None or seen.metadata.uid != undo["uid"] or replicas(seen) != undo["asked"]:
        return ""
    return f"{called(undo)} still has {undo['asked']} replicas instead of {undo['replicas']}"


def called(undo: Undo) -> str:
    """The workload of a recipe, for people."""
    return f"{undo['workload']} {undo['namespace']}/{undo['name']}"


def _step_back(workload: Workload, undo: Undo) -> tuple[str, dict[str, Any] | None]:
    now, before, asked = replicas(workload), undo["replicas"], undo["asked"]
    if now == before:
        return f"{called(undo)} has {now} replicas, as before", None
    if now != asked:
        return (
            f"{called(undo)} was scaled to {now} by somebody else and stays so; before the fault it had {before}",
            None,
        )
    return f"{called(undo)} scaled back from {asked} to {before}", {"spec": {"replicas": before}}


async def _change(cluster: Cluster, undo: Undo, write: Callable[[Workload], dict[str, Any] | None]) -> Workload:
    """Writes to the workload of the recipe and to no other of its name. Raises NotFound when it is gone."""

    def guarded(workload: Workload) -> dict[str, Any] | None:
        if workload.metadata.uid != undo["uid"]:
            raise errors.NotFound(f"{called(undo)} is gone, and another one has its name")
        return write(workload)

    kind = kinds.WORKLOADS[undo["workload"]]
    return await cluster.update(kind, undo["name"], guarded, namespace=undo["namespace"])
