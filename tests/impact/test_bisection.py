"""The bisection of a tunable: what it asks for, what it claims, and how often the claim is true under noise."""

import math
import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litmus.impact import bisection
from litmus.impact.bisection import Answer, Attempt, Bracket, Search


def searched(search: Search, oracle: Callable[[float], Answer]) -> tuple[Bracket, list[Attempt]]:
    attempts: list[Attempt] = []
    while (value := bisection.following(search, attempts)) is not None:
        attempts.append(Attempt(value, oracle(value)))
    return bisection.bracket(search, attempts), attempts


def exact(threshold: float) -> Callable[[float], Answer]:
    return lambda value: "broken" if value >= threshold else "held"


def noisy(threshold: float, rng: random.Random, *, error: float, blur: float) -> Callable[[float], Answer]:
    """Unsure near the threshold; sure answers are wrong with exactly the chance that is allowed, everywhere."""

    def ask(value: float) -> Answer:
        if rng.random() < error:
            return "held" if value >= threshold else "broken"
        if rng.random() < math.exp(-abs(value - threshold) / blur):
            return "unclear"
        return "broken" if value >= threshold else "held"

    return ask


@given(threshold=st.floats(0.001, 5000), steps=st.integers(1, 12))
def test_without_noise_the_bracket_contains_the_threshold_and_halves_with_every_step(threshold, steps):
    found, attempts = searched(Search(low=0, high=5000, steps=steps), exact(threshold))
    assert found.contains(threshold)
    assert found.held is not None
    assert found.broken is not None
    assert found.broken - found.held == pytest.approx(5000 / 2**steps)
    assert found.runs == len(attempts) == steps + 2


@given(threshold=st.integers(1, 100))
def test_whole_numbers_end_at_neighbours(threshold):
    found, attempts = searched(Search(low=0, high=100, steps=50, whole=True), exact(threshold))
    assert (found.held, found.broken) == (threshold - 1, threshold)
    assert all(float(attempt.value).is_integer() for attempt in attempts)
    assert found.runs <= 2 + 7


@pytest.mark.parametrize("error", [0.01, 0.05])
def test_the_bracket_contains_the_threshold_as_often_as_it_claims(error):
    rng = random.Random(20210906)
    search = Search(low=0, high=1000, steps=6, repeat=3, error=error)
    right, claimed, studies = 0, 0.0, 3000
    for _ in range(studies):
        threshold = rng.uniform(1, 1000)
        found, _ = searched(search, noisy(threshold, rng, error=error, blur=30))
        assert found.sure
        right += found.contains(threshold)
        claimed += found.confidence
    assert right / studies >= claimed / studies
    assert right / studies < 1, "an oracle that errs must be seen to err"


def test_what_broke_is_as_certain_as_claimed_however_unsure_it_is_what_held():
    rng = random.Random(1867)
    search = Search(low=0, high=1000, error=0.02)
    too_low, contained, claimed, studies = 0, 0, 0.0, 2000
    for _ in range(studies):
        threshold = rng.uniform(1, 1000)
        sure = noisy(threshold, rng, error=0.02, blur=30)
        attempts: list[Attempt] = []
        while (value := bisection.following(search, attempts)) is not None:
            lucky = value >= threshold and rng.random() < 0.3  # what was measured kept the limit by chance
            attempts.append(Attempt(value, "held", sure=False) if lucky else Attempt(value, sure(value)))
        found = bisection.bracket(search, attempts)
        too_low += found.broken is not None and found.broken < threshold
        contained += found.contains(threshold)
        claimed += found.confidence
        assert found.sure or found.held is not None
    assert 1 - too_low / studies >= claimed / studies
    assert contained / studies < claimed / studies, "that is why what held unsurely is said to be so"


@given(st.lists(st.sampled_from(["held", "broken", "unclear"]), min_size=60, max_size=60))
def test_whatever_the_answers_it_ends_within_its_bounds_and_never_contradicts_itself(answers):
    script = iter(answers)
    found, attempts = searched(Search(low=0, high=10, steps=8, repeat=3), lambda _: next(script))
    assert len(attempts) <= 3 * (8 + 2)
    assert len({attempt.value for attempt in attempts}) <= 8 + 2
    assert all(0 <= attempt.value <= 10 for attempt in attempts)
    assert found.held is None or found.broken is None or found.held < found.broken


def test_what_breaks_at_the_mild_end_is_not_made_worse():
    found, attempts = searched(Search(low=1, high=9), lambda _: "broken")
    assert attempts == [Attempt(1, "broken")]
    assert (found.held, found.broken, found.runs) == (None, 1, 1)


def test_what_holds_at_the_hard_end_needs_no_more_than_the_two_ends():
    found, attempts = searched(Search(low=1, high=9), lambda _: "held")
    assert [attempt.value for attempt in attempts] == [1, 9]
    assert (found.held, found.broken) == (9, None)


def test_an_unclear_value_is_repeated_and_a_sure_answer_ends_that():
    answers = iter(["held", "broken", "unclear", "unclear", "held", "held"])
    _, attempts = searched(Search(low=0, high=8, steps=2), lambda _: next(answers))
    assert [attempt.value for attempt in attempts] == [0, 8, 4, 4, 4, 6]


def test_around_a_value_that_stays_unclear_the_search_goes_on_from_both_sides():
    def unsure_in_the_middle(value: float) -> Answer:
        return "unclear" if value == 50 else "broken" if value > 50 else "held"

    found, attempts = searched(Search(low=0, high=100, steps=5, repeat=2), unsure_in_the_middle)
    assert [attempt.value for attempt in attempts] == [0, 100, 50, 50, 25, 75, 37.5, 62.5]
    assert (found.held, found.broken, found.unclear) == (37.5, 62.5, (50,))


def test_nothing_sure_is_no_bracket():
    found, attempts = searched(Search(low=0, high=4, steps=1, repeat=2), lambda _: "unclear")
    assert (found.held, found.broken) == (None, None)
    assert found.unclear == (0, 2, 4)
    assert len(attempts) == 6


def test_more_runs_make_it_less_certain():
    assert bisection.bracket(Search(low=0, high=1), []).confidence == 1
    attempts = [Attempt(0, "held"), Attempt(1, "broken")]
    assert bisection.bracket(Search(low=0, high=1, error=0.01), attempts).confidence == pytest.approx(0.98)
