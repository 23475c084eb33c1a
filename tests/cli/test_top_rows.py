"""What litmus top makes of the objects, how it draws that on screens of several sizes, and what it tells a pipe."""

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from rich.cells import cell_len
from rich.console import Console

from litmus import api
from litmus.cli.top import drawing, lines, rows, wording
from tests import samples

NOW = datetime(2026, 3, 2, 12, 0, 30, tzinfo=UTC)
SIZES = pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 40), (40, 10), (20, 3)])


def at(seconds: float) -> str:
    return (NOW + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def a_run(**given: Any) -> dict[str, Any]:
    started = {"number": 1, "engineUid": samples.ENGINE_UID, "step": "ChaosInject", "startedAt": at(-20)}
    return started | {"chaosStartedAt": at(-10), "chaosEndsAt": at(20)} | given


def running(name: str = "shop-chaos", **status: Any) -> tuple[api.ChaosEngine, api.ChaosResult]:
    engine = samples.an_engine(name=name, status={"engineStatus": "initialized", "experiments": []})
    result = samples.result(**({"run": a_run(), "targets": [{"name": "web-1"}, {"name": "web-2"}]} | status))
    return engine, msgspec.convert(result | {"spec": {"engine": name, "experiment": "pod-delete"}}, api.ChaosResult)


def ended(number: int = 1, verdict: str = "Pass", *, ago: float = 60, why: str = "N/A") -> api.ChaosResult:
    outcome = {"verdict": verdict, "phase": "Completed", "failStep": why}
    run = a_run(number=number, finishedAt=at(-ago))
    return samples.a_result(name=f"r-{number}", experimentstatus=outcome, run=run)


def late(deadline: str = "", **given: Any) -> api.ChaosResult:
    fault = {"id": "a", "mechanism": "netem", "node": "node-1", "state": "proven", "undo": {"kind": "node"}}
    fault |= {"targets": [{"name": "web-1"}], "deadline": deadline or at(-34)} | given
    return samples.a_result(faults=[fault], run=a_run(finishedAt=at(-40)))


def a_schedule(name: str = "nightly", *, upcoming: str | None = None, **spec: Any) -> api.ChaosSchedule:
    template = samples.engine()["spec"]
    manifest = {
        "metadata": {"name": name, "namespace": "shop", "uid": name},
        "spec": {"schedule": {"now": True}, "engineTemplateSpec": template, **spec},
        "status": {"schedule": {"status": "running", "expectedNextRunTime": upcoming}},
    }
    return msgspec.convert(manifest, api.ChaosSchedule)


def view(*objects: Any, namespace: str = "", troubles: tuple[str, ...] = (), after: float = 0.0) -> rows.View:
    seen = rows.Seen(
        namespace=namespace,
        engines=[one for one in objects if isinstance(one, api.ChaosEngine)],
        results=[one for one in objects if isinstance(one, api.ChaosResult)],
        schedules=[one for one in objects if isinstance(one, api.ChaosSchedule)],
        troubles=list(troubles),
    )
    return rows.view(seen, NOW + timedelta(seconds=after))


def screen(seen: rows.View, width: int = 80, height: int = 24) -> list[str]:
    """What a terminal of this size shows, as text."""
    on = Console(width=width, height=height, record=True, file=io.StringIO(), highlight=False, markup=False)
    for line in drawing.draw(seen, width=width, height=height):
        on.print(line)
    return on.export_text().splitlines()


def test_an_experiment_under_way_has_its_step_targets_and_remaining_time():
    [row] = view(*running()).running
    assert (row.engine, row.place, row.experiment, row.step) == ("shop/shop-chaos", "1/1", "pod-delete", "ChaosInject")
    assert row.targets == ("web-1", "web-2")
    assert row.left_s == 20
    assert row.done == pytest.approx(1 / 3)


def test_chaos_that_is_over_has_no_time_left_and_chaos_to_come_has_none_yet():
    assert view(*running(), after=500).running[0].left_s == 0
    assert view(*running(), after=500).running[0].done == 1
    assert view(*running(run=a_run(chaosStartedAt=None))).running[0].left_s is None


@pytest.mark.parametrize(
    ("status", "spec", "said"),
    [
        ({}, {}, ("1/2", "first", "waits for the operator")),
        ({"engineStatus": "initialized"}, {}, ("1/2", "first", "the runner starts")),
        (
            {
                "engineStatus": "initialized",
                "experiments": [{"name": "first", "verdict": "Pass", "status": "Completed"}],
            },
            {},
            ("2/2", "second", "the runner starts"),
        ),
        ({"engineStatus": "initialized"}, {"engineState": "stop"}, ("1/2", "first", "stopping")),
    ],
)
def test_between_experiments_an_engine_says_what_it_waits_for(status, spec, said):
    engine = samples.an_engine(status=status, experiments=[{"name": "first"}, {"name": "second"}], **spec)
    [row] = view(engine).running
    assert (row.place, row.experiment, row.step) == said


def test_an_engine_that_is_over_does_not_run_nor_does_the_run_of_an_earlier_engine_of_its_name():
    done = samples.an_engine(status={"engineStatus": "completed"}, engineState="stop")
    assert view(done).running == ()
    engine, result = running(run=a_run(engineUid="another"))
    assert view(engine, result).running[0].step == "the runner starts"


def test_a_fault_is_late_only_when_it_has_something_to_undo_and_its_run_had_its_moment():
    [row] = view(late()).overdue
    assert (row.mechanism, row.where, row.late_s) == ("netem", "web-1 on node-1", 34)
    assert view(late(deadline=at(-1))).overdue == ()
    assert view(late(state="reverted")).overdue == ()
    assert view(late(undo={"kind": "none"})).overdue == ()
    [unreadable] = view(late(deadline="soon")).overdue
    assert unreadable.deadline is None


def test_the_last_runs_are_those_of_the_histories_too_newest_first():
    past = {"runs": [{"number": 1, "verdict": "Fail", "finishedAt": at(-900), "failStep": "probe"}]}
    outcome = {"verdict": "Pass", "phase": "Completed"}
    twice = samples.a_result(history=past, experimentstatus=outcome, run=a_run(number=2, finishedAt=at(-60)))
    found = view(twice, ended(7, "Error", ago=300, why="no such target")).past
    assert [(row.number, row.verdict, row.why) for row in found] == [
        (2, "Pass", ""),
        (7, "Error", "no such target"),
        (1, "Fail", "probe"),
    ]


def test_schedules_are_in_the_order_of_their_next_run_and_one_that_is_halted_has_none():
    found = view(
        a_schedule("halted", upcoming=at(1), scheduleState="halt"),
        a_schedule("later", upcoming=at(7200)),
        a_schedule("soon", upcoming=at(60)),
    ).planned
    assert [(row.name, row.next is not None) for row in found] == [
        ("shop/soon", True),
        ("shop/later", True),
        ("shop/halted", False),
    ]


def test_what_a_terminal_would_obey_is_taken_out_of_messages():
    nasty = "\x1b[2J\x07a\r\nb\x9b31m\u202e"
    [row] = view(ended(why=nasty)).past
    assert row.why.isprintable()
    assert "\x1b" not in "".join(screen(view(ended(why=nasty), troubles=(nasty,))))


def much() -> rows.View:
    """More of everything than a screen holds, with long names and wide characters."""
    wide = "可用性が目標を下回りました、" * 20
    some = [running(f"engine-{n}-{'long' * 10}", targets=[{"name": f"pod-{n}-{'x' * 60}"}]) for n in range(30)]
    past = [ended(n, ["Pass", "Fail", "Error", "Stopped"][n % 4], ago=n * 500, why=wide) for n in range(40)]
    planned = [a_schedule(f"s-{n}", upcoming=at(10**n)) for n in range(7)]
    troubles = (wide, "not allowed to list chaosresults " * 10)
    return view(*(one for pair in some for one in pair), *past, *planned, late(), troubles=troubles)


@SIZES
def test_no_line_is_wider_than_the_screen_and_there_are_no_more_than_fit(width, height):
    for seen in (much(), view(), view(*running(), late(), ended(why="理由" * 60), a_schedule())):
        drawn = screen(seen, width, height)
        assert len(drawn) <= height
        assert max(cell_len(line) for line in drawn) <= width


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 40)])
def test_a_crowded_screen_shows_some_of_everything_and_how_much_it_leaves_out(width, height):
    drawn = "\n".join(screen(much(), width, height))
    for part in ("litmus top", "PAST THEIR DEADLINE", "ENGINE", "VERDICT", "SCHEDULE", "可用性"):
        assert part in drawn
    assert drawn.count(" more") >= 2


def test_a_screen_of_80_columns_has_every_fact_of_an_ordinary_run():
    drawn = screen(view(*running(), late(), ended(why="availability 91 %"), a_schedule(upcoming=at(720))))
    text = "\n".join(drawn)
    for fact in (
        "all namespaces  1 running  1 past the deadline",
        "netem on web-1 on node-1: 34 s late, shop/shop-chaos-pod-delete",
        "shop/shop-chaos  1/1 pod-delete  ChaosInject",
        " 20 s",
        "→ web-1, web-2",
        "60 s ago",
        "availability 91 %",
        "shop/nightly  running  in 12 min  12:12:30",
    ):
        assert fact in text
    assert "…" not in text


def test_a_wide_screen_has_the_targets_in_a_column_and_a_namespace_that_was_asked_for_is_said_once():
    drawn = screen(view(*running(), namespace="shop"), 120, 40)
    assert drawn[0].startswith("litmus top  namespace shop  1 running")
    assert any(line.startswith("shop-chaos  1/1 pod-delete") and line.endswith("web-1, web-2") for line in drawn)


def test_late_faults_are_red():
    [line] = [line for line in drawing.draw(view(late()), width=80, height=24) if "34 s late" in line.plain]
    assert str(line.style) == "bold red"


def test_a_trouble_is_one_line_or_two_and_the_rest_of_the_screen_stays():
    drawn = screen(view(*running(), troubles=("the cluster does not answer; it is asked again",)))
    assert drawn[1] == "! the cluster does not answer; it is asked again"
    assert "pod-delete" in "\n".join(drawn)


def told(*views: rows.View) -> list[list[str]]:
    """The lines of each view, without the time."""
    speaking = lines.Lines()
    return [[line.split("  ", 1)[1] for line in speaking.news(seen)] for seen in views]


def test_a_pipe_is_told_everything_once_and_then_what_changes():
    engine, result = running()
    verify = running(run=a_run(step="PostChaosCheck"))[1]
    over = samples.an_engine(status={"engineStatus": "completed"}, engineState="stop")
    said = told(view(engine, result), view(engine, result, after=5), view(engine, verify), view(over, ended()))
    assert said == [
        ["shop/shop-chaos 1/1 pod-delete: ChaosInject, chaos until 12:00:50, targets: web-1, web-2"],
        [],
        ["shop/shop-chaos 1/1 pod-delete: PostChaosCheck, chaos until 12:00:50, targets: web-1, web-2"],
        [
            "shop/shop-chaos: no longer running",
            "shop/shop-chaos pod-delete: Pass, finished 11:59:30",
            "no engine is running",
        ],
    ]


def test_a_pipe_is_told_of_late_faults_troubles_and_schedules_and_when_they_are_over():
    soon, later = a_schedule(upcoming=at(60)), a_schedule(upcoming=at(86400))
    first = view(late(), soon, troubles=("the cluster does not answer; it is asked again",))
    said = told(first, view(later), view())
    assert said[0] == [
        "! the cluster does not answer; it is asked again",
        "! netem on web-1 on node-1 is open past its deadline 11:59:56 (result shop/shop-chaos-pod-delete)",
        "no engine is running",
        "schedule shop/nightly: running, next run 12:01:30",
    ]
    assert said[1] == [
        "over: the cluster does not answer",
        "closed: netem on web-1 on node-1",
        "schedule shop/nightly: running, next run 2026-03-03 12:00:30",
    ]
    assert said[2] == ["schedule shop/nightly: gone"]


def test_an_old_run_that_comes_into_sight_because_later_ones_were_deleted_is_no_news():
    every = [ended(number, ago=number) for number in range(1, rows.PAST_RUNS + 10)]
    assert told(view(*every), view(*every[5:]))[1] == []
    new = ended(999, "Fail", ago=0)
    assert told(view(*every), view(new, *every))[1] == ["shop/shop-chaos pod-delete: Fail, finished 12:00:30"]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.4, "0 s"), (119, "119 s"), (120, "2 min"), (7300, "2 h 1 min"), (7200, "2 h"), (90000, "25 h"), (1e6, "11 d")],
)
def test_a_span_fits_a_column(seconds, said):
    assert wording.span(seconds) == said
