import pytest
from hypothesis import given
from hypothesis import strategies as st

from litmus.sandbox.controllers import job_indexes


@pytest.mark.parametrize(
    ("indexes", "text"),
    [([], ""), ([0], "0"), ([1, 3, 4, 5, 7], "1,3-5,7"), ([0, 1], "0,1"), ([2, 0, 1], "0-2"), ([9, 8, 5], "5,8,9")],
)
def test_the_text_is_that_of_the_documentation(indexes: list[int], text: str) -> None:
    assert job_indexes.text(indexes) == text


@given(st.sets(st.integers(0, 60)))
def test_what_is_written_is_read_again(indexes: set[int]) -> None:
    assert job_indexes.parse(job_indexes.text(indexes)) == indexes


def test_what_is_no_number_is_passed_over() -> None:
    assert job_indexes.parse("1,x,3-y,4") == {1, 4}
