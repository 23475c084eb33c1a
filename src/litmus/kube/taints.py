"""Taints, put on and taken off. A node has at most one taint of a key and effect; one that was there is put back."""

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec

from . import errors, node_marks
from .cluster import Cluster
from .node_marks import Done, Step, Undo
from .objects import Node, Taint

# Longer than a controller needs from reading a node to writing it, in seconds; and so often it is looked.
_SETTLE_S = 2.0
_LOOKS = 5

leftovers = node_marks.leftovers


def recipe(node: Node, taint: Taint, *, fault_id: str) -> dict[str, Any]:
    """The way back from a taint that is still to be put on this node."""
    before = present(node, taint)
    return {
        **node_marks.recipe(node, "untaint", fault_id=fault_id),
        "taint": msgspec.to_builtins(taint),
        "before": msgspec.to_builtins(before) if before else None,
    }


def present(node: Node, asked: Taint) -> Taint | None:
    """The taint of the same key and effect."""
    return next((t for t in node.spec.taints if (t.key, t.effect) == (asked.key, asked.effect)), None)


async def put(cluster: Cluster, undo: Undo) -> None:
    """Taints the node of the recipe.

    Raises Conflict when another fault holds that taint, or what the recipe would restore is no more there.
    """
    asked, before = _of(undo)

    def write(node: Node) -> dict[str, Any] | None:
        if node_marks.is_on(node, undo):
            return None  # written already, and only the answer was lost
        if others := node_marks.found(node, _mark(asked)):
            raise errors.Conflict(
                f"node {undo['node']} carries taint {asked.key}:{asked.effect} of another fault ({others[0]})"
            )
        if present(node, asked) != before:
            raise errors.Conflict(f"the taints of node {undo['node']} were changed meanwhile; apply the engine again")
        return node_marks.put(undo, _mark(asked)) | {"spec": {"taints": _written([*_others(node, asked), asked])}}

    await node_marks.change(cluster, undo, write)


async def take_off(cluster: Cluster, undo: Undo) -> Done:
    """Removes the taint if it is still the one that was put, and restores what was in its place; see ``revert``."""
    return await node_marks.undone(cluster, undo, _step_back)


async def revert(cluster: Cluster, undo: Undo) -> Done:
    """Takes the taint off, and lets go of the node when it did not come back.

    The controllers of Kubernetes that taint nodes write the whole list without a lock (AddOrUpdateTaintOnNode, in
    kubernetes/pkg/controller), so one that read the node before may put our taint back after. Until that can't be any
    more the marker stays. Raises Conflict when somebody puts the taint back again and again.
    """
    done = await take_off(cluster, undo)
    for _ in range(_LOOKS):
        if done.moot or not await leftovers(cluster, undo):
            return done
        await asyncio.sleep(_SETTLE_S)
        await node_marks.undone(cluster, undo, _let_go)
    if left := await leftovers(cluster, undo):
        raise errors.Conflict(f"{left}; somebody puts it back whenever it is taken off")
    return done


def _step_back(node: Node, undo: Undo) -> Step:
    name = node.metadata.name
    asked, before = _of(undo)
    if not node_marks.is_on(node, undo):
        return f"nothing to undo: node {name} carries no taint of this fault", None
    removed = f"taint {asked} removed from node {name}{f' and {before} restored' if before else ''}"
    if _was_taken_off(node, undo):
        return removed, _taken_off(node, undo) if _is_ours(node, undo) else None
    off = node_marks.off(undo)
    now = present(node, asked)
    if now is None:
        return f"taint {asked} had been removed from node {name} by somebody else", off
    if now.value != asked.value:
        return f"taint {asked} of node {name} was changed to {now} by somebody else and stays so", off
    return removed, _taken_off(node, undo)


def _let_go(node: Node, undo: Undo) -> Step:
    """Of a taint that was taken off a while ago: once more, or the marker."""
    if not node_marks.is_on(node, undo):
        return "another process was quicker", None
    if _is_ours(node, undo):
        return "it came back", _taken_off(node, undo)
    return "it stayed away", node_marks.off(undo)


def _is_ours(node: Node, undo: Undo) -> bool:
    """Whether the taint of the recipe is there, and neither another fault's nor what was there before."""
    asked, before = _of(undo)
    now = present(node, asked)
    if now is None or now.value != asked.value or (before and before.value == asked.value):
        return False
    return not [name for name in node_marks.found(node, _mark(asked)) if name != node_marks.name(undo)]


def _was_taken_off(node: Node, undo: Undo) -> bool:
    return node.metadata.annotations[node_marks.name(undo)] != _mark(_of(undo)[0])


def _taken_off(node: Node, undo: Undo) -> dict[str, Any]:
    """The patch that takes the taint off and says so in the marker, so that another fault may have one like it."""
    asked, before = _of(undo)
    kept = [*_others(node, asked), *([before] if before else [])]
    return node_marks.put(undo, f"{_mark(asked)}, taken off") | {"spec": {"taints": _written(kept)}}


def _mark(asked: Taint) -> str:
    return f"taint {asked.key}:{asked.effect}"


def _of(undo: Undo) -> tuple[Taint, Taint | None]:
    return _read(undo["taint"]), _read(undo["before"]) if undo.get("before") else None


def _read(written: Mapping[str, Any]) -> Taint:
    return msgspec.convert(written, Taint)


def _others(node: Node, asked: Taint) -> list[Taint]:
    return [t for t in node.spec.taints if (t.key, t.effect) != (asked.key, asked.effect)]


def _written(taints: list[Taint]) -> list[dict[str, Any]] | None:
    return [msgspec.to_builtins(taint) for taint in taints] or None
