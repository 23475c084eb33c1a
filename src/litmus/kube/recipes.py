"""Ways back from what a fault changed through the API server, as JSON that any process can carry out.

    {"kind": "uncordon", "fault_id", "node", "uid", "before": {"unschedulable"}}
    {"kind": "untaint",  "fault_id", "node", "uid", "taint", "before": null or the taint that was in its place}
    {"kind": "rescale",  "workload", "namespace", "name", "uid", "replicas": those before, "asked"}
    {"kind": "recreate", "uid", "object": the manifest of what was deleted}
    {"kind": "reattach", "platform", "volume", "instance", "device", …, "pod": what a pod needs that does it}

Each may be carried out twice and after a crash at any point. Nothing that somebody else changed in the meantime is
overwritten; the sentence says what was found instead. ``cordons``, ``taints`` and ``scales`` have a function each to
make the recipe, to ``put`` the change, to ``revert`` it, and to name ``leftovers``. What ends the effect alone, for
whoever has many to end, is ``end_at_once``.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from . import cordons, reattach, recreate, scales, taints
from .cluster import Cluster
from .node_marks import Done, Undo

__all__ = ["WAYS", "Done", "Undo", "Way", "end_at_once", "known", "leftovers", "revert"]


@dataclass(frozen=True, slots=True)
class Way:
    """How one kind of recipe is carried out. ``at_once``: the part of it that ends the effect, a few requests long."""

    revert: Callable[[Cluster, Undo], Awaitable[Done]]
    leftovers: Callable[[Cluster, Undo], Awaitable[str]]
    at_once: Callable[[Cluster, Undo], Awaitable[Done]] | None


WAYS: Mapping[str, Way] = {
    "uncordon": Way(cordons.revert, cordons.leftovers, cordons.revert),
    "untaint": Way(taints.revert, taints.leftovers, taints.take_off),
    "rescale": Way(scales.revert, scales.leftovers, scales.revert),
    "recreate": Way(recreate.revert, recreate.leftovers, recreate.revert),
    "reattach": Way(reattach.revert, reattach.leftovers, None),
}


def known(undo: Undo) -> bool:
    """Whether a recipe is one of those that are carried out through the API server."""
    return undo.get("kind") in WAYS


async def end_at_once(cluster: Cluster, undo: Undo) -> None:
    """Ends the effect of a fault where a moment is enough for it; ``revert`` is needed all the same."""
    way = WAYS.get(undo.get("kind", ""))
    if way and way.at_once:
        await way.at_once(cluster, undo)


async def revert(cluster: Cluster, undo: Undo) -> Done:
    """Restores what was there; ``moot`` if the object exists no more. KubeError: it has to be tried again."""
    return await WAYS[undo["kind"]].revert(cluster, undo)


async def leftovers(cluster: Cluster, undo: Undo) -> str:
    """What is still there of the fault, read anew; '' when nothing is."""
    return await WAYS[undo["kind"]].leftovers(cluster, undo)
