"""``litmus tutorial`` around the course: its options, its sandbox, its progress and how it ends."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from litmus.cli import app, tutorial
from litmus.sandbox.lifecycle import folder as folders
from litmus.sandbox.lifecycle import launch
from litmus.tutorial import course, progress, texts


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where sandboxes lie; the language is that of the options."""
    monkeypatch.setenv("LITMUS_SANDBOX_HOME", str(tmp_path))
    for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(variable, raising=False)
    return tmp_path


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Sandboxes that the course starts and ends, without starting any."""
    said: list[str] = []

    def start(folder: folders.Folder, settings: folders.Settings) -> None:
        said.append(f"up {settings.name}")
        folder.path.mkdir()

    def down(folder: folders.Folder) -> bool:
        said.append("down")
        there = folder.path.exists()
        for file in sorted(folder.path.rglob("*"), reverse=True):
            file.rmdir() if file.is_dir() else file.unlink()
        if there:
            folder.path.rmdir()
        return there

    monkeypatch.setattr(tutorial.sandbox, "start", start)
    monkeypatch.setattr(tutorial.launch, "down", down)
    return said


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch, home: Path) -> Path:
    """The folder of a course whose sandbox runs."""
    folder = folders.Folder(home / tutorial.NAME)
    folder.path.mkdir()

    def look(looked_at: folders.Folder) -> launch.State:
        return launch.State(looked_at, folders.Settings(name=tutorial.NAME), running=True)

    monkeypatch.setattr(tutorial.launch, "look", look)
    return folder.path


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nobody types: the first prompt is the end of the input."""
    with Path(os.devnull).open() as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        yield


def run(*arguments: str) -> int:
    return app.main(["tutorial", *arguments])


def words(capsys: pytest.CaptureFixture[str]) -> str:
    return " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_the_list_has_every_step(language: str, capsys: pytest.CaptureFixture[str]):
    assert run("--list", "--language", language) == 0
    rows = [line.split(maxsplit=2) for line in capsys.readouterr().out.splitlines()]
    assert [row[:2] for row in rows] == [[str(number), step.id] for number, step in enumerate(course.STEPS, start=1)]
    titles = texts.load(language).steps
    assert [row[2] for row in rows] == [titles[step.id].title for step in course.STEPS]


def test_the_list_shows_where_the_learner_is(running: Path, capsys: pytest.CaptureFixture[str]):
    progress.save(running, progress.Progress(step="plan"))
    assert run("--list") == 0
    (here,) = [line for line in capsys.readouterr().out.splitlines() if "you are here" in line]
    assert here.split()[1] == "plan"


def test_the_language_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setenv("LANG", "ja_JP.UTF-8")
    assert run("--end") == 0
    assert capsys.readouterr().out == "  コースのサンドボックスはありません。\n"


def test_a_language_that_is_not_spoken_is_refused(capsys: pytest.CaptureFixture[str]):
    assert run("--language", "fr") == 4
    assert '"en", "ja"' in capsys.readouterr().err


@pytest.mark.parametrize("word", ["nowhere", "0", "15", "-1"])
def test_a_step_that_is_none_is_refused_with_those_that_there_are(word: str, capsys: pytest.CaptureFixture[str]):
    assert run(f"--from={word}") == 4
    assert f"--from {word}: no such step; there are sandbox, application," in capsys.readouterr().err


@pytest.mark.parametrize("word", ["plan", "8"])
def test_a_step_has_a_name_and_a_number(word: str):
    assert course.STEPS[course.find(word) or 0].id == "plan"


@pytest.mark.usefixtures("silent")
def test_a_first_sitting_starts_the_sandbox_and_leaves_it_up(
    started: list[str], home: Path, capsys: pytest.CaptureFixture[str]
):
    assert run() == 0
    shown = words(capsys)
    assert started == ["up tutorial"]
    assert "── 1/14 A cluster that may be broken" in shown
    assert f"export KUBECONFIG={home}/tutorial/kubeconfig" in shown
    assert "Go on with `litmus tutorial`" in shown
    assert (home / "tutorial" / "course" / "engine.yaml").is_file()


@pytest.mark.usefixtures("silent")
def test_a_later_sitting_goes_on_where_the_learner_left(
    running: Path, started: list[str], capsys: pytest.CaptureFixture[str]
):
    progress.save(running, progress.Progress(step="run"))
    assert run() == 0
    shown = words(capsys)
    assert started == []
    assert "You left at step 9, “The experiment”" in shown
    assert "── 9/14" in shown
    assert "── 1/14" not in shown


@pytest.mark.usefixtures("silent")
def test_a_sandbox_that_died_is_cleared_and_said(started: list[str], home: Path, capsys: pytest.CaptureFixture[str]):
    folder = folders.Folder(home / tutorial.NAME)
    folder.make()
    folder.save(folders.Settings(name=tutorial.NAME))
    progress.save(folder.path, progress.Progress(step="kill"))
    assert run() == 0
    shown = words(capsys)
    assert started == ["down", "up tutorial"]
    assert "`litmus tutorial --from kill` takes you there" in shown
    assert "── 1/14" in shown


def test_the_end_removes_the_sandbox(started: list[str], running: Path, capsys: pytest.CaptureFixture[str]):
    assert run("--end") == 0
    assert started == ["down"]
    assert not running.exists()
    assert "is removed" in capsys.readouterr().out


def test_auto_does_not_take_the_sandbox_of_a_learner(running: Path, capsys: pytest.CaptureFixture[str]):
    assert run("--auto") == 2
    assert "a course is under way" in capsys.readouterr().err
    assert running.exists()


def test_auto_removes_its_sandbox_also_when_a_check_fails(
    started: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """The cluster that was not really started does not answer."""
    monkeypatch.setattr(
        tutorial.shell, "environment", lambda kubeconfig: {"PATH": os.environ["PATH"], "KUBECONFIG": "/"}
    )
    monkeypatch.setattr(tutorial, "_expect_kubectl", lambda: None)
    real = launch.look
    looks = iter([False])
    monkeypatch.setattr(
        tutorial.launch,
        "look",
        lambda folder: launch.State(folder, real(folder).settings, running=next(looks, False)),
    )
    assert run("--auto") == 1
    assert started == ["up tutorial", "down"]
    assert "stopped at a check that did not hold" in words(capsys)


def test_the_help_says_what_there_is():
    done = subprocess.run(
        [sys.executable, "-m", "litmus", "tutorial", "--help"], capture_output=True, text=True, check=True, timeout=60
    )
    for option in ("--language", "--from", "--auto", "--list", "--end"):
        assert option in done.stdout


def test_progress_is_a_small_file_of_the_sandbox(tmp_path: Path):
    progress.save(tmp_path, progress.Progress(step="plan", task=1, facts={"pod": "a"}))
    (file,) = tmp_path.iterdir()
    assert json.loads(file.read_text()) == {"step": "plan", "task": 1, "facts": {"pod": "a"}}
