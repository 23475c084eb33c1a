"""The ChaosResult of a run: its one writer, and the ledger of faults inside it.

Every write is a merge patch that fails when somebody else wrote in between, and is then computed anew: the experiment,
the operator's reaper and ``litmus stop`` may all write, and a record must never be lost.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from litmus import api
from litmus.api import names
from litmus.api.result import ErrorOutput, ExperimentOutcome, History, Phase, Run

from . import clock, errors, findings, kinds
from .cluster import Cluster
from .findings import Findings

# etcd refuses objects over 1.5 MB and people read results: of a long run the latest targets stay.
MAX_TARGETS = 200
# Code of a verdict that was given for an experiment which could not give one.
NOT_RUN = "EXPERIMENT_NOT_RUN"

_PHASES: dict[api.Verdict, Phase] = {
    "Awaited": "Running",
    "Pass": "Completed",
    "Fail": "Completed",
    "Stopped": "Stopped",
    "Error": "Error",
}
_COUNTERS: dict[api.Verdict, str] = {
    "Pass": "passed_runs",
    "Fail": "failed_runs",
    "Stopped": "stopped_runs",
    "Error": "error_runs",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How a run ended. ``fail_step`` is a sentence; ``code`` is one of the stable codes of the reference, 5.4."""

    verdict: api.Verdict
    fail_step: str = "N/A"
    code: str = ""


def outcome(verdict: Verdict, *, percentage: str = "") -> ExperimentOutcome:
    """The 1.10 block of a finished run. Without probes the percentage is 100 on Pass, as in the original."""
    return ExperimentOutcome(
        phase=_PHASES[verdict.verdict],
        verdict=verdict.verdict,
        fail_step=verdict.fail_step,
        probe_success_percentage=percentage or ("100" if verdict.verdict == "Pass" else "0"),
        error_output=ErrorOutput(error_code=verdict.code, reason=verdict.fail_step) if verdict.code else None,
    )


def counted(history: History, verdict: api.Verdict) -> History:
    """The history with one more run that ended so."""
    field = _COUNTERS[verdict]
    return msgspec.structs.replace(history, **{field: getattr(history, field) + 1})


def runs(history: History) -> int:
    """How many runs have ended."""
    return history.passed_runs + history.failed_runs + history.stopped_runs + history.error_runs


class Results:
    """Reads and writes one ChaosResult."""

    def __init__(self, cluster: Cluster, *, namespace: str, engine: str, experiment: str, instance: str = "") -> None:
        self.cluster = cluster
        self.namespace = namespace
        self.name = names.result(engine, experiment, instance)
        self._spec = {"engine": engine, "experiment": experiment} | ({"instance": instance} if instance else {})
        self._seen: api.ChaosResult | None = None

    async def find(self) -> api.ChaosResult | None:
        return await self.cluster.find(kinds.RESULT, self.name, namespace=self.namespace)

    async def begin(self, *, engine_uid: str, pod: str) -> api.ChaosResult:
        """Verdict Awaited for a new run. History and open records of the ledger stay, the rest is of this run."""
        run = Run(engine_uid=engine_uid, number=1, pod=pod, step="starting", started_at=clock.stamp())
        if await self.find() is None:
            manifest = {
                "metadata": {"name": self.name, "labels": self._labels(engine_uid)},
                "spec": self._spec,
                "status": _status(outcome=ExperimentOutcome(), run=run, history=History()),
            }
            try:
                self._seen = await self.cluster.create(kinds.RESULT, manifest, namespace=self.namespace)
                return self._seen
            except errors.Conflict:
                pass  # somebody created it in between: go on as for one that exists

        def restart(seen: api.ChaosResult) -> dict[str, Any]:
            number = runs(seen.status.history) + 1
            status = _status(
                outcome=ExperimentOutcome(),
                run=msgspec.structs.replace(run, number=number),
                history=seen.status.history,
                faults=[fault for fault in seen.status.faults if fault.open],
            )
            # A merge patch keeps what it does not name: errorOutput and the times of the last run are unset by null.
            status["experimentstatus"]["errorOutput"] = None
            status["experimentStatus"] = None
            status["impact"] = None
            status["run"] |= {"chaosStartedAt": None, "chaosEndsAt": None, "finishedAt": None}
            return {"metadata": {"labels": self._labels(engine_uid)}, "spec": self._spec, "status": status}

        return await self._update(restart)

    async def step(self, step: str, **times: str) -> None:
        """Where the run stands, for people who watch."""
        await self._update(lambda _: {"status": {"run": {"step": step, **times}}})

    async def probes(self, found: Findings) -> None:
        """What the probes have said so far, for people who watch."""
        await self._update(lambda _: {"status": findings.status(found)})

    async def record(self, faults: Iterable[api.Fault]) -> None:
        """Adds records, or replaces those with the same id. Their targets may be touched only after this returned."""
        new = {fault.id: msgspec.structs.replace(fault, updated_at=clock.stamp()) for fault in faults}

        def write(seen: api.ChaosResult) -> dict[str, Any]:
            # A closed record of a fault that had nothing to undo tells no more than the targets do.
            kept = [fault for fault in seen.status.faults if fault.id not in new and (fault.open or undoable(fault))]
            return ledger_patch(seen, [*kept, *new.values()])

        await self._update(write)

    async def amend(self, id_: str, **changes: Any) -> None:
        """Changes fields of one record: what is learned of a fault after it was recorded."""

        def write(seen: api.ChaosResult) -> dict[str, Any]:
            faults = [msgspec.structs.replace(f, **changes) if f.id == id_ else f for f in seen.status.faults]
            return ledger_patch(seen, faults)

        await self._update(write)

    async def move(self, ids: Iterable[str], state: str, *, targets: list[api.Target], message: str = "") -> None:
        """Moves records to another state, and writes who was hit so far, oldest first.

        With the last open record closed, the result may be deleted again. Of more than ``MAX_TARGETS`` targets the
        oldest are dropped.
        """
        wanted = set(ids)

        def write(seen: api.ChaosResult) -> dict[str, Any]:
            faults = [moved(fault, state, message) if fault.id in wanted else fault for fault in seen.status.faults]
            return _with_targets(ledger_patch(seen, faults), targets)

        await self._update(write)

    async def finish(
        self, verdict: Verdict, *, targets: list[api.Target] | None = None, found: Findings | None = None
    ) -> None:
        """The verdict, and by ``finishedAt`` the sign that the experiment writes nothing more.

        Records that have nothing to undo are closed with it; one that has stays open, for the reaper. ``found``: what
        the probes said, and what was measured; without it, whatever is still awaited never came.
        """

        def write(seen: api.ChaosResult) -> dict[str, Any] | None:
            if seen.status.run.finished_at:
                return None  # written already, and only the answer was lost: a run must not count twice
            known = found or findings.abandoned(seen.status)
            shown, now = outcome(verdict, percentage=known.percentage), clock.stamp()
            past = findings.past(
                msgspec.structs.replace(seen.status, impact=known.impact or seen.status.impact),
                verdict.verdict,
                fail_step=verdict.fail_step,
                percentage=shown.probe_success_percentage,
                at=now,
            )
            patch = ledger_patch(seen, [settled(fault) for fault in seen.status.faults])
            patch["status"] |= findings.status(known) | {
                "experimentstatus": api.plain(shown),
                "run": {"step": verdict.verdict, "finishedAt": now},
                "history": api.plain(findings.remembered(counted(seen.status.history, verdict.verdict), past)),
            }
            return patch if targets is None else _with_targets(patch, targets)

        await self._update(write)

    async def settle(self, verdict: Verdict, *, engine_uid: str, begun: bool) -> api.Verdict:
        """A verdict on behalf of an experiment that can't give its own; returns the one that counts.

        ``begun``: whether this run began to write the result. If so, a verdict that it did give stays.
        """
        seen = await self.find() if begun else None
        if seen is None and verdict.verdict == "Stopped":
            return verdict.verdict  # what never began leaves no result, and a namespace that is deleted takes none
        if seen is None:
            await self.begin(engine_uid=engine_uid, pod="")
        elif seen.status.verdict != "Awaited":
            return seen.status.verdict
        self._seen = None
        await self.finish(verdict)
        return verdict.verdict

    async def _update(self, change: Callable[[api.ChaosResult], Mapping[str, Any] | None]) -> api.ChaosResult:
        self._seen = await self.cluster.update(
            kinds.RESULT, self.name, change, namespace=self.namespace, seen=self._seen
        )
        return self._seen

    def _labels(self, engine_uid: str) -> dict[str, str]:
        return {names.CHAOS_UID: engine_uid}


def moved(fault: api.Fault, state: str, message: str) -> api.Fault:
    """A record in its next state."""
    changes: dict[str, Any] = {"state": state, "message": message or fault.message, "updated_at": clock.stamp()}
    return msgspec.structs.replace(fault, **changes)


def settled(fault: api.Fault) -> api.Fault:
    """An open record that has nothing to undo is closed by the end of its run; any other stays as it is."""
    if fault.open and not undoable(fault):
        return moved(fault, "moot", fault.message or "the run ended; there is nothing to undo")
    return fault


def undoable(fault: api.Fault) -> bool:
    """Whether there is anything to undo of a fault."""
    return fault.undo.get("kind") != "none"


def _with_targets(patch: dict[str, Any], targets: list[api.Target]) -> dict[str, Any]:
    patch["status"]["targets"] = [api.plain(target) for target in targets[-MAX_TARGETS:]]
    return patch


def ledger_patch(seen: api.ChaosResult, faults: list[api.Fault]) -> dict[str, Any]:
    """The patch that writes a ledger, and keeps the result from deletion as long as a record in it is open."""
    holding = any(fault.open for fault in faults)
    finalizers = [name for name in seen.metadata.finalizers if name != names.RESULT_FINALIZER]
    return {
        "metadata": {
            "finalizers": [*finalizers, names.RESULT_FINALIZER] if holding else finalizers,
            "labels": {names.OPEN_FAULTS_LABEL: "true" if holding else None},
        },
        "status": {"faults": [api.plain(fault) for fault in faults]},
    }


def _status(
    *, outcome: ExperimentOutcome, run: Run, history: History, faults: Iterable[api.Fault] = ()
) -> dict[str, Any]:
    return {
        "experimentstatus": api.plain(outcome),
        "run": api.plain(run),
        "targets": [],
        "faults": [api.plain(fault) for fault in faults],
        "history": api.plain(history),
        "probeStatus": [],
        "probeStatuses": [],
    }
