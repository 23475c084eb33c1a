"""The resilience score: weights, what did not run, and the errors that the original once had."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from litmus import api
from litmus.api import names, score
from tests import samples


def engine(*weights: int, name: str = "shop-chaos", status: Any = None) -> api.ChaosEngine:
    """An engine with experiments x0, x1, … of these weights."""
    entries = [{"name": f"x{n}", "spec": {"weight": weight}} for n, weight in enumerate(weights)]
    return samples.an_engine(name=name, experiments=entries, status=status)


def results(*percentages: str, verdict: str = "Pass", name: str = "shop-chaos", uid: str = samples.ENGINE_UID):
    found = {}
    for n, percentage in enumerate(percentages):
        status = {
            "experimentstatus": {"verdict": verdict, "probeSuccessPercentage": percentage},
            "run": {"engineUid": uid},
        }
        result = samples.a_result(name=f"{name}-x{n}", **status)
        found[result.metadata.name] = result
    return found


def test_it_is_the_weighted_mean_of_the_probes_that_passed():
    assert score.of_engine(engine(10, 5), results("100", "40")).value == 80.0


def test_it_is_cut_to_two_decimals_and_not_rounded_up_to_a_success():
    assert score.of_engine(engine(10, 10, 10), results("100", "100", "99.99")).value == 99.99
    assert score.of_engine(engine(1, 1, 1), results("100", "100", "0")).value == 66.66


def test_what_never_ran_counts_as_nothing_and_is_named():
    found = score.of_engine(engine(10, 10), results("100"))
    assert found.value == 50.0
    assert found.notes == ("x1 of shop-chaos: did not run to its end, so it counts as 0",)


def test_what_has_no_verdict_yet_counts_as_nothing_although_the_original_took_it_for_100():
    found = score.of_engine(engine(10), results("Awaited", verdict="Awaited"))
    assert found.value == 0.0
    assert "no verdict yet" in found.notes[0]


def test_the_result_of_an_earlier_engine_of_that_name_is_not_counted():
    found = score.of_engine(engine(10), results("100", uid="another"))
    assert found.value == 0.0
    assert "earlier engine" in found.notes[0]


def test_the_result_of_an_earlier_run_of_this_engine_is_not_counted():
    status = {"engineStatus": "initialized", "experiments": [{"name": "x0", "verdict": "N/A"}]}
    assert score.of_engine(engine(10, status=status), results("100")).value == 0.0


@pytest.mark.parametrize(("written", "counted"), [("150", 100.0), ("-3", 0.0), ("66.67%", 66.67), ("nan", None)])
def test_a_percentage_is_one(written: str, counted: float | None):
    [result] = results(written).values()
    assert score.percentage(result) == counted


def test_a_percentage_in_the_spelling_of_3x_counts():
    status = {"experimentStatus": {"verdict": "Pass", "probeSuccessPercentage": "75"}}
    assert score.percentage(msgspec.convert({"status": status}, api.ChaosResult)) == 75.0


def test_an_experiment_without_weight_does_not_count_and_none_with_weight_is_no_score():
    assert score.of_engine(engine(0, 10), results("0", "100")).value == 100.0
    none = score.of_engine(engine(0), results("100"))
    assert none.value is None
    assert none.notes == ("there is no experiment with a weight above 0",)


def test_the_engines_of_a_schedule_have_one_score():
    engines = [engine(10), engine(10, name="later")]
    found = score.of_engines(engines, results("100") | results("50", name="later"))
    assert found.value == 75.0
    assert [part.engine for part in found.parts] == ["shop-chaos", "later"]


@given(st.lists(st.tuples(st.integers(0, 10), st.floats(0, 100)), min_size=1, max_size=8))
def test_it_lies_between_the_lowest_and_the_highest_percentage(parts: list[tuple[int, float]]):
    found = score.weighted(
        score.Part(engine="e", experiment="x", weight=weight, percentage=share, verdict="Pass")
        for weight, share in parts
    )
    counted = [share for weight, share in parts if weight]
    assert (found is None) == (not counted)
    if found is not None:
        assert min(counted) - 0.01 <= found <= max(counted) + 1e-9


def test_two_instances_of_one_experiment_each_have_their_own_verdict():
    instances = [{"env": [{"name": "INSTANCE_ID", "value": which}]} for which in "ab"]
    entries = [{"name": "x0", "spec": {"components": components}} for components in instances]
    noted = [{"name": "x0", "verdict": "N/A"}, {"name": "x0", "verdict": "Pass"}]
    twice = samples.an_engine(experiments=entries, status={"engineStatus": "stopped", "experiments": noted})
    [found] = results("100").values()
    both = {names.result("shop-chaos", "x0", entry.instance): found for entry in twice.spec.experiments}
    assert len(both) == 2
    assert [part.percentage for part in score.of_engine(twice, both).parts] == [0.0, 100.0]
