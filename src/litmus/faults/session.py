"""A session: one mechanism on the targets of one node, from the plan to the last look, in a helper pod.

    plan all → journal → guardian → inject → prove → hold, looking after it → revert → look whether anything is left

What is said goes to the log as JSON lines that the experiment follows; the last words are the termination
message. SIGTERM ends the hold at once. Whatever fails on the way, everything is undone - also what failed half-way.
"""

import os
import select
import signal
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

from . import guardian, journal, line, moments, standby, undoing
from .contract import Fault, FaultError, TargetGoneError, Undo

R = TypeVar("R")
Say = Callable[..., None]

REVERTED, FAILED, STUCK = 0, 2, 3
_TEND_S = 1.0
# The experiment takes a longer silence for a dead connection.
_SIGN_OF_LIFE_S = 5.0
_PATIENCE_S = 15.0
# The longest that all injections of a node may take, in seconds.
_INJECTION_S = 60.0
# The longest that the proofs of a node may take.
_PROOF_S = 20.0
_AT_ONCE = 16
# How long an experiment may take to learn the address of its helper and to call it.
_GO_S = 30.0


class _Stopped(FaultError):
    """SIGTERM: whoever started us wants the fault to end."""

    def __init__(self) -> None:
        super().__init__("the helper was ended from outside before the fault's time was over")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a helper is asked for. ``start_by``: Unix time after which nothing may be changed any more."""

    session: str
    mechanism: type[Fault]
    faults: Sequence[tuple[str, Fault]]
    mechanism_name: str = ""
    hold_s: float
    start_by: float
    linger: str = ""
    standby: bool = False  # whether the helper pod has a second container, which is waited for
    secret: str = ""  # of the line on which it is told to go, and to stop, where the fault silences the node


@dataclass(slots=True)
class Session:
    """One run of a request. ``say(event, **what)`` tells the experiment."""

    request: Request
    say: Say
    watch: Callable[..., guardian.Guardian] = guardian.Guardian.start
    _guard: guardian.Guardian | None = None
    _watched: standby.Watched | None = None
    _bell: tuple[int, int] = field(default_factory=os.pipe)
    _line: line.Line | None = None
    _stopped: bool = False
    _told_to_go: bool = False

    def run(self) -> int:
        """The exit status: 0 done and reverted, 2 it could not be done and is reverted, 3 something is left."""
        self._listen()
        try:
            if self.request.secret:
                self._line = line.Line(self.request.secret)
            if self.request.standby:
                self._watched = standby.Watched(self.request.session)
                self._watched.await_standby(until=self.request.start_by, check=self._check)
            recipes = self._plan()
        except Exception as error:  # noqa: BLE001 - also a defect is told: nothing was touched yet
            self.say("refused", why=_why(error))
            return FAILED
        request = self.request
        try:
            journal.write(request.session, mechanism=request.mechanism_name, recipes=recipes)
            self._guard = self.watch(
                request.mechanism,
                recipes,
                session=request.session,
                until=guardian.now() + request.hold_s + _INJECTION_S,
                keep=[self._watched.fileno()] if self._watched else [],
            )
        except FaultError as error:
            journal.remove(request.session)
            self.say("refused", why=_why(error))
            return FAILED
        return self._carry_out(recipes, self._guard)

    def _carry_out(self, recipes: list[tuple[str, Undo]], guard: guardian.Guardian) -> int:
        failure = ""
        try:
            self._linger("planned")
            self._await_go()
            self._inject()
            until = guardian.now() + self.request.hold_s
            guard.extend(until + _PROOF_S)  # a short fault may be over before it is proven
            self._prove()
            until = max(until, guardian.now())
            guard.extend(until)
            self._hold(until)
            self._linger("reverting")
        except Exception as error:  # noqa: BLE001 - raised again as words, after the fault has ended
            failure = _why(error)
        guard.reverting()
        left = undoing.undo(self.request.mechanism, recipes, patience_s=_PATIENCE_S, going_on=guard.reverting)
        if left:
            # The guardian sees us go and goes on trying.
            self.say("stuck", why="; ".join([*filter(None, [failure]), *(f"{name}: {left[name]}" for name in left)]))
            return STUCK
        journal.remove(self.request.session)
        guard.stand_down()
        if self._watched:
            self._watched.end()
        if failure:
            self.say("failed", why=failure, reverted=True)
            return FAILED
        self.say("reverted")
        return REVERTED

    def _plan(self) -> list[tuple[str, Undo]]:
        plans = self._all(lambda fault: fault.plan())
        recipes = [_as_kept(plan.undo) for plan in plans]
        if (late_s := time.time() - self.request.start_by) > 0:
            raise FaultError(
                f"the helper is {late_s:.0f} s too late: who asked for the fault has given it up, "
                "or the clocks of the nodes differ"
            )
        self._check()
        names = [name for name, _ in self.request.faults]
        self.say(
            "planned",
            plans=[
                {"name": name, "changes": plan.changes, "undo": undo}
                for name, plan, undo in zip(names, plans, recipes, strict=True)
            ],
        )
        return list(zip(names, recipes, strict=True))

    def _await_go(self) -> None:
        """Where only the line will do: until the experiment has called, which tells that it can."""
        give_up = guardian.now() + _GO_S
        while self._line and not self._told_to_go:
            left = give_up - guardian.now()
            if left <= 0:
                raise FaultError(
                    f"the experiment did not call within {_GO_S:g} s, so it could not end the fault early either; "
                    f"allow TCP port {line.PORT} from its pod to the helper's"
                )
            self._rest(left)

    def _inject(self) -> None:
        for number, (name, fault) in enumerate(self.request.faults):
            self._check()
            try:
                fault.inject()
            except FaultError as error:
                raise FaultError(f"{name}: {error}") from error
            if number == 0:
                self._linger("injecting")
        self.say("injected")
        self._linger("injected")

    def _prove(self) -> None:
        self._check()
        proofs = self._all(lambda fault: fault.prove())
        self._check()
        names = [name for name, _ in self.request.faults]
        shown = [
            {"index": index, "name": name, **proof.as_json()}
            for index, (name, proof) in enumerate(zip(names, proofs, strict=True))
        ]
        missed = [
            f"{name}: asked {proof.asked}, delivered {proof.delivered}"
            for name, proof in zip(names, proofs, strict=True)
            if not proof.holds
        ]
        if missed:
            raise FaultError(f"the fault did not take effect on {len(missed)} of {len(proofs)}: {'; '.join(missed)}")
        self.say("proven", proofs=shown)

    def _hold(self, until: float) -> None:
        """Looks after the fault until its time is over, or nothing is left that could be hit."""
        alive = dict(enumerate(self.request.faults))
        said_at = guardian.now()
        while alive and (left := until - guardian.now()) > 0:
            self._rest(min(left, _TEND_S))
            if self._guard:
                self._guard.check()
            for index, (name, fault) in list(alive.items()):
                self._check()
                if guardian.now() >= until:  # many targets on a slow node: the guardian would take us for dead
                    return
                try:
                    fault.tend()
                except TargetGoneError as error:
                    self.say("gone", index=index, name=name, why=str(error))
                    del alive[index]
                except FaultError as error:
                    raise FaultError(f"{name}: {error}") from error
            if guardian.now() - said_at >= _SIGN_OF_LIFE_S:
                said_at = guardian.now()
                self.say("holding", left_s=round(until - said_at, 1))

    def _all(self, work: Callable[[Fault], R]) -> list[R]:
        """The same on all targets at a time: a measurement takes seconds, and targets may be many."""

        def one(target: tuple[str, Fault]) -> R:
            name, fault = target
            try:
                return work(fault)
            except FaultError as error:
                raise FaultError(f"{name}: {error}") from error

        targets = self.request.faults
        if len(targets) == 1:
            return [one(targets[0])]
        with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
            return list(pool.map(one, targets))

    def _linger(self, moment: str) -> None:
        if seconds := moments.linger_s(self.request.linger, moment):
            self.say("lingering", moment=moment)
            self._rest(seconds)

    def _listen(self) -> None:
        def stop(*_: object) -> None:
            self._stopped = True

        for end in self._bell:
            os.set_blocking(end, False)
        signal.set_wakeup_fd(self._bell[1])
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)

    def _rest(self, seconds: float) -> None:
        """Waits; an order to stop ends it at once, a call for a moment. Raises _Stopped."""
        self._check()
        bell, calls = self._bell[0], self._line.fileno() if self._line else -1
        ready, _, _ = select.select([bell, calls] if self._line else [bell], [], [], seconds)
        if self._line and calls in ready:
            word = self._line.hear()
            self._stopped |= word == line.STOP
            self._told_to_go |= word == line.GO
        self._check()

    def _check(self) -> None:
        if self._stopped:
            raise _Stopped


def _as_kept(value: Any) -> Any:
    """A recipe as the ledger keeps it: without its nulls. Everybody goes by the same one, from the first revert on."""
    if isinstance(value, dict):
        return {key: _as_kept(inner) for key, inner in value.items() if inner is not None}
    return [_as_kept(inner) for inner in value] if isinstance(value, list | tuple) else value


def _why(error: Exception) -> str:
    if isinstance(error, FaultError | ValueError) and str(error):
        return str(error)
    return f"defect: {type(error).__name__}: {error}"


def revert(
    mechanism: type[Fault], session: str, recipes: Sequence[Undo], *, patience_s: float = _PATIENCE_S
) -> tuple[str, dict[str, Any]]:
    """Undoes a session whose helper died; how it was found, and what is left by target."""
    try:
        found = journal.read(session)
    except FaultError:
        if not recipes:
            raise
        found = None  # the ledger knows the way, too
    known = found if found is not None else [(f"target {index}", undo) for index, undo in enumerate(recipes)]
    left = undoing.undo(mechanism, known, patience_s=patience_s)
    if not left:
        journal.remove(session)
    if not known:
        return "nothing had been changed yet", left
    return "put back by a second helper", left
