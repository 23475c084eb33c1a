"""``litmus tolerance``: how much of a fault an application takes, by runs that close in on where a criterion breaks."""

import json as json_
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter, validators

from litmus.cli import engine_file, failures, options, terminal
from litmus.impact import bisection
from litmus.kube import Cluster

from . import asking, curve
from . import search as searching

_BROKE_AT_ONCE = 1
_STOPPED = 3
_WIDTH = 100

__all__ = ["tolerance"]


async def tolerance(
    engine: Annotated[
        Path, Parameter(help="File with a ChaosEngine; - for standard input.", allow_leading_hyphen=True)
    ],
    *,
    tunable: Annotated[str, Parameter(help="Which tunable is raised, such as NETWORK_LATENCY.")],
    from_: Annotated[float, Parameter(name="--from", help="Its mild end.", allow_leading_hyphen=True)],
    to: Annotated[float, Parameter(help="Its severe end.", allow_leading_hyphen=True)],
    until: Annotated[str, Parameter(help="A criterion of spec.impact, such as availability, or verdict.")],
    steps: Annotated[
        int, Parameter(help="Values between the two ends, at most.", validator=validators.Number(gte=1, lte=50))
    ] = 6,
    repeat: Annotated[
        int, Parameter(help="Runs of a value that stays unclear, at most.", validator=validators.Number(gte=1, lte=20))
    ] = 3,
    deadline: Annotated[
        float | None,
        Parameter(help="Seconds after which no further run begins; else none.", validator=validators.Number(gt=0)),
    ] = None,
    keep: Annotated[bool, Parameter(help="Keep the engines and their results.", negative="")] = False,
    json: Annotated[bool, Parameter(help="Print JSON; progress goes to stderr.", negative="")] = False,
    kubeconfig: options.Kubeconfig = "",
    context: options.Context = "",
) -> int:
    """Find out how much an application takes: exit status 0 found, 1 it broke at once, 2 nothing found, 3 stopped."""
    wish = bisection.Search(low=from_, high=to, steps=steps, repeat=repeat)
    async with Cluster.connect(kubeconfig=kubeconfig, context=context) as cluster:
        wanted, manifest = engine_file.read(engine, namespace=cluster.namespace)
        question = asking.read(wanted, manifest, tunable=tunable, until=until, search=wish)
        search = searching.Search(cluster, question, shown_on=sys.stderr if json else sys.stdout, keep=keep)
        try:
            await search.carry_out(deadline_s=deadline)
        except BaseException:  # also an interrupt: what is known is not lost
            if search.runs:
                search.ended = "stopped"
                _show(search, json=json)
            raise
    _show(search, json=json)
    return _status(search)


def _show(search: searching.Search, *, json: bool) -> None:
    if json:
        print(json_.dumps(curve.as_json(search), indent=2, ensure_ascii=False))
    else:
        curve.show(search, stream=sys.stdout, width=min(_WIDTH, terminal.width()))


def _status(search: searching.Search) -> int:
    found = search.bracket
    if search.ended == "stopped":
        return _STOPPED
    if search.ended == "errors":
        return failures.REFUSED
    if found.held is None:  # unless it broke at the mildest value, nobody knows what it takes
        return _BROKE_AT_ONCE if found.broken == search.question.search.low else failures.REFUSED
    return 0
