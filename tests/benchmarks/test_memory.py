import asyncio
import os
from pathlib import Path

import pytest

from benchmarks import memory

STATUS = "Name:\tpython3\nState:\tS (sleeping)\nVmPeak:\t  99999 kB\nVmHWM:\t   46080 kB\nVmRSS:\t   37888 kB\n"


def test_a_reading_is_what_is_resident_now_and_was_at_most_in_units_of_1024_kb():
    assert memory.parse(STATUS) == memory.Resident(now=37.0, peak=45.0)


@pytest.mark.parametrize("status", ["Name:\tzombie\nState:\tZ (zombie)\n", ""])
def test_a_process_without_memory_gives_no_reading(status):
    assert memory.parse(status) is None


def test_a_unit_that_the_kernel_does_not_write_is_refused_instead_of_misread():
    with pytest.raises(ValueError, match="37 MB"):
        memory.parse(STATUS.replace("37888 kB", "37 MB"))


def test_a_process_of_this_machine_is_read_and_one_that_is_gone_is_not(tmp_path: Path):
    here = memory.read(os.getpid())
    assert here is not None
    assert 1 < here.now <= here.peak * 1.1
    assert memory.read(os.getpid(), proc=tmp_path) is None


class Readings:
    """What the process shows, one reading after the other; the last one stays."""

    def __init__(self, *now: float | None) -> None:
        self.left = list(now)

    def __call__(self, pid: int) -> memory.Resident | None:
        now = self.left.pop(0) if len(self.left) > 1 else self.left[0]
        return None if now is None else memory.Resident(now=now, peak=50.0)


@pytest.mark.looptime
async def test_a_process_has_settled_when_two_readings_a_second_apart_are_the_same(monkeypatch):
    monkeypatch.setattr(memory, "read", Readings(30.0, 40.0, 41.0, 41.0, 42.0))
    clock = asyncio.get_running_loop().time
    began = clock()
    assert await memory.settled(1, deadline_s=60) == memory.Resident(now=41.0, peak=50.0)
    assert clock() - began == pytest.approx(3)


@pytest.mark.looptime
async def test_a_process_that_keeps_growing_is_given_up_at_the_deadline(monkeypatch):
    monkeypatch.setattr(memory, "read", Readings(*(float(n) for n in range(100))))
    with pytest.raises(TimeoutError):
        await memory.settled(1, deadline_s=10)


@pytest.mark.looptime
async def test_a_process_that_ends_has_not_settled(monkeypatch):
    monkeypatch.setattr(memory, "read", Readings(30.0, None))
    with pytest.raises(ProcessLookupError):
        await memory.settled(7, deadline_s=10)
