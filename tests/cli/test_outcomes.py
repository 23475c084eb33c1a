"""How a run ended: exit status, the lines for people, JUnit and JSON."""

import json
from xml.etree import ElementTree

import msgspec
import pytest

from litmus import api
from litmus.cli import outcomes
from tests import samples


def ended(*verdicts: str, word: str = "completed", steps: dict[str, str] | None = None) -> outcomes.Outcome:
    """An engine whose experiments x0, x1, … ended so; ``steps`` are the sentences of their results."""
    names = [f"x{number}" for number in range(len(verdicts))]
    entries = [{"name": name, "verdict": verdict} for name, verdict in zip(names, verdicts, strict=True)]
    engine = samples.an_engine(status={"engineStatus": word, "experiments": entries})
    results = {
        name: msgspec.convert({"status": {"experimentstatus": {"failStep": step}}}, api.ChaosResult)
        for name, step in (steps or {}).items()
    }
    return outcomes.Outcome(engine=engine, results=results)


@pytest.mark.parametrize(
    ("verdicts", "status"),
    [
        (("Pass",), 0),
        (("Fail",), 1),
        (("Error",), 2),
        (("Stopped",), 3),
        (("Pass", "Fail"), 1),
        (("Fail", "Error"), 2),
        (("Error", "Stopped"), 3),
        (("Awaited",), 2),
    ],
)
def test_the_worst_verdict_is_the_exit_status_and_no_verdict_is_an_error(verdicts, status):
    assert outcomes.exit_status(ended(*verdicts)) == status


def test_an_experiment_that_a_stop_kept_from_running_is_stopped():
    assert outcomes.exit_status(ended("N/A", word="stopped")) == 3


def test_people_read_why_and_where_to_look():
    told = outcomes.text(ended("Fail", steps={"x0": "2 of 3 pods are ready"}))
    assert told.startswith("x0: Fail - 2 of 3 pods are ready\n  kubectl describe chaosresult ")


def test_junit_tells_failures_errors_and_stops_apart():
    outcome = ended("Pass", "Fail", "Error", "Stopped", steps={"x1": "a < b & c"})
    suite = ElementTree.fromstring(outcomes.junit(outcome))
    counts = [suite.get(name) for name in ("tests", "failures", "errors", "skipped")]
    assert counts == ["4", "1", "1", "1"]
    assert [[child.tag for child in case] for case in suite] == [[], ["failure"], ["error"], ["skipped"]]
    assert suite.find("testcase/failure").get("message") == "a < b & c"


def test_the_json_report_is_json_and_has_the_exit_status():
    written = json.loads(json.dumps(outcomes.as_json(ended("Fail", steps={"x0": "why"}))))
    assert written["exitStatus"] == 1
    assert written["experiments"][0]["failStep"] == "why"
    assert written["experiments"][0]["result"]["experimentstatus"]["failStep"] == "why"


def test_an_engine_of_several_experiments_has_a_score_in_both():
    outcome = ended("Pass", "Fail", steps={"x0": "N/A"})
    assert outcomes.text(outcome).endswith("resilience score: 0 %")
    assert outcomes.as_json(outcome)["resilienceScore"]["value"] == 0.0


def test_an_engine_that_was_not_created_is_an_error_of_each_experiment_with_the_reason():
    untouched = samples.an_engine(experiments=[{"name": "x0"}, {"name": "x1"}])
    outcome = outcomes.Outcome(engine=untouched, results={}, refused="refused by the cap")
    assert outcomes.exit_status(outcome) == 2
    assert outcomes.text(outcome) == "Error: engine shop-chaos was not created: refused by the cap"
    errors = ElementTree.fromstring(outcomes.junit(outcome)).findall("testcase/error")
    assert [error.get("message") for error in errors] == ["refused by the cap"] * 2
