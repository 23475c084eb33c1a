"""What ``litmus tolerance`` was asked, checked before anything runs: each mistake is one sentence with its remedy."""

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

from litmus import api
from litmus.api import strict
from litmus.cli import failures
from litmus.experiments import catalogue, tunables
from litmus.experiments.tunables import Tunable
from litmus.impact import analysis, bisection, criteria

VERDICT = "verdict"
# What yields samples all the while: see probes.conduct.
_SIGNALS = ("trafficProbe", "httpProbe", "promProbe")
_LASTING = ("Continuous", "OnChaos")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One tunable of one experiment, and what has to hold. ``own`` is the value that the engine itself asks for."""

    engine: api.ChaosEngine
    manifest: dict[str, Any]
    tunable: str
    unit: str
    own: float | None
    criterion: criteria.Wanted | None  # None is the verdict
    search: bisection.Search

    @property
    def entry(self) -> api.EngineExperiment:
        """The experiment, of which there is one."""
        return self.engine.spec.experiments[0]

    @property
    def asked(self) -> str:
        """What has to hold, as a person would write it."""
        return f"{self.criterion.name} {self.criterion.asked}" if self.criterion else "the verdict Pass"


def read(
    engine: api.ChaosEngine, manifest: dict[str, Any], *, tunable: str, until: str, search: bisection.Search
) -> Question:
    """The question. Raises Misused with the first thing that keeps it from being answered."""
    if len(engine.spec.experiments) != 1:
        listed = ", ".join(entry.name for entry in engine.spec.experiments)
        raise failures.Misused(f"spec.experiments: a tolerance is that of one experiment; keep one of {listed}")
    if not (math.isfinite(search.low) and math.isfinite(search.high) and search.low < search.high):
        raise failures.Misused(
            f"--from {text(search.low)} must be below --to {text(search.high)}: from what is mild to what is severe"
        )
    entry = engine.spec.experiments[0]
    known = _tunable(entry, tunable)
    search = _within(known, search)
    return Question(
        engine=engine,
        manifest=manifest,
        tunable=tunable,
        unit=known.unit if known else "",
        own=_own(entry, tunable, known),
        criterion=None if until == VERDICT else _criterion(entry, until),
        search=dataclasses.replace(search, whole=_whole(known, search), error=analysis.ALPHA),
    )


def text(value: float) -> str:
    """A value as it is written into the engine: no fraction where there is none, never an exponent."""
    return f"{value:.6f}".rstrip("0").rstrip(".") if math.isfinite(value) else str(value)


def _tunable(entry: api.EngineExperiment, name: str) -> Tunable | None:
    """The tunable that is meant; None for one of an experiment that this installation does not know."""
    try:
        experiment = catalogue.find(entry.name)
    except catalogue.UnknownExperiment:
        listed = [variable.name for variable in entry.spec.components.env]
        if name in listed:
            return None
        raise failures.Misused(
            f"--tunable {name}: this installation does not know the experiment {entry.name}, and its env in the engine "
            f"has no {name}{strict.closest(name, listed)}; write it there"
        ) from None
    offered = {t.name: t for t in experiment.all_tunables() if not t.unneeded}
    if name not in offered:
        raise failures.Misused(
            f"--tunable {name}: {entry.name} has no such tunable{strict.closest(name, list(offered))}; "
            f"litmus hub show {entry.name} lists them"
        )
    return offered[name]


def _within(known: Tunable | None, search: bisection.Search) -> bisection.Search:
    """The same between values that the tunable can have. Raises Misused for an end that it can't.

    A fault of nothing is no fault, so many tunables refuse 0: from there means from 1.
    """
    if known is None:
        return search
    if search.low == 0 and search.high > 1 and not _takes(known, 0) and _takes(known, 1):
        search = dataclasses.replace(search, low=1.0)
    for option, value in (("--from", search.low), ("--to", search.high)):
        try:
            known.value(text(value))
        except tunables.TunableError as error:
            raise failures.Misused(f"{option}: {error}") from error
    return search


def _whole(known: Tunable | None, search: bisection.Search) -> bool:
    """Whether only whole numbers are tried: between whole ends, or where the tunable has no others."""
    if search.low.is_integer() and search.high.is_integer() and search.high - search.low > 1:
        return True
    return known is not None and not _takes(known, search.low + 0.5)


def _takes(known: Tunable, value: float) -> bool:
    try:
        known.value(text(value))
    except tunables.TunableError:
        return False
    return True


def _own(entry: api.EngineExperiment, name: str, known: Tunable | None) -> float | None:
    """What the engine asks for by itself; None where that is no number."""
    given = next((variable.value for variable in entry.spec.components.env if variable.name == name), None)
    try:
        own = float(given or (known.default if known else ""))
    except ValueError:
        return None
    return own if math.isfinite(own) else None


def _criterion(entry: api.EngineExperiment, until: str) -> criteria.Wanted:
    where = "spec.experiments[0].spec"
    asked = entry.spec.impact
    if until not in asked:
        has = f"it has {', '.join(asked)}" if asked else f"it has none; write one, such as {until}: '>= 99%'"
        raise failures.Misused(
            f"--until {until}: {where}.impact has no such criterion{strict.closest(until, list(asked))}; "
            f"{has}; {VERDICT} is always possible"
        )
    try:
        wanted = {each.name: each for each in criteria.read_criteria(asked)}
    except ValueError as error:
        raise failures.Misused(f"{where}.{error}") from error
    if not any(probe.type in _SIGNALS and probe.mode in _LASTING for probe in entry.spec.probe):
        raise failures.Misused(
            f"--until {until}: {where}.probe has no continuous signal to measure it by; add a trafficProbe, or an "
            "httpProbe, in mode Continuous"
        )
    return wanted[until]
