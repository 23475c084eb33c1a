"""The languages of the hub: which one a reader wants, and its words for what is written in English.

The English text is the key, as in gettext: a declaration says everything in English once, and whoever shows it asks
here. ``texts/<language>/*.yaml`` maps English to that language, one file a theme; all of them are one catalogue. What
no file has, a chart of somebody else for instance, is shown in English.

A sentence with something to fill in is translated as a template and filled in afterwards, so that each language has
its own order of words: ``translate(lang, "waits {seconds} s").format(seconds=5)``. Never join fragments.
"""

import functools
from collections.abc import Mapping
from importlib import resources

import yaml

LANGUAGES = {"en": "English", "ja": "日本語"}
DEFAULT = "en"


def translate(lang: str, english: str) -> str:
    """The text in one of LANGUAGES; the English text itself where there is no other."""
    return english if lang == DEFAULT else catalogue(lang).get(english, english)


@functools.cache
def catalogue(lang: str) -> Mapping[str, str]:
    """All texts of a language by their English ones; empty for English and for languages that we don't have."""
    return {english: text for texts in files(lang).values() for english, text in texts.items()}


def files(lang: str) -> dict[str, dict[str, str]]:
    """The texts of a language by the name of their file."""
    if lang == DEFAULT or lang not in LANGUAGES:
        return {}
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    folder = resources.files(__package__).joinpath("texts", lang)
    found = sorted((file for file in folder.iterdir() if file.name.endswith(".yaml")), key=lambda file: file.name)
    return {file.name: yaml.load(file.read_text(encoding="utf-8"), Loader=loader) or {} for file in found}


def negotiate(accept_language: str, wanted: str = "", cookie: str = "") -> str:
    """One of LANGUAGES: the one asked for, else the remembered one, else the best that the browser accepts.

    ``accept_language`` is the header (RFC 9110, section 12.5.4): ranges with a quality from 0 (never) to 1, of which
    the part before the first hyphen counts. A part of it that can't be read is as good as absent. With equal
    qualities the one named first wins; when nothing fits, English, as that section allows.
    """
    for choice in (wanted, cookie):
        primary = _primary(choice)
        if primary in LANGUAGES:
            return primary
    return _accepted(accept_language)


def _accepted(header: str) -> str:
    exact: dict[str, float] = {}  # by the range as it is written
    broad: dict[str, float] = {}  # by its primary part: the best of en-GB, en-US, …
    for part in header.split(","):
        language, _, parameter = part.partition(";")
        name, quality = language.strip().lower(), _quality(parameter)
        if name and quality is not None:
            exact.setdefault(name, quality)
            broad[_primary(name)] = max(quality, broad.get(_primary(name), 0.0))
    order = [*broad, *LANGUAGES]

    def worth(lang: str) -> float:
        return exact.get(lang, broad.get(lang, exact.get("*", 0.0)))

    best = max(sorted(LANGUAGES, key=order.index), key=worth)  # the first of equals
    return best if worth(best) > 0 else DEFAULT


def _quality(parameter: str) -> float | None:
    """The number of ``q=0.8``; 1 where there is none, None where it is none from 0 to 1."""
    if not parameter.strip():
        return 1.0
    name, _, value = parameter.partition("=")
    text = value.strip()
    if name.strip().lower() != "q" or not text.replace(".", "", 1).isdecimal() or not text.isascii():
        return None
    quality = float(text)
    return quality if quality <= 1 else None


def _primary(tag: str) -> str:
    return tag.strip().lower().partition("-")[0]
