"""What a run looks like while it goes on: plain lines in a pipe, and a progress bar below them on a terminal."""

import contextlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, TextIO

from litmus import api
from litmus.api.result import Run
from litmus.kube import clock


class Display:
    """Turns states of the engine and its results into lines; each fact is said once."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._said: set[str] = set()
        self._targets: dict[tuple[str, int], api.Target] = {}
        self._earlier: dict[str, Run] = {}

    def line(self, text: str) -> None:
        """One line with the time of day."""
        self._print(f"{datetime.now().astimezone():%H:%M:%S}  {text}")

    def ignore(self, results: Iterable[api.ChaosResult]) -> None:
        """Results of earlier runs, which are no news."""
        self._earlier = {result.metadata.name: result.status.run for result in results}

    def engine(self, engine: api.ChaosEngine) -> None:
        """What is new in the engine."""
        if engine.active and engine.status.engine_status in ("completed", "stopped"):
            return  # the operator has not yet seen that it is to run again
        if engine.status.engine_status:
            self._once(f"word {engine.status.engine_status}", f"engine {engine.status.engine_status}")
        for number, entry in enumerate(engine.status.experiments, start=1):
            of = f"{number}/{len(engine.status.experiments)} {entry.name}"
            if entry.verdict == "Awaited":
                self._once(f"start {number}", f"{of}: started")
            elif entry.verdict != "N/A":
                self._once(f"end {number}", f"{of}: {entry.verdict}")

    def result(self, result: api.ChaosResult) -> None:
        """What is new in a result: the step, the targets hit and what was measured of them."""
        run, name = result.status.run, result.spec.experiment
        if self._earlier.get(result.metadata.name) == run:
            return
        if run.step and not run.finished_at:
            self._once(f"{name} {run.number} {run.step}", f"  {run.step}{_until(run.chaos_ends_at, run.step)}")
        for place, target in enumerate(result.status.targets):
            before = self._targets.get((name, place))
            if before is None:
                self.line(f"  → {_place(target)}: {target.asked}")
            if _proven(target) and (before is None or not _proven(before)):
                self.line(f"  = {target.name}: {target.delivered}")  # what was measured, enough or not
            if target.ready_after_seconds is not None and (before is None or before.ready_after_seconds is None):
                self.line(
                    f"  ✓ {target.name} replaced by {_short(target)}, ready after {target.ready_after_seconds:.1f} s"
                )
            self._targets[name, place] = target
        self._advance(result)

    def tick(self) -> None:
        """Time has passed: what shows the remaining time shows it anew."""

    def _advance(self, result: api.ChaosResult) -> None:
        """The result has a new state: a place for the progress bar."""

    def _once(self, key: str, text: str) -> None:
        if key not in self._said:
            self._said.add(key)
            self.line(text)

    def _print(self, text: str) -> None:
        print(text, file=self._stream, flush=True)


class TerminalDisplay(Display):
    """The same lines, with a bar of the chaos time that is left."""

    def __init__(self, stream: TextIO, bar: Any) -> None:
        super().__init__(stream)
        self._bar = bar
        self._task: Any = None
        self._start = datetime.now(UTC)
        self._total_s = 1.0

    def _print(self, text: str) -> None:
        self._bar.console.print(text, highlight=False, markup=False)

    def _advance(self, result: api.ChaosResult) -> None:
        run = result.status.run
        if run.finished_at or run.chaos_started_at is None or run.chaos_ends_at is None:
            self._forget()
            return
        self._start = clock.parse(run.chaos_started_at)
        self._total_s = max(1.0, (clock.parse(run.chaos_ends_at) - self._start).total_seconds())
        if self._task is None:
            self._task = self._bar.add_task(result.spec.experiment, total=self._total_s, left="")
        self.tick()

    def tick(self) -> None:
        if self._task is not None:
            done_s = min(self._total_s, max(0.0, (datetime.now(UTC) - self._start).total_seconds()))
            self._bar.update(self._task, completed=done_s, left=f"{self._total_s - done_s:.0f}")

    def _forget(self) -> None:
        if self._task is not None:
            self._bar.remove_task(self._task)
            self._task = None


@contextlib.contextmanager
def shown(stream: TextIO) -> Iterator[Display]:
    """A display for this stream, for the time of a run."""
    if not stream.isatty():
        yield Display(stream)
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[left]} s left"))
    with Progress(*columns, console=Console(file=stream), transient=True) as bar:
        yield TerminalDisplay(stream, bar)


def _until(end: str | None, step: str) -> str:
    if end is None or step != "chaos":
        return ""
    return f" until {clock.parse(end).astimezone():%H:%M:%S}"


def _place(target: api.Target) -> str:
    container = f"/{target.container}" if target.container else ""
    where = f" on {target.node}" if target.node and target.node != target.name else ""
    return f"{target.name}{container}{where}"


def _proven(target: api.Target) -> bool:
    """Whether the effect of a fault that lasts was measured; what is gone is told by what takes its place."""
    return bool(target.delivered) and target.gone_after_seconds is None and not target.replaced_by


def _short(target: api.Target) -> str:
    """What took its place; of a container's id the first twelve digits, as container tools show it."""
    replaced_by = target.replaced_by or "a new one"
    return replaced_by.rpartition("/")[2][:12] if target.container else replaced_by
