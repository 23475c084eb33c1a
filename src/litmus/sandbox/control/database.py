"""The objects on disk, for a sandbox that is to go on where it stopped (``--persist``).

The store in memory is the truth; what changed is written behind it, many changes in one transaction, at most
``DELAY_S`` late. SQLite in WAL mode survives ``kill -9`` with all but the last of these.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from litmus.sandbox.lifecycle import SandboxError
from litmus.sandbox.lifecycle.folder import Folder
from litmus.sandbox.machinery.objects import Key, Obj
from litmus.sandbox.machinery.store import DELETED, Event, Store

log = logging.getLogger(__name__)

DELAY_S = 0.2
# Clients may have seen revisions of the last moment before a crash; they must not mean something else afterwards.
REVISIONS_LOST = 10_000
_SCHEMA = """
create table if not exists objects (
  storage text not null, namespace text not null, name text not null, content blob not null,
  primary key (storage, namespace, name)
) without rowid;
create table if not exists revision (id integer primary key check (id = 1), value integer not null);
"""


class Database:
    """One file with all objects and the revision."""

    def __init__(self, path: Path) -> None:
        """Makes the file unless it is there. Raises SandboxError when it is there and no database."""
        self._path = path
        self._pending: dict[tuple[str, Key], Obj | None] = {}
        self._revision = 0
        self._complained = False
        with self._readable(), self._connect() as connection:
            connection.executescript(_SCHEMA)

    def restore(self, store: Store) -> bool:
        """Loads what there is into an empty store; False when there is nothing. Raises SandboxError for a bad file."""
        with self._readable(), self._connect() as connection:
            row = connection.execute("select value from revision").fetchone()
            if row is None:
                return False
            objects: dict[str, dict[Key, Obj]] = {}
            for storage, namespace, name, content in connection.execute("select * from objects"):
                objects.setdefault(storage, {})[Key(namespace, name)] = msgspec.json.decode(content)
        store.load(objects, row[0] + REVISIONS_LOST)
        return True

    def attach(self, store: Store) -> None:
        """From now on every change is noted, for ``follow`` to write."""
        store.subscribe("", self._note)

    async def follow(self) -> None:
        """Writes what is noted until cancelled, and what is left then."""
        writing: asyncio.Future[None] | None = None
        try:
            while True:
                await asyncio.sleep(DELAY_S)
                if self._pending:
                    writing = asyncio.ensure_future(self._write_noted())
                    await asyncio.shield(writing)
        finally:
            if writing is not None:
                await asyncio.wait({writing})  # an older write must not come after the last one
            await self._write_noted()

    def _note(self, event: Event) -> None:
        self._pending[event.storage, event.key] = None if event.type == DELETED else event.obj
        self._revision = event.revision

    async def _write_noted(self) -> None:
        """Writes what is noted. What can't be written now, say on a full disk, stays noted for the next time."""
        pending, self._pending = self._pending, {}
        try:
            await asyncio.to_thread(self._write, pending, self._revision)
        except sqlite3.Error as error:
            self._pending = {**pending, **self._pending}
            if not self._complained:
                log.error("the objects can't be written to %s: %s", self._path, error)
            self._complained = True
        else:
            self._complained = False

    def _write(self, changes: dict[tuple[str, Key], Obj | None], revision: int) -> None:
        if not changes:
            return
        kept = [
            (s, k.namespace, k.name, msgspec.json.encode(obj)) for (s, k), obj in changes.items() if obj is not None
        ]
        removed = [(s, k.namespace, k.name) for (s, k), obj in changes.items() if obj is None]
        with self._connect() as connection:
            connection.executemany("insert or replace into objects values (?, ?, ?, ?)", kept)
            connection.executemany("delete from objects where storage = ? and namespace = ? and name = ?", removed)
            connection.execute("insert or replace into revision values (1, ?)", (revision,))

    @contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, msgspec.DecodeError) as error:
            raise SandboxError(
                f"{self._path} can't be read ({error}); remove it and begin anew with: "
                f"litmus sandbox down{Folder(self._path.parent).option}"
            ) from error

    @contextmanager
    def _connect(self) -> Iterator[sqlite3.Connection]:
        """One transaction on a connection of its own: the writes come from changing threads."""
        connection = sqlite3.connect(self._path)
        try:
            connection.execute("pragma journal_mode = wal")
            connection.execute("pragma synchronous = normal")
            with connection:
                yield connection
        finally:
            connection.close()
