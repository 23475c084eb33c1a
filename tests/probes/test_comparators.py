"""Comparators are typed, hold as their criteria say, and are refused with a path when they can't mean anything."""

import operator
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litmus.api.probe import Comparator
from litmus.probes import comparators
from litmus.probes.contract import ProbeError

PATH = "spec.experiments[0].spec.probe[0].cmdProbe/inputs.comparator"
ORDERS = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "==": operator.eq,
    "!=": operator.ne,
}


def made(type_: str | None, criteria: str, value: str) -> comparators.Check:
    return comparators.read(Comparator(type=type_, criteria=criteria, value=value), path=PATH)


@given(st.sampled_from(sorted(ORDERS)), st.integers(), st.integers())
def test_whole_numbers_of_any_size_compare_as_numbers(criteria, seen, expected):
    assert made("int", criteria, str(expected)).holds(f" {seen}\n") == ORDERS[criteria](seen, expected)


FLOATS = st.floats(allow_nan=False, allow_infinity=False)


@given(st.sampled_from(sorted(ORDERS)), FLOATS, FLOATS)
def test_fractions_compare_as_numbers_and_not_equal_works_unlike_in_1_10(criteria, seen, expected):
    assert made("float", criteria, repr(expected)).holds(repr(seen)) == ORDERS[criteria](seen, expected)


@given(st.integers(), st.lists(st.integers(), min_size=1, max_size=5), st.booleans())
def test_one_of_is_membership_with_or_without_brackets(seen, listed, brackets):
    text = ",".join(map(str, listed))
    assert made("int", "oneOf", f"[{text}]" if brackets else text).holds(str(seen)) == (seen in listed)


@given(st.integers(-50, 50), st.integers(-50, 50), st.integers(-50, 50))
def test_between_includes_its_limits(seen, one, other):
    low, high = sorted((one, other))
    assert made("int", "between", f"{low},{high}").holds(str(seen)) == (low <= seen <= high)


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Zs", "Cc", "Zl", "Zp")), min_size=1, max_size=8)


@given(WORDS, WORDS)
def test_texts_are_equal_or_not_and_contain_each_other_or_not(seen, expected):
    assert made("string", "equal", expected).holds(seen) == (seen == expected)
    assert made("string", "notEqual", expected).holds(seen) == (seen != expected)
    assert made("string", "contains", expected).holds(seen) == (expected in seen)


@given(WORDS, WORDS)
def test_a_pattern_is_searched_for(seen, word):
    pattern = re.escape(word)
    assert made("string", "matches", pattern).holds(seen) == (word in seen)
    assert made("string", "notMatches", pattern).holds(seen) == (word not in seen)


def test_a_text_is_one_of_several():
    check = made("string", "oneOf", "red, green")
    assert [check.holds(seen) for seen in ("red", "green", "re", "red, green")] == [True, True, False, False]


@pytest.mark.parametrize("criteria", sorted({*ORDERS, "between", "oneOf"}))
def test_what_is_not_a_number_of_prometheus_meets_no_criterion(criteria):
    assert not made("float", criteria, "1,2" if criteria in ("between", "oneOf") else "1").holds("NaN")


def test_infinity_of_prometheus_is_more_than_anything():
    assert made("float", ">", "1e300").holds("+Inf")


@pytest.mark.parametrize("type_", ["int", "float"])
@pytest.mark.parametrize("seen", ["", "many", "1_000", "\u0661", "0x10", "1;rm", "9" * 5000 + "x"])
def test_an_output_that_is_no_number_is_an_error_and_never_taken_for_zero(type_, seen):
    with pytest.raises(ProbeError, match="number, and the comparator is"):
        made(type_, ">=", "0").holds(seen)


@pytest.mark.parametrize(
    ("type_", "criteria", "value", "words"),
    [
        (None, "==", "1", ".type: missing; write one of int, float, string"),
        ("integer", "==", "1", ".type: 'integer' is not one of int, float, string"),
        ("flaot", "==", "1", ".type: 'flaot' is not one of int, float, string; did you mean float?"),
        ("int", "equal", "1", ".criteria: 'equal' is not known for int; it is one of >=, <=, >, <, ==, !=, oneOf, "),
        ("string", "==", "1", "; did you mean equal?"),
        ("string", "equals", "1", "; did you mean equal?"),
        ("int", "equals", "1", "; did you mean ==?"),
        ("string", "contain", "1", "; did you mean contains?"),
        ("int", "=>", "1", ".criteria: '=>' is not known for int"),
        ("int", "==", "1.5", ".value: '1.5' is no whole number, but the comparator's type is int; write a number, or "),
        ("int", "==", "1.5", "set the type to float"),
        ("int", ">=", "ten", "set the type to string"),
        ("float", ">=", "", ".value: '' is no number"),
        ("float", ">=", "nan", ".value: 'nan' is no number"),
        ("float", ">=", "1e999", ".value: '1e999' is no number"),
        ("int", "oneOf", "1,,2", ".value: '1,,2' must be a list of values, as in 1,2"),
        ("int", "oneOf", "1,b", ".value: 'b' is no whole number"),
        ("int", "between", "5", ".value: '5' must be the lower and the upper limit, as in 10,20"),
        ("int", "between", "5,4", ".value: '5,4' must be the lower and the upper limit"),
        ("string", "oneOf", "", ".value: '' must be a list of values, as in a,b"),
        ("string", "contains", "", ".value: everything contains the empty text"),
        ("string", "matches", "(", ".value: '(' is no regular expression: "),
        ("string", "matches", "[[:alpha:]]", ".value: '[[:alpha:]]' is no regular expression: "),
    ],
)
def test_what_can_not_mean_anything_is_refused_with_its_path(type_, criteria, value, words):
    with pytest.raises(ProbeError) as told:
        made(type_, criteria, value)
    assert str(told.value).startswith(PATH)
    assert words in str(told.value)


@pytest.mark.parametrize("criteria", ["OneOf", "oneof", "oneOf"])
def test_3_x_spells_some_criteria_in_two_ways(criteria):
    assert made("int", criteria, "1").holds("1")


def test_a_type_may_be_given_by_the_kind_of_probe():
    assert comparators.read(Comparator(criteria=">", value="0.5"), path=PATH, default="float").holds("0.6")


@pytest.mark.parametrize(
    ("type_", "criteria", "value", "words"),
    [
        ("int", ">=", "5", "int >= 5"),
        ("float", "between", "0.5,2", "float between 0.5 and 2"),
        ("string", "oneOf", "a,b", "string oneOf 'a', 'b'"),
        ("string", "matches", "^ok$", "string matches '^ok$'"),
    ],
)
def test_what_would_hold_is_told_to_people(type_, criteria, value, words):
    assert made(type_, criteria, value).describe() == words
