"""What of litmus is in a cluster already: operators, and the objects that users have made."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from litmus import api
from litmus.api import names
from litmus.kube import Cluster, errors, kinds

ANYWHERE = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """An operator's Deployment: where it is, and whose engines it runs ('' for the whole cluster)."""

    namespace: str
    watched: str

    def overlaps(self, watched: str) -> bool:
        """Whether some engine would have two operators."""
        return not self.watched or not watched or self.watched == watched

    def __str__(self) -> str:
        return f"an operator in namespace {self.namespace} that runs {engines_of(self.watched)}"


def engines_of(watched: str) -> str:
    """In words, whose engines an operator runs."""
    return f"the engines of namespace {watched}" if watched else "the engines of the whole cluster"


def raw(kind: kinds.Kind[Any]) -> kinds.Kind[dict[str, Any]]:
    """The same kind with its objects left as they come."""
    return replace(kind, type=dict)


async def operators(cluster: Cluster, *, namespace: str) -> list[Operator]:
    """Those of the cluster, ours or the original's; of ``namespace`` only for who may not look further."""
    name = f"metadata.name={names.OPERATOR_NAME}"
    kind = raw(kinds.DEPLOYMENT)
    try:
        found = await cluster.select(kind, namespace=ANYWHERE, fields=name)
    except errors.Forbidden:
        found = await cluster.select(kind, namespace=namespace, fields=name)
    return [_operator(deployment) for deployment in found]


def _operator(deployment: dict[str, Any]) -> Operator:
    namespace = deployment["metadata"]["namespace"]
    containers = deployment["spec"]["template"]["spec"]["containers"]
    variables = [v for container in containers for v in container.get("env", ()) if v["name"] == "WATCH_NAMESPACE"]
    watched = ""
    for variable in variables:
        watched = namespace if "valueFrom" in variable else variable.get("value", "")
    return Operator(namespace=namespace, watched=watched)


@dataclass(frozen=True, slots=True)
class Objects:
    """What users have made of our kinds."""

    engines: list[api.ChaosEngine]
    results: list[api.ChaosResult]
    experiments: list[api.ChaosExperiment]
    schedules: list[api.ChaosSchedule]

    @property
    def unfinished(self) -> list[str]:
        """What still needs an operator: engines that run, and results whose faults are not undone yet."""
        running = [f"engine {_place(e)}" for e in self.engines if e.status.engine_status == "initialized"]
        held = [f"engine {_place(e)}" for e in self.engines if names.ENGINE_FINALIZER in e.metadata.finalizers]
        open_faults = [f"result {_place(r)}" for r in self.results if any(fault.open for fault in r.status.faults)]
        return list(dict.fromkeys([*running, *held, *open_faults]))

    def __str__(self) -> str:
        counts = [
            (len(self.engines), "engine"),
            (len(self.results), "result"),
            (len(self.experiments), "experiment"),
            (len(self.schedules), "schedule"),
        ]
        some = [f"{n} {word}{'' if n == 1 else 's'}" for n, word in counts if n]
        return ", ".join(some) or "no objects"

    def __bool__(self) -> bool:
        return bool(self.engines or self.results or self.experiments or self.schedules)


async def objects(cluster: Cluster, *, watched: str) -> Objects:
    """Those that an operator is responsible for."""
    where = watched or ANYWHERE
    return Objects(
        await _all(cluster, kinds.ENGINE, where),
        await _all(cluster, kinds.RESULT, where),
        await _all(cluster, kinds.EXPERIMENT, where),
        await _all(cluster, SCHEDULE, where),
    )


SCHEDULE = kinds.Kind(api.GROUP, api.VERSION, "ChaosSchedule", "chaosschedules", api.ChaosSchedule)


async def _all(cluster: Cluster, kind: kinds.Kind[Any], namespace: str) -> list[Any]:
    try:
        return await cluster.select(kind, namespace=namespace)
    except errors.NotFound:
        return []  # its definition is not installed


def _place(thing: api.ChaosEngine | api.ChaosResult) -> str:
    return f"{thing.metadata.namespace}/{thing.metadata.name}"


def listed(things: Iterable[str], *, most: int = 5) -> str:
    """The first few on one line, and how many more there are."""
    every = list(things)
    rest = f" and {len(every) - most} more" if len(every) > most else ""
    return ", ".join(every[:most]) + rest
