"""The guardian: whatever becomes of the helper, and whenever, the fault ends; tried with real processes."""

import os
import select
import signal
import socket
import time
from pathlib import Path

import pytest

from litmus.faults import guardian, journal, line, session
from litmus.faults.contract import FaultError
from tests.faults import session_stage as stage


@pytest.fixture(autouse=True)
def _quick(monkeypatch, tmp_path):
    stage.quick(monkeypatch, tmp_path / "journals")
    with stage.orphans_are_ours():
        yield
    for stubborn in tmp_path.glob("*.stubborn"):  # a test that failed half-way leaves no guardian behind
        stubborn.unlink()


@pytest.fixture
def lamp(tmp_path) -> Path:
    return tmp_path / "lamp"


@pytest.fixture
def start(lamp):
    """Starts a helper that holds two lamps for an hour."""
    begun = []

    def helper(*, leave=stage.stay, **changes) -> stage.Helper:
        request = {
            "session": "abc",
            "mechanism": stage.Lamp,
            "faults": [
                ("web-1/web", stage.Lamp(path=str(lamp))),
                ("web-2/web", stage.Lamp(path=f"{lamp}-2")),
            ],
            "hold_s": 3600.0,
            "start_by": time.time() + 3600.0,
        }
        begun.append(stage.start(session.Request(**(request | changes)), leave=leave))
        return begun[-1]

    yield helper
    for helper in begun:
        os.close(helper.output)


def lit(lamp: Path) -> list[str]:
    return [path.name for path in (lamp, Path(f"{lamp}-2")) if path.exists()]


def journals(lamp: Path) -> list[str]:
    return [path.name for path in (lamp.parent / "journals").iterdir()]


@pytest.mark.parametrize(
    ("moment", "before"),
    [
        ("planned", []),
        ("injecting", ["lamp"]),
        ("injected", ["lamp", "lamp-2"]),
        ("proven", ["lamp", "lamp-2"]),
        ("reverting", ["lamp", "lamp-2"]),
    ],
)
def test_a_helper_that_is_killed_at_any_moment_is_cleaned_up_after(start, lamp, moment, before):
    hold_s = 0.05 if moment == "reverting" else 3600.0
    helper = start(linger=f"{moment}:60", hold_s=hold_s)
    helper.until("proven") if moment == "proven" else helper.until("lingering", moment=moment)
    watcher = helper.guardian()
    assert lit(lamp) == before
    assert journals(lamp) == ["abc.json"]
    stage.kill(helper)
    assert stage.wait(watcher) == 0
    assert lit(lamp) == []
    assert journals(lamp) == []


def test_a_guardian_that_is_not_needed_is_gone_before_its_helper(start, lamp):
    helper = start(hold_s=0.05, linger="planned:0.2")
    helper.until("lingering")
    watcher = helper.guardian()
    helper.until("reverted")
    assert stage.state(watcher) == "", "it is gone, and no zombie"
    assert helper.ended() == session.REVERTED
    assert journals(lamp) == []


def test_a_helper_that_is_stopped_in_the_middle_of_the_hold_is_killed_when_its_time_is_over(start, lamp, monkeypatch):
    monkeypatch.setattr(guardian, "_LATE_S", 0.1)
    helper = start(hold_s=0.5)
    helper.until("proven")
    watcher = helper.guardian()
    helper.signal(signal.SIGSTOP)
    assert helper.ended() == -signal.SIGKILL
    assert stage.wait(watcher) == 0
    assert lit(lamp) == []
    assert journals(lamp) == []


def test_a_helper_that_hangs_while_it_injects_is_killed_after_the_longest_time_that_this_may_take(
    start, lamp, monkeypatch
):
    monkeypatch.setattr(guardian, "_LATE_S", 0.1)
    monkeypatch.setattr(session, "_INJECTION_S", 0.2)
    helper = start(hold_s=0.1, linger="injecting:60")
    watcher = helper.until("lingering") and helper.guardian()
    assert helper.ended() == -signal.SIGKILL
    assert stage.wait(watcher) == 0
    assert lit(lamp) == []


def test_a_proof_that_takes_longer_than_the_fault_lasts_is_waited_for(start, lamp, monkeypatch):
    """A fault of a second, on a slow node: neither is it cut short, nor is its helper taken for one that hangs."""
    monkeypatch.setattr(guardian, "_LATE_S", 0.01)
    helper = start(hold_s=0.01, linger="injected:0.2")
    helper.until("reverted")
    assert helper.ended() == session.REVERTED
    assert "proven" in helper.said()


@pytest.mark.parametrize("times", [1, 5])
def test_what_can_not_be_undone_at_once_is_tried_until_it_can(start, lamp, times):
    Path(f"{lamp}.stubborn").write_text(str(times))
    helper = start()
    helper.until("proven")
    watcher = helper.guardian()
    stage.kill(helper)
    assert stage.wait(watcher) == 0
    assert lit(lamp) == []
    assert journals(lamp) == []


def test_the_journal_stays_as_long_as_something_is_left(start, lamp):
    Path(f"{lamp}.stubborn").write_text("2000")
    helper = start()
    helper.until("proven")
    watcher = helper.guardian()
    stage.kill(helper)
    until_gone(Path(f"{lamp}-2"))
    assert journals(lamp) == ["abc.json"], "one of two is undone"
    Path(f"{lamp}.stubborn").unlink()
    assert stage.wait(watcher) == 0
    assert journals(lamp) == []


def test_what_a_process_of_the_dead_helper_still_changes_is_undone_too(start, lamp, monkeypatch):
    """Clean counts when it stays clean: a program that the helper had called may still be at work."""
    monkeypatch.setattr(guardian, "_LOOK_AGAIN_S", 0.2)
    helper = start()
    helper.until("proven")
    watcher = helper.guardian()
    stage.kill(helper)
    until_gone(lamp)
    lamp.touch()
    assert stage.wait(watcher) == 0
    assert lit(lamp) == []


def until_gone(path: Path) -> None:
    give_up = time.monotonic() + stage.DEADLINE_S
    while path.exists():
        assert time.monotonic() < give_up
        select.select([], [], [], 0.001)


def test_the_end_of_the_helpers_output_is_heard_although_the_guardian_lives(start, lamp):
    """A runtime keeps a container until nobody can write to its output any more."""
    Path(f"{lamp}.stubborn").write_text("2000")
    helper = start()
    helper.until("proven")
    watcher = helper.guardian()
    stage.kill(helper)
    helper.hear_out()
    assert stage.state(watcher) not in ("", "Z")
    Path(f"{lamp}.stubborn").unlink()
    assert stage.wait(watcher) == 0


def test_who_calls_a_helper_that_is_dead_is_refused_and_not_kept_waiting_by_the_guardian(start, lamp, monkeypatch):
    monkeypatch.setattr(line, "PORT", free_port())
    monkeypatch.setattr(session.line.Line.__init__, "__kwdefaults__", {"port": line.PORT})
    Path(f"{lamp}.stubborn").write_text("2000")
    helper = start(secret="s", linger="planned:60")
    helper.until("lingering")
    watcher = helper.guardian()
    with socket.create_connection(("localhost", line.PORT), timeout=stage.DEADLINE_S):
        pass  # it hears
    stage.kill(helper)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("localhost", line.PORT), timeout=stage.DEADLINE_S)
    assert stage.state(watcher) not in ("", "Z")
    Path(f"{lamp}.stubborn").unlink()
    assert stage.wait(watcher) == 0


def free_port() -> int:
    with socket.create_server(("localhost", 0)) as anybody:
        port: int = anybody.getsockname()[1]
        return port


def test_signals_that_end_a_pod_do_not_end_the_guardian(start, lamp):
    helper = start()
    helper.until("proven")
    watcher = helper.guardian()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        os.kill(watcher, number)
    assert os.getsid(watcher) == watcher != os.getsid(helper.pid)
    stage.kill(helper)
    assert stage.wait(watcher) == 0
    assert lit(lamp) == []


def test_without_a_guardian_nothing_is_touched(start, lamp):
    def refuse(_pid: int) -> None:
        raise FaultError("the control groups can't be left")

    helper = start(leave=refuse)
    why = helper.until("refused")["why"]
    assert why == "the guardian could not start: the control groups can't be left"
    assert helper.ended() == session.FAILED
    assert lit(lamp) == []
    assert journals(lamp) == []


def test_a_guardian_that_dies_at_its_start_is_not_relied_on(start, lamp):
    def die(_pid: int) -> None:
        os._exit(1)

    helper = start(leave=die)
    assert helper.until("refused")["why"] == "the guardian could not start: it died"
    assert helper.ended() == session.FAILED
    assert lit(lamp) == []


def test_a_fault_whose_guardian_is_killed_is_ended(start, lamp):
    helper = start()
    helper.until("proven")
    os.kill(helper.guardian(), signal.SIGKILL)
    assert "guardian was ended" in helper.until("failed")["why"]
    assert helper.ended() == session.FAILED
    assert lit(lamp) == []
    assert journals(lamp) == []


def test_what_the_helper_could_not_put_back_the_guardian_goes_on_with(start, lamp):
    Path(f"{lamp}.stubborn").write_text("2000")
    helper = start(hold_s=0.05, linger="injected:0.2")
    helper.until("injected")
    watcher = helper.guardian()
    assert helper.until("stuck")["why"] == "web-1/web: the switch is stuck"
    assert helper.ended() == session.STUCK
    assert lit(lamp) == ["lamp"]
    assert journals(lamp) == ["abc.json"]
    Path(f"{lamp}.stubborn").unlink()
    assert stage.wait(watcher) == 0
    assert lit(lamp) == []


def test_the_guardian_and_a_second_helper_may_undo_at_the_same_time(start, lamp):
    helper = start()
    helper.until("proven")
    watcher = helper.guardian()
    stage.kill(helper)
    _, left = session.revert(stage.Lamp, "abc", [{"kind": "lamp", "path": str(lamp)}])
    assert left == {}
    assert stage.wait(watcher) == 0
    assert lit(lamp) == []
    assert journal.read("abc") is None


def test_a_guardian_that_can_not_tell_whether_it_is_needed_is(lamp, monkeypatch):
    lamp.touch()
    undo = {"kind": "lamp", "path": str(lamp)}

    def confused(*_):
        raise ValueError("a word that nobody knows")

    monkeypatch.setattr(guardian, "_needed", confused)
    made = guardian.Guardian.start(
        stage.Lamp, [("lamp", undo)], session="abc", until=guardian.now() + 3600, leave=stage.stay
    )
    made.stand_down()
    assert lit(lamp) == []
