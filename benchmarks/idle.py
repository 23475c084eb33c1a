"""Memory of an operator with many engines that are over, which is what most engines of a cluster are."""

import asyncio
import itertools
from typing import Any

import memory
import operators
import scene
from table import NotMeasured

from litmus.api import engine as words
from litmus.experiments.context import together
from litmus.kube import Cluster, kinds

_AT_ONCE = 16
_AGAIN_S = 0.5
_DEADLINE_S = 120.0


async def create(cluster: Cluster, count: int, *, namespace: str) -> None:
    """As many engines as ``runs`` would leave behind, a few requests at a time."""
    numbers = iter(range(count))

    async def worker() -> None:
        for number in numbers:
            await cluster.create(kinds.ENGINE, _over(f"idle-{number:05}", namespace), namespace=namespace)

    await together(worker() for _ in range(_AT_ONCE))


def _over(name: str, namespace: str) -> dict[str, Any]:
    """An engine after its run: stopped, completed, one verdict, no finalizer."""
    variables = {"TOTAL_CHAOS_DURATION": "15", "CHAOS_INTERVAL": "5", "FORCE": "true"}
    entry = {
        "name": "pod-delete",
        "spec": {"components": {"env": [{"name": key, "value": value} for key, value in variables.items()]}},
    }
    verdict = {
        "name": "pod-delete",
        "runner": f"{name}-runner",
        "experimentPod": "pod-delete-a1b2c3-d4e5f",
        "status": words.COMPLETED,
        "verdict": "Pass",
        "lastUpdateTime": "2026-01-01T00:00:00Z",
    }
    return {
        "metadata": {"name": name},
        "spec": {
            "appinfo": {"appns": namespace, "applabel": "app=nginx", "appkind": "deployment"},
            "annotationCheck": "true",
            "engineState": "stop",
            "chaosServiceAccount": "pod-delete-sa",
            "jobCleanUpPolicy": "delete",
            "experiments": [entry],
        },
        "status": {"engineStatus": "completed", "experiments": [verdict]},
    }


async def measure(cluster: Cluster, where: operators.Where, *, namespace: str, image: str) -> memory.Resident:
    """Memory of an operator that was started beside these engines, once it has seen them all and come to rest."""
    async with operators.STARTS[where](cluster, namespace, image) as operator:
        try:
            async with asyncio.timeout(_DEADLINE_S):
                await _all_seen(cluster, operator, namespace)
        except TimeoutError:
            raise NotMeasured(f"the operator does not look at its engines within {_DEADLINE_S:g} s") from None
        if operator.pid is None:
            raise NotMeasured("not measurable from here: the operator's node is another machine")
        try:
            return await memory.settled(operator.pid, deadline_s=_DEADLINE_S)
        except TimeoutError:
            raise NotMeasured(f"the operator's memory still changes after {_DEADLINE_S:g} s") from None
        except ProcessLookupError as error:
            raise NotMeasured(f"the operator ended: {error}") from None


async def _all_seen(cluster: Cluster, operator: operators.Operator, namespace: str) -> None:
    """Returns when the operator has acted on an engine that comes after all others by name and time.

    Its log tells, because where an operator looks after the whole cluster that one may be quicker; then another engine
    is tried a little later.
    """
    for number in itertools.count():
        name = f"last-{number}"
        await cluster.create(kinds.ENGINE, operators.stopping(name), namespace=namespace)
        try:
            await operators.stopped(cluster, name, namespace=namespace, deadline_s=_DEADLINE_S)
        finally:
            await scene.tidied(scene.remove_engine(cluster, name, namespace=namespace), f"engine {name}")
        if f"{namespace}/{name}" in await operator.log():
            return
        await asyncio.sleep(_AGAIN_S)
