"""docs/impact.md says what the code says: its criteria are read, and its numbers are those of the code."""

import re
from pathlib import Path

import msgspec
import yaml

from litmus.api.engine import ExperimentAttributes
from litmus.api.impact import Signal, Window
from litmus.experiments import steady_form, steady_state
from litmus.impact import analysis, criteria, dependence, judging, times

PAGE = (Path(__file__).parents[2] / "docs" / "impact.md").read_text(encoding="utf-8")
WORDS = {1.0: "a second", 5: "four more"}


def rows(heading: str) -> dict[str, list[str]]:
    """The table below a heading: the names of its first column, and the other cells."""
    part = PAGE.partition(f"## {heading}" if heading else "# Measured impact")[2].partition("\n## ")[0]
    lines = [line for line in part.splitlines() if line.startswith("| ") and not line.startswith("| ---")]
    cells = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines[1:]]
    return {first: others for first, *others in cells}


def test_the_example_is_read_without_a_mistake() -> None:
    (text,) = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    (entry,) = yaml.safe_load(text)["experiments"]
    assert list(steady_form.of_experiment(msgspec.convert(entry["spec"], ExperimentAttributes), path="spec")) == []


def test_every_criterion_is_written_as_the_code_reads_it() -> None:
    table = {name: cells for names, cells in rows("").items() for name in re.findall(r"`(\w+)`", names)}
    assert table.keys() == criteria._SHAPES.keys()
    for name, cells in table.items():
        for asked in re.findall(r"`([^`]+)`", cells[0]):
            criteria.read_criteria({name: asked})


def test_the_windows_are_as_long_as_the_code_makes_them() -> None:
    table = rows("Three windows")
    assert set(table) == {"baseline", "fault", "recovery"} <= set(Signal.__struct_fields__)
    baseline, recovery = " ".join(table["baseline"]), " ".join(table["recovery"])
    assert f"at least {steady_state._BASELINE_S:g} s with criteria" in baseline
    assert f"{steady_state._BASELINE_UNJUDGED_S:g} s for a trafficProbe without" in baseline
    assert f"until {steady_state._RECOVERED_SAMPLES} samples in a row and {steady_state._RECOVERED_S:g} s" in recovery
    assert f"after {steady_state._RECOVERY_S:g} s at most" in recovery
    assert WORDS[times.STEADY_S] in PAGE
    assert WORDS[times.STEADY_SAMPLES] in PAGE


def test_every_figure_is_named() -> None:
    figures = [field.encode_name for field in msgspec.structs.fields(Signal) if field.type.__name__ == "Figure"]
    windowed = [field.encode_name for field in msgspec.structs.fields(Window) if field.type.__name__ == "Figure"]
    assert figures
    assert windowed
    assert [name for name in (*figures, *windowed) if f"`{name}`" not in PAGE] == []


def test_judgements_and_their_verdicts_are_those_of_the_code() -> None:
    table = rows("Met, missed, inconclusive")
    assert {name.strip("*") for name in table} == set(judging._ORDER)
    assert steady_state.MISSED in table["*missed*"][1]
    assert steady_state.INCONCLUSIVE in table["*inconclusive*"][1]
    assert f"enough samples for a breach to show: {judging.FEWEST}" in table["*met*"][0]
    assert f"an interval of {1 - analysis.ALPHA:.0%}".replace("%", " %") in PAGE


def test_what_is_assumed_of_noise_is_what_the_code_assumes() -> None:
    assert dependence.NOISE_S == 0.25
    assert "A quarter of a second without an answer is one event" in PAGE
    assert dependence.BURST_S == 0.1
    assert "bursts of a tenth of a second on" in PAGE
