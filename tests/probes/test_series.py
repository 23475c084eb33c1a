"""A series keeps every observation in little room."""

from litmus.probes import failures
from litmus.probes.contract import Observation
from litmus.probes.series import Point, Series


def test_a_series_gives_back_what_it_was_given():
    series = Series()
    series.add(Observation(1.0, True, "200", "200", latency_ms=2.5))
    series.add(Observation(2.0, False, "nothing", "200", error="refused"))
    series.add(Observation(3.0, False, "503", "200", latency_ms=1.0))
    assert list(series) == [
        Point(1.0, True, 2.5, ""),
        Point(2.0, False, None, "refused"),
        Point(3.0, False, 1.0, "failed"),
    ]
    assert (len(series), series.failures) == (3, 2)
    assert series.first_failure is not None
    assert series.first_failure.observed == "nothing"
    assert series.last is not None
    assert series.last.at == 3.0


def test_kinds_of_errors_without_end_become_one():
    series = Series()
    for number in range(1000):
        series.add(Observation(float(number), False, "", "", error=failures.of_code(100 + number % 500)))
    kinds = {point.error for point in series}
    assert len(kinds) == 200
    assert list(series)[-1].error == "other"
