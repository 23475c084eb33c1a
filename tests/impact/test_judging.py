from litmus.api.impact import Criterion
from litmus.impact import Sample, analyse

from .signals import START, look, steady


def judged(samples: list[Sample], name: str, asked: str) -> Criterion:
    return look(samples, {name: asked}).criteria[0]


def test_a_missed_criterion_says_the_value_its_interval_and_what_would_have_passed() -> None:
    criterion = judged(steady(bad=lambda t: 5 <= t < 15), "availability", ">= 99%")
    assert criterion.judgement == "missed"
    assert criterion.observed.value is not None
    assert 66 < criterion.observed.value < 68
    assert criterion.explanation.startswith("Probe web: availability during the fault was 66.")
    assert "(99% interval " in criterion.explanation
    assert criterion.explanation.endswith("'>= 99%' would have passed.")


def test_a_steady_signal_meets_everything() -> None:
    asked = {
        "availability": ">= 99%",
        "recovery": "<= 5s",
        "outage": "<= 1s",
        "timeToImpact": ">= 5s",
        "latencyP50": "<= 2x baseline",
        "latencyP95": "<= 2x baseline",
        "latencyP99": "<= 1s",
    }
    criteria = look(steady(), asked).criteria
    assert {c.name: c.judgement for c in criteria} == dict.fromkeys(asked, "met")


def test_a_value_below_the_limit_whose_interval_reaches_it_is_inconclusive() -> None:
    criterion = judged(steady(bad=lambda t: 5 <= t < 5.4), "availability", ">= 99%")
    assert criterion.judgement == "inconclusive"
    assert "a longer chaos or a higher rate would tell" in criterion.explanation


def test_too_few_samples_for_the_percentage_are_inconclusive_with_the_number_it_takes() -> None:
    criterion = judged(steady(rate=2.0), "availability", ">= 99.9%")
    assert criterion.judgement == "inconclusive"
    assert "there were 61 samples during the fault and it takes 1000" in criterion.explanation


def test_an_outage_that_samples_are_too_far_apart_to_see_is_inconclusive() -> None:
    assert judged(steady(rate=1.0), "outage", "<= 500ms").judgement == "inconclusive"
    assert judged(steady(rate=10.0), "outage", "<= 500ms").judgement == "met"
    assert judged(steady(bad=lambda t: 5 <= t < 12), "outage", "<= 5s").judgement == "missed"


def test_a_run_that_ends_before_recovery_misses_only_what_it_was_long_enough_for() -> None:
    gone = steady(bad=lambda t: t >= 5)
    assert judged(gone, "recovery", "<= 10s").judgement == "missed"
    assert judged(gone, "recovery", "<= 60s").judgement == "inconclusive"


def test_slow_answers_miss_a_factor_of_the_baseline_and_an_absolute_time() -> None:
    slow = steady(factor=lambda t: 6.0 if 0 <= t < 30 else 1.0)
    assert judged(slow, "latencyP95", "<= 2x baseline").judgement == "missed"
    assert judged(slow, "latencyP50", "<= 50ms").judgement == "missed"
    assert judged(slow, "latencyP50", "<= 10x baseline").judgement == "met"


def test_failures_do_not_make_a_latency_look_good() -> None:
    criterion = judged(steady(bad=lambda t: 0 <= t < 28), "latencyP50", "<= 1s")
    assert criterion.judgement == "missed"
    assert criterion.observed.value is None
    assert "inf" not in criterion.explanation


def test_each_signal_has_to_keep_a_criterion_and_the_worst_is_shown() -> None:
    signals = {"fine": steady(), "broken": steady(bad=lambda t: 5 <= t < 15)}
    for names in (("fine", "broken"), ("broken", "fine")):
        (criterion,) = analyse(
            {name: signals[name] for name in names},
            chaos_start=START,
            chaos_end=START + 30,
            run_end=START + 45,
            injections=[],
            criteria={"availability": ">= 99%"},
            seed=1,
        ).criteria
        assert criterion.judgement == "missed"
        assert criterion.explanation.startswith("Probe broken: ")


def test_without_a_signal_nothing_is_told() -> None:
    impact = analyse({}, chaos_start=0, chaos_end=1, run_end=2, injections=[], criteria={"recovery": "<= 1s"}, seed=1)
    assert impact.criteria[0].judgement == "inconclusive"
    assert "add a trafficProbe" in impact.criteria[0].explanation
