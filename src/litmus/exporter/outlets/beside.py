"""The outlets as what runs beside the exporter's watches: made of flags and environment, with their metric."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Mapping
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from litmus.exporter.state import State
from litmus.kube import Cluster

from . import otlp, settings
from .feeding import Outlets, of_settings
from .following import Following

FAILURES = "litmus_exporter_webhook_failures"

Work = Callable[[Cluster, State, CollectorRegistry], Coroutine[Any, Any, None]]


def configured(flags: Mapping[str, object], env: Mapping[str, str]) -> Work:
    """What is to run beside the watches; it hears of all that they see, also when it is started right after them.

    Raises Misused for a setting that can't be used, MissingExtra when traces are wanted and can't be made.
    """
    wanted = settings.read(flags, env)
    if wanted.otlp:
        otlp.check()

    async def work(cluster: Cluster, state: State, registry: CollectorRegistry) -> None:
        outlets = Outlets(of_settings(wanted, cluster))
        registry.register(_Failures(outlets))
        following = Following(state, outlets, cluster)
        async with asyncio.TaskGroup() as group:
            group.create_task(following.run(), name="chaos windows")
            group.create_task(outlets.run(), name="outlets")

    return work


class _Failures(Collector):
    """The counter of failed deliveries, of every outlet that is wanted: 0 says that it works."""

    def __init__(self, outlets: Outlets) -> None:
        self._outlets = outlets

    def collect(self) -> Iterator[CounterMetricFamily]:
        family = CounterMetricFamily(
            FAILURES, "Deliveries of chaos windows to other tools that failed, each try counted.", labels=["outlet"]
        )
        for outlet, failures in self._outlets.failures.items():
            family.add_metric([outlet], failures)
        yield family
