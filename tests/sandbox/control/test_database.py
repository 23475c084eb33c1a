"""Objects on disk survive the process."""

import asyncio
import contextlib
from pathlib import Path

from litmus.sandbox.control import database
from litmus.sandbox.machinery.objects import Key
from litmus.sandbox.machinery.store import Store


def put(store: Store, name: str, **more: object) -> None:
    store.put("things", Key("here", name), {"metadata": {"name": name, "namespace": "here"}, **more})


async def written(path: Path, store: Store) -> None:
    """Follows the store until it is cancelled, as the control process does at its end."""
    task = asyncio.create_task(database.Database(path).follow(store))
    await asyncio.sleep(0)
    for name in "abc":
        put(store, name)
    put(store, "a", data={"k": "v"})
    store.remove("things", Key("here", "b"))
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def test_what_was_stored_is_there_in_the_next_life(tmp_path: Path) -> None:
    store = Store()
    await written(tmp_path / "objects", store)
    later = Store()
    assert database.Database(tmp_path / "objects").restore(later)
    assert later.list("things") == store.list("things")
    assert later.revision == store.revision


async def test_an_empty_file_restores_nothing(tmp_path: Path) -> None:
    store = Store()
    assert not database.Database(tmp_path / "objects").restore(store)
    assert store.list("things") == []
