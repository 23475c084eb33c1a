"""Where a hub comes from: Git (https, ssh, a path), a zip (https, http, a path), or a folder of this machine.

A source says where secrets are, never what they are: the name of a variable, the path of a file or a key. They are
read when something is fetched, and stand in no file of ours, no argument and no sentence.
"""

import asyncio
import hashlib
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from . import archives, git, tree
from .model import Problem
from .unpacking import CannotFetch, Limits, Store

__all__ = ["CannotFetch", "Fetched", "Limits", "Source", "fetch"]

_BRANCH = re.compile(r"(?!-)(?!.*(\.\.|//|@\{))[^\x00-\x20\x7f~^:?*\[\\]{1,200}(?<![/.])")
_SSH = re.compile(r"([A-Za-z0-9._][A-Za-z0-9._-]*@)?[A-Za-z0-9][A-Za-z0-9.-]*:(?!//)[^-:].*")
_SCHEMES = ("https", "http", "ssh", "file")

Kind = Literal["git", "zip", "folder"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """``url``: an address of git, of a zip (ending in .zip, or with zip+ before it), or a path."""

    url: str
    branch: str = ""
    token_env: str = ""
    token_file: str = ""
    ssh_key: str = ""
    known_hosts: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """``revision``: a commit, or a digest. ``problems``: what was left out. ``changed``: anything was written."""

    revision: str
    problems: tuple[Problem, ...] = ()
    changed: bool = True


@dataclass(frozen=True, slots=True)
class _Place:
    kind: Kind
    scheme: str
    address: str


def check(source: Source) -> Source:
    """The source with absolute paths. Raises CannotFetch for what can't be one; touches no network."""
    place = _place(source.url)
    given = [name for name in ("token_env", "token_file", "ssh_key") if getattr(source, name)]
    if len(given) > 1:
        raise CannotFetch(f"give one of {', '.join('--' + name.replace('_', '-') for name in given)}, not several")
    if (source.token_env or source.token_file) and place.scheme != "https":
        raise CannotFetch(f"a token goes over https only; the address is {source.url}")
    if (source.ssh_key or source.known_hosts) and place.scheme != "ssh":
        raise CannotFetch(f"--ssh-key and --known-hosts are for addresses of ssh; the address is {source.url}")
    if source.branch and place.kind != "git":
        raise CannotFetch(f"--branch is for Git; {source.url} is a {place.kind}")
    if source.branch and not _BRANCH.fullmatch(source.branch):
        raise CannotFetch(f"branch {source.branch!r} is no name of a branch or tag")
    paths = {
        name: str(Path(getattr(source, name)).expanduser().absolute())
        for name in ("token_file", "ssh_key", "known_hosts")
        if getattr(source, name)
    }
    for name, path in paths.items():
        if not Path(path).is_file():
            raise CannotFetch(f"--{name.replace('_', '-')} {path}: there is no such file")
    url = place.address if place.scheme == "file" else source.url
    return Source(url=url, branch=source.branch, token_env=source.token_env, **paths)


async def fetch(source: Source, into: Path, *, limits: Limits | None = None, unless: str = "") -> Fetched:
    """Fills the empty folder ``into`` with what charts need; nothing when the revision still is ``unless``.

    Raises CannotFetch. What was written until then is the caller's to remove.
    """
    limits = limits or Limits()
    place = _place(source.url)
    token = _token(source)
    store = Store(into, limits)
    try:
        async with asyncio.timeout(limits.deadline_s):
            with tempfile.TemporaryDirectory(prefix="litmus-hub-", ignore_cleanup_errors=True) as scratch:
                revision = await _fetch(source, place, store, token=token, scratch=Path(scratch), unless=unless)
    except TimeoutError as error:
        raise CannotFetch(f"it was not fetched within {limits.deadline_s:g} s") from error
    if unless and revision == unless:
        return Fetched(revision=revision, changed=False)
    store.finish()
    return Fetched(revision=revision, problems=tuple(store.problems))


async def _fetch(source: Source, place: _Place, store: Store, *, token: str, scratch: Path, unless: str) -> str:
    if place.kind == "folder":
        return await asyncio.to_thread(_copy, Path(place.address), store)
    if place.kind == "git":
        remote = git.Remote(
            address=place.address,
            scheme=place.scheme,
            branch=source.branch,
            token=token,
            ssh_key=source.ssh_key,
            known_hosts=source.known_hosts,
        )
        return await git.fetch(remote, store, scratch=scratch, unless=unless)
    file = Path(place.address)
    if place.scheme != "file":
        file = scratch / "hub.zip"
        await archives.download(place.address, file, token=token, limits=store.limits)
    return await asyncio.to_thread(archives.unpack, file, store)


def _copy(folder: Path, store: Store) -> str:
    files = tree.read(folder)
    store.problems += files.problems
    digest = hashlib.sha256()
    for path, content in files.files.items():
        digest.update(f"{path}\0{len(content)}\0".encode() + content)
        if store.wants(path):
            store.write(path, content)
    return digest.hexdigest()[:12]


def _place(url: str) -> _Place:
    if not url or url.startswith("-") or re.search(r"[\x00-\x1f\x7f]", url):
        raise CannotFetch(f"{url!r} is no address; give one of git or of a zip, or a path")
    packed = url.startswith("zip+")
    plain = url.removeprefix("zip+")
    scheme = plain.partition("://")[0] if "://" in plain else ""
    if "::" in plain.partition("/")[0]:
        raise CannotFetch(f"{url!r}: git's helpers (NAME::…) are refused, they run programs; use https or ssh")
    if scheme and scheme not in _SCHEMES:
        raise CannotFetch(f"{url!r}: {scheme}:// is not taken; use https://, ssh:// or a path")
    if scheme == "file" or not (scheme or _is_ssh(plain)):
        return _local(plain.removeprefix("file://"))
    if not scheme:
        return _Place("git", "ssh", plain)
    try:
        parts = urlsplit(plain)
        host, password = parts.hostname or "", parts.password
        parts.port  # noqa: B018 - it raises for what is none
    except ValueError as error:
        raise CannotFetch(f"{url!r} is no address: {error}") from error
    if password is not None:
        raise CannotFetch(f"the address of {host} has a password in it; use --token-env or --token-file")
    if not host or host.startswith("-") or (parts.username or "").startswith("-"):
        raise CannotFetch(f"{url!r} names no host")
    if scheme != "ssh" and (packed or parts.path.lower().endswith(".zip")):
        return _Place("zip", scheme, plain)
    return _Place("git", scheme, plain)


def _is_ssh(url: str) -> bool:
    """``user@host:path``, as git takes it, and nothing that stands on this machine."""
    return bool(_SSH.fullmatch(url)) and not Path(url).exists()


def _local(text: str) -> _Place:
    path = Path(text).expanduser().absolute()
    if path.is_dir():
        bare = (path / "HEAD").is_file() and (path / "objects").is_dir()
        return _Place("git" if bare or (path / ".git").exists() else "folder", "file", str(path))
    if path.is_file():
        return _Place("zip", "file", str(path))
    raise CannotFetch(f"{path} is not there; give a folder, a repository or a zip")


def _token(source: Source) -> str:
    if source.token_env:
        token, where = os.environ.get(source.token_env, ""), f"the variable {source.token_env}"
    elif source.token_file:
        where = source.token_file
        try:
            token = Path(source.token_file).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise CannotFetch(f"the token can't be read from {where}: {getattr(error, 'strerror', error)}") from error
    else:
        return ""
    token = token.strip()
    if not token:
        raise CannotFetch(f"{where} holds no token; set it, or remove the hub and add it again")
    if not re.fullmatch(r"[\x21-\x7e]{1,4096}", token):
        raise CannotFetch(f"what {where} holds is no token: one line without spaces")
    return token
