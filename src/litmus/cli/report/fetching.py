"""Results of a cluster with their engines, events and versions. What a role may not read is left out, and said."""

from collections.abc import Sequence

from litmus import api
from litmus.api import names
from litmus.kube import Cluster, clock, errors, kinds
from litmus.kube.objects import Event

from .. import failures, terminal
from . import reading
from .record import IMAGE, KUBERNETES, Record, Report, scored


async def report(
    cluster: Cluster, wanted: Sequence[str], *, namespace: str, engine: str = "", schedule: str = ""
) -> Report:
    """The results of these names, of an engine, or of the engines of a schedule.

    Raises Failed when there is no such result, with the names of those that are there.
    """
    results = {r.metadata.name: r for r in await cluster.select(kinds.RESULT, namespace=namespace)}
    engines = {e.metadata.name: e for e in await cluster.select(kinds.ENGINE, namespace=namespace)}
    concerned = _engines(engines, engine=engine, schedule=schedule, namespace=namespace)
    if wanted:
        shown = [_result(results, name, namespace) for name in wanted]
        concerned = [engines[name] for name in dict.fromkeys(r.spec.engine for r in shown) if name in engines]
    else:
        shown = [r for e in concerned for n in _names(e) if (r := results.get(n))]
    if not shown:
        raise failures.Failed(f"no experiment of {engine or schedule} in namespace {namespace} has a result yet")
    kubernetes = await _kubernetes(cluster)
    records = [
        Record(
            result=result,
            engine=engines.get(result.spec.engine),
            events=await _events(cluster, result),
            versions=kubernetes | await _image(cluster, result, engines.get(result.spec.engine)),
        )
        for result in shown
    ]
    return Report(records=tuple(records), score=scored(concerned, results.values()), created=clock.stamp())


def _engines(
    engines: dict[str, api.ChaosEngine], *, engine: str, schedule: str, namespace: str
) -> list[api.ChaosEngine]:
    """The engine of that name, or those that a schedule made, the oldest first."""
    if engine:
        if engine not in engines:
            raise failures.Failed(
                f"there is no engine {engine} in namespace {namespace}; {_there('engines', list(engines))}"
            )
        return [engines[engine]]
    made = [
        e
        for e in engines.values()
        if any(o.kind == "ChaosSchedule" and o.name == schedule for o in e.metadata.owner_references)
    ]
    if schedule and not made:
        raise failures.Failed(f"schedule {schedule} in namespace {namespace} has no engines, or has none any more")
    return sorted(made, key=lambda e: e.metadata.creation_timestamp or "")


def _names(engine: api.ChaosEngine) -> list[str]:
    return [names.result(engine.metadata.name, entry.name, entry.instance) for entry in engine.spec.experiments]


def _result(results: dict[str, api.ChaosResult], name: str, namespace: str) -> api.ChaosResult:
    if name not in results:
        raise failures.Failed(f"there is no result {name} in namespace {namespace}; {_there('results', list(results))}")
    return results[name]


def _there(what: str, known: list[str]) -> str:
    return f"there is {', '.join(sorted(known)[:8])}{', …' if len(known) > 8 else ''}" if known else f"it has no {what}"


async def _events(cluster: Cluster, result: api.ChaosResult) -> tuple[Event, ...]:
    found: list[Event] = []
    for name in dict.fromkeys((result.spec.engine, result.metadata.name)):
        if not name:
            continue
        try:
            fields = f"involvedObject.name={name}"
            found += await cluster.select(kinds.EVENT, namespace=result.metadata.namespace, fields=fields)
        except errors.Forbidden as error:
            terminal.warn(f"events are left out: {error}")
            break
    return tuple(reading.about(found, result))


async def _kubernetes(cluster: Cluster) -> dict[str, str]:
    try:
        return {KUBERNETES: await cluster.version()}
    except errors.KubeError as error:
        terminal.warn(f"the version of Kubernetes is left out: {error}")
        return {}


async def _image(cluster: Cluster, result: api.ChaosResult, engine: api.ChaosEngine | None) -> dict[str, str]:
    """The image that the engine, or the installed experiment, names now."""
    entry = Record(result=result, engine=engine).entry
    if entry and entry.spec.components.experiment_image:
        return {IMAGE: entry.spec.components.experiment_image}
    try:
        place = result.metadata.namespace
        installed = await cluster.find(kinds.EXPERIMENT, result.spec.experiment, namespace=place)
    except errors.KubeError:
        return {}
    return {IMAGE: installed.spec.definition.image} if installed and installed.spec.definition.image else {}
