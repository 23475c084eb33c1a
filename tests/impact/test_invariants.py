"""What must hold of every signal."""

import random
from dataclasses import dataclass

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from litmus.api.impact import Impact
from litmus.impact import Sample

from .signals import START, look

CRITERIA = {
    "availability": ">= 95%",
    "recovery": "<= 3s",
    "outage": "<= 2s",
    "timeToImpact": ">= 2s",
    "latencyP50": "<= 2x baseline",
    "latencyP95": "<= 200ms",
}
_UNKNOWN = float("inf")
_ORDER = {"missed": 0, "inconclusive": 1, "met": 2}


@dataclass(frozen=True)
class Drawn:
    """What a signal is made from: short, as Hypothesis prints it when a test fails."""

    seed: int
    rate: int
    failing: float
    outage_at: int
    outage: int

    def samples(self) -> list[Sample]:
        """Four to ten samples a second; a share of failures, an outage perhaps, answers that vary."""
        chance = random.Random(self.seed)
        samples = []
        for number in range(65 * self.rate):
            at = number / self.rate - 20
            good = chance.random() >= self.failing and not self.outage_at <= at < self.outage_at + self.outage
            samples.append(Sample(START + at, good, chance.lognormvariate(3, 0.5), "" if good else "reset"))
        return samples


signals = some.builds(
    Drawn,
    seed=some.integers(0, 10_000),
    rate=some.sampled_from((4, 10)),
    failing=some.sampled_from((0.0, 0.01, 0.2)),
    outage_at=some.integers(-10, 40),
    outage=some.sampled_from((0, 1, 4, 20)),
)


@settings(max_examples=15, deadline=None)
@given(drawn=signals, seed=some.integers(0, 1000))
def test_the_order_of_samples_does_not_matter(drawn: Drawn, seed: int) -> None:
    samples = drawn.samples()
    mixed = samples.copy()
    random.Random(seed).shuffle(mixed)
    assert look(mixed, CRITERIA) == look(samples, CRITERIA)


@settings(max_examples=15, deadline=None)
@given(drawn=signals, shift=some.sampled_from((-86_400.0, 1.0, 4096.0, 86_400.0)))
def test_the_same_signal_at_another_time_gives_the_same_figures(drawn: Drawn, shift: float) -> None:
    samples = drawn.samples()
    later = [Sample(s.at + shift, s.good, s.latency_ms, s.error) for s in samples]
    here, there = look(samples, CRITERIA), look(later, CRITERIA, shift=shift)
    assert there.criteria == here.criteria
    for name in ("time_to_impact", "time_to_recover", "longest_outage", "differs", "slices"):
        assert getattr(there.signals[0], name) == getattr(here.signals[0], name)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(drawn=signals, seed=some.integers(0, 1000), count=some.sampled_from((1, 5, 40)))
def test_more_failures_never_improve_a_figure(drawn: Drawn, seed: int, count: int) -> None:
    samples = drawn.samples()
    chance = random.Random(seed)
    after = [n for n, s in enumerate(samples) if s.at >= START and s.good]
    worse = samples.copy()
    for number in chance.sample(after, min(count, len(after))):
        worse[number] = Sample(samples[number].at, False, samples[number].latency_ms, "reset")
    before, then = look(samples, CRITERIA), look(worse, CRITERIA)
    for name, better in _figures(before).items():
        assert _figures(then)[name] >= better, name
    for one, other in zip(before.criteria, then.criteria, strict=True):
        assert not (one.judgement == "missed" and other.judgement == "met"), one.name


def _figures(impact: Impact) -> dict[str, float]:
    """Figures as badness: none known is the worst."""
    signal = impact.signals[0]
    bad = {"availability": 100 - (signal.fault.availability.value or 0.0)}
    for name in ("latency_p50", "latency_p95", "latency_p99"):
        value = getattr(signal.fault, name).value
        bad[name] = _UNKNOWN if value is None else value
    outage = signal.longest_outage
    bad["outage"] = _UNKNOWN if outage.value is None else outage.value
    bad["outage at least"] = outage.low or 0.0
    impact_at = signal.time_to_impact.value
    bad["impact"] = -_UNKNOWN if impact_at is None else -impact_at
    return bad
