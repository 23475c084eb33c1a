"""Keeps the objects that are shown, by watch or by listing, and says why when a cluster does not give them.

Nothing here ends the view: a cluster that restarts, definitions that are installed later and a role that is granted
later are met by asking again.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any, TypeVar

from litmus.kube import Cluster, errors, kinds, waiting
from litmus.kube.kinds import Kind

from .rows import Seen

T = TypeVar("T")

_KINDS: tuple[Kind[Any], ...] = (kinds.ENGINE, kinds.RESULT, kinds.SCHEDULE)
AGAIN_S = 1.0


class Watching:
    """The engines, results and schedules of a namespace; '' for all. ``changed`` is set at every news."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self.changed = asyncio.Event()
        self._cluster = cluster
        self._namespace = namespace
        self._objects: dict[str, list[Any]] = {}
        self._at: dict[str, datetime] = {}  # when they were last heard of
        self._errors: dict[str, errors.KubeError] = {}
        self._tasks: list[asyncio.Task[None]] = []

    @contextlib.asynccontextmanager
    async def going(self) -> AsyncIterator[None]:
        """Watches for as long as the block lasts."""
        self._tasks = [asyncio.create_task(self._follow(kind)) for kind in _KINDS]
        for task in self._tasks:
            task.add_done_callback(lambda _: self.changed.set())
        try:
            yield
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def complete(self) -> bool:
        """Whether each kind has answered or failed."""
        return all(kind.plural in self._objects or kind.plural in self._errors for kind in _KINDS)

    @property
    def nothing(self) -> errors.KubeError | None:
        """The first error, if no kind could be had at all."""
        return next(iter(self._errors.values()), None) if not self._objects else None

    def seen(self) -> Seen:
        """What is known now. Raises what ended a watch, which is a defect."""
        for task in self._tasks:
            if task.done() and not task.cancelled():
                task.result()
        return Seen(
            namespace=self._namespace,
            engines=self._of(kinds.ENGINE),
            results=self._of(kinds.RESULT),
            schedules=self._of(kinds.SCHEDULE),
            troubles=list(self._troubles()),
        )

    def _of(self, kind: Kind[T]) -> list[T]:
        return self._objects.get(kind.plural, [])

    async def _follow(self, kind: Kind[Any]) -> None:
        while True:
            try:
                states = waiting.follow(self._cluster, kind, namespace=self._namespace or "*")
                async with contextlib.aclosing(states):
                    async for objects in states:
                        self._objects[kind.plural] = objects
                        self._at[kind.plural] = datetime.now().astimezone()
                        self._errors.pop(kind.plural, None)
                        self.changed.set()
            except errors.KubeError as error:
                if isinstance(error, errors.NotFound):
                    self._objects.pop(kind.plural, None)  # without their definition there are none
                self._errors[kind.plural] = error
                self.changed.set()
            await asyncio.sleep(AGAIN_S)

    def _troubles(self) -> list[str]:
        """A sentence for each cause, whichever kinds it concerns."""
        found = []
        if undefined := self._with(errors.NotFound):
            found.append(f"not defined in this cluster: {_listed(undefined)}; litmus install brings them")
        if forbidden := self._with(errors.Forbidden):
            remedy = "" if self._namespace else "; with -n NAMESPACE only that one is asked for"
            found.append(f"not allowed to list {_listed(forbidden)}{remedy} ({self._errors[forbidden[0]]})")
        others = [plural for plural in self._errors if plural not in (*undefined, *forbidden)]
        if others:
            known = [self._at[plural] for plural in others if plural in self._objects]
            since = f"shown is the state of {min(known):%H:%M:%S}; " if known else ""
            found.append(f"the cluster does not answer; {since}it is asked again ({self._errors[others[0]]})")
        return found

    def _with(self, cause: type[errors.KubeError]) -> list[str]:
        return [plural for plural, error in self._errors.items() if isinstance(error, cause)]


def _listed(plurals: Sequence[str]) -> str:
    order = [kind.plural for kind in _KINDS]
    return ", ".join(sorted(plurals, key=order.index))


async def either(*events: asyncio.Event, timeout_s: float | None = None) -> None:
    """Returns when one of them is set, or after the time."""
    tasks = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(tasks, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
