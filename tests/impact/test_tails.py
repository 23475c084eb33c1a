import math

import pytest
from hypothesis import given
from hypothesis import strategies as some

from litmus.impact import tails


@pytest.mark.parametrize(
    ("x", "a", "b", "value"),
    [
        (0.5, 1, 1, 0.5),
        (0.25, 2, 1, 0.0625),
        (0.25, 1, 2, 1 - 0.75**2),
        (0.3, 3, 5, sum(math.comb(7, k) * 0.3**k * 0.7 ** (7 - k) for k in range(3, 8))),
        (0.0, 2, 3, 0.0),
        (1.0, 2, 3, 1.0),
    ],
)
def test_the_incomplete_beta_function_is_a_binomial_tail(x: float, a: float, b: float, value: float) -> None:
    assert tails.beta(x, a, b) == pytest.approx(value, abs=1e-9)


@pytest.mark.parametrize(("t", "freedom", "chance"), [(2.2281, 10, 0.05), (63.657, 1, 0.01), (0.0, 5, 1.0)])
def test_students_tail_is_that_of_the_tables(t: float, freedom: float, chance: float) -> None:
    assert tails.student(t, freedom) == pytest.approx(chance, rel=1e-3)


def test_the_interval_of_a_proportion_is_that_of_the_tables() -> None:
    assert tails.proportion(0, 10, error=0.05) == pytest.approx((0.0, 0.3085), abs=1e-4)
    assert tails.proportion(5, 10, error=0.05) == pytest.approx((0.1871, 0.8129), abs=1e-4)
    assert tails.proportion(10, 10, error=0.05) == pytest.approx((0.6915, 1.0), abs=1e-4)


def test_ranks_of_the_median_of_a_hundred_are_the_40th_and_the_61st() -> None:
    below, above = tails.ranks(0.5, 100, error=0.05)
    assert below is not None
    assert above is not None
    assert (math.floor(below), math.ceil(above)) == (40, 61)


def test_no_value_bounds_a_quantile_that_few_lie_beyond() -> None:
    assert tails.ranks(0.99, 100, error=0.01)[1] is None
    assert tails.ranks(0.5, 3, error=0.01) == (None, None)


@given(of=some.floats(1, 5000), share=some.floats(0, 1), error=some.sampled_from((0.05, 0.01, 0.001)))
def test_an_interval_holds_the_proportion_and_stays_within_0_and_1(of: float, share: float, error: float) -> None:
    low, high = tails.proportion(of * share, of, error=error)
    assert 0 <= low <= share + 1e-9
    assert share - 1e-9 <= high <= 1
