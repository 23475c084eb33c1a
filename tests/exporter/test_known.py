"""The resilience score of the exporter is that of everybody else."""

import itertools

import msgspec
import pytest

from litmus import api
from litmus.api import score
from litmus.exporter import known, seen, state, wire
from tests.exporter.stage import engine, result

NOTED = ("N/A", "Awaited", "Pass", "Fail", "Error", "Stopped")
RESULTS = (None, ("Awaited", "Awaited", "hit"), ("Pass", "80", "hit"), ("Fail", "33", "hit"), ("Pass", "80", "other"))


@pytest.mark.parametrize(("noted", "found"), [*itertools.product(NOTED, RESULTS)])
def test_the_score_is_that_of_the_command_line(noted: str, found: tuple[str, str, str] | None):
    written = engine(verdict=noted, status="completed")
    written["metadata"]["namespace"] = "shop"
    written["spec"]["experiments"][0]["spec"] = {"weight": 7}
    results = []
    if found:
        verdict, percentage, owner = found
        results = [result(verdict=verdict, percentage=percentage, run={"engineUid": f"uid-of-{owner}"})]
        results[0]["metadata"]["namespace"] = "shop"
    everything = state.State()
    everything.engines.known["e"] = seen.engine(msgspec.convert(written, wire.Engine))
    everything.results.known = {str(n): seen.result(msgspec.convert(one, wire.Result)) for n, one in enumerate(results)}

    theirs = {one["metadata"]["name"]: msgspec.convert(one, api.ChaosResult) for one in results}
    expected = score.of_engine(msgspec.convert(written, api.ChaosEngine), theirs).value
    assert [value for _, value in known.Known(everything).scores()] == [expected]
