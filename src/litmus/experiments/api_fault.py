"""Putting a fault on objects of the cluster for a while: record → put → prove → hold → revert → verify.

What is changed through the API server needs no helper pod: the recipe in the ledger is all that a revert needs, by this
process or, if that dies, by the operator's reaper. Whatever ends the run - a failure half-way, an abort - the revert is
shielded from it and comes first.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from litmus import api
from litmus.api import names
from litmus.kube import Cluster, clock, errors, recipes

from . import verdicts
from .context import Context, finished

log = logging.getLogger(__name__)

# How often it is looked whether a fault still has its effect, in seconds.
_LOOK_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One object that is about to be changed. ``put`` makes the change that ``undo`` takes back."""

    target: api.Target
    undo: recipes.Undo
    put: Callable[[Cluster, recipes.Undo], Awaitable[object]]


def fault_id(context: Context) -> str:
    """A new id, by which a fault's marks are found again."""
    return f"{context.experiment}-{names.random_suffix(8)}"


@asynccontextmanager
async def changed(
    context: Context, changes: Sequence[Change], *, mechanism: str, limit_s: float
) -> AsyncIterator["Held"]:
    """Records the changes; what happens inside may put them; at the end all are taken back, and that is verified.

    ``limit_s``: until when all of it must be over if nothing is proven, in seconds. Raises CannotRun when something
    could not be taken back: its record stays open, and the operator goes on.
    """
    held = Held(context=context, changes=changes, mechanism=mechanism)
    await held.record(limit_s)
    because: BaseException | None = None
    try:
        await context.moment("recorded")
        yield held
        await context.moment("reverting")
    except BaseException as error:  # noqa: BLE001 - raised again, after the fault has ended
        because = error
    why, cancelled = await finished(held.revert())
    if why:
        was = f"; it was to be undone because of this: {because}" if because and str(because) else ""
        raise verdicts.CannotRun(f"{why}{was}", code=verdicts.API) from because
    if because or cancelled:
        raise because or cancelled or AssertionError


@dataclass(slots=True, kw_only=True)
class Held:
    """The changes of one run, from their records to their end."""

    context: Context
    changes: Sequence[Change]
    mechanism: str
    outcomes: list[recipes.Done] = field(default_factory=list)
    _ids: list[str] = field(default_factory=list)
    _places: list[int] = field(default_factory=list)

    async def record(self, limit_s: float) -> None:
        """One record for each object, before any is touched."""
        deadline = clock.stamp(datetime.now(UTC) + timedelta(seconds=limit_s))
        faults = [self._fault(change, deadline) for change in self.changes]
        self._ids = [fault.id for fault in faults]
        self._places = [self.context.note(change.target) for change in self.changes]
        await self.context.results.record(faults)

    def _fault(self, change: Change, deadline: str) -> api.Fault:
        target = change.target
        return api.Fault(
            id=f"{self.mechanism}/{target.name}/{names.random_suffix(8)}",
            mechanism=self.mechanism,
            node=target.node,
            targets=[api.FaultTarget(name=target.name, namespace=target.namespace, uid=target.uid)],
            undo=dict(change.undo),
            deadline=deadline,
        )

    async def inject(self) -> None:
        """Puts every change. Raises CannotRun when one can't be put; those before it are taken back too."""
        context = self.context
        shown = ", ".join(change.target.name for change in self.changes)
        await context.events.post(context.engine, "ChaosInject", f"Injecting {context.experiment} chaos on {shown}")
        for number, change in enumerate(self.changes):
            try:
                await change.put(context.cluster, change.undo)
            except (errors.Conflict, errors.NotFound) as error:
                raise verdicts.CannotRun(str(error), code=verdicts.INJECT) from error
            context.measured(self._places[number], injected_at=clock.stamp())
            if number == 0:
                await context.moment("injecting")
        await context.moved(self._ids, "injected")
        await context.moment("injected")

    async def proven(self, delivered: Sequence[str], *, hold_s: float) -> None:
        """What was measured of each, in their order; from now on it is held for so many seconds."""
        for place, measured in zip(self._places, delivered, strict=True):
            self.context.measured(place, delivered=measured)
        deadline = clock.stamp(datetime.now(UTC) + timedelta(seconds=hold_s))
        for id_ in self._ids:
            await self.context.results.amend(id_, deadline=deadline)
        await self.context.moved(self._ids, "proven")

    async def hold(self, lost: Callable[[], Awaitable[str]]) -> None:
        """Until the end of the chaos. Raises CannotRun with what ``lost`` says, as soon as it says something.

        When all chaos is stopped the operator undoes faults before their runs do; then the abort is waited for.
        """
        context = self.context
        while (left := context.chaos_ends - context.now) > 0:
            await context.hold(min(left, _LOOK_S))
            if (why := await lost()) and not await context.stopped():
                raise verdicts.CannotRun(f"the fault lost its effect: {why}", code=verdicts.INJECT)

    async def revert(self) -> str:
        """Takes every change back, whatever becomes of the others; why one could not be, '' if all were."""
        done = await asyncio.gather(*(self._undone(change) for change in self.changes), return_exceptions=True)
        failures = []
        for id_, outcome in zip(self._ids, done, strict=True):
            try:
                if isinstance(outcome, BaseException):
                    raise outcome
                self.outcomes.append(outcome)
                log.info("reverted", extra={"fault": id_, "said": outcome.message})
                await self.context.moment("reverted")
                await self.context.moved([id_], "moot" if outcome.moot else "reverted", outcome.message)
            except errors.KubeError as error:
                log.error("a fault could not be undone", extra={"fault": id_, "why": str(error)})
                failures.append(f"{id_} could not be undone, the operator goes on: {error}")
        return "; ".join(failures)

    async def _undone(self, change: Change) -> recipes.Done:
        """Takes one change back. Raises KubeError when it could not be."""
        done = await recipes.revert(self.context.cluster, change.undo)
        if left := await recipes.leftovers(self.context.cluster, change.undo):
            raise errors.Conflict(left)
        return done
