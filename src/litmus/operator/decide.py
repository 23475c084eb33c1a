"""What an engine needs next. A pure function of the engine and its runner pod, so that it can be read as a table.

Level-triggered: nothing is remembered between two looks, so an operator that dies anywhere goes on where it was.
"""

from enum import Enum, auto

from litmus import api
from litmus.api import names
from litmus.api.engine import FINAL_VERDICTS
from litmus.kube import helpers
from litmus.kube.objects import Pod

# A runner that crashes this often before it wrote anything will not recover by itself.
MAX_RUNNER_RESTARTS = 3


class Action(Enum):
    """The next step for an engine."""

    INITIALIZE = auto()
    CREATE_RUNNER = auto()
    WAIT = auto()
    COMPLETE = auto()
    FAIL = auto()
    ABORT = auto()
    RESTART = auto()
    RELEASE = auto()
    REFUSE = auto()
    IDLE = auto()


def action(engine: api.ChaosEngine, runner: Pod | None, *, stop: bool = False) -> Action:
    """The next step; FAIL when the runner can't finish what it began. ``stop``: all chaos of the cluster is stopped."""
    word = engine.status.engine_status
    if engine.metadata.deletion_timestamp is not None:
        if names.ENGINE_FINALIZER not in engine.metadata.finalizers:
            return Action.IDLE
        return Action.ABORT if word == "initialized" else Action.RELEASE
    if not engine.active:
        if word == "initialized":
            return Action.ABORT
        return Action.RELEASE if names.ENGINE_FINALIZER in engine.metadata.finalizers else Action.IDLE
    if stop:
        return Action.ABORT if word == "initialized" else Action.REFUSE
    match word:
        case "completed" | "stopped":
            return Action.RESTART
        case "":
            return Action.INITIALIZE
        case _:
            return _running(engine, runner)


def _running(engine: api.ChaosEngine, runner: Pod | None) -> Action:
    entries = engine.status.experiments
    if entries and all(entry.verdict in FINAL_VERDICTS for entry in entries):
        return Action.COMPLETE
    if runner is None:
        return Action.FAIL if entries else Action.CREATE_RUNNER
    if trouble(runner, wrote=bool(entries)):
        return Action.FAIL
    return Action.WAIT


def trouble(runner: Pod | None, *, wrote: bool) -> str:
    """Why the runner will not finish, in one sentence; '' while it may. ``wrote``: it has written to the engine."""
    if runner is None:
        return "its runner pod was deleted" if wrote else ""
    name = runner.metadata.name
    if runner.status.phase == "Failed":
        return f"its runner pod {name} failed: {runner.status.reason} {runner.status.message}".rstrip()
    if runner.over:
        return f"its runner pod {name} ended before every experiment had a verdict"
    if runner.metadata.deletion_timestamp is not None:
        return f"its runner pod {name} is being deleted"
    stuck = helpers.stuck_reason(runner)
    if stuck:
        return f"its runner pod {name} can't start: {stuck}"
    if not wrote and any(c.restart_count > MAX_RUNNER_RESTARTS for c in runner.status.container_statuses):
        return f"its runner pod {name} keeps crashing; see its log"
    return ""


def needs_attention(engine: api.ChaosEngine) -> bool:
    """Whether there may be something to do; an idle engine costs nothing."""
    return action(engine, None) is not Action.IDLE
