#!/usr/bin/env python3
"""How long ``litmus stop --all`` takes until the last fault is gone, with many engines running.

On the cluster of KUBECONFIG, where **it stops all chaos**: it refuses to begin while an engine of somebody else runs.
Every engine holds a taint on a node of its own. These nodes are names without a machine, which take no pods. Whether
the faults are gone is told by the nodes, which this process watches, and not by what we write about them. The budget is
that of the issue: 5 s, and a taint needs nothing beside that to be undone. See README.md in this folder.
"""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import operators
import scene
from script import Results, count, measure, say
from table import Figure, NotMeasured

from litmus.api import yaml_text
from litmus.cli import installed
from litmus.experiments import catalogue
from litmus.experiments.caps import CONFIG_MAP
from litmus.hub import charts
from litmus.kube import Cluster, errors, kinds, switch, waiting
from litmus.kube.objects import Node

EXPERIMENT = "node-taint"
_KEY = "litmuschaos.io/stop-all"
_TAINT = f"{_KEY}=benchmark:PreferNoSchedule"
_HOUR_S = "3600"
_PATIENCE_S = 10.0
_BEGIN_DEADLINE_S = 300.0
_STOP_DEADLINE_S = 300.0


def figures(number: int) -> tuple[Figure, Figure, Figure]:
    """For so many engines: as a person waits, the faults without the start of the command, and all of the command."""
    running = f"{number} engines running"
    return (
        Figure(title=f"litmus stop --all → last fault gone from its node, {running}", unit="s", budget=5),
        Figure(title=f"switch set → last fault gone from its node, {running}", unit="s", budget=5),
        Figure(
            title=f"litmus stop --all → it returns, every engine ended and every ledger closed, {running}", unit="s"
        ),
    )


def main(arguments: list[str] | None = None) -> int:
    """Measures, prints the table, and returns the exit status."""
    parser = argparse.ArgumentParser(description="Measures how long it takes to stop all chaos of a cluster.")
    parser.add_argument("--engines", type=count, default=50, help="engines that run when all is stopped (50)")
    parser.add_argument("--together", type=count, default=10, help="so many of them are started at a time (10)")
    wanted = parser.parse_args(arguments)
    image = os.environ.get("LITMUS_IMAGE") or charts.DEFAULT_IMAGE
    results = Results(kubernetes="", image=image)

    async def bench(found: Results) -> None:
        task = asyncio.current_task()
        assert task is not None
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        try:
            async with Cluster.connect(patience_s=_PATIENCE_S) as cluster, scene.definitions(cluster):
                await _bench(cluster, found, number=wanted.engines, together=wanted.together)
        except errors.KubeError as error:
            raise NotMeasured(str(error)) from error

    return measure("stop_all.py", bench, results)


async def _bench(cluster: Cluster, results: Results, *, number: int, together: int) -> None:
    await _expect_quiet(cluster)
    [node, *_] = await scene.nodes(cluster)
    results.kubernetes = node["status"]["nodeInfo"]["kubeletVersion"]
    async with scene.namespace(cluster, "stop") as namespace:
        await scene.pull(cluster, {results.image: ["true"]}, namespace=namespace)
        async with (
            _prepared(cluster, namespace, results.image),
            operators.some(cluster, namespace, results.image, where="cluster") as operator,
            _all_nodes_may_be_hit(cluster, namespace),
            _nodes(cluster, namespace, number) as tainted,
        ):
            say(f"operator: {operator}")
            for first in range(0, number, together):
                batch = range(first, min(first + together, number))
                await _start(cluster, batch, namespace=namespace, tainted=tainted)
            for figure, seconds in zip(figures(number), await _stopped(cluster, tainted), strict=True):
                results.add(figure, [seconds])
    results.notes.append(f"operator: {operator}")


@asynccontextmanager
async def _all_nodes_may_be_hit(cluster: Cluster, namespace: str) -> AsyncIterator[None]:
    """Lifts the cap on nodes, which counts those without a machine as out of order; caps that are set stay."""
    found = [o for o in await installed.operators(cluster, namespace=namespace) if o.overlaps(namespace)]
    home = found[0].namespace if found else namespace
    if await cluster.find(kinds.CONFIG_MAP, CONFIG_MAP, namespace=home):
        yield
        return
    caps = {"metadata": {"name": CONFIG_MAP}, "data": {"caps.yaml": "largestShareOfNodes: 100%\n"}}
    await cluster.create(kinds.CONFIG_MAP, caps, namespace=home)
    try:
        yield
    finally:
        await scene.tidied(cluster.delete(kinds.CONFIG_MAP, CONFIG_MAP, namespace=home), f"ConfigMap {CONFIG_MAP}")


@asynccontextmanager
async def _nodes(cluster: Cluster, namespace: str, number: int) -> AsyncIterator["_Tainted"]:
    tainted = _Tainted(cluster, mark=namespace)
    keep_off = {"key": scene.LABEL, "value": "stop", "effect": "NoSchedule"}
    try:
        for index in range(number):
            meta = {"name": tainted.node(index), "labels": {scene.LABEL: namespace}}
            await cluster.create(kinds.NODE, {"metadata": meta, "spec": {"taints": [keep_off]}})
        yield tainted
    finally:
        say("removing the nodes")
        for index in range(number):
            await scene.tidied(cluster.delete(kinds.NODE, tainted.node(index)), f"node {tainted.node(index)}")


async def _expect_quiet(cluster: Cluster) -> None:
    """Raises NotMeasured where the benchmark would stop what is not its own, or where nothing may run."""
    running = [one for one in await cluster.select(kinds.ENGINE, namespace="*") if one.unfinished]
    if running:
        listed = installed.listed(f"{one.metadata.namespace}/{one.metadata.name}" for one in running)
        raise NotMeasured(f"it would stop what others run: {listed}; wait for it")
    for place in await cluster.select(kinds.CONFIG_MAP, namespace="*", fields=f"metadata.name={switch.NAME}"):
        raise NotMeasured(f"all chaos is stopped by {place.metadata.namespace}/{switch.NAME}; litmus stop --lift")


@asynccontextmanager
async def _prepared(cluster: Cluster, namespace: str, image: str) -> AsyncIterator[None]:
    """The experiment, and a service account with its role: the namespace does not take that one along."""
    experiment = catalogue.find(EXPERIMENT)
    role = charts.role(experiment, namespace=namespace).replace(f"{EXPERIMENT}-sa", namespace)
    made = []
    try:
        for manifest in yaml_text.documents(charts.bundle([experiment], image=image) + "\n---\n" + role):
            kind = kinds.raw(kinds.of_manifest(manifest))
            if kind.namespaced:
                manifest["metadata"]["namespace"] = namespace
            else:
                made.append((kind, manifest["metadata"]["name"]))
            await cluster.apply(kind, manifest)
        yield
    finally:
        for kind, name in made:
            await cluster.delete(kind, name)


class _Tainted:
    """The nodes of this benchmark, and which of them have their fault, as the cluster tells everybody."""

    def __init__(self, cluster: Cluster, *, mark: str) -> None:
        self.cluster = cluster
        self.mark = mark

    def node(self, index: int) -> str:
        return f"{self.mark}-{index}"

    def on(self, found: list[Node]) -> set[str]:
        """The names of those that are tainted."""
        return {node.metadata.name for node in found if any(taint.key == _KEY for taint in node.spec.taints)}

    async def until(self, wanted: Iterable[int], *, deadline_s: float) -> None:
        """Returns as soon as exactly the nodes of these engines have their fault. Raises TimedOut."""
        names = {self.node(index) for index in wanted}
        await waiting.until(
            self.cluster,
            kinds.NODE,
            lambda found: True if self.on(found) == names else None,
            namespace="",
            labels=f"{scene.LABEL}={self.mark}",
            what=f"{len(names)} nodes to have a fault",
            deadline_s=deadline_s,
        )


async def _start(cluster: Cluster, batch: range, *, namespace: str, tainted: _Tainted) -> None:
    """Returns when all engines up to these hold their fault. Raises NotMeasured when one ends before."""
    say(f"starting engines {batch.start + 1} to {batch.stop}")
    for index in batch:
        await cluster.create(kinds.ENGINE, _engine(index, namespace, tainted), namespace=namespace)

    async def none_ends() -> None:
        async for found in waiting.follow(cluster, kinds.RESULT, namespace=namespace):
            for result in found:
                outcome = result.status.experimentstatus
                if outcome.verdict != "Awaited":
                    raise NotMeasured(f"engine {result.spec.engine} ended by itself: {outcome.fail_step}")

    begun = asyncio.create_task(tainted.until(range(batch.stop), deadline_s=_BEGIN_DEADLINE_S))
    watching = asyncio.create_task(none_ends())
    try:
        await asyncio.wait({begun, watching}, return_when=asyncio.FIRST_COMPLETED)
        (begun if begun.done() else watching).result()
    finally:
        for task in (begun, watching):
            task.cancel()
        await asyncio.gather(begun, watching, return_exceptions=True)


def _engine(index: int, namespace: str, tainted: _Tainted) -> dict[str, Any]:
    env = {"TARGET_NODE": tainted.node(index), "TAINTS": _TAINT, "TOTAL_CHAOS_DURATION": _HOUR_S}
    variables = [{"name": name, "value": value} for name, value in env.items()]
    return {
        "metadata": {"name": f"engine-{index}"},
        "spec": {
            "annotationCheck": "false",
            "chaosServiceAccount": namespace,
            "defaultHealthCheck": False,
            "experiments": [{"name": EXPERIMENT, "spec": {"components": {"env": variables}}}],
        },
    }


async def _stopped(cluster: Cluster, tainted: _Tainted) -> tuple[float, float, float]:
    """Stops everything by the command that a person types; the seconds of ``figures``. The switch is lifted again."""
    clock = asyncio.get_running_loop().time

    async def gone() -> float:
        await tainted.until((), deadline_s=_STOP_DEADLINE_S)
        return clock()

    async def is_set() -> float:
        async for found in waiting.follow(cluster, kinds.CONFIG_MAP, namespace="*"):
            if any(one.metadata.name == switch.NAME for one in found):
                return clock()
        raise NotMeasured("the ConfigMaps of the cluster are not told any more")

    async with asyncio.timeout(_STOP_DEADLINE_S), asyncio.TaskGroup() as group:
        last, lever = group.create_task(gone()), group.create_task(is_set())
        began = clock()
        try:
            status = await _litmus("stop", "--all", "--why", "benchmark", "--deadline", f"{_STOP_DEADLINE_S:g}")
            returned = clock()
            if status:
                raise NotMeasured(f"litmus stop --all ended with status {status}; what it said is above")
            return await last - began, last.result() - await lever, returned - began
        finally:
            await _litmus("stop", "--lift")


async def _litmus(*arguments: str) -> int:
    """A command as a person starts it; what it says is progress here."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "litmus", *arguments, stdout=sys.stderr)
    return await process.wait()


if __name__ == "__main__":
    sys.exit(main())
