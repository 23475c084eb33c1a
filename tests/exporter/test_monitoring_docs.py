"""docs/monitoring.md has every metric, as the code has it."""

from pathlib import Path

from litmus.exporter import reference

PAGE = Path(__file__).parents[2] / "docs/monitoring.md"


def test_the_table_of_the_page_is_that_of_the_families():
    written = PAGE.read_text(encoding="utf-8")

    assert reference.table() in written, "docs/monitoring.md: paste what litmus.exporter.reference.table() says"
