"""What a helper says: every event once and in order, whatever becomes of the connection, the kubelet and the pod."""

import asyncio
import json

import pytest

from litmus.kube import errors, report, waiting
from tests import apiserver, samples

POD = "latency-helper-x"


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(report, "_AGAIN_S", 0.001)
    monkeypatch.setattr(waiting, "_HEARTBEAT_S", 0.05)


@pytest.fixture
def pod(server):
    server.put("pods", samples.pod(POD, containers=[samples.container("fault")]))
    server.write(POD)


def line(seq: int, event: str = "holding", **what) -> str:
    return json.dumps({"seq": seq, "event": event, **what})


def end(server, *said: str, code: int = 0, message: str | None = None) -> None:
    events = [json.loads(event) for event in said]
    text = json.dumps({"events": events}) if message is None else message
    state = samples.terminated(code, message=text)
    status = {
        "phase": "Failed" if code else "Succeeded",
        "containerStatuses": [samples.container("fault", state=state)],
    }
    server.change("pods", POD, {"status": status})


@pytest.fixture
def stream(cluster):
    return report.Stream(cluster, namespace="shop", pod=POD)


async def heard(stream: report.Stream) -> list[int | str]:
    """The numbers of all events to the end."""
    async with asyncio.timeout(10):
        return [event.get("seq", event["event"]) async for event in stream.events()]


async def test_every_event_is_heard_once_and_in_order(server, pod, stream):
    server.write(POD, line(1), line(2), line(3))
    end(server, line(3))
    assert await heard(stream) == [1, 2, 3]
    assert stream.why_ended == "exit code 0 Completed"


async def test_what_is_no_event_is_not_heard(server, pod, stream):
    server.write(POD, "Traceback (most recent call last):", "", "[1]", "{}", '"event"', '{"event":"torn', line(1))
    end(server)
    assert await heard(stream) == [1]


async def test_a_connection_that_breaks_loses_nothing_and_repeats_nothing(server, pod, stream):
    task = asyncio.create_task(heard(stream))
    for seq in range(1, 6):
        await server.until_asked("logs", "pods", times=seq)
        server.write(POD, line(seq))
        server.break_logs()
    await server.until_asked("logs", "pods", times=6)
    end(server, line(6))
    async with asyncio.timeout(10):
        assert await task == [1, 2, 3, 4, 5, 6]


async def test_what_was_not_heard_of_the_log_is_told_by_the_last_words(server, pod, stream):
    server.write(POD, line(1))
    end(server, line(1), line(4, "reverted"))
    assert await heard(stream) == [1, 4]


async def test_following_goes_on_where_it_stopped(server, pod, stream):
    server.write(POD, line(1), line(2))
    events = stream.events()
    assert (await anext(events))["seq"] == 1
    await events.aclose()
    end(server)
    assert await heard(stream) == [2]


async def test_where_the_log_is_forbidden_there_are_the_last_words(server, pod, stream):
    server.forbid("logs", "pods")
    task = asyncio.create_task(heard(stream))
    await server.until_asked("logs", "pods")
    end(server, line(3, "proven"), line(4, "reverted"))
    assert await task == [report.UNREADABLE, 3, 4]
    assert server.verbs("pods").count("logs") <= 2, "what was refused is not asked for again"


@pytest.mark.parametrize("code", [404, 500, 502, 503])
async def test_a_kubelet_that_does_not_answer_is_asked_again(server, pod, stream, code):
    server.write(POD, line(1))

    def silent(asked):
        return apiserver.failure(code, "dial tcp: connection refused") if asked.verb == "logs" else None

    with server.answer(silent):
        task = asyncio.create_task(heard(stream))
        await server.until_asked("logs", "pods", times=3)
    end(server)
    assert await task == [1]


async def test_a_container_that_has_not_started_is_waited_for(server, stream):
    server.put("pods", samples.pod(POD, phase="Pending", containers=[]))
    server.write(POD, line(1))
    task = asyncio.create_task(heard(stream))
    await server.until_asked("watch", "pods")
    assert "logs" not in server.verbs("pods")
    end(server)
    assert await task == [1]


async def test_a_pod_that_can_never_start_is_an_error(server, stream):
    waits = samples.container("fault", state=samples.waiting("ErrImageNeverPull", "absent"))
    server.put("pods", samples.pod(POD, phase="Pending", containers=[waits]))
    with pytest.raises(errors.KubeError, match=f"{POD} can't start: ErrImageNeverPull: absent"):
        await heard(stream)


async def test_a_pod_that_was_removed_has_ended(stream):
    assert await heard(stream) == []
    assert stream.why_ended == "the pod was removed"


async def test_a_pod_that_is_removed_while_it_is_followed_has_ended(server, pod, stream):
    server.write(POD, line(1))
    task = asyncio.create_task(heard(stream))
    await server.until_asked("logs", "pods")
    server.remove("pods", POD)
    assert await task in ([1], [])
    assert stream.why_ended == "the pod was removed"


@pytest.mark.parametrize("message", ["", '{"events":[{"seq":1,"eve', "Killed", "[]"])
async def test_last_words_that_were_cut_off_are_none(server, pod, stream, message):
    end(server, code=137, message=message)
    assert await heard(stream) == []
    assert stream.why_ended == "exit code 137 Completed"


async def test_a_request_that_the_helper_could_not_read_is_a_refusal(server, pod, stream):
    end(server, code=4, message='{"error":"the request can\'t be read"}')
    async with asyncio.timeout(10):
        [said] = [event async for event in stream.events()]
    assert (said["event"], said["why"]) == ("refused", "the request can't be read")


async def test_a_pod_that_was_evicted_has_ended_without_a_word(server, stream):
    server.put("pods", samples.pod(POD, phase="Failed", containers=[]))
    server.change("pods", POD, {"status": {"reason": "Evicted"}})
    server.write(POD)
    assert await heard(stream) == []
    assert stream.why_ended == "Evicted"
