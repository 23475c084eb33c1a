"""What containers write, one file for each run of a container, in the format of the container runtime interface.

A line of a file is ``<RFC 3339 time> <stdout|stderr> <F|P> <text>``; P is a part of a line that was longer than 16 KiB
(design-proposals, "CRI: Log Management for Container Stdout/Stderr Streams"). A file that reaches ``LIMIT`` bytes is
renamed to ``<name>.1`` and a new one begun, so at most two are kept of each run.
"""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Literal

LIMIT = 10 * 1024 * 1024
PART = 16 * 1024

Stream = Literal["stdout", "stderr"]
Tap = Callable[[Stream, bytes], None]

_FRACTION = re.compile(r"\.(\d{6})\d*")


@dataclass(slots=True)
class Log:
    """The log of one run. ``taps`` get the bytes as they come, for who is attached."""

    path: Path
    limit: int = LIMIT
    taps: list[Tap] = field(default_factory=list)
    _file: BinaryIO | None = None
    rotations: int = 0
    """How many files there were before the present one."""
    _size: int = 0
    _pending: dict[str, bytes] = field(default_factory=dict)
    _waiting: list[asyncio.Event] = field(default_factory=list)
    closed: bool = False

    def open(self) -> None:
        """Creates the file. Raises OSError."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self.path.open("ab", buffering=0)
        self._size = self._file.tell()

    def write(self, stream: Stream, chunk: bytes) -> None:
        """Bytes of a container. A line that is not ended yet is kept back until it is, or until it is too long."""
        for tap in list(self.taps):
            tap(stream, chunk)
        *lines, rest = (self._pending.pop(stream, b"") + chunk).split(b"\n")
        head = f"{_now()} {stream} ".encode()
        out = [part for line in lines for part in _parts(head, line)]
        while len(rest) >= PART:
            out.append(head + b"P " + rest[:PART] + b"\n")
            rest = rest[PART:]
        if rest:
            self._pending[stream] = rest
        self._append(b"".join(out))

    def close(self) -> None:
        """What was kept back is written, and who follows comes to the end."""
        if self.closed:
            return
        head = {stream: f"{_now()} {stream} ".encode() for stream in self._pending}
        # A line without its end is a partial one, as containerd has it.
        self._append(b"".join(head[stream] + b"P " + rest + b"\n" for stream, rest in self._pending.items()))
        self._pending.clear()
        self.closed = True
        if self._file is not None:
            self._file.close()
            self._file = None
        self._wake()

    async def changed(self) -> None:
        """Returns after the next write, or at once when nothing more can come."""
        if self.closed:
            return
        event = asyncio.Event()
        self._waiting.append(event)
        await event.wait()

    def _append(self, text: bytes) -> None:
        if not text or self._file is None:
            return
        if self._size + len(text) > self.limit and self._size:
            self._file.close()
            self.path.replace(_older(self.path))
            self._file = self.path.open("ab", buffering=0)
            self._size = 0
            self.rotations += 1
        self._file.write(text)
        self._size += len(text)
        self._wake()

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for event in waiting:
            event.set()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a reader asks for (PodLogOptions). ``tail`` is a number of lines, ``limit`` of bytes."""

    follow: bool = False
    timestamps: bool = False
    tail: int | None = None
    limit: int | None = None
    since: datetime | None = None


async def read(path: Path, wanted: Wanted, *, log: Log | None = None) -> AsyncIterator[bytes]:
    """The text of a log in pieces; with ``follow`` until the run ends, for which ``log`` must be given.

    Raises FileNotFoundError when there is no such log.
    """
    left = wanted.limit
    position = _Position(log.rotations if log is not None else 0)
    existing = b"".join(_shown(line, wanted) for line in _tail(_lines(path, position), wanted))
    while True:
        if left is not None:
            existing = existing[:left]
            left -= len(existing)
        if existing:
            yield existing
        if left == 0 or not wanted.follow or log is None:
            return
        ended = log.closed
        existing = b"".join(_shown(line, wanted) for line in _more(path, position, log) if _recent(line, wanted))
        if not existing:
            if ended:
                return
            await log.changed()


def tail_of(path: Path, *, lines: int, limit: int) -> str:
    """The last lines as text, at most ``limit`` bytes of them; '' when there is no log."""
    try:
        found = _tail(_lines(path, _Position()), Wanted(tail=lines))
    except FileNotFoundError:
        return ""
    return b"".join(_shown(line, Wanted()) for line in found)[-limit:].decode(errors="replace")


@dataclass(slots=True)
class _Position:
    """Up to which byte of which file of a log somebody has read."""

    rotations: int = 0
    offset: int = 0


def _lines(path: Path, position: _Position) -> list[bytes]:
    older = _older(path)
    return (older.read_bytes().splitlines(keepends=True) if older.exists() else []) + _fresh(path, position)


def _more(path: Path, position: _Position, log: Log) -> list[bytes]:
    """What came since ``position``, also over rotations; who is more than two files behind misses some.

    Inode numbers would not tell the files apart: a new file often gets the number of the one that was just removed.
    """
    behind, position.rotations = log.rotations - position.rotations, log.rotations
    if behind > 1:
        position.offset = 0
    found: list[bytes] = []
    with contextlib.suppress(FileNotFoundError):  # an old run is forgotten while somebody reads of it
        if behind:
            found += _fresh(_older(path), position)
            position.offset = 0
        found += _fresh(path, position)
    return found


def _fresh(path: Path, position: _Position) -> list[bytes]:
    with path.open("rb") as file:
        file.seek(position.offset)
        text = file.read()
    position.offset += len(text)
    return text.splitlines(keepends=True)


def _tail(lines: list[bytes], wanted: Wanted) -> list[bytes]:
    found = [line for line in lines if _recent(line, wanted)] if wanted.since else lines
    if wanted.tail is None:
        return found
    if wanted.tail == 0:
        return []
    count = 0 if not found or _is_end(found[-1]) else 1
    for index in range(len(found) - 1, -1, -1):
        count += _is_end(found[index])
        if count > wanted.tail:
            return found[index + 1 :]
    return found


def _is_end(line: bytes) -> bool:
    return line.split(b" ", 3)[2] == b"F"


def _recent(line: bytes, wanted: Wanted) -> bool:
    return wanted.since is None or _moment(line.split(b" ", 1)[0].decode()) >= wanted.since


def _moment(text: str) -> datetime:
    """A time with nanoseconds, which datetime does not know."""
    return datetime.fromisoformat(_FRACTION.sub(r".\1", text))


def _shown(line: bytes, wanted: Wanted) -> bytes:
    moment, _, kind, text = line.split(b" ", 3)
    text = text if kind == b"F" else text[:-1]
    return moment + b" " + text if wanted.timestamps else text


def _parts(head: bytes, line: bytes) -> Iterator[bytes]:
    while len(line) > PART:
        yield head + b"P " + line[:PART] + b"\n"
        line = line[PART:]
    yield head + b"F " + line + b"\n"


def _older(path: Path) -> Path:
    return path.with_name(path.name + ".1")


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f000Z")
