"""Holding an experiment to the caps, when it has read its tunables and whenever it has chosen its targets.

It knows its true targets, but - with the smallest role - no other run; those the operator looks at, before the run
(see ``cap_admission``).
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from litmus.api import names
from litmus.api.targeting import AppTarget
from litmus.kube import Cluster, kinds
from litmus.kube.objects import Node, Pod

from . import verdicts
from .caps import Caps, Exceeded
from .declaration import Experiment
from .tunables import DURATION, RAMP, SEQUENCE, Values

CODE = "CAP_EXCEEDED"


def run(caps: Caps | None, experiment: Experiment, values: Values, targets: Iterable[AppTarget]) -> None:
    """The experiment's own look at how long, when and where. Raises CannotRun."""
    if caps is None:
        return
    lasts_s = float(values.get(DURATION) or 0)
    try:
        caps.check_namespaces(target.namespace for target in targets)
        caps.check_duration(experiment.name, lasts_s)
        caps.check_time(datetime.now(UTC), lasts_s + 2 * float(values.get(RAMP) or 0))
    except Exceeded as refusal:
        raise verdicts.CannotRun(str(refusal), code=CODE) from refusal


def namespaces(caps: Caps | None, hit: Iterable[str]) -> None:
    """Raises CannotRun when a target that is about to be hit is in a forbidden namespace."""
    try:
        if caps is not None:
            caps.check_namespaces(hit)
    except Exceeded as refusal:
        raise verdicts.CannotRun(str(refusal), code=CODE) from refusal


async def pods(cluster: Cluster, caps: Caps | None, chosen: Sequence[Pod], values: Values) -> None:
    """Raises CannotRun when this round would hit too many pods, or pods of a forbidden namespace."""
    if caps is None:
        return
    namespaces(caps, (pod.metadata.namespace for pod in chosen))
    try:
        await check_pods(cluster, caps, chosen, values)
    except Exceeded as refusal:
        raise verdicts.CannotRun(str(refusal), code=CODE) from refusal


async def nodes(cluster: Cluster, caps: Caps | None, chosen: Sequence[Node], values: Values) -> None:
    """Raises CannotRun when too many nodes would be hit."""
    if caps is None or caps.nodes is None:
        return
    try:
        caps.check_nodes(at_once(len(chosen), values), schedulable=len(await schedulable(cluster)))
    except Exceeded as refusal:
        raise verdicts.CannotRun(str(refusal), code=CODE) from refusal


async def check_pods(cluster: Cluster, caps: Caps, chosen: Sequence[Pod], values: Values) -> None:
    """Raises Exceeded. Of a namespace, what runs for itself counts; the pods of chaos runs do not."""
    if caps.pods is None or not chosen:
        return
    per_namespace = Counter(pod.metadata.namespace for pod in chosen)
    there = {}
    for namespace in per_namespace:
        found = await cluster.select(kinds.POD, namespace=namespace, labels=f"!{names.CHAOS_UID}")
        there[namespace] = sum(not pod.over for pod in found)
    caps.check_pods({name: at_once(number, values) for name, number in per_namespace.items()}, of=there)


async def schedulable(cluster: Cluster) -> list[Node]:
    """Nodes that are Ready and take pods which tolerate nothing."""
    found = await cluster.select(kinds.NODE)
    return [
        node
        for node in found
        if node.ready
        and not node.spec.unschedulable
        and not any(taint.effect in ("NoSchedule", "NoExecute") for taint in node.spec.taints)
    ]


def at_once(number: int, values: Values) -> int:
    """In a series only one target is hit at a time."""
    return min(number, 1) if values.get(SEQUENCE) == "serial" else number
