"""Taints, put on and taken off. A node has at most one taint of a key and effect; one that was there is put back."""

from collections.abc import Mapping
from typing import Any

import msgspec

from . import errors, node_marks
from .cluster import Cluster
from .node_marks import Done, Step, Undo
from .objects import Node, Taint

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


async def revert(cluster: Cluster, undo: Undo) -> Done:
    """Removes the taint if it is still the one that was put, and restores what was in its place."""
    return await node_marks.undone(cluster, undo, _step_back)


def _step_back(node: Node, undo: Undo) -> Step:
    name = node.metadata.name
    asked, before = _of(undo)
    if not node_marks.is_on(node, undo):
        return f"nothing to undo: node {name} carries no taint of this fault", None
    off = node_marks.off(undo)
    now = present(node, asked)
    if now is None:
        return f"taint {asked} had been removed from node {name} by somebody else", off
    if now.value != asked.value:
        return f"taint {asked} of node {name} was changed to {now} by somebody else and stays so", off
    kept = [*_others(node, asked), *([before] if before else [])]
    restored = f" and {before} restored" if before else ""
    return f"taint {asked} removed from node {name}{restored}", off | {"spec": {"taints": _written(kept)}}


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
