"""Text for people: lines that fit their terminal, and unbroken sentences for what is not a terminal."""

import shutil
import sys
import textwrap
import unicodedata
from collections.abc import Iterable, Iterator

_WIDEST = 100  # longer lines are hard to read, however wide the terminal is
_UNBROKEN = 10_000
_HARD_SPACE = "\xa0"


def width() -> int:
    """How long a line may be on standard output."""
    return min(shutil.get_terminal_size().columns, _WIDEST) if sys.stdout.isatty() else _UNBROKEN


def wrapped(mark: str, text: str, *, rest: str, width: int) -> Iterator[str]:
    """The text after its mark; further lines begin with ``rest``."""
    if any(unicodedata.east_asian_width(character) in "WF" for character in text):
        yield from _wrapped_wide(mark, text, rest=rest, width=width)
        return
    lines = textwrap.wrap(
        text,
        max(40, width),
        initial_indent=mark,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
    yield from (line.replace(_HARD_SPACE, " ") for line in lines)


def _wrapped_wide(mark: str, text: str, *, rest: str, width: int) -> Iterator[str]:
    """The same for Japanese, which has no blanks to break lines at, and characters of two columns."""
    from litmus.tutorial import page  # with it comes rich, which nothing else here needs

    blank = mark[: len(mark) - len(mark.lstrip())]
    first = mark.lstrip().replace(" ", _HARD_SPACE)
    broken = page.lines(f"{first}{text}", width=max(40, width) - max(len(rest), len(blank)))
    for number, line in enumerate(broken):
        yield f"{rest if number else blank}{line.replace(_HARD_SPACE, ' ')}"


def listed(items: Iterable[str]) -> str:
    """The items with commas; ``wrapped`` breaks lines between them and not within."""
    return ", ".join(item.replace(" ", _HARD_SPACE) for item in items)


def warn(sentence: str) -> None:
    """Says on standard error what does not keep the command from its result."""
    print(f"! {sentence}", file=sys.stderr, flush=True)
