"""What a benchmark needs in a cluster and takes away again: definitions, a namespace of its own, images on nodes."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Awaitable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from table import NotMeasured

from litmus.api import names
from litmus.cli import installed, manifests
from litmus.experiments.context import together
from litmus.kube import Cluster, errors, helpers, kinds, waiting
from litmus.kube.objects import Pod

# Who ends the benchmark by force removes what is left with this label.
LABEL = "litmuschaos.io/benchmark"
NGINX = "nginx"
_PULL_DEADLINE_S = 300.0
_RELEASE_DEADLINE_S = 30.0
_REMOVAL_DEADLINE_S = 180.0


def say(text: str) -> None:
    """Progress; standard output is for the table alone."""
    print(text, file=sys.stderr, flush=True)


@asynccontextmanager
async def alongside(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Work that goes on as long as the body does."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def tidied(work: Awaitable[None], what: str) -> None:
    """Cleans up. What does not work is said and costs no figure; neither a Ctrl-C nor an earlier error gets lost."""
    try:
        await work
    except errors.KubeError as error:
        say(f"{what} is left behind: {error}")


@asynccontextmanager
async def definitions(cluster: Cluster) -> AsyncIterator[None]:
    """Our four kinds are served. Those that were not are taken away afterwards, unless somebody uses them by then."""
    brought = []
    try:
        for definition in manifests.definitions():
            if await cluster.find(kinds.CRD, definition["metadata"]["name"]) is None:
                brought.append(definition["metadata"]["name"])
                await cluster.apply(kinds.CRD, definition)
        for name in brought:
            await waiting.until(
                cluster, kinds.CRD, _served, namespace="", name=name, what=f"{name} to be served", deadline_s=30
            )
        yield
    finally:
        await tidied(_undefine(cluster, brought), "a definition")


def _served(found: list[dict[str, Any]]) -> bool | None:
    conditions = found[0].get("status", {}).get("conditions", []) if found else []
    return any(c["type"] == "Established" and c["status"] == "True" for c in conditions) or None


async def _undefine(cluster: Cluster, brought: list[str]) -> None:
    if brought and not (
        await installed.operators(cluster, namespace="") or await installed.objects(cluster, watched="")
    ):
        for name in brought:
            await cluster.delete(kinds.CRD, name)


@asynccontextmanager
async def namespace(cluster: Cluster, purpose: str) -> AsyncIterator[str]:
    """A namespace of the benchmark's own; everything in it goes with it, also after Ctrl-C."""
    name = f"litmus-bench-{purpose}-{names.random_suffix(4)}"
    try:
        await cluster.create(kinds.NAMESPACE, {"metadata": {"name": name, "labels": {LABEL: purpose}}})
        yield name
    finally:
        say(f"removing namespace {name}")
        await tidied(_remove(cluster, name), f"namespace {name}")


async def _remove(cluster: Cluster, name: str) -> None:
    await _release(cluster, name)
    await cluster.delete(kinds.NAMESPACE, name)
    await waiting.until(
        cluster,
        kinds.NAMESPACE,
        lambda found: None if found else True,
        namespace="",
        name=name,
        what=f"namespace {name} to be gone; look at its finalizers",
        deadline_s=_REMOVAL_DEADLINE_S,
    )


async def _release(cluster: Cluster, name: str) -> None:
    """No engine or result may hold the namespace: its operator gets time to let them go, then we do."""
    for engine in await cluster.select(kinds.ENGINE, namespace=name):
        if engine.metadata.finalizers:
            try:
                await remove_engine(cluster, engine.metadata.name, namespace=name)
            except errors.TimedOut:
                await _let_go(cluster, kinds.ENGINE, engine.metadata.name, name)
    for result in await cluster.select(kinds.RESULT, namespace=name):
        if result.metadata.finalizers:
            await _let_go(cluster, kinds.RESULT, result.metadata.name, name)


async def _let_go(cluster: Cluster, kind: kinds.Kind[Any], name: str, namespace: str) -> None:
    with contextlib.suppress(errors.NotFound):  # it was let go in the meantime
        await cluster.patch(kind, name, {"metadata": {"finalizers": []}}, namespace=namespace)


async def remove_engine(cluster: Cluster, name: str, *, namespace: str) -> None:
    """Deletes an engine, and waits until its operator has let it go. Raises TimedOut."""
    await cluster.delete(kinds.ENGINE, name, namespace=namespace)
    await waiting.until(
        cluster,
        kinds.ENGINE,
        lambda found: None if found else True,
        namespace=namespace,
        name=name,
        what=f"the operator to let engine {name} go",
        deadline_s=_RELEASE_DEADLINE_S,
    )


async def nodes(cluster: Cluster) -> list[dict[str, Any]]:
    """The nodes that take pods. Raises NotMeasured if there are none."""
    found = [node for node in await cluster.select(kinds.raw(kinds.NODE)) if _takes_pods(node)]
    if not found:
        raise NotMeasured("no node of the cluster is ready and takes pods")
    return found


def _takes_pods(node: dict[str, Any]) -> bool:
    conditions = node["status"].get("conditions", [])
    ready = any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
    return ready and not node["spec"].get("unschedulable") and not node["spec"].get("taints")


async def pull(cluster: Cluster, images: dict[str, list[str]], *, namespace: str) -> None:
    """Every node that takes pods gets the images, each told with a command that ends at once. Raises NotMeasured."""
    await together(_pull_on(cluster, node["metadata"]["name"], images, namespace) for node in await nodes(cluster))


async def _pull_on(cluster: Cluster, node: str, images: dict[str, list[str]], namespace: str) -> None:
    name = f"pull-{names.random_suffix()}"
    containers = [
        {"name": f"image-{n}", "image": image, "imagePullPolicy": "IfNotPresent", "command": command}
        for n, (image, command) in enumerate(images.items())
    ]
    spec = {"nodeName": node, "restartPolicy": "Never", "containers": containers}
    await cluster.create(kinds.POD, {"metadata": {"name": name}, "spec": spec}, namespace=namespace)

    def over(pods: list[Pod]) -> Pod | None:
        trouble = helpers.stuck_reason(pods[0]) if pods else "its pod was deleted"
        if trouble:
            raise NotMeasured(f"node {node} can't run the images {', '.join(images)}: {trouble}")
        return pods[0] if pods[0].over else None

    pod = await waiting.until(
        cluster,
        kinds.POD,
        over,
        namespace=namespace,
        name=name,
        what=f"node {node} to pull {', '.join(images)}",
        deadline_s=_PULL_DEADLINE_S,
    )
    if pod.status.phase == "Failed":
        raise NotMeasured(f"on node {node} one of the images {', '.join(images)} does not start")
    await cluster.delete(kinds.POD, name, namespace=namespace, grace_s=0)
