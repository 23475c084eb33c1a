"""``python -m tests.cluster.crash [--minutes N] [WORD…]``: every case (that holds all words), in lanes, and a table.

With ``--minutes`` as many as begin in that time, in an order that is shuffled and always the same.

Faults on different nodes and of different kinds run side by side; cases of one node that would disturb each other, and
all that kill the operator, run by themselves.
"""

import argparse
import random
import sys
import time
from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from rich.console import Console
from rich.table import Table

from tests.cluster import stage
from tests.cluster.crash import case, faults, ground
from tests.cluster.crash.case import Case, Outcome

# Faults that may not go on at the same time: a node that is silenced can't be drained.
_LANES = (("netem",), ("user space", "cpu", "fill"), ("memory", "io", "scale"), ("service", "cordon", "taint"))
_console = Console(width=150)


def cases(words: list[str]) -> list[Case]:
    every = [Case(f, m, v) for f in faults.ALL for m in case.MOMENTS for v in case.VICTIMS]
    return [one for one in every if case.applies(one) and all(word in str(one) for word in words)]


def lane(wanted: Iterable[Case], *, until: float) -> list[Outcome]:
    """One case after the other, each fault in a place of its own; none begins after ``until`` (monotonic)."""
    outcomes = []
    places = {}
    for one in wanted:
        if time.monotonic() > until:
            break
        place = places.get(one.fault.name) or places.setdefault(one.fault.name, ground.prepare(one.fault))
        try:
            outcome = case.run(one, place)
        except AssertionError as error:
            outcome = Outcome(case=one, left=f"not run: {error}", ledger="", verdict="")
            ground.clear(places.pop(one.fault.name))
        outcomes.append(outcome)
        _console.print(f"{time.strftime('%T')} {_line(outcome)}", highlight=False, markup=False)
    for place in places.values():
        ground.clear(place)
    return outcomes


def _line(outcome: Outcome) -> str:
    found = f"LEFT: {outcome.left} {outcome.ledger}" if not outcome.good else f"clean {outcome.after_kill_s} s after it"
    return f"{outcome.case}: {found}, verdict {outcome.verdict}"


def table(outcomes: list[Outcome]) -> Table:
    """Cases, leftovers and the longest times, by fault."""
    made = Table("fault", "cases", "leftovers", "longest after the kill, s", "latest after the deadline, s", "verdicts")
    groups: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        groups[outcome.case.fault.name].append(outcome)
    for name, some in [*groups.items(), ("all", outcomes)]:
        verdicts = sorted({outcome.verdict for outcome in some})
        made.add_row(
            name,
            str(len(some)),
            str(sum(not outcome.good for outcome in some)),
            str(max((o.after_kill_s for o in some if o.after_kill_s is not None), default="-")),
            str(max((o.late_s for o in some if o.late_s is not None), default="-")),
            ", ".join(f"{verdict} {sum(o.verdict == verdict for o in some)}" for verdict in verdicts),
        )
    return made


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.cluster.crash")
    parser.add_argument("--minutes", type=float, default=0, help="begin no case after so many minutes; 0: no limit")
    parser.add_argument("words", nargs="*", help="only cases that hold all of these")
    options = parser.parse_args(arguments)
    if not stage.KUBECONFIG:
        print("the crash test needs a cluster: set KUBECONFIG")
        return 0
    stage.litmus("install", *(["--image", stage.IMAGE] if stage.IMAGE else []), check=True)
    wanted = cases(options.words)
    if options.minutes:
        random.Random(4).shuffle(wanted)
    outcomes: list[Outcome] = []
    started = time.monotonic()
    # Cases that kill the operator come last, and get their share of the time.
    for deadly, share in ((False, 0.75), (True, 1.0)):
        until = started + 60 * options.minutes * share if options.minutes else float("inf")
        some = [one for one in wanted if (one.victim == "operator") is deadly]
        lanes = [[one for one in some if one.fault.name in names] for names in _LANES]
        with ThreadPoolExecutor(max_workers=len(lanes)) as pool:
            for part in pool.map(partial(lane, until=until), lanes):
                outcomes += part
    _console.print(f"{len(outcomes)} of {len(wanted)} cases were run")
    _console.print(table(outcomes))
    for outcome in outcomes:
        if not outcome.good:
            _console.print(_line(outcome), highlight=False, markup=False)
    return 1 if any(not outcome.good for outcome in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
