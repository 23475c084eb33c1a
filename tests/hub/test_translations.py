"""The languages of the hub: which one a reader gets, and that nothing of ours is left in English."""

import pytest

from litmus.hub import translations

NEGOTIATED = {
    # Accept-Language, ?lang=, cookie -> language
    ("", "", ""): "en",
    ("ja", "", ""): "ja",
    ("ja-JP,ja;q=0.9,en-US;q=0.8,en;q=0.7", "", ""): "ja",
    ("en-US,en;q=0.9,ja;q=0.8", "", ""): "en",
    ("de-DE,de;q=0.9,en;q=0.2,ja;q=0.3", "", ""): "ja",
    ("de", "", ""): "en",
    ("*", "", ""): "en",
    ("de, *;q=0.1", "", ""): "en",
    ("en;q=0, *", "", ""): "ja",
    ("en;q=0", "", ""): "en",  # a page in English is better than none
    ("ja;q=0, *;q=0.5", "", ""): "en",
    ("ja;q=0, en;q=0", "", ""): "en",
    ("en;q=0.5, ja;q=0.5", "", ""): "en",
    ("ja;q=0.5, en;q=0.5", "", ""): "ja",
    ("JA ; Q=0.9 , EN;q=0.1", "", ""): "ja",
    ("ja-JP;q=0, ja;q=0.4, en;q=0.3", "", ""): "ja",
    ("ja;q=2, en;q=0.1", "", ""): "en",
    ("ja;q=x, en;q=0.1", "", ""): "en",
    ("ja;q=nan, en;q=0.1", "", ""): "en",
    ("ja;q=\u0660, en;q=0.1", "", ""): "en",  # a digit, but not of ASCII
    (";;,=,q=1,,", "", ""): "en",
    ("jam, en-GB;q=0.1", "", ""): "en",
    ("en", "ja", ""): "ja",
    ("en", "ja-JP", "en"): "ja",
    ("ja", "en", "ja"): "en",
    ("en", "", "ja"): "ja",
    ("ja", "xx", ""): "ja",
    ("ja", "xx", "../en"): "ja",
}


@pytest.mark.parametrize(("asked", "language"), NEGOTIATED.items())
def test_a_reader_gets_the_language_asked_for_then_the_remembered_one_then_the_best_accepted(
    asked: tuple[str, str, str], language: str
):
    assert translations.negotiate(*asked) == language


def test_a_text_has_its_japanese_and_an_unknown_one_stays_english():
    assert translations.translate("ja", "Pod delete") == "Podの削除"
    assert translations.translate("en", "Pod delete") == "Pod delete"
    assert translations.translate("ja", "A fault of somebody else.") == "A fault of somebody else."
    assert translations.translate("fr", "Pod delete") == "Pod delete"
