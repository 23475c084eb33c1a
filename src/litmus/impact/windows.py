"""The three windows of a run, and their figures.

Baseline: until the first injection. Fault: from there to the end of the chaos, all rounds of it. Recovery: after it. A
request that was under way when the fault came belongs to the fault, which may have hit it; one that was under way when
the chaos ended belongs to the fault too.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from litmus.api.impact import Window
from litmus.kube import clock

from . import intervals
from .intervals import Measured
from .samples import Sample


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """When what happened, in seconds of UNIX time. ``injections`` has at least one; ``instant``: each is a kill."""

    injections: tuple[float, ...]
    chaos_end: float
    end: float
    instant: bool

    @property
    def start(self) -> float:
        """When the fault's window begins."""
        return self.injections[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """The samples of a signal, in order, by window."""

    baseline: tuple[Sample, ...]
    fault: tuple[Sample, ...]
    recovery: tuple[Sample, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a window shows: percent and milliseconds; quantiles by their share."""

    availability: Measured
    latency: dict[float, Measured]


def split(samples: Sequence[Sample], run: Run) -> Windows:
    """The samples of the run by window; those after its end are left out."""
    return Windows(
        baseline=tuple(s for s in samples if s.at < run.start and s.ended < run.start),
        fault=tuple(s for s in samples if s.ended >= run.start and s.at <= run.chaos_end),
        recovery=tuple(s for s in samples if run.chaos_end < s.at <= run.end),
    )


def figures(samples: Sequence[Sample], *, noise: float, error: float) -> Figures:
    """The figures of one window; ``error``: how often an interval may miss the truth."""
    return Figures(
        availability=intervals.availability(samples, noise=noise, error=error),
        latency={p: intervals.quantile(samples, p, error=error) for p in (0.50, 0.95, 0.99)},
    )


def shown(samples: Sequence[Sample], seen: Figures, *, start: float, end: float) -> Window:
    """A window as it stands in a result."""
    kinds = Counter(s.error or "failed" for s in samples if not s.good)
    return Window(
        start=_stamp(start),
        end=_stamp(end),
        samples=len(samples),
        availability=seen.availability.figure("%"),
        errors=dict(sorted(kinds.items())),
        latency_p50=seen.latency[0.50].figure("ms"),
        latency_p95=seen.latency[0.95].figure("ms"),
        latency_p99=seen.latency[0.99].figure("ms"),
    )


def _stamp(at: float) -> str:
    return clock.precise(datetime.fromtimestamp(at, UTC))
