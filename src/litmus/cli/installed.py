"""What of litmus is in a cluster already: operators, and the objects that users have made."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

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


async def operators(cluster: Cluster, *, namespace: str) -> list[Operator]:
    """Those of the cluster, ours or the original's; of ``namespace`` only for who may not look further."""
    name = f"metadata.name={names.OPERATOR_NAME}"
    kind = kinds.raw(kinds.DEPLOYMENT)
    try:
        found = await cluster.select(kind, namespace=ANYWHERE, fields=name)
    except errors.Forbidden:
        found = await cluster.select(kind, namespace=namespace, fields=name)
    return [_operator(deployment) for deployment in found]


async def is_served(cluster: Cluster, kind: kinds.Kind[Any]) -> bool:
    """Whether the cluster has the definition of a kind. Everybody may ask that."""
    try:
        document = await cluster.document(f"/apis/{kind.api_version}")
    except errors.NotFound:
        return False
    return any(resource["name"] == kind.plural for resource in document.get("resources", ()))


async def image_of(cluster: Cluster, deployment: str, *, namespace: str) -> str:
    """The image of a Deployment's first container, '' if there is none."""
    found = await cluster.find(kinds.raw(kinds.DEPLOYMENT), deployment, namespace=namespace)
    return found["spec"]["template"]["spec"]["containers"][0]["image"] if found else ""


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
    """What users have made of our kinds, as it is stored: it may be of a release whose form we do not know."""

    engines: list[dict[str, Any]]
    results: list[dict[str, Any]]
    experiments: list[dict[str, Any]]
    schedules: list[dict[str, Any]]

    @property
    def unfinished(self) -> list[str]:
        """What still needs an operator: engines that run, and results whose faults are not undone yet."""
        engines = [f"engine {_place(engine)}" for engine in self.engines if _needs_operator(engine)]
        results = [f"result {_place(result)}" for result in self.results if _has_open_faults(result)]
        return engines + results

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
        await _all(cluster, kinds.SCHEDULE, where),
    )


async def _all(cluster: Cluster, kind: kinds.Kind[Any], namespace: str) -> list[dict[str, Any]]:
    try:
        return await cluster.select(kinds.raw(kind), namespace=namespace)
    except errors.NotFound:
        return []  # its definition is not installed


def _needs_operator(engine: dict[str, Any]) -> bool:
    running = (engine.get("status") or {}).get("engineStatus") == "initialized"
    return running or names.ENGINE_FINALIZER in engine["metadata"].get("finalizers", ())


def _has_open_faults(result: dict[str, Any]) -> bool:
    return names.RESULT_FINALIZER in result["metadata"].get("finalizers", ())


def _place(thing: dict[str, Any]) -> str:
    return f"{thing['metadata']['namespace']}/{thing['metadata']['name']}"


def listed(things: Iterable[str], *, most: int = 5) -> str:
    """The first few on one line, and how many more there are."""
    every = list(things)
    rest = f" and {len(every) - most} more" if len(every) > most else ""
    return ", ".join(every[:most]) + rest
