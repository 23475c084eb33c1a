"""The list of custom hubs that a server is started with: a YAML file, in a cluster that of a ConfigMap.

- name: ours-too
  url: https://example.org/charts.git
  branch: main                             # or none, for that of the repository
"""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from litmus.api import yaml_text


class NotListed(ValueError):
    """The file can't be used. The sentence says where and why."""


class Listed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One hub of the list."""

    name: str
    url: str
    branch: str = ""


def read(path: Path) -> list[Listed]:
    """The hubs of a file; an empty file lists none. Raises NotListed."""
    try:
        found = yaml_text.documents(path.read_text())
        hubs = msgspec.convert([entry for document in found for entry in _entries(document)], list[Listed])
    except OSError as error:
        raise NotListed(f"{path}: {error.strerror}; name a file that lists hubs, each with name and url") from error
    except (ValueError, msgspec.ValidationError) as error:
        raise NotListed(f"{path}: {error}; list each hub as an entry with name, url and, if wanted, branch") from error
    twice = _twice(hub.name for hub in hubs)
    if twice:
        raise NotListed(f"{path}: the hub {twice!r} stands twice; keep one of them")
    return hubs


def _entries(document: object) -> list[object]:
    if not isinstance(document, list):
        raise ValueError("it is no list")
    return document


def _twice(names: Iterable[str]) -> str:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return ""
