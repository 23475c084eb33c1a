"""What the Chaos Toolkit's journal says: a line for each activity, and how the run ended. Pure.

The form is that of the toolkit's reference, "Journal": status, deviated, steady_states.{before, after}, run, rollbacks.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from .. import verdicts

Journal = Mapping[str, Any]

_LONGEST = 300


def activities(journal: Journal) -> Iterator[str]:
    """One line for each activity of the method and of the rollbacks, in their order."""
    for part in ("run", "rollbacks"):
        for run in journal.get(part) or []:
            activity = run.get("activity", {})
            what = f"{'rollback ' if part == 'rollbacks' else ''}{activity.get('type')} {activity.get('name')}"
            why = f": {_why(run)}" if run.get("status") != "succeeded" else ""
            yield f"{what} {run.get('status')}{why}"
    for when in ("before", "after"):
        state = _state(journal, when)
        if state.get("steady_state_met") is not None:
            met = "met" if state["steady_state_met"] else "not met"
            yield f"hypothesis {_title(journal)!r} {met} {when} the method"


def conclude(journal: Journal) -> None:
    """Returns when the run was completed and the steady state held.

    Raises CheckFailed when it did not hold, with the probe that says so, and CannotRun for everything else: an action
    that failed proves nothing about the application.
    """
    before, after = _state(journal, "before"), _state(journal, "after")
    if before.get("steady_state_met") is False:
        raise _deviated(journal, before, "before anything was done")
    for run in [*(journal.get("run") or []), *(journal.get("rollbacks") or [])]:
        if run.get("status") not in ("succeeded", "skipped") and run.get("activity", {}).get("type") == "action":
            name = run["activity"].get("name")
            raise verdicts.CannotRun(f"action {name} {run.get('status')}: {_why(run)}", code=verdicts.INJECT)
    if after.get("steady_state_met") is False or journal.get("deviated"):
        raise _deviated(journal, after, "after the method")
    if journal.get("status") != "completed":
        raise verdicts.CannotRun(f"the Chaos Toolkit ended with status {journal.get('status')}", code=verdicts.INJECT)
    if after.get("steady_state_met") is not True:
        raise verdicts.CannotRun(
            "the Chaos Toolkit did not check its hypothesis after the method", code=verdicts.INJECT
        )


def _deviated(journal: Journal, state: Mapping[str, Any], when: str) -> verdicts.CheckFailed:
    failed: Mapping[str, Any] = next(
        (probe for probe in state.get("probes") or [] if not probe.get("tolerance_met")), {}
    )
    activity = failed.get("activity", {})
    seen = _why(failed) if failed.get("status") == "failed" else f"gave {failed.get('output')!r}"[:_LONGEST]
    return verdicts.CheckFailed(
        f"steady state {_title(journal)!r} was not met {when}: probe {activity.get('name')} {seen}, "
        f"expected {activity.get('tolerance')!r}",
        code=verdicts.STATUS_CHECKS,
    )


def _state(journal: Journal, when: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = (journal.get("steady_states") or {}).get(when) or {}
    return found


def _title(journal: Journal) -> str:
    hypothesis = (journal.get("experiment") or {}).get("steady-state-hypothesis") or {}
    return str(hypothesis.get("title", ""))


def _why(run: Mapping[str, Any]) -> str:
    """The last line of its traceback."""
    lines = [line.strip() for text in run.get("exception") or [] for line in str(text).splitlines() if line.strip()]
    return (lines[-1] if lines else "no reason given")[:_LONGEST]
