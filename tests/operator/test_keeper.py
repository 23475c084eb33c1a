"""One task for every engine that needs attention: never two at once for one, and none waits for another.

In virtual time: an hour passes at once.
"""

import asyncio
import logging

import pytest

from litmus.kube import errors
from litmus.operator.decide import Action
from litmus.operator.keeper import Keeper

pytestmark = pytest.mark.looptime


@pytest.fixture
async def keeper():
    kept = Keeper()
    yield kept
    await kept.close()


def now() -> float:
    return asyncio.get_running_loop().time()


class Engine:
    """A reconciliation that notes when it ran, and answers what it is told, WAIT at last."""

    def __init__(self, *answers: Action | Exception, takes_s: float = 0.0) -> None:
        self.answers = list(answers)
        self.takes_s = takes_s
        self.began = now()
        self.at: list[float] = []
        self.running = self.most = 0

    async def __call__(self) -> Action:
        self.at.append(round(now() - self.began, 3))
        self.running += 1
        self.most = max(self.most, self.running)
        await asyncio.sleep(self.takes_s)
        self.running -= 1
        answer = self.answers.pop(0) if self.answers else Action.WAIT
        if isinstance(answer, Exception):
            raise answer
        return answer


async def test_an_engine_is_reconciled_at_once_and_then_by_the_heartbeat(keeper):
    engine = Engine()
    keeper.attend("uid", engine)
    await asyncio.sleep(12)
    assert engine.at == [0, 5, 10]


async def test_a_change_wakes_it_at_once(keeper):
    engine = Engine()
    keeper.attend("uid", engine)
    await asyncio.sleep(1)
    keeper.wake("uid")
    await asyncio.sleep(1)
    keeper.attend("uid", engine)
    await asyncio.sleep(1)
    assert engine.at == [0, 1, 2]


async def test_one_engine_is_never_reconciled_twice_at_once(keeper):
    engine = Engine(takes_s=3)
    for _ in range(20):
        keeper.attend("uid", engine)
        keeper.wake("uid")
        await asyncio.sleep(0.5)
    assert engine.most == 1


async def test_a_change_during_a_reconciliation_is_not_lost(keeper):
    engine = Engine(takes_s=3)
    keeper.attend("uid", engine)
    await asyncio.sleep(1)
    keeper.wake("uid")
    await asyncio.sleep(2.5)
    assert engine.at == [0, 3]


async def test_a_change_during_the_last_reconciliation_begins_another(keeper):
    engine = Engine(Action.IDLE, Action.IDLE, takes_s=3)
    keeper.attend("uid", engine)
    await asyncio.sleep(1)
    keeper.wake("uid")
    await asyncio.sleep(60)
    assert engine.at == [0, 3]
    assert len(keeper) == 0


async def test_different_engines_do_not_wait_for_each_other(keeper):
    slow, quick = Engine(takes_s=1000), Engine()
    keeper.attend("slow", slow)
    keeper.attend("quick", quick)
    await asyncio.sleep(11)
    assert (slow.at, quick.at) == ([0], [0, 5, 10])


async def test_a_step_that_was_taken_is_followed_by_the_next_one_at_once(keeper):
    engine = Engine(Action.INITIALIZE, Action.COMPLETE, Action.IDLE)
    keeper.attend("uid", engine)
    await asyncio.sleep(1)
    assert engine.at == [0, 0, 0]


async def test_an_engine_that_needs_nothing_more_is_let_go(keeper):
    engine = Engine(Action.IDLE)
    keeper.attend("uid", engine)
    await asyncio.sleep(60)
    assert engine.at == [0]
    assert len(keeper) == 0


async def test_an_engine_that_was_let_go_is_attended_to_again(keeper):
    engine = Engine(Action.IDLE)
    keeper.attend("uid", engine)
    await asyncio.sleep(1)
    keeper.attend("uid", engine)
    await asyncio.sleep(1)
    assert engine.at == [0, 1]


async def test_waking_an_engine_that_nobody_attends_to_does_nothing(keeper):
    keeper.wake("unknown")
    assert len(keeper) == 0


async def test_what_the_cluster_refuses_is_tried_again_with_growing_pauses(keeper, caplog):
    engine = Engine(*[errors.Unreachable("restarting")] * 7)
    with caplog.at_level(logging.WARNING):
        keeper.attend("uid", engine)
        await asyncio.sleep(20)
    assert engine.at[:8] == [0, 0.2, 0.7, 1.7, 3.7, 8.7, 13.7, 18.7]
    assert "restarting" in caplog.text


async def test_after_a_success_the_pauses_are_short_again(keeper):
    engine = Engine(*[errors.Unreachable("x")] * 3, Action.WAIT, errors.Unreachable("x"))
    keeper.attend("uid", engine)
    await asyncio.sleep(7.5)
    assert engine.at == [0, 0.2, 0.7, 1.7, 6.7, 6.9]


async def test_a_defect_in_one_engine_stops_no_other_and_is_logged(keeper, caplog):
    broken, sound = Engine(ZeroDivisionError("oops")), Engine()
    with caplog.at_level(logging.ERROR):
        keeper.attend("broken", broken)
        keeper.attend("sound", sound)
        await asyncio.sleep(11)
    assert broken.at == [0]
    assert sound.at == [0, 5, 10]
    assert "oops" in caplog.text


async def test_after_a_defect_the_next_change_attends_to_the_engine_again(keeper):
    engine = Engine(ZeroDivisionError("oops"))
    keeper.attend("uid", engine)
    await asyncio.sleep(1)
    keeper.attend("uid", engine)
    await asyncio.sleep(1)
    assert engine.at == [0, 1]


async def test_a_defect_of_a_moment_does_not_leave_an_engine_to_itself(keeper):
    engine = Engine(ZeroDivisionError("oops"), Action.COMPLETE, Action.IDLE)
    keeper.attend("uid", engine)
    await asyncio.sleep(40)
    assert engine.at == [0, 30, 30]


async def test_closing_ends_every_task_and_waits_for_it():
    kept = Keeper()
    engines = [Engine(takes_s=1000), Engine()]
    for number, engine in enumerate(engines):
        kept.attend(str(number), engine)
    await asyncio.sleep(1)
    await kept.close()
    assert len(kept) == 0
    await asyncio.sleep(3600)
    assert [engine.at for engine in engines] == [[0], [0]]
