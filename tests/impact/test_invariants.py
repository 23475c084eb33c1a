"""What must hold of every signal."""

import random

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


@some.composite
def signals(draw: some.DrawFn) -> list[Sample]:
    """Four to ten samples a second; a share of failures, an outage perhaps, answers that vary."""
    chance = random.Random(draw(some.integers(0, 10_000)))
    rate = draw(some.sampled_from((4, 10)))
    share = draw(some.sampled_from((0.0, 0.01, 0.2)))
    begin = draw(some.integers(-10, 40))
    end = begin + draw(some.sampled_from((0, 1, 4, 20)))
    samples = []
    for number in range(65 * rate):
        at = number / rate - 20
        good = chance.random() >= share and not begin <= at < end
        samples.append(Sample(START + at, good, chance.lognormvariate(3, 0.5), "" if good else "reset"))
    return samples


@settings(max_examples=15, deadline=None)
@given(samples=signals(), seed=some.integers(0, 1000))
def test_the_order_of_samples_does_not_matter(samples: list[Sample], seed: int) -> None:
    mixed = samples.copy()
    random.Random(seed).shuffle(mixed)
    assert look(mixed, CRITERIA) == look(samples, CRITERIA)


@settings(max_examples=15, deadline=None)
@given(samples=signals(), shift=some.sampled_from((-86_400.0, 1.0, 4096.0, 86_400.0)))
def test_the_same_signal_at_another_time_gives_the_same_figures(samples: list[Sample], shift: float) -> None:
    later = [Sample(s.at + shift, s.good, s.latency_ms, s.error) for s in samples]
    here, there = look(samples, CRITERIA), look(later, CRITERIA, shift=shift)
    assert there.criteria == here.criteria
    for name in ("time_to_impact", "time_to_recover", "longest_outage", "differs", "slices"):
        assert getattr(there.signals[0], name) == getattr(here.signals[0], name)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(samples=signals(), seed=some.integers(0, 1000), count=some.sampled_from((1, 5, 40)))
def test_more_failures_never_improve_a_figure(samples: list[Sample], seed: int, count: int) -> None:
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
