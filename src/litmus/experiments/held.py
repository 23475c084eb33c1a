"""Putting a fault on targets for a while: record → helper pods → inject → prove → hold → revert → verify.

One helper pod a node carries a *session*: it holds the fault until its time is over and undoes it by itself, whatever
becomes of us. Here it is only followed, through its log. What goes wrong here ends the sessions early; what goes wrong
there is undone by a second helper pod, and the run is an Error.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from litmus import api
from litmus.api import names
from litmus.kube import clock, errors, helpers, kinds, node_revert, report

from . import verdicts
from .context import Context, together
from .tunables import DURATION

if TYPE_CHECKING:
    from .declaration import Experiment

log = logging.getLogger(__name__)

# Beyond the hold: how long a helper may take to revert, to verify, and to say so, in seconds.
_REVERT_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """One thing that a fault shall hit, and how: keyword parameters of the mechanism, without the fault's id."""

    target: api.Target
    parameters: Mapping[str, Any]


@dataclass(slots=True, kw_only=True)
class _Session:
    """The helper pod of one node, and what it has said so far."""

    id: str
    node: str
    aims: Sequence[Aim]
    places: list[int]
    record: str = ""
    pod: str = ""
    proven: bool = False
    ended: bool = False
    gone: set[str] = field(default_factory=set)

    def name(self, index: int) -> str:
        """How the helper calls a target in its report."""
        target = self.aims[index].target
        return f"{target.name}/{target.container}" if target.container else target.name


async def hold(
    context: Context,
    experiment: "Experiment",
    aims: Sequence[Aim],
    *,
    silent: bool = False,
    duration_s: float | None = None,
    gone: Callable[[api.Target], object] | None = None,
) -> None:
    """Holds a fault on all aims, and returns when everything is put back and verified.

    ``silent``: the fault silences its node, so that nothing can be heard of its helper before it is over.
    ``duration_s``: TOTAL_CHAOS_DURATION if it is not given. ``gone`` hears of each target that ended in the middle of it.
    Raises CannotRun when the fault could not be brought about, did not take effect, or was ended by somebody else; then
    too everything is put back.
    """
    if duration_s is None:
        duration_s = float(context.values[DURATION])
    image = await helpers.own_image(context.cluster, pod=context.setting.pod, namespace=context.setting.namespace)
    sessions = _sessions(context, aims)
    await _record(context, experiment, sessions, duration_s)
    await context.moment("recorded")
    shown = ", ".join(session.name(i) for session in sessions for i in range(len(session.aims)))
    await context.events.post(context.engine, "ChaosInject", f"Injecting {experiment.name} chaos on {shown}")
    proven = asyncio.Barrier(len(sessions))
    followers = [
        _Follower(context, experiment, session, image=image, hold_s=duration_s, silent=silent, gone=gone)
        for session in sessions
    ]
    await together(follower.run(proven) for follower in followers)


def _sessions(context: Context, aims: Sequence[Aim]) -> list[_Session]:
    per_node: dict[str, list[Aim]] = {}
    for aim in aims:
        per_node.setdefault(aim.target.node, []).append(aim)
    return [
        _Session(
            id=names.random_suffix(10),
            node=node,
            aims=group,
            places=[context.note(aim.target) for aim in group],
        )
        for node, group in per_node.items()
    ]


async def _record(context: Context, experiment: "Experiment", sessions: list[_Session], duration_s: float) -> None:
    """The ledger, before anything is touched. The helper adds what it finds on the node before it changes anything."""
    assert experiment.needs is not None
    deadline = datetime.now(UTC) + timedelta(seconds=helpers.START_DEADLINE_S + duration_s)
    faults = []
    for session in sessions:
        session.record = f"{experiment.mechanism}/{session.node}/{session.id}"
        faults.append(
            api.Fault(
                id=session.record,
                mechanism=experiment.mechanism,
                node=session.node,
                targets=[
                    api.FaultTarget(
                        name=aim.target.name,
                        namespace=aim.target.namespace,
                        uid=aim.target.uid,
                        container=aim.target.container or "",
                    )
                    for aim in session.aims
                ],
                undo=node_revert.recipe(session=session.id, mechanism=experiment.mechanism, needs=experiment.needs),
                deadline=clock.stamp(deadline),
            )
        )
    context.rounds += 1
    await context.results.record(faults)


class _Follower:
    """Runs one session to its end."""

    def __init__(
        self,
        context: Context,
        experiment: "Experiment",
        session: _Session,
        *,
        image: helpers.Image,
        hold_s: float,
        silent: bool,
        gone: Callable[[api.Target], object] | None,
    ) -> None:
        assert experiment.needs is not None
        self.context = context
        self.experiment = experiment
        self.session = session
        self.image = image
        self.hold_s = hold_s
        self.heard_after_s = hold_s + _REVERT_S if silent else 0.0
        self.needs = experiment.needs
        self.gone = gone

    async def run(self, proven: asyncio.Barrier) -> None:
        session, context = self.session, self.context
        stream = report.Stream(context.cluster, namespace=context.setting.namespace)
        try:
            session.pod = stream.pod = await self._start()
            async with asyncio.timeout(helpers.START_DEADLINE_S + self.heard_after_s):
                await self._until(stream, "proven")
            async with proven:  # the clock of the chaos starts when the fault holds everywhere
                pass
            await self._began()
            await asyncio.wait_for(self._until(stream, "reverted"), self.hold_s + helpers.START_DEADLINE_S)
            await self._reverted()
        except BaseException as error:  # noqa: BLE001 - raised again: also when the run is cancelled, the fault ends first
            await self._end(stream)
            raise _explained(error, session) from None
        finally:
            if session.pod and session.ended:
                await context.cluster.delete(kinds.POD, session.pod, namespace=context.setting.namespace, grace_s=0)

    async def _start(self) -> str:
        session = self.session
        request = {
            "mechanism": self.experiment.mechanism,
            "session": session.id,
            "hold_s": self.hold_s,
            "start_by": time.time() + helpers.START_DEADLINE_S,
            "linger": self.context.setting.linger,
            "targets": [
                {
                    "name": session.name(index),
                    "parameters": dict(aim.parameters) | {"fault_id": f"{session.id}-{index}"},
                }
                for index, aim in enumerate(session.aims)
            ],
        }
        pod = helpers.manifest(
            self.context.engine,
            experiment=self.experiment.name,
            node=session.node,
            image=self.image,
            request=request,
            needs=self.needs,
            hold_s=self.hold_s,
            session=session.id,
        )
        made = await self.context.cluster.create(kinds.POD, pod, namespace=self.context.setting.namespace)
        return made.metadata.name

    async def _until(self, stream: report.Stream, wanted: str) -> None:
        """Follows the helper's words until the wanted one. Raises CannotRun when it says that it can't."""
        async for event in stream.events():
            await self._note(event)
            if event["event"] == wanted:
                return
        raise verdicts.CannotRun(
            f"helper pod {self.session.pod} on node {self.session.node} ended before it said {wanted!r}: "
            f"{stream.why_ended or 'nobody says why'}",
            code=verdicts.HELPER,
        )

    async def _note(self, event: dict[str, Any]) -> None:
        context, session = self.context, self.session
        match event["event"]:
            case "planned":
                recipe = node_revert.recipe(
                    session=session.id,
                    mechanism=self.experiment.mechanism,
                    needs=self.needs,
                    recipes=[entry["undo"] for entry in event["plans"]],
                )
                await context.results.amend(session.record, undo=recipe)
            case "injected":
                for place in session.places:
                    context.measured(place, injected_at=clock.stamp())
                deadline = datetime.now(UTC) + timedelta(seconds=self.hold_s)
                await context.results.amend(session.record, deadline=clock.stamp(deadline))
                await context.moved([session.record], "injected")
            case "proven":
                for entry in event["proofs"]:
                    place = session.places[entry["index"]]
                    context.measured(place, delivered=entry["delivered"])
                session.proven = True
                await context.moved([session.record], "proven")
            case "gone":
                session.gone.add(event["name"])
                context.measured(session.places[event["index"]], delivered=f"{event['why']}; nothing left to undo")
                if self.gone:
                    self.gone(session.aims[event["index"]].target)
            case "failed":
                session.ended = bool(event["reverted"])
                raise verdicts.CannotRun(event["why"], code=verdicts.INJECT)
            case "refused":
                session.ended = True
                raise verdicts.CannotRun(event["why"], code=verdicts.INJECT)
            case "reverted":
                session.ended = True

    async def _began(self) -> None:
        if self.context.step != "chaos":
            await self.context.start_chaos(self.hold_s)

    async def _reverted(self) -> None:
        session = self.session
        await self.context.moment("reverted")
        if len(session.gone) == len(session.aims):
            await self.context.moved([session.record], "moot", "the targets are gone, and the fault with them")
        else:
            await self.context.moved([session.record], "reverted", "put back by the helper, and nothing is left")

    async def _end(self, stream: report.Stream) -> None:
        """Ends the fault now, by the helper itself if it can, else by a second one; if neither can, the reaper goes on."""
        session, context = self.session, self.context
        try:
            if session.pod and not session.ended:
                await self._ask(stream)
            if session.ended:
                await context.moved([session.record], "reverted", "put back by the helper, and nothing is left")
                return
            done = await node_revert.revert(
                context.cluster,
                undo=await context.results.undo_of(session.record),
                node=session.node,
                image=self.image,
                namespace=context.setting.namespace,
                pod_namespace=context.setting.namespace,
                metadata=helpers.metadata(context.engine, experiment=self.experiment.name, session=session.id),
            )
            session.ended = True
            await context.moved([session.record], "moot" if done.moot else "reverted", done.message)
        except (errors.KubeError, TimeoutError) as error:
            log.error(
                "a fault could not be undone, the operator goes on", extra={"fault": session.record, "why": str(error)}
            )

    async def _ask(self, stream: report.Stream) -> None:
        """Ends the helper pod, which reverts on SIGTERM; its last words tell whether it did."""
        await self.context.cluster.delete(kinds.POD, self.session.pod, namespace=self.context.setting.namespace)
        try:
            async with asyncio.timeout(_REVERT_S):
                async for event in stream.events():
                    if event["event"] in ("reverted", "refused") or (event["event"] == "failed" and event["reverted"]):
                        self.session.ended = True
                        return
        except (TimeoutError, errors.KubeError):
            return


def _explained(error: BaseException, session: _Session) -> BaseException:
    match error:
        case TimeoutError():
            return verdicts.CannotRun(
                f"helper pod {session.pod} on node {session.node} did not get the fault done in time; it was ended",
                code=verdicts.TIMEOUT,
            )
        case asyncio.BrokenBarrierError():
            return asyncio.CancelledError()
        case errors.KubeError():
            return verdicts.CannotRun(f"helper pod on node {session.node}: {error}", code=verdicts.HELPER)
    return error
