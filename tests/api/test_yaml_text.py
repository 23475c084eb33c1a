"""YAML is read as kubectl reads it, and what would be read differently from how it looks is refused."""

import pytest

from litmus.api import yaml_text


def value(text: str):
    [document] = yaml_text.documents(f"a: {text}")
    return document["a"]


@pytest.mark.parametrize("text", ["2020-01-01", "2026-02-03T04:05:06Z"])
def test_a_time_stays_text(text):
    assert value(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [("30", 30), ("'30'", "30"), ("true", True), ("0.5", 0.5), ("null", None), ("", None), ("[a, b]", ["a", "b"])],
)
def test_numbers_text_and_truth_are_told_apart(text, expected):
    assert value(text) == expected


def test_all_documents_are_read_and_empty_ones_left_out():
    assert yaml_text.documents("a: 1\n---\n---\n# nothing\n---\nb: 2\n") == [{"a": 1}, {"b": 2}]
    assert yaml_text.documents("") == []


def test_a_key_that_stands_twice_is_refused_with_its_line():
    with pytest.raises(yaml_text.NotYaml, match="line 3: engineState stands twice; keep one of them"):
        yaml_text.documents("spec:\n  engineState: active\n  engineState: stop\n")


def test_the_same_key_in_two_places_is_no_mistake():
    assert yaml_text.documents("- name: a\n- name: b\n") == [[{"name": "a"}, {"name": "b"}]]


@pytest.mark.parametrize("text", ["a: [", "a: 'b", "\tb: 1", "a: b: c"])
def test_what_is_not_yaml_is_refused_with_its_line(text):
    with pytest.raises(yaml_text.NotYaml, match=r"^line \d+: "):
        yaml_text.documents(text)


def test_a_character_that_yaml_does_not_allow_is_refused_in_one_sentence():
    with pytest.raises(yaml_text.NotYaml) as caught:
        yaml_text.documents("a: \x00")
    assert "\n" not in str(caught.value)


def test_no_object_of_python_can_be_made():
    with pytest.raises(yaml_text.NotYaml):
        yaml_text.documents("!!python/object/apply:os.getcwd []")


def test_an_anchor_is_followed():
    assert yaml_text.documents("a: &x {k: 1}\nb: *x\n") == [{"a": {"k": 1}, "b": {"k": 1}}]


@pytest.mark.parametrize("text", ["1:20", "190:20:30", "12:30:45"])
def test_a_number_with_colons_stays_text(text):
    assert value(text) == text


def test_a_merge_key_is_followed():
    assert yaml_text.documents("a: &x {k: 1}\nb:\n  <<: *x\n  l: 2\n") == [{"a": {"k": 1}, "b": {"k": 1, "l": 2}}]


@pytest.mark.parametrize(
    "text",
    ["? [a, b]\n: 1", "? {a: b}\n: 1", "[[a]]: 1", "<<: 1", "a: !!int x", "a: !!timestamp x", "*x"],
)
def test_what_yaml_allows_and_nobody_can_read_is_refused_as_not_yaml(text):
    with pytest.raises(yaml_text.NotYaml):
        yaml_text.documents(text)
