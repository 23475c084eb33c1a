"""Reading YAML as kubectl does, and refusing what would be read differently from how it looks.

PyYAML follows YAML 1.1, where ``2020-01-01`` is a date and ``1:20`` is 80; kubectl's parser knows neither. A key that
stands twice silently loses its first value, so it is refused.
"""

import re
from typing import Any

import msgspec
import yaml

_MERGE = "tag:yaml.org,2002:merge"


class NotYaml(ValueError):
    """The text can't be read; the sentence has the line."""


_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Base):  # type: ignore[misc]  # the C loader where libyaml is there
    """The safe loader without timestamps and sexagesimal numbers, with unique keys."""

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


def nodes(text: str) -> list[yaml.Node]:
    """The documents as nodes, which know their lines; empty ones left out. Raises yaml.YAMLError."""
    found: list[yaml.Node] = list(yaml.compose_all(text, Loader=_Loader))
    return [node for node in found if node is not None and not node.tag.endswith(":null")]


def documents(text: str) -> list[Any]:
    """All documents of a YAML text, empty ones left out. Raises NotYaml."""
    try:
        found = [document for document in yaml.load_all(text, Loader=_Loader) if document is not None]
        msgspec.json.encode(found, enc_hook=str)  # whatever is not a tree can't be a manifest
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
