"""YAML for people: what PyYAML writes, with comments, and in the layout of the manifests in the field.

PyYAML can't write comments. Here a comment is a node of its own, an item of a list or a key of a mapping. It is
written under a short token, and the token's line is then replaced. Nothing is ever put together from text, so what
comes out is always YAML.
"""

import io
import re
import textwrap
from collections.abc import Iterable
from typing import Any

import yaml

_WIDTH = 120
_TOKEN_LINE = re.compile(r"^( *)(?:- )?note_token_(\d+)(?:: null)?$", re.MULTILINE)


class Comment(str):
    """A comment above what follows it: an item of a list, or a key of a mapping (its value does not count)."""

    __slots__ = ()


class Quoted(str):
    """Text in quotes: a value that would be a number or a truth value without them."""

    __slots__ = ()


class Flow(list[Any]):
    """A list on one line."""


def write(documents: Iterable[dict[Any, Any]], *, heading: str = "") -> str:
    """The documents as one YAML text, each with its own separator when there are several; ``heading`` is a comment."""
    texts = [_document(document) for document in documents]
    separator = "---\n" if len(texts) > 1 else ""
    top = _comment_lines(heading, "") + "\n" if heading else ""
    return top + "".join(separator + text for text in texts)


def plain(node: Any) -> Any:
    """The same without comments and quotes, as an API server wants it."""
    if isinstance(node, dict):
        return {key: plain(value) for key, value in node.items() if not isinstance(key, Comment)}
    if isinstance(node, list):
        return [plain(item) for item in node if not isinstance(item, Comment)]
    return str(node) if isinstance(node, Quoted) else node


def _document(document: dict[Any, Any]) -> str:
    stream = io.StringIO()
    dumper = _Dumper(
        stream, sort_keys=False, default_flow_style=False, width=float("inf"), allow_unicode=True, indent=2
    )
    dumper.open()
    dumper.represent(document)
    dumper.close()
    return _TOKEN_LINE.sub(lambda match: _comment_lines(dumper.comments[int(match[2])], match[1]), stream.getvalue())


def _comment_lines(text: str, indentation: str) -> str:
    width = max(40, _WIDTH - len(indentation) - 2)
    lines = [
        line for paragraph in text.splitlines() for line in textwrap.wrap(paragraph, width, break_on_hyphens=False)
    ]
    return "\n".join(f"{indentation}# {line}" for line in lines)


class _Dumper(yaml.SafeDumper):
    """Lists are indented below their key, as in the manifests of the field; no anchors."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.comments: list[str] = []

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def comment(self, data: Comment) -> yaml.ScalarNode:
        self.comments.append(str(data))
        return self.represent_scalar("tag:yaml.org,2002:str", f"note_token_{len(self.comments) - 1}")

    def quoted(self, data: Quoted) -> yaml.ScalarNode:
        return self.represent_scalar("tag:yaml.org,2002:str", str(data), style="'")

    def flow(self, data: Flow) -> yaml.SequenceNode:
        return self.represent_sequence("tag:yaml.org,2002:seq", data, flow_style=True)


_Dumper.add_representer(Comment, _Dumper.comment)
_Dumper.add_representer(Quoted, _Dumper.quoted)
_Dumper.add_representer(Flow, _Dumper.flow)
