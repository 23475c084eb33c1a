"""What is kept of a run when the next one has begun."""

import pytest

from litmus.api.impact import Figure, Impact, Signal, Window
from litmus.api.result import ResultStatus, Run
from litmus.kube import findings

WHEN = "2026-01-01T00:00:00.000Z"


def signal(availability: float | None, recovery: Figure) -> Signal:
    window = Window(start=WHEN, end=WHEN, availability=Figure(value=availability, unit="%"))
    return Signal(probe="page", baseline=window, fault=window, recovery=window, time_to_recover=recovery)


def past(*signals: Signal) -> tuple[float | None, float | None]:
    seen = ResultStatus(run=Run(number=3), impact=Impact(signals=list(signals)))
    run = findings.past(seen, "Fail", fail_step="it broke", percentage="0", at=WHEN)
    assert run.number == 3
    return run.availability, run.recovery_seconds


def test_of_several_signals_the_worst_figures_are_kept():
    assert past(signal(99.0, Figure(value=2.0)), signal(91.5, Figure(value=12.5))) == (91.5, 12.5)


def test_a_run_without_a_signal_has_no_figures():
    assert past() == (None, None)


@pytest.mark.parametrize("low", [None, 0.0])
def test_a_signal_with_too_few_samples_hides_no_other(low):
    assert past(signal(None, Figure(low=low)), signal(97.0, Figure(value=4.0))) == (97.0, 4.0)


def test_an_application_that_was_not_well_again_has_no_time_of_recovery_whatever_another_signal_says():
    assert past(signal(40.0, Figure(low=30.0, note="not recovered")), signal(97.0, Figure(value=4.0))) == (40.0, None)
