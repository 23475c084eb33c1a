"""Who is hit. The choice is a pure function of the pods and of a seed, so that ``litmus plan`` shows the real one.

The rules are those of the reference, section 5.2: TARGET_PODS overrides the rest; else NODE_LABEL filters, and of the n
pods that are left max(1, floor(percentage x n / 100)) are hit, from a random start and circular.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from litmus.api import targeting
from litmus.kube import Cluster, errors, kinds, workloads
from litmus.kube.objects import Node, Pod

from . import verdicts
from .tunables import (
    AFFECTED,
    NODE_LABEL,
    NODES_AFFECTED,
    TARGET_NODE,
    TARGET_NODES,
    TARGET_PODS,
    Range,
    Values,
)

T = TypeVar("T", Pod, Node)


@dataclass(frozen=True, slots=True)
class Choice:
    """The pods that may be hit, and those that a round hits."""

    candidates: tuple[Pod, ...]
    chosen: tuple[Pod, ...]


@dataclass(frozen=True, slots=True)
class NodeChoice:
    """The nodes that may be hit, and those that are."""

    candidates: tuple[Node, ...]
    chosen: tuple[Node, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Victim:
    """Anything that a run may hit, as ``litmus plan`` shows it."""

    kind: str
    name: str
    namespace: str = ""
    uid: str = ""
    node: str = ""
    asked: str = field(default="", compare=False)  # what will be done to it, where that can be said beforehand


@dataclass(frozen=True, slots=True, kw_only=True)
class Prospect:
    """Who the first round hits, and who else may be hit later; ``pods`` where the targets are pods."""

    candidates: tuple[Victim, ...]
    first_round: tuple[Victim, ...]
    pods: Choice | None = None


def prospect(choice: Choice, *, asked: Mapping[str, str] | None = None) -> Prospect:
    """The prospect of an experiment that hits pods. ``asked``: what will be done to whom, by uid."""
    first_round = tuple(_pod(pod, (asked or {}).get(pod.metadata.uid, "")) for pod in choice.chosen)
    return Prospect(candidates=tuple(map(_pod, choice.candidates)), first_round=first_round, pods=choice)


def node_prospect(choice: NodeChoice, *, asked: Mapping[str, str] | None = None) -> Prospect:
    """The prospect of an experiment that hits nodes. Nodes are chosen once: there is nobody else to hit."""
    chosen = tuple(_node(node, (asked or {}).get(node.metadata.uid, "")) for node in choice.chosen)
    return Prospect(candidates=tuple(map(_node, choice.candidates)), first_round=chosen)


def _pod(pod: Pod, asked: str = "") -> Victim:
    meta = pod.metadata
    where = pod.spec.node_name
    return Victim(kind="Pod", name=meta.name, namespace=meta.namespace, uid=meta.uid, node=where, asked=asked)


def _node(node: Node, asked: str = "") -> Victim:
    meta = node.metadata
    return Victim(kind="Node", name=meta.name, uid=meta.uid, node=meta.name, asked=asked)


def seed(engine: str, experiment: str, *, run: int, round_: int) -> str:
    """Differs from run to run and from round to round, and can be known before the run."""
    return f"{engine}/{experiment}/{run}/{round_}"


def count(share: float, total: int) -> int:
    """How many of ``total`` a percentage hits."""
    return max(1, int(share * total / 100)) if total else 0


def window(items: Sequence[T], share: Range, *, seed: str) -> tuple[T, ...]:
    """A circular window of pods or nodes. The seed is mixed with their uids, so that new ones are drawn anew."""
    ordered: list[T] = sorted(items, key=lambda item: item.metadata.name)
    rng = random.Random("/".join([seed, *sorted(item.metadata.uid for item in ordered)]))
    size = count(share.draw(rng), len(ordered))
    start = rng.randrange(len(ordered)) if ordered else 0
    return tuple((ordered[start:] + ordered[:start])[:size])


async def candidates(cluster: Cluster, targets: Sequence[targeting.AppTarget]) -> list[Pod]:
    """All pods of the application. Raises CannotRun when the engine names no application."""
    if not targets:
        raise verdicts.CannotRun(
            "the engine names no application; set spec.appinfo (appns, applabel, appkind) or spec.selectors",
            code=verdicts.TARGET_SELECTION,
        )
    by_uid: dict[str, Pod] = {}
    for target in targets:
        found = [p for p in await workloads.pods(cluster, target) if p.metadata.deletion_timestamp is None]
        missing = set(target.names) - {pod.metadata.name for pod in found} if target.kind == targeting.POD else set()
        if missing or not found:
            what = f"pods {', '.join(sorted(missing))} are not there" if missing else "no running pod was found"
            raise verdicts.CannotRun(f"{what}: {target.describe()}", code=verdicts.TARGET_SELECTION)
        by_uid |= {pod.metadata.uid: pod for pod in found}
    return list(by_uid.values())


async def choose(
    cluster: Cluster,
    targets: Sequence[targeting.AppTarget],
    values: Values,
    *,
    seed: str,
    successors: dict[str, str] | None = None,
) -> Choice:
    """The choice of one round. ``successors`` maps a named pod to the pod that took its place in an earlier round.

    Raises CannotRun when nothing can be chosen; then nothing was touched.
    """
    pods = await candidates(cluster, targets)
    named: tuple[str, ...] = values[TARGET_PODS]
    if values[NODE_LABEL] and not named:
        nodes = await workloads.nodes_with(cluster, values[NODE_LABEL])
        pods = [pod for pod in pods if pod.spec.node_name in nodes]
        if not pods:
            raise verdicts.CannotRun(
                f"NODE_LABEL={values[NODE_LABEL]!r}: no pod of the application runs on a node with this label",
                code=verdicts.TARGET_SELECTION,
            )
    if not named:
        # Explicit pods of 3.x selectors ignore the percentage (reference, 5.2).
        explicit = all(target.kind == targeting.POD for target in targets)
        share = Range(100, 100) if explicit else values[AFFECTED]
        return Choice(tuple(pods), window(pods, share, seed=seed))
    wanted = [(successors or {}).get(name, name) for name in named]
    by_name = {pod.metadata.name: pod for pod in pods}
    missing = [name for name in wanted if name not in by_name]
    if missing:
        raise verdicts.CannotRun(
            f"TARGET_PODS: {', '.join(missing)} is not among the application's pods "
            f"({', '.join(sorted(by_name)) or 'none'})",
            code=verdicts.TARGET_SELECTION,
        )
    return Choice(tuple(pods), tuple(by_name[name] for name in wanted))


async def choose_nodes(
    cluster: Cluster, targets: Sequence[targeting.AppTarget], values: Values, *, seed: str
) -> NodeChoice:
    """Named nodes, else a share of those with NODE_LABEL, else the node of a random pod of the application.

    Raises CannotRun when nothing can be chosen; then nothing was touched.
    """
    nodes = {node.metadata.name: node for node in await _all_nodes(cluster)}
    tunable = TARGET_NODE if values.get(TARGET_NODES) is None else TARGET_NODES
    if named := values[tunable]:
        missing = [name for name in named if name not in nodes]
        if missing:
            raise verdicts.CannotRun(
                f"{tunable.name}: {', '.join(missing)} is no node of this cluster ({', '.join(sorted(nodes))})",
                code=verdicts.TARGET_SELECTION,
            )
        chosen = tuple(nodes[name] for name in named)
        return NodeChoice(chosen, chosen)
    share = values.get(NODES_AFFECTED) or Range(0, 0)
    if values.get(NODE_LABEL):
        labelled = await workloads.nodes_with(cluster, values[NODE_LABEL])
        some = [nodes[name] for name in sorted(labelled) if name in nodes]
        if not some:
            raise verdicts.CannotRun(
                f"NODE_LABEL={values[NODE_LABEL]!r}: no node has this label", code=verdicts.TARGET_SELECTION
            )
        return NodeChoice(tuple(some), window(some, share, seed=seed))
    if share.high:
        raise verdicts.CannotRun(
            f"{NODES_AFFECTED.name}={share}: it is a share of the nodes with {NODE_LABEL.name}, which is empty; set it "
            f"(kubernetes.io/os=linux means every Linux node), or {tunable.name}",
            code=verdicts.TARGET_SELECTION,
        )
    if not targets:
        raise verdicts.CannotRun(
            f"no node is named: set {tunable.name}, or an application whose node shall be hit (spec.appinfo)",
            code=verdicts.TARGET_SELECTION,
        )
    pods = [pod for pod in await candidates(cluster, targets) if pod.spec.node_name in nodes]
    of_pods = [nodes[name] for name in sorted({pod.spec.node_name for pod in pods})]
    if not pods:
        raise verdicts.CannotRun("no pod of the application is on a node", code=verdicts.TARGET_SELECTION)
    (pod,) = window(pods, Range(0, 0), seed=seed)
    return NodeChoice(tuple(of_pods), (nodes[pod.spec.node_name],))


async def _all_nodes(cluster: Cluster) -> list[Node]:
    try:
        return await cluster.select(kinds.NODE)
    except errors.Forbidden as error:
        raise verdicts.CannotRun(
            f"the nodes can't be listed: {error}; grant list on nodes by the ClusterRole of the experiment's rbac.yaml",
            code=verdicts.PERMISSION,
        ) from error
