"""Whether figures differ: the permutation test, the intervals, and the error rate of all together."""

import itertools
import math
import random
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litmus.impact import comparison
from litmus.impact.comparison import Pair, Value


def values(*numbers: float) -> list[Value]:
    return [Value(value=number) for number in numbers]


def one(value: float, low: float, high: float) -> list[Value]:
    return [Value(value=value, low=low, high=high)]


def judged(before: list[Value], after: list[Value], *, better: bool = True, error: float = 0.05):
    return comparison.judge({"f": Pair(before=before, after=after, more_is_better=better)}, error=error)["f"]


def by_hand(before: list[float], after: list[float]) -> float:
    """The permutation test as it is defined: every way of dealing, one by one."""
    everything = [*before, *after]
    ranks = [sum(y < x for y in everything) + (sum(y == x for y in everything) + 1) / 2 for x in everything]
    mean = len(after) * (len(ranks) + 1) / 2
    seen = abs(sum(ranks[len(before) :]) - mean)
    ways = [abs(sum(chosen) - mean) for chosen in itertools.combinations(ranks, len(after))]
    return fmean(way >= seen - 1e-9 for way in ways)


numbers = st.lists(st.integers(0, 5).map(float), min_size=1, max_size=5)


@given(numbers, numbers)
def test_the_chance_is_that_of_dealing_the_runs_by_lot(before: list[float], after: list[float]):
    assert comparison.chance(before, after) == pytest.approx(by_hand(before, after))
    assert comparison.chance(after, before) == pytest.approx(comparison.chance(before, after))


def test_many_runs_are_tested_by_an_approximation_that_is_near_the_exact_test(monkeypatch: pytest.MonkeyPatch):
    before, after = [float(n % 7) for n in range(18)], [float(n % 7) + 1.2 for n in range(18)]
    exact = comparison.chance(before, after)
    monkeypatch.setattr(comparison, "_EXACT", 0)
    assert comparison.chance(before, after) == pytest.approx(exact, rel=0.15)


def test_runs_that_are_all_worse_are_worse_and_all_better_are_better():
    low, high = values(80, 81, 82, 83, 84), values(97, 98, 99, 99.5, 100)
    assert judged(high, low).judgement == "worse"
    assert judged(low, high).judgement == "better"
    assert judged(high, low, better=False).judgement == "better"


def test_the_difference_has_an_interval_around_it():
    found = judged(values(80, 81, 82, 83, 84), values(97, 98, 99, 99.5, 100))
    assert (found.low, found.difference, found.high) == (14, 17, 19)


def test_a_run_that_never_recovered_is_the_worst_of_all():
    before, after = values(1, 2, 3, 4, 5), values(6, 7, math.inf, math.inf, math.inf)
    found = judged(before, after, better=False)
    assert found.judgement == "worse"
    assert found.after is None


def test_too_few_runs_are_inconclusive_and_it_is_said_how_many_would_do():
    found = judged(values(99, 99), values(10, 11))
    assert found.judgement == "inconclusive"
    assert found.note == "2 and 2 runs can show nothing at this error rate; 4 on each side can"


def test_runs_that_are_alike_show_no_certain_change():
    assert judged(values(1, 2, 3, 4, 5), values(1, 2, 3, 4, 5)).judgement == "no certain change"
    assert judged(values(5, 5, 5, 5), values(5, 5, 5, 5)).chance == 1.0


def test_two_runs_differ_where_the_interval_of_the_difference_holds_no_zero():
    assert judged(one(99, 98, 99.5), one(72, 66, 78)).judgement == "worse"
    assert judged(one(72, 66, 78), one(99, 98, 99.5)).judgement == "better"
    near = judged(one(72, 66, 78), one(75, 70, 80))
    assert near.judgement == "no certain change"
    assert near.low == pytest.approx(3 - math.hypot(5, 6))
    assert near.high == pytest.approx(3 + math.hypot(5, 6))


def test_a_figure_that_had_no_end_is_judged_by_its_bound():
    assert judged(one(3, 2, 4), one(math.inf, 30, math.inf), better=False).judgement == "worse"
    assert judged(one(3, 2, 40), one(math.inf, 30, math.inf), better=False).judgement == "no certain change"
    endless = one(math.inf, 30, math.inf)
    assert judged(endless, endless, better=False).note == "neither has a number"


def test_what_has_no_interval_or_was_not_measured_is_inconclusive():
    assert judged(values(99), values(10)).note == "no interval is known, so one run each can't tell"
    assert judged([], values(10)).note == "not measured before"
    assert judged(values(10), []).note == "not measured after"
    assert judged([], []).note == "not measured on either side"


def test_more_figures_need_more_certainty_each():
    before, after = values(1, 2, 3, 4), values(5, 6, 7, 8)
    assert judged(before, after).judgement == "better"
    noise = Pair(before=values(1, 2, 3, 4), after=values(1, 3, 2, 4), more_is_better=True)
    figures = {"f": Pair(before=before, after=after, more_is_better=True)} | {str(n): noise for n in range(5)}
    assert comparison.judge(figures, error=0.05)["f"].judgement == "inconclusive"


def test_runs_without_a_difference_are_called_different_no_more_often_than_stated():
    chance, wrong, rounds = random.Random(11), 0, 400
    for _ in range(rounds):
        pairs = {
            name: Pair(
                before=values(*(chance.lognormvariate(1, 1) for _ in range(7))),
                after=values(*(chance.lognormvariate(1, 1) for _ in range(7))),
                more_is_better=True,
            )
            for name in ("a", "b", "c")
        }
        found = comparison.judge(pairs, error=0.05)
        wrong += any(f.judgement in ("worse", "better") for f in found.values())
    assert wrong / rounds <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / rounds)


def test_a_real_difference_is_found():
    chance, found, rounds = random.Random(12), 0, 100
    for _ in range(rounds):
        before = values(*(chance.gauss(99, 0.3) for _ in range(8)))
        after = values(*(chance.gauss(98, 0.3) for _ in range(8)))
        found += judged(before, after).judgement == "worse"
    assert found / rounds > 0.95
