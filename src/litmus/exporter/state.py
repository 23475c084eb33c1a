"""What is known of the cluster: engines, results and experiments, kept by watches, and how well each can be read.

A source that can't be read - its definition is missing, the role may not list it, the server is down - is empty, says
so once in the log and in ``up``, and is tried again until it answers: the exporter never ends for it. After an outage
the difference to what was known before is told like any other change, so that nothing that was counted is lost.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Protocol, TypeVar

from litmus.api import ObjectMeta
from litmus.kube import Cluster, errors, kinds
from litmus.kube.cluster import WATCH_S

from . import seen, wire

log = logging.getLogger(__name__)


class _Object(Protocol):
    @property
    def metadata(self) -> ObjectMeta: ...


class _Kept(Protocol):
    @property
    def uid(self) -> str: ...


W = TypeVar("W", bound=_Object)
S = TypeVar("S", bound=_Kept)

# How often a kind is listed that the role may not watch.
POLL_S = 5.0
# Between two tries of a source that can't be read.
RETRY_S = (1.0, 2.0, 5.0, 10.0)
# The server ends every stream before that, and the client opens the next one by itself.
_SILENCE_S = WATCH_S + 10.0

# What was known, what is known now: None where it is not, or no more.
Changed = Callable[[S | None, S | None], None]


@dataclass(slots=True)
class Source(Generic[W, S]):
    """One kind of object. ``tells`` hears of every change after the first full look (``known`` is filled by then)."""

    kind: kinds.Kind[W]
    read: Callable[[W], S]
    tells: list[Changed[S]] = field(default_factory=list)
    known: dict[str, S] = field(default_factory=dict)
    up: bool = False
    tried: bool = False
    looked: bool = False
    failures: int = 0

    async def follow(self, cluster: Cluster, *, namespace: str) -> None:
        """Keeps ``known`` up to date for ever."""
        while True:
            try:
                await self._look(cluster, namespace)
            except errors.Expired:
                continue
            except errors.KubeError as error:
                self._failed(error)
                await asyncio.sleep(RETRY_S[min(self.failures, len(RETRY_S)) - 1])

    async def _look(self, cluster: Cluster, namespace: str) -> None:
        """A full look, and the changes after it as long as they can be watched."""
        where = namespace or "*"
        items, version = await cluster.select_with_version(self.kind, namespace=where)
        self._replace(items)
        del items  # while changes are waited for, only what is kept of them stays
        while True:
            try:
                version = await self._watch(cluster, where, version)
            except errors.Forbidden:
                await asyncio.sleep(POLL_S)
                return

    async def _watch(self, cluster: Cluster, where: str, version: str) -> str:
        """Follows the changes after a version until nothing is heard for too long; returns the last one heard of."""
        clock = asyncio.get_running_loop().time
        changes = cluster.watch(self.kind, namespace=where, version=version)
        try:
            async with aclosing(changes), asyncio.timeout(_SILENCE_S) as limit:
                async for change, item in changes:
                    limit.reschedule(clock() + _SILENCE_S)
                    version = item.metadata.resource_version or version
                    self._note(self.read(item), gone=change == "DELETED")
        except TimeoutError:
            pass  # a quiet cluster, or a dead connection: nobody can tell, so it is opened anew
        return version

    def _replace(self, items: list[W]) -> None:
        found = {kept.uid: kept for kept in map(self.read, items)}
        before, first = self.known, not self.looked
        self.known = found
        self._works()
        self.looked = True
        if first:
            for kept in found.values():
                self._tell(kept, kept)
            return
        for uid, kept in before.items():  # first: another one of the same name may have taken its place
            if uid not in found:
                self._tell(kept, None)
        for uid, kept in found.items():
            self._tell(before.get(uid), kept)

    def _note(self, item: S, *, gone: bool) -> None:
        before = self.known.pop(item.uid, None)
        if not gone:
            self.known[item.uid] = item
        if before is not None or not gone:
            self._tell(before, None if gone else item)

    def _tell(self, before: S | None, now: S | None) -> None:
        for tell in self.tells:
            tell(before, now)

    def _works(self) -> None:
        if self.failures:
            log.warning("%s can be read again: there are %d", self.kind.plural, len(self.known))
        self.up, self.tried, self.failures = True, True, 0

    def _failed(self, error: errors.KubeError) -> None:
        """Says so, once as long as it lasts."""
        self.failures += 1
        self.up, self.tried = False, True
        sentence = str(error)
        if isinstance(error, errors.NotFound):
            self._forget()  # their definition is gone, and they went with it
            sentence += "; install the definitions with litmus install"
        elif isinstance(error, errors.Forbidden):
            sentence += f"; give the account of the exporter the verbs list and watch on {self.kind.plural}"
        if self.failures == 1:
            log.warning("%s can't be read, which is tried again and again: %s", self.kind.plural, sentence)

    def _forget(self) -> None:
        before, self.known = self.known, {}
        for kept in before.values():
            self._tell(kept, None)


@dataclass(frozen=True, slots=True)
class Installed:
    """A ChaosExperiment."""

    uid: str
    namespace: str
    name: str


def _engines() -> Source[wire.Engine, seen.Engine]:
    return Source(replace(_any(kinds.ENGINE), type=wire.Engine), seen.engine)


def _results() -> Source[wire.Result, seen.Result]:
    return Source(replace(_any(kinds.RESULT), type=wire.Result), seen.result)


def _experiments() -> Source[wire.Experiment, Installed]:
    return Source(
        replace(_any(kinds.EXPERIMENT), type=wire.Experiment),
        lambda read: Installed(read.metadata.uid, read.metadata.namespace, read.metadata.name),
    )


def _any(kind: kinds.Kind[Any]) -> kinds.Kind[Any]:
    return kind


@dataclass(slots=True)
class State:
    """Everything that is known. ``namespace=''`` is the whole cluster."""

    namespace: str = ""
    engines: Source[wire.Engine, seen.Engine] = field(default_factory=_engines)
    results: Source[wire.Result, seen.Result] = field(default_factory=_results)
    experiments: Source[wire.Experiment, Installed] = field(default_factory=_experiments)

    @property
    def sources(self) -> tuple[Source[Any, Any], ...]:
        return self.engines, self.results, self.experiments

    @property
    def ready(self) -> bool:
        """Whether every source was tried: what can't be read does not keep the rest from being scraped."""
        return all(source.tried for source in self.sources)

    async def follow(self, cluster: Cluster) -> None:
        """Keeps all of it up to date for ever."""
        async with asyncio.TaskGroup() as group:
            for source in self.sources:
                group.create_task(source.follow(cluster, namespace=self.namespace))
