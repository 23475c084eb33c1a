"""Putting a fault on targets for a while: record → helper pods → inject → prove → hold → revert → verify.

One helper pod a node carries a *session*: it holds the fault until its time is over and undoes it by itself, whatever
becomes of us. Here it is only followed, through its log. What goes wrong here ends the sessions early; what goes wrong
there is undone by a second helper pod, and the run is an Error.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from litmus import api
from litmus.api import names
from litmus.faults import line
from litmus.kube import clock, errors, helpers, kinds, node_revert, report

from . import calling, verdicts
from .context import Context, finished, together
from .tunables import DURATION

if TYPE_CHECKING:
    from .declaration import Experiment

log = logging.getLogger(__name__)

# Beyond the hold: how long a helper may take to revert, to verify, and to say so, in seconds.
_REVERT_S = 30.0
# The longest that the proofs of a node may take, in seconds; the helper has the same bound.
_PROOF_S = 20.0
# Of a proof, as it comes and as a target has it.
_FIGURES = ("asked_value", "delivered_value", "unit")
# How a record is closed: its state, and the sentence that says why.
_UNTOUCHED = ("moot", "nothing had been changed")
_PUT_BACK = ("reverted", "put back by the helper, and nothing is left")
_GONE = ("moot", "the targets are gone, and the fault with them")


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """One thing that a fault shall hit, and how: keyword parameters of the mechanism, without the fault's id."""

    target: api.Target
    parameters: Mapping[str, Any]


@dataclass(slots=True, kw_only=True)
class _Session:
    """The helper pod of one node, and what it has said so far.

    ``undo`` is what the ledger has; ``ended``: nothing of the fault is there, and ``closing`` says why; ``closed``:
    its follower has looked after its end; ``open``: its record could not be closed; ``let_go``: when it was told to
    go, where nothing is heard of it meanwhile.
    """

    id: str
    node: str
    aims: Sequence[Aim]
    places: list[int]
    record: str
    undo: dict[str, Any]
    pod: str = ""
    ends: datetime = field(default_factory=lambda: datetime.now(UTC))
    ended: bool = True
    closed: bool = False
    open: bool = False
    closing: tuple[str, str] = _UNTOUCHED
    gone: set[int] = field(default_factory=set)
    let_go: datetime | None = None

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
    ``duration_s``: TOTAL_CHAOS_DURATION if it is not given. ``gone`` hears of each target that ended in the middle.
    Raises CannotRun when the fault could not be brought about, did not take effect, or was ended by somebody else; then
    too everything is put back.
    """
    # The rest of a chaos that goes on does not start its clock anew, nor does what is heard when all is over.
    leads = duration_s is None
    if duration_s is None:
        duration_s = float(context.values[DURATION])
    if not aims:
        raise verdicts.CannotRun("there is nothing to hit", code=verdicts.TARGET_SELECTION)
    image = await helpers.own_image(context.cluster, pod=context.setting.pod, namespace=context.setting.namespace)
    sessions = _sessions(context, experiment, aims)
    try:
        await _record(context, experiment, sessions, duration_s)
        shown = ", ".join(session.name(i) for session in sessions for i in range(len(session.aims)))
        await context.events.post(context.engine, "ChaosInject", f"Injecting {experiment.name} chaos on {shown}")
        proven = asyncio.Barrier(len(sessions))
        followers = [
            _Follower(
                context,
                experiment,
                session,
                image=image,
                hold_s=duration_s,
                silent=silent,
                leads=leads and not silent,
                gone=gone,
            )
            for session in sessions
        ]
        await together(follower.run(proven) for follower in followers)
    except BaseException:
        if untouched := [session.record for session in sessions if not session.closed]:
            with contextlib.suppress(errors.KubeError):  # the operator looks at what stays open
                await finished(context.moved(untouched, *_UNTOUCHED))
        raise


def _sessions(context: Context, experiment: "Experiment", aims: Sequence[Aim]) -> list[_Session]:
    per_node: dict[str, list[Aim]] = {}
    for aim in aims:
        per_node.setdefault(aim.target.node, []).append(aim)
    return [_session(context, experiment, node, group) for node, group in per_node.items()]


def _session(context: Context, experiment: "Experiment", node: str, aims: Sequence[Aim]) -> _Session:
    assert experiment.needs is not None
    id_ = names.random_suffix(10)
    return _Session(
        id=id_,
        node=node,
        aims=aims,
        places=[context.note(aim.target) for aim in aims],
        record=f"{experiment.mechanism}/{node}/{id_}",
        undo=node_revert.recipe(session=id_, mechanism=experiment.mechanism, needs=experiment.needs),
    )


async def _record(context: Context, experiment: "Experiment", sessions: list[_Session], duration_s: float) -> None:
    """The ledger, before anything is touched. The helper adds what it finds on the node before it changes anything."""
    deadline = clock.stamp(datetime.now(UTC) + timedelta(seconds=helpers.START_DEADLINE_S + duration_s))
    context.rounds += 1
    await context.results.record(
        api.Fault(
            id=session.record,
            mechanism=experiment.mechanism,
            node=session.node,
            targets=[_in_ledger(aim.target) for aim in session.aims],
            undo=session.undo,
            deadline=deadline,
        )
        for session in sessions
    )


def _in_ledger(target: api.Target) -> api.FaultTarget:
    return api.FaultTarget(
        name=target.name, namespace=target.namespace, uid=target.uid, container=target.container or ""
    )


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
        leads: bool,
        gone: Callable[[api.Target], object] | None,
    ) -> None:
        assert experiment.needs is not None
        self.context = context
        self.experiment = experiment
        self.session = session
        self.image = image
        self.hold_s = hold_s
        self.heard_after_s = hold_s + _REVERT_S if silent else 0.0
        self.secret = names.random_suffix(32) if silent else ""
        self.needs = experiment.needs
        self.leads = leads  # starts the clock of the chaos, also when it runs
        self.gone = gone
        self.stream = report.Stream(context.cluster, namespace=context.setting.namespace)
        self.limit = asyncio.timeout(None)

    async def run(self, proven: asyncio.Barrier) -> None:
        because: BaseException | None = None
        try:
            await self._carry_out(proven)
        except BaseException as error:  # noqa: BLE001 - raised again: whatever it is, the fault ends first
            because = error
        left, cancelled = await finished(self._end(proven if because else None))
        if because:
            raise _explained(because, self.session, left) from None
        if cancelled:
            raise cancelled
        if left:
            raise verdicts.CannotRun(left, code=verdicts.API)

    async def _carry_out(self, proven: asyncio.Barrier) -> None:
        await self.context.moment("recorded")
        await self._start()
        if self.secret:
            async with asyncio.timeout(helpers.START_DEADLINE_S) as self.limit:
                await self._until("planned")
                self.session.let_go = datetime.now(UTC)  # it goes before we hear that it does
                await self._call(line.GO)
            self.context.timeline.silenced(self.session.let_go.timestamp(), hold_s=self.hold_s)
            if self.context.step != "chaos":  # what comes of it may be heard only when all is over
                await self.context.start_chaos(self.hold_s)
        async with asyncio.timeout(helpers.START_DEADLINE_S + self.heard_after_s) as self.limit:
            await self._until("proven")
        place = await proven.wait()  # the clock of the chaos starts when the last node has the fault
        if place == 0 and (self.leads or self.context.step != "chaos"):
            await self.context.start_chaos(self.hold_s)
        async with asyncio.timeout(self.hold_s + helpers.START_DEADLINE_S) as self.limit:
            await self._until("reverted")
        await self.context.moment("reverted")

    async def _start(self) -> None:
        session = self.session
        request = {
            "mechanism": self.experiment.mechanism,
            "session": session.id,
            "hold_s": self.hold_s,
            "start_by": time.time() + helpers.START_DEADLINE_S,
            "linger": self.context.setting.linger,
            "secret": self.secret,
            "second": True,
            "targets": [
                {
                    "name": session.name(index),
                    "parameters": dict(aim.parameters) | {"fault_id": f"{session.id}-{index}"},
                }
                for index, aim in enumerate(session.aims)
            ],
        }
        standby = {key: request[key] for key in ("mechanism", "start_by")} | {"standby": session.id}
        pod = helpers.manifest(
            self.context.engine,
            experiment=self.experiment.name,
            node=session.node,
            image=self.image,
            request=request,
            standby=standby,
            needs=self.needs,
            hold_s=self.hold_s,
            session=session.id,
        )
        session.pod = self.stream.pod = pod["metadata"]["name"]
        session.ended = False
        try:
            await helpers.create(self.context.cluster, pod, namespace=self.context.setting.namespace)
        except (errors.Forbidden, errors.Invalid):
            session.ended = True
            raise

    async def _call(self, word: str) -> None:
        context = self.context
        await calling.call(
            context.cluster, self.session.pod, word, namespace=context.setting.namespace, secret=self.secret
        )

    async def _until(self, wanted: str) -> None:
        """Follows the helper's words until the wanted one. Raises CannotRun when it says that it can't."""
        async with aclosing(self.stream.events()) as events:
            async for event in events:
                await self._note(event)
                if event["event"] == wanted:
                    return
        raise verdicts.CannotRun(
            f"helper pod {self.session.pod} on node {self.session.node} ended before it said {wanted!r}: "
            f"{self.stream.why_ended or 'nobody says why'}",
            code=verdicts.HELPER,
        )

    async def _note(self, event: dict[str, Any]) -> None:
        context, session = self.context, self.session
        match event["event"]:
            case "planned":
                session.undo = session.undo | {"recipes": [entry["undo"] for entry in event["plans"]]}
                await context.results.amend(session.record, undo=session.undo)
            case "injected":
                for place in session.places:
                    context.measured(place, injected_at=clock.stamp(session.let_go))
                session.ends = datetime.now(UTC) + timedelta(seconds=self.hold_s)
                deadline = session.ends + timedelta(seconds=_PROOF_S)  # a short fault may be over before it is proven
                await context.results.amend(session.record, deadline=clock.stamp(deadline))
                await context.moved([session.record], "injected")
            case "proven":
                for entry in event["proofs"]:
                    figures = {name: entry[name] for name in _FIGURES if name in entry}
                    context.measured(session.places[entry["index"]], delivered=entry["delivered"], **figures)
                deadline = max(session.ends, datetime.now(UTC))
                await context.results.amend(session.record, deadline=clock.stamp(deadline))
                await context.moved([session.record], "proven")
            case "gone":
                session.gone.add(event["index"])
                context.measured(session.places[event["index"]], delivered=f"{event['why']}; nothing left to undo")
                if self.gone:
                    self.gone(session.aims[event["index"]].target)
            case report.UNREADABLE:  # then only the last words are heard, when all is over
                now = asyncio.get_running_loop().time()
                self.limit.reschedule(now + helpers.START_DEADLINE_S + self.hold_s + _REVERT_S)
            case "stuck":
                raise verdicts.CannotRun(event["why"], code=verdicts.HELPER)
            case "failed" | "refused" | "reverted" as how:
                self._heard_the_end(how)
                if how != "reverted":
                    raise verdicts.CannotRun(event["why"], code=verdicts.INJECT)

    def _heard_the_end(self, how: str) -> None:
        session = self.session
        session.ended = True
        if how != "refused":
            session.closing = _GONE if len(session.gone) == len(session.aims) else _PUT_BACK

    async def _end(self, awaited: asyncio.Barrier | None) -> str:
        """Closes the record; ends the fault, if it is not over, by its helper if that can, else by a second one.

        Returns what is to be said of it. If neither can, the record stays open and the reaper goes on. Who waits for
        us at the barrier ``awaited`` is released from it.
        """
        if awaited:
            await awaited.abort()
        session, context, namespace = self.session, self.context, self.context.setting.namespace
        said, session.closed = "", True
        try:
            if not session.ended:
                await self._ask()
            if not session.ended:
                done = await node_revert.revert(
                    context.cluster,
                    undo=session.undo,
                    node=session.node,
                    image=self.image,
                    namespace=namespace,
                    pod_namespace=namespace,
                    metadata=helpers.metadata(context.engine, experiment=self.experiment.name),
                )
                said = done.message
                session.closing = ("moot" if done.moot else "reverted", said)
            await context.moved([session.record], *session.closing)
        except errors.KubeError as error:
            log.error("a fault is not undone, the operator goes on", extra={"fault": session.record, "why": str(error)})
            session.open = True
            return f"the operator goes on with {session.record}: {error}"
        if session.pod:
            with contextlib.suppress(errors.KubeError):  # else it goes with its owner
                await context.cluster.delete(kinds.POD, session.pod, namespace=namespace, grace_s=0)
        return said

    async def _ask(self) -> None:
        """Ends the helper pod, which reverts on SIGTERM; its last words tell whether it did."""
        if self.secret:
            try:
                await self._call(line.STOP)  # its kubelet can't tell it to end
            except errors.KubeError as error:
                log.warning("the helper can't be called", extra={"pod": self.session.pod, "why": str(error)})
        await self.context.cluster.delete(kinds.POD, self.session.pod, namespace=self.context.setting.namespace)
        try:
            async with asyncio.timeout(_REVERT_S), aclosing(self.stream.events()) as events:
                async for event in events:
                    if event["event"] in ("failed", "refused", "reverted"):
                        self._heard_the_end(event["event"])
                    if event["event"] in ("failed", "refused", "reverted", "stuck"):
                        return
        except (TimeoutError, errors.KubeError) as error:
            log.warning("the helper does not tell how it ended", extra={"pod": self.session.pod, "why": str(error)})


def _explained(error: BaseException, session: _Session, left: str) -> BaseException:
    """The error in a sentence, with what became of the fault; a cancelled run stays one if all is undone."""
    code = verdicts.HELPER
    match error:
        case TimeoutError():
            sentence = f"helper pod {session.pod} on node {session.node} did not get the fault done in time"
            code = verdicts.TIMEOUT
        case asyncio.BrokenBarrierError():
            return asyncio.CancelledError()
        case errors.KubeError():
            sentence = f"helper pod on node {session.node}: {error}"
        case verdicts.CannotRun():
            sentence, code = str(error), error.code
        case asyncio.CancelledError() if session.open:
            sentence, code = "the run was stopped, but its fault is not undone", verdicts.API
        case _:
            return error
    return verdicts.CannotRun("; ".join(filter(None, [sentence, left])), code=code)
