"""`litmus hub list` and `show`: the catalogue on a terminal and for programs."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import pytest

from litmus.cli import app, hub, hubs, terminal
from litmus.experiments import catalogue
from litmus.hub import model
from tests.cli import other_hub

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


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("network", [name for name in NAMES if "network" in name]),
        ("NETWORK loss", ["pod-network-loss"]),
        ("generic kubelet", ["kubelet-service-kill"]),
    ],
)
def test_a_search_finds_what_has_all_of_its_words(words: str, expected: list[str], capsys: pytest.CaptureFixture[str]):
    assert app.main(["hub", "list", "--search", words]) == 0
    found = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert set(expected) <= set(found)
    assert "pod-delete" not in found


def test_a_search_that_finds_nothing_says_so_and_is_no_mistake(capsys: pytest.CaptureFixture[str]):
    assert app.main(["hub", "list", "--search", "zzz"]) == 0
    assert capsys.readouterr().out == "The hub has no experiment with 'zzz'.\n"
    assert app.main(["hub", "list", "--search", "zzz", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_a_category_that_is_not_there_is_a_mistake_of_the_command(capsys: pytest.CaptureFixture[str]):
    assert app.main(["hub", "list", "--category", "gneric"]) == 4
    assert "the hub has no 'gneric'; did you mean generic?" in capsys.readouterr().err


def test_help_is_in_the_language_that_is_asked_for(capsys: pytest.CaptureFixture[str]):
    assert app.main(["hub", "list", "--search", "pod-delete", "--lang", "ja"]) == 0
    assert "Pod" in (shown := capsys.readouterr().out)
    assert not shown.isascii()


def several(**changes: object) -> model.Hub:
    """Two groups, a chart that can't be used, and a sync that failed."""
    hub = other_hub.theirs(**changes)
    problem = model.Problem("faults/sky/rain/fault.yaml", 7, "is no YAML")
    broken = model.Chart(group="sky", name="rain", title="Rain", help="Wets.", problems=(problem,))
    fine = model.Chart(group="sky", name="hail", title="Hail", help="Hurts.")
    sky = model.Group(name="sky", title="Sky", help="", charts=(broken, fine))
    failed = model.Problem("a test", 0, "does not answer")
    return dataclasses.replace(hub, groups=(*hub.groups, sky), problems=(failed,))


@pytest.fixture
def added(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hubs, "named", lambda name, **_: several())


@pytest.mark.usefixtures("added")
def test_groups_have_headings_where_there_are_several_and_a_broken_chart_has_its_error(
    capsys: pytest.CaptureFixture[str],
):
    assert app.main(["hub", "list", "--hub", "theirs"]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        "Ground (ground):",
        "  quake  Shakes.",
        "",
        "Sky (sky):",
        "  hail   Hurts.",
        "  rain   ✗ faults/sky/rain/fault.yaml:7: is no YAML",
    ]
    assert err == "! the hub theirs: a test: does not answer\n"


@pytest.mark.usefixtures("added")
def test_a_category_alone_needs_no_heading(capsys: pytest.CaptureFixture[str]):
    assert app.main(["hub", "list", "--hub", "theirs", "--category", "sky"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["hail", "rain"]


@pytest.mark.usefixtures("added")
def test_a_broken_chart_is_shown_with_its_error(capsys: pytest.CaptureFixture[str]):
    assert app.main(["hub", "show", "sky/rain", "--hub", "theirs"]) == 0
    assert "✗ faults/sky/rain/fault.yaml:7: is no YAML" in capsys.readouterr().out


def test_a_chart_of_others_is_shown_with_all_that_its_files_say(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    told = several(
        version="1.2.3",
        platforms=("GKE", "EKS"),
        maintainers=(model.Maintainer("Ann", "ann@example.org"),),
        links=(model.Link("source", "https://example.org/quake"),),
        variables=(model.Variable(name="MAGNITUDE", value="5", help="How strong it is.", allowed="1 to 9"),),
    )
    monkeypatch.setattr(hubs, "named", lambda name, **_: told)
    assert app.main(["hub", "show", "quake", "--hub", "theirs"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "quake: Shakes.",
        "",
        "Title: Quake",
        "Category: ground",
        "Version: 1.2.3",
        "Platforms: GKE, EKS",
        "Maintainers: Ann <ann@example.org>",
        "Links: https://example.org/quake",
        "",
        "Tunables, as variables of the engine:",
        "  MAGNITUDE=5",
        "      How strong it is. Allowed: 1 to 9.",
    ]
    assert app.main(["hub", "show", "quake", "--hub", "theirs", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["tunables"][0]["name"] == "MAGNITUDE"
    assert "proof" not in shown


def test_a_name_that_two_groups_have_is_asked_for_with_its_group(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    hub_ = several()
    twice = dataclasses.replace(hub_.groups[0].charts[0], group="sky", help="Shakes from above.")
    sky = dataclasses.replace(hub_.groups[1], charts=(twice,))
    monkeypatch.setattr(hubs, "named", lambda name, **_: dataclasses.replace(hub_, groups=(hub_.groups[0], sky)))
    assert app.main(["hub", "show", "quake", "--hub", "theirs"]) == 4
    assert "name one of ground/quake, sky/quake" in capsys.readouterr().err
    assert app.main(["hub", "show", "sky/quake", "--hub", "theirs"]) == 0
    assert "Shakes from above." in capsys.readouterr().out


def test_of_a_hub_that_was_never_fetched_the_reason_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    empty = dataclasses.replace(several(), groups=())
    monkeypatch.setattr(hubs, "named", lambda name, **_: empty)
    assert app.main(["hub", "show", "quake", "--hub", "theirs"]) == 2
    assert "the hub theirs has no experiments: a test: does not answer" in capsys.readouterr().err
    assert app.main(["hub", "list", "--hub", "theirs"]) == 0
    assert capsys.readouterr() == (
        "The hub theirs has no experiments.\n",
        "! the hub theirs: a test: does not answer\n",
    )


def test_a_hub_that_was_not_added_is_a_mistake_of_the_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("LITMUS_HUBS", str(tmp_path / "hubs.yaml"))
    assert app.main(["hub", "list", "--hub", "nobodys"]) == 4
    assert "nobodys" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["list", "show pod-delete", "get pod-delete", "init new-fault --dir {folder}"])
def test_nothing_of_the_servers_extra_is_needed_on_a_terminal(command: str, tmp_path: Path):
    extra = ("litestar", "uvicorn", "jinja2")
    script = (
        "import sys\n"
        f"sys.modules.update(dict.fromkeys({extra!r}))\n"  # as if they were not installed
        "from litmus.cli import app\n"
        "sys.exit(app.main(sys.argv[1:]))"
    )
    arguments = ["hub", *command.format(folder=tmp_path).split()]
    done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
