"""The files of an unpacked hub, read once: what may be served, and what is refused.

Only what a chart can consist of is read. A link is followed no further than the folder itself; nothing is executed,
no template evaluated.
"""

import itertools
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from litmus.api import yaml_text

from . import pictures
from .model import Problem

ROOTS = ("charts", "faults")  # the layout of 1.10, and that of 3.x
LARGEST_TEXT = 1024 * 1024
MOST_FILES = 20_000
MOST_BYTES = 32_000_000  # in memory, of each hub
_DEEPEST = 8  # folders in each other; a chart's file has three above it

_TEXTS = frozenset({"yaml", "yml", "md"})
_PICTURES = frozenset({"png", "svg"})
_DOCUMENTS = frozenset({"yaml", "yml"})


class Unreadable(Exception):
    """A file of a chart is no YAML."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


@dataclass(slots=True)
class Tree:
    """Files by their path in the hub, and the problems that kept others out."""

    files: dict[str, bytes] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    _parsed: dict[str, list[yaml_text.Document] | Problem] = field(default_factory=dict)

    def documents(self, path: str) -> list[yaml_text.Document]:
        """The documents of a file that is there. Raises Unreadable."""
        if path not in self._parsed:
            self._parsed[path] = _parse(path, self.files[path])
        parsed = self._parsed[path]
        if isinstance(parsed, Problem):
            raise Unreadable(parsed)
        return parsed

    def text_lines(self, path: str) -> list[str]:
        """The lines of a file, for the comments that documents do not have."""
        return self.files[path].decode("utf-8", errors="replace").splitlines()


def read(folder: Path) -> Tree:
    """Everything below ``charts`` and ``faults``."""
    return _read(folder, [folder / root for root in ROOTS if (folder / root).is_dir()])


def read_all(folder: Path) -> Tree:
    """Everything below a folder that is not a hub, but a part of one."""
    return _read(folder, [folder])


def _read(folder: Path, below: list[Path]) -> Tree:
    tree = Tree()
    inside = folder.resolve()
    total = 0
    walk = (file for start in below for file in _walk(start))
    for file in sorted(itertools.islice(walk, 2 * MOST_FILES)):  # nor is somebody's whole disk walked through
        path = file.relative_to(folder).as_posix()
        try:
            content = _content(file, inside=inside)
        except _Refused as refused:
            tree.problems.append(Problem(path, refused.line, str(refused)))
            continue
        if content is None:
            continue
        total += len(content)
        if len(tree.files) >= MOST_FILES or total > MOST_BYTES:
            message = f"more than {MOST_FILES:,} files or {MOST_BYTES:,} bytes; the rest is left out"
            tree.problems.append(Problem(path, 0, message))
            break
        tree.files[path] = content
    return tree


def _walk(start: Path) -> Iterator[Path]:
    """Files and links below a folder. Links to folders are not entered."""
    if start.is_symlink():
        yield start
        return
    for place, folders, files in os.walk(start):
        links = [name for name in folders if (Path(place) / name).is_symlink()]
        deep = len(Path(place).relative_to(start).parts) >= _DEEPEST
        folders[:] = [] if deep else [name for name in folders if not name.startswith(".")]
        yield from (Path(place) / name for name in (*files, *links) if not name.startswith("."))


class _Refused(Exception):
    def __init__(self, message: str, *, line: int = 0) -> None:
        super().__init__(message)
        self.line = line


def _content(file: Path, *, inside: Path) -> bytes | None:
    """What the file holds; None for one that no chart needs. Raises _Refused."""
    suffix = file.suffix.removeprefix(".").lower()
    if file.is_symlink():
        _check_link(file, inside=inside)
    elif file.parent.name == "icons" and suffix not in _PICTURES | _TEXTS:
        raise _Refused(f"an icon of type {suffix or 'unknown'}; use .png or .svg")
    if suffix not in _TEXTS | _PICTURES:
        return None
    try:
        # Without waiting: a pipe that nobody writes to would hold us up for ever.
        opened = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(opened, "rb") as stream:
            if not stat.S_ISREG(os.fstat(opened).st_mode):
                raise _Refused("not a regular file; remove it")
            content = stream.read(LARGEST_TEXT + 1)
    except OSError as error:
        raise _Refused(f"can't be read: {error.strerror}") from error
    if suffix in _PICTURES:
        try:
            pictures.check(content, kind=suffix)
        except pictures.Unfit as unfit:
            raise _Refused(str(unfit), line=unfit.line) from unfit
    elif len(content) > LARGEST_TEXT:
        raise _Refused(f"has more than {LARGEST_TEXT:,} bytes; a chart's file has a few thousand")
    return content


def _check_link(file: Path, *, inside: Path) -> None:
    try:
        target = file.resolve(strict=True)
    except (OSError, RuntimeError) as error:
        raise _Refused(f"unsafe path: a link to {os.readlink(file)}, which leads nowhere") from error  # noqa: PTH115
    if not target.is_relative_to(inside) or target.is_dir():
        raise _Refused(f"unsafe path: a link to {os.readlink(file)}; put the file itself here")  # noqa: PTH115


def _parse(path: str, content: bytes) -> list[yaml_text.Document] | Problem:
    try:
        return yaml_text.located(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return Problem(path, line, "not YAML: the text is not UTF-8")
    except yaml_text.NotYaml as error:
        place, _, sentence = str(error).partition(": ")
        number = place.removeprefix("line ")
        if number.isdigit() and place.startswith("line "):
            return Problem(path, int(number), f"not YAML: {sentence}")
        return Problem(path, 0, f"not YAML: {error}")
