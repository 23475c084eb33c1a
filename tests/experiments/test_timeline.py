"""When the chaos of a run was, for kills, for faults that are held, and for those of which nothing is heard."""

import pytest

from litmus.experiments import timeline
from litmus.experiments.timeline import Timeline


@pytest.fixture
def at(monkeypatch):
    """Sets the clock of the world."""

    def set_(seconds: float) -> None:
        monkeypatch.setattr(timeline.time, "time", lambda: 1000.0 + seconds)

    set_(0)
    return set_


def test_nothing_has_begun_before_something_has(at):
    line = Timeline()
    assert not line.begun
    line.moved("moot")  # what had been recorded was never touched
    assert not line.begun


def test_kills_begin_with_the_first_and_end_with_the_planned_chaos(at):
    line = Timeline()
    line.clock_started(30)
    for second in (1, 11, 21):
        at(second)
        line.killing()
        line.moved("injected")
        line.moved("moot")
    at(45)  # the last one was still awaited
    line.over = timeline.time.time()
    assert line.injections == [1001, 1011, 1021]
    assert (line.chaos_start(), line.chaos_end()) == (1000, 1030)
    assert not line.unsure(1000.5)


def test_a_kill_that_was_given_up_ends_when_it_was(at):
    line = Timeline()
    line.clock_started(30)
    line.killing()
    at(5)
    line.over = timeline.time.time()
    assert line.chaos_end() == 1005


def test_a_held_fault_begins_with_its_injection_and_ends_when_it_is_undone(at):
    line = Timeline()
    at(3)
    line.moved("injected")
    at(5)
    line.clock_started(30)
    at(37)
    line.moved("reverted")
    at(40)
    line.over = timeline.time.time()
    assert (line.chaos_start(), line.chaos_end()) == (1003, 1037)


def test_what_was_seen_while_the_word_of_a_helper_was_under_way_is_of_no_window(at):
    line = Timeline()
    at(3)
    line.moved("injected")
    assert [line.unsure(1000 + second) for second in (1.9, 2, 2.9, 3, 4)] == [False, True, True, False, False]


def test_a_silent_fault_is_where_it_was_let_go_and_not_where_it_was_heard_of(at):
    line = Timeline()
    at(1)
    line.silenced(1000, hold_s=19)  # the helper's answer needed a second
    line.clock_started(19)
    at(25)
    for state in ("injected", "proven", "reverted"):
        line.moved(state)
    at(26)
    line.over = timeline.time.time()
    assert line.injections == [1000]
    assert (line.chaos_start(), line.chaos_end()) == (1000, 1020)


def test_silent_faults_last_from_the_first_that_was_let_go_to_the_end_of_the_last(at):
    """The clock of the chaos starts with the first of them, and what is measured is cut by the faults, not by it."""
    line = Timeline()
    line.silenced(1000, hold_s=20)
    line.clock_started(20)
    at(4)
    line.silenced(1004, hold_s=20)
    at(30)
    line.over = timeline.time.time()
    assert line.begun
    assert (line.started, line.planned_end) == (1000, 1020)
    assert (line.chaos_start(), line.chaos_end()) == (1000, 1024)
