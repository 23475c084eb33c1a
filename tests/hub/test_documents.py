"""YAML with comments stays YAML."""

import yaml
from hypothesis import given
from hypothesis import strategies as st

from litmus.api import yaml_text
from litmus.hub import documents
from litmus.hub.documents import Comment, Flow, Quoted

SAMPLE = {
    "spec": {
        Comment("Why this key is there."): None,
        "state": Quoted("true"),
        "env": [Comment("Why this entry is there."), {"name": "A", "value": Quoted("1")}],
        "verbs": Flow(["get", "list"]),
    }
}
WRITTEN = """\
spec:
  # Why this key is there.
  state: 'true'
  env:
    # Why this entry is there.
    - name: A
      value: '1'
  verbs: [get, list]
"""


def test_a_comment_stands_above_the_key_or_entry_that_it_explains():
    assert documents.write([SAMPLE]) == WRITTEN


def test_what_was_written_reads_as_what_an_api_server_gets():
    assert yaml.safe_load(WRITTEN) == documents.plain(SAMPLE)


def test_a_long_comment_is_wrapped_at_its_own_indentation():
    text = documents.write([{"a": {Comment("word " * 60): None, "b": 1}}])

    comments = [line for line in text.splitlines() if "#" in line]
    assert len(comments) == 3
    assert all(line.startswith("  # word") and len(line) <= 120 for line in comments)


def test_several_documents_are_separated_and_one_is_not():
    assert documents.write([{"a": 1}, {"b": 2}]) == "---\na: 1\n---\nb: 2\n"
    assert documents.write([{"a": 1}], heading="One.\nTwo.") == "# One.\n# Two.\na: 1\n"


def test_the_same_part_in_two_places_is_written_twice_and_never_as_an_anchor():
    labels = {"name": "x"}

    assert "&" not in documents.write([{"a": labels, "b": labels}])


# Also what looks like something else to one reader of YAML or another.
text = st.sampled_from(["", "on", "1e3", "0o17", "1:20", "2020-01-01", "~", "- a", "a: b", "# a", "{a", "'", "é…"])
trees = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | text | text.map(Quoted),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3) | st.lists(text).map(Flow),
    max_leaves=8,
)


@given(st.dictionaries(text, trees, max_size=3))
def test_any_document_reads_back_as_it_was(document):
    assert yaml_text.documents(documents.write([document]))[0] == documents.plain(document)
