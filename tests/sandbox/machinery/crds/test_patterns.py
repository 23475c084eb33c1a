"""Regular expressions of Go in Python."""

import pytest

from litmus.sandbox.machinery.crds import patterns


@pytest.mark.parametrize(
    ("pattern", "matches", "refuses"),
    [
        ("^a$", "a", "a\n"),
        (r"^\d+$", "12", "١٢"),
        ("^[[:alpha:]_]+$", "a_B", "a1"),
        (r"^\pL+$", "né", "1"),
        (r"^[\p{Greek}0-9]+\z", "\u03bb1", "-"),
        ("(?i)^ab$", "AB", "abc"),
        (r"^[$]\$$", "$$", "$"),
        ("^(?P<n>a)$", "a", "b"),
        ("b", "abc", "ac"),
    ],
)
def test_a_pattern_means_what_it_means_in_go(pattern: str, matches: str, refuses: str) -> None:
    assert patterns.compiled(pattern).search(matches)
    assert not patterns.compiled(pattern).search(refuses)


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("(?=x)", "error parsing regexp: invalid or unsupported Perl syntax: `(?=`"),
        ("(?!x)", "error parsing regexp: invalid or unsupported Perl syntax: `(?!`"),
        ("(?<!x)y", "error parsing regexp: invalid or unsupported Perl syntax: `(?<!`"),
        ("(", "error parsing regexp: missing closing ): `(`"),
        ("a[b", "error parsing regexp: missing closing ]: `[b`"),
        ("*", "error parsing regexp: missing argument to repetition operator: `*`"),
        (r"(a)\1", r"error parsing regexp: invalid escape sequence: `\1`"),
    ],
)
def test_what_go_cannot_read_is_refused_in_its_words(pattern: str, said: str) -> None:
    with pytest.raises(patterns.Malformed) as refused:
        patterns.compiled(pattern)
    assert str(refused.value) == said
