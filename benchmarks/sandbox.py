#!/usr/bin/env python3
"""What the sandbox costs: its start, many pods, many objects, many watchers, and its memory.

Needs nothing but this checkout. Prints one table on standard output, and what it is doing on standard error. Asserts
nothing: the exit status is 0 whenever it could measure, 2 with one sentence when it could not. It starts sandboxes of
its own in a temporary folder, and leaves nothing behind, also after Ctrl-C. See README.md in this folder.
"""

import argparse
import asyncio
import json
import os
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import sandbox_api
import sandbox_load
import sandbox_memory
from script import Results, count, measure, say
from table import Figure, NotMeasured

LITMUS = Path(sys.executable).with_name("litmus")
NAME = "bench"
_PARTS = ("start", "pods", "objects", "watchers")
_UP_S, _DEMO_S = 120.0, 600.0
_IMPORTS = {
    "the command": "litmus.cli.sandbox",
    "the control process": "litmus.sandbox.control.__main__, litmus.sandbox.control.plane",
    "a node": "litmus.sandbox.node.__main__",
    "the service proxy": "litmus.sandbox.network.__main__",
}


def main(arguments: list[str] | None = None) -> int:
    """Measures, prints the table, and returns the exit status."""
    options = _parser().parse_args(arguments)
    results = Results(kubernetes="not asked", image="nginx of the sandbox")
    return measure("sandbox.py", partial(_bench, options), results)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Measures what the sandbox costs.")
    parser.add_argument("--repeat", type=count, default=3, help="rounds of pods created and deleted (3)")
    parser.add_argument("--starts", type=count, default=5, help="starts of a sandbox, after one that fills caches (5)")
    parser.add_argument("--nodes", type=count, default=3, help="nodes of each sandbox (3)")
    parser.add_argument("--pods", type=count, default=200, help="pods that run (200)")
    parser.add_argument("--objects", type=count, default=2000, help="objects of a kind that are listed (2000)")
    parser.add_argument("--watchers", type=count, default=100, help="concurrent watchers (100)")
    parser.add_argument("--reads", type=count, default=10, help="lists of each form; ten times as many gets (10)")
    parser.add_argument("--only", choices=_PARTS, action="append", help="measure only this part; may be repeated")
    parser.add_argument("--demo", action="store_true", help="also litmus demo, once: it takes most of a minute")
    return parser


async def _bench(options: argparse.Namespace, results: Results) -> None:
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    wanted = options.only or _PARTS
    with tempfile.TemporaryDirectory(prefix="litmus-bench-") as home:
        place = Place(Path(home))
        if "start" in wanted:
            await _start(place, options, results)
        if options.demo:
            await _demo(place, results)
        if set(wanted) - {"start"}:
            async with place.sandbox(options.nodes), sandbox_api.connect(place.folder / "kubeconfig") as api:
                results.kubernetes = json.loads(await api.read("/version"))["gitVersion"]
                await sandbox_load.prepare(api)
                if "pods" in wanted:
                    await _pods(place, api, options, results)
                if "objects" in wanted:
                    await _objects(api, options, results)
                if "watchers" in wanted:
                    await _watchers(api, options, results)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the sandboxes of a benchmark live."""

    home: Path

    @property
    def folder(self) -> Path:
        return self.home / NAME

    async def litmus(self, *words: str, deadline_s: float = _UP_S) -> float:
        """Runs the command; how long it took. Raises NotMeasured when it fails."""
        env = {**os.environ, "LITMUS_SANDBOX_HOME": str(self.home)}
        began = time.perf_counter()
        process = await asyncio.create_subprocess_exec(
            LITMUS, *words, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        try:
            async with asyncio.timeout(deadline_s):
                _, said = await process.communicate()
        except TimeoutError:
            raise NotMeasured(f"litmus {' '.join(words)} took longer than {deadline_s:g} s") from None
        finally:
            if process.returncode is None:
                process.terminate()
                await process.wait()
        taken_s = time.perf_counter() - began
        if process.returncode:
            raise NotMeasured(f"litmus {' '.join(words)}: {said.decode(errors='replace').strip()}")
        return taken_s

    @asynccontextmanager
    async def sandbox(self, nodes: int) -> AsyncIterator[float]:
        """A sandbox that is Ready; how long that took."""
        try:
            yield await self.litmus("sandbox", "up", "--name", NAME, "--nodes", str(nodes))
        finally:
            with suppress(NotMeasured):  # what it left is in a folder that goes anyway; the first error counts
                await asyncio.shield(self.litmus("sandbox", "down", "--name", NAME))


async def _start(place: Place, options: argparse.Namespace, results: Results) -> None:
    taken = []
    for number in range(options.starts + 1):
        async with place.sandbox(options.nodes) as taken_s:
            say(f"start {number}: {taken_s:.2f} s")
            if number:
                taken.append(taken_s)
    results.add(Figure(title=f"sandbox up until Ready ({options.nodes} nodes)", unit="s", budget=3), taken)
    shares = {what: [imports(modules) for _ in range(3)] for what, modules in _IMPORTS.items()}
    alone = {what: statistics.median(values) for what, values in shares.items()}
    rounds = zip(*(values for what, values in shares.items() for _ in range(_processes(what, options))), strict=True)
    results.add(Figure(title="of that, CPU time of all processes for imports", unit="s"), [*map(sum, rounds)])
    listed = ", ".join(f"{what} {seconds:.2f} s" for what, seconds in alone.items())
    results.notes.append(f"CPU time of a Python that imports what this process imports: {listed}")


def _processes(what: str, options: argparse.Namespace) -> int:
    nodes: int = options.nodes
    return nodes if what == "a node" else 1


def imports(modules: str) -> float:
    """CPU seconds of a Python that starts, imports these and ends."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-P", "-c", f"import {modules}"], check=True, stdin=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


async def _demo(place: Place, results: Results) -> None:
    say("litmus demo")
    taken_s = await place.litmus("demo", deadline_s=_DEMO_S)
    results.add(Figure(title="litmus demo", unit="s", budget=45), [taken_s])


async def _pods(place: Place, api: sandbox_api.Api, options: argparse.Namespace, results: Results) -> None:
    created, deleted, memory = [], [], [sandbox_memory.read(place.folder)]
    for number in range(options.repeat):
        async with sandbox_load.pods_running(api, options.pods) as running_s:
            memory.append(sandbox_memory.read(place.folder))
        gone_s = await sandbox_load.pods_gone(api)
        say(f"round {number + 1}: {options.pods} pods Running after {running_s:.2f} s, gone after {gone_s:.2f} s")
        created.append(running_s)
        deleted.append(gone_s)
    pods = f"{options.pods} pods"
    results.add(Figure(title=f"{pods} created → all Running", unit="s"), created)
    results.add(Figure(title=f"{pods} deleted → all gone", unit="s"), deleted)
    idle, full = memory[:1], memory[1:]
    for attribute, what in {"control": "the control process", "node": "a node", "proxy": "the service proxy"}.items():
        for some, when in ((idle, "0 pods"), (full, pods)):
            title = f"memory (PSS): {what}, {when}"
            results.add(Figure(title=title, unit="MB"), [getattr(one, attribute) for one in some])
    results.add(Figure(title="memory (PSS): a container of nginx", unit="MB"), [one.container for one in full])
    results.add(Figure(title=f"memory (PSS): everything, {pods}", unit="MB"), [one.everything for one in full])


async def _objects(api: sandbox_api.Api, options: argparse.Namespace, results: Results) -> None:
    count = options.objects
    say(f"creating {count} ConfigMaps and {count} pods without nodes")
    results.add(Figure(title=f"{count} ConfigMaps created", unit="s"), [await sandbox_load.fill(api, count)])
    for kind, what in {"configmaps": "ConfigMaps", "pods": "pods"}.items():
        for table in (False, True):
            taken, size = await sandbox_load.lists(api, kind, options.reads, table=table)
            form = "Table" if table else "JSON"
            say(f"{count} {what} as {form}: {statistics.median(taken) * 1000:.0f} ms, {size / 1e6:.1f} million bytes")
            results.add(Figure(title=f"{count} {what} listed, {form}", unit="ms"), _ms(taken))
    gets = await sandbox_load.gets(api, min(options.reads * 10, count - 1))
    results.add(Figure(title="one ConfigMap got", unit="ms"), _ms(gets))
    await sandbox_load.empty(api)


async def _watchers(api: sandbox_api.Api, options: argparse.Namespace, results: Results) -> None:
    say(f"{options.watchers} watchers")
    taken = await sandbox_load.fan_out(api, options.watchers, options.reads * 2)
    results.add(Figure(title=f"write → last of {options.watchers} watchers has the event", unit="ms"), _ms(taken))


def _ms(seconds: list[float]) -> list[float]:
    return [one * 1000 for one in seconds]


if __name__ == "__main__":
    sys.exit(main())
