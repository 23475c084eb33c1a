"""The documentation texts of built-in kinds, for the OpenAPI documents (``kubectl explain``).

lightkube keeps them in the docstrings of its types: the text of the kind, then a list of the fields.
"""

import re

from . import built_in

_FIELD = re.compile(r"^ {6}\* \*\*(?P<name>\w+)\*\* ``[^`]*`` - ?", re.MULTILINE)
_PARAMETERS = "**parameters**"


def of(definition: str) -> tuple[str, dict[str, str]]:
    """The text of a definition, and those of its fields by their JSON names."""
    text, _, fields = built_in.described(definition).partition(_PARAMETERS)
    renamed = built_in.json_names(definition)
    parts = _FIELD.split(fields)
    found = {renamed.get(name, name): _joined(said) for name, said in zip(parts[1::2], parts[2::2], strict=True)}
    return _joined(text), found


def _joined(text: str) -> str:
    """The paragraphs without the line breaks of the docstring."""
    paragraphs = re.split(r"\n[ \t]*\n", text)
    return "\n\n".join(found for one in paragraphs if (found := " ".join(one.split())))
