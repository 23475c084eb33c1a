"""The objects on disk, for a sandbox that is to go on where it stopped (``--persist``).

The store in memory is the truth; what changed is written behind it, many changes in one transaction, at most
``DELAY_S`` late. SQLite in WAL mode survives ``kill -9`` with all but the last of these.
"""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from litmus.sandbox.machinery.objects import Key, Obj
from litmus.sandbox.machinery.store import DELETED, Event, Store

DELAY_S = 0.2
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
        self._path = path
        self._pending: dict[tuple[str, Key], Obj | None] = {}
        self._revision = 0
        with self._connect() as connection:
            connection.executescript(_SCHEMA)

    def restore(self, store: Store) -> bool:
        """Loads what there is into an empty store; False when there is nothing."""
        with self._connect() as connection:
            row = connection.execute("select value from revision").fetchone()
            if row is None:
                return False
            objects: dict[str, dict[Key, Obj]] = {}
            for storage, namespace, name, content in connection.execute("select * from objects"):
                objects.setdefault(storage, {})[Key(namespace, name)] = msgspec.json.decode(content)
        store.load(objects, row[0])
        return True

    async def follow(self, store: Store) -> None:
        """Writes every change until cancelled, and what is left then."""
        stop = store.subscribe("", self._note)
        try:
            while True:
                await asyncio.sleep(DELAY_S)
                if self._pending:
                    await asyncio.to_thread(self._write, *self._taken())
        finally:
            stop()
            self._write(*self._taken())

    def _note(self, event: Event) -> None:
        self._pending[event.storage, event.key] = None if event.type == DELETED else event.obj
        self._revision = event.revision

    def _taken(self) -> tuple[dict[tuple[str, Key], Obj | None], int]:
        pending, self._pending = self._pending, {}
        return pending, self._revision

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
