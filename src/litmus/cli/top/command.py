"""``litmus top``: the options, and which of the three forms it takes: a screen, lines, or one look."""

import asyncio
import io
import sys
from datetime import datetime
from typing import Annotated

from cyclopts import Parameter

from litmus.cli import failures, options
from litmus.kube import Cluster

from . import rows
from .lines import Lines
from .watching import Watching, either


async def top(
    *,
    namespace: options.WatchedNamespace = "",
    once: Annotated[bool, Parameter(help="Show the present state and end.", negative="")] = False,
    plain: Annotated[
        bool, Parameter(help="One line for each change, as in a pipe; no screen of its own.", negative="")
    ] = False,
    kubeconfig: options.Kubeconfig = "",
    context: options.Context = "",
) -> int:
    """What chaos goes on in a cluster, live: q or Ctrl-C ends it."""
    from . import screen  # with it comes rich

    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without Unicode gets question marks, not a traceback
    drawn = screen.usable() and not plain
    stop = asyncio.Event()
    async with Cluster.connect(kubeconfig=kubeconfig, context=context) as cluster:
        watching = Watching(cluster, namespace)
        with screen.ending(stop):
            async with watching.going():
                if once:
                    return await _once(watching, stop, drawn=drawn)
                await (screen.show(watching, stop) if drawn else _tell(watching, stop))
    return 0


async def _once(watching: Watching, stop: asyncio.Event, *, drawn: bool) -> int:
    """Status 2 when nothing at all could be read."""
    await _complete(watching, stop)
    view = rows.view(watching.seen(), datetime.now().astimezone())
    if stop.is_set():
        return failures.INTERRUPTED
    if drawn:
        from . import drawing, screen

        on = screen.console()
        for line in drawing.draw(view, width=on.width, height=max(on.height, 100)):
            on.print(line)
    else:
        _print(Lines().news(view))
    return failures.REFUSED if watching.nothing else 0


async def _tell(watching: Watching, stop: asyncio.Event) -> None:
    """One line for each change, until ``stop`` is set."""
    await _complete(watching, stop)
    lines = Lines()
    while not stop.is_set():
        watching.changed.clear()
        _print(lines.news(rows.view(watching.seen(), datetime.now().astimezone())))
        await either(stop, watching.changed)


async def _complete(watching: Watching, stop: asyncio.Event) -> None:
    while not watching.complete and not stop.is_set():
        watching.changed.clear()
        await either(stop, watching.changed)


def _print(lines: list[str]) -> None:
    for line in lines:
        print(line, flush=True)
