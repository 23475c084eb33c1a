"""A session: what it says, and that the fault has ended whenever it says that it has - tried with a real process."""

import contextlib
import json
import os
import signal
import time
from pathlib import Path

import pytest

from litmus.faults import command, journal, session
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
    begun = []

    def helper(*lamps: str, **changes) -> stage.Helper:
        faults = [(Path(path).name, stage.Lamp(path=path)) for path in lamps or [str(lamp)]]
        request = {"session": "abc", "mechanism": stage.Lamp, "faults": faults, "hold_s": 3600.0}
        begun.append(stage.start(session.Request(**(request | {"start_by": time.time() + 3600.0} | changes))))
        return begun[-1]

    yield helper
    for helper in begun:
        os.close(helper.output)


def left(lamp: Path) -> list[str]:
    """Lamps that are lit, and journals."""
    journals = lamp.parent / "journals"
    return [path.name for path in (lamp, *(journals.iterdir() if journals.exists() else ())) if path.exists()]


def test_a_fault_is_planned_injected_proven_held_and_reverted(start, lamp):
    helper = start(hold_s=0.1)
    helper.until("reverted")
    assert helper.ended() == session.REVERTED
    assert helper.said() == ["planned", "injected", "proven", "reverted"]
    [plan] = helper.until("planned")["plans"]
    assert plan["undo"] == {"kind": "lamp", "fault_id": "f", "path": str(lamp)}, "a null is not kept by the ledger"
    [proof] = helper.until("proven")["proofs"]
    assert (proof["index"], proof["name"], proof["delivered"]) == (0, "lamp", "it is lit")
    assert left(lamp) == []


def test_it_holds_until_its_time_is_over(start, lamp):
    helper = start(hold_s=0.3)
    helper.until("proven")
    began = time.monotonic()
    assert left(lamp) == ["lamp", "abc.json"]
    helper.until("reverted")
    assert time.monotonic() - began > 0.2, "the least; nothing is said of the most"
    assert helper.ended() == session.REVERTED


@pytest.mark.parametrize("moment", ["planned", "injecting", "injected", "held", "reverting"])
def test_a_helper_that_is_ended_reverts_and_never_calls_it_a_success(start, lamp, moment):
    """It is not for the helper to know who ended it: a fault that did not last its time is a failure."""
    helper = start(linger=f"{moment}:60", hold_s=0.05 if moment == "reverting" else 3600.0)
    helper.until("proven") if moment == "held" else helper.until("lingering", moment=moment)
    helper.signal(signal.SIGTERM)
    said = helper.until("failed")
    assert said["reverted"] is True
    assert said["why"] == "the helper was ended from outside before the fault's time was over"
    assert helper.ended() == session.FAILED
    assert "reverted" not in helper.said()
    assert left(lamp) == []


@pytest.mark.parametrize(
    ("flaw", "why"),
    [
        ("refuse", "lamp: the fuse blew"),
        ("defect", "defect: KeyError: 'bulb'"),
        ("dim", "the fault did not take effect on 1 of 1: lamp: asked light, delivered it is lit"),
        ("lost", "lamp: somebody put it out"),
        ("silent", "lamp: "),
    ],
)
def test_a_fault_that_fails_is_reverted_and_the_reason_told(start, lamp, flaw, why):
    Path(f"{lamp}.{flaw}").touch()
    helper = start()
    said = helper.until("failed")
    assert (said["why"], said["reverted"]) == (why, True)
    assert helper.ended() == session.FAILED
    assert left(lamp) == []


def test_a_fault_that_can_not_be_planned_touches_nothing(start, lamp):
    Path(f"{lamp}.impossible").touch()
    helper = start()
    assert helper.until("refused")["why"] == "lamp: no such socket"
    assert helper.ended() == session.FAILED
    assert left(lamp) == []


def test_one_target_that_can_not_be_planned_spares_the_others(start, lamp):
    Path(f"{lamp}-2.impossible").touch()
    helper = start(str(lamp), f"{lamp}-2")
    assert helper.until("refused")["why"] == "lamp-2: no such socket"
    assert helper.ended() == session.FAILED
    assert left(lamp) == []


def test_one_target_that_fails_ends_the_fault_on_all(start, lamp):
    Path(f"{lamp}-2.refuse").touch()
    helper = start(str(lamp), f"{lamp}-2")
    assert helper.until("failed")["why"] == "lamp-2: the fuse blew"
    assert helper.ended() == session.FAILED
    assert left(lamp) == []
    assert not Path(f"{lamp}-2").exists()


def test_a_helper_that_starts_too_late_touches_nothing(start, lamp):
    helper = start(start_by=time.time() - 60)
    assert "60 s too late" in helper.until("refused")["why"]
    assert helper.ended() == session.FAILED
    assert left(lamp) == []


def test_without_a_journal_nothing_is_touched(start, lamp):
    (lamp.parent / "journals").touch()
    helper = start()
    assert "can't be written" in helper.until("refused")["why"]
    assert helper.ended() == session.FAILED
    assert not lamp.exists()


def test_a_target_that_goes_does_not_end_the_fault_of_the_others(start, lamp):
    Path(f"{lamp}.gone").touch()
    helper = start(str(lamp), f"{lamp}-2", hold_s=0.2)
    gone = helper.until("gone")
    assert (gone["index"], gone["name"], gone["why"]) == (0, "lamp", "the lamp was taken away")
    helper.until("reverted")
    assert helper.said().count("gone") == 1


def test_with_its_last_target_the_fault_is_over(start, lamp):
    Path(f"{lamp}.gone").touch()
    helper = start()
    helper.until("reverted")
    assert helper.ended() == session.REVERTED
    assert left(lamp) == []


@pytest.mark.parametrize("ends", ["its time", "an order"])
def test_the_end_does_not_wait_until_the_last_of_many_targets_was_looked_after(monkeypatch, ends):
    tended: list[str] = []

    class Slow(stage.Lamp):
        def tend(self) -> None:
            tended.append(self.path)
            if ends == "its time":
                monkeypatch.setattr(session.guardian, "now", lambda: 2.0)
            else:
                work._stopped = True

    faults = [(name, Slow(path=name)) for name in "abc"]
    asked = session.Request(session="abc", mechanism=Slow, faults=faults, hold_s=1.0, start_by=0.0)
    work = session.Session(asked, lambda *_, **__: None)
    monkeypatch.setattr(session.guardian, "now", lambda: 0.0)
    with contextlib.suppress(FaultError):
        work._hold(1.0)
    for end in work._bell:
        os.close(end)
    assert tended == ["a"]


def test_the_helper_shows_that_it_lives(start, monkeypatch):
    monkeypatch.setattr(session, "_SIGN_OF_LIFE_S", 0.02)
    helper = start()
    assert helper.until("holding")["left_s"] <= 3600
    helper.signal(signal.SIGTERM)
    helper.ended()


def test_what_could_not_be_put_back_is_said_together_with_what_failed_before(start, lamp):
    Path(f"{lamp}.lost").touch()
    Path(f"{lamp}.stubborn").write_text("2000")
    helper = start()
    assert helper.until("stuck")["why"] == "lamp: somebody put it out; lamp: the switch is stuck"
    assert helper.ended() == session.STUCK
    assert "failed" not in helper.said()
    assert left(lamp) == ["lamp", "abc.json"]
    Path(f"{lamp}.stubborn").unlink()


def test_a_second_helper_believes_the_journal_more_than_the_ledger(lamp):
    lamp.touch()
    journal.write("abc", mechanism="lamp", recipes=[("lamp", {"kind": "lamp", "path": str(lamp)})])
    assert session.revert(stage.Lamp, "abc", []) == ("put back by a second helper", {})
    assert left(lamp) == []


def test_without_a_journal_a_second_helper_goes_by_the_ledger(lamp):
    lamp.touch()
    assert session.revert(stage.Lamp, "abc", [{"kind": "lamp", "path": str(lamp)}])[1] == {}
    assert left(lamp) == []


def test_a_journal_that_can_not_be_read_does_not_keep_a_second_helper_from_the_ledger_s_recipes(lamp):
    lamp.touch()
    journal.write("abc", mechanism="lamp", recipes=[])
    (journal.FOLDER / "abc.json").write_text("{")
    assert session.revert(stage.Lamp, "abc", [{"kind": "lamp", "path": str(lamp)}])[1] == {}
    assert left(lamp) == []
    (journal.FOLDER / "abc.json").write_text("{")
    with pytest.raises(FaultError, match="can't be read"):
        session.revert(stage.Lamp, "abc", [])


def test_where_nothing_is_known_nothing_had_been_changed(lamp):
    assert session.revert(stage.Lamp, "abc", []) == ("nothing had been changed yet", {})


def test_what_a_second_helper_can_not_undo_keeps_its_journal(lamp):
    lamp.touch()
    Path(f"{lamp}.stubborn").write_text("2000")
    journal.write("abc", mechanism="lamp", recipes=[("lamp", {"kind": "lamp", "path": str(lamp)})])
    _, remains = session.revert(stage.Lamp, "abc", [], patience_s=0.0)
    assert remains == {"lamp": "the switch is stuck"}
    assert left(lamp) == ["lamp", "abc.json"]


# As a helper pod runs it


@pytest.fixture
def helper_pod(lamp, tmp_path, monkeypatch):
    """Runs ``litmus fault`` in a process of its own: its exit status, what it printed, and its last words."""
    monkeypatch.setattr(command, "mechanism_class", {"lamp": stage.Lamp}.__getitem__)
    monkeypatch.setattr(command, "TERMINATION_LOG", tmp_path / "termination-log")
    monkeypatch.setattr(session.guardian.Guardian.start.__func__, "__kwdefaults__", {"leave": stage.stay})

    def run(*lamps: str, deaf: bool = False, **changes) -> tuple[int, list[dict], dict]:
        targets = [{"name": f"web-{n}", "parameters": {"path": path}} for n, path in enumerate(lamps or [str(lamp)])]
        request = {"mechanism": "lamp", "session": "abc", "targets": targets, "hold_s": 0.05, "start_by": 9e9}
        output = tmp_path / "output"
        pid = os.fork()
        if pid == 0:
            try:
                words = os.open(output, os.O_WRONLY | os.O_CREAT)
                if deaf:
                    nobody, words = os.pipe()
                    os.close(nobody)
                command.sys.stdout = os.fdopen(words, "w")
                code = command.main([json.dumps(request | changes)])
                with contextlib.suppress(OSError):
                    command.sys.stdout.flush()
                os._exit(code)
            finally:
                os._exit(99)
        code = stage.wait(pid)
        return code, [json.loads(line) for line in output.read_text().splitlines()], last_words(tmp_path)

    return run


def last_words(tmp_path: Path) -> dict:
    written = (tmp_path / "termination-log").read_text()
    assert len(written.encode()) <= 4096
    return json.loads(written)


def test_every_event_has_a_number_and_the_last_words_are_among_them(helper_pod):
    code, events, words = helper_pod()
    assert code == session.REVERTED
    assert [event["seq"] for event in events] == [1, 2, 3, 4]
    assert words["events"] == events[1:]


def test_a_fault_that_ends_who_reads_the_log_goes_on(helper_pod):
    code, events, words = helper_pod(deaf=True)
    assert code == session.REVERTED
    assert events == []
    assert [event["event"] for event in words["events"]] == ["injected", "proven", "reverted"]


@pytest.mark.parametrize("count", [1, 30, 120])
def test_the_last_words_of_many_targets_that_are_gone_fit(helper_pod, lamp, count):
    lamps = [f"{lamp}-{number}" for number in range(count)]
    for path in lamps:
        Path(f"{path}.gone").touch()
    code, _, words = helper_pod(*lamps, hold_s=60)
    assert code == session.REVERTED
    said = [event["event"] for event in words["events"]]
    assert (said[0], said[1], said[-1]) == ("injected", "proven", "reverted")
    assert "gone" in said


def test_the_last_words_of_many_targets_that_are_stuck_fit(helper_pod, lamp):
    lamps = [f"{lamp}-{number}" for number in range(120)]
    for path in lamps:
        Path(f"{path}.stubborn").write_text("2000")
    code, _, words = helper_pod(*lamps)
    assert code == session.STUCK
    assert words["events"][-1]["why"].startswith("web-0: the switch is stuck; web-1")
    for path in lamps:
        Path(f"{path}.stubborn").unlink()


def test_a_request_that_lacks_something_is_refused_before_anything(helper_pod, lamp):
    code, [said], words = helper_pod(hold_s="long")
    assert code == 4
    assert said == words
    assert "can't be read" in words["error"]
    assert left(lamp) == []
