"""What a check says, in the reader's language. Pure.

The checks belong to the framework and speak English, with names and values already in their sentences. The texts of
the editor have those sentences as templates; here a sentence is matched with them, and what stands in it (a hint, a
list of what is allowed) is put into the language in the same way.
"""

import functools
import re

from .. import translations

_PLACE = re.compile(r"\{(\w+)\}")
_THEME = "editor.yaml"


def say(lang: str, sentence: str) -> str:
    """The sentence in the language, in English where there is no template for it."""
    exact = translations.translate(lang, sentence)
    if exact != sentence:
        return exact
    for pattern, template in _templates(lang):
        if found := pattern.fullmatch(sentence):
            inner = {name: say(lang, text) for name, text in found.groupdict().items()}
            return template.format(**inner)
    return sentence


@functools.cache
def _templates(lang: str) -> list[tuple[re.Pattern[str], str]]:
    """The most definite first: those with most text of their own."""
    texts = translations.files(lang).get(_THEME, {})
    found = [(english, text) for english, text in texts.items() if _PLACE.search(english)]
    found.sort(key=lambda pair: -len(_PLACE.sub("", pair[0])))
    return [(_pattern(english), text) for english, text in found]


def _pattern(english: str) -> re.Pattern[str]:
    """What is filled in may be anything; what stands twice has to be the same."""
    pieces = _PLACE.split(english)
    seen: set[str] = set()
    pattern = ""
    for number, piece in enumerate(pieces):
        if number % 2 == 0:
            pattern += re.escape(piece)
        else:
            pattern += f"(?P={piece})" if piece in seen else f"(?P<{piece}>.*?)"
            seen.add(piece)
    return re.compile(pattern, re.DOTALL)
