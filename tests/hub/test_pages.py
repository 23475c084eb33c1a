"""The pages about experiments: complete, readable as Markdown, and with links that lead somewhere."""

import re
from functools import cache
from pathlib import Path

import pytest

from litmus.cli import generate
from litmus.experiments import catalogue
from litmus.experiments.declaration import Experiment
from litmus.hub import charts, pages

EXPERIMENTS = catalogue.everything()
ALL = pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda experiment: experiment.name)
EVERY_PAGE = pytest.mark.parametrize("path", pages.table(EXPERIMENTS), ids=lambda path: Path(path).stem)


@cache
def generated() -> frozenset[str]:
    return frozenset(generate.files())


def written(path: str) -> str:
    return pages.table(EXPERIMENTS)[path]()


def prose(text: str) -> str:
    """Without the blocks of code."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def rows(text: str) -> list[list[list[str]]]:
    """The tables of a page, each a list of rows, each a list of cells."""
    blocks = [block for block in text.split("\n\n") if block.startswith("|")]
    return [[[c.strip() for c in re.split(r"(?<!\\)\|", line)[1:-1]] for line in b.splitlines()] for b in blocks]


def test_the_first_page_leads_to_every_experiment():
    links = re.findall(r"^\| \[([\w-]+)\]\(([\w-]+)\.md\)", written("docs/experiments/README.md"), re.MULTILINE)
    assert links == [(name, name) for name in sorted(experiment.name for experiment in EXPERIMENTS)]


@ALL
def test_a_page_tells_every_tunable_with_the_charts_value_and_the_default(experiment: Experiment):
    page = pages.page(experiment)
    [table] = [table for table in rows(page) if table[0][0] == "tunable"]
    told = {row[0].strip("`"): row[1:] for row in table[2:]}
    for tunable in experiment.all_tunables():
        if tunable.name in told:
            chart, default, _, meaning = told[tunable.name]
            assert chart.strip("`") == {None: "not listed", "": "empty"}.get(tunable.chart, tunable.chart)
            assert default.strip("`") == (tunable.default or "empty")
            assert meaning.startswith(tunable.help)
        else:
            assert f"`{tunable.name}`" in page.partition("without effect here: ")[2].partition("\n")[0]


@ALL
def test_a_page_says_how_the_effect_is_proven_and_how_it_is_undone(experiment: Experiment):
    page = pages.page(experiment)
    for sentence in (experiment.proof, experiment.undo):
        assert sentence.endswith(".")
        assert page.count(sentence) == 2  # at the top, and as a step of the run


@ALL
def test_every_privilege_of_a_helper_pod_has_a_reason(experiment: Experiment):
    tables = [table for table in rows(pages.page(experiment)) if table[0][0] == "privilege"]
    told = {row[0].strip("`"): row[1] for table in tables for row in table[2:]}
    assert tuple(told) == experiment.privileges
    assert all(told.values())


@ALL
def test_the_engine_of_a_page_is_that_of_the_chart(experiment: Experiment):
    assert f"```yaml\n{charts.engine(experiment).strip()}\n```\n" in pages.page(experiment)


@EVERY_PAGE
def test_the_rows_of_a_table_have_as_many_cells_as_its_head(path: str):
    for table in rows(prose(written(path))):
        assert {len(row) for row in table} == {len(table[0])}


@EVERY_PAGE
def test_a_link_leads_to_a_file_of_the_repository(path: str):
    for link in re.findall(r"\]\(([^)#]+)", prose(written(path))):
        target = (generate.ROOT / path).parent.joinpath(link).resolve()
        assert target.exists() or str(target.relative_to(generate.ROOT)) in generated(), link


def test_a_bar_in_a_cell_does_not_end_it():
    assert rows(pages._table(("a", "b"), [("x|y", "z")]))[0][2] == ["x\\|y", "z"]


def test_the_readme_lists_every_experiment_and_whether_the_sandbox_runs_it():
    found = re.findall(r"^\| \[`([\w-]+)`\]\(.*\| (yes|–) \|$", (generate.ROOT / "README.md").read_text(), re.MULTILINE)
    assert sorted(found) == sorted((e.name, "–" if e.sandbox else "yes") for e in EXPERIMENTS)


def test_the_guide_to_the_sandbox_says_of_every_experiment_whether_it_runs():
    guide = (
        (generate.ROOT / "docs/sandbox.md").read_text().partition("### Which experiments run")[2].partition("\n### ")[0]
    )
    runs, refused = (rows(guide)[number] for number in (0, 1))
    names = [sorted(name for row in table[2:] for name in row[0].split(", ")) for table in (runs, refused)]
    assert names[0] == sorted(e.name for e in EXPERIMENTS if not e.sandbox)
    assert names[1] == sorted(e.name for e in EXPERIMENTS if e.sandbox)
