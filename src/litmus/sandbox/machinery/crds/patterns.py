"""Regular expressions as Go understands them (RE2), compiled for Python.

What only Python has (look-around, back references) is refused with Go's words; what is spelled differently is
translated. Unicode classes (``\\p{L}``) are approximated by "any letter beyond ASCII or in it".
Source: https://github.com/google/re2/wiki/Syntax.
"""

import re
from functools import lru_cache

_POSIX = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "ascii": r"\x00-\x7f",
    "blank": r"\t ",
    "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": r"!-/:-@\[-`{-~",
    "space": r"\t\n\v\f\r ",
    "upper": "A-Z",
    "word": "0-9A-Za-z_",
    "xdigit": "0-9A-Fa-f",
}
_TOKEN = re.compile(
    r"(?P<posix>\[:\w+:\])|(?P<unicode>\\[pP](?:\w|\{\^?\w+\}))|(?P<escape>\\.)|(?P<group>\(\?[^)]?[=!]?)|(?P<other>.)",
    re.DOTALL,
)
_UNSUPPORTED = "invalid or unsupported Perl syntax"


class Malformed(ValueError):
    """No regular expression for Go; the message is the one of its compiler."""


@lru_cache(maxsize=1024)
def compiled(pattern: str) -> re.Pattern[str]:
    """The pattern for ``search``. Raises Malformed."""
    translated = "".join(_translated(pattern))
    try:
        return re.compile(translated, re.ASCII)
    except re.error as why:
        raise Malformed(f"error parsing regexp: {_said(why, pattern)}") from why


def _translated(pattern: str) -> list[str]:
    found = []
    in_class = False
    for token in _TOKEN.finditer(pattern):
        text = token.group()
        if token["group"] and not in_class:
            found.append(_group(text))
        elif token["posix"] and in_class:
            found.append(_POSIX.get(text[2:-2], text))
        elif token["unicode"]:
            found.append(r"A-Za-z\u0080-\uffff" if in_class else r"[A-Za-z\u0080-\uffff]")
        elif token["escape"]:
            found.append(_escape(text))
        else:
            in_class = text != "]" if in_class else text == "["
            found.append(r"\Z" if text == "$" and not in_class else text)
    return found


def _group(text: str) -> str:
    if text.endswith(("=", "!")) and not text.endswith("P="):
        raise Malformed(f"error parsing regexp: {_UNSUPPORTED}: `{text}`")
    return text


def _escape(text: str) -> str:
    if text[1].isdigit() and text != r"\0":
        raise Malformed(f"error parsing regexp: invalid escape sequence: `{text}`")
    return r"\Z" if text == r"\z" else text


def _said(why: re.error, pattern: str) -> str:
    """Python's complaint in Go's words, as far as they are the same."""
    words = {
        "missing ), unterminated subpattern": f"missing closing ): `{pattern}`",
        "unterminated character set": f"missing closing ]: `{pattern[pattern.find('[') :]}`",
        "unbalanced parenthesis": f"unexpected ): `{pattern}`",
        "nothing to repeat": f"missing argument to repetition operator: `{pattern[why.pos or 0 :][:1]}`",
    }
    return words.get(why.msg, f"{why.msg}: `{pattern}`")
