"""netem's correlated numbers, simulated as its source draws them, hit the share that was asked."""

import random

import pytest

from litmus.faults.network import correlation

PACKETS = 100_000


@pytest.mark.parametrize("near", [5, 25, 50, 75])
@pytest.mark.parametrize("share", [1, 10, 30, 50, 90])
def test_the_corrected_share_hits_as_many_packets_as_asked(share, near):
    below = correlation.threshold(share, near) / 100
    rng = random.Random(7)
    number, hit = rng.random(), 0
    for _ in range(PACKETS):
        number = (1 - near / 100) * rng.random() + near / 100 * number
        hit += number < below
    assert 100 * hit / PACKETS == pytest.approx(share, rel=0.1, abs=0.3)


@pytest.mark.parametrize("share", [0, 30, 100])
def test_without_a_correlation_the_share_is_itself(share):
    assert correlation.threshold(share, 0) == share


def test_none_and_all_stay_none_and_all():
    assert correlation.threshold(0, 50) == 0
    assert correlation.threshold(100, 50) == 100
