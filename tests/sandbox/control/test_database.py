"""Objects on disk survive the process."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from litmus.sandbox.control import database
from litmus.sandbox.lifecycle import SandboxError
from litmus.sandbox.machinery.objects import Key
from litmus.sandbox.machinery.store import Store


def put(store: Store, name: str, **more: object) -> None:
    store.put("things", Key("here", name), {"metadata": {"name": name, "namespace": "here"}, **more})


@contextlib.asynccontextmanager
async def following(path: Path, store: Store) -> AsyncIterator[database.Database]:
    """Follows the store until the end of the block, as the control process does until its own."""
    kept = database.Database(path)
    kept.attach(store)
    task = asyncio.create_task(kept.follow())
    await asyncio.sleep(0)
    yield kept
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def restored(path: Path) -> Store:
    store = Store()
    assert database.Database(path).restore(store)
    return store


async def test_what_was_stored_is_there_in_the_next_life(tmp_path: Path) -> None:
    store = Store()
    async with following(tmp_path / "objects", store):
        for name in "abc":
            put(store, name)
        put(store, "a", data={"k": "v"})
        store.remove("things", Key("here", "b"))
    assert restored(tmp_path / "objects").list("things") == store.list("things")


async def test_what_was_stored_before_the_first_write_is_there_too(tmp_path: Path) -> None:
    store = Store()
    kept = database.Database(tmp_path / "objects")
    kept.attach(store)
    put(store, "early")
    task = asyncio.create_task(kept.follow())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert [obj["metadata"]["name"] for obj in restored(tmp_path / "objects").list("things")] == ["early"]


async def test_revisions_of_the_next_life_are_new(tmp_path: Path) -> None:
    """Of the last moment before a crash clients may have seen revisions that were not written any more."""
    store = Store()
    async with following(tmp_path / "objects", store):
        put(store, "a")
    assert restored(tmp_path / "objects").revision >= store.revision + database.REVISIONS_LOST


async def test_what_can_not_be_written_now_is_written_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(database, "DELAY_S", 0.001)
    write, tried = database.Database._write, asyncio.Event()
    loop = asyncio.get_running_loop()

    def full(*_: object) -> None:
        loop.call_soon_threadsafe(tried.set)
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(database.Database, "_write", full)
    store = Store()
    async with following(tmp_path / "objects", store):
        put(store, "a", data="old")
        put(store, "b")
        await tried.wait()
        put(store, "a", data="new")
        monkeypatch.setattr(database.Database, "_write", write)
    assert restored(tmp_path / "objects").list("things") == store.list("things")
    assert "disk is full" in caplog.text


async def test_an_empty_file_restores_nothing(tmp_path: Path) -> None:
    store = Store()
    assert not database.Database(tmp_path / "objects").restore(store)
    assert store.list("things") == []


def test_a_broken_file_says_how_to_get_rid_of_it(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "objects").write_bytes(b"no database " * 100)
    with pytest.raises(SandboxError, match=r"can't be read .*litmus sandbox down --name mine$"):
        database.Database(tmp_path / "mine" / "objects")
