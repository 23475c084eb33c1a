#!/usr/bin/env python3
"""What a run of chaos costs: the budgets of design.md §7 that concern a run, measured in the cluster of KUBECONFIG.

Prints one table on standard output, and what it is doing on standard error. Asserts nothing: the exit status is 0
whenever it could measure, 2 with one sentence when it could not. Everything that it makes in the cluster is removed
again, also after Ctrl-C. See README.md in this folder.
"""

import argparse
import asyncio
import os
import signal
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import idle
import operators
import runs
import scene
import startup
import timeline
from script import CAN_NOT, INTERRUPTED, count
from table import SEE_BELOW, Figure, Machine, NotMeasured, Row, render

from litmus.kube import Cluster, errors

DELETION = Figure(
    title="engine applied → first pod deleted (pod-delete, 3 replicas)", unit="s", budget=4, original="9.4 to 14.7 s"
)
OVERHEAD = Figure(
    title="overhead of a run: completed − TOTAL_CHAOS_DURATION", unit="s", budget=6, original="28 to 80 s"
)
START = Figure(title="start of the experiment process until its first API call", unit="s", budget=0.25)
RESIDENT = {
    (role, reading): Figure(title=f"resident memory: {role}, {about}", unit="MB", budget=budget)
    for role, budget in (("operator", 90), ("runner", 45), ("experiment", 45))
    for reading, about in (("now", "VmRSS"), ("peak", "at its highest (VmHWM)"))
}
_PARTS = ("start", "runs", "idle")
_PATIENCE_S = 10.0
_LOAD_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Rows of the table, and sentences below it."""

    rows: Sequence[Row]
    notes: Sequence[str] = ()


def main(arguments: list[str] | None = None) -> int:
    """Measures, prints the table, and returns the exit status."""
    options = _parser().parse_args(arguments)
    image = os.environ.get("LITMUS_IMAGE", "")
    try:
        if not image:
            raise NotMeasured("LITMUS_IMAGE names no image; run make bench, which builds one")
        rows, text = asyncio.run(_bench(options, image))
        print(text)
        if not any(row.values for row in rows):
            raise NotMeasured("nothing could be measured; the table says why")
    except (NotMeasured, errors.KubeError) as error:
        print(f"benchmarks/overhead.py: {error}", file=sys.stderr)
        return CAN_NOT
    except (KeyboardInterrupt, asyncio.CancelledError):
        return INTERRUPTED
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Measures what a run of chaos costs.")
    parser.add_argument("--runs", type=count, default=5, help="runs of pod-delete, after one that does not count (5)")
    parser.add_argument("--starts", type=count, default=15, help="starts of the experiment process (15)")
    parser.add_argument("--engines", type=count, default=1000, help="idle engines of the operator (1000)")
    parser.add_argument("--operator-starts", type=count, default=3, help="operators started beside them (3)")
    parser.add_argument(
        "--operator",
        choices=sorted(operators.WHERE),
        default="cluster",
        help="where an operator of the benchmark's own runs: in the cluster, or as a process of this machine (cluster)",
    )
    parser.add_argument("--only", choices=_PARTS, action="append", help="measure only this part; may be repeated")
    return parser


async def _bench(options: argparse.Namespace, image: str) -> tuple[list[Row], str]:
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    wanted = options.only or _PARTS
    loads = [os.getloadavg()[0]]
    measured: list[Measured] = []
    async with Cluster.connect() as cluster:  # a cluster that is not there is not waited for
        node = (await scene.nodes(cluster))[0]["status"]["nodeInfo"]
    async with (
        Cluster.connect(patience_s=_PATIENCE_S) as cluster,
        scene.definitions(cluster),
        scene.alongside(_watch_load(loads)),
    ):
        if "runs" in wanted:
            measured.append(await _runs(cluster, options, image))
        if "start" in wanted:
            measured.append(await _start(options, image))
        if "idle" in wanted:
            measured.append(await _idle(cluster, options, image))
    machine = Machine(
        cores=len(os.sched_getaffinity(0)),
        kernel=os.uname().release,
        kubernetes=node["kubeletVersion"],
        image=image,
        load=(min(loads), max(loads)),
    )
    order = [DELETION, OVERHEAD, START, *RESIDENT.values()]
    rows = sorted((row for part in measured for row in part.rows), key=lambda row: order.index(row.figure))
    return rows, "\n".join([render(rows), "", str(machine), *(note for part in measured for note in part.notes)])


async def _watch_load(loads: list[float]) -> None:
    """The kernel computes it every five seconds."""
    while True:
        await asyncio.sleep(_LOAD_S)
        loads.append(os.getloadavg()[0])


async def _runs(cluster: Cluster, options: argparse.Namespace, image: str) -> Measured:
    async with scene.namespace(cluster, "runs") as namespace:
        await runs.prepare(cluster, namespace=namespace, image=image)
        try:
            async with operators.some(cluster, namespace, image, where=options.operator) as operator:
                scene.say(f"operator: {operator}")
                done, failures = await _repeated(cluster, options.runs, namespace=namespace, image=image)
        except (NotMeasured, errors.KubeError) as error:
            return Measured(rows=_rows_of([]), notes=[f"the runs: {error}"])
    notes = [f"the operator of the runs: {operator}", *failures, *_stages(done)]
    return Measured(rows=_rows_of(done), notes=notes)


async def _repeated(cluster: Cluster, count: int, *, namespace: str, image: str) -> tuple[list[runs.Run], list[str]]:
    """The runs that passed, and a sentence about each other; the first one warms up and does not count."""
    done, failures = [], []
    for number in range(count + 1):
        try:
            run = await runs.one(cluster, namespace=namespace, image=image)
        except (NotMeasured, errors.KubeError) as error:
            failures.append(f"run {number} does not count: {error}")
            scene.say(failures[-1])
            continue
        scene.say(f"run {number}: {_listed(run.stages)}")
        if number:
            done.append(run)
    return done, failures


def _rows_of(done: Sequence[runs.Run]) -> list[Row]:
    rows = [
        Row(DELETION, [run.stages[timeline.FIRST_DELETION] for run in done]),
        Row(OVERHEAD, [run.overhead_s for run in done]),
    ]
    why = "not measurable from here: the node is another machine" if done else SEE_BELOW
    for role in ("runner", "experiment"):
        read = [run.memory[role].readings for run in done if role in run.memory and run.memory[role].readings]
        now = [statistics.median(reading.now for reading in readings) for readings in read]
        peak = [max(reading.peak for reading in readings) for readings in read]
        rows += [Row(RESIDENT[role, "now"], now, why), Row(RESIDENT[role, "peak"], peak, why)]
    return rows


def _stages(done: Sequence[runs.Run]) -> list[str]:
    times = timeline.common(run.stages for run in done)
    shown = _listed({stage: statistics.median(seen) for stage, seen in times.items()})
    return [f"seconds from applying the engine to each stage, median: {shown}"] if shown else []


def _listed(stages: dict[str, float]) -> str:
    return ", ".join(f"{stage} {seconds:.2f}" for stage, seconds in stages.items())


async def _start(options: argparse.Namespace, image: str) -> Measured:
    scene.say(f"{options.starts} starts of the experiment process")
    try:
        starts, what = await startup.measure(options.starts, image=image)
    except NotMeasured as error:
        return Measured(rows=[Row(START)], notes=[f"the start of the process: {error}"])
    cpu_s = statistics.median(start.cpu_s for start in starts)
    queued_s = statistics.median(start.queued_s for start in starts)
    note = f"the experiment process from {what}: {cpu_s:.3f} s on a core, {queued_s:.3f} s waiting for one (medians)"
    return Measured(rows=[Row(START, [start.taken_s for start in starts])], notes=[note])


async def _idle(cluster: Cluster, options: argparse.Namespace, image: str) -> Measured:
    readings, notes = [], [f"the operator had {options.engines} engines that were over"]
    try:
        async with scene.namespace(cluster, "idle") as namespace:
            scene.say(f"creating {options.engines} engines")
            await idle.create(cluster, options.engines, namespace=namespace)
            for _ in range(options.operator_starts):
                reading = await idle.measure(cluster, options.operator, namespace=namespace, image=image)
                scene.say(f"operator: {reading.now:.1f} MB, at its highest {reading.peak:.1f} MB")
                readings.append(reading)
    except (NotMeasured, errors.KubeError) as error:
        notes.append(f"its memory was read {len(readings)} times: {error}")
    now, peak = RESIDENT["operator", "now"], RESIDENT["operator", "peak"]
    rows = [Row(now, [r.now for r in readings]), Row(peak, [r.peak for r in readings])]
    return Measured(rows=rows, notes=notes)


if __name__ == "__main__":
    sys.exit(main())
