"""What a window is, and what changed in it, as a table of results and the changes that they bring."""

from datetime import timedelta
from typing import Any

import pytest

from litmus.exporter.outlets import windows
from litmus.kube import clock
from tests.exporter import window_stage as stage


def seen(watcher: windows.Watcher, *results: Any) -> list[tuple[str, str]]:
    changes = [change for one in results for change in watcher.see(one, stage.NOW)]
    return [(change.kind, clock.stamp(change.at)) for change in changes]


def test_a_window_begins_with_the_first_injection_ends_with_the_chaos_and_then_has_its_verdict() -> None:
    found = seen(windows.Watcher(), stage.result(), stage.begun(), stage.begun(), stage.after(), stage.finished())
    assert found == [
        ("begun", "2026-03-01T10:00:12Z"),
        ("ended", "2026-03-01T10:01:11Z"),
        ("verdict", "2026-03-01T10:01:30Z"),
    ]


def test_a_run_that_hit_nothing_has_a_verdict_and_no_window() -> None:
    failed = stage.finished(targets=[], experimentstatus={"phase": "Error", "verdict": "Error"})
    watcher = windows.Watcher()
    assert seen(watcher, stage.result(run=stage.CLOCKED), failed) == [("verdict", "2026-03-01T10:01:30Z")]


def test_who_looks_for_the_first_time_at_a_finished_run_learns_all_of_it_at_once() -> None:
    assert [kind for kind, _ in seen(windows.Watcher(), stage.finished())] == ["begun", "ended", "verdict"]


def test_two_exporters_name_a_window_alike_and_the_next_run_otherwise() -> None:
    first = stage.window(stage.begun())
    assert first.uid == stage.window(stage.finished()).uid
    again = stage.begun(run=stage.CLOCKED | {"number": 2, "startedAt": "2026-03-01T10:03:00Z"})
    assert stage.window(again).uid != first.uid


def test_the_end_of_a_held_fault_is_its_undoing() -> None:
    undone = stage.HELD | {"state": "reverted", "updatedAt": "2026-03-01T10:01:13Z"}
    found = stage.window(stage.after(faults=[undone]))
    assert found.ended is not None
    assert clock.stamp(found.ended) == "2026-03-01T10:01:13Z"


def test_a_fault_that_was_not_undone_keeps_its_window_open_beyond_the_verdict() -> None:
    watcher = windows.Watcher()
    assert [kind for kind, _ in seen(watcher, stage.finished(faults=[stage.HELD]))] == ["begun", "verdict"]
    undone = stage.HELD | {"state": "reverted", "updatedAt": "2026-03-01T10:04:00Z"}
    assert seen(watcher, stage.finished(faults=[undone])) == [("ended", "2026-03-01T10:04:00Z")]


def test_a_stopped_kill_ends_with_its_run_and_not_as_it_was_planned() -> None:
    stopped = stage.finished(run=stage.FINISHED | {"finishedAt": "2026-03-01T10:00:20Z"})
    assert stage.window(stopped).ended == clock.parse("2026-03-01T10:00:20Z")


def test_what_the_analysis_of_the_impact_measured_counts_more_than_whole_seconds() -> None:
    part = {"start": "2026-03-01T10:00:01.000Z", "end": "2026-03-01T10:00:12.250Z"}
    fault = {"start": "2026-03-01T10:00:12.250Z", "end": "2026-03-01T10:01:12.750Z"}
    rest = {"start": "2026-03-01T10:01:12.750Z", "end": "2026-03-01T10:01:29.000Z"}
    signal = {"probe": "front", "baseline": part, "fault": fault, "recovery": rest}
    found = stage.window(stage.finished(impact={"signals": [signal]}))
    assert (found.started, found.ended) == (clock.parse(fault["start"]), clock.parse(fault["end"]))
    assert found.signals == {"front": (clock.parse(part["start"]), clock.parse(rest["end"]))}


def test_records_that_an_earlier_run_left_open_are_not_of_this_one() -> None:
    old = stage.HELD | {"updatedAt": "2026-03-01T09:00:00Z", "state": "injected"}
    found = stage.window(stage.result(faults=[old]))
    assert found.started is None
    assert found.faults == ()


def test_of_a_long_run_the_begin_that_was_seen_first_stays() -> None:
    later = stage.KILLED | {"name": "web-9", "injectedAt": "2026-03-01T10:00:50Z"}
    watcher = windows.Watcher()
    watcher.see(stage.begun(), stage.NOW)
    [ended] = watcher.see(stage.after(targets=[later]), stage.NOW)
    assert ended.window.started == clock.parse("2026-03-01T10:00:12Z")


def test_a_run_whose_end_nobody_saw_ends_as_the_history_has_it() -> None:
    past = {
        "number": 1,
        "verdict": "Fail",
        "startedAt": "2026-03-01T10:00:00Z",
        "finishedAt": "2026-03-01T10:01:40Z",
        "failStep": "no pod came back",
    }
    following = stage.result(run={"number": 2, "startedAt": "2026-03-01T10:03:00Z"}, history={"runs": [past]})
    watcher = windows.Watcher()
    watcher.see(stage.begun(), stage.NOW)
    ended, verdict = watcher.see(following, stage.NOW)
    assert (ended.kind, ended.at) == ("ended", clock.parse("2026-03-01T10:01:40Z"))
    assert (verdict.kind, verdict.window.verdict, verdict.window.fail_step) == ("verdict", "Fail", "no pod came back")


def test_a_result_that_is_deleted_during_its_chaos_ends_then() -> None:
    watcher = windows.Watcher()
    watcher.see(stage.begun(), stage.NOW)
    found = watcher.gone("shop", "shop-pod-delete", stage.NOW)
    assert [(change.kind, change.at) for change in found] == [("ended", stage.NOW), ("verdict", stage.NOW)]
    assert found[0].window.verdict == "Awaited"
    assert watcher.gone("shop", "shop-pod-delete", stage.NOW) == []


def test_a_finished_result_that_is_deleted_brings_nothing_new() -> None:
    watcher = windows.Watcher()
    watcher.see(stage.finished(), stage.NOW)
    assert watcher.gone("shop", "shop-pod-delete", stage.NOW + timedelta(hours=1)) == []


@pytest.mark.parametrize(
    "stamp", ["soon", "2026-13-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "1969-12-31T23:59:59Z", ""]
)
def test_a_time_that_cannot_be_read_is_an_unknown_one(stamp: str) -> None:
    assert windows.of(stage.result(run={"startedAt": stamp})) is None
    assert stage.window(stage.begun(targets=[stage.KILLED | {"injectedAt": stamp}])).started is None


def test_a_result_of_another_image_has_no_window() -> None:
    assert windows.of(stage.result(run={"startedAt": None})) is None
