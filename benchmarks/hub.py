#!/usr/bin/env python3
"""What the hub's server takes and gives: pages and files a second, latency, memory, and how large its pages are.

Needs nothing but this checkout. Prints one table on standard output, and what it is doing on standard error. Asserts
nothing: the exit status is 0 whenever it could measure, 2 with one sentence when it could not. See README.md in this
folder.
"""

import argparse
import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import hub_load
import memory
from script import Results, count, measure, say
from table import Figure, NotMeasured

LITMUS = Path(sys.executable).with_name("litmus")
_READY_S = 60.0
_LARGEST_PAGE_KB = 100  # what issue 5 promises of a page

_GROUP = "generic"
_EXPERIMENT = "pod-network-latency"
_FOLDER = f"charts/{_GROUP}/{_EXPERIMENT}"
_PAGES = {
    "home": "/",
    "a group": f"/charts/{_GROUP}",
    "an experiment": f"/charts/{_GROUP}/{_EXPERIMENT}",
}
_FILES = {
    "a small file": [f"/api/chaos/1.10.0?file={_FOLDER}/{kind}.yaml" for kind in ("experiment", "rbac", "engine")],
    "the bundle of a group": [f"/api/chaos/1.10.0?file=charts/{_GROUP}/experiments.yaml"],
    "all charts as JSON": ["/api/charts/1.10.0"],
}


def main(arguments: list[str] | None = None) -> int:
    """Measures, prints the table, and returns the exit status."""
    options = _parser().parse_args(arguments)
    return measure("hub.py", partial(_bench, options), Results(kubernetes="none", image="none"))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Measures the hub's server on loopback.")
    parser.add_argument("--connections", type=count, default=8, help="connections that are kept open (8)")
    parser.add_argument("--seconds", type=float, default=2.0, help="length of a round (2)")
    parser.add_argument("--repeat", type=count, default=5, help="rounds of each figure (5)")
    return parser


async def _bench(options: argparse.Namespace, results: Results) -> None:
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    async with _server() as (port, pid):
        fresh = _resident(pid)
        for title, path in _PAGES.items():
            await _sizes(port, f"page {title}", path, results)
        for title, path in _PAGES.items():
            await _load(port, f"page {title}", [path], options, results)
        for title, paths in _FILES.items():
            await _load(port, f"API, {title}", paths, options, results)
        results.add(Figure(title="memory (RSS) after the start", unit="MB"), [fresh])
        results.add(Figure(title="memory (RSS) after all of this", unit="MB"), [_resident(pid)])


async def _sizes(port: int, title: str, path: str, results: Results) -> None:
    size = await hub_load.sizes(port, path)
    for form, value in (("raw", size.raw), ("gzip", size.packed)):
        results.add(Figure(title=f"{title}: size, {form}", unit="kB", budget=_LARGEST_PAGE_KB), [value / 1000])


async def _load(port: int, title: str, paths: Sequence[str], options: argparse.Namespace, results: Results) -> None:
    rounds = []
    for _ in range(options.repeat):
        rounds.append(await hub_load.load(port, paths, connections=options.connections, seconds=options.seconds))
        say(f"{title}: {rounds[-1].per_second:.0f} a second, p99 {rounds[-1].p99_s * 1000:.1f} ms")
    connections = f"{options.connections} connections"
    results.add(Figure(title=f"{title}, {connections}", unit="answers/s"), [one.per_second for one in rounds])
    results.add(Figure(title=f"{title}: p99", unit="ms"), [one.p99_s * 1000 for one in rounds])


def _resident(pid: int) -> float:
    found = memory.read(pid)
    if found is None:
        raise NotMeasured("the server has ended")
    return found.now


@asynccontextmanager
async def _server() -> AsyncIterator[tuple[int, int]]:
    """The port and the process of a hub of its own, which serves when it says so."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LITMUS")}
    process = await asyncio.create_subprocess_exec(
        *(LITMUS, "hub", "serve", "--port", "0", "--hubs", os.devnull),  # none but ours
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield await _port(process), process.pid
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


async def _port(process: asyncio.subprocess.Process) -> int:
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        async with asyncio.timeout(_READY_S):
            line = (await process.stdout.readline()).decode()
    except TimeoutError:
        raise NotMeasured(f"litmus hub serve did not serve within {_READY_S:g} s") from None
    found = re.search(r"http://127\.0\.0\.1:(\d+)", line)
    if not found:
        raise NotMeasured((await process.stderr.read()).decode(errors="replace").strip() or f"it said {line.strip()!r}")
    return int(found[1])


if __name__ == "__main__":
    sys.exit(main())
