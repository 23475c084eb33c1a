"""The signals of one run, analysed: windows, times, the difference to the baseline, criteria.

All intervals and tests share one error rate, ``ALPHA``: an interval misses the truth in at most one of a hundred
runs, and a run without a fault differs from its baseline in at most one of a hundred. Several signals share it too.
That the promises hold is simulated by ``benchmarks/calibration.py``; what it assumes of signals stands in
docs/impact.md."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from litmus.api.impact import Impact, Signal
from litmus.kube import clock

from . import dependence, difference, episodes, judging, slices, times, windows
from .criteria import read_criteria
from .judging import Evidence
from .samples import Sample, in_order
from .windows import Run

ALPHA = 0.01


def analyse(
    signals: Mapping[str, Sequence[Sample]],
    *,
    chaos_start: float,
    chaos_end: float,
    run_end: float,
    injections: Sequence[float],
    criteria: Mapping[str, str],
    seed: int,
    instant: bool | None = None,
) -> Impact:
    """What the run did to the application, as its continuous signals tell it, by the name of their probe.

    All times in seconds of UNIX time; the order of samples does not matter. ``instant``: whether an injection is over
    at once, as a kill is, so that recovery counts from each of them and not from ``chaos_end``; when None, it is if
    there was more than one. ``seed``: of methods that resample; those of today are closed forms, so the result does
    not depend on it. Raises ValueError for criteria that ``read_criteria`` refuses."""
    wanted = read_criteria(criteria)
    starts = times.started((i for i in injections if i <= chaos_end), chaos_start)
    run = Run(
        injections=starts,
        chaos_end=max(chaos_end, starts[0]),
        end=max(run_end, chaos_end, starts[0]),
        instant=len(starts) > 1 if instant is None else instant,
    )
    alpha = ALPHA / max(1, len(signals))
    seen = {probe: _signal(probe, samples, run, alpha=alpha) for probe, samples in signals.items()}
    evidence = {probe: its for probe, (_, its) in seen.items()}
    return Impact(
        signals=[signal for signal, _ in seen.values()],
        criteria=[judging.judge(each, evidence, confidence=1 - alpha) for each in wanted],
    )


def _signal(probe: str, unordered: Sequence[Sample], run: Run, *, alpha: float) -> tuple[Signal, Evidence]:
    samples = in_order(s for s in unordered if s.at <= run.end)
    parts = windows.split(samples, run)
    noise = dependence.noise_s(parts.baseline)
    baseline, fault, recovery = (
        windows.figures(part, noise=noise, error=alpha) for part in (parts.baseline, parts.fault, parts.recovery)
    )
    known = episodes.noise(parts.baseline)
    when = times.times((*parts.fault, *parts.recovery), known, run, alpha=alpha / 2)
    slice_s, pieces = slices.slices(samples)
    first = min(samples[0].at, run.start) if samples else run.start
    signal = Signal(
        probe=probe,
        baseline=windows.shown(parts.baseline, baseline, start=first, end=run.start),
        fault=windows.shown(parts.fault, fault, start=run.start, end=run.chaos_end),
        recovery=windows.shown(parts.recovery, recovery, start=run.chaos_end, end=run.end),
        time_to_impact=when.to_impact.figure("s"),
        time_to_recover=when.to_recover.figure("s"),
        longest_outage=when.outage.figure("s"),
        impact_at=_stamp(when.impact_at),
        steady_at=_stamp(when.steady_at),
        differs=difference.differs(parts.baseline, parts.fault, known, start=run.start, alpha=alpha),
        alpha=alpha,
        slice_seconds=slice_s,
        slices=pieces,
    )
    return signal, Evidence(windows=parts, fault=fault, times=when, error=alpha)


def _stamp(at: float | None) -> str | None:
    return None if at is None else clock.precise(datetime.fromtimestamp(at, UTC))
