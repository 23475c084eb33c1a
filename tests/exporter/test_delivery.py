"""Deliveries: order, pauses, deadlines and bounds, in virtual time."""

import asyncio
import itertools
import logging
import random
from collections.abc import Awaitable, Callable

import pytest

from litmus.exporter.outlets.delivery import Delivery, NotTaken, Refused
from litmus.exporter.outlets.posting import retry_after_s
from tests.exporter import window_stage as stage

pytestmark = pytest.mark.looptime


class Moody:
    """A receiver that fails with these, one a try, and then takes everything. ``tries`` has their times."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.tries: list[float] = []
        self.taken: list[str] = []

    def message(self, name: str) -> Callable[[], Awaitable[None]]:
        async def send() -> None:
            self.tries.append(asyncio.get_running_loop().time())
            if self.failures:
                raise self.failures.pop(0)
            self.taken.append(name)

        return send


async def delivered(delivery: Delivery, seconds: float) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(seconds):
            await delivery.run()


def pauses(tries: list[float]) -> list[float]:
    return [later - earlier for earlier, later in itertools.pairwise(tries)]


async def test_pauses_grow_from_a_second_to_a_minute_and_are_never_in_step() -> None:
    receiver = Moody(*[NotTaken("down") for _ in range(9)])
    delivery = Delivery("it", rng=random.Random(1))
    delivery.put(receiver.message("a"))
    await delivered(delivery, 1000)
    found = pauses(receiver.tries)
    for pause, most in zip(found, [1, 2, 4, 8, 16, 32, 60, 60, 60], strict=True):
        assert most / 2 <= pause <= most + 0.01
    assert len({round(pause / most, 3) for pause, most in zip(found, [1, 2, 4, 8], strict=False)}) == 4
    assert receiver.taken == ["a"]


async def test_what_was_put_first_is_taken_first_whatever_fails_in_between() -> None:
    receiver = Moody(NotTaken("down"), NotTaken("down"))
    delivery = Delivery("it")
    for name in "abc":
        delivery.put(receiver.message(name))
    await delivered(delivery, 60)
    assert receiver.taken == ["a", "b", "c"]


async def test_after_its_deadline_a_message_is_given_up_and_the_next_has_its_turn() -> None:
    receiver = Moody(*[NotTaken("down") for _ in range(1000)])
    delivery = Delivery("it", deadline_s=100)
    delivery.put(receiver.message("old"))
    await delivered(delivery, 90)
    receiver.failures.clear()
    delivery.put(receiver.message("new"))
    receiver.failures.append(NotTaken("still", after_s=50))
    await delivered(delivery, 90)
    assert receiver.taken == ["new"]
    assert receiver.tries[-1] < 200


async def test_a_receiver_that_says_when_to_come_again_is_asked_no_earlier() -> None:
    receiver = Moody(NotTaken("busy", after_s=45))
    delivery = Delivery("it")
    delivery.put(receiver.message("a"))
    await delivered(delivery, 100)
    assert pauses(receiver.tries) == [pytest.approx(45, abs=0.01)]


async def test_a_receiver_that_asks_for_more_time_than_there_is_does_not_hold_back_the_rest() -> None:
    receiver = Moody(NotTaken("tomorrow", after_s=86_400))
    delivery = Delivery("it", deadline_s=100)
    delivery.put(receiver.message("a"))
    delivery.put(receiver.message("b"))
    await delivered(delivery, 10)
    assert receiver.taken == ["b"]


async def test_what_is_refused_is_not_sent_again() -> None:
    receiver = Moody(Refused("it answered 400"))
    delivery = Delivery("it")
    delivery.put(receiver.message("a"))
    await delivered(delivery, 100)
    assert len(receiver.tries) == 1
    assert delivery.failures == 1


async def test_a_full_queue_takes_nothing_more_counts_it_and_never_waits() -> None:
    receiver = Moody()
    delivery = Delivery("it", most=2)
    for name in "abcd":
        delivery.put(receiver.message(name))
    assert delivery.failures == 2
    await delivered(delivery, 1)
    assert receiver.taken == ["a", "b"]


async def test_a_receiver_that_is_down_is_one_line_in_the_log_and_another_when_it_is_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    receiver = Moody(*[NotTaken("it answered 503") for _ in range(7)])
    delivery = Delivery("the webhook at https://hooks.example")
    delivery.put(receiver.message("a"))
    delivery.put(receiver.message("b"))
    await delivered(delivery, 1000)
    assert stage.logged(caplog) == [
        "the webhook at https://hooks.example does not take chaos windows: it answered 503",
        "the webhook at https://hooks.example takes chaos windows again after 7 failures",
    ]
    assert delivery.failures == 7


async def test_what_waits_at_the_end_of_the_process_is_sent_if_it_can_be() -> None:
    receiver = Moody()
    delivery = Delivery("it")
    delivery.put(receiver.message("a"))
    await delivery.emptied(5)
    assert receiver.taken == ["a"]


async def test_a_dead_receiver_does_not_hold_up_the_end_of_the_process() -> None:
    receiver = Moody(*[NotTaken("down") for _ in range(1000)])
    delivery = Delivery("it")
    delivery.put(receiver.message("a"))
    before = asyncio.get_running_loop().time()
    await delivery.emptied(5)
    assert asyncio.get_running_loop().time() - before == pytest.approx(5, abs=0.01)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120.0),
        ("0", 0.0),
        ("Sun, 01 Mar 2026 10:05:30 GMT", 30.0),
        ("Sun, 01 Mar 2026 09:00:00 GMT", 0.0),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("9" * 400, None),
        ("²", None),
    ],
)
async def test_retry_after_is_read_as_seconds_or_as_a_date(text: str, seconds: float | None) -> None:
    assert retry_after_s({"Retry-After": text}, now=1772359500.0) == seconds
