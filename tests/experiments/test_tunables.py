"""The environment variables that users know: what is read, what is refused, and in which words."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litmus.experiments import catalogue, tunables
from litmus.experiments.tunables import Range, Tunable, TunableError


def refusal(tunable: Tunable, text: str) -> str:
    with pytest.raises(TunableError) as caught:
        tunable.value(text)
    return str(caught.value)


@pytest.mark.parametrize(
    ("tunable", "text", "expected"),
    [
        (tunables.DURATION, "30", 30),
        (tunables.DURATION, " 30 ", 30),
        (tunables.DURATION, "1", 1),
        (tunables.RAMP, "", 0),
        (tunables.RAMP, "0", 0),
        (tunables.RAMP, "12", 12),
        (tunables.INTERVAL, "10", Range(10, 10)),
        (tunables.INTERVAL, "5-10", Range(5, 10)),
        (tunables.INTERVAL, "0.5", Range(0.5, 0.5)),
        (tunables.AFFECTED, "", Range(0, 0)),
        (tunables.AFFECTED, "0", Range(0, 0)),
        (tunables.AFFECTED, "100", Range(100, 100)),
        (tunables.AFFECTED, "20-40", Range(20, 40)),
        (tunables.RANDOMNESS, "true", True),
        (tunables.RANDOMNESS, "False", False),
        (tunables.RANDOMNESS, "", False),
        (tunables.SEQUENCE, "serial", "serial"),
        (tunables.SEQUENCE, "Parallel", "parallel"),
        (tunables.TARGET_PODS, "", ()),
        (tunables.TARGET_PODS, "a, b,,c ", ("a", "b", "c")),
        (tunables.TARGET_PODS, "a,b,a", ("a", "b")),
        (tunables.NODE_LABEL, "zone=a", "zone=a"),
        (tunables.INSTANCE, "blue", "blue"),
    ],
)
def test_a_good_value_is_read(tunable, text, expected):
    assert tunable.value(text) == expected


@pytest.mark.parametrize("text", ["0", "-5", "30s", "1.5", "x", "1e3", "30 s", "½", "²", "٣", "2592001", "9" * 15])
def test_a_duration_is_a_whole_number_of_seconds_of_at_least_one(text):
    assert refusal(tunables.DURATION, text) == (
        f"TOTAL_CHAOS_DURATION={text!r}: must be a whole number of seconds from 1 to 2592000, without a unit"
    )


@pytest.mark.parametrize("text", ["-1", "5s", "x"])
def test_a_ramp_time_is_a_whole_number_of_seconds(text):
    assert refusal(tunables.RAMP, text) == (
        f"RAMP_TIME={text!r}: must be a whole number of seconds from 0 to 2592000, without a unit"
    )


@pytest.mark.parametrize("text", ["-5", "5-", "-", "10-5", "5-10-15", "5s", "x", "nan", "inf", "99999999", "5–10"])
def test_an_interval_is_seconds_or_a_range_of_seconds(text):
    assert refusal(tunables.INTERVAL, text) == (
        f"CHAOS_INTERVAL={text!r}: must be seconds such as 10, or a range such as 5-10"
    )


@pytest.mark.parametrize("text", ["101", "-1", "50%", "40-20", "50-150", "half", "nan"])
def test_a_share_is_a_percentage_or_a_range_of_percentages(text):
    assert refusal(tunables.AFFECTED, text) == (
        f"PODS_AFFECTED_PERC={text!r}: must be a percentage from 0 to 100, or a range such as 20-40"
    )


@pytest.mark.parametrize("text", ["yes", "1", "t"])
def test_a_truth_is_true_or_false(text):
    assert refusal(tunables.RANDOMNESS, text) == f"RANDOMNESS={text!r}: must be true or false"


def test_a_sequence_is_one_of_its_words():
    assert refusal(tunables.SEQUENCE, "random") == "SEQUENCE='random': must be parallel or serial"


@pytest.mark.parametrize(("text", "expected"), [("SIGTERM", "SIGTERM"), ("kill", "SIGKILL"), ("15", "SIGTERM")])
def test_a_signal_may_be_named_in_several_ways(text, expected):
    assert tunables.signal_name(text) == expected


@pytest.mark.parametrize("text", ["SIGNOPE", "SIGSTOP", "0"])
def test_a_signal_that_does_not_end_a_process_is_refused(text):
    signal = Tunable(name="SIGNAL", default="SIGKILL", read=tunables.signal_name, help="")
    assert refusal(signal, text).startswith(f"SIGNAL={text!r}: ")


@pytest.mark.parametrize("text", ["", "  "])
def test_an_empty_value_means_the_default(text):
    read = tunables.read((tunables.DURATION, tunables.SEQUENCE), {"TOTAL_CHAOS_DURATION": text, "SEQUENCE": text})
    assert read[tunables.DURATION] == 30
    assert read[tunables.SEQUENCE] == "parallel"


def test_a_tunable_that_nobody_sets_has_its_default():
    assert tunables.read((tunables.DURATION,), {})[tunables.DURATION] == 30


def test_a_bad_value_among_good_ones_is_told():
    with pytest.raises(TunableError, match="RAMP_TIME='soon'"):
        tunables.read((tunables.DURATION, tunables.RAMP), {"TOTAL_CHAOS_DURATION": "5", "RAMP_TIME": "soon"})


def test_a_tunable_that_is_not_needed_takes_anything():
    assert tunables.ignored("LIB").value("pumba") == "pumba"


@given(st.floats(0, 100), st.floats(0, 100), st.randoms(use_true_random=False))
def test_what_is_drawn_from_a_range_is_inside_it(a, b, rng):
    low, high = sorted((a, b))
    assert low <= Range(low, high).draw(rng) <= high


def test_a_single_number_is_drawn_as_it_is_and_costs_no_randomness():
    rng = random.Random(1)
    before = rng.getstate()
    assert Range(7, 7).draw(rng) == 7
    assert rng.getstate() == before


@pytest.mark.parametrize("name", ["PODS_AFFECTED_PERCENT", "PODS_AFECTED_PERC", "TOTAL_CHAOS_DURATIONS", "TARGET_POD"])
@pytest.mark.parametrize("experiment", catalogue.everything(), ids=lambda experiment: experiment.name)
def test_a_misspelt_tunable_is_refused_with_the_one_that_was_meant(experiment, name):
    meant = {"PODS_AFFECTED_PERCENT", "PODS_AFECTED_PERC"}
    expected = (
        "PODS_AFFECTED_PERC" if name in meant else "TARGET_PODS" if name == "TARGET_POD" else "TOTAL_CHAOS_DURATION"
    )
    if expected not in {tunable.name for tunable in experiment.all_tunables()}:
        return
    with pytest.raises(
        TunableError, match=rf"^{name} is not a tunable of {experiment.name}; did you mean {expected}\?$"
    ):
        tunables.check_names(["CHAOS_INTERVAL", name], experiment.all_tunables(), experiment.name)


@pytest.mark.parametrize(
    "name",
    ["HTTP_PROXY", "PATH", "OTEL_EXPORTER_OTLP_ENDPOINT", "POD_NAME", "EXPERIMENT_NAME", "CHAOS_UID", "KILL_COUNT"],
)
@pytest.mark.parametrize("experiment", catalogue.everything(), ids=lambda experiment: experiment.name)
def test_a_variable_that_is_near_no_tunable_is_somebodys_own_business(experiment, name):
    tunables.check_names([name], experiment.all_tunables(), experiment.name)


# The variables of the original's charts, 1.10 and 3.x (reference, section 4).
OF_THE_FIELD = {
    "pod-delete": "TOTAL_CHAOS_DURATION RAMP_TIME FORCE CHAOS_INTERVAL PODS_AFFECTED_PERC LIB LIB_IMAGE TARGET_PODS "
    "SEQUENCE TARGET_CONTAINER NODE_LABEL KILL_COUNT INSTANCE_ID DEFAULT_HEALTH_CHECK RANDOMNESS",
    "pod-autoscaler": "TOTAL_CHAOS_DURATION RAMP_TIME REPLICA_COUNT LIB APP_AFFECT_PERC DEFAULT_HEALTH_CHECK",
    "node-drain": "TARGET_NODE NODE_LABEL APP_NODE TOTAL_CHAOS_DURATION LIB RAMP_TIME LIVENESS_APP_LABEL "
    "LIVENESS_APP_NAMESPACE DEFAULT_HEALTH_CHECK",
    "node-taint": "TARGET_NODE NODE_LABEL APP_NODE TOTAL_CHAOS_DURATION LIB RAMP_TIME TAINTS DEFAULT_HEALTH_CHECK",
    "container-kill": "TARGET_CONTAINER RAMP_TIME LIB TARGET_PODS CHAOS_INTERVAL SOCKET_PATH CONTAINER_RUNTIME SIGNAL "
    "TOTAL_CHAOS_DURATION PODS_AFFECTED_PERC LIB_IMAGE SEQUENCE NODE_LABEL CONTAINER_PATH DEFAULT_HEALTH_CHECK",
}


@pytest.mark.parametrize("experiment", catalogue.everything(), ids=lambda experiment: experiment.name)
def test_no_variable_of_the_originals_charts_is_taken_for_a_misspelling(experiment):
    tunables.check_names(OF_THE_FIELD.get(experiment.name, "").split(), experiment.all_tunables(), experiment.name)
