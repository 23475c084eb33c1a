"""Keys that stand twice in one JSON object."""

import pytest

from litmus.sandbox.machinery import status
from litmus.sandbox.machinery.schemas import duplicates


def test_a_body_without_repetition_is_just_read() -> None:
    assert duplicates.parse(b'{"a": [1, {"b": null}]}') == ({"a": [1, {"b": None}]}, [])


def test_the_last_of_repeated_fields_wins_and_their_paths_are_told() -> None:
    body = '{"spec": {"replicas": 1, "replicas": 2, "c": [{"x": 1}, {"n": 1, "n": 2, "n": 3}]}, "a": 1, "a": 2}'
    value, repeated = duplicates.parse(body)
    assert value["spec"]["replicas"] == 2
    assert repeated == ["a", "spec.replicas", "spec.c[1].n"]


def test_an_object_that_was_overwritten_tells_nothing_of_itself() -> None:
    assert duplicates.parse('{"a": {"x": 1, "x": 2}, "a": {"y": 1}}')[1] == ["a"]


def test_what_is_no_json_is_a_bad_request() -> None:
    with pytest.raises(status.Refusal) as refused:
        duplicates.parse(b"{")
    assert refused.value.code == 400
