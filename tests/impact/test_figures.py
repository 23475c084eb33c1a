"""Figures that can be computed by hand."""

import math

import pytest

from litmus.impact import Sample, dependence, intervals, slices, times, windows
from litmus.impact.windows import Run

from .signals import START, look, steady

RUN = Run(injections=(0.0,), chaos_end=10.0, end=20.0, instant=False)


def at(*moments: float, good: bool = True) -> list[Sample]:
    return [Sample(moment, good, 10.0) for moment in moments]


def mixed(pattern: str, *, every: float = 1.0) -> list[Sample]:
    """One sample a mark: ``+`` good, ``-`` failed."""
    return [Sample(number * every, mark == "+") for number, mark in enumerate(pattern)]


def test_windows_end_where_the_chaos_begins_and_ends() -> None:
    parts = windows.split(at(-2, -1, 0, 5, 10, 10.5, 19, 21), RUN)
    assert [s.at for s in parts.baseline] == [-2, -1]
    assert [s.at for s in parts.fault] == [0, 5, 10]
    assert [s.at for s in parts.recovery] == [10.5, 19]


def test_a_request_under_way_at_the_injection_belongs_to_the_fault() -> None:
    parts = windows.split([Sample(-0.5, False, 1000.0, "timeout"), Sample(-0.4, True, 10.0)], RUN)
    assert [s.at for s in parts.fault] == [-0.5]
    assert [s.at for s in parts.baseline] == [-0.4]


def test_windows_are_shown_to_the_millisecond() -> None:
    figures = windows.figures([], noise=0.25, error=0.01)
    shown = windows.shown([], figures, start=1_767_225_600.25, end=1_767_225_601.0)
    assert (shown.start, shown.end) == ("2026-01-01T00:00:00.250Z", "2026-01-01T00:00:01.000Z")


@pytest.mark.parametrize(
    ("pattern", "effect"),
    [("+++++", 1.0), ("+-+++-", 1.0), ("+-+-+", 2.0), ("+---+", 3.0), ("--+++-", 5 / 3), ("----------", 2.8)],
)
def test_failures_that_come_together_count_as_one_event(pattern: str, effect: float) -> None:
    samples = mixed(pattern, every=0.1)
    assert dependence.of_failures(samples, noise=dependence.NOISE_S) == pytest.approx(effect)


def test_marks_that_alternate_in_long_runs_have_a_large_design_effect() -> None:
    runs = [(number // 20) % 2 == 0 for number in range(800)]
    assert dependence.of_marks(runs, bound=1000.0) > 5
    assert dependence.of_marks([number % 2 == 0 for number in range(800)], bound=1000.0) == 1.0
    assert dependence.of_marks(runs, bound=3.0) == 3.0


def test_availability_has_the_exact_interval_of_its_failures() -> None:
    measured = intervals.availability(mixed("+" * 9 + "-"), noise=0.25, error=0.05)
    assert measured.value == pytest.approx(90.0)
    assert (measured.low, measured.high) == pytest.approx((55.50, 99.75), abs=0.01)


def test_a_quantile_is_the_time_within_which_a_share_was_answered_and_failures_never_were() -> None:
    answered = [Sample(float(n), True, float(n + 1)) for n in range(100)]
    assert intervals.quantile(answered, 0.95, error=0.01).value == 95.0
    failing = answered[:90] + [Sample(float(n), False, 3.0) for n in range(90, 100)]
    assert intervals.quantile(failing, 0.50, error=0.01).value == 50.0
    beyond = intervals.quantile(failing, 0.95, error=0.01)
    assert beyond.value == math.inf
    assert beyond.figure("ms").value is None
    assert "failed" in beyond.figure("ms").note


def test_latencies_that_nobody_measured_have_no_quantile() -> None:
    figure = intervals.quantile(mixed("+++-"), 0.5, error=0.01).figure("ms")
    assert (figure.value, figure.low, figure.high, figure.note) == (None, None, None, "no latencies")


@pytest.mark.parametrize(
    ("pattern", "value", "low", "high"),
    [
        ("++++", 0.0, 0.0, 1.0),
        ("+-++", 1.0, 0.0, 2.0),
        ("+--+-+", 2.0, 1.0, 3.0),
        ("+-+---+", 3.0, 2.0, 4.0),
        ("--++", 2.0, 1.0, 2.0),
        ("+---+-", 3.0, 2.0, 15.0),
    ],
)
def test_the_longest_outage_lies_between_the_good_samples_around_it(
    pattern: str, value: float, low: float, high: float
) -> None:
    found = times.outage(mixed(pattern), RUN)
    assert (found.value, found.low, found.high) == (value, low, high)


def test_an_outage_that_lasts_to_the_end_has_a_lower_bound_only() -> None:
    found = times.outage(mixed("+---"), RUN)
    assert (found.value, found.low, found.high) == (None, 2.0, math.inf)
    assert "when the run ended" in found.note


def test_impact_and_recovery_are_dated_by_the_samples_around_the_outage() -> None:
    signal = look(steady(bad=lambda t: 2.0 <= t < 33.05)).signals[0]
    assert signal.time_to_impact.value == pytest.approx(2.0, abs=1e-3)
    assert signal.time_to_impact.low == pytest.approx(1.9, abs=1e-3)
    assert signal.time_to_recover.low == pytest.approx(3.0, abs=1e-3)
    assert signal.time_to_recover.value == pytest.approx(3.1, abs=1e-3)
    assert signal.longest_outage.value == pytest.approx(31.1, abs=1e-3)
    assert (signal.impact_at, signal.steady_at) == ("2023-11-14T22:13:22.000Z", "2023-11-14T22:13:53.100Z")
    assert signal.differs == "worse"


def test_recovery_of_kills_counts_from_each_and_the_worst_is_shown() -> None:
    down = ((0.0, 2.0), (10.0, 14.0), (20.0, 23.0))
    samples = steady(bad=lambda t: any(begin <= t < end for begin, end in down))
    signal = look(samples, injections=(0.0, 10.0, 20.0)).signals[0]
    assert signal.time_to_recover.value == pytest.approx(4.0, abs=1e-3)
    assert signal.steady_at == "2023-11-14T22:13:34.000Z"  # after the second, not that long after the end of the chaos
    held = look(samples, injections=(0.0, 10.0, 20.0), instant=False).signals[0]
    assert (held.time_to_recover.value, held.steady_at) == (0.0, None)


def test_a_single_kill_counts_from_its_injection_when_told_so() -> None:
    samples = steady(bad=lambda t: 0.0 <= t < 7.0)
    assert look(samples, instant=True).signals[0].time_to_recover.value == pytest.approx(7.0, abs=1e-3)
    assert look(samples).signals[0].time_to_recover.note == "steady again before the chaos ended"


def test_what_had_not_recovered_when_the_run_ended_has_no_value() -> None:
    figure = look(steady(bad=lambda t: t >= 5.0)).signals[0].time_to_recover
    assert figure.value is None
    assert figure.low == pytest.approx(14.9, abs=0.01)
    assert figure.note == "not recovered 15.0 s after"


def test_one_failure_alone_is_no_impact() -> None:
    signal = look(steady(bad=lambda t: t == 3.0)).signals[0]
    assert (signal.time_to_impact.value, signal.time_to_impact.note) == (None, "no impact seen")
    assert signal.differs == "no difference"


def test_slow_answers_are_an_impact_too() -> None:
    signal = look(steady(factor=lambda t: 8.0 if 4.0 <= t < 30.0 else 1.0)).signals[0]
    assert signal.time_to_impact.value == pytest.approx(4.0, abs=0.5)
    assert signal.differs == "worse"
    assert look(steady(factor=lambda t: 0.2 if 0 <= t < 30.0 else 1.0)).signals[0].differs == "better"


def test_too_few_samples_are_inconclusive_and_never_an_error() -> None:
    for samples in ([], steady()[:3], [Sample(START + 1, False)]):
        impact = look(samples, {"availability": ">= 99%", "recovery": "<= 5s", "latencyP99": "<= 2x baseline"})
        assert impact.signals[0].differs == "inconclusive"
        assert {c.judgement for c in impact.criteria} == {"inconclusive"}
        assert all(c.explanation for c in impact.criteria)


def test_errors_are_counted_by_kind() -> None:
    failed = [Sample(START + n, False, None, kind) for n, kind in enumerate(("refused", "reset", "refused"))]
    assert look(failed).signals[0].fault.errors == {"refused": 2, "reset": 1}


def test_a_plot_has_at_most_240_slices_with_all_samples_in_them() -> None:
    samples = steady(rate=50.0, fault_s=300.0, recovery_s=100.0, bad=lambda t: 1 < t < 2)
    length, pieces = slices.slices(samples)
    assert len(pieces) <= slices.MOST
    assert sum(piece.good + piece.bad for piece in pieces) == len(samples)
    assert length == 2.0
    assert slices.slices([]) == (1.0, [])
