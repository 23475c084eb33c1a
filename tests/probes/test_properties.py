"""runProperties of both spellings become one plan in seconds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litmus.api.probe import RunProperties
from litmus.probes import properties
from litmus.probes.contract import ProbeError

PATH = "spec.experiments[0].spec.probe[0].runProperties"


def plan(**fields) -> properties.Plan:
    return properties.read(RunProperties(**fields), path=PATH)


def test_what_is_not_said_gets_a_default_that_can_not_hang_and_does_not_spin():
    assert properties.read(None, path=PATH) == properties.Plan(
        timeout_s=5.0, interval_s=1.0, attempts=1, window=False, polling_s=1.0, initial_delay_s=0.0
    )
    assert plan(probe_timeout=0, interval=0, probe_polling_interval=0) == properties.Plan()


def test_whole_seconds_are_the_windows_of_1_10():
    found = plan(probe_timeout=30, interval=2, retry=3, probe_polling_interval=4, initial_delay_seconds=5)
    assert found == properties.Plan(timeout_s=30, interval_s=2, attempts=4, window=True, polling_s=4, initial_delay_s=5)


def test_durations_are_the_attempts_of_3_x():
    found = plan(
        probe_timeout="500ms",
        interval="2s",
        retry=3,
        probe_polling_interval="1m",
        initial_delay="1h30m",
        evaluation_timeout="2m",
        stop_on_failure=True,
    )
    assert found == properties.Plan(
        timeout_s=0.5,
        interval_s=2,
        attempts=3,
        window=False,
        polling_s=60,
        initial_delay_s=5400,
        evaluation_timeout_s=120,
        stop_on_failure=True,
    )


@pytest.mark.parametrize(
    ("fields", "attempts"),
    [
        ({"probe_timeout": 5, "retry": 0}, 1),
        ({"probe_timeout": 5, "retry": 1}, 2),
        ({"probe_timeout": "5s", "retry": 0}, 1),
        ({"probe_timeout": "5s", "retry": 1}, 1),
        ({"probe_timeout": "5s", "retry": 4}, 4),
        ({"probe_timeout": "5s", "attempt": 2, "retry": 4}, 2),
        ({"probe_timeout": 5, "interval": "1s", "attempt": 2}, 2),
        ({"retry": 2}, 3),
    ],
)
def test_attempts_are_counted_as_each_spelling_counts_them(fields, attempts):
    assert plan(**fields).attempts == attempts


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"probe_timeout": "5 s"}, ".probeTimeout: '5 s' is no duration; write one such as 500ms"),
        ({"interval": "soon"}, ".interval: 'soon' is no duration"),
        ({"interval": "1d"}, ".interval: '1d' is no duration"),
        ({"probe_timeout": -1}, ".probeTimeout: -1 is below 0"),
        ({"probe_timeout": "-1s"}, ".probeTimeout: '-1s' is no duration"),
        ({"initial_delay": "25h"}, ".initialDelay: '25h' is longer than a day"),
        ({"initial_delay_seconds": 10**30}, ".initialDelaySeconds: "),
        ({"probe_polling_interval": "1ms"}, ".probePollingInterval: '1ms' is below 10ms"),
        ({"initial_delay": "2s", "initial_delay_seconds": 3}, ": initialDelay '2s' and initialDelaySeconds 3 differ"),
        ({"probe_timeout": 5, "interval": "1s", "retry": 1}, ".retry: 1 means 2 attempts in 1.10"),
        ({"retry": -1}, ".retry: -1 must be a number from 0 to 1000"),
        ({"attempt": 100000}, ".attempt: 100000 must be"),
    ],
)
def test_what_can_not_be_read_is_told_with_its_path(fields, words):
    with pytest.raises(ProbeError) as told:
        plan(**fields)
    assert str(told.value).startswith(PATH + words)


@given(st.integers(0, 23), st.integers(0, 59), st.integers(0, 59), st.integers(0, 999))
def test_a_duration_is_the_sum_of_its_parts(hours, minutes, seconds, milliseconds):
    text = f"{hours}h{minutes}m{seconds}s{milliseconds}ms"
    expected = hours * 3600 + minutes * 60 + seconds + milliseconds / 1000
    assert properties.seconds(text, path="") == pytest.approx(expected)


@given(st.text(max_size=12))
def test_any_text_is_a_number_of_seconds_or_a_sentence(text):
    told, found = "", 0.0
    try:
        found = properties.seconds(text, path="here")
    except ProbeError as error:
        told = str(error)
    assert told.startswith("here: ") if told else 0 <= found <= properties.LONGEST_S
