"""What a sandbox is put to, and how long it takes: many pods, many objects, many watchers. Seconds throughout."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from sandbox_api import TABLE, Api
from table import NotMeasured

NAMESPACE = "bench"
_HERE = f"/api/v1/namespaces/{NAMESPACE}"
_DEPLOYMENTS = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"
_PODS_S = 180.0
_EVENT_S = 30.0
# A scheduler that nobody plays: such pods stay as they were created.
_NOBODY = "nobody"


async def prepare(api: Api) -> None:
    """The namespace, in which pods can be made: its service account is there."""
    await api.create("/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
    async with asyncio.timeout(_EVENT_S):
        while True:
            found, revision = await api.items(f"{_HERE}/serviceaccounts")
            if found:
                return
            async with aclosing(api.watch(f"{_HERE}/serviceaccounts", revision=revision)) as events:
                await anext(events)


@dataclass(slots=True)
class Pods:
    """The pods of the namespace as a watch tells them: name → phase."""

    phases: dict[str, str]

    def take(self, event: dict[str, Any]) -> None:
        name = event["object"]["metadata"]["name"]
        if event["type"] == "DELETED":
            self.phases.pop(name, None)
        else:
            self.phases[name] = event["object"].get("status", {}).get("phase", "")

    @property
    def running(self) -> int:
        return sum(phase == "Running" for phase in self.phases.values())


@asynccontextmanager
async def pods_running(api: Api, count: int) -> AsyncIterator[float]:
    """A Deployment of nginx behind a Service: how long from its creation until ``count`` pods were Running."""
    labels = {"app": "many"}
    container = {"name": "nginx", "image": "nginx"}
    deployment = {
        "metadata": {"name": "many"},
        "spec": {
            "replicas": count,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }
    service = {"metadata": {"name": "many"}, "spec": {"selector": labels, "ports": [{"port": 8080, "targetPort": 80}]}}
    await api.create(f"{_HERE}/services", service)
    yield await _timed(
        api, lambda: api.create(_DEPLOYMENTS, deployment), until=lambda pods: pods.running == count, what="run"
    )


async def pods_gone(api: Api) -> float:
    """How long from the deletion of that Deployment until its last pod was gone."""
    taken_s = await _timed(
        api,
        lambda: api.delete(f"{_DEPLOYMENTS}/many", propagationPolicy="Background"),
        until=lambda pods: not pods.phases,
        what="be gone",
    )
    await api.delete(f"{_HERE}/services/many")
    return taken_s


async def _timed(api: Api, act: Callable[[], Any], *, until: Callable[[Pods], bool], what: str) -> float:
    found, revision = await api.items(f"{_HERE}/pods")
    pods = Pods({pod["metadata"]["name"]: pod["status"]["phase"] for pod in found})
    began = time.perf_counter()
    try:
        async with asyncio.timeout(_PODS_S), aclosing(api.watch(f"{_HERE}/pods", revision=revision)) as events:
            await act()
            async for event in events:
                pods.take(event)
                if until(pods):
                    break
    except TimeoutError:
        tally = f"{pods.running} of {len(pods.phases)} run"
        raise NotMeasured(f"the pods did not {what} within {_PODS_S:g} s: {tally}") from None
    return time.perf_counter() - began


async def fill(api: Api, count: int) -> float:
    """``count`` ConfigMaps and as many pods that no node gets; how long the ConfigMaps took."""
    began = time.perf_counter()
    await api.create_all(f"{_HERE}/configmaps", (_config_map(number) for number in range(count)))
    taken_s = time.perf_counter() - began
    await api.create_all(f"{_HERE}/pods", (_pod(number) for number in range(count)))
    return taken_s


async def empty(api: Api) -> None:
    """Takes away what ``fill`` made."""
    for kind in ("configmaps", "pods"):
        await api.delete(f"{_HERE}/{kind}")


def _config_map(number: int) -> dict[str, Any]:
    return {"metadata": {"name": f"map-{number:05}", "labels": {"part": f"p{number % 10}"}}, "data": {"key": "value"}}


def _pod(number: int) -> dict[str, Any]:
    spec = {"schedulerName": _NOBODY, "containers": [{"name": "main", "image": "pause"}]}
    return {"metadata": {"name": f"still-{number:05}"}, "spec": spec}


async def lists(api: Api, kind: str, times: int, *, table: bool) -> tuple[list[float], int]:
    """How long each list of that kind took until its last byte, and how many bytes it has."""
    accept = TABLE if table else "application/json"
    taken, size = [], 0
    for _ in range(times + 1):
        began = time.perf_counter()
        size = len(await api.read(f"{_HERE}/{kind}", accept=accept))
        taken.append(time.perf_counter() - began)
    return taken[1:], size


async def gets(api: Api, times: int) -> list[float]:
    """How long it took to get one ConfigMap, one after the other over one connection."""
    taken = []
    for number in range(times + 1):
        began = time.perf_counter()
        await api.read(f"{_HERE}/configmaps/map-{number:05}")
        taken.append(time.perf_counter() - began)
    return taken[1:]


async def fan_out(api: Api, watchers: int, times: int) -> list[float]:
    """How long from one write until the last of the watchers, each with a connection of its own, had the event."""
    path = f"{_HERE}/configmaps"
    await api.create(path, {"metadata": {"name": "watched"}})
    _, revision = await api.items(path)
    audience = Audience(watchers)
    tasks = [asyncio.create_task(audience.follow(api, path, revision)) for _ in range(watchers)]
    try:
        async with asyncio.timeout(_EVENT_S):
            await audience.everybody("open")
            return [await _write(api, audience, str(number)) for number in range(times + 1)][1:]
    except TimeoutError:
        raise NotMeasured(f"not all of {watchers} watchers had an event within {_EVENT_S:g} s") from None
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError, NotMeasured):
                await task
        await api.delete(f"{path}/watched")


async def _write(api: Api, audience: "Audience", value: str) -> float:
    began = time.perf_counter()
    written = asyncio.create_task(api.merge(f"{_HERE}/configmaps/watched", {"data": {"value": value}}))
    await audience.everybody(value)
    taken_s = time.perf_counter() - began
    await written
    return taken_s


class Audience:
    """Counts who has seen what."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._seen: dict[str, int] = {}
        self._all: dict[str, asyncio.Event] = {}

    def saw(self, value: str) -> None:
        self._seen[value] = self._seen.get(value, 0) + 1
        if self._seen[value] == self.size:
            self._event(value).set()

    async def everybody(self, value: str) -> None:
        """Waits until each has seen the value."""
        await self._event(value).wait()

    def _event(self, value: str) -> asyncio.Event:
        return self._all.setdefault(value, asyncio.Event())

    async def follow(self, api: Api, path: str, revision: str) -> None:
        """One watcher."""
        async with aclosing(api.watch(path, revision=revision, opened=lambda: self.saw("open"))) as events:
            async for event in events:
                self.saw(event["object"].get("data", {}).get("value", ""))
