"""The list of the hubs that were added: a small YAML file that a person may read and write, too.

    hubs:
      - name: mine
        url: https://git.example.com/team/charts
        branch: main
        tokenEnv: HUB_TOKEN        # the name of a variable; or tokenFile, or sshKey: a path. Never a secret itself

It is ``$XDG_CONFIG_HOME/litmus/hubs.yaml``, or what ``$LITMUS_HUBS`` names, as in the Deployment of a hub.
"""

import contextlib
import fcntl
import os
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from litmus.api import strict, yaml_text
from litmus.api.meta import Shape, present

from . import model
from .sources import Source

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_SECRETS = {"token", "password"}


class Misused(Exception):
    """What was asked makes no sense with the hubs that there are. The sentence says why."""


class UnknownHub(Misused, LookupError):
    """There is no hub of that name."""


class Added(Shape, frozen=True, kw_only=True):
    """One hub of the list."""

    name: str
    url: str
    branch: str = ""
    token_env: str = ""
    token_file: str = ""
    ssh_key: str = ""
    known_hosts: str = ""

    @property
    def source(self) -> Source:
        return Source(
            url=self.url,
            branch=self.branch,
            token_env=self.token_env,
            token_file=self.token_file,
            ssh_key=self.ssh_key,
            known_hosts=self.known_hosts,
        )


class _List(Shape, frozen=True, kw_only=True):
    hubs: list[Added] = []


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where the list is, and where what was fetched is kept."""

    file: Path
    cache: Path


def places(file: str = "") -> Places:
    """Those of this user and machine; ``file`` is a list that was named."""
    home = Path.home()
    settings = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
    kept = Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache")
    named = file or os.environ.get("LITMUS_HUBS", "")
    return Places(file=Path(named) if named else settings / "litmus" / "hubs.yaml", cache=kept / "litmus" / "hubs")


def read(file: Path) -> list[Added]:
    """The hubs of the list, none where there is no list. Raises Misused with every mistake in it."""
    try:
        documents = yaml_text.documents(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError, yaml_text.NotYaml) as error:
        raise Misused(f"{file} can't be read: {error}") from error
    content = documents[0] if documents else {}
    secrets = [key for entry in _entries(content) for key in entry if key in _SECRETS]
    if secrets:
        raise Misused(f"{file} must hold no secret; put the {secrets[0]} into a file and write tokenFile: PATH")
    found = strict.mistakes(_List, content)
    if found:
        raise Misused(f"{file}: " + "; ".join(found))
    hubs = [Added(**{_field(key): value for key, value in entry.items()}) for entry in _entries(present(content))]
    for hub in hubs:
        check_name(hub.name)
    names = [hub.name for hub in hubs]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise Misused(f"{file}: {twice} stands twice; keep one of them")
    return hubs


def find(hubs: list[Added], name: str) -> Added:
    """The hub of that name. Raises UnknownHub."""
    for hub in hubs:
        if hub.name == name:
            return hub
    known = [hub.name for hub in hubs]
    there = f"There is {', '.join(known)}" if known else "None was added; litmus hub add NAME URL adds one"
    raise UnknownHub(f"there is no hub {name!r}{strict.closest(name, known) or '.'} {there}.")


def check_name(name: str) -> None:
    """Raises Misused for what can't be the name of a hub: it is a part of addresses and a folder."""
    if not _NAME.fullmatch(name):
        raise Misused(f"{name!r} is no name of a hub: small letters, digits and -, at most 63")
    if name == model.OURS:
        raise Misused(f"{name} is the hub of this installation; choose another name")


@contextlib.contextmanager
def changing(file: Path) -> Iterator[list[Added]]:
    """The list, written back when the block ends well. One process at a time. Raises Misused."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(file.parent / f".{file.name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Misused(f"{file} can't be written: {error.strerror}; add hubs where it is written") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)  # for as long as another process writes some lines
        hubs = read(file)
        yield hubs
        _write(file, hubs)
    finally:
        os.close(lock)


def _write(file: Path, hubs: list[Added]) -> None:
    content = {"hubs": [_plain(hub) for hub in hubs]}
    try:
        handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")  # readable by its owner only
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            yaml.safe_dump(content, stream, sort_keys=False, allow_unicode=True)
        Path(temporary).replace(file)
    except OSError as error:
        raise Misused(f"{file} can't be written: {error.strerror}") from error


def _plain(hub: Added) -> dict[str, str]:
    values = {name: getattr(hub, name) for name in hub.__struct_fields__}
    names = dict(zip(hub.__struct_fields__, hub.__struct_encode_fields__, strict=True))
    return {names[name]: value for name, value in values.items() if value}


def _field(key: str) -> str:
    return dict(zip(Added.__struct_encode_fields__, Added.__struct_fields__, strict=True))[key]


def _entries(content: Any) -> list[dict[str, Any]]:
    hubs = content.get("hubs") if isinstance(content, dict) else None
    return [entry for entry in hubs if isinstance(entry, dict)] if isinstance(hubs, list) else []
