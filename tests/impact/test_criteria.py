import re

import pytest

from litmus.impact import read_criteria


@pytest.mark.parametrize(
    ("name", "asked", "limit", "relative"),
    [
        ("availability", ">= 99%", 99.0, False),
        ("availability", ">=99.95 %", 99.95, False),
        ("recovery", "<= 20s", 20.0, False),
        ("recovery", "<= 2m", 120.0, False),
        ("outage", "<= 500ms", 0.5, False),
        ("timeToImpact", ">= 5s", 5.0, False),
        ("latencyP95", "<= 300ms", 300.0, False),
        ("latencyP99", "<= 1.5s", 1500.0, False),
        ("latencyP50", "<= 2x baseline", 2.0, True),
        ("latencyP50", "<= 1.5 x baseline", 1.5, True),
    ],
)
def test_a_criterion_is_read_in_the_unit_of_its_figure(name: str, asked: str, limit: float, relative: bool) -> None:
    (wanted,) = read_criteria({name: asked})
    assert (wanted.name, wanted.limit, wanted.relative) == (name, pytest.approx(limit), relative)


@pytest.mark.parametrize(
    ("name", "asked", "sentence"),
    [
        (
            "availabilty",
            ">= 99%",
            "impact.availabilty: there is no such criterion; use one of availability, recovery, outage, timeToImpact, "
            "latencyP50, latencyP95, latencyP99",
        ),
        (
            "availability",
            "99%",
            "impact.availability: '99%' is not understood; write '>= ' and a percentage, such as '>= 99%'",
        ),
        (
            "availability",
            "<= 99%",
            "impact.availability: '<= 99%' is not understood; write '>= ' and a percentage, such as '>= 99%'",
        ),
        (
            "availability",
            ">= 101%",
            "impact.availability: '>= 101%' is outside of what can be; write a percentage above 0 and up to 100",
        ),
        (
            "recovery",
            "<= 20",
            "impact.recovery: '<= 20' is not understood; write '<= ' and a duration, such as '<= 20s'",
        ),
        ("outage", "<= 0s", "impact.outage: '<= 0s' could never be measured; write a number above 0"),
        (
            "latencyP95",
            "<= 2x",
            "impact.latencyP95: '<= 2x' is not understood; write '<= ' and a duration or a factor, such as '<= 300ms' "
            "or '<= 2x baseline'",
        ),
    ],
)
def test_a_mistake_is_named_with_its_value_and_what_is_allowed(name: str, asked: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        read_criteria({name: asked})


def test_criteria_keep_the_order_of_the_engine() -> None:
    names = ["outage", "availability", "latencyP50"]
    asked = {"outage": "<= 5s", "availability": ">= 99%", "latencyP50": "<= 1s"}
    assert [wanted.name for wanted in read_criteria(asked)] == names
