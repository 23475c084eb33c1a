"""Whether the caps allow an engine to run at all, for the operator and for ``litmus plan``.

The targets are foreseen as the experiments would choose them. What can't be foreseen - a role that may not look,
tunables that can't be read, somebody else's image - is left to the experiment, which checks what it really chose.
"""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from litmus import api
from litmus.api import names
from litmus.api.targeting import AppTarget
from litmus.kube import Cluster, errors, kinds

from . import capped, catalogue, placement, selection, tunables, verdicts
from .caps import Caps
from .tunables import DURATION, RAMP

log = logging.getLogger(__name__)


async def check(cluster: Cluster, wanted: api.ChaosEngine, targets: Sequence[AppTarget], caps: Caps) -> None:
    """Raises Exceeded when a run of the engine, begun now, would go beyond a cap."""
    caps.check_namespaces(target.namespace for target in targets)
    start = datetime.now(UTC)
    for entry in wanted.spec.experiments:
        installed = await cluster.find(kinds.EXPERIMENT, entry.name, namespace=wanted.metadata.namespace)
        env = placement.environment(entry, installed)
        lasts_s = _seconds(env.get(DURATION.name, ""))
        caps.check_duration(entry.name, lasts_s)
        in_all_s = lasts_s + 2 * _seconds(env.get(RAMP.name, ""))
        caps.check_time(start, in_all_s)
        start += timedelta(seconds=in_all_s)
        await _foreseen(cluster, wanted, entry, installed, targets, caps)


async def _foreseen(
    cluster: Cluster,
    wanted: api.ChaosEngine,
    entry: api.EngineExperiment,
    installed: api.ChaosExperiment | None,
    targets: Sequence[AppTarget],
    caps: Caps,
) -> None:
    try:
        experiment = catalogue.find(entry.name)
        values = tunables.read(experiment.all_tunables(), placement.environment(entry, installed))
        run = await placement.next_run(cluster, wanted, entry)
        seed = selection.seed(wanted.metadata.name, experiment.name, run=run, round_=0)
        prospect = await experiment.foresee(cluster, targets, values, seed=seed)
        hit = [victim for victim in prospect.first_round if victim.kind == "Node"]
        if hit:
            elsewhere = await _hit_by_others(cluster, wanted) - {victim.name for victim in hit}
            # Where others hit a node it may take no pods at the moment, and is of the cluster all the same.
            able = {node.metadata.name for node in await capped.schedulable(cluster)} | elsewhere
            caps.check_nodes(capped.at_once(len(hit), values), schedulable=len(able), elsewhere=len(elsewhere))
            return
        caps.check_namespaces(victim.namespace for victim in (*prospect.first_round, *prospect.candidates))
        await capped.check_pods(cluster, caps, prospect.pods.chosen if prospect.pods else (), values)
    except (catalogue.UnknownExperiment, verdicts.CannotRun, tunables.TunableError, errors.KubeError) as error:
        log.info("the targets can't be foreseen", extra={"experiment": entry.name, "why": str(error)})


async def _hit_by_others(cluster: Cluster, wanted: api.ChaosEngine) -> set[str]:
    """The nodes that open records of other engines name as their targets."""
    found = await cluster.select(kinds.RESULT, namespace="*", labels=f"{names.OPEN_FAULTS_LABEL}=true")
    meta = wanted.metadata
    return {
        fault.node
        for result in found
        if (result.metadata.namespace, result.spec.engine) != (meta.namespace, meta.name)
        for fault in result.status.faults
        if fault.open and any(not target.namespace and target.name == fault.node for target in fault.targets)
    }


def _seconds(text: str) -> float:
    """What can't be read here the experiment will refuse."""
    text = text.strip()
    return float(text) if text.isascii() and text.isdecimal() else 0.0
