"""When the chaos of a run began and ended: what the red band of the dashboards shows. Pure.

It begins with the first injection. It ends when the last fault is undone - one that nobody could undo outlives its
run - and kills, which have nothing to undo, end as the run planned it. Where the signals of a run were analysed, the
analysis has both to the millisecond; otherwise they have the whole seconds of Kubernetes. The rules are those of the
windows that are told to others (``outlets.windows``), over the little that the exporter keeps of a result.
"""

from dataclasses import dataclass

from .seen import Fault, Result

# What an experiment says in run.step once it is done with its chaos.
_AFTER = ("ramp time after", "post-chaos check", "measuring the recovery", "probes after")


@dataclass(frozen=True, slots=True)
class Band:
    """In seconds since 1970; ``ended`` is None as long as the chaos goes on."""

    started: float
    ended: float | None


def of(result: Result) -> Band | None:
    """The chaos of the latest run; None as long as nothing was injected in it."""
    faults = tuple(fault for fault in result.faults if _of_this_run(fault, result))
    started = _started(result, faults)
    if started is None:
        return None
    if _goes_on(result, faults):
        return Band(started, None)
    ended = _ended(result, faults)
    return Band(started, max(started, ended) if ended is not None else started)


def _started(result: Result, faults: tuple[Fault, ...]) -> float | None:
    if result.analysed:
        return result.analysed[0]
    hits = [fault.updated for fault in faults if fault.state == "injected" and fault.updated is not None]
    hits += [result.injected] if result.injected is not None else []
    if hits:
        return min(hits)
    # Hit, but the account of the targets has forgotten the first of them.
    return result.chaos_started if any(fault.state == "proven" for fault in faults) or result.crowded else None


def _goes_on(result: Result, faults: tuple[Fault, ...]) -> bool:
    if any(fault.acts for fault in faults):
        return True
    return not (result.finished is not None or result.final or result.step.startswith(_AFTER))


def _ended(result: Result, faults: tuple[Fault, ...]) -> float | None:
    if result.analysed:
        return result.analysed[1]
    undone = [fault.updated for fault in faults if fault.lasts and not fault.open and fault.updated is not None]
    if undone:
        return max(undone)
    return min((at for at in (result.chaos_planned_end, result.finished) if at is not None), default=None)


def _of_this_run(fault: Fault, result: Result) -> bool:
    """What an earlier run left open stays in the ledger."""
    return fault.updated is None or result.started is None or fault.updated >= result.started
