"""A benchmark from its command line to its table: what the scripts of this folder have in common."""

import argparse
import asyncio
import os
import sys
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field

from table import Figure, Machine, NotMeasured, Row, render

CAN_NOT = 2
INTERRUPTED = 130


@dataclass(slots=True)
class Results:
    """Rows of the table in their order, sentences below it, and the load meanwhile."""

    kubernetes: str
    image: str
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    loads: list[float] = field(default_factory=lambda: [os.getloadavg()[0]])

    def add(self, figure: Figure, values: Sequence[float]) -> None:
        self.rows.append(Row(figure, values))
        self.loads.append(os.getloadavg()[0])

    def __str__(self) -> str:
        machine = Machine(
            cores=len(os.sched_getaffinity(0)),
            kernel=os.uname().release,
            kubernetes=self.kubernetes,
            image=self.image,
            load=(min(self.loads), max(self.loads)),
        )
        return "\n".join([render(self.rows), "", str(machine), *self.notes])


def say(text: str) -> None:
    """Progress; standard output is for the table alone."""
    print(text, file=sys.stderr, flush=True)


def count(text: str) -> int:
    """A number of things on the command line."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def measure(name: str, bench: Callable[[Results], Coroutine[None, None, None]], results: Results) -> int:
    """Measures, prints the table, and returns the exit status. What was measured before it was cut short is printed."""
    try:
        asyncio.run(bench(results))
    except NotMeasured as error:
        say(f"benchmarks/{name}: {error}")
        if not results.rows:
            return CAN_NOT
        results.notes.append(f"cut short: {error}")
    except (KeyboardInterrupt, asyncio.CancelledError):
        return INTERRUPTED
    print(results)
    return 0
