"""The study of benchmarks/calibration.py, small and with a seed: its promises, with room for chance."""

import random

import pytest

from benchmarks import calibration
from benchmarks.calibration import Alarms, World


def _alarms(worlds: list[World], count: int) -> Alarms:
    chance = random.Random(7)
    alarms = Alarms()
    for _ in range(count):
        alarms.add(calibration.run(chance.choice(worlds), chance, calibration.QUIET))
    return alarms


def test_runs_without_a_fault_hardly_ever_miss_a_criterion() -> None:
    """More than four of 120 have a chance of 0.7 % where one in a hundred is wrong, of 90 % where one in fifteen is."""
    alarms = _alarms(calibration.quiet_worlds(900), 120)
    assert alarms.runs == 120
    assert max(alarms.false.values()) <= 4


def test_bursts_of_failures_in_the_background_are_no_fault() -> None:
    bursts = [w for w in calibration.quiet_worlds(1200) if w.burst_s and w.background == 0.005]
    assert _alarms(bursts, 40).false["any of the seven criteria"] <= 2


@pytest.mark.parametrize("name", ["availability −20 %", "latency ×5", "outage of 5 s"])
def test_a_large_effect_is_always_found(name: str) -> None:
    world = dict(calibration.effects(World()))[name]
    chance = random.Random(3)
    assert all(calibration.run(world, chance, {}).signals[0].differs == "worse" for _ in range(8))


def test_the_tables_have_a_row_for_every_promise(capsys: pytest.CaptureFixture[str]) -> None:
    assert calibration.main(["--runs", "8"]) == 0
    printed = capsys.readouterr().out
    assert all(f"`{name}: {asked}`" in printed for name, asked in calibration.QUIET.items())
    assert "longest outage" in printed
