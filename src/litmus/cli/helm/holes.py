"""Manifests with holes that a template fills: YAML first, and the expressions of Helm put in afterwards.

A template is no YAML, so it can't be written as such. Here an expression is a word in a manifest, and so is a block of
template lines, as an item of a list or a key of a mapping. Once the YAML is written, each word becomes what it stands
for; a block is told how far it is indented.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any

from litmus.hub import documents

Block = Callable[[int], str]

_WORD = re.compile(r"hole-\d+-")
_LINE = re.compile(r"^( *)(?:- )?(hole-\d+-)(?:: null)?$", re.MULTILINE)


class Holes:
    """Those of one template. A word is also a legal name of an object, so that checks of names let it pass."""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}
        self._blocks: dict[str, Block] = {}

    def value(self, expression: str) -> str:
        """The word for an expression, with which braces it has."""
        word = self._word()
        self._values[word] = expression
        return word

    def block(self, write: Block) -> str:
        """The word for lines; ``write`` gets their indentation."""
        word = self._word()
        self._blocks[word] = write
        return word

    def write(self, manifests: Iterable[dict[Any, Any]]) -> str:
        """The manifests as the text of a template."""
        text = _LINE.sub(lambda match: self._lines(match[2], match[1]), documents.write(manifests))
        return _WORD.sub(lambda match: self._values[match[0]], text)

    def _lines(self, word: str, indentation: str) -> str:
        if word in self._blocks:
            return self._blocks[word](len(indentation)).rstrip("\n")
        return f"{indentation}- {self._values[word]}"

    def _word(self) -> str:
        return f"hole-{len(self._values) + len(self._blocks)}-"


def optional(key: str, path: str) -> Block:
    """``key`` with a value of users', if they gave one."""
    return lambda indent: f"{{{{- with {path} }}}}\n{_filled(key, '.', indent)}\n{{{{- end }}}}"


def given(key: str, path: str) -> Block:
    """``key`` with a value that always is there."""
    return lambda indent: _filled(key, path, indent)


def appended(path: str) -> Block:
    """The items of a list of users', at the end of ours."""
    return lambda indent: (
        f"{{{{- with {path} }}}}\n{' ' * indent}{{{{- toYaml . | nindent {indent} }}}}\n{{{{- end }}}}"
    )


def either(condition: str, some: list[Any], others: list[Any]) -> Block:
    """The items ``some`` of a list, or the ``others``."""
    return lambda indent: (
        f"{{{{- if {condition} }}}}\n{_items(some, indent)}{{{{- else }}}}\n{_items(others, indent)}{{{{- end }}}}"
    )


def _filled(key: str, path: str, indent: int) -> str:
    pad = " " * indent
    return f"{pad}{key}:\n{pad}  {{{{- toYaml {path} | nindent {indent + 2} }}}}"


def _items(items: list[Any], indent: int) -> str:
    _, _, text = documents.write([{"items": items}]).partition("\n")
    return "".join(f"{' ' * (indent - 2)}{line}\n" for line in text.splitlines())
