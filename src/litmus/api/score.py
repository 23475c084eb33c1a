"""The resilience score: how much of the chaos an application withstood, in one number from 0 to 100.

As ChaosCenter computes it: the sum of weight × probe success percentage over the experiments, divided by the sum of the
weights. What did not run to its end counts 0 and is named in a note: a run that never began must not look like a
success. Pure functions over what a cluster holds, for the command line, the exporter and the portal alike.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from . import names
from .engine import FINAL_VERDICTS, ChaosEngine
from .result import ChaosResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One experiment of an engine: its weight, and the percentage of its probes that passed."""

    engine: str
    experiment: str
    weight: int
    percentage: float
    verdict: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """``value`` is in percent, cut to two decimals; None where no weight is left to divide by."""

    value: float | None
    parts: tuple[Part, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """What the number does not tell by itself."""
        told = tuple(f"{part.experiment} of {part.engine}: {part.note}" for part in self.parts if part.note)
        return told if self.value is not None else (*told, "there is no experiment with a weight above 0")


def of_engine(engine: ChaosEngine, results: Mapping[str, ChaosResult]) -> Score:
    """The score of one engine; ``results`` by their name."""
    return of_engines([engine], results)


def of_engines(engines: Iterable[ChaosEngine], results: Mapping[str, ChaosResult]) -> Score:
    """The score of several engines of a namespace, such as those of a schedule; ``results`` by their name."""
    parts = tuple(
        _part(engine, index, results.get(names.result(engine.metadata.name, entry.name, entry.instance)))
        for engine in engines
        for index, entry in enumerate(engine.spec.experiments)
    )
    return Score(value=weighted(parts), parts=parts)


def weighted(parts: Iterable[Part]) -> float | None:
    """The sum of weight × percentage, divided by the sum of the weights."""
    counted = [part for part in parts if part.weight > 0]
    total = sum(part.weight for part in counted)
    if not total:
        return None
    # Cut, not rounded, as the original does: 99.999 is not 100. The tiny addend is for what floats lose.
    return math.floor(sum(part.weight * part.percentage for part in counted) / total * 100 + 1e-9) / 100


def percentage(result: ChaosResult) -> float | None:
    """The share of probes that passed in the latest run, None as long as there is none."""
    status = result.status
    written = status.experimentstatus.probe_success_percentage
    if status.experimentstatus.verdict == "Awaited":
        written = str(status.experiment_status.get("probeSuccessPercentage", written))
    try:
        value = float(written.removesuffix("%"))
    except ValueError:
        return None
    # Upstream once had scores above 100; what can't be is cut to what can.
    return min(100.0, max(0.0, value)) if math.isfinite(value) else None


def _part(engine: ChaosEngine, index: int, result: ChaosResult | None) -> Part:
    entry = engine.spec.experiments[index]
    if _reached(engine, index) in ("N/A", "Awaited"):
        result = None  # what is there is of an earlier run of this engine
    counted, note = _counted(engine, result)
    return Part(
        engine=engine.metadata.name,
        experiment=entry.name,
        weight=entry.spec.weight,
        percentage=counted,
        verdict=result.status.verdict if result else "N/A",
        note=note,
    )


def _reached(engine: ChaosEngine, index: int) -> str:
    """The verdict that the engine notes for an entry: in the order of the entries, of which two may have one name."""
    noted, name = engine.status.experiments, engine.spec.experiments[index].name
    if index < len(noted) and noted[index].name == name:
        return noted[index].verdict
    return next((seen.verdict for seen in noted if seen.name == name), "")


def _counted(engine: ChaosEngine, result: ChaosResult | None) -> tuple[float, str]:
    if result is None:
        return 0.0, "did not run to its end, so it counts as 0"
    of, uid = result.status.run.engine_uid, engine.metadata.uid
    if of and uid and of != uid:
        return 0.0, "its result is of an earlier engine of that name, so this one counts as 0"
    if result.status.verdict not in FINAL_VERDICTS:
        return 0.0, "has no verdict yet, so it counts as 0"
    found = percentage(result)
    if found is None:
        return 0.0, "its result has no percentage, so it counts as 0"
    return found, ""
