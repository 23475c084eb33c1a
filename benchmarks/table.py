"""The table of a benchmark: what was measured of each figure, beside its budget. Pure.

A benchmark never fails because of a figure: who reads the table decides. What could not be measured keeps its row, with
the reason in it, so that a missing figure is never taken for a good one.
"""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

_HEAD = (
    "figure",
    "original 1.10.0 on this machine",
    "budget",
    "measured (median)",
    "min–max",
    "n",
    "within budget",
)
_WITHIN = {True: "yes", False: "no", None: "–"}
SEE_BELOW = "not measured, see below"


class NotMeasured(Exception):
    """A figure can't be measured. The sentence says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """What is measured. ``original`` and ``budget`` are those of design.md §7; not everything has a budget."""

    title: str
    unit: Literal["s", "ms", "MB", "kB", "packets/s", "answers/s"]
    budget: float | None = None
    original: str = "–"

    def text(self, value: float) -> str:
        """A value with as many digits as tell it from its budget; without one, with three digits that count."""
        size = value if self.budget is None else self.budget
        decimals = 3 if size < 1 else 2 if size < 10 else 1 if size < 10_000 else 0
        return f"{value:.{decimals}f}"


@dataclass(frozen=True, slots=True)
class Row:
    """A figure with what was measured of it; ``why_not`` when that is nothing."""

    figure: Figure
    values: Sequence[float] = ()
    why_not: str = SEE_BELOW

    @property
    def within(self) -> bool | None:
        """Whether the median keeps the budget; None when nothing was measured, or there is no budget."""
        if not self.values or self.figure.budget is None:
            return None
        return statistics.median(self.values) <= self.figure.budget

    def cells(self) -> tuple[str, ...]:
        figure = self.figure
        budget = "–" if figure.budget is None else f"{figure.budget:g} {figure.unit}"
        about = (figure.title, figure.original, budget)
        if not self.values:
            why_not = " ".join(self.why_not.replace("|", "/").split())
            return (*about, why_not, "–", "0", "–")
        text = figure.text
        median = f"{text(statistics.median(self.values))} {figure.unit}"
        spread = f"{text(min(self.values))}–{text(max(self.values))}"
        return (*about, median, spread, str(len(self.values)), _WITHIN[self.within])


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Where it was measured. ``load``: lowest and highest load average of one minute meanwhile."""

    cores: int
    kernel: str
    kubernetes: str
    image: str
    load: tuple[float, float]

    def __str__(self) -> str:
        low, high = self.load
        return (
            f"{self.cores} cores, kernel {self.kernel}, Kubernetes {self.kubernetes}, image {self.image}, "
            f"load average {low:.1f} to {high:.1f}"
        )


def render(rows: Iterable[Row]) -> str:
    """A Markdown table that can be read in a terminal too."""
    lines = [_HEAD, *(row.cells() for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    shown = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines]
    rule = "| " + " | ".join("-" * width for width in widths)
    return "\n".join(f"{line} |" for line in (shown[0], rule, *shown[1:]))
