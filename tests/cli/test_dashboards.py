"""``litmus dashboards export``: what it writes, and what it leaves alone."""

import json
from pathlib import Path

import pytest

from litmus.cli import app, dashboards, failures
from litmus.exporter import dashboards as generated

OVERVIEW = "dashboards/litmus-overview.json"


def written(folder: Path) -> dict[str, str]:
    files = (file for file in folder.rglob("*") if file.is_file() and not file.name.startswith("."))
    return {str(file.relative_to(folder)): file.read_text() for file in files}


def test_everything_that_grafana_needs_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    folder = tmp_path / "grafana"

    assert app.main(["dashboards", "export", "--dir", str(folder)]) == 0

    assert written(folder) == generated.files()
    assert f"{folder / OVERVIEW} created" in capsys.readouterr().out


def test_again_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    dashboards.export(dir=tmp_path)
    capsys.readouterr()

    assert dashboards.export(dir=tmp_path) == 0

    assert {line.rpartition(" ")[2] for line in capsys.readouterr().out.splitlines()} == {"unchanged"}


def test_files_of_an_earlier_release_are_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    old = {name: text + " " for name, text in generated.files().items()}
    with monkeypatch.context() as then:
        then.setattr(generated, "files", lambda **_: old)
        dashboards.export(dir=tmp_path)

    assert dashboards.export(dir=tmp_path) == 0

    assert written(tmp_path) == generated.files()


def test_a_file_of_somebody_else_is_refused_and_nothing_is_written(tmp_path: Path):
    (tmp_path / "dashboards").mkdir()
    (tmp_path / OVERVIEW).write_text("mine")

    with pytest.raises(failures.Failed, match=rf"not ours or were changed: {OVERVIEW}.*--overwrite {OVERVIEW}"):
        dashboards.export(dir=tmp_path)

    assert written(tmp_path) == {OVERVIEW: "mine"}


def test_a_file_of_ours_that_was_changed_is_somebody_elses(tmp_path: Path):
    dashboards.export(dir=tmp_path)
    (tmp_path / OVERVIEW).write_text("changed")

    with pytest.raises(failures.Failed, match="were changed"):
        dashboards.export(dir=tmp_path)

    assert (tmp_path / OVERVIEW).read_text() == "changed"


def test_a_file_that_is_named_is_replaced(tmp_path: Path):
    (tmp_path / "dashboards").mkdir()
    (tmp_path / OVERVIEW).write_text("mine")
    (tmp_path / "dashboards/mine.json").write_text("mine too")

    assert dashboards.export(dir=tmp_path, overwrite=(OVERVIEW,)) == 0

    assert written(tmp_path) == {**generated.files(), "dashboards/mine.json": "mine too"}


def test_a_list_of_our_files_that_cannot_be_read_makes_nothing_ours(tmp_path: Path):
    dashboards.export(dir=tmp_path)
    (tmp_path / ".litmus-dashboards.json").write_text("[")
    (tmp_path / OVERVIEW).write_text("changed")

    with pytest.raises(failures.Failed, match="not ours"):
        dashboards.export(dir=tmp_path)


def test_the_prometheus_and_the_path_of_grafana_stand_in_the_files(tmp_path: Path):
    dashboards.export(dir=tmp_path, prometheus="https://metrics.example", path="/srv/boards")

    assert "url: https://metrics.example" in (tmp_path / "provisioning/datasources/litmus.yaml").read_text()
    assert "path: /srv/boards" in (tmp_path / "provisioning/dashboards/litmus.yaml").read_text()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--prometheus", "metrics:9090"], "--prometheus: 'metrics:9090' is no address"),
        (["--overwrite", "x.json"], "--overwrite: x.json is none of the files that are written"),
    ],
)
def test_a_mistake_in_an_option_is_one_sentence(
    tmp_path: Path, options: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
):
    assert app.main(["dashboards", "export", "--dir", str(tmp_path), *options]) == failures.USAGE

    assert sentence in capsys.readouterr().err
    assert written(tmp_path) == {}


def test_a_folder_that_is_a_file_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "grafana").write_text("")

    assert app.main(["dashboards", "export", "--dir", str(tmp_path / "grafana")]) != 0

    [line] = capsys.readouterr().err.splitlines()
    assert "can't be written" in line


def test_the_files_are_what_grafana_reads(tmp_path: Path):
    dashboards.export(dir=tmp_path)

    for file in (tmp_path / "dashboards").iterdir():
        assert json.loads(file.read_text())["uid"] == file.stem
