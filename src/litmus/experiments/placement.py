"""Keeps the pods of a run off the nodes that the run will hit.

Which nodes that are can be known beforehand, because their choice is a pure function of the engine, the experiment, the
number of the run and the cluster (see ``selection``). Where that can't be found out - a role without nodes, tunables
that can't be read - nothing is placed: the experiment itself says what is wrong.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from litmus import api
from litmus.api.meta import Toleration
from litmus.api.targeting import AppTarget
from litmus.kube import Cluster, errors, kinds, results, scheduling
from litmus.kube.objects import Node

from . import catalogue, selection, tunables, verdicts
from .node_fault import NodeFault

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Nodes to stay away from; where there is no other, what to tolerate there, or why that would not be survived."""

    avoid: tuple[str, ...] = ()
    tolerations: tuple[Toleration, ...] = ()
    refusal: str = ""

    def applied(self, spec: Mapping[str, Any]) -> dict[str, Any]:
        """The spec of a pod, placed so."""
        placed = dict(spec)
        if self.tolerations:
            added = [msgspec.to_builtins(one) for one in self.tolerations]
            placed["tolerations"] = [*placed.get("tolerations", ()), *added]
        if self.avoid:
            # By name: the label kubernetes.io/hostname need not be it. A field takes one value only.
            fields = [{"key": "metadata.name", "operator": "NotIn", "values": [name]} for name in self.avoid]
            required = {"nodeSelectorTerms": [{"matchFields": fields}]}
            placed["affinity"] = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}
        return placed


ANYWHERE = Placement()


@dataclass(frozen=True, slots=True, kw_only=True)
class Danger:
    """The nodes that an experiment will hit, and what that means for a pod there."""

    nodes: frozenset[str]
    tolerations: tuple[Toleration, ...] = ()
    deadly: bool = False


def decide(
    dangers: Sequence[Danger], nodes: Iterable[Node], *, selector: Mapping[str, str], tolerations: Sequence[Toleration]
) -> Placement:
    """Where a pod with that nodeSelector and those tolerations may be placed."""
    hit = frozenset[str]().union(*(danger.nodes for danger in dangers))
    if not hit:
        return ANYWHERE
    others = (node for node in nodes if node.metadata.name not in hit)
    if any(scheduling.admits(node, selector=selector, tolerations=tolerations) for node in others):
        return Placement(avoid=tuple(sorted(hit)))
    deadly = sorted(name for danger in dangers if danger.deadly for name in danger.nodes)
    return Placement(
        tolerations=tuple(one for danger in dangers for one in danger.tolerations),
        refusal=f"node {', '.join(deadly)} ends every pod on it, and there is no other node for ours" if deadly else "",
    )


async def of_experiment(
    cluster: Cluster,
    engine: api.ChaosEngine,
    entry: api.EngineExperiment,
    targets: Sequence[AppTarget],
    *,
    run: int,
) -> Placement:
    """Where the experiment's own pod may be placed. ``run``: the number of the run that is about to begin."""
    components = entry.spec.components
    return await _placed(
        cluster,
        engine,
        [(entry, run)],
        targets,
        selector=components.node_selector,
        tolerations=components.tolerations,
    )


async def of_runner(cluster: Cluster, engine: api.ChaosEngine, targets: Sequence[AppTarget]) -> Placement:
    """Where the runner may be placed, which lives through all experiments of the engine. It survives a restart."""
    wanted = engine.spec.components.runner
    entries = [(entry, 0) for entry in engine.spec.experiments]
    return await _placed(
        cluster, engine, entries, targets, selector=wanted.node_selector, tolerations=wanted.tolerations
    )


async def _placed(
    cluster: Cluster,
    engine: api.ChaosEngine,
    entries: Sequence[tuple[api.EngineExperiment, int]],
    targets: Sequence[AppTarget],
    *,
    selector: Mapping[str, str],
    tolerations: Sequence[Toleration],
) -> Placement:
    dangers = [await _danger(cluster, engine, entry, targets, run=run) for entry, run in entries]
    known = [danger for danger in dangers if danger]
    if not known:
        return ANYWHERE
    placement = decide(known, await cluster.select(kinds.NODE), selector=selector, tolerations=tolerations)
    log.info("placement", extra={"engine": engine.metadata.name, "avoid": list(placement.avoid)})
    return placement


async def _danger(
    cluster: Cluster,
    engine: api.ChaosEngine,
    entry: api.EngineExperiment,
    targets: Sequence[AppTarget],
    *,
    run: int,
) -> Danger | None:
    """None for an experiment that hits no nodes, or whose nodes can't be foreseen."""
    try:
        experiment = catalogue.find(entry.name)
    except catalogue.UnknownExperiment:
        return None
    if not isinstance(experiment, NodeFault):
        return None
    try:
        values = await _values(cluster, engine, entry, experiment)
        number = run or await next_run(cluster, engine, entry)
        seed = selection.seed(engine.metadata.name, experiment.name, run=number, round_=0)
        choice = await selection.choose_nodes(cluster, targets, values, seed=seed)
    except (verdicts.CannotRun, tunables.TunableError, errors.KubeError) as error:
        log.info("the nodes can't be foreseen", extra={"experiment": entry.name, "why": str(error)})
        return None
    return Danger(
        nodes=frozenset(node.metadata.name for node in choice.chosen),
        tolerations=experiment.survival(values),
        deadly=experiment.deadly,
    )


async def _values(
    cluster: Cluster, engine: api.ChaosEngine, entry: api.EngineExperiment, experiment: NodeFault
) -> tunables.Values:
    """The tunables as the experiment will read them, but for those that come from elsewhere."""
    installed = await cluster.find(kinds.EXPERIMENT, entry.name, namespace=engine.metadata.namespace)
    return tunables.read(experiment.all_tunables(), environment(entry, installed))


def environment(entry: api.EngineExperiment, installed: api.ChaosExperiment | None) -> dict[str, str]:
    """The tunables as the runner would set them."""
    defaults = installed.spec.definition.env if installed else []
    return {variable.name: variable.value or "" for variable in (*defaults, *entry.spec.components.env)}


async def next_run(cluster: Cluster, engine: api.ChaosEngine, entry: api.EngineExperiment) -> int:
    """The number that the next run of an experiment will have."""
    meta = engine.metadata
    diary = results.Results(
        cluster, namespace=meta.namespace, engine=meta.name, experiment=entry.name, instance=entry.instance
    )
    seen = await diary.find()
    return results.runs(seen.status.history) + 1 if seen else 1
