"""Experiments that hit nodes: choose nodes, check that they are Ready before and after.

A subclass whose helper pods hold a fault says in ``aim`` how a node is hit; any other writes ``asked`` and ``inject``.
"""

from collections.abc import Sequence
from typing import ClassVar

from litmus import api
from litmus.api.meta import Toleration
from litmus.api.targeting import AppTarget
from litmus.kube import Cluster
from litmus.kube.objects import Node

from . import checks, held, selection
from .context import Context
from .declaration import SMALL_ROLE, Experiment, Permission
from .tunables import SEQUENCE, Values

READ_NODES = Permission(
    groups=("",), resources=("nodes",), verbs=("get", "list"), reason="choose nodes and see whether they are Ready"
)


class NodeFault(Experiment):
    """A fault on nodes."""

    scope = "Cluster"
    hits = "nodes, with all that runs on them"
    chaos_type = "infra"
    permissions: ClassVar[tuple[Permission, ...]] = (SMALL_ROLE, READ_NODES)
    uses: ClassVar[tuple[Permission, ...]] = (READ_NODES,)
    # Whether every pod on a node that is hit ends, so that ours must be elsewhere or the run is refused.
    deadly: ClassVar[bool] = False

    def survival(self, values: Values) -> tuple[Toleration, ...]:
        """What a pod of ours has to tolerate to live on, should there be no node for it that is not hit."""
        return ()

    def aim(self, node: Node, values: Values) -> held.Aim:
        """How this node is hit. Raises CannotRun with the tunable, its value and what is allowed. No I/O."""
        raise NotImplementedError(f"{self.name} writes asked() and inject()")

    def asked(self, node: Node, values: Values) -> str:
        """What will be done to this node, for people. Raises CannotRun as ``aim`` does. No I/O."""
        return self.aim(node, values).target.asked

    def vet_nodes(self, nodes: Sequence[Node], values: Values) -> None:
        """Raises CannotRun when the chosen nodes can't be hit as the tunables say. Touches nothing."""
        for node in nodes:
            self.asked(node, values)

    async def foresee(
        self, cluster: Cluster, targets: Sequence[AppTarget], values: Values, *, seed: str
    ) -> selection.Prospect:
        choice = await selection.choose_nodes(cluster, targets, values, seed=seed)
        self.vet_nodes(choice.chosen, values)
        asked = {node.metadata.uid: self.asked(node, values) for node in choice.chosen}
        return selection.node_prospect(choice, asked=asked)

    async def inject(self, context: Context) -> None:
        nodes = await context.choose_nodes()
        self.vet_nodes(nodes, context.values)
        serial = context.values.get(SEQUENCE) == "serial"
        for group in [[node] for node in nodes] if serial else [list(nodes)]:
            await held.hold(context, self, [self.aim(node, context.values) for node in group])

    async def check_before(self, context: Context) -> None:
        """The nodes that will be hit are Ready. ``choose_nodes`` chooses once a run."""
        await checks.nodes_ready(
            context.cluster, await context.choose_nodes(), timeout_s=context.setting.check_timeout_s
        )

    async def check_after(self, context: Context) -> None:
        await checks.nodes_ready(
            context.cluster, await context.choose_nodes(), timeout_s=context.setting.check_timeout_s
        )


def target(node: Node, *, asked: str) -> api.Target:
    """The node as a target of the result."""
    return api.Target(name=node.metadata.name, kind="Node", uid=node.metadata.uid, node=node.metadata.name, asked=asked)
