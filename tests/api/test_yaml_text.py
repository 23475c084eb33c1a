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


def test_aliases_of_aliases_that_unfold_to_millions_are_refused():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 30)]
    with pytest.raises(yaml_text.NotYaml, match="its aliases repeat more than"):
        yaml_text.documents("\n".join(lines))


def test_an_alias_of_what_it_is_part_of_is_refused_and_an_ordinary_one_is_read():
    with pytest.raises(yaml_text.NotYaml, match="line 1: an alias refers to what it is a part of"):
        yaml_text.documents("a: &a [*a]")
    assert yaml_text.documents("a: &x [1, 2]\nb: *x\n") == [{"a": [1, 2], "b": [1, 2]}]


@pytest.mark.parametrize("text", ["[" * 100_000, "- " * 100_000 + "x", "{a: " * 50_000], ids=["[", "-", "{"])
def test_nesting_that_would_overrun_the_stack_is_refused(text):
    with pytest.raises(yaml_text.NotYaml, match="line 1: nested more than 200 levels deep"):
        yaml_text.documents(text)


def test_the_line_of_a_path_is_found_and_of_the_nearest_part_of_one_that_is_not_there():
    text = "\n---\na: 1\n---\nspec:\n  labels:\n    app.io/name: x\n    app: y\n  list:\n    - n: 1\n    - n: 2\n"
    first, second = yaml_text.located(text)
    assert first.line("a") == 3
    assert [second.line(path) for path in ("", "spec", "spec.labels.app", "spec.labels.app.io/name")] == [5, 5, 8, 7]
    assert [second.line(path) for path in ("spec.list[1].n", "spec.list[2]", "spec.list[1].m.k", "x")] == [11, 9, 11, 5]
