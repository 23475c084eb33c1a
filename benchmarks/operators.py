"""The operator that is measured: one that is there already, or one of the benchmark's own for a single namespace.

Two operators must never run the same engines. So whether somebody looks after the benchmark's namespace is tried out
and not guessed, and an operator of our own watches that namespace only and has its lease there.
"""

import asyncio
import os
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import scene
from table import NotMeasured

from litmus.api import names
from litmus.cli import installed, manifests, parts, rollout
from litmus.faults import processes
from litmus.hub import documents
from litmus.kube import Cluster, errors, kinds, waiting

# Longer than a standby operator needs to take a lease over.
_ANSWER_DEADLINE_S = 12.0
_START_DEADLINE_S = 60.0
_ACT_DEADLINE_S = 120.0
_STOP_DEADLINE_S = 15.0
_LOG_LINES = 200
_LEASE = "chaos-operator.lock"

Where = Literal["cluster", "process"]
WHERE: dict[Where, str] = {"cluster": "in the cluster", "process": "a process outside of the cluster"}


@dataclass(frozen=True, slots=True)
class Operator:
    """An operator of our own. ``pid`` is None when it runs on another machine; ``log`` reads its latest lines."""

    pid: int | None
    log: Callable[[], Awaitable[str]]


@asynccontextmanager
async def some(cluster: Cluster, namespace: str, image: str, *, where: Where) -> AsyncIterator[str]:
    """An operator for the engines of this namespace, in words: the one that is there, else one of our own.

    Raises NotMeasured when there is one that does not work: it might begin to at any time.
    """
    found = [o for o in await installed.operators(cluster, namespace=namespace) if o.overlaps(namespace)]
    if await acts(cluster, namespace=namespace, deadline_s=_ANSWER_DEADLINE_S):
        yield f"in the cluster, found in namespace {found[0].namespace}" if found else "found outside of the cluster"
    elif found:
        remedy = f"mend it, or run: litmus uninstall --namespace {found[0].namespace}"
        raise NotMeasured(f"{found[0]}, does not answer within {_ANSWER_DEADLINE_S:g} s; {remedy}")
    else:
        async with STARTS[where](cluster, namespace, image):
            if not await acts(cluster, namespace=namespace, deadline_s=_ACT_DEADLINE_S):
                raise NotMeasured(f"the operator that was started does nothing within {_ACT_DEADLINE_S:g} s")
            yield f"of the benchmark's own, {WHERE[where]}"


async def acts(cluster: Cluster, *, namespace: str, deadline_s: float) -> bool:
    """Whether an operator looks after the engines of this namespace: it has to end one that was told to stop."""
    name = "is-anybody-there"
    await cluster.create(kinds.ENGINE, stopping(name), namespace=namespace)
    try:
        await stopped(cluster, name, namespace=namespace, deadline_s=deadline_s)
    except errors.TimedOut:
        return False
    finally:
        await scene.tidied(scene.remove_engine(cluster, name, namespace=namespace), f"engine {name}")
    return True


def stopping(name: str) -> dict[str, Any]:
    """An engine that began, of which nothing runs, and that was told to stop."""
    spec = {"engineState": "stop", "chaosServiceAccount": "none", "experiments": [{"name": "pod-delete"}]}
    return {"metadata": {"name": name}, "spec": spec, "status": {"engineStatus": "initialized", "experiments": []}}


async def stopped(cluster: Cluster, engine: str, *, namespace: str, deadline_s: float) -> None:
    """Returns when an operator has ended the engine. Raises TimedOut."""
    await waiting.until(
        cluster,
        kinds.ENGINE,
        lambda found: True if found and found[0].status.engine_status == "stopped" else None,
        namespace=namespace,
        name=engine,
        what=f"an operator to end engine {engine}, which was told to stop",
        deadline_s=deadline_s,
    )


@asynccontextmanager
async def in_cluster(cluster: Cluster, namespace: str, image: str) -> AsyncIterator[Operator]:
    """The Deployment that ``litmus install --scope namespaced`` makes."""
    wanted = parts.Installation(namespace=namespace, scope="namespaced", image=image)
    try:
        for manifest in manifests.operator(wanted):
            if manifest["kind"] != "Namespace":
                await cluster.apply(kinds.of_manifest(manifest), documents.plain(manifest))
        await rollout.until_ready(
            cluster, rollout.OPERATOR, namespace=namespace, image=image, deadline_s=_START_DEADLINE_S
        )
        [pod] = await cluster.select(kinds.POD, namespace=namespace, labels=_labels())
        name = pod.metadata.name
        await _leads(cluster, name, namespace=namespace)
        main = processes.main_process(pod.status.container_statuses[0].container_id)

        async def log() -> str:
            return "\n".join(await cluster.logs(name, namespace=namespace, tail_lines=_LOG_LINES))

        yield Operator(main.pid if main else None, log)
    finally:
        await scene.tidied(_gone(cluster, namespace), f"the operator in {namespace}")


async def _gone(cluster: Cluster, namespace: str) -> None:
    await cluster.delete(kinds.DEPLOYMENT, names.OPERATOR_NAME, namespace=namespace)
    await waiting.until(
        cluster,
        kinds.POD,
        lambda found: None if found else True,
        namespace=namespace,
        labels=_labels(),
        what="its pod to be gone",
        deadline_s=_STOP_DEADLINE_S + _START_DEADLINE_S,
    )


def _labels() -> str:
    return ",".join(f"{key}={value}" for key, value in manifests.POD_LABELS.items())


@asynccontextmanager
async def as_process(cluster: Cluster, namespace: str, image: str) -> AsyncIterator[Operator]:
    """``litmus operator`` of this checkout as a process of this machine, outside of the cluster."""
    identity = f"benchmark-{os.getpid()}"
    settings = {
        "WATCH_NAMESPACE": namespace,
        "OPERATOR_NAMESPACE": namespace,
        "POD_NAME": identity,
        "CHAOS_RUNNER_IMAGE": image,
        "HEALTH_PORT": str(_free_port()),
    }
    # Without compiled bytecode it would be the compiler whose memory is measured.
    env = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"} | settings
    with tempfile.NamedTemporaryFile() as file:

        async def log() -> str:
            return Path(file.name).read_text(errors="replace")

        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "litmus",
            "operator",
            env=env,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=file,
            stderr=file,
        )
        ended = asyncio.create_task(process.wait())
        try:
            leads = asyncio.create_task(_leads(cluster, identity, namespace=namespace))
            await asyncio.wait({leads, ended}, return_when=asyncio.FIRST_COMPLETED)
            if ended.done():
                leads.cancel()
                lines = (await log()).strip().splitlines() or ["it said nothing"]
                raise NotMeasured(f"the operator ended: {lines[-1]}")
            await leads
            yield Operator(process.pid, log)
        finally:
            await _stop(process, ended)


async def _stop(process: asyncio.subprocess.Process, ended: asyncio.Task[int]) -> None:
    if not ended.done():
        process.terminate()
    await asyncio.wait({ended}, timeout=_STOP_DEADLINE_S)
    if not ended.done():
        process.kill()
    await ended


async def _leads(cluster: Cluster, identity: str, *, namespace: str) -> None:
    def held(leases: list[dict[str, Any]]) -> bool | None:
        return True if leases and leases[0]["spec"].get("holderIdentity") == identity else None

    await waiting.until(
        cluster,
        kinds.LEASE,
        held,
        namespace=namespace,
        name=_LEASE,
        what=f"operator {identity} to lead",
        deadline_s=_START_DEADLINE_S,
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


STARTS: dict[Where, Callable[[Cluster, str, str], AbstractAsyncContextManager[Operator]]] = {
    "cluster": in_cluster,
    "process": as_process,
}
