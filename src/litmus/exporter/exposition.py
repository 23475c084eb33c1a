"""Families of metrics and their text, for what is told from the state of the cluster at every scrape.

Counters and histograms, which have a memory, are prometheus-client's. For gauges over ten thousand results its
collectors are too slow: they build and sort a dictionary for every sample. The text that both write is the same format
(https://prometheus.io/docs/instrumenting/exposition_formats/).
"""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

T = TypeVar("T")

Sample = tuple[tuple[str, ...], float]
# So much text is made before others get their turn.
_LINES = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Family(Generic[T]):
    """A name with its labels, and its samples as a function of what is known. A counter's name ends in ``_total``."""

    name: str
    help: str
    labels: tuple[str, ...] = ()
    type: Literal["gauge", "counter"] = "gauge"
    samples: Callable[[T], Iterable[Sample]]


def write(family: Family[T], known: T) -> Iterator[str]:
    """The text of one family in pieces; of two samples with the same labels the first one counts."""
    lines = [f"# HELP {family.name} {_one_line(family.help)}\n", f"# TYPE {family.name} {family.type}\n"]
    names = ",".join(f'{label}="%s"' for label in family.labels)
    template = f"{family.name}{{{names}}}" if names else family.name
    told: set[tuple[str, ...]] = set()
    for values, number in family.samples(known):
        if values in told:
            continue
        told.add(values)
        lines.append(f"{template % tuple(map(_escaped, values))} {_number(number)}\n")
        if len(lines) >= _LINES:
            yield "".join(lines)
            lines = []
    yield "".join(lines)


def _escaped(value: str) -> str:
    if "\\" in value or '"' in value or "\n" in value:
        return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
    return value


def _one_line(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n")


def _number(value: float) -> str:
    if isinstance(value, int) or math.isfinite(value):
        return repr(value)
    return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
