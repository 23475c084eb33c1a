"""Every experiment is declared in full, and found by its name."""

import re
from importlib import metadata

import pytest

from litmus.experiments import catalogue, tunables
from litmus.experiments.declaration import SMALL_ROLE, USED_BY_EVERY_RUN, Experiment

EVERYTHING = catalogue.everything()
every = pytest.mark.parametrize("experiment", EVERYTHING, ids=lambda experiment: experiment.name)


@pytest.mark.parametrize("name", ["pod-delete", "container-kill"])
def test_an_experiment_is_found_by_its_name(name):
    assert catalogue.find(name).name == name


def test_an_unknown_experiment_is_answered_with_the_one_that_was_meant_and_all_there_are():
    with pytest.raises(catalogue.UnknownExperiment) as caught:
        catalogue.find("pod-delet")
    text = str(caught.value)
    assert "'pod-delet'" in text
    assert "did you mean pod-delete?" in text
    assert "container-kill, " in text


def test_an_experiment_that_resembles_none_is_answered_without_a_suggestion():
    with pytest.raises(catalogue.UnknownExperiment) as caught:
        catalogue.find("zzz")
    assert "did you mean" not in str(caught.value)
    assert "container-kill, " in str(caught.value)


class Earthquake(Experiment):
    name = "earthquake"
    title = "Earthquake"
    help = "Shakes."
    tunables = (tunables.DURATION,)

    async def inject(self, context) -> None: ...


def test_an_experiment_of_another_package_is_found_by_its_entry_point(monkeypatch):
    entry = metadata.EntryPoint("earthquake", "tests.experiments.test_catalogue:Earthquake", catalogue.ENTRY_POINTS)
    monkeypatch.setattr(metadata, "entry_points", lambda **_: metadata.EntryPoints([entry]))
    monkeypatch.setattr(metadata.EntryPoint, "load", lambda _: Earthquake)
    assert isinstance(catalogue.find("earthquake"), Earthquake)
    assert [experiment.name for experiment in catalogue.everything()][-1] == "earthquake"


@every
def test_an_experiment_says_what_it_is(experiment):
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", experiment.name)
    assert experiment.title
    assert experiment.help.endswith(".")
    assert experiment.chart
    assert experiment.scope in ("Namespaced", "Cluster")


@every
def test_every_tunable_is_explained_in_a_sentence(experiment):
    for tunable in experiment.all_tunables():
        assert re.fullmatch(r"[A-Z][A-Z0-9_]*", tunable.name)
        assert tunable.help.endswith("."), tunable.name


@every
def test_a_tunable_that_is_a_number_has_a_unit(experiment):
    for tunable in experiment.all_tunables():
        value = tunable.value(tunable.default)
        if isinstance(value, int | float | tunables.Range) and not isinstance(value, bool):
            assert tunable.unit, tunable.name


@every
def test_no_tunable_is_declared_twice(experiment):
    names = [tunable.name for tunable in experiment.all_tunables()]
    assert len(names) == len(set(names))


@every
def test_the_default_and_the_charts_value_of_a_tunable_can_be_read(experiment):
    for tunable in experiment.all_tunables():
        tunable.value(tunable.default)
        if tunable.chart:
            tunable.value(tunable.chart)


@every
def test_every_experiment_has_the_duration_and_the_ramp_time_that_the_life_cycle_needs(experiment):
    names = {tunable.name for tunable in experiment.all_tunables()}
    assert {"TOTAL_CHAOS_DURATION", "RAMP_TIME", "INSTANCE_ID"} <= names


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "pod-delete",
            {"TOTAL_CHAOS_DURATION": ("30", "15"), "FORCE": ("false", "true"), "CHAOS_INTERVAL": ("10", "5")},
        ),
        ("container-kill", {"TOTAL_CHAOS_DURATION": ("20", "20"), "CHAOS_INTERVAL": ("10", "10")}),
    ],
)
def test_defaults_and_chart_values_are_those_of_the_original(name, expected):
    found = {tunable.name: (tunable.default, tunable.chart) for tunable in catalogue.find(name).tunables}
    assert {key: found[key] for key in expected} == expected


# It deletes Services and puts them back; its role in 1.10 names them, too.
BEYOND = ("k8-service-kill",)


@pytest.mark.parametrize(
    "experiment",
    [one for one in EVERYTHING if one.scope == "Namespaced" and one.name not in BEYOND],
    ids=lambda experiment: experiment.name,
)
def test_a_pod_experiment_asks_for_no_more_than_the_fields_role(experiment):
    """The role of every pod experiment of 1.10, to the letter; what runs are checked for is inside it."""
    assert experiment.permissions == (SMALL_ROLE,)
    for rule in (*USED_BY_EVERY_RUN, *experiment.all_uses):
        assert rule.reason
        assert set(rule.groups) <= set(SMALL_ROLE.groups)
        assert set(rule.resources) <= set(SMALL_ROLE.resources)
        assert set(rule.verbs) <= set(SMALL_ROLE.verbs)


@every
def test_what_a_run_is_checked_for_is_in_its_role_with_a_reason(experiment):
    def rights(rules):
        return {(g, r, v) for rule in rules for g in rule.groups for r in rule.resources for v in rule.verbs}

    assert rights((*USED_BY_EVERY_RUN, *experiment.all_uses)) <= rights(experiment.permissions)
    assert all(rule.reason for rule in (*experiment.all_uses, *experiment.permissions))


@every
def test_who_sends_helper_pods_is_checked_for_the_right_to_do_so(experiment):
    asked = {(r, v) for rule in experiment.all_uses for r in rule.resources for v in rule.verbs}
    assert experiment.needs is None or {("pods", "create"), ("pods", "delete")} <= asked


# Of 1.10: what its code takes where the chart's line is missing or empty (reference, 4.4).
DURATIONS = {
    "container-kill": 20,
    "disk-fill": 60,
    "disk-loss": 15,
    "docker-service-kill": 90,
    "kubelet-service-kill": 90,
    "node-cpu-hog": 30,
    "node-drain": 60,
    "node-io-stress": 120,
    "node-memory-hog": 60,
    "node-taint": 60,
    "pod-autoscaler": 60,
    "pod-cpu-hog": 60,
    "pod-delete": 30,
    "pod-io-stress": 60,
    "pod-memory-hog": 30,
    "pod-network-corruption": 60,
    "pod-network-duplication": 60,
    "pod-network-latency": 60,
    "pod-network-loss": 60,
}


@pytest.mark.parametrize(("name", "seconds"), DURATIONS.items())
def test_without_a_duration_chaos_lasts_as_long_as_in_the_original(name, seconds):
    assert tunables.read(catalogue.find(name).all_tunables(), {})[tunables.DURATION] == seconds
