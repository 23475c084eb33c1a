"""The standby: when helper and guardian are killed together the fault ends all the same; tried with real processes."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from litmus.faults import journal, session, standby
from tests.faults import session_stage as stage


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    stage.quick(monkeypatch, tmp_path / "journals")
    monkeypatch.setattr(standby, "_LOOK_EVERY_S", 0.005)
    monkeypatch.setattr(standby, "_PATIENCE_S", 0.05)
    with stage.orphans_are_ours():
        yield


@pytest.fixture
def lamp(tmp_path: Path) -> Path:
    return tmp_path / "lamp"


@pytest.fixture
def start(lamp: Path) -> Iterator[Callable[..., stage.Helper]]:
    begun = []

    def helper(**changes: object) -> stage.Helper:
        request = {
            "session": "abc",
            "mechanism": stage.Lamp,
            "faults": [("web-1/web", stage.Lamp(path=str(lamp)))],
            "hold_s": 3600.0,
            "start_by": time.time() + stage.DEADLINE_S,
            "standby": True,
        }
        begun.append(stage.start(session.Request(**(request | changes))))
        return begun[-1]

    yield helper
    for helper in begun:
        os.close(helper.output)


def stand_by(start_by: float | None = None) -> stage.Helper:
    """A standby in a process of its own; it says what it found."""
    output, words = os.pipe()
    pid = os.fork()
    if pid:
        os.close(words)
        return stage.Helper(pid, output)
    try:
        os.close(output)
        os.dup2(words, 1)
        os.close(words)
        limit = time.time() + stage.DEADLINE_S if start_by is None else start_by
        said, left = standby.live(stage.Lamp, "abc", start_by=limit)
        stage.say("found", said=said, left=left)
        os._exit(0)
    finally:
        os._exit(99)


def kill(*pids: int) -> None:
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


def files(lamp: Path) -> list[str]:
    return sorted(path.name for path in (lamp.parent / "journals").iterdir())


@pytest.mark.parametrize("first", ["helper", "guardian"])
def test_it_undoes_the_fault_when_helper_and_guardian_are_killed(start, lamp, first):
    second, helper = stand_by(), start()
    helper.until("proven")
    both = [helper.pid, helper.guardian()]
    assert lamp.exists()
    kill(*(both if first == "helper" else reversed(both)))
    assert second.until("found") == {"event": "found", "said": "put back by the standby", "left": {}}
    assert not lamp.exists()
    assert files(lamp) == []
    assert second.ended() == 0


def test_it_leaves_the_fault_alone_as_long_as_the_helper_lives_and_goes_with_it(start, lamp):
    second, helper = stand_by(), start(hold_s=0.2)
    helper.until("proven")
    second.signal(signal.SIGTERM)  # the kubelet ends both containers of a pod
    helper.until("reverted")
    assert helper.ended() == session.REVERTED
    assert second.until("found")["said"] == "nothing was left to do"
    assert files(lamp) == []


def test_what_the_guardian_undoes_is_left_to_it(start, lamp):
    second, helper = stand_by(), start()
    helper.until("proven")
    stage.kill(helper)
    assert second.until("found")["said"] == "nothing was left to do"
    assert not lamp.exists()


def test_a_helper_changes_nothing_before_its_standby_watches(start, lamp):
    helper = start()
    path = journal.path("abc").with_suffix(".alive")
    deadline = time.monotonic() + stage.DEADLINE_S
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.005)
    assert not lamp.exists()
    second = stand_by()
    helper.until("proven")
    helper.signal(signal.SIGTERM)
    helper.until("failed")
    second.until("found")


def test_a_helper_without_a_standby_refuses(start, lamp):
    helper = start(start_by=time.time() + 0.1)
    assert "second container of the helper pod" in helper.until("refused")["why"]
    assert helper.ended() == session.FAILED
    assert not lamp.exists()


def test_a_standby_whose_helper_never_begins_ends():
    second = stand_by(start_by=time.time())
    assert second.until("found")["said"] == "there was no helper"
    assert second.ended() == 0
