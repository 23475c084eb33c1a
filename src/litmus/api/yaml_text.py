"""Reading YAML as kubectl does, and refusing what would be read differently from how it looks.

PyYAML follows YAML 1.1, where ``2020-01-01`` is a date and ``1:20`` is 80; kubectl's parser knows neither. A key that
stands twice silently loses its first value, so it is refused. So is what a stranger could write to make its reader
work for hours (aliases of aliases) or crash it (libyaml's composer overruns the stack on deep nesting).
"""

import re
from dataclasses import dataclass
from typing import Any

import msgspec
import yaml

_MERGE = "tag:yaml.org,2002:merge"
_DEEPEST = 200  # levels; manifests have some twenty
_SHALLOW = 2_000  # a text of so many characters can't be deep enough to do harm
_REPEATED = 20_000  # values that aliases may add to those that are written


class NotYaml(ValueError):
    """The text can't be read; the sentence has the line."""


_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Base):  # type: ignore[misc]  # the C loader where libyaml is there
    """The safe loader without timestamps and sexagesimal numbers, with unique keys and without alias bombs."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self.roots: list[Any] = []

    def construct_document(self, node: Any) -> Any:
        _refuse_bomb(node)
        self.roots.append(node)
        return super().construct_document(node)

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            if key_node.tag == _MERGE:
                continue  # `<<` may stand more than once, and what it brings in may be overridden
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, str) and key in seen:
                raise NotYaml(f"line {key_node.start_mark.line + 1}: {key} stands twice; keep one of them")
            seen.add(key if isinstance(key, str) else id(key_node))
        return super().construct_mapping(node, deep)


_INT, _FLOAT = "tag:yaml.org,2002:int", "tag:yaml.org,2002:float"
_UNWANTED = ("tag:yaml.org,2002:timestamp", _INT, _FLOAT)
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in _UNWANTED]
    for first, resolvers in _Base.yaml_implicit_resolvers.items()
}
# Those of YAML 1.1 without the sexagesimal numbers (1:20 is text, not 80).
_Loader.add_implicit_resolver(
    _INT, re.compile(r"^[-+]?(0b[0-1_]+|0[0-7_]+|0|[1-9][0-9_]*|0x[0-9a-fA-F_]+)$"), list("-+0123456789")
)
_Loader.add_implicit_resolver(
    _FLOAT,
    re.compile(
        r"^([-+]?([0-9][0-9_]*)\.[0-9_]*([eE][-+]?[0-9]+)?|\.[0-9][0-9_]*([eE][-+]?[0-9]+)?|[-+]?\.inf|\.nan)$", re.I
    ),
    list("-+0123456789."),
)


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a text, and where its parts stand in it."""

    value: Any
    root: Any  # a node of PyYAML

    def line(self, path: str = "") -> int:
        """The line, from 1, of a path such as ``spec.experiments[0].name``; of the nearest part of it that is there."""
        node, line = self.root, self.root.start_mark.line
        while path:
            found = _step(node, path)
            if found is None:
                break
            line, node, path = found
        return int(line) + 1


def documents(text: str) -> list[Any]:
    """All documents of a YAML text, empty ones left out. Raises NotYaml."""
    return [document.value for document in located(text)]


def located(text: str) -> list[Document]:
    """The same with the lines of their parts."""
    try:
        _refuse_depth(text)
        loader = _Loader(text)
        found = []
        while loader.check_data():
            value = loader.get_data()
            if value is not None:
                found.append(Document(value, loader.roots[-1]))
        msgspec.json.encode([document.value for document in found], enc_hook=str)  # only a tree can be a manifest
        return found
    except NotYaml:
        raise
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise NotYaml(f"a value can't be read: {error}") from error
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise NotYaml(f"{line}{error.problem or 'not YAML'}") from error
    except yaml.YAMLError as error:
        raise NotYaml(str(error).splitlines()[0]) from error


def _refuse_depth(text: str) -> None:
    if len(text) <= _SHALLOW:
        return
    depth = 0
    for event in yaml.parse(text, Loader=_Base):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _DEEPEST:
            line = event.start_mark.line + 1 if event.start_mark else 0
            raise NotYaml(f"line {line}: nested more than {_DEEPEST} levels deep")


def _refuse_bomb(root: Any) -> None:
    """Counts what aliases would unfold to. A node that holds itself is refused, too: it is no tree."""
    sizes: dict[int, int] = {}

    def size(node: Any) -> int:
        known = sizes.get(id(node))
        if known == 0:
            raise NotYaml(f"line {node.start_mark.line + 1}: an alias refers to what it is a part of")
        if known is None:
            sizes[id(node)] = 0
            parts = node.value if isinstance(node, yaml.CollectionNode) else ()
            known = 1 + sum(size(p) for part in parts for p in (part if isinstance(part, tuple) else (part,)))
            sizes[id(node)] = known
        return known

    if size(root) - len(sizes) > _REPEATED:
        raise NotYaml(f"line {root.start_mark.line + 1}: its aliases repeat more than {_REPEATED} values; write less")


def _step(node: Any, path: str) -> tuple[int, Any, str] | None:
    """The line of the first part of the path, its value, and the rest of the path. Keys may hold dots themselves."""
    if isinstance(node, yaml.SequenceNode):
        match = re.match(r"\[(\d+)\]\.?", path)
        if match and int(match[1]) < len(node.value):
            item = node.value[int(match[1])]
            return item.start_mark.line, item, path[match.end() :]
    if isinstance(node, yaml.MappingNode):
        for key, value in sorted(node.value, key=lambda pair: -len(str(pair[0].value))):
            rest = path.removeprefix(str(key.value))
            if path.startswith(str(key.value)) and (not rest or rest[0] in ".["):
                return key.start_mark.line, value, rest.removeprefix(".")
    return None
