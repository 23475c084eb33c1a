"""Cordons, put on and taken off: a node that a person cordoned before or meanwhile stays as that person left it."""

from typing import Any

from . import node_marks
from .cluster import Cluster
from .node_marks import Done, Step, Undo
from .objects import Node

_CORDON = "cordon"

leftovers = node_marks.leftovers


def recipe(node: Node, *, fault_id: str) -> dict[str, Any]:
    """The way back from a cordon that is still to be put on this node."""
    before = {"unschedulable": node.spec.unschedulable}
    return {**node_marks.recipe(node, "uncordon", fault_id=fault_id), "before": before}


async def put(cluster: Cluster, undo: Undo) -> bool:
    """Cordons the node of the recipe; False if a person had cordoned it, and then it is not ours.

    Of several faults that cordon one node, the last one to end uncordons it. Raises NotFound when the node is gone.
    """

    def write(node: Node) -> dict[str, Any] | None:
        if node.spec.unschedulable and not node_marks.found(node, _CORDON):
            return None
        return node_marks.put(undo, _CORDON) | {"spec": {"unschedulable": True}}

    return node_marks.is_on(await node_marks.change(cluster, undo, write), undo)


async def revert(cluster: Cluster, undo: Undo) -> Done:
    """Uncordons the node if it was this fault that cordoned it and no other one needs it."""
    return await node_marks.undone(cluster, undo, _step_back)


def _step_back(node: Node, undo: Undo) -> Step:
    name = node.metadata.name
    if not node_marks.is_on(node, undo):
        state = "was cordoned by somebody else and stays so" if node.spec.unschedulable else "is not cordoned"
        return f"nothing to undo: node {name} {state}", None
    off = node_marks.off(undo)
    others = [marker for marker in node_marks.found(node, _CORDON) if marker != node_marks.name(undo)]
    if others:
        return f"node {name} stays cordoned for another fault ({', '.join(others)})", off
    if not node.spec.unschedulable:
        return f"node {name} had been uncordoned by somebody else", off
    return f"node {name} uncordoned", off | {"spec": {"unschedulable": None}}
