"""Text for people: lines that fit their terminal, and unbroken sentences for what is not a terminal."""

import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator

_WIDEST = 100  # longer lines are hard to read, however wide the terminal is
_UNBROKEN = 10_000
_HARD_SPACE = "\xa0"


def width() -> int:
    """How long a line may be on standard output."""
    return min(shutil.get_terminal_size().columns, _WIDEST) if sys.stdout.isatty() else _UNBROKEN


def wrapped(mark: str, text: str, *, rest: str, width: int) -> Iterator[str]:
    """The text after its mark; further lines begin with ``rest``."""
    lines = textwrap.wrap(
        text,
        max(40, width),
        initial_indent=mark,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
    yield from (line.replace(_HARD_SPACE, " ") for line in lines)


def listed(items: Iterable[str]) -> str:
    """The items with commas; ``wrapped`` breaks lines between them and not within."""
    return ", ".join(item.replace(" ", _HARD_SPACE) for item in items)
