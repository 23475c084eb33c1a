"""Experiment files: ours by the names of the original, and those of users."""

import json

import pytest

from litmus.experiments import verdicts
from litmus.experiments.toolkit import files

OURS = ["pod-app-kill-all.json", "pod-app-kill-count.json", "pod-app-kill-health.json", "pod-app-kill-percentage.json"]
DOCUMENT = {"title": "mine", "method": [{"type": "action"}], "steady-state-hypothesis": {"title": "t", "probes": []}}


async def read(cluster, name, *, config_map="", family="pod"):
    return await files.read(cluster, name, config_map=config_map, namespace="shop", family=family)


def test_the_names_are_those_of_the_original():
    assert files.ours("pod") == [*OURS, *(name.replace("app", "custom") for name in OURS)]
    assert files.ours("service") == ["service-app-kill-count.json", "service-app-kill-health.json"]


@pytest.mark.parametrize("family", ["pod", "service"])
async def test_the_toolkit_itself_finds_ours_valid(cluster, family, monkeypatch):
    experiment = pytest.importorskip("chaoslib.experiment")
    for name in files.ours(family):
        document = await read(cluster, name, family=family)
        env = dict.fromkeys(files.variables(document), "1")
        for variable, value in env.items():
            monkeypatch.setenv(variable, value)
        experiment.ensure_experiment_is_valid(document)
        assert files.hits(document) != "unknown"


async def test_a_path_is_read(cluster, tmp_path):
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(DOCUMENT))
    assert await read(cluster, str(path)) == DOCUMENT
    assert files.hits(DOCUMENT) == "unknown"


@pytest.mark.parametrize("key", ["mine.json", "pod-app-kill-count.json"])
async def test_a_config_map_is_read_by_its_key_or_its_only_one(server, cluster, key):
    server.put("configmaps", {"metadata": {"name": "mine"}, "data": {"mine.json": json.dumps(DOCUMENT)}})
    assert await read(cluster, key, config_map="mine") == DOCUMENT


@pytest.mark.parametrize(
    ("name", "config_map", "sentence"),
    [
        ("other.json", "", "FILE='other.json': must be one of pod-app-kill-all.json"),
        ("service-app-kill-count.json", "", "must be one of pod-"),
        ("/nowhere/x.json", "", "FILE='/nowhere/x.json': can't be read"),
        ("x", "absent", "CONFIGMAP='absent': .*not found"),
        ("x", "two", "CONFIGMAP='two': has no key x; set FILE to one of a, b"),
        ("a", "two", "CONFIGMAP='two': is not JSON"),
        ("b", "two", "has no steady-state-hypothesis"),
    ],
)
async def test_what_is_no_experiment_is_refused_with_what_is_allowed(server, cluster, name, config_map, sentence):
    server.put("configmaps", {"metadata": {"name": "two"}, "data": {"a": "{", "b": json.dumps({"method": [1]})}})
    with pytest.raises(verdicts.CannotRun, match=sentence):
        await read(cluster, name, config_map=config_map)


def test_an_activity_is_repeated_for_each_value_with_one_pause_at_the_end():
    delete = {"name": "d", "arguments": {"name": "${service_name}"}, "pauses": {"after": 5}}
    made = files.for_each({"method": [delete, {"name": "look"}]}, "service_name", ["a", "b"])["method"]
    assert [activity.get("arguments", {}).get("name") for activity in made] == ["a", "b", None]
    assert [activity.get("pauses") for activity in made] == [None, {"after": 5}, None]
