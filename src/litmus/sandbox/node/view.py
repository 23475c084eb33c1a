"""How a container sees its mounts and its address although it has neither a root file system nor a network of its own.

A mount path is a name for a real place below the node's folder. It is replaced in what is said to the container:
command, arguments, environment, working directory, commands of exec. Python processes also see mounts at their paths,
and listen on the pod's address, through ``shim/sitecustomize.py``, which reads the variables that ``variables`` makes.
"""

import functools
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from litmus.sandbox.machinery import ports

SHIM = Path(__file__).parent / "shim"
# `localhost` in a URL is the pod itself. Not in other words: who says "host=localhost" may mean anything.
_LOOPBACK = re.compile(r"(?<=://)(?:localhost|127\.0\.0\.1)(?::([0-9]{1,5}))?(?![\w.:-])")
_SCHEME_PORT = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Mount:
    """``path`` as the container says it, ``place`` on this machine."""

    path: str
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What one container sees. ``ip`` is '' for a pod in the host's network; ``proc`` a mirror of /proc, or ''."""

    mounts: tuple[Mount, ...] = ()
    ip: str = ""
    hostname: str = ""
    proc: str = ""

    def real(self, path: str) -> str:
        """The place of an absolute path; the path itself when no mount covers it."""
        for mount in _longest_first(self.mounts):
            if path == mount.path:
                return mount.place
            if path.startswith(mount.path.rstrip("/") + "/"):
                return mount.place + path[len(mount.path.rstrip("/")) :]
        return path

    def said(self, text: str) -> str:
        """A word or a script with the mount paths in it replaced."""
        pattern = _pattern(self.mounts)
        return pattern.sub(lambda match: self.real(match[0]), text) if pattern else text

    def command(self, words: Sequence[str]) -> list[str]:
        """A command line: mount paths, and ``localhost`` in URLs, replaced."""
        return [self._local(self.said(word)) for word in words]

    def variables(self, python_path: str = "") -> dict[str, str]:
        """The environment through which Python processes and our own programs see the same."""
        found = {
            "LITMUS_SANDBOX_MOUNTS": os.pathsep.join(f"{mount.path}={mount.place}" for mount in self._known()),
            "LITMUS_SANDBOX_LOW": str(ports.lowest_free()),
            "LITMUS_SANDBOX_HOSTNAME": self.hostname,
            "PYTHONPATH": f"{SHIM}{os.pathsep}{python_path}" if python_path else str(SHIM),
        }
        if self.ip:
            found["LITMUS_SANDBOX_IP"] = self.ip
        if self.proc:
            found["LITMUS_SANDBOX_PROC"] = self.proc
        return found

    def _known(self) -> list[Mount]:
        """The mounts, and those that another name of their path leads to: /var/run is /run on most machines."""
        found = list(self.mounts)
        for mount in self.mounts:
            resolved = os.path.realpath(mount.path)
            if resolved != mount.path and not os.path.lexists(mount.path):
                found.append(Mount(resolved, mount.place))
        return found

    def _local(self, text: str) -> str:
        if not self.ip or "://" not in text:
            return text

        def address(match: re.Match[str]) -> str:
            scheme = re.findall(r"\w+$", text[: match.start() - 3])
            number = int(match[1]) if match[1] else _SCHEME_PORT.get(scheme[0] if scheme else "", 0)
            found = ports.reachable(number) if number else 0
            return f"{self.ip}:{found}" if match[1] or found != number else self.ip

        return _LOOPBACK.sub(address, text)


def untouched(mounts: Sequence[Mount], words: Iterable[str]) -> list[Mount]:
    """Mounts of places onto themselves, for what is real although it lies below a mount path.

    That are the places of the mounts, and the absolute paths in ``words``, which are this machine's: the program of an
    image may be found below ``/tmp``, where each container has a folder of its own.
    """
    paths = {mount.path for mount in mounts}
    found = set()
    for word in (*(mount.place for mount in mounts), *words):
        parts = word.split("/") if word.startswith("/") else []
        for end in range(2, len(parts)):
            if "/".join(parts[:end]) in paths:
                found.add("/".join(parts[: end + 1]))
                break
    return [Mount(path, path) for path in sorted(found - paths)]


@functools.lru_cache(maxsize=512)
def _pattern(mounts: tuple[Mount, ...]) -> re.Pattern[str] | None:
    """Matches a mount path where a path may begin, up to where it may end."""
    paths = [re.escape(mount.path.rstrip("/")) for mount in _longest_first(mounts) if mount.path.strip("/")]
    if not paths:
        return None
    return re.compile(rf"(?<![\w./~%-])(?:{'|'.join(paths)})(?![\w.-])")


@functools.lru_cache(maxsize=512)
def _longest_first(mounts: tuple[Mount, ...]) -> tuple[Mount, ...]:
    return tuple(sorted(mounts, key=lambda mount: -len(mount.path)))
