"""Writing what a stranger packed: only files that a chart needs, only below one folder, only so much of it.

Git, zip and folder all end here, so that there is one place where a path becomes a file.
"""

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from . import tree
from .model import Problem

_NEEDED = frozenset({"yaml", "yml", "md", "png", "svg"})
_CONTROL = re.compile(r"[\x00-\x1f\x7f\\]")
_LONGEST = 1_000


class CannotFetch(Exception):
    """A hub can't be fetched. The sentence says why and what to do; it holds no secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a hub may cost. Upstream's takes a tenth of it."""

    packed: int = 20_000_000  # bytes that are transferred
    unpacked: int = 100_000_000
    files: int = 20_000
    deadline_s: float = 120.0


@dataclass(slots=True)
class Store:
    """A folder that is filled within limits."""

    folder: Path
    limits: Limits
    problems: list[Problem] = field(default_factory=list)
    written: int = 0
    _files: int = 0

    def counts(self, files: int) -> None:
        """So many files are packed. Raises CannotFetch."""
        if files > self.limits.files:
            raise CannotFetch(f"it has more than {self.limits.files:,} files; a hub has some hundred")

    def wants(self, path: str) -> bool:
        """Whether a chart can need the file. Raises CannotFetch for a path that leads out of the folder."""
        parts = path.split("/")
        if path.startswith("/") or ".." in parts or _CONTROL.search(path) or len(path) > _LONGEST:
            raise CannotFetch(f"unsafe path {path[:100]!r}; nothing of it was unpacked")
        if len(parts) < 2 or parts[0] not in tree.ROOTS or any(part in ("", ".") for part in parts):
            return False
        return not any(part.startswith(".") for part in parts) and (
            path.rpartition(".")[2].lower() in _NEEDED or parts[-2] == "icons"
        )

    def refuse(self, path: str, message: str) -> None:
        """A file that is left out, and why."""
        self.problems.append(Problem(path, 0, message))

    def fits(self, path: str, size: int) -> bool:
        """Whether a file is small enough for a chart; else it is left out."""
        if size > tree.LARGEST_TEXT:
            self.refuse(path, f"has {size:,} bytes; {tree.LARGEST_TEXT:,} are allowed")
            return False
        return True

    def write(self, path: str, content: bytes) -> None:
        """Writes a file that is wanted. Raises CannotFetch when it is too much, or stands there already."""
        self.written += len(content)
        self._files += 1
        self.counts(self._files)
        if self.written > self.limits.unpacked:
            raise CannotFetch(f"it unfolds to more than {self.limits.unpacked:,} bytes")
        file = self.folder / path
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644), "wb") as stream:
                stream.write(content)
        except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
            raise CannotFetch(f"{path} is packed twice, as a file and as something else") from error
        except OSError as error:
            raise CannotFetch(f"{file} can't be written: {error.strerror}") from error

    def finish(self) -> None:
        """Raises CannotFetch when there is nothing of a hub."""
        if not self._files:
            raise CannotFetch("it has neither a folder charts/ (1.10) nor faults/ (3.x) with charts; is this a hub?")
