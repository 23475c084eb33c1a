#!/usr/bin/env python3
"""What the exporter costs with many results: memory, time and size of a scrape, and how late a change is in it.

``litmus exporter`` runs as a process of its own against an API server that is played here on loopback. Needs nothing
but this checkout. Prints one table on standard output, and what it is doing on standard error. Asserts nothing: the
exit status is 0 whenever it could measure, 2 with one sentence when it could not. See README.md in this folder.
"""

import argparse
import asyncio
import json
import logging
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import memory
from script import Results, count, measure, say
from table import Figure, NotMeasured

sys.path.append(str(Path(__file__).parents[1]))

from tests import apiserver

LITMUS = Path(sys.executable).with_name("litmus")
_READY_S = 300.0
_CHANGE_S = 60.0
_PAGE = 500
_PLAIN, _PACKED = "identity", "gzip"


def main(arguments: list[str] | None = None) -> int:
    """Measures, prints the table, and returns the exit status."""
    parser = argparse.ArgumentParser(description="Measures the exporter on loopback.")
    parser.add_argument("--results", type=count, default=10_000, help="results of an engine each (10000)")
    parser.add_argument("--repeat", type=count, default=5, help="scrapes of each kind, and changes (5)")
    options = parser.parse_args(arguments)
    logging.getLogger("aiohttp").setLevel(logging.CRITICAL)  # the played server tells of every client that leaves
    return measure("exporter.py", partial(_bench, options), Results(kubernetes="none", image="none"))


async def _bench(options: argparse.Namespace, results: Results) -> None:
    async with apiserver.running() as server:
        server.page = _PAGE
        async with _exporter(server.url) as (_, pid):
            results.add(Figure(title="memory (RSS), no results", unit="MB"), [_resident(pid).now])
        for number in range(options.results):
            server.put("chaosengines", _engine(number))
            server.put("chaosresults", _result(number))
        say(f"{options.results} results are there")
        begun = time.monotonic()
        async with _exporter(server.url) as (url, pid), aiohttp.ClientSession() as session:
            title = f"{options.results} results"
            results.add(Figure(title=f"{title}: start until ready", unit="s"), [time.monotonic() - begun])
            for name, encoding in (("plain", _PLAIN), ("gzip", _PACKED)):
                scrapes = [await _scrape(session, url, encoding) for _ in range(options.repeat)]
                results.add(Figure(title=f"{title}: scrape, {name}", unit="s"), [taken for taken, _ in scrapes])
                results.add(Figure(title=f"{title}: size, {name}", unit="MB"), [scrapes[-1][1] / 1e6])
                say(f"{name}: {scrapes[-1][0]:.2f} s")
            delays = [await _change(server, session, url, number) for number in range(options.repeat)]
            results.add(Figure(title=f"{title}: change of a result until it was scraped", unit="s"), delays)
            resident = _resident(pid)
            results.add(Figure(title=f"{title}: memory (RSS)", unit="MB"), [resident.now])
            results.add(Figure(title=f"{title}: memory (RSS), the most", unit="MB"), [resident.peak])


async def _scrape(session: aiohttp.ClientSession, url: str, encoding: str) -> tuple[float, int]:
    """Seconds, and bytes on the wire."""
    begun = time.monotonic()
    async with session.get(f"{url}/metrics", headers={"Accept-Encoding": encoding}, auto_decompress=False) as answer:
        size = len(await answer.read())
    return time.monotonic() - begun, size


async def _change(server: apiserver.Server, session: aiohttp.ClientSession, url: str, number: int) -> float:
    """From the write of a verdict until a scrape has told it; scrapes follow each other without a pause."""
    verdict = {"status": {"experimentstatus": {"verdict": "Error"}}}
    begun = time.monotonic()
    server.change("chaosresults", f"engine-{number}-pod-delete", verdict)
    wanted = f'engine="engine-{number}",experiment="pod-delete",verdict="Error"'
    while time.monotonic() - begun < _CHANGE_S:
        async with session.get(f"{url}/metrics") as answer:
            if wanted in await answer.text():
                return time.monotonic() - begun
    raise NotMeasured(f"a change was not in the metrics within {_CHANGE_S:g} s")


def _engine(number: int) -> dict[str, Any]:
    return {
        "metadata": {"name": f"engine-{number}"},
        "spec": {"monitoring": True, "appinfo": {"appns": "shop"}, "experiments": [{"name": "pod-delete"}]},
        "status": {"engineStatus": "completed", "experiments": [{"name": "pod-delete", "verdict": "Pass"}]},
    }


def _result(number: int) -> dict[str, Any]:
    """A run that is over, with three targets, two probes and a measured signal."""
    stamp = "2026-01-01T00:00:{:02d}.000Z".format
    window = {"start": stamp(1), "end": stamp(31), "availability": {"value": 99.5}, "samples": 300}
    signal = {"probe": "front", "baseline": window, "fault": window, "recovery": window}
    slices = [{"at": float(second), "good": 10, "p50": 1.5, "p95": 2.5} for second in range(60)]
    return {
        "metadata": {"name": f"engine-{number}-pod-delete"},
        "spec": {"engine": f"engine-{number}", "experiment": "pod-delete"},
        "status": {
            "experimentstatus": {"verdict": "Pass", "phase": "Completed", "probeSuccessPercentage": "100"},
            "run": {
                "engineUid": f"uid-{number}",
                "number": 3,
                "step": "Pass",
                "startedAt": stamp(0),
                "chaosStartedAt": stamp(1),
                "chaosEndsAt": stamp(31),
                "finishedAt": stamp(40),
            },
            "targets": [{"name": f"web-{number}-{index}", "injectedAt": stamp(2)} for index in range(3)],
            "faults": [
                {
                    "id": "delete/node-1/0",
                    "mechanism": "delete",
                    "undo": {"kind": "none"},
                    "deadline": stamp(31),
                    "state": "moot",
                    "updatedAt": stamp(40),
                }
            ],
            "history": {"passedRuns": 3},
            "probeStatuses": [
                {"name": name, "type": "httpProbe", "mode": "Continuous", "status": {"verdict": "Passed"}}
                for name in ("front", "back")
            ],
            "impact": {"signals": [signal | {"timeToRecover": {"value": 1.5}, "slices": slices}]},
        },
    }


def _resident(pid: int) -> memory.Resident:
    found = memory.read(pid)
    if found is None:
        raise NotMeasured("the exporter has ended")
    return found


@asynccontextmanager
async def _exporter(server: str) -> AsyncIterator[tuple[str, int]]:
    """The address and the process of an exporter that is ready."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "kubeconfig")
        config.write_text(json.dumps(_kubeconfig(server)))
        process = await asyncio.create_subprocess_exec(
            *(LITMUS, "exporter", "--host", "127.0.0.1", "--port", "0", "--no-events", "--kubeconfig", config),
            env=dict(os.environ) | {"WATCH_NAMESPACE": ""},
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            url = await _address(process)
            await _ready(url)
            yield url, process.pid
        finally:
            if process.returncode is None:
                process.terminate()
            await process.communicate()


async def _address(process: asyncio.subprocess.Process) -> str:
    assert process.stderr is not None
    said = []
    while line := (await process.stderr.readline()).decode():
        said.append(line.strip())
        if "port" in (entry := json.loads(line)):
            return f"http://127.0.0.1:{entry['port']}"
    raise NotMeasured(" ".join(said) or "litmus exporter ended without a word")


async def _ready(url: str) -> None:
    async with aiohttp.ClientSession() as session, asyncio.timeout(_READY_S):
        while True:
            async with session.get(f"{url}/readyz") as answer:
                if answer.status == 200:
                    return
            await asyncio.sleep(0.05)


def _kubeconfig(server: str) -> dict[str, Any]:
    return {
        "clusters": [{"name": "played", "cluster": {"server": server, "insecure-skip-tls-verify": True}}],
        "users": [{"name": "played", "user": {"token": "none"}}],
        "contexts": [{"name": "played", "context": {"cluster": "played", "user": "played"}}],
        "current-context": "played",
    }


if __name__ == "__main__":
    sys.exit(main())
