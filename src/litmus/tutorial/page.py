"""What the course looks like: paragraphs of at most 80 columns, in colour on a terminal and plain in a pipe.

Japanese is set as it is printed: lines may break between any two wide characters, but not before a closing mark or a
small kana and not after an opening one (JIS X 4051, kinsoku). What
stands in backquotes stays on one line.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

WIDTH = 80
_MARGIN = 2
_NO_BREAK = "\u00a0"
_BEFORE_UNIT = re.compile(r"(?<=\d) (?=m?s\b)")
_PIECES = re.compile(r"`[^`]+`|[ \n]+|[^ \n`\u1100-\uffef]+|.")
_CLOSING = frozenset("、。，．・：；？！」』）】〉》〕")  # noqa: RUF001
_OPENING = frozenset("「『（【〈《〔")  # noqa: RUF001
_NOT_FIRST = _CLOSING | frozenset("々ーぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮ,.:;?!)]}")
_NOT_LAST = _OPENING | frozenset("([{")


class Page:
    """Prints on one stream."""

    def __init__(self, stream: TextIO) -> None:
        self._console = Console(file=stream, highlight=False, markup=False, soft_wrap=True)
        self._width = min(WIDTH, self._console.width)

    def heading(self, text: str) -> None:
        """A title with a line to the margin."""
        rest = max(0, self._width - cell_len(text) - 4)
        self._console.print()
        self._console.print(Text.assemble(("── ", "cyan"), (text, "bold cyan"), (f" {'─' * rest}", "cyan")))

    def prose(self, text: str, *, style: str = "") -> None:
        """Paragraphs, with an empty line before each."""
        for paragraph in text.strip("\n").split("\n\n"):
            self._console.print()
            for line in self._lines(paragraph):
                self._console.print(self._coloured(" " * _MARGIN + line, style))

    def remark(self, text: str, *, style: str = "dim") -> None:
        """A paragraph without an empty line before it."""
        for line in self._lines(text):
            self._console.print(self._coloured(" " * _MARGIN + line, style))

    def command(self, line: str) -> None:
        """A command, as on a terminal."""
        self._console.print()
        self._console.print(Text(f"$ {line}", "bold green"))

    @contextmanager
    def waiting(self) -> Iterator[Callable[[str], None]]:
        """A sign that something is waited for, which can be told for what; in a pipe nothing: nobody waits there."""
        if not self._console.is_terminal:
            yield lambda text: None
            return
        with self._console.status("") as sign:
            yield lambda text: sign.update(Text(" ".join(_blocks(text)).replace("`", ""), "dim"))

    def line(self, text: str) -> None:
        """A line as it is."""
        self._console.print(text)

    def blank(self) -> None:
        """An empty line."""
        self._console.print()

    def _lines(self, text: str) -> Iterator[str]:
        return lines(text, width=self._width - _MARGIN, marks=not self._console.is_terminal)

    def _coloured(self, line: str, style: str) -> Text:
        text = Text(style=style)
        for number, part in enumerate(line.split("`")):
            text.append(part, "cyan" if number % 2 else "")
            if not self._console.is_terminal and (number < line.count("`")):
                text.append("`")
        return text


def lines(paragraph: str, *, width: int, marks: bool = True) -> Iterator[str]:
    """The lines of a paragraph. What begins with a dash or a tick hangs; what begins with two spaces stays as it is.

    ``width`` is in columns; ``marks`` says whether backquotes will be seen.
    """
    for block in _blocks(paragraph):
        if block.startswith("  "):
            yield block
            continue
        indent = "  " if block.startswith(("- ", "✓ ", "✗ ")) else ""
        kept = _BEFORE_UNIT.sub(_NO_BREAK, block[len(indent) :])
        for number, line in enumerate(_filled(kept, width=width - len(indent), marks=marks)):
            yield f"{indent if number else block[: len(indent)]}{line.replace(_NO_BREAK, ' ')}"


def _blocks(paragraph: str) -> Iterator[str]:
    """Source lines that belong together, joined; between wide characters without a space."""
    current = ""
    for line in paragraph.split("\n"):
        if current.startswith("- ") and line.startswith("  "):
            line = line.strip()
            current += _glue(current[-1], line[:1]) + line
        elif line.startswith(("- ", "  ")):
            if current:
                yield current
            current = line
            if line.startswith("  "):
                yield current
                current = ""
        elif current:
            current += _glue(current[-1], line[:1]) + line
        else:
            current = line
    if current:
        yield current


def _glue(left: str, right: str) -> str:
    """What a line break of the source means: nothing beside Japanese, a space beside code and between words."""
    if left in _CLOSING or right in _CLOSING or left in _OPENING:
        return ""
    return "" if (_wide(left) or _wide(right)) and "`" not in (left, right) else " "


def _filled(text: str, *, width: int, marks: bool) -> Iterator[str]:
    line, used, space = "", 0, ""
    for unit in _units(text):
        if unit.isspace():
            space = " "
            continue
        size = cell_len(unit if marks else unit.replace("`", ""))
        if line and used + len(space) + size > width:
            yield line
            line, used, space = "", 0, ""
        line, used, space = line + space + unit, used + len(space) + size, ""
    if line:
        yield line


def _units(text: str) -> Iterator[str]:
    """What may not be parted."""
    unit = ""
    for piece in _PIECES.findall(text):
        bound = (
            unit
            and not piece.isspace()
            and not unit.isspace()
            and (piece[0] in _NOT_FIRST or unit[-1] in _NOT_LAST or not (_wide(unit[-1]) or _wide(piece[0])))
        )
        if bound:
            unit += piece
            continue
        if unit:
            yield unit
        unit = piece
    if unit:
        yield unit


def _wide(text: str) -> bool:
    return cell_len(text) == 2 * len(text) and bool(text)
