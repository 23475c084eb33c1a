"""The spans of an engine's run: the engine, its experiments below it, and below each its faults and probes. Pure.

Every id follows from the run, so that a trace that is sent again is the same trace. The times are those of the result.
A probe is asked beside the faults rather than by one of them: its span hangs below the experiment and is linked to
every fault during which it was asked. Of probes the result keeps no times, but for the signals whose impact was
measured: without, a probe spans the phases of the run in which its mode has it asked.
"""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from litmus.api.result import Fault, ProbeOutcome, Target

from .engine_runs import EngineRun
from .windows import Window, when

Value = str | int | float | bool
Status = Literal["unset", "ok", "error"]


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened during a span."""

    name: str
    at: datetime
    attributes: Mapping[str, Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Ids are those of OpenTelemetry: 64 bits for a span; the trace has 128."""

    name: str
    id: int
    parent: int | None
    start: datetime
    end: datetime
    attributes: Mapping[str, Value]
    status: Status = "unset"
    why: str = ""
    moments: tuple[Moment, ...] = ()
    links: tuple[int, ...] = ()


def of(run: EngineRun) -> list[Span]:
    """The engine's span first, then each experiment's with what is below it."""
    root = Span(
        name=f"engine {run.engine}",
        id=_id(run.uid, "engine"),
        parent=None,
        start=run.begun,
        end=run.finished,
        attributes={
            "litmus.namespace": run.namespace,
            "litmus.engine": run.engine,
            "litmus.engine.uid": run.engine_uid,
            "litmus.run": run.number,
        },
        status="ok" if all(window.verdict == "Pass" for window in run.windows) else _worst(run),
    )
    return [root, *(span for window in run.windows for span in _experiment(window, root.id))]


def trace_id(run: EngineRun) -> int:
    """128 bits, never 0."""
    return run.uid.int


def _experiment(window: Window, parent: int) -> Iterator[Span]:
    own = _id(window.uid, "experiment")
    status: Mapping[str, Status] = {"Pass": "ok", "Fail": "error", "Error": "error"}
    yield Span(
        name=f"experiment {window.experiment}",
        id=own,
        parent=parent,
        start=window.begun,
        end=window.finished or window.begun,
        attributes={
            "litmus.namespace": window.namespace,
            "litmus.engine": window.engine,
            "litmus.experiment": window.experiment,
            "litmus.result": window.result,
            "litmus.run": window.run,
            "litmus.run.uid": str(window.uid),
            "litmus.verdict": window.verdict,
        },
        status=status.get(window.verdict, "unset"),
        why=window.fail_step if window.verdict in ("Fail", "Error") else "",
        moments=tuple(_moments(window)),
    )
    faults = [_fault(window, fault, own) for fault in window.faults]
    yield from faults
    for probe in window.probes:
        yield _probe(window, probe, own, faults)


def _moments(window: Window) -> Iterator[Moment]:
    """Begin and end of the chaos, and whom it hit when."""
    if window.started:
        yield Moment("chaos begins", window.started, {})
    for target in window.targets:
        if at := when(target.injected_at):
            yield Moment("hit", at, _of_target(target))
    if window.ended:
        yield Moment("chaos ends", window.ended, {})


def _of_target(target: Target) -> dict[str, Value]:
    found: dict[str, Value] = {"litmus.target": target.name, "litmus.target.kind": target.kind}
    optional = {
        "litmus.target.namespace": target.namespace,
        "litmus.target.node": target.node,
        "litmus.asked": target.asked,
        "litmus.delivered": target.delivered,
        "litmus.ready_after_seconds": target.ready_after_seconds,
    }
    return found | {name: value for name, value in optional.items() if value not in ("", None)}


def _fault(window: Window, fault: Fault, parent: int) -> Span:
    names = {target.name for target in fault.targets}
    hits = [at for target in window.targets if target.name in names and (at := when(target.injected_at))]
    start = min(hits, default=window.started or window.begun)
    closed = None if fault.open else when(fault.updated_at)
    end = closed or window.ended or window.finished or start
    return Span(
        name=f"fault {fault.mechanism}",
        id=_id(window.uid, f"fault/{fault.id}"),
        parent=parent,
        start=start,
        end=max(start, end),
        attributes={
            "litmus.fault.id": fault.id,
            "litmus.fault.mechanism": fault.mechanism,
            "litmus.fault.state": fault.state,
            "litmus.node": fault.node,
            "litmus.targets": ", ".join(sorted(names)),
        },
        status="error" if fault.state == "lost" else "ok" if not fault.open else "unset",
        why=fault.message if fault.state == "lost" else "",
    )


def _probe(window: Window, probe: ProbeOutcome, parent: int, faults: list[Span]) -> Span:
    start, end = window.signals.get(probe.name) or _phase(window, probe.mode)
    status: Mapping[str, Status] = {"Passed": "ok", "Failed": "error"}
    return Span(
        name=f"probe {probe.name}",
        id=_id(window.uid, f"probe/{probe.name}/{probe.mode}"),
        parent=parent,
        start=start,
        end=max(start, end),
        attributes={
            "litmus.probe": probe.name,
            "litmus.probe.type": probe.type,
            "litmus.probe.mode": probe.mode,
            "litmus.probe.verdict": probe.status.verdict,
            "litmus.probe.description": probe.status.description,
        },
        status=status.get(probe.status.verdict, "unset"),
        why=probe.status.description if probe.status.verdict == "Failed" else "",
        links=tuple(fault.id for fault in faults if fault.start <= end and start <= fault.end),
    )


def _phase(window: Window, mode: str) -> tuple[datetime, datetime]:
    finished = window.finished or window.begun
    started = window.started or finished
    ended = window.ended or finished
    match mode:
        case "SOT":
            return window.begun, started
        case "EOT":
            return ended, finished
        case "OnChaos":
            return started, ended
        case _:
            return window.begun, finished


def _worst(run: EngineRun) -> Status:
    return "error" if any(window.verdict in ("Fail", "Error") for window in run.windows) else "unset"


def _id(of: uuid.UUID, what: str) -> int:
    return uuid.uuid5(of, what).int >> 64 or 1
