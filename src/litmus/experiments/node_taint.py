"""node-taint: puts taints on nodes, waits until NoExecute has taken effect, and takes its own taints off again."""

from collections.abc import Sequence

from litmus.api.meta import Toleration
from litmus.kube import Cluster, errors, kinds, scheduling, taints
from litmus.kube.objects import Node, Pod, Taint

from . import api_fault, drain_rules, node_fault, node_pods, taint_list, tunables, verdicts
from .context import Context, together
from .declaration import SMALL_ROLE, Permission
from .tunables import DURATION, NODE_LABEL, NODES_AFFECTED, RAMP, TARGET_NODE, Values

TAINTS = tunables.Tunable(
    name="TAINTS",
    default="",
    read=taint_list.read,
    allowed=f"key=value:effect, several separated by commas; effect {', '.join(taint_list.EFFECTS)}",
    help="Taints to put on the node; a bare key means key=node-taint:NoExecute.",
)

_PATCH_NODES = Permission(
    groups=("",), resources=("nodes",), verbs=("patch",), reason="taint a node, and take only our own taint off"
)


class NodeTaint(node_fault.NodeFault):
    name = "node-taint"
    title = "Node taint"
    help = "Taints the node of an application and takes the taint off again; foreign taints stay as they are."
    breaks = "node"
    blow = "taint"
    keywords = ("node", "scheduling", "toleration", "eviction")
    maturity = "beta"
    created = "2026-11-22T00:00:00Z"
    links = {
        "Kubernetes: taints and tolerations": "https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/"
    }
    proof = "The taint is on the node; for NoExecute, the pods that do not tolerate it are gone from it, told by uid."
    undo = (
        "Taken off by the experiment or the operator, and again if a controller of Kubernetes, which writes all taints "
        "of a node at once, puts it back; a taint that was in its place is put back."
    )
    permissions = (SMALL_ROLE, node_fault.READ_NODES, _PATCH_NODES)
    uses = (node_fault.READ_NODES, _PATCH_NODES)
    tunables = (
        TARGET_NODE.listed(),
        NODE_LABEL,
        NODES_AFFECTED,
        DURATION.listed("60", default="60"),
        RAMP.listed(),
        TAINTS.listed(),
    )

    def vet_nodes(self, nodes: Sequence[Node], values: Values) -> None:
        if not values[TAINTS]:
            raise verdicts.CannotRun(f"TAINTS='': name at least one taint as {TAINTS.allowed}", code=verdicts.TUNABLE)

    def asked(self, node: Node, values: Values) -> str:
        return ", ".join(f"taint {taint}" for taint in values[TAINTS])

    def survival(self, values: Values) -> tuple[Toleration, ...]:
        return tuple(Toleration(key=one.key, operator="Exists", effect=one.effect) for one in values[TAINTS])

    async def inject(self, context: Context) -> None:
        nodes = await context.choose_nodes()
        self.vet_nodes(nodes, context.values)
        wanted: tuple[Taint, ...] = context.values[TAINTS]
        await _refuse_to_evict_ourselves(context.cluster, nodes, wanted)
        duration_s = float(context.values[DURATION])
        changes = [
            api_fault.Change(
                target=node_fault.target(node, asked=f"taint {taint}"),
                undo=taints.recipe(node, taint, fault_id=api_fault.fault_id(context)),
                put=taints.put,
            )
            for node in nodes
            for taint in wanted
        ]
        async with api_fault.changed(context, changes, mechanism="taint", limit_s=2 * duration_s) as held:
            before = {node.metadata.name: await node_pods.on(context.cluster, node.metadata.name) for node in nodes}
            await held.inject()
            evicted = await together(
                _evicted(context, node, wanted, before[node.metadata.name], patience_s=duration_s) for node in nodes
            )
            if why := await _untainted(context.cluster, nodes, wanted):
                raise verdicts.CannotRun(why, code=verdicts.INJECT)
            await context.start_chaos(duration_s)
            told = [
                f"on the node{f'; {count} pods evicted and gone' if taint.effect == 'NoExecute' else ''}"
                for count in evicted
                for taint in wanted
            ]
            await held.proven(told, hold_s=duration_s)
            await held.hold(lambda: _untainted(context.cluster, nodes, wanted))


async def _refuse_to_evict_ourselves(cluster: Cluster, nodes: Sequence[Node], wanted: Sequence[Taint]) -> None:
    """Raises CannotRun when a taint would end a chaos run, or leave the operator without a node."""
    named = {node.metadata.name for node in nodes}
    for node in nodes:
        leaving = _leaving(await node_pods.on(cluster, node.metadata.name), wanted)
        if ours := [pod for pod in leaving if drain_rules.is_ours(pod) and not drain_rules.is_operator(pod)]:
            raise verdicts.CannotRun(
                f"node {node.metadata.name} can't be tainted: it would end {ours[0].metadata.name}, a pod of a chaos "
                "run; give it a toleration or a nodeSelector in the engine",
                code=verdicts.TARGET_SELECTION,
            )
        others = [other for other in await cluster.select(kinds.NODE) if other.metadata.name not in named]
        for pod in filter(drain_rules.is_operator, leaving):
            if not any(scheduling.admits(other, selector={}, tolerations=pod.spec.tolerations) for other in others):
                raise verdicts.CannotRun(
                    f"node {node.metadata.name} can't be tainted: the operator runs there and has nowhere else to go",
                    code=verdicts.TARGET_SELECTION,
                )


def _leaving(pods: Sequence[Pod], wanted: Sequence[Taint]) -> list[Pod]:
    """Pods that the taints make the cluster evict at once; one that tolerates a taint for a while may stay so long."""
    evicting = [taint for taint in wanted if taint.effect == "NoExecute"]
    return [
        pod
        for pod in pods
        if not pod.over and not all(scheduling.tolerates_a_while(pod.spec.tolerations, taint) for taint in evicting)
    ]


async def _evicted(
    context: Context, node: Node, wanted: Sequence[Taint], before: Sequence[Pod], *, patience_s: float
) -> int:
    """Waits until the pods that do not tolerate the taints are gone; how many those were."""
    leaving = _leaving(before, wanted)
    try:
        await node_pods.gone(context.cluster, node.metadata.name, leaving, deadline_s=patience_s)
    except errors.TimedOut as late:
        raise verdicts.CannotRun(f"the taint did not evict everything: {late}", code=verdicts.INJECT) from late
    return len(leaving)


async def _untainted(cluster: Cluster, nodes: Sequence[Node], wanted: Sequence[Taint]) -> str:
    """Which taint is gone from which node, '' if none. A node that is gone itself does not count."""
    for node in nodes:
        seen = await cluster.find(kinds.NODE, node.metadata.name)
        if seen is None or seen.metadata.uid != node.metadata.uid:
            continue
        for taint in wanted:
            now = taints.present(seen, taint)
            if now is None or now.value != taint.value:
                return f"taint {taint} of node {node.metadata.name} was removed or changed by somebody else"
    return ""
