"""The rate of a trafficProbe, in virtual time: the clock decides when to ask, whatever becomes of the answers."""

import asyncio
import time
from contextlib import aclosing

import pytest

from litmus.probes import dialling, pace
from litmus.probes.contract import ProbeError

pytestmark = pytest.mark.looptime

GOOD = dialling.outcome("", "code 200")


def now() -> float:
    return asyncio.get_running_loop().time()


async def good(trace):
    return GOOD


async def until(made: pace.Pace, seconds: float) -> list:
    """What is observed in so many seconds."""
    seen = []

    async def take():
        async with aclosing(made.stream()) as observations:
            async for observation in observations:
                seen.append(observation)  # noqa: PERF401  # what was seen before the end is wanted

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(take(), seconds)
    return seen


def paced(ask, *, rate=10.0, timeout_s=1.0) -> pace.Pace:
    return pace.Pace(ask, rate=rate, timeout_s=timeout_s, expected="code 200")


async def test_every_slot_has_its_request():
    seen = await until(paced(good), 2.05)
    assert len(seen) == 21
    assert [round(one.at - seen[0].at, 3) for one in seen] == [round(slot / 10, 3) for slot in range(21)]
    assert abs(seen[0].at - time.time()) < 60


async def test_requests_that_hang_hold_up_no_other():
    began = []

    async def hang(trace):
        began.append(round(now(), 3))
        trace.doing = "answer"
        await asyncio.Event().wait()

    seen = await until(paced(hang), 3.05)
    assert began == [round(slot / 10, 3) for slot in range(31)]
    assert len(seen) == 21
    assert {(one.error, one.observed, one.latency_ms) for one in seen} == {("timeout", "no answer within 1 s", 1000.0)}


async def test_never_more_are_open_than_rate_times_timeout():
    still = most = 0

    async def hang(trace):
        nonlocal still, most
        still += 1
        most = max(most, still)
        try:
            await asyncio.Event().wait()
        finally:
            still -= 1

    await until(paced(hang, rate=100.0, timeout_s=2.0), 10)
    assert most <= 201
    assert still == 0


async def test_a_latency_counts_from_the_slot_and_not_from_when_we_came_round_to_it():
    loop = asyncio.get_running_loop()
    real = loop.time
    shift = 0.0
    loop.time = lambda: real() + shift

    async def stalled(trace):
        nonlocal shift
        if not shift:
            shift = 0.15
        await asyncio.sleep(0.02)
        return GOOD

    seen = await until(paced(stalled), 0.5)
    assert seen[1].latency_ms == pytest.approx(70, abs=2)
    assert seen[3].latency_ms == pytest.approx(20, abs=2)


async def test_slots_that_we_slept_through_are_nobodys_outage():
    loop = asyncio.get_running_loop()
    real = loop.time
    shift = 0.0
    loop.time = lambda: real() + shift

    async def stalled(trace):
        nonlocal shift
        if real() >= 1.0:
            shift = 60.0
        return GOOD

    made = paced(stalled)
    seen = await until(made, 62.05)
    assert all(one.passed for one in seen)
    assert 595 <= made.missed <= 600
    assert max(one.at for one in seen) - seen[0].at == pytest.approx(62, abs=0.1)


async def test_a_request_that_we_gave_up_too_late_is_not_counted():
    loop = asyncio.get_running_loop()
    real = loop.time
    shift = 0.0
    loop.time = lambda: real() + shift

    async def hang(trace):
        nonlocal shift
        await asyncio.sleep(0.5)
        shift = 30.0
        await asyncio.Event().wait()

    made = paced(hang, rate=1.0)
    seen = await until(made, 1.2)
    assert seen == []
    assert made.missed >= 1


async def test_a_reader_that_does_not_read_stops_the_sending(monkeypatch):
    monkeypatch.setattr(pace, "MOST_UNREAD", 5)
    asked = 0

    async def count(trace):
        nonlocal asked
        asked += 1
        return GOOD

    made = paced(count)
    async with aclosing(made.stream()) as observations:
        await anext(observations)
        await asyncio.sleep(60)
    assert asked <= 8
    assert made.missed > 500


async def test_a_shortage_of_ours_ends_the_stream_with_its_sentence():
    async def short(trace):
        raise ProbeError("the traffic can't be sent")

    with pytest.raises(ProbeError, match="can't be sent"):
        async with aclosing(paced(short).stream()) as observations:
            await anext(observations)


async def test_nothing_is_left_when_the_stream_is_closed():
    async def hang(trace):
        await asyncio.Event().wait()

    await until(paced(hang), 0.5)
    assert asyncio.all_tasks() == {asyncio.current_task()}
