"""Moments at which a crash is rehearsed: what is asked for is done, what can't be read is nothing."""

import pytest

from litmus.faults import moments


def test_the_named_moment_lingers_and_no_other():
    assert moments.linger_s("injecting:3", "injecting") == 3.0
    assert moments.linger_s("injecting:3", "injected") == 0.0
    assert moments.linger_s(" injecting : 0.5 ", "injecting") == 0.5


@pytest.mark.parametrize(
    "setting", ["", "injecting", "injecting:", "injecting:soon", "injecting:-1", "injecting:nan", ":3"]
)
def test_what_can_not_be_read_does_not_linger(setting):
    assert moments.linger_s(setting, "injecting") == 0.0


@pytest.mark.parametrize("seconds", ["1e9", "inf"])
def test_nobody_lingers_longer_than_a_minute(seconds):
    assert moments.linger_s(f"injecting:{seconds}", "injecting") == moments.LONGEST_S
