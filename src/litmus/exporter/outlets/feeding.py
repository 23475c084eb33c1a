"""All outlets together: fed with every engine and result that the exporter's watches see.

Feeding never waits and never fails: what can't be delivered is counted where it can't. An exporter that starts sees
results of long ago; of runs that ended more than ``MEMORY_S`` before, nothing is told, because Kubernetes forgets its
events after an hour and would have to be told again each time.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from litmus import api
from litmus.exporter import seen
from litmus.kube import Cluster, clock

from .cloudevents import Webhook
from .delivery import Delivery
from .engine_runs import EngineRun, EngineRuns
from .events import Events
from .grafana import Annotations
from .otlp import Traces
from .settings import Settings
from .windows import Change, Watcher, Window

MEMORY_S = 1800.0
_LAST_CHANCE_S = 5.0


class Outlet(Protocol):
    """Takes changes without waiting; ``delivery`` sends them."""

    name: str
    delivery: Delivery

    def tell(self, change: Change) -> None: ...

    async def aclose(self) -> None: ...


def of_settings(settings: Settings, cluster: Cluster) -> list[Outlet]:
    """The outlets that the settings ask for. Raises MissingExtra when traces are wanted and can't be made."""
    found: list[Outlet] = []
    if settings.otlp:
        found.append(Traces(settings.otlp.url, headers=settings.otlp.headers, cluster=settings.cluster))
    if settings.events:
        found.append(Events(cluster))
    if settings.webhook:
        found.append(Webhook(settings.webhook.url, key=settings.webhook.key, cluster=settings.cluster))
    if settings.grafana:
        found.append(Annotations(settings.grafana.url, token=settings.grafana.token))
    return found


class Outlets:
    """What the exporter holds. Feed it, and let ``run`` run as long as the exporter does."""

    def __init__(self, outlets: Sequence[Outlet], *, now: Callable[[], datetime] = clock.now) -> None:
        self._outlets = outlets
        self._now = now
        self._watcher = Watcher()
        self._runs = EngineRuns()

    @property
    def failures(self) -> dict[str, int]:
        """Failed deliveries of each outlet, since the start."""
        return {outlet.name: outlet.delivery.failures for outlet in self._outlets}

    def see_result(self, result: api.ChaosResult) -> None:
        """A ChaosResult that was listed, added or changed."""
        self._tell(self._watcher.see(result, self._now()))

    def result_gone(self, namespace: str, name: str) -> None:
        """A ChaosResult was deleted."""
        self._tell(self._watcher.gone(namespace, name, self._now()))

    def see_engine(self, engine: seen.Engine) -> None:
        """A ChaosEngine that was listed, added or changed."""
        self._tell_run(self._runs.see_engine(engine))

    def engine_gone(self, engine: seen.Engine) -> None:
        """A ChaosEngine was deleted."""
        self._tell_run(self._runs.engine_gone(engine.uid, self._now()))

    async def run(self) -> None:
        """Delivers until it is cancelled; then what waits has a few seconds to get away."""
        try:
            async with asyncio.TaskGroup() as group:
                for outlet in self._outlets:
                    group.create_task(outlet.delivery.run(), name=f"outlet {outlet.name}")
        finally:
            await asyncio.gather(*(outlet.delivery.emptied(_LAST_CHANCE_S) for outlet in self._outlets))
            for outlet in self._outlets:
                await outlet.aclose()

    def _tell(self, changes: list[Change]) -> None:
        for change in changes:
            if _long_ago(change.window, self._now()):
                continue
            for outlet in self._outlets:
                outlet.tell(change)
            self._tell_run(self._runs.see_window(change.window))

    def _tell_run(self, run: EngineRun | None) -> None:
        if run is None:
            return
        for outlet in self._outlets:
            if isinstance(outlet, Traces):
                outlet.tell_run(run)


def _long_ago(window: Window, now: datetime) -> bool:
    """Whether all of it was over before what an exporter still tells."""
    if window.finished is None or (window.started and window.ended is None):
        return False
    return now - max(window.finished, window.ended or window.finished) > timedelta(seconds=MEMORY_S)
