"""The table of all metrics, for docs/monitoring.md: from the families themselves, so that it can't be wrong."""

from collections.abc import Iterator

from .counting import Counted
from .exposition import Family
from .known import Known
from .metrics import families


def table() -> str:
    """Markdown: one row a metric, in the order of a scrape."""
    return "\n".join(["| metric | type | labels | meaning |", "| --- | --- | --- | --- |", *_rows()]) + "\n"


def _rows() -> Iterator[str]:
    counted = Counted(lambda: 0.0)
    every: list[Family[Known]] = families(counted, pulse_s=10.0)
    for family in every:
        yield _row(family.name, family.type, family.labels, family.help)
    for histogram in (counted.inject, counted.revert):
        [metric] = histogram.describe()
        yield _row(metric.name, metric.type, histogram._labelnames, metric.documentation)
    [metric] = counted.leftovers.describe()
    yield _row(f"{metric.name}_total", metric.type, counted.leftovers._labelnames, metric.documentation)


def _row(name: str, type_: str, labels: tuple[str, ...], meaning: str) -> str:
    named = ", ".join(f"`{label}`" for label in labels) or "–"
    return f"| `{name}` | {type_} | {named} | {meaning} |"
