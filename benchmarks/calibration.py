#!/usr/bin/env python3
"""Whether ``litmus.impact`` keeps its promises: a simulated study of false alarms, power and coverage.

Signals are drawn with a seed, the analysis of the product looks at them, and three Markdown tables say how often it
was right. *Without a fault* nothing happens during the chaos: whatever is missed there, or differs, is a false alarm,
and at most one in a hundred may be. *Power*: how often a known effect is found. *Coverage*: how often an interval has
the truth.

    .venv/bin/python benchmarks/calibration.py            # less than a minute of one core
    .venv/bin/python benchmarks/calibration.py --full     # ten times as many runs, and long ones

Asserts nothing: who reads the tables decides.
"""

import argparse
import itertools
import math
import random
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from litmus.api.impact import Figure, Impact, Signal
from litmus.impact import Sample, analyse
from litmus.impact.tails import proportion

EPOCH = 1_700_000_000.0
RECOVERY_S = 20.0
TIMEOUT_MS = 1000.0
SLOWEST_MS = 900.0  # of an answer without a fault: failures are those of the background
_NORMAL = statistics.NormalDist()
_PROMISED = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """The distribution of answers: lognormal, or with the tail of a power beyond its 95th percentile."""

    sigma: float = 0.5
    heavy: bool = False
    correlation_s: float = 0.2

    def at(self, share: float) -> float:
        """Milliseconds within which a share of the answers comes."""
        if self.heavy and share > 0.95:
            return min(SLOWEST_MS, self.at(0.95) * (0.05 / max(1e-9, 1 - share)) ** 0.6)
        return 20 * math.exp(self.sigma * _NORMAL.inv_cdf(min(max(share, 1e-9), 1 - 1e-9)))


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A signal to draw. ``background``: share of failures without a fault; ``burst_s``: their mean length, 0 for
    single ones. The fault: ``drop``, a share of failures more; ``slower``, a factor; ``outage`` from and for how many
    seconds."""

    rate: float = 10.0
    baseline_s: float = 30.0
    fault_s: float = 60.0
    background: float = 0.001
    burst_s: float = 0.0
    latency: Latency = Latency()
    drop: float = 0.0
    slower: float = 1.0
    outage: tuple[float, float] | None = None

    @property
    def size(self) -> float:
        """About how many samples it has."""
        return self.rate * (self.baseline_s + self.fault_s + RECOVERY_S)


def draw(world: World, chance: random.Random) -> list[Sample]:
    """The samples of one run; the injection is at ``EPOCH``."""
    total = world.baseline_s + world.fault_s + RECOVERY_S
    bursts = list(_bursts(world, total, chance))
    keep = math.exp(-1 / (world.rate * world.latency.correlation_s)) if world.latency.correlation_s else 0.0
    fresh = math.sqrt(1 - keep * keep)
    state = chance.gauss(0, 1)
    offset = chance.random() / world.rate
    samples = []
    for number in range(int(total * world.rate)):
        at = offset + number / world.rate - world.baseline_s
        state = keep * state + fresh * chance.gauss(0, 1)
        faulty = 0 <= at <= world.fault_s
        bad = _within(at, bursts) if world.burst_s else chance.random() < world.background
        bad |= faulty and chance.random() < world.drop
        bad |= world.outage is not None and world.outage[0] <= at < sum(world.outage)
        latency = world.latency.at(_NORMAL.cdf(state)) * (world.slower if faulty else 1.0)
        samples.append(Sample(EPOCH + at, not bad, TIMEOUT_MS if bad else latency, "timeout" if bad else ""))
    return samples


def _bursts(world: World, total: float, chance: random.Random) -> Iterator[tuple[float, float]]:
    """When failures of the background come in bursts, as a connection that is broken gives."""
    at = -world.baseline_s
    while world.burst_s and world.background:
        at += chance.expovariate(world.background / world.burst_s)
        if at > total:
            return
        yield at, at + chance.expovariate(1 / world.burst_s)


def _within(at: float, bursts: Sequence[tuple[float, float]]) -> bool:
    return any(start <= at < end for start, end in bursts)


def run(world: World, chance: random.Random, criteria: dict[str, str]) -> Impact:
    """One run, analysed."""
    return analyse(
        {"web": draw(world, chance)},
        chaos_start=EPOCH,
        chaos_end=EPOCH + world.fault_s,
        run_end=EPOCH + world.fault_s + RECOVERY_S,
        injections=[EPOCH],
        criteria=criteria,
        seed=1,
    )


# --- without a fault -----------------------------------------------------------------------------------------------

QUIET = {
    "availability": ">= 99%",
    "recovery": "<= 2s",
    "outage": "<= 1s",
    "timeToImpact": ">= 300s",
    "latencyP50": "<= 1.2x baseline",
    "latencyP95": "<= 1.5x baseline",
    "latencyP99": "<= 2x baseline",
}


def quiet_worlds(most: float) -> list[World]:
    """All combinations of what a signal may be like; of those with more than ``most`` samples none."""
    latencies = [
        Latency(sigma=sigma, heavy=heavy, correlation_s=correlation)
        for sigma, heavy, correlation in itertools.product((0.25, 0.5, 1.0), (False, True), (0.0, 0.2, 1.0))
    ]
    failures = [(0.0, 0.0), (0.001, 0.0), (0.005, 0.0), (0.001, 0.1), (0.005, 0.1)]
    worlds = [
        World(rate=rate, baseline_s=before, fault_s=fault, background=share, burst_s=burst, latency=latency)
        for rate, before, fault, (share, burst), latency in itertools.product(
            (2.0, 5.0, 10.0, 20.0, 50.0), (20.0, 60.0), (30.0, 60.0, 120.0, 300.0), failures, latencies
        )
    ]
    return [world for world in worlds if world.size <= most]


@dataclass(slots=True)
class Alarms:
    """False alarms, by what was promised not to give any; and what was not told."""

    runs: int = 0
    false: Counter[str] = field(default_factory=Counter)
    untold: Counter[str] = field(default_factory=Counter)

    def add(self, impact: Impact) -> None:
        self.runs += 1
        missed = [c.name for c in impact.criteria if c.judgement == "missed"]
        signal = impact.signals[0]
        self.false.update(missed)
        self.false["any of the seven criteria"] += bool(missed)
        self.false["differs: worse or better"] += signal.differs in ("worse", "better")
        self.untold.update(c.name for c in impact.criteria if c.judgement == "inconclusive")
        self.untold["differs: worse or better"] += signal.differs == "inconclusive"


def quiet(count: int, most: float, chance: random.Random) -> Alarms:
    """False alarms over a random choice of worlds."""
    worlds = quiet_worlds(most)
    alarms = Alarms()
    for _ in range(count):
        alarms.add(run(chance.choice(worlds), chance, QUIET))
    return alarms


def quiet_table(alarms: Alarms) -> str:
    """How many runs without a fault were wrong, and how many told nothing."""
    rows = []
    for name in (*QUIET, "any of the seven criteria", "differs: worse or better"):
        low, high = proportion(alarms.false[name], alarms.runs, error=0.05)
        asked = f"`{name}: {QUIET[name]}`" if name in QUIET else name
        share, untold = alarms.false[name] / alarms.runs, alarms.untold[name] / alarms.runs
        kept = "yes" if share <= _PROMISED else "no"
        rows.append(
            (asked, f"{share:.2%}", f"{low:.2%}–{high:.2%}", kept, f"{untold:.0%}" if name in alarms.untold else "–")
        )
    return table(("without a fault", "false alarms", "95 % interval", "at most 1 %", "inconclusive"), rows)


# --- power ---------------------------------------------------------------------------------------------------------

KNOWN = {
    "availability": ">= 99%",
    "outage": "<= 1s",
    "latencyP50": "<= 1.1x baseline",
    "latencyP95": "<= 1.5x baseline",
}


def effects(plain: World) -> list[tuple[str, World]]:
    """The known effects, each with its name."""
    return [
        ("none", plain),
        *((f"availability −{100 * drop:g} %", replace(plain, drop=drop)) for drop in (0.005, 0.01, 0.02, 0.05, 0.2)),
        *((f"latency ×{factor:g}", replace(plain, slower=factor)) for factor in (1.2, 1.5, 2.0, 5.0)),
        *((f"outage of {long:g} s", replace(plain, outage=(5.0, long))) for long in (0.5, 1.0, 2.0, 5.0, 10.0, 20.0)),
    ]


def power_table(count: int, chance: random.Random) -> str:
    """How often each known effect was found."""
    rows = []
    for name, world in effects(World()):
        found: Counter[str] = Counter()
        for _ in range(count):
            impact = run(world, chance, KNOWN)
            found["worse"] += impact.signals[0].differs == "worse"
            found["seen"] += impact.signals[0].time_to_impact.value is not None
            found.update(c.name for c in impact.criteria if c.judgement == "missed")
        rows.append((name, *(f"{found[what] / count:.0%}" for what in ("worse", "seen", *KNOWN))))
    return table(("effect", "`differs: worse`", "impact seen", *(f"`{n}: {a}`" for n, a in KNOWN.items())), rows)


# --- coverage ------------------------------------------------------------------------------------------------------

Truth = tuple[str, Callable[[Signal], Figure], Callable[[World], float]]


def truths() -> list[Truth]:
    """Figures of which the truth is known."""

    def answered(p: float) -> Callable[[World], float]:
        return lambda world: world.latency.at(p / (1 - world.background - world.drop)) * world.slower

    return [
        ("availability", lambda s: s.fault.availability, lambda w: 100 * (1 - w.background) * (1 - w.drop)),
        ("latency P50", lambda s: s.fault.latency_p50, answered(0.50)),
        ("latency P95", lambda s: s.fault.latency_p95, answered(0.95)),
        ("latency P99", lambda s: s.fault.latency_p99, answered(0.99)),
    ]


def timed() -> list[Truth]:
    """Figures of an outage that outlasts the chaos."""

    def of(world: World) -> tuple[float, float]:
        return world.outage or (0.0, 0.0)

    return [
        ("time to impact", lambda s: s.time_to_impact, lambda w: of(w)[0]),
        ("time to recover", lambda s: s.time_to_recover, lambda w: sum(of(w)) - w.fault_s),
        ("longest outage", lambda s: s.longest_outage, lambda w: of(w)[1]),
    ]


def coverage_table(count: int, most: float, chance: random.Random) -> str:
    """How often intervals have the truth, and how wide they are."""
    steady = quiet_worlds(most)
    rows = _covered("without a fault", truths(), lambda: chance.choice(steady), count, chance)
    for drop in (0.02, 0.2):
        rows += _covered(
            f"availability −{100 * drop:g} %",
            truths()[:1],
            lambda d=drop: replace(chance.choice(steady), drop=d),
            count // 4,
            chance,
        )
    rows += _covered("outage across the end of the chaos", timed(), lambda: _cut(chance), count // 2, chance)
    return table(("figure", "when", "its 99 % interval has the truth", "bounded on both sides", "median width"), rows)


def _cut(chance: random.Random) -> World:
    begin, over = chance.uniform(5, 25), chance.uniform(0.5, 12)
    return World(rate=chance.choice((2.0, 10.0, 50.0)), fault_s=30.0, outage=(begin, 30 - begin + over))


def _covered(
    when: str, figures: Sequence[Truth], world: Callable[[], World], count: int, chance: random.Random
) -> list[tuple[str, ...]]:
    hits, bounded = Counter[str](), Counter[str]()
    widths: dict[str, list[float]] = {name: [] for name, _, _ in figures}
    units = {}
    for _ in range(count):
        drawn = world()
        signal = run(drawn, chance, {}).signals[0]
        for name, figure, truth in figures:
            seen, true = figure(signal), truth(drawn)
            units[name] = seen.unit
            low = -math.inf if seen.low is None else seen.low - 1e-3
            high = math.inf if seen.high is None else seen.high + 1e-3
            hits[name] += low <= true <= high
            if seen.low is not None and seen.high is not None:
                bounded[name] += 1
                widths[name].append(seen.high - seen.low)
    return [
        (name, when, f"{hits[name] / count:.1%}", f"{bounded[name] / count:.0%}", _width(widths[name], units[name]))
        for name, _, _ in figures
    ]


def _width(widths: Sequence[float], unit: str) -> str:
    return f"{statistics.median(widths):.2g} {unit}" if widths else "–"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Markdown, aligned so that it can be read in a terminal."""
    lines = [head, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    shown = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    ]
    return "\n".join([shown[0], "| " + " | ".join("-" * width for width in widths) + " |", *shown[1:]])


def main(arguments: Sequence[str]) -> int:
    """Prints the tables."""
    parser = argparse.ArgumentParser(
        description="Whether litmus.impact keeps its promises: false alarms, power, coverage."
    )
    parser.add_argument("--full", action="store_true", help="ten times as many runs, with up to 20,000 samples each")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--runs", type=int, help="how many runs without a fault; the other tables follow")
    options = parser.parse_args(arguments)
    count, most = (10_000, 20_000.0) if options.full else (1_000, 2_500.0)
    count = options.runs or count
    began = time.process_time()
    chance = random.Random(options.seed)
    print(f"{count} runs of at most {most:,.0f} samples, seed {options.seed}\n")
    print(quiet_table(quiet(count, most, chance)), end="\n\n", flush=True)
    print(power_table(max(10, count // 20), chance), end="\n\n", flush=True)
    print(coverage_table(max(8, count // 4), most, chance), end="\n\n", flush=True)
    print(f"CPU time: {time.process_time() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
