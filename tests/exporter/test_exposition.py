"""The text of families, as Prometheus' own parser reads it."""

import math

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from litmus.exporter import exposition
from litmus.exporter.exposition import Family

# What JSON can carry; a surrogate is no character.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
NUMBERS = st.floats(allow_nan=False) | st.integers(-(2**53), 2**53)


def written(*samples: tuple[tuple[str, ...], float], labels: tuple[str, ...] = ("a", "b")) -> str:
    family = Family(name="told", help="Back\\slash,\nand a line.", labels=labels, samples=lambda known: known)
    return "".join(exposition.write(family, samples))


@given(st.dictionaries(st.tuples(TEXTS, TEXTS), NUMBERS))
def test_every_value_of_a_label_and_every_number_comes_back_as_it_was(samples: dict[tuple[str, str], float]):
    [family] = text_string_to_metric_families(written(*samples.items()))

    read = {(sample.labels["a"], sample.labels["b"]): sample.value for sample in family.samples}
    assert read == samples
    assert family.documentation == "Back\\slash,\nand a line."


def test_what_is_no_number_is_written_as_prometheus_wants_it():
    text = written((("x", "y"), math.nan), (("x", "z"), math.inf), (("y", "z"), -math.inf))

    assert [line.rsplit(" ", 1)[1] for line in text.splitlines()[2:]] == ["NaN", "+Inf", "-Inf"]


def test_a_family_without_labels_has_no_braces():
    assert written(((), 3), labels=()).splitlines()[-1] == "told 3"


def test_of_two_samples_with_the_same_labels_the_first_counts():
    assert written((("x", "y"), 1), (("x", "y"), 2)).count("told{") == 1


def test_many_samples_come_in_pieces():
    family = Family(name="told", help="Many.", labels=("a",), samples=lambda known: known)
    pieces = list(exposition.write(family, [((str(number),), number) for number in range(5_000)]))

    assert len(pieces) > 2
    [read] = text_string_to_metric_families("".join(pieces))
    assert len(read.samples) == 5_000
