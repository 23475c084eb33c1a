"""Engines and results as a cluster holds them, an exporter on loopback, and its metrics as Prometheus reads them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from litmus.exporter import serve
from litmus.exporter.state import State
from litmus.kube import Cluster, clock

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
Object = dict[str, Any]
_LIMIT_S = 20.0


def at(seconds: float) -> str:
    """A stamp so many seconds after the beginning."""
    return clock.precise(NOW + timedelta(seconds=seconds))


def epoch(seconds: float) -> float:
    return NOW.timestamp() + seconds


def engine(
    name: str = "hit", *, verdict: str = "N/A", status: str = "initialized", monitoring: bool = True, **spec: Any
) -> Object:
    return {
        "metadata": {"name": name, "uid": f"uid-of-{name}", "labels": {"context": "night", "workflow_name": "flow"}},
        "spec": {
            "appinfo": {"appns": "shop", "applabel": "app=web", "appkind": "deployment"},
            "monitoring": monitoring,
            "experiments": [{"name": "pod-delete"}],
            **spec,
        },
        "status": {
            "engineStatus": status,
            "experiments": [{"name": "pod-delete", "verdict": verdict, "lastUpdateTime": None}],
        },
    }


def fault(
    id_: str = "one", *, state: str = "planned", deadline: float = 60, updated: float = 2, **other: Any
) -> Object:
    return {
        "id": id_,
        "mechanism": "netem",
        "undo": {"kind": "node"},
        "state": state,
        "deadline": at(deadline),
        "updatedAt": at(updated),
        **other,
    }


def result(
    engine_: str = "hit",
    *,
    experiment: str = "pod-delete",
    verdict: str = "Awaited",
    run: Object | None = None,
    history: Object | None = None,
    percentage: str = "Awaited",
    **status: Any,
) -> Object:
    """A result of a run that began 1 s after the beginning."""
    return {
        "metadata": {"name": f"{engine_}-{experiment}", "uid": f"uid-of-{engine_}-{experiment}"},
        "spec": {"engine": engine_, "experiment": experiment},
        "status": {
            "experimentstatus": {"verdict": verdict, "phase": "Running", "probeSuccessPercentage": percentage},
            "run": {"engineUid": f"uid-of-{engine_}", "number": 1, "startedAt": at(1), **(run or {})},
            "history": history or {},
            **status,
        },
    }


Series = dict[frozenset[tuple[str, str]], float]


class Scraped:
    """The samples by their name."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.families = list(text_string_to_metric_families(text))
        self._samples: dict[str, Series] = {}
        for family in self.families:
            for sample in family.samples:
                series = self._samples.setdefault(sample.name, {})
                labels = frozenset(sample.labels.items())
                assert labels not in series, f"twice: {sample}"
                series[labels] = sample.value

    def all(self, name: str, **labels: str) -> list[float]:
        """The values of the series that have these labels."""
        return [value for found, value in self._samples.get(name, {}).items() if labels.items() <= set(found)]

    def one(self, name: str, **labels: str) -> float:
        [value] = self.all(name, **labels)
        return value

    def labels(self, name: str) -> Iterator[dict[str, str]]:
        return (dict(found) for found in self._samples.get(name, {}))


class Stage:
    """An exporter that serves."""

    def __init__(self, exporter: serve.Exporter, url: str, session: aiohttp.ClientSession) -> None:
        self.exporter = exporter
        self.url = url
        self.session = session
        self.now = epoch(0)

    async def scrape(self) -> Scraped:
        async with self.session.get(f"{self.url}/metrics") as answer:
            assert answer.status == 200
            assert answer.headers["Content-Type"] == serve.CONTENT_TYPE
            return Scraped(await answer.text())

    async def until(self, so: Callable[[Scraped], object]) -> Scraped:
        """Scrapes again and again until it is so."""
        async with asyncio.timeout(_LIMIT_S):
            while not so(scraped := await self.scrape()):
                pass
        return scraped

    async def ready(self) -> None:
        async with asyncio.timeout(_LIMIT_S):
            while await self.status("/readyz") != 200:
                pass

    async def status(self, path: str) -> int:
        async with self.session.get(self.url + path) as answer:
            return answer.status


@asynccontextmanager
async def serving(namespace: str = "") -> AsyncIterator[Stage]:
    """Serves what is known, which is nothing yet; its clock stands still."""
    stages: list[Stage] = []
    exporter = serve.Exporter(State(namespace=namespace), clock=lambda: stages[0].now if stages else epoch(0))
    async with serve.listening(exporter, host="127.0.0.1", port=0) as port, aiohttp.ClientSession() as session:
        stages.append(Stage(exporter, f"http://127.0.0.1:{port}", session))
        yield stages[0]


@asynccontextmanager
async def following(cluster: Cluster, namespace: str = "") -> AsyncIterator[Stage]:
    """Serves and follows a cluster; what is there at the beginning is known."""
    async with serving(namespace) as stage:
        task = asyncio.create_task(stage.exporter.state.follow(cluster))
        try:
            await stage.ready()
            yield stage
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
