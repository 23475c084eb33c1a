"""The custom hubs as a server sees them: the list is looked at again and again, and a hub is synced in between."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from litmus.hub import custom, following, server
from tests.hub import others, served

SOON_S = 0.01


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """A hub of somebody else, in a folder of this machine."""
    return others.write(tmp_path / "theirs", others.of_1_10("a"))


@pytest.fixture
def places(tmp_path: Path) -> custom.Places:
    return custom.Places(file=tmp_path / "settings" / "hubs.yaml", cache=tmp_path / "cache")


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not true():  # noqa: ASYNC110  # a thread looks, and nothing tells that it has
            await asyncio.sleep(SOON_S)


def names(followed: following.Following) -> list[str]:
    return [f"{hub.name}/{chart.name}" for hub in followed.hubs for chart in hub.charts()]


async def test_a_hub_that_is_added_synced_and_removed_meanwhile_is_seen(theirs: Path, places: custom.Places):
    followed = following.Following(places)
    await followed.look()
    assert names(followed) == []

    task = asyncio.create_task(followed.follow(sync_every_s=SOON_S, look_s=SOON_S))
    try:
        await custom.add("mine", custom.Source(url=str(theirs)), at=places)
        await until(lambda: names(followed) == ["mine/a"])
        others.write(theirs, others.of_1_10("a", "b"))
        await until(lambda: names(followed) == ["mine/a", "mine/b"])
        custom.remove("mine", at=places)
        await until(lambda: names(followed) == [])
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_without_an_interval_nothing_is_synced(
    theirs: Path, places: custom.Places, monkeypatch: pytest.MonkeyPatch
):
    await custom.add("mine", custom.Source(url=str(theirs)), at=places)
    monkeypatch.delattr(custom, "keep_synced")  # it would fail if it were called

    followed = following.Following(places)
    task = asyncio.create_task(followed.follow(sync_every_s=0, look_s=SOON_S))
    await until(lambda: names(followed) == ["mine/a"])
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_list_that_breaks_meanwhile_leaves_the_hubs_that_there_were(theirs: Path, places: custom.Places):
    await custom.add("mine", custom.Source(url=str(theirs)), at=places)
    followed = following.Following(places)
    await followed.look()
    places.file.write_text("hubs: [")
    await followed.look()
    assert names(followed) == ["mine/a"]


async def test_a_look_that_fails_is_logged_and_the_next_one_counts(
    places: custom.Places, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    looks: list[int] = []

    def odd(**_: object) -> list[object]:
        looks.append(1)
        if len(looks) == 1:
            raise RuntimeError("odd")
        return ["seen"]

    monkeypatch.setattr(custom, "hubs", odd)
    followed = following.Following(places)
    task = asyncio.create_task(followed.follow(sync_every_s=0, look_s=SOON_S))
    with caplog.at_level(logging.ERROR):
        await until(lambda: followed.hubs == ["seen"])
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert "can't be followed" in caplog.text


async def test_the_server_follows_as_long_as_it_serves_and_no_longer(theirs: Path, places: custom.Places):
    followed = following.Following(places)
    running: list[asyncio.Task[None] | None] = []

    async def beside() -> None:
        running.append(asyncio.current_task())
        await followed.follow(sync_every_s=0, look_s=SOON_S)

    application = server.app(others=lambda: followed.hubs, beside=beside)
    async with served.running(application) as client:
        address = "/api/charts/master/queues?hub=mine"
        assert (await client.get(address)).status_code == 404
        await custom.add("mine", custom.Source(url=str(theirs)), at=places)
        await until(lambda: bool(followed.hubs))
        assert (await client.get(address)).json()["Experiments"][0]["Metadata"]["Name"] == "a"
        assert (await client.get("/hubs/mine")).status_code == 200
    [task] = running
    assert task is not None
    assert task.cancelled()
