"""One evaluation: attempts, intervals, windows and limits, in virtual time."""

import asyncio

import pytest

from litmus.probes import evaluation
from litmus.probes.contract import Observation, ProbeError
from litmus.probes.properties import Plan
from tests.probes import scripted

pytestmark = pytest.mark.looptime


async def evaluate(prober: scripted.Prober, **plan) -> tuple[Observation, list[Observation]]:
    heard: list[Observation] = []
    return await evaluation.evaluate(prober, Plan(**plan), heard.append), heard


async def test_a_question_that_is_answered_is_asked_once():
    prober = scripted.Prober(scripted.always)
    seen, heard = await evaluate(prober, attempts=5, timeout_s=3)
    assert seen.passed
    assert heard == [seen]
    assert prober.timeouts == [3]


async def test_attempts_follow_each_other_after_an_interval_until_one_passes():
    prober = scripted.Prober(scripted.down(0, 4))
    seen, heard = await evaluate(prober, attempts=5, interval_s=2)
    assert seen.passed
    assert prober.asked == [0, 2, 4]
    assert [one.passed for one in heard] == [False, False, True]


async def test_no_more_attempts_are_made_than_the_engine_has():
    prober = scripted.Prober(scripted.never)
    seen, _ = await evaluate(prober, attempts=3, interval_s=2)
    assert not seen.passed
    assert prober.asked == [0, 2, 4]


async def test_each_question_is_given_up_after_its_timeout():
    prober = scripted.Prober(scripted.always, takes_s=60)
    seen, _ = await evaluate(prober, timeout_s=3)
    assert (seen.passed, seen.error) == (False, "timeout")
    assert asyncio.get_running_loop().time() == 3


async def test_a_prober_that_forgets_its_timeout_is_cancelled_all_the_same():
    prober = scripted.Prober(scripted.always, takes_s=3600, obedient=False)
    seen, _ = await evaluate(prober, timeout_s=3)
    assert (seen.passed, seen.error, seen.observed) == (False, "timeout", "no answer after 3 s")
    assert asyncio.get_running_loop().time() == 5


async def test_an_attempt_of_1_10_asks_again_until_its_window_closes():
    prober = scripted.Prober(scripted.down(0, 25))
    seen, _ = await evaluate(prober, window=True, timeout_s=10, interval_s=4, attempts=3)
    assert seen.passed
    assert prober.asked == [0, 4, 8, 12, 16, 20, 24, 28]
    assert prober.timeouts == [10, 6, 2, 10, 6, 2, 10, 6]


async def test_a_window_without_an_interval_does_not_spin():
    prober = scripted.Prober(scripted.never)
    await evaluate(prober, window=True, timeout_s=1, interval_s=0)
    assert len(prober.asked) <= 10


async def test_the_evaluation_timeout_bounds_all_attempts_together():
    prober = scripted.Prober(scripted.never)
    seen, heard = await evaluate(prober, attempts=100, interval_s=2, evaluation_timeout_s=5)
    assert asyncio.get_running_loop().time() == 5
    assert (seen.passed, seen.error) == (False, "timeout")
    assert seen.observed == "503, and no other answer when the evaluationTimeout of 5 s was over"
    assert len(heard) == 4


async def test_the_evaluation_timeout_cancels_a_question_that_is_under_way():
    prober = scripted.Prober(scripted.always, takes_s=60)
    seen, _ = await evaluate(prober, timeout_s=30, evaluation_timeout_s=5)
    assert not seen.passed
    assert asyncio.get_running_loop().time() == 5


async def test_a_probe_that_can_not_be_evaluated_is_not_asked_again():
    prober = scripted.Prober(scripted.broken)
    with pytest.raises(ProbeError, match="kubectl is not there"):
        await evaluate(prober, attempts=5)
    assert prober.asked == [0]


@pytest.fixture
def _world(monkeypatch):
    """The clock of the world goes with the virtual one."""
    loop = asyncio.get_running_loop
    monkeypatch.setattr(evaluation.time, "time", lambda: scripted.START + loop().time())


@pytest.mark.usefixtures("_world")
class TestInAPod:
    """Its start is nobody's answer."""

    async def test_a_pod_that_starts_slowly_has_its_whole_timeout_all_the_same(self):
        prober = scripted.InPod(scripted.always, starts_s=80, takes_s=4)
        seen, _ = await evaluate(prober, timeout_s=5)
        assert seen.passed
        assert prober.timeouts == [5]

    async def test_a_prober_in_a_pod_that_forgets_its_timeout_is_cancelled_too(self):
        prober = scripted.InPod(scripted.always, starts_s=3600)
        seen, _ = await evaluate(prober, timeout_s=5)
        assert (seen.passed, seen.error) == (False, "timeout")
        assert asyncio.get_running_loop().time() == 97

    async def test_the_window_of_1_10_does_not_run_while_pods_start(self):
        prober = scripted.InPod(scripted.down(0, 100), starts_s=30, takes_s=1)
        seen, _ = await evaluate(prober, window=True, timeout_s=10, interval_s=2)
        assert prober.asked == [30, 63, 96, 129], "three seconds of its own and thirty to start, each time"
        assert prober.timeouts == [10, 7, 4, 1]
        assert seen.passed

    async def test_the_window_of_1_10_closes_after_its_own_time(self):
        prober = scripted.InPod(scripted.never, starts_s=30, takes_s=1)
        await evaluate(prober, window=True, timeout_s=10, interval_s=2)
        assert len(prober.asked) == 4
        assert asyncio.get_running_loop().time() == 130

    async def test_the_evaluation_timeout_does_not_run_while_pods_start(self):
        prober = scripted.InPod(scripted.never, starts_s=30, takes_s=1)
        seen, heard = await evaluate(prober, attempts=100, interval_s=1, evaluation_timeout_s=5.5)
        assert prober.asked == [30, 62, 94]
        assert seen.observed == "503, and no other answer when the evaluationTimeout of 5.5 s was over"
        assert len(heard) == 4
