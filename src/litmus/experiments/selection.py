"""Who is hit. The choice is a pure function of the pods and of a seed, so that ``litmus plan`` shows the real one.

The rules are those of the reference, section 5.2: TARGET_PODS overrides the rest; else NODE_LABEL filters, and of the n
pods that are left max(1, floor(percentage x n / 100)) are hit, from a random start and circular.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from litmus.api import targeting
from litmus.kube import Cluster, workloads
from litmus.kube.objects import Pod

from . import verdicts
from .tunables import AFFECTED, NODE_LABEL, TARGET_PODS, Range, Values


@dataclass(frozen=True, slots=True)
class Choice:
    """The pods that may be hit, and those that a round hits."""

    candidates: tuple[Pod, ...]
    chosen: tuple[Pod, ...]


def seed(engine: str, experiment: str, *, run: int, round_: int) -> str:
    """Differs from run to run and from round to round, and can be known before the run."""
    return f"{engine}/{experiment}/{run}/{round_}"


def count(share: float, total: int) -> int:
    """How many of ``total`` a percentage hits."""
    return max(1, int(share * total / 100)) if total else 0


def window(pods: Sequence[Pod], share: Range, *, seed: str) -> tuple[Pod, ...]:
    """A circular window of the pods. The seed is mixed with their uids, so that new pods are drawn anew."""
    ordered = sorted(pods, key=lambda pod: pod.metadata.name)
    rng = random.Random("/".join([seed, *sorted(pod.metadata.uid for pod in ordered)]))
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
    if values[NODE_LABEL]:
        nodes = await workloads.nodes_with(cluster, values[NODE_LABEL])
        pods = [pod for pod in pods if pod.spec.node_name in nodes]
        if not pods:
            raise verdicts.CannotRun(
                f"NODE_LABEL={values[NODE_LABEL]!r}: no pod of the application runs on a node with this label",
                code=verdicts.TARGET_SELECTION,
            )
    named: tuple[str, ...] = values[TARGET_PODS]
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
