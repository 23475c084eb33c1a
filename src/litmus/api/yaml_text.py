"""Reading YAML as kubectl does, and refusing what would be read differently from how it looks.

PyYAML follows YAML 1.1, where ``2020-01-01`` is a date and ``1:20`` is 80; kubectl's parser knows neither. A key that
stands twice silently loses its first value, so it is refused.
"""

from typing import Any

import yaml


class NotYaml(ValueError):
    """The text can't be read; the sentence has the line."""


_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Base):  # type: ignore[misc]  # the C loader where libyaml is there
    """The safe loader without timestamps and sexagesimal numbers, with unique keys."""

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, str) and key in seen:
                raise NotYaml(f"line {key_node.start_mark.line + 1}: {key} stands twice; keep one of them")
            seen.add(key if isinstance(key, str) else id(key_node))
        return super().construct_mapping(node, deep)


_UNWANTED = ("tag:yaml.org,2002:timestamp",)
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in _UNWANTED]
    for first, resolvers in _Base.yaml_implicit_resolvers.items()
}


def documents(text: str) -> list[Any]:
    """All documents of a YAML text, empty ones left out. Raises NotYaml."""
    try:
        return [document for document in yaml.load_all(text, Loader=_Loader) if document is not None]
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise NotYaml(f"{line}{error.problem or 'not YAML'}") from error
    except yaml.YAMLError as error:
        raise NotYaml(str(error).splitlines()[0]) from error
