"""Lines as they are set, in two scripts."""

import io

import pytest
from rich.cells import cell_len

from litmus.tutorial import page


def set_in(width: int, text: str, *, marks: bool = True) -> list[str]:
    return list(page.lines(text, width=width, marks=marks))


def test_words_are_filled_and_source_lines_joined():
    assert set_in(12, "one two\nthree four") == ["one two", "three four"]


def test_japanese_breaks_between_any_two_characters_and_source_lines_are_joined_without_a_space():
    assert set_in(10, "あいう\nえおかき") == ["あいうえお", "かき"]


def test_no_line_begins_with_a_closing_mark_or_a_small_kana():
    assert set_in(10, "あいうえお。かき") == ["あいうえ", "お。かき"]
    assert set_in(10, "あいうえっきょ") == ["あいうえっ", "きょ"]


def test_no_line_ends_with_an_opening_mark():
    assert set_in(10, "あいうえ「おか」") == ["あいうえ", "「おか」"]


def test_a_word_of_latin_letters_stays_whole_within_japanese():
    assert set_in(12, "あいうえnginxです") == ["あいうえ", "nginxです"]


def test_what_is_in_backquotes_stays_on_one_line():
    assert set_in(24, "look at it with `kubectl get pods` now") == ["look at it with", "`kubectl get pods` now"]


def test_backquotes_take_no_room_where_they_are_not_seen():
    assert set_in(8, "a `b c d e`", marks=True) == ["a", "`b c d e`"]
    assert set_in(9, "a `b c d e`", marks=False) == ["a `b c d e`"]


def test_a_number_keeps_its_unit():
    assert set_in(10, "it took 1.4 s") == ["it took", "1.4 s"]


def test_code_has_a_space_beside_words_and_none_beside_marks():
    assert set_in(40, "これは\n`ls`\nです。\n`ls`\nと「\n`ls`\n」") == ["これは `ls` です。`ls` と「`ls`」"]


def test_items_hang_and_examples_stay_as_they_are():
    assert set_in(10, "- one two\n  three\n- four") == ["- one two", "  three", "- four"]
    assert set_in(10, "so:\n  export   KUBECONFIG=x") == ["so:", "  export   KUBECONFIG=x"]


@pytest.mark.parametrize(
    "text", ["漢字かな交じり文とkubectlのような単語、それに「かっこ」。" * 9, "some words here " * 30]
)
def test_no_line_is_wider_than_the_page(text: str):
    assert max(cell_len(line) for line in set_in(30, text)) <= 30


def test_a_pipe_gets_plain_text():
    stream = io.StringIO()
    shown = page.Page(stream)
    shown.heading("1/2  見出し")
    shown.prose("Run `ls`.")
    shown.command("ls")
    lines = stream.getvalue().splitlines()
    assert cell_len(lines[1]) == 80
    assert lines[1].startswith("── 1/2  見出し ──")
    assert lines[2:] == ["", "  Run `ls`.", "", "$ ls"]
