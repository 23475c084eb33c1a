"""`litmus hub add`, `sync`, `sources`, `remove` and `lint`, as a user calls them."""

import json
import re
from pathlib import Path

import pytest

from litmus.cli import app
from tests.hub import others


@pytest.fixture(autouse=True)
def _own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("LITMUS_HUBS", raising=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return others.write(tmp_path / "mine", others.of_1_10("a", "b"))


def test_a_hub_is_added_listed_synced_and_removed(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert app.main(["hub", "add", "mine", str(folder)]) == 0
    assert re.fullmatch(r"Added mine: 2 experiments at [0-9a-f]{12}\.\n", capsys.readouterr().out)
    assert app.main(["hub", "sources"]) == 0
    heading, line = capsys.readouterr().out.splitlines()
    assert heading.split() == ["NAME", "AVAILABLE", "EXPERIMENTS", "LAST", "SYNC", "SOURCE"]
    assert [word for i, word in enumerate(line.split()) if i != 3] == ["mine", "yes", "2", str(folder)]
    assert app.main(["hub", "sync"]) == 0
    assert capsys.readouterr().out.startswith("mine: unchanged, 2 experiments")
    others.write(folder, others.of_1_10("a", "b", "c"))
    assert app.main(["hub", "sync", "mine"]) == 0
    assert capsys.readouterr().out.startswith("mine: new, 3 experiments")
    assert app.main(["hub", "remove", "mine"]) == 0
    assert capsys.readouterr().out.startswith("Removed mine.")
    assert app.main(["hub", "sources"]) == 0
    assert capsys.readouterr().out.startswith("No hub was added as yet")


def test_the_experiments_of_an_added_hub_are_listed(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert app.main(["hub", "add", "mine", str(folder)]) == 0
    capsys.readouterr()
    assert app.main(["hub", "list", "--hub", "mine"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["a", "b"]


def test_a_broken_chart_is_named_when_its_hub_is_added(folder: Path, capsys: pytest.CaptureFixture[str]):
    others.write(folder, {"charts/queues/a/engine.yaml": "kind: [\n"})
    assert app.main(["hub", "add", "mine", str(folder)]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.endswith("1 of which can't be used.")
    assert second.startswith("  charts/queues/a/engine.yaml:2: not YAML: ")
    assert app.main(["hub", "sources", "--json"]) == 0
    [state] = json.loads(capsys.readouterr().out)
    assert (state["name"], state["available"], state["experiments"]) == ("mine", True, 2)
    assert [(p["file"], p["line"], p["severity"]) for p in state["problems"]] == [
        ("charts/queues/a/engine.yaml", 2, "error")
    ]


def test_a_sync_that_fails_is_told_with_its_reason(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert app.main(["hub", "add", "mine", str(folder)]) == 0
    folder.rename(folder.with_name("away"))
    capsys.readouterr()
    assert app.main(["hub", "sync"]) == 2
    assert "mine: failed, the state of before stays: " in capsys.readouterr().out
    assert app.main(["hub", "sources"]) == 0
    assert "mine: the last sync failed: " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "status", "sentence"),
    [
        (["add", "litmus", "/x"], 4, "litmus is the hub of this installation"),
        (["add", "x", "/nowhere"], 2, "x was not added: /nowhere is not there"),
        (["add", "x", "https://h/y", "--token-env", "NOT_SET"], 2, "the variable NOT_SET holds no token"),
        (["add", "x", "https://u:s3cret@h/y"], 2, "has a password in it"),
        (["add", "x", "git@h:y", "--ssh-key", "/nowhere"], 2, "there is no such file"),
        (["sync", "x"], 4, "there is no hub 'x'"),
        (["remove", "x"], 4, "there is no hub 'x'"),
        (["lint", "/nowhere"], 4, "/nowhere is no folder"),
    ],
)
def test_a_mistake_is_one_sentence(
    words: list[str], status: int, sentence: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("NOT_SET", raising=False)
    assert app.main(["hub", *words]) == status
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1
    assert "s3cret" not in said


def test_lint_says_file_and_line_as_an_editor_finds_them(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert app.main(["hub", "lint", str(folder)]) == 0
    assert capsys.readouterr().out == f"{folder}: nothing to complain about\n"
    engine = folder / "charts/queues/a/engine.yaml"
    engine.write_text(engine.read_text().replace("- name: a\n", "- name: b\n").replace("monitoring", "x"))
    assert app.main(["hub", "lint", str(folder)]) == 1
    [line] = capsys.readouterr().out.splitlines()
    assert line.startswith(f"{engine}:16: spec.experiments[0].name: 'b' is another experiment")
    assert app.main(["hub", "lint", "--json", str(folder / "charts/queues/a")]) == 1
    [problem] = json.loads(capsys.readouterr().out)
    assert (problem["file"], problem["line"], problem["severity"]) == ("engine.yaml", 16, "error")


def test_a_warning_is_printed_and_is_no_failure(folder: Path, capsys: pytest.CaptureFixture[str]):
    engine = folder / "charts/queues/a/engine.yaml"
    engine.write_text(engine.read_text().replace("annotationCheck", "annotationChek"))
    assert app.main(["hub", "lint", str(folder)]) == 0
    assert f"{engine}:7: warning: spec.annotationChek: unknown field" in capsys.readouterr().out


def test_our_own_charts_have_nothing_to_complain_about(capsys: pytest.CaptureFixture[str]):
    charts = Path(__file__).parents[2] / "charts"
    assert app.main(["hub", "lint", str(charts.parent)]) == 0, capsys.readouterr().out
