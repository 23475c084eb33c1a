"""A journal of the Chaos Toolkit becomes lines for people and a verdict."""

from typing import Any

import pytest

from litmus.experiments import verdicts
from litmus.experiments.toolkit import journal

TITLE = "The application answers"


def probe(*, met: bool, output: Any = 200, exception: str = "") -> dict[str, Any]:
    made = {"activity": {"type": "probe", "name": "answers", "tolerance": 200}, "tolerance_met": met, "output": output}
    return made | {"status": "failed" if exception else "succeeded", "exception": [exception] if exception else None}


def written(
    *, before: dict | None = None, after: dict | None = None, action: str = "succeeded", why: str = "", **more: Any
) -> dict[str, Any]:
    def state(one: dict | None) -> dict[str, Any]:
        shown = one or probe(met=True)
        return {"steady_state_met": shown["tolerance_met"], "probes": [shown]}

    run = {"activity": {"type": "action", "name": "kill"}, "status": action, "exception": [why] if why else None}
    return {
        "status": "completed",
        "deviated": False,
        "experiment": {"steady-state-hypothesis": {"title": TITLE}},
        "steady_states": {"before": state(before), "after": state(after)},
        "run": [run],
        "rollbacks": [],
        **more,
    }


def test_a_completed_run_whose_steady_state_held_is_no_objection():
    journal.conclude(written())


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        (
            written(before=probe(met=False, output=500), status="failed"),
            "'The application answers' was not met before anything was done: probe answers gave 500, expected 200",
        ),
        (
            written(after=probe(met=False, output=503), deviated=True),
            "was not met after the method: probe answers gave 503",
        ),
        (
            written(after=probe(met=False, exception="Traceback\nConnectionError: refused"), deviated=True),
            "probe answers ConnectionError: refused",
        ),
    ],
)
def test_a_steady_state_that_was_not_met_fails_with_its_probe(told, sentence):
    with pytest.raises(verdicts.CheckFailed) as failed:
        journal.conclude(told)
    assert sentence in str(failed.value)


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        (
            written(action="failed", why="Traceback\nActivityFailed: no such pod"),
            "action kill failed: ActivityFailed: no such",
        ),
        (written(action="aborted"), "action kill aborted: no reason given"),
        (written(action="failed", after=probe(met=False), deviated=True), "action kill failed"),
        (written(status="interrupted"), "ended with status interrupted"),
        (written(steady_states={}), "did not check its hypothesis after the method"),
    ],
)
def test_what_was_not_carried_out_is_an_error_and_says_nothing_of_the_application(told, sentence):
    with pytest.raises(verdicts.CannotRun) as failed:
        journal.conclude(told)
    assert sentence in str(failed.value)


def test_every_activity_is_a_line():
    rolled = {"activity": {"type": "action", "name": "mend"}, "status": "failed", "exception": ["x\nOSError: gone"]}
    assert list(journal.activities(written(rollbacks=[rolled]))) == [
        "action kill succeeded",
        "rollback action mend failed: OSError: gone",
        "hypothesis 'The application answers' met before the method",
        "hypothesis 'The application answers' met after the method",
    ]
