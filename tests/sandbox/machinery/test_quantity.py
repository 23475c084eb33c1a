"""The golden values were written by a real server (Kubernetes 1.20), from ``emptyDir.sizeLimit`` of a pod."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from litmus.sandbox.machinery import quantity

GOLDEN = {
    "0": "0", "0Gi": "0", "1024Mi": "1Gi", "0.5": "500m", ".5": "500m", "1.": "1", "1.5Gi": "1536Mi", "0.5Gi": "512Mi",
    "100000": "100k", "1000": "1k", "1e3": "1e3", "12e-1": "1200e-3", "1e2": "100", "123456789e5": "12345678900e3",
    "1E": "1E", "2048": "2048", "2048Ki": "2Mi", "0.5Ki": "512", "1.5Ki": "1536", "1023Ki": "1023Ki", "1Ei": "1Ei",
    "0.1n": "1n", "0.0001": "100u", "0.3Gi": "322122547200m", "1.1Mi": "1153433600m", "0.0005Ki": "512m",
    "0.1Mi": "104857600m", "+1": "1", "1e-20": "1e-9", ".": "0",
}  # fmt: skip


@pytest.mark.parametrize(("text", "canonical"), GOLDEN.items())
def test_amounts_are_written_back_as_a_real_server_writes_them(text: str, canonical: str) -> None:
    assert quantity.canonical(text) == canonical


@pytest.mark.parametrize("text", ["", "a", "1x", "1 Gi", "1..2", "1.2.3"])
def test_what_has_not_the_shape_of_an_amount_is_refused(text: str) -> None:
    with pytest.raises(quantity.Malformed, match="quantities must match the regular expression"):
        quantity.parse(text)


@pytest.mark.parametrize("text", ["1ki", "1mm", "1e", "--1", "1e999999999"])
def test_an_unknown_suffix_is_refused(text: str) -> None:
    with pytest.raises(quantity.Malformed, match="unable to parse quantity's suffix"):
        quantity.parse(text)


def test_numbers_in_json_are_amounts_too() -> None:
    assert quantity.canonical(0.5) == "500m"
    assert quantity.canonical(2) == "2"


@given(some.integers(min_value=-(10**15), max_value=10**15), some.sampled_from(["m", "", "k", "Ki", "Mi", "u", "n"]))
def test_the_canonical_form_means_the_same_amount(number: int, suffix: str) -> None:
    found = quantity.parse(f"{number}{suffix}")
    assert quantity.parse(str(found)).same(found)
    assert quantity.canonical(str(found)) == str(found)


def test_amounts_are_added_and_compared_exactly() -> None:
    tenths = quantity.total(["0.1"] * 10)
    assert tenths.same(quantity.parse("1"))
    assert str(quantity.parse("1Gi") - quantity.parse("512Mi")) == "512Mi"
    assert quantity.parse("999m") < quantity.parse("1") <= quantity.parse("1000m") < quantity.parse("1Ki")


def test_a_sum_that_begins_with_nothing_takes_the_form_of_what_is_added() -> None:
    assert str(quantity.ZERO + quantity.parse("1Gi")) == "1Gi"


def test_cores_and_pieces_are_rounded_up() -> None:
    assert quantity.parse("100u").milli == 1
    assert quantity.parse("1500m").whole == 2
    assert str(quantity.parse("0.0001").rounded_to_milli()) == "1m"
    assert str(quantity.parse("-0.0001").rounded_to_milli()) == "-1m"
