"""The operator process: leader election, kopf's watches, the keeper, the reaper, and its port."""

import asyncio
import logging
import signal
from dataclasses import dataclass
from typing import Any

import kopf

from litmus.api import names
from litmus.experiments import caps
from litmus.kube import Cluster, errors, events, helpers

from . import halting, handlers, health, keeper, lease, metrics, reaper, rules

log = logging.getLogger(__name__)

# A control plane that restarts is waited for inside a step; what takes longer is retried by the keeper.
PATIENCE_S = 10.0
_KOPF_PATIENCE_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """From the environment of the Deployment."""

    watch_namespace: str  # '' for the whole cluster
    own_namespace: str
    identity: str
    image: str
    health_port: int


async def serve(settings: Settings) -> None:
    """Runs until SIGTERM, or until leadership is lost (raises lease.Lost)."""
    starting = asyncio.Event()
    figures = metrics.Figures()
    async with (
        Cluster.connect(patience_s=PATIENCE_S) as cluster,
        health.serving(settings.health_port, figures, ready=lambda: not starting.is_set()),
    ):
        claim = lease.Lease(cluster, namespace=settings.own_namespace, identity=settings.identity)
        stop = asyncio.Event()
        _on_termination(stop)
        if await _before(stop, claim.acquire()):
            starting.set()
            await _lead(cluster, settings, claim, stop, starting, figures)


async def _lead(
    cluster: Cluster,
    settings: Settings,
    claim: lease.Lease,
    stop: asyncio.Event,
    starting: asyncio.Event,
    figures: metrics.Figures,
) -> None:
    poster = events.Poster(cluster, names.OPERATOR_NAME)
    kept, planned = keeper.Keeper(took=figures.reconciled), keeper.Keeper(took=figures.reconciled)
    figures.queue(lambda: kept.behind + planned.behind)
    alone = settings.watch_namespace == settings.own_namespace
    followed = rules.Following(
        cluster, namespace=settings.own_namespace, default=caps.standard(settings.own_namespace, alone=alone)
    )

    def wake_all() -> None:
        kept.wake_all()
        planned.wake_all()

    everywhere = settings.watch_namespace or "*"
    halt = halting.Halt(cluster, followed.rules, namespace=everywhere, wake=wake_all)

    async def allowed() -> None:
        await followed.known.wait()
        await halt.over.wait()

    registry = handlers.registry(cluster, poster, kept, planned, followed.rules, allowed=allowed, image=settings.image)
    scope: dict[str, Any] = (
        {"namespaces": [settings.watch_namespace]} if settings.watch_namespace else {"clusterwide": True}
    )
    identity: Any = settings.identity  # else kopf looks up the name of a user that the image does not have
    ready = asyncio.Event()
    watching = asyncio.create_task(
        kopf.operator(
            registry=registry,
            settings=_kopf_settings(namespaced=bool(settings.watch_namespace)),
            standalone=True,
            identity=identity,
            ready_flag=ready,
            **scope,
        )
    )
    undoing = reaper.Reaper(
        cluster=cluster,
        poster=poster,
        namespace=everywhere,
        own_namespace=settings.own_namespace,
        image=await _image(cluster, settings),
        figures=figures,
    )
    reaping = asyncio.create_task(undoing.forever())
    leading = asyncio.create_task(claim.keep())
    stopping = asyncio.create_task(stop.wait())
    following = asyncio.create_task(followed.forever(halt.changed))
    tasks = {watching, reaping, leading, stopping, following}
    tasks.add(restoring := asyncio.create_task(_started(ready, starting, stop, figures)))
    try:
        done, _ = await asyncio.wait(tasks - {restoring}, return_when=asyncio.FIRST_COMPLETED)
        for task in done - {stopping}:
            task.result()  # raises what ended it
        if not stop.is_set():
            raise lease.Lost("the watches ended by themselves")
    finally:
        figures.leads(False)
        # Nothing of ours acts any more before the lease is given up; kopf's watches alone write nothing.
        await kept.close()
        await planned.close()
        await halt.close()
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks - {watching})
        await claim.release()
        await asyncio.wait({watching}, timeout=_KOPF_PATIENCE_S)


async def _image(cluster: Cluster, settings: Settings) -> helpers.Image:
    """The image for helper pods: that of this pod with its pull secrets; outside of the cluster the configured one."""
    try:
        return await helpers.own_image(cluster, pod=settings.identity, namespace=settings.own_namespace)
    except (errors.NotFound, errors.Forbidden):
        return helpers.Image(name=settings.image)


async def _started(
    ready: asyncio.Event, starting: asyncio.Event, stop: asyncio.Event, figures: metrics.Figures
) -> None:
    await ready.wait()
    starting.clear()
    figures.leads(True)
    _on_termination(stop)  # kopf has put its own handlers there, which take seconds to stop its watches


def _on_termination(stop: asyncio.Event) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)


def _kopf_settings(*, namespaced: bool) -> kopf.OperatorSettings:
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.scanning.disabled = namespaced  # it may not list namespaces and definitions there
    settings.watching.server_timeout = 300
    settings.watching.reconnect_backoff = 0.5
    settings.queueing.idle_timeout = 1.0
    return settings


async def _before(stop: asyncio.Event, work: Any) -> bool:
    """Whether the work was done before we were told to stop."""
    doing, stopping = asyncio.create_task(work), asyncio.create_task(stop.wait())
    await asyncio.wait({doing, stopping}, return_when=asyncio.FIRST_COMPLETED)
    done = doing.done()
    for task in (doing, stopping):
        task.cancel()
    await asyncio.gather(doing, stopping, return_exceptions=True)
    return done
