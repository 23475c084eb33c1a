"""Waiting for a condition: by watch where the role allows it, else by listing, never for ever."""

import asyncio

import pytest

from litmus.kube import errors, kinds, waiting
from tests import apiserver, samples


def names_are(*expected: str):
    return lambda pods: pods if sorted(pod.metadata.name for pod in pods) == sorted(expected) else None


async def until(cluster, condition, **changes):
    wanted = {"namespace": "shop", "what": "the pods", "deadline_s": 5.0, **changes}
    return await waiting.until(cluster, kinds.POD, condition, **wanted)


async def test_what_is_true_already_is_answered_by_the_first_look(server, cluster):
    server.put("pods", samples.pod("a"))
    [pod] = await until(cluster, names_are("a"))
    assert pod.metadata.name == "a"
    assert server.verbs("pods") == ["list"]


async def test_a_change_is_seen_by_watch_without_listing_again(server, cluster):
    server.put("pods", samples.pod("a"))
    waiter = asyncio.create_task(until(cluster, names_are("b")))
    await server.until_asked("watch", "pods")
    server.put("pods", samples.pod("b"))
    server.remove("pods", "a")
    await waiter
    assert server.verbs("pods") == ["list", "watch"]


async def test_a_changed_object_takes_the_place_of_what_was_known_of_it(server, cluster):
    server.put("pods", samples.pod("a", ready=False))
    waiter = asyncio.create_task(until(cluster, lambda pods: pods if [p.ready for p in pods] == [True] else None))
    await server.until_asked("watch", "pods")
    server.put("pods", samples.pod("a", ready=True))
    [pod] = await waiter
    assert pod.ready


async def test_a_pod_of_the_same_name_but_another_uid_is_another_pod(server, cluster):
    server.put("pods", samples.pod("db-0", uid="old"))
    waiter = asyncio.create_task(
        until(cluster, lambda pods: pods if [p.metadata.uid for p in pods] == ["new"] else None)
    )
    await server.until_asked("watch", "pods")
    server.remove("pods", "db-0")
    server.put("pods", samples.pod("db-0", uid="new"))
    await waiter


async def test_labels_and_the_name_are_asked_of_the_server(server, cluster):
    server.put("pods", samples.pod("a"))
    server.put("pods", samples.pod("b", labels={}))
    assert await until(cluster, names_are("a"), labels="app=web")
    assert await until(cluster, names_are("b"), name="b")
    assert server.asked[-1].query["fieldSelector"] == "metadata.name=b"


async def test_where_the_role_has_no_watch_the_objects_are_listed_and_watch_is_asked_for_once(server, cluster):
    server.forbid("watch", "pods")
    waiter = asyncio.create_task(until(cluster, names_are("a")))
    await server.until_asked("list", "pods", times=3)
    server.put("pods", samples.pod("a"))
    await waiter
    await until(cluster, names_are("a"))
    assert server.verbs("pods").count("watch") == 1


async def test_what_one_kind_may_not_do_says_nothing_of_another_kind(server, cluster):
    server.forbid("watch", "pods")
    server.put("jobs", {"metadata": {"name": "job"}})
    waiter = asyncio.create_task(until(cluster, names_are("a")))
    await server.until_asked("watch", "pods")
    server.put("pods", samples.pod("a"))
    await waiter
    jobs = waiting.follow(cluster, kinds.JOB, namespace="shop")
    await anext(jobs)
    server.put("jobs", {"metadata": {"name": "second"}})
    assert len(await anext(jobs)) == 2
    await jobs.aclose()
    assert server.verbs("jobs") == ["list", "watch"]


async def test_a_watch_that_breaks_is_followed_by_a_new_list(server, cluster):
    server.put("pods", samples.pod("a"))
    once = iter([apiserver.failure(500, "restarting")])
    with server.answer(lambda asked: next(once, None) if asked.verb == "watch" else None):
        waiter = asyncio.create_task(until(cluster, names_are("a", "b")))
        await server.until_asked("watch", "pods")
        server.put("pods", samples.pod("b"))
        await waiter
    assert server.verbs("pods")[:3] == ["list", "watch", "list"]


@pytest.mark.parametrize("watch", [True, False])
async def test_after_the_deadline_it_is_said_what_was_waited_for_and_how_long(server, cluster, watch):
    if not watch:
        server.forbid("watch", "pods")
    with pytest.raises(errors.TimedOut, match=r"^waited 0\.05 s for the pods$"):
        await until(cluster, names_are("nobody"), deadline_s=0.05)


async def test_an_error_that_the_condition_raises_ends_the_waiting(cluster):
    def refuse(_):
        raise errors.NotFound("it is gone")

    with pytest.raises(errors.NotFound, match="it is gone"):
        await until(cluster, refuse)


async def test_without_the_right_to_list_there_is_nothing_to_wait_for(server, cluster):
    server.forbid("list", "pods")
    with pytest.raises(errors.Forbidden):
        await until(cluster, names_are("a"))


@pytest.mark.looptime
async def test_without_a_deadline_it_is_waited_as_long_as_it_takes(monkeypatch):
    """In virtual time: a listing a second, for ten minutes."""
    monkeypatch.setattr(waiting, "_refused", {("server", "shop", "pods")})
    monkeypatch.setattr(waiting, "POLL_S", 1.0)

    class Slow:
        server = "server"
        looks = 0

        async def select_with_version(self, *_, **__):
            self.looks += 1
            return [samples.a_pod()] if self.looks > 600 else [], "1"

    assert await until(Slow(), lambda pods: pods or None, deadline_s=None)


async def test_a_watch_that_falls_silent_is_ended_and_what_it_missed_is_seen(server, cluster, monkeypatch):
    monkeypatch.setattr(waiting, "WATCH_S", 0.2)
    monkeypatch.setattr(waiting, "_HEARTBEAT_S", 0.02)
    server.put("pods", samples.pod("a"))
    seen: list[str] = []
    async with asyncio.timeout(10):
        async for pods in waiting.follow(cluster, kinds.POD, namespace="shop"):
            seen.append("".join(sorted(pod.metadata.name for pod in pods)))
            if len(seen) == 1:
                server.stalled = True
                server.put("pods", samples.pod("b"))
            if seen[-1] == "ab":
                break
    assert seen[-1] == "ab"


async def test_a_condition_is_looked_at_again_although_nothing_changes(server, cluster, monkeypatch):
    monkeypatch.setattr(waiting, "_HEARTBEAT_S", 0.001)
    looks: list[object] = []

    def third_time(pods: object) -> bool | None:
        looks.append(pods)
        return True if len(looks) == 3 else None

    assert await until(cluster, third_time)
