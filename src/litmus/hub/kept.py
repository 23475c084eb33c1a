"""What is kept of a hub that was fetched: its last good state, and what became of the last attempt.

    <cache>/NAME/state.json      which folder holds the last good state, its revision, the last error
    <cache>/NAME/state-XXXX/     the files
    <cache>/NAME/lock            held while a sync goes on

A new state is complete before ``state.json`` names it, by one rename. The one before stays until the next sync, for
who has just begun to read it.
"""

import asyncio
import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec

from .model import Problem

_STATE = "state.json"
_LOOK_S = 0.05


class Left(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was left out, and why."""

    file: str
    line: int
    message: str


class State(msgspec.Struct, frozen=True, kw_only=True):
    """``source`` is what it was fetched from: with another address nothing of it counts."""

    source: str
    folder: str = ""  # '' as long as it was never fetched
    revision: str = ""
    synced: str = ""  # when it was last fetched, or found unchanged; RFC 3339
    left: tuple[Left, ...] = ()
    error: str = ""  # why the last attempt failed; '' if it did not
    failed: str = ""  # when

    @property
    def problems(self) -> list[Problem]:
        return [Problem(entry.file, entry.line, entry.message) for entry in self.left]


class Busy(Exception):
    """Another sync of this hub goes on."""


def read(place: Path, *, source: str) -> State:
    """The state of a hub; an empty one where there is none of this source."""
    try:
        state = msgspec.json.decode((place / _STATE).read_bytes(), type=State)
    except (OSError, msgspec.DecodeError):
        return State(source=source)
    usable = state.source == source and (not state.folder or (place / state.folder).is_dir())
    return state if usable else State(source=source)


def write(place: Path, state: State) -> None:
    """Makes it the state, at once or not at all."""
    handle, temporary = tempfile.mkstemp(dir=place, prefix=".state-")
    with os.fdopen(handle, "wb") as stream:
        stream.write(msgspec.json.encode(state))
    Path(temporary).replace(place / _STATE)


def new_folder(place: Path) -> Path:
    """An empty folder for a state to come."""
    return Path(tempfile.mkdtemp(dir=place, prefix="state-"))


def sweep(place: Path, *folders: str) -> None:
    """Removes all states but these, and what a killed sync left."""
    for entry in place.iterdir():
        if entry.name.startswith("state-") and entry.name not in folders:
            shutil.rmtree(entry, ignore_errors=True)
        elif entry.name.startswith(".state-"):
            entry.unlink(missing_ok=True)


def remove(place: Path) -> None:
    """Forgets a hub."""
    shutil.rmtree(place, ignore_errors=True)


@contextlib.asynccontextmanager
async def held(place: Path, *, wait_s: float) -> AsyncIterator[None]:
    """The hub for one sync at a time. Raises Busy when another takes longer than ``wait_s``, and OSError."""
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = os.open(place / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            async with asyncio.timeout(wait_s):
                while not _locked(lock):  # noqa: ASYNC110 - another process that lets go wakes nobody
                    await asyncio.sleep(_LOOK_S)
        except TimeoutError as error:
            raise Busy from error
        yield
    finally:
        os.close(lock)


def _locked(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
