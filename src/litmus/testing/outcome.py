"""What came of a run, and what a test may claim about it.

A claim passes only where the run shows it. An Error, a stopped run, or a figure that was not measured or is not sure
enough fails it, and the message says which of these it was.
"""

import math
from dataclasses import dataclass, field

from litmus import api, impact
from litmus.api.impact import Figure, Impact, Signal
from litmus.impact.criteria import QUANTILES, Wanted

FEWEST = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One finished run. ``look`` is how a person looks further while the cluster is there."""

    experiment: str
    verdict: str
    fail_step: str
    engine: api.ChaosEngine
    result: api.ChaosResult
    events: tuple[str, ...] = ()
    look: tuple[str, ...] = field(default=())

    @property
    def impact(self) -> Impact | None:
        """What was measured of the application; None without a continuous signal."""
        return self.result.status.impact

    @property
    def targets(self) -> list[api.Target]:
        """Who was hit."""
        return self.result.status.targets

    def assert_passed(self) -> None:
        """The verdict is Pass."""
        __tracebackhide__ = True
        if self.verdict != "Pass":
            raise AssertionError(f"{self.experiment}: {self.verdict}{f' - {self.fail_step}' if self.fail_step else ''}")

    def assert_availability(self, asked: str) -> None:
        """During the fault the application answered this share of requests: ``>= 99%``."""
        __tracebackhide__ = True
        self.assert_impact(availability=asked)

    def assert_recovered_within(self, limit: str) -> None:
        """It recovered in this time, ``20s``: by the signal, and without one by when its pods were Ready again."""
        __tracebackhide__ = True
        if self.impact is not None and self.impact.signals:
            self.assert_impact(recovery=f"<= {limit}")
            return
        self._expect_run()
        wanted = _read({"recovery": f"<= {limit}"})[0]
        times = [target.ready_after_seconds for target in self.targets]
        if not times or any(each is None for each in times):
            missing = ", ".join(t.name for t in self.targets if t.ready_after_seconds is None) or "no target"
            raise AssertionError(
                f"{self.experiment}: nothing shows that it recovered within {limit}: no replacement was seen ready for "
                f"{missing}, and there is no signal (traffic='service/NAME:PORT' gives one)"
            )
        longest = max(each for each in times if each is not None)
        if not wanted.allows(longest):
            raise AssertionError(f"{self.experiment}: a replacement was ready after {longest:.1f} s, asked was {limit}")

    def assert_impact(self, **asked: str) -> None:
        """Criteria as in an engine, such as ``outage="<= 5s", latencyP95="<= 2x baseline"``, hold of every signal."""
        __tracebackhide__ = True
        self._expect_run()
        for wanted in _read(asked):
            problem = self._problem(wanted)
            if problem:
                raise AssertionError(f"{self.experiment}: {wanted.name} {wanted.asked}: {problem}")

    def _expect_run(self) -> None:
        """Nothing can be claimed of what did not take place."""
        __tracebackhide__ = True
        if self.verdict not in ("Pass", "Fail"):
            raise AssertionError(f"{self.experiment}: nothing can be claimed: {self.verdict} - {self.fail_step}")

    def _problem(self, wanted: Wanted) -> str:
        """Why the criterion can't be said to hold; '' if it does."""
        if self.impact is None or not self.impact.signals:
            return "there was no continuous signal; give traffic='service/NAME:PORT', or a probe in mode Continuous"
        for judged in self.impact.criteria:
            if (judged.name, judged.asked) == (wanted.name, wanted.asked):  # the run itself was asked the same
                return "" if judged.judgement == "met" else f"{judged.judgement}. {judged.explanation}"
        return next((problem for signal in self.impact.signals if (problem := _of_signal(wanted, signal))), "")


def _read(asked: dict[str, str]) -> tuple[Wanted, ...]:
    return impact.read_criteria(asked)


def _of_signal(wanted: Wanted, signal: Signal) -> str:
    """The rule of ``impact.judging`` on the figures that a result keeps."""
    figure, samples = _figure(wanted, signal), signal.fault.samples
    seen = f"probe {signal.probe} saw {said(figure)}"
    scale = _baseline(wanted, signal) if wanted.relative else 1.0
    if not scale:
        return f"inconclusive: {seen}, and no baseline to compare with"
    best = figure.high if wanted.at_least else figure.low
    if best is not None and not wanted.allows(best / scale):
        return f"missed: {seen}"
    if figure.value is None or not wanted.allows(figure.value / scale):
        return f"inconclusive: {seen}"
    needed = _needed(wanted)
    return "" if samples >= needed else f"inconclusive: {seen} in {samples} samples, and it takes {needed}"


def _needed(wanted: Wanted) -> int:
    """As many samples as could have shown a breach."""
    if wanted.name == "availability" and wanted.limit < 100:
        return max(FEWEST, math.ceil(100 / (100 - wanted.limit) - 1e-9))
    if wanted.name in QUANTILES:
        return max(FEWEST, math.ceil(1 / (1 - QUANTILES[wanted.name]) - 1e-9))
    return FEWEST


def _figure(wanted: Wanted, signal: Signal) -> Figure:
    return {
        "availability": signal.fault.availability,
        "recovery": signal.time_to_recover,
        "outage": signal.longest_outage,
        "timeToImpact": signal.time_to_impact,
        "latencyP50": signal.fault.latency_p50,
        "latencyP95": signal.fault.latency_p95,
        "latencyP99": signal.fault.latency_p99,
    }[wanted.name]


def _baseline(wanted: Wanted, signal: Signal) -> float | None:
    base = signal.baseline
    return {"latencyP50": base.latency_p50, "latencyP95": base.latency_p95}.get(wanted.name, base.latency_p99).value


def said(figure: Figure) -> str:
    """A figure with its interval."""
    if figure.value is None:
        return figure.note or "too little to tell"
    low, high = ("?" if bound is None else f"{bound:.4g}" for bound in (figure.low, figure.high))
    return f"{figure.value:.4g} {figure.unit} ({low} to {high})"
