import asyncio
import itertools
import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta

import pytest

from litmus.sandbox.controllers import loop
from litmus.sandbox.machinery import objects, status, store
from litmus.sandbox.machinery.objects import Key, Obj


class Clock:
    def __init__(self) -> None:
        self.moment = datetime(2030, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def advance(self, by_s: float) -> None:
        self.moment += timedelta(seconds=by_s)


class Things:
    """A cluster of nothing but a store: the loop needs no more."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.now = now
        self.store = store.Store()

    def list(self, resource: str) -> list[Obj]:
        return self.store.list(resource)

    def subscribe(self, resource: str, listener: store.Listener) -> Callable[[], None]:
        return self.store.subscribe(resource, listener)

    def put(self, name: str, **content: object) -> None:
        self.store.put("things", Key("", name), {"metadata": {"name": name}, **content})


class Scripted:
    """A controller of things that does what the test says, and remembers what it was asked."""

    name = "scripted"

    def __init__(self, act: Callable[[Key], float | None] = lambda key: None) -> None:
        self.asked: list[str] = []
        self.act = act
        self.watches: Mapping[str, Callable[[Obj], Iterable[Key]]] = {"things": lambda thing: [objects.key(thing)]}

    def reconcile(self, key: Key) -> float | None:
        self.asked.append(key.name)
        return self.act(key)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def things(clock: Clock) -> Things:
    return Things(clock)


def test_what_is_there_at_the_start_is_reconciled_once_in_order(things: Things) -> None:
    things.put("b")
    things.put("a")
    controller = Scripted()
    loop.settle(things, [controller])
    assert controller.asked == ["a", "b"]


def test_a_key_that_its_own_reconcile_changes_is_asked_about_again(things: Things) -> None:
    things.put("a", step=0)

    def act(key: Key) -> None:
        thing = things.store.get("things", key)
        assert thing is not None
        if thing["step"] < 3:
            things.put("a", step=thing["step"] + 1)

    controller = Scripted(act)
    loop.settle(things, [controller])
    assert controller.asked == ["a"] * 4


def test_several_changes_of_a_waiting_key_are_one_reconcile(things: Things) -> None:
    things.put("a")

    def act(key: Key) -> None:
        if key.name == "a" and things.store.get("things", Key("", "b")) is None:
            things.put("b")
            things.put("b", more=1)

    controller = Scripted(act)
    loop.settle(things, [controller])
    assert controller.asked == ["a", "b"]


def test_a_removed_object_concerns_its_key(things: Things) -> None:
    things.put("a")
    things.put("b")

    def act(key: Key) -> None:
        if key.name == "b" and things.store.get("things", Key("", "a")):
            things.store.remove("things", Key("", "a"))

    controller = Scripted(act)
    loop.settle(things, [controller])
    assert controller.asked == ["a", "b", "a"]


def test_the_previous_state_tells_whom_a_change_concerned_before(things: Things) -> None:
    """A pod that loses its label still concerns the replica set that it leaves."""
    things.put("x", owner="old")
    controller = Scripted(lambda key: things.put("x", owner="new") if key.name == "old" else None)
    controller.watches = {"things": lambda thing: [Key("", thing["owner"])]}
    loop.settle(things, [controller])
    assert controller.asked == ["old", "old", "new"]


def test_each_controller_hears_of_what_it_watches_only(things: Things) -> None:
    things.put("a")
    first, second = Scripted(), Scripted()
    second.watches = {"others": lambda thing: [objects.key(thing)]}
    loop.settle(things, [first, second])
    assert (first.asked, second.asked) == (["a"], [])


def test_planned_keys_wait_for_the_clock(things: Things, clock: Clock) -> None:
    things.put("a")
    moments: list[float] = []
    start = clock().timestamp()

    def act(key: Key) -> float | None:
        moments.append(clock().timestamp() - start)
        return 20.0

    loop.settle(things, [Scripted(act)])
    assert moments == [0]
    moments.clear()
    loop.settle(things, [Scripted(act)], advance=clock.advance, for_s=50)
    assert moments == [0, 20, 40]
    assert clock().timestamp() - start == 50


def test_an_earlier_plan_takes_the_place_of_a_later_one(things: Things, clock: Clock) -> None:
    things.put("a")
    pauses = iter([100.0, 10.0, None, None])
    start = clock().timestamp()
    moments: list[float] = []

    def act(key: Key) -> float | None:
        moments.append(clock().timestamp() - start)
        if len(moments) == 1:
            things.put("a", changed=True)
        return next(pauses)

    loop.settle(things, [Scripted(act)], advance=clock.advance, for_s=500)
    assert moments == [0, 0, 10]


def test_a_refusal_is_tried_again_after_doubling_pauses_up_to_thirty_seconds(
    things: Things, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    things.put("a")
    start = clock().timestamp()
    moments: list[float] = []

    def act(key: Key) -> None:
        moments.append(clock().timestamp() - start)
        raise status.conflict("things", "", "a", status.MODIFIED)

    loop.settle(things, [Scripted(act)], advance=clock.advance, for_s=200)
    pauses = [later - earlier for earlier, later in itertools.pairwise(moments)]
    assert pauses[:4] == pytest.approx([0.005, 0.01, 0.02, 0.04], abs=1e-5)
    assert pauses[-1] == pytest.approx(30)
    assert "409 Conflict" in caplog.text


def test_a_success_ends_the_growth_of_the_pauses(things: Things, clock: Clock) -> None:
    things.put("a")
    outcomes = iter([True, True, True, False, True, False])
    start = clock().timestamp()
    moments: list[float] = []

    def act(key: Key) -> float | None:
        moments.append(round(clock().timestamp() - start, 4))
        if next(outcomes):
            raise status.unavailable("not now")
        return 1.0 if len(moments) == 4 else None

    loop.settle(things, [Scripted(act)], advance=clock.advance, for_s=100)
    assert moments == [0, 0.005, 0.015, 0.035, 1.035, 1.04]


def test_controllers_that_never_come_to_rest_are_named(things: Things) -> None:
    things.put("a", n=0)
    controller = Scripted(lambda key: things.put("a", n=1))
    with pytest.raises(loop.Unsettled, match="scripted a"):
        loop.settle(things, [controller], most=50)


def test_a_defect_stops_a_test_and_not_a_cluster(things: Things) -> None:
    things.put("a")

    def act(key: Key) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        loop.settle(things, [Scripted(act)])


async def test_run_follows_changes_plans_and_defects_until_cancelled(
    things: Things, caplog: pytest.LogCaptureFixture
) -> None:
    things.now = lambda: datetime.now(UTC)
    things.put("a")
    seen: asyncio.Queue[str] = asyncio.Queue()

    def act(key: Key) -> float | None:
        seen.put_nowait(key.name)
        if key.name == "broken" and controller.asked.count("broken") == 1:
            raise ZeroDivisionError
        return 0.001 if key.name == "planned" and controller.asked.count("planned") == 1 else None

    controller = Scripted(act)
    async with asyncio.timeout(10):
        async with asyncio.TaskGroup() as group:
            running = group.create_task(loop.run(things, [controller]))
            assert await seen.get() == "a"
            for name in ("b", "broken", "planned"):
                things.put(name)
            assert sorted([await seen.get() for _ in range(5)]) == ["b", "broken", "broken", "planned", "planned"]
            running.cancel()
    things.put("late")
    assert "late" not in controller.asked
    assert "defect of the sandbox" in caplog.text


class Costly(Scripted):
    """Each reconcile takes that much of the processor."""

    def __init__(self, cost_s: float, act: Callable[[Key], float | None] = lambda key: None) -> None:
        super().__init__(act)
        self.cost_s = cost_s
        self.spent_s = 0.0

    def reconcile(self, key: Key) -> float | None:
        self.spent_s += self.cost_s
        return super().reconcile(key)


def worked_off(queue: loop.Queue) -> None:
    while queue.turn(resilient=False):
        pass


def test_a_costly_key_answers_a_burst_of_events_once_after_a_rest(things: Things, clock: Clock) -> None:
    controller = Costly(0.002)
    queue = loop.Queue(things, [controller], spent_s=lambda: controller.spent_s)
    queue.start()
    things.put("a")
    worked_off(queue)
    for number in range(5):
        things.put("a", number=number)
        worked_off(queue)
    assert controller.asked == ["a"]
    assert queue.next_due_s() == pytest.approx(loop.REST * 0.002, abs=1e-5)
    clock.advance(loop.REST * 0.002)
    worked_off(queue)
    assert controller.asked == ["a", "a"]


def test_a_costly_key_that_nothing_happens_to_is_not_asked_about_again(things: Things, clock: Clock) -> None:
    controller = Costly(0.002)
    queue = loop.Queue(things, [controller], spent_s=lambda: controller.spent_s)
    queue.start()
    things.put("a")
    worked_off(queue)
    clock.advance(60)
    worked_off(queue)
    assert (controller.asked, queue.next_due_s()) == (["a"], None)


def test_what_a_costly_reconcile_writes_itself_waits_for_the_end_of_the_rest_too(things: Things, clock: Clock) -> None:
    def write_once(key: Key) -> None:
        if len(controller.asked) == 1:
            things.put("a", written=True)

    controller = Costly(0.002, write_once)
    queue = loop.Queue(things, [controller], spent_s=lambda: controller.spent_s)
    queue.start()
    things.put("a")
    worked_off(queue)
    assert controller.asked == ["a"]
    clock.advance(loop.REST * 0.002)
    worked_off(queue)
    assert controller.asked == ["a", "a"]


def test_a_costly_key_that_asks_to_go_on_does_not_rest(things: Things) -> None:
    left = [0.0, 0.0]
    controller = Costly(0.002, lambda key: left.pop() if left else None)
    queue = loop.Queue(things, [controller], spent_s=lambda: controller.spent_s)
    queue.start()
    things.put("a")
    worked_off(queue)
    assert controller.asked == ["a", "a", "a"]


def test_a_key_that_costs_little_is_asked_about_at_once(things: Things) -> None:
    controller = Costly(loop.COSTLY_S / 2)
    queue = loop.Queue(things, [controller], spent_s=lambda: controller.spent_s)
    queue.start()
    for number in range(3):
        things.put("a", number=number)
        worked_off(queue)
    assert controller.asked == ["a", "a", "a"]
