"""`litmus hub list` and `show`: the catalogue on a terminal and for programs."""

import json

import pytest

from litmus.cli import app, hub, hubs, terminal
from litmus.experiments import catalogue

NAMES = sorted(experiment.name for experiment in catalogue.everything())


def test_a_list_has_a_line_for_each_experiment(capsys: pytest.CaptureFixture[str]):
    assert app.main(["hub", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == NAMES
    assert all(line.endswith(".") for line in lines)


def test_a_list_on_a_terminal_is_broken_below_the_sentences(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(terminal, "width", lambda: 60)
    lines = list(hub.listing([(group, hub.matching(group, "")) for group in hubs.named("").groups]))
    assert max(map(len, lines)) <= 60
    assert [line.split()[0] for line in lines if not line.startswith(" ")] == NAMES


def test_a_list_for_programs_is_json(capsys: pytest.CaptureFixture[str]):
    assert app.main(["hub", "list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [entry["name"] for entry in listed] == NAMES
    assert next(e for e in listed if e["name"] == "container-kill")["privileges"] == ["hostPID", "capability KILL"]


@pytest.mark.parametrize("name", NAMES)
def test_an_experiment_is_shown_with_every_tunable_that_has_an_effect(name: str):
    experiment = catalogue.find(name)
    lines = list(hub.lines(experiment, width=80))
    text = "\n".join(lines)
    for tunable in experiment.all_tunables():
        assert (f"\n  {tunable.name}=" in text) != tunable.unneeded
    assert max(map(len, lines)) <= 80
    assert "Proven by: " in text
    assert "Undone: " in text


def test_an_experiment_for_programs_has_its_tunables(capsys: pytest.CaptureFixture[str]):
    assert app.main(["hub", "show", "pod-delete", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    force = next(tunable for tunable in shown["tunables"] if tunable["name"] == "FORCE")
    assert (force["default"], force["chart"], force["allowed"]) == ("false", "true", "true, false")


def test_an_experiment_that_is_not_there_is_a_mistake_of_the_command(capsys: pytest.CaptureFixture[str]):
    assert app.main(["hub", "show", "pod-delte"]) == 4
    assert "did you mean pod-delete?" in capsys.readouterr().err
    assert app.main(["hub", "show", "zzz"]) == 4
    assert "there is no experiment 'zzz' in the hub. Known: " in capsys.readouterr().err
