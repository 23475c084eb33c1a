"""Markers of faults on nodes: who cordoned or tainted one, and what a recipe may therefore undo.

A change is written together with its marker, an annotation ``fault.litmuschaos.io/<fault_id>``, in one request. Where
the marker is missing we changed nothing, or it was undone already, and what is there is somebody else's. So a recipe
may be carried out at any moment, twice, and after a crash at any point.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from . import errors, kinds
from .cluster import Cluster
from .objects import Node

Undo = Mapping[str, Any]
# What to write, None for nothing, and a sentence that says what was found and done.
Step = tuple[str, dict[str, Any] | None]

MARKER = "fault.litmuschaos.io/"


@dataclass(frozen=True, slots=True)
class Done:
    """``moot``: what was changed exists no more. ``message``: one sentence about what was found and done."""

    message: str
    moot: bool = False


def recipe(node: Node, kind: str, *, fault_id: str) -> dict[str, Any]:
    """What every recipe says of its node."""
    return {"kind": kind, "fault_id": fault_id, "node": node.metadata.name, "uid": node.metadata.uid}


def name(undo: Undo) -> str:
    """The marker of a recipe's fault."""
    return f"{MARKER}{undo['fault_id']}"


def found(node: Node, says: str) -> list[str]:
    """Names of the markers on a node that say this."""
    return sorted(key for key, text in node.metadata.annotations.items() if key.startswith(MARKER) and text == says)


def put(undo: Undo, says: str) -> dict[str, Any]:
    """The part of a patch that puts the marker on."""
    return {"metadata": {"annotations": {name(undo): says}}}


def off(undo: Undo) -> dict[str, Any]:
    """The part of a patch that takes the marker off."""
    return {"metadata": {"annotations": {name(undo): None}}}


def is_on(node: Node, undo: Undo) -> bool:
    """Whether a node carries the marker of this fault."""
    return name(undo) in node.metadata.annotations


async def find(cluster: Cluster, undo: Undo) -> Node | None:
    """The node of the recipe, None if it is gone or another one has its name."""
    seen = await cluster.find(kinds.NODE, undo["node"])
    return seen if seen and seen.metadata.uid == undo["uid"] else None


async def change(cluster: Cluster, undo: Undo, write: Callable[[Node], dict[str, Any] | None]) -> Node:
    """Writes to the node of the recipe and to no other of its name. Raises NotFound when it is gone."""

    def guarded(node: Node) -> dict[str, Any] | None:
        if node.metadata.uid != undo["uid"]:
            raise errors.NotFound(f"node {undo['node']} is gone, and another one has its name")
        return write(node)

    return await cluster.update(kinds.NODE, undo["node"], guarded, namespace="")


async def undone(cluster: Cluster, undo: Undo, step: Callable[[Node, Undo], Step]) -> Done:
    """Takes a step back on the node of the recipe."""
    said = ""

    def write(node: Node) -> dict[str, Any] | None:
        nonlocal said
        said, patch = step(node, undo)
        return patch

    try:
        await change(cluster, undo, write)
    except errors.NotFound:
        return Done(f"node {undo['node']} is gone", moot=True)
    return Done(said)


async def leftovers(cluster: Cluster, undo: Undo) -> str:
    """What a marker tells to be there still, '' when nothing is."""
    node = await find(cluster, undo)
    if node is None or not is_on(node, undo):
        return ""
    return f"node {undo['node']} still carries the {node.metadata.annotations[name(undo)]} of {undo['fault_id']}"
