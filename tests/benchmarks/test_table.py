import re

import pytest

from benchmarks import table

SLOW = table.Figure(title="engine applied → first pod deleted", unit="s", budget=4, original="9.4 to 14.7 s")
QUICK = table.Figure(title="start of a process", unit="s", budget=0.25)
MEMORY = table.Figure(title="resident memory", unit="MB", budget=45)


def cells(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()]


def test_a_row_shows_median_spread_and_number_beside_the_original_and_the_budget():
    row = cells(table.render([table.Row(SLOW, [3.0, 2.0, 9.0])]))[2]
    assert row == [SLOW.title, "9.4 to 14.7 s", "4 s", "3.00 s", "2.00–9.00", "3", "yes"]


def test_the_median_decides_whether_a_budget_is_kept_and_the_budget_itself_is_within():
    assert table.Row(SLOW, [4.0, 4.0, 60.0]).within is True
    assert table.Row(SLOW, [1.0, 4.1, 4.1]).within is False
    assert cells(table.render([table.Row(SLOW, [4.01])]))[2][-1] == "no"


def test_what_was_not_measured_has_its_reason_in_its_row_and_is_neither_good_nor_bad():
    row = table.Row(MEMORY, [], "not measurable from here")
    assert row.within is None
    assert cells(table.render([row]))[2] == [MEMORY.title, "–", "45 MB", "not measurable from here", "–", "0", "–"]


@pytest.mark.parametrize(("figure", "shown"), [(QUICK, "0.251 s"), (SLOW, "0.25 s"), (MEMORY, "0.3 MB")])
def test_a_value_has_as_many_digits_as_tell_it_from_its_budget(figure, shown):
    assert table.Row(figure, [0.2512]).cells()[3] == shown


@pytest.mark.parametrize(("value", "shown"), [(0.2512, "0.251 ms"), (3.5, "3.50 ms"), (64.04, "64.0 ms")])
def test_a_figure_without_a_budget_is_neither_within_nor_beyond(value, shown):
    row = table.Row(table.Figure(title="a list", unit="ms"), [value])
    assert row.within is None
    assert row.cells()[2:4] == ("–", shown)
    assert row.cells()[-1] == "–"


def test_the_table_is_markdown_whose_columns_stand_below_each_other():
    lines = table.render([table.Row(SLOW, [1.0]), table.Row(MEMORY)]).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert re.fullmatch(r"\|( -+ \|)+", lines[1])
    assert lines[0].count("|") == lines[1].count("|") == 8


def test_a_reason_can_not_break_the_table():
    row = table.Row(MEMORY, [], "the pod | said:\nno")
    assert cells(table.render([row]))[2][3] == "the pod / said: no"


def test_the_machine_is_one_line():
    machine = table.Machine(cores=2, kernel="6.1", kubernetes="v1.20.2", image="a/b:1", load=(0.25, 1.0))
    assert str(machine) == "2 cores, kernel 6.1, Kubernetes v1.20.2, image a/b:1, load average 0.2 to 1.0"
