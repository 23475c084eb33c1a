"""ConfigMaps and Secrets are followed by name as long as a pod uses them."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from litmus.sandbox.node import sources
from litmus.sandbox.node.sources import Sources

from .pods_on_a_node import Api, pod

NAME = ("configmaps", "ns", "have")


@pytest.fixture
def api() -> Api:
    return Api()


@pytest.fixture
async def followed(api: Api) -> AsyncIterator[Sources]:
    client: Any = api
    made = Sources(client)
    yield made
    await made.close()


async def test_what_exists_is_known_after_want(api: Api, followed: Sources) -> None:
    api.put("configmaps", "have", {"data": {"k": "v"}})
    await followed.want("p", [NAME, ("secrets", "ns", "none")], lambda: None)
    found = followed.lookup("configmaps", "ns", "have")
    assert found is not None
    assert (found["kind"], found["data"]) == ("ConfigMap", {"k": "v"})
    assert followed.lookup("secrets", "ns", "none") is None


async def test_users_are_told_of_changes_until_they_release(api: Api, followed: Sources) -> None:
    told: list[str] = []
    changed = asyncio.Event()

    def tell(user: str) -> None:
        told.append(user)
        changed.set()

    await followed.want("p", [NAME], lambda: tell("p"))
    await followed.want("q", [NAME], lambda: tell("q"))
    assert len(api._watches) == 1, "one watch serves both"
    api.put("configmaps", "have", {"data": {}})
    await changed.wait()
    assert told == ["p", "q"]
    followed.release("p")
    changed.clear()
    api.put("configmaps", "have", {"data": {"k": "2"}})
    await changed.wait()
    assert told == ["p", "q", "q"]


async def test_the_last_user_ends_the_watch(api: Api, followed: Sources) -> None:
    api.put("configmaps", "have", {"data": {}})
    await followed.want("p", [NAME], lambda: None)
    followed.release("p")
    assert followed.lookup(*NAME) is None


@pytest.mark.looptime
async def test_an_api_that_does_not_answer_does_not_hold_a_pod_for_ever(
    api: Api, followed: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent(*_: object, **__: object) -> AsyncIterator[object]:
        await asyncio.Event().wait()
        yield

    monkeypatch.setattr(api, "watch", silent)
    await followed.want("p", [NAME], lambda: None)
    assert asyncio.get_running_loop().time() == sources.SYNC_S


def test_what_environments_refer_to() -> None:
    container = {
        "name": "c",
        "envFrom": [{"configMapRef": {"name": "a"}}, {"secretRef": {"name": "b"}}],
        "env": [
            {"name": "X", "valueFrom": {"configMapKeyRef": {"name": "d", "key": "k"}}},
            {"name": "Y", "valueFrom": {"secretKeyRef": {"name": "e", "key": "k"}}},
            {"name": "Z", "value": "plain"},
        ],
    }
    found = sources.referenced(pod("p", container, initContainers=[{**container, "envFrom": []}]))
    assert found == {("configmaps", "a"), ("secrets", "b"), ("configmaps", "d"), ("secrets", "e")}
