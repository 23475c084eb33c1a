"""What the six stress experiments ask of their mechanisms, and what they refuse before anything is touched."""

import msgspec
import pytest

from litmus.experiments import catalogue, tunables, verdicts
from litmus.kube.objects import Node, Pod
from tests import samples
from tests.experiments import stage

PODS = ("pod-cpu-hog", "pod-memory-hog", "pod-io-stress")
NODES = ("node-cpu-hog", "node-memory-hog", "node-io-stress")
MIB = 1 << 20


def pod() -> Pod:
    return msgspec.convert(samples.pod("web-1"), Pod)


def node() -> Node:
    return msgspec.convert({"metadata": {"name": "node1", "uid": "n-1"}}, Node)


def aim(name: str, **env: str):
    experiment = catalogue.find(name)
    values = stage.values(experiment, **env)
    if name in PODS:
        (found,) = experiment.aims(pod(), values)
        return found
    return experiment.aim(node(), values)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("pod-cpu-hog", {"workers": 1, "load_percent": 100}),
        ("pod-memory-hog", {"workers": 1, "bytes": 500 * MIB}),
        ("pod-io-stress", {"workers": 4, "bytes": 0, "percent": 10, "path": ""}),
        ("node-cpu-hog", {"workers": 0, "load_percent": 100}),
        ("node-memory-hog", {"workers": 1, "bytes": 0, "percent": 90}),
        ("node-io-stress", {"workers": 4, "sync_workers": 4, "bytes": 0, "percent": 10}),
    ],
)
def test_what_is_asked_by_default_is_what_the_original_asks(name, expected):
    parameters = dict(aim(name).parameters)
    assert parameters.pop("duration_s") == 3600
    assert parameters.pop("ramp_s") == 0
    if name in PODS:
        assert len(parameters.pop("container_id")) == 64
    assert parameters == expected


@pytest.mark.parametrize(
    ("name", "duration"),
    [
        ("pod-cpu-hog", "60"),
        ("pod-memory-hog", "60"),
        ("pod-io-stress", "120"),
        ("node-cpu-hog", "60"),
        ("node-memory-hog", "120"),
        ("node-io-stress", "120"),
    ],
)
def test_the_charts_duration_is_that_of_the_original(name, duration):
    (found,) = [tunable for tunable in catalogue.find(name).tunables if tunable.name == "TOTAL_CHAOS_DURATION"]
    assert found.chart == duration


@pytest.mark.parametrize("name", [*PODS, *NODES])
def test_the_parameters_are_those_of_the_mechanism(name):
    from litmus.faults import command

    mechanism = command.mechanism_class(catalogue.find(name).mechanism)
    mechanism(fault_id="x-1", **aim(name).parameters)


@pytest.mark.parametrize("name", ["pod-io-stress", "node-io-stress"])
@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({"FILESYSTEM_UTILIZATION_BYTES": "2"}, {"bytes": 2048 * MIB, "percent": 0}),
        ({"FILESYSTEM_UTILIZATION_BYTES": "0.5", "FILESYSTEM_UTILIZATION_PERCENTAGE": "0"}, {"bytes": 512 * MIB}),
        ({"FILESYSTEM_UTILIZATION_PERCENTAGE": "25"}, {"bytes": 0, "percent": 25}),
        ({"FILESYSTEM_UTILIZATION_PERCENTAGE": "25", "FILESYSTEM_UTILIZATION_BYTES": "0"}, {"bytes": 0, "percent": 25}),
        ({"FILESYSTEM_UTILIZATION_PERCENTAGE": "0", "FILESYSTEM_UTILIZATION_BYTES": "0"}, {"percent": 10}),
    ],
)
def test_a_size_is_given_in_one_way_and_0_is_not_given(name, env, expected):
    parameters = aim(name, **env).parameters
    assert {key: parameters[key] for key in expected} == expected


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({"MEMORY_PERCENTAGE": "50"}, {"percent": 50}),
        ({"MEMORY_CONSUMPTION_PERCENTAGE": "50"}, {"percent": 50}),
        ({"MEMORY_CONSUMPTION_MEBIBYTES": "300"}, {"bytes": 300 * MIB, "percent": 0}),
        ({"MEMORY_CONSUMPTION_MEBIBYTES": "300", "MEMORY_CONSUMPTION_PERCENTAGE": "0"}, {"bytes": 300 * MIB}),
    ],
)
def test_the_node_memory_hog_knows_the_names_of_both_releases(env, expected):
    parameters = aim("node-memory-hog", **env).parameters
    assert {key: parameters[key] for key in expected} == expected


@pytest.mark.parametrize(
    ("name", "env", "said"),
    [
        (
            "pod-io-stress",
            {"FILESYSTEM_UTILIZATION_PERCENTAGE": "10", "FILESYSTEM_UTILIZATION_BYTES": "1"},
            "FILESYSTEM_UTILIZATION_PERCENTAGE=10, FILESYSTEM_UTILIZATION_BYTES=1024 MiB: "
            "FILESYSTEM_UTILIZATION_PERCENTAGE and FILESYSTEM_UTILIZATION_BYTES can't both be given; "
            "set one of them, and the other one to 0",
        ),
        (
            "node-memory-hog",
            {"MEMORY_PERCENTAGE": "10", "MEMORY_CONSUMPTION_PERCENTAGE": "20"},
            "MEMORY_PERCENTAGE=10, MEMORY_CONSUMPTION_PERCENTAGE=20: "
            "MEMORY_PERCENTAGE and MEMORY_CONSUMPTION_PERCENTAGE can't both be given; "
            "set one of them, and the other one to 0",
        ),
        ("pod-memory-hog", {"MEMORY_CONSUMPTION": "0"}, "MEMORY_CONSUMPTION='0': must be above 0"),
        (
            "pod-cpu-hog",
            {"STRESS_RAMP_TIME": "60", "TOTAL_CHAOS_DURATION": "60"},
            "STRESS_RAMP_TIME=60: must be shorter than TOTAL_CHAOS_DURATION, which is 60 s",
        ),
        (
            "pod-cpu-hog",
            {"TARGET_CONTAINER": "nope"},
            "TARGET_CONTAINER='nope': pod web-1 has no such container, only web",
        ),
    ],
)
def test_what_can_not_be_done_is_refused_in_a_sentence(name, env, said):
    with pytest.raises(verdicts.CannotRun) as caught:
        aim(name, **env)
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("name", "tunable", "value", "allowed"),
    [
        ("pod-cpu-hog", "CPU_CORES", "-1", "must be a whole number from 0 to 4096"),
        ("pod-cpu-hog", "CPU_CORES", "1.5", "must be a whole number from 0 to 4096"),
        ("pod-cpu-hog", "CPU_LOAD", "101", "must be a percentage from 1 to 100"),
        ("pod-cpu-hog", "CPU_LOAD", "0", "must be a percentage from 1 to 100"),
        ("pod-cpu-hog", "CPU_LOAD", "nan", "must be a percentage from 1 to 100"),
        ("pod-memory-hog", "MEMORY_CONSUMPTION", "500Mi", "must be a number of MiB above 0, without a unit, such as"),
        ("pod-memory-hog", "MEMORY_CONSUMPTION", "inf", "must be a number of MiB above 0"),
        ("pod-memory-hog", "NUMBER_OF_WORKERS", "0", "must be a whole number from 1 to 4096"),
        ("node-memory-hog", "MEMORY_PERCENTAGE", "120", "must be a percentage above 0 and up to 100"),
        ("pod-io-stress", "FILESYSTEM_UTILIZATION_PERCENTAGE", "101", "must be a percentage above 0 and up to 100"),
        ("pod-io-stress", "FILESYSTEM_UTILIZATION_BYTES", "-1", "must be a number of GiB above 0"),
        ("pod-io-stress", "VOLUME_MOUNT_PATH", "data", "must be the absolute path of a folder in the container"),
        ("pod-io-stress", "VOLUME_MOUNT_PATH", "/data/../..", "must be the absolute path of a folder in the container"),
    ],
)
def test_a_value_that_is_not_allowed_is_refused_with_what_is(name, tunable, value, allowed):
    with pytest.raises(tunables.TunableError) as caught:
        aim(name, **{tunable: value})
    assert str(caught.value).startswith(f"{tunable}={value!r}: {allowed}")


def test_what_only_the_originals_mechanism_needs_is_accepted_and_has_no_effect():
    kill = "kill -9 $(ps afx | grep \"[md5sum] /dev/zero\" | awk '{print $1}' | tr '\\n' ' ')"
    with_all = aim("pod-cpu-hog", CHAOS_INJECT_COMMAND="md5sum /dev/zero", CHAOS_KILL_COMMAND=kill, CHAOS_INTERVAL="10")
    assert with_all.parameters == aim("pod-cpu-hog").parameters
