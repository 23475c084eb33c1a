"""node-drain: cordons nodes, evicts what ``kubectl drain`` would, and uncordons those that were not cordoned before."""

from collections.abc import Sequence
from dataclasses import replace

from litmus.api.targeting import AppTarget
from litmus.kube import Cluster, cordons, errors, kinds
from litmus.kube.eviction import Evictor
from litmus.kube.objects import Node, Pod

from . import api_fault, drain_rules, node_fault, node_pods, selection, tunables, verdicts
from .context import Context, together
from .declaration import SMALL_ROLE, Permission
from .tunables import DURATION, NODE_LABEL, NODES_AFFECTED, RAMP, TARGET_NODE, Values

_FORCE = tunables.Tunable(
    name="FORCE",
    default="true",
    read=tunables.boolean,
    allowed="true, false",
    help="Also evict pods without a controller, which nobody brings back; with false they are an Error.",
)
_EMPTY_DIR = tunables.Tunable(
    name="DELETE_EMPTYDIR_DATA",
    default="true",
    read=tunables.boolean,
    allowed="true, false",
    help="Also evict pods with an emptyDir, which is lost; with false they are an Error.",
)
_PATIENCE = tunables.Tunable(
    name="DRAIN_TIMEOUT",
    default="",
    unit="s",
    read=tunables.seconds_or_none,
    help="How long the eviction may take, budgets and grace periods included; empty means TOTAL_CHAOS_DURATION.",
)

_PATCH_NODES = Permission(
    groups=("",), resources=("nodes",), verbs=("patch",), reason="cordon a node, and undo only what was ours"
)
_EVICT = Permission(
    groups=("",),
    resources=("pods/eviction",),
    verbs=("create",),
    reason="evict pods, which asks their PodDisruptionBudgets",
)


class NodeDrain(node_fault.NodeFault):
    name = "node-drain"
    title = "Node drain"
    help = "Drains the node of an application as kubectl drain does, keeps it cordoned, and uncordons it."
    breaks = "node"
    blow = "drain"
    keywords = ("node", "maintenance", "eviction", "cordon", "disruption budget")
    maturity = "beta"
    created = "2026-11-22T00:00:00Z"
    links = {"Kubernetes: draining a node": "https://kubernetes.io/docs/tasks/administer-cluster/safely-drain-node/"}
    proof = "The node is unschedulable, and what was evicted is gone from it, told by uid."
    undo = "Uncordoned by the experiment or the operator, unless it was cordoned before; evicted pods stay elsewhere."
    permissions = (SMALL_ROLE, node_fault.READ_NODES, _PATCH_NODES, _EVICT)
    uses = (node_fault.READ_NODES, _PATCH_NODES, _EVICT)
    tunables = (
        TARGET_NODE.listed(),
        NODE_LABEL,
        NODES_AFFECTED,
        DURATION.listed("60", default="60"),
        RAMP.listed(),
        _FORCE,
        _EMPTY_DIR,
        _PATIENCE,
    )

    def asked(self, node: Node, values: Values) -> str:
        return "cordoned, its pods evicted"

    async def foresee(
        self, cluster: Cluster, targets: Sequence[AppTarget], values: Values, *, seed: str
    ) -> selection.Prospect:
        """The nodes, and the pods that would be evicted from them."""
        prospect = await super().foresee(cluster, targets, values, seed=seed)
        going: list[Pod] = []
        for victim in prospect.first_round:
            going += (await _look(cluster, victim.name, values)).going
        evicted = selection.prospect(selection.Choice(tuple(going), tuple(going))).candidates
        return replace(prospect, first_round=(*prospect.first_round, *evicted))

    async def inject(self, context: Context) -> None:
        nodes = await context.choose_nodes()
        for node in nodes:
            await _look(context.cluster, node.metadata.name, context.values)
        duration_s = float(context.values[DURATION])
        patience_s = float(context.values[_PATIENCE] or duration_s)
        changes = [
            api_fault.Change(
                target=node_fault.target(node, asked=self.asked(node, context.values)),
                undo=cordons.recipe(node, fault_id=api_fault.fault_id(context)),
                put=cordons.put,
            )
            for node in nodes
        ]
        evictor = Evictor(context.cluster)
        async with api_fault.changed(context, changes, mechanism="drain", limit_s=2 * patience_s + duration_s) as held:
            await held.inject()
            evicted = await together(_drain(context, evictor, node, patience_s=patience_s) for node in nodes)
            await _refuse_uncordoned(context, nodes)
            await context.start_chaos(duration_s)
            await held.proven([_delivered(pods) for pods in evicted], hold_s=duration_s)
            await held.hold(lambda: _uncordoned(context, nodes))


async def _look(cluster: Cluster, node: str, values: Values) -> drain_rules.Sorted:
    """The node's pods. Raises CannotRun when the tunables forbid to evict some of them; then nothing was touched."""
    pods = await node_pods.on(cluster, node)
    found = drain_rules.sort(pods, force=values[_FORCE], delete_empty_dir=values[_EMPTY_DIR])
    if found.obstacles:
        raise verdicts.CannotRun(
            f"node {node} can't be drained: {'; '.join(found.obstacles[:5])}", code=verdicts.TARGET_SELECTION
        )
    return found


async def _drain(context: Context, evictor: Evictor, node: Node, *, patience_s: float) -> list[Pod]:
    """Evicts everything that goes, also what was bound to the node while it was cordoned; what was evicted."""
    name = node.metadata.name
    give_up = context.now + patience_s
    evicted: dict[str, Pod] = {}
    first = True
    while True:
        found = await _look(context.cluster, name, context.values)
        if first and (staying := found.staying()):
            await context.events.post(context.engine, "NotEvicted", f"On node {name} stay: {staying}")
        if not found.going:
            return list(evicted.values())
        first = False
        evicted |= {pod.metadata.uid: pod for pod in found.going}
        left_s = max(0.0, give_up - context.now)
        try:
            await together(evictor.evict(pod, deadline_s=left_s) for pod in found.going)
            left_s = max(0.0, give_up - context.now)
            await node_pods.gone(context.cluster, name, found.going, deadline_s=left_s)
        except errors.OverBudget as refusal:
            raise verdicts.CannotRun(
                f"node {name} can't be drained: {refusal}; its PodDisruptionBudget is respected: add replicas, "
                f"or a longer {_PATIENCE.name}",
                code=verdicts.INJECT,
            ) from refusal
        except errors.TimedOut as late:
            raise verdicts.CannotRun(f"node {name} was not drained: {late}", code=verdicts.TIMEOUT) from late


async def _uncordoned(context: Context, nodes: Sequence[Node]) -> str:
    """Which node somebody else uncordoned, '' if none. One that is gone is not: it takes no pods."""
    for node in nodes:
        seen = await context.cluster.find(kinds.NODE, node.metadata.name)
        if seen and seen.metadata.uid == node.metadata.uid and not seen.spec.unschedulable:
            return f"node {node.metadata.name} was uncordoned by somebody else"
    return ""


async def _refuse_uncordoned(context: Context, nodes: Sequence[Node]) -> None:
    if why := await _uncordoned(context, nodes):
        raise verdicts.CannotRun(why, code=verdicts.INJECT)


def _delivered(pods: Sequence[Pod]) -> str:
    if not pods:
        return "cordoned; there was nothing to evict"
    return f"cordoned; {len(pods)} pods evicted and gone from the node"
