"""Runs to compare, and the figures of each."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from litmus import api
from litmus.api import score
from litmus.api.impact import Figure, Signal
from litmus.api.result import PastRun
from litmus.impact.comparison import Value
from litmus.kube import Cluster, kinds

from .. import failures
from ..report import reading

AVAILABILITY, RECOVERY, OUTAGE = "availability", "recovery", "longest outage"
P95, PROBES, PASSED = "latency p95", "probes passed", "runs passed"
UNITS = {AVAILABILITY: "%", RECOVERY: "s", OUTAGE: "s", P95: "ms", PROBES: "%", PASSED: "%"}
_ITEM = re.compile(r"(?P<name>[^@]+)@(?P<first>\d+)(?:-(?P<last>\d+))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run, by the name of its result and its number."""

    name: str
    experiment: str
    verdict: api.Verdict
    figures: dict[str, Value] = field(default_factory=dict)


def kind(figure: str) -> str:
    """The figure without the probe that it is of."""
    return figure.partition(" of ")[0]


def from_cluster(text: str) -> bool:
    """Whether a cluster has to be asked for a set."""
    return _selector(text) or not all(_is_file(item) for item in _items(text))


async def read(text: str, cluster: Cluster | None, *, namespace: str) -> list[Run]:
    """The runs that a set names: results, files, ``NAME@3``, ``NAME@1-5``, with commas, or a label selector.

    Raises Failed or Misused with one sentence when one of them is not there.
    """
    if cluster is not None and _selector(text):
        selected = await cluster.select(kinds.RESULT, namespace=namespace, labels=text)
        if not selected:
            raise failures.Failed(f"no result in namespace {namespace} has the labels {text}")
        return [latest(result) for result in selected]
    found: list[Run] = []
    for item in _items(text):
        if _is_file(item):
            found += [latest(record.result) for record in reading.records([Path(item)])]
        elif cluster is not None:
            found += await _named(cluster, item, namespace)
    if not found:
        raise failures.Misused(f"{text!r} names no runs; give names of results, files, NAME@1-5, or a label selector")
    return found


async def _named(cluster: Cluster, item: str, namespace: str) -> list[Run]:
    match = _ITEM.fullmatch(item)
    name = match["name"] if match else item
    result = await cluster.find(kinds.RESULT, name, namespace=namespace)
    if result is None:
        raise failures.Failed(f"there is no result {name} in namespace {namespace}, and no file of that name")
    if match is None:
        return [latest(result)]
    first, last = int(match["first"]), int(match["last"] or match["first"])
    runs = [past(result, run) for run in result.status.history.runs if first <= run.number <= last]
    if not runs:
        known = [run.number for run in result.status.history.runs]
        there = f"it has {min(known)} to {max(known)}" if known else "it has no history of runs"
        raise failures.Failed(f"{item}: result {name} has no such runs; {there}")
    return runs


def latest(result: api.ChaosResult) -> Run:
    """The run that the result tells of, with every figure and its interval."""
    figures: dict[str, Value] = {}
    signals = result.status.impact.signals if result.status.impact else []
    for signal in signals:
        suffix = f" of {signal.probe}" if len(signals) > 1 else ""
        figures |= {f"{name}{suffix}": value for name, value in _of_signal(signal)}
    return Run(
        name=f"{result.metadata.name}@{result.status.run.number}",
        experiment=result.spec.experiment,
        verdict=result.status.verdict,
        figures=figures | dict(_of_verdict(result.status.verdict, score.percentage(result))),
    )


def past(result: api.ChaosResult, run: PastRun) -> Run:
    """A run of the history, of which only a few figures are kept."""
    figures = {}
    if run.availability is not None:
        figures[AVAILABILITY] = Value(value=run.availability)
    if run.recovery_seconds is not None:
        figures[RECOVERY] = Value(value=run.recovery_seconds)
    return Run(
        name=f"{result.metadata.name}@{run.number}",
        experiment=result.spec.experiment,
        verdict=run.verdict,
        figures=figures | dict(_of_verdict(run.verdict, _percentage(run.probe_success_percentage))),
    )


def _of_signal(signal: Signal) -> Iterator[tuple[str, Value]]:
    for name, figure in (
        (AVAILABILITY, signal.fault.availability),
        (RECOVERY, signal.time_to_recover),
        (OUTAGE, signal.longest_outage),
        (P95, signal.fault.latency_p95),
    ):
        if value := _value(figure, error=signal.alpha):
            yield name, value


def _value(figure: Figure, *, error: float) -> Value | None:
    """The figure; without a number but with a bound from below it is one that had no end."""
    low = -math.inf if figure.low is None else figure.low
    high = math.inf if figure.high is None else figure.high
    if figure.value is None:
        return Value(value=math.inf, low=low, error=error) if figure.low is not None else None
    return Value(value=figure.value, low=low, high=high, error=error)


def _of_verdict(verdict: api.Verdict, percentage: float | None) -> Iterator[tuple[str, Value]]:
    if percentage is not None:
        yield PROBES, Value(value=percentage)
    if verdict in ("Pass", "Fail"):
        yield PASSED, Value(value=100.0 if verdict == "Pass" else 0.0)


def _percentage(written: str) -> float | None:
    try:
        value = float(written)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _items(text: str) -> list[str]:
    return [text] if _is_file(text) else [item.strip() for item in text.split(",") if item.strip()]


def _selector(text: str) -> bool:
    return "=" in text and not _is_file(text)


def _is_file(item: str) -> bool:
    return item == "-" or item.endswith((".yaml", ".yml", ".json")) or Path(item).is_file()
