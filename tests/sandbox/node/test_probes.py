"""Probes count as in Kubernetes: thresholds, delays, startup before the others, liveness until it fails."""

import asyncio
from collections import deque

import pytest

from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.node import probes
from litmus.sandbox.node.probes import Answer, Kind, Schedule, Tally, Told

NO = Answer(False, "no")
YES = Answer(True)
ERROR = Answer(False, "can't ask", error=True)


@pytest.mark.parametrize(
    ("start", "answers", "results"),
    [
        (None, "YNNN", [True, None, None, False]),
        (None, "NNYY", [None, None, True, None]),
        (True, "NNYNNN", [None, None, None, None, None, False]),
        (None, "NNNNY", [None, None, False, None, True]),
    ],
)
def test_enough_equal_answers_in_a_row_change_the_result(
    start: bool | None, answers: str, results: list[bool | None]
) -> None:
    tally = Tally(Schedule(failures=3), result=start)
    changes = [tally.result if tally.record(word == "Y") else None for word in answers]
    assert changes == results


def test_success_may_take_several() -> None:
    tally = Tally(Schedule(successes=2))
    assert [tally.record(True), tally.record(False), tally.record(True), tally.record(True)] == [
        False,
        False,
        False,
        True,
    ]


def test_the_defaults_are_those_of_kubernetes() -> None:
    assert Schedule.of({}) == Schedule(initial_delay_s=0, period_s=10, timeout_s=1, successes=1, failures=3)
    probe = {
        "initialDelaySeconds": 5,
        "periodSeconds": 2,
        "timeoutSeconds": 3,
        "successThreshold": 4,
        "failureThreshold": 6,
    }
    assert Schedule.of(probe) == Schedule(initial_delay_s=5, period_s=2, timeout_s=3, successes=4, failures=6)


class Asked:
    """Answers in a row, the last one for ever; writes down when it was asked and what was told."""

    def __init__(self, **answers: list[Answer]) -> None:
        self.answers = {kind: deque(found) for kind, found in answers.items()}
        self.times: list[tuple[str, float]] = []
        self.told: list[tuple[float, Kind, bool]] = []
        self.unhealthy: list[tuple[Kind, str]] = []

    async def ask(self, probe: Obj, timeout_s: float) -> Answer:
        kind = probe["exec"]["command"][0] if "exec" in probe else probe["httpGet"]["path"]
        self.times.append((kind, asyncio.get_running_loop().time()))
        answers = self.answers[kind]
        return answers.popleft() if len(answers) > 1 else answers[0]

    async def watch(self, container: Obj, *, for_s: float) -> None:
        loop = asyncio.get_running_loop()
        told = Told(
            changed=lambda kind, result: self.told.append((loop.time(), kind, result)),
            unhealthy=lambda kind, answer: self.unhealthy.append((kind, answer.output)),
        )
        try:
            async with asyncio.timeout(for_s):
                await probes.watch(container, self.ask, told)
        except TimeoutError:
            pass


def probe(kind: str, **more: int) -> Obj:
    return {"exec": {"command": [kind]}, "periodSeconds": 10, **more}


@pytest.mark.looptime
async def test_without_probes_a_container_is_started_and_ready_at_once() -> None:
    asked = Asked()
    await asked.watch({}, for_s=1)
    assert asked.told == [(0, "startup", True), (0, "readiness", True)]


@pytest.mark.looptime
async def test_readiness_comes_with_the_first_success_and_goes_after_three_failures() -> None:
    asked = Asked(readiness=[NO, YES, NO, NO, NO, YES])
    await asked.watch({"readinessProbe": probe("readiness")}, for_s=65)
    assert asked.told == [
        (0, "startup", True),
        (10, "readiness", True),
        (40, "readiness", False),
        (50, "readiness", True),
    ]
    assert asked.unhealthy == [("readiness", "no")] * 4


@pytest.mark.looptime
async def test_the_first_attempt_waits_for_the_delay() -> None:
    asked = Asked(readiness=[YES])
    await asked.watch({"readinessProbe": probe("readiness", initialDelaySeconds=7)}, for_s=20)
    assert asked.times == [("readiness", 7), ("readiness", 17)]


@pytest.mark.looptime
async def test_the_others_wait_for_startup() -> None:
    asked = Asked(startup=[NO, NO, YES], readiness=[YES], liveness=[YES])
    container = {
        "startupProbe": probe("startup", failureThreshold=9),
        "readinessProbe": probe("readiness"),
        "livenessProbe": probe("liveness"),
    }
    await asked.watch(container, for_s=25)
    assert asked.told == [(20, "startup", True), (20, "readiness", True)]
    assert min(time for kind, time in asked.times if kind != "startup") == 20


@pytest.mark.looptime
async def test_startup_that_fails_ends_it_all() -> None:
    asked = Asked(startup=[NO], readiness=[YES])
    container = {"startupProbe": probe("startup", failureThreshold=2), "readinessProbe": probe("readiness")}
    await asked.watch(container, for_s=100)
    assert asked.told == [(10, "startup", False)]
    assert {kind for kind, _ in asked.times} == {"startup"}


@pytest.mark.looptime
async def test_liveness_is_told_only_when_it_failed_often_enough_and_once() -> None:
    asked = Asked(liveness=[YES, NO, NO, YES, NO, NO, NO])
    await asked.watch({"livenessProbe": probe("liveness")}, for_s=200)
    assert asked.told[2:] == [(60, "liveness", False)]
    assert len(asked.times) == 7


@pytest.mark.looptime
async def test_an_attempt_that_could_not_be_made_counts_for_nothing() -> None:
    asked = Asked(liveness=[ERROR])
    await asked.watch({"livenessProbe": probe("liveness", failureThreshold=1)}, for_s=35)
    assert (2, "liveness", False) not in asked.told
    assert len(asked.told) == 2
    assert asked.unhealthy == [("liveness", "can't ask")] * 4


@pytest.mark.looptime
async def test_a_port_that_opens_within_a_second_of_the_start_was_never_closed() -> None:
    asked = Asked(readiness=[NO, NO, NO, YES])
    await asked.watch({"readinessProbe": {"httpGet": {"path": "readiness"}}}, for_s=5)
    (at, kind, result) = asked.told[-1]
    assert (kind, result, asked.unhealthy) == ("readiness", True, [])
    assert at == pytest.approx(0.3)


@pytest.mark.looptime
async def test_a_port_that_stays_closed_fails_once_a_period() -> None:
    asked = Asked(readiness=[NO])
    await asked.watch({"readinessProbe": {"httpGet": {"path": "readiness"}}}, for_s=25)
    assert len(asked.unhealthy) == 3
