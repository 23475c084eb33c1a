"""Which number of which message is which field of the JSON: facts of the Kubernetes API, kept as data.

They stand in ``messages.txt``, a line per message below its apiVersion, and are those of the ``protobuf:"…"`` tags of
k8s.io/api 1.37, as the type information in kubectl 1.37 has them (1.20 agrees in all that it knows). ``3=command[]`` is
field 3, a list of strings that JSON calls ``command``; ``{}`` is a map; ``:int`` and the like are types (without one:
string), a capital begins the name of a message; ``!`` means that JSON says even a zero (a pointer in Go, or a field
without ``omitempty``); the name ``.`` that the fields stand in the parent.
"""

import functools
import re
from dataclasses import dataclass
from importlib import resources
from typing import Literal

Shape = Literal["", "[]", "{}"]
_CORE, _META = "v1", "meta/v1"
# Reviews and evictions of older clients: their fields are the same.
_SAME_AS = {"policy/v1beta1": "policy/v1", "authorization.k8s.io/v1beta1": "authorization.k8s.io/v1"}
_META_KINDS = frozenset({"DeleteOptions", "Status"})
_FIELD = re.compile(r"(\d+)=([\w.$-]+)(\[\]|\{\})?(!)?(?::(\w+))?")


@dataclass(frozen=True, slots=True)
class Field:
    """One field. ``type`` is '' for a string; one that begins with a capital is a message."""

    name: str
    shape: Shape
    said_if_zero: bool
    type: str

    @property
    def inlined(self) -> bool:
        return self.name == "."


@dataclass(frozen=True, slots=True)
class Message:
    """``fields`` by number; the messages that they name are looked for in ``api_version`` first."""

    api_version: str
    fields: dict[int, Field]


def kind(api_version: str, name: str) -> Message | None:
    """The message of an object; DeleteOptions and the like belong to every group."""
    return _message(_META if name in _META_KINDS else _SAME_AS.get(api_version, api_version), name)


def part(of: Message, name: str) -> Message:
    """The message that a field of ``of`` holds; the table is complete, so it exists."""
    found = _message(of.api_version, name) or _message(_CORE, name) or _message(_META, name)
    assert found, f"{of.api_version} names {name}, which messages.txt lacks"
    return found


@functools.cache
def _message(api_version: str, name: str) -> Message | None:
    line = table().get((api_version, name))
    if line is None:
        return None
    fields: dict[int, Field] = {}
    for text in line:
        number, json_name, shape, said, type_ = _field(text)
        fields[int(number)] = Field(json_name, shape or "", bool(said), type_ or "")
    return Message(api_version, fields)


def _field(text: str) -> tuple[str, str, Shape | None, str | None, str | None]:
    match = _FIELD.fullmatch(text)
    assert match, f"messages.txt says {text}"
    return match.groups()  # type: ignore[return-value]


@functools.cache
def table() -> dict[tuple[str, str], list[str]]:
    """(apiVersion, message) → its fields as ``messages.txt`` writes them."""
    found: dict[tuple[str, str], list[str]] = {}
    api_version = ""
    for line in resources.files(__package__).joinpath("messages.txt").read_text(encoding="ascii").splitlines():
        if line.startswith("["):
            api_version = line.strip("[]")
        else:
            name, *fields = line.split()
            found[api_version, name] = fields
    return found
