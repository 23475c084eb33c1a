"""The command line as a whole: what it prints where, and how it ends."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cyclopts import App

from litmus import __version__
from litmus.cli import app, failures
from litmus.kube import errors


def run(*arguments: str) -> int:
    return app.main(list(arguments))


def ending_with(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> int:
    """Runs a command that raises ``error``."""

    def command() -> None:
        raise error

    probe = App(result_action="return_value", print_error=False, exit_on_error=False, suppress_keyboard_interrupt=False)
    probe.command(command)
    monkeypatch.setattr(app, "app", probe)
    return run("command")


def test_the_version_is_one_line(capsys: pytest.CaptureFixture[str]):
    assert run("--version") == 0
    assert capsys.readouterr().out == f"litmus {__version__}\n"


def test_the_help_lists_every_command_and_imports_none():
    listing = "import sys; from litmus.cli import app; app.main(['--help']); "
    heavy = (
        "print('HEAVY', sorted({'litmus.cli.install', 'litmus.hub.server', 'litestar', 'uvicorn'} & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-c", listing + heavy], capture_output=True, text=True, check=True)

    for command in ("install", "uninstall", "hub"):
        assert command in done.stdout
    assert "HEAVY []" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("instal", 'Unknown command "instal". Did you mean "install"?'),
        ("hub serv", 'Unknown command "serv". Did you mean "serve"?'),
        ("install --scop cluster", "Unknown option: --scop. Did you mean --scope?"),
        ("install --scope galaxy", 'Invalid value "galaxy" for --scope. Choose from: "cluster", "namespaced".'),
        ("install --replicas -1", 'Invalid value "-1" for --replicas. Must be >= 0.'),
        ("install -n My_Space", "'My_Space' is no name of a namespace"),
        ("hub serve --port 99999", 'Invalid value "99999" for --port. Must be <= 65535.'),
        ("hub serve here", "Unexpected argument: here."),
    ],
)
def test_a_command_written_wrongly_is_one_line_with_status_4(
    arguments: str, sentence: str, capsys: pytest.CaptureFixture[str]
):
    assert run(*arguments.split()) == 4

    out, err = capsys.readouterr()
    assert out == ""
    assert sentence in err
    assert err.startswith("litmus: ")
    assert err.endswith("--help.\n")
    assert err.count("\n") == 1


def test_a_refusal_of_the_cluster_is_one_line_with_status_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    assert ending_with(errors.Forbidden("can't list pods"), monkeypatch) == 2
    assert capsys.readouterr().err == "litmus: can't list pods\n"


def test_a_missing_kubeconfig_is_one_line_with_status_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert run("install", "--kubeconfig", str(tmp_path / "none")) == 2
    assert "none does not exist; set KUBECONFIG" in capsys.readouterr().err


@pytest.mark.parametrize(("error", "status"), [(failures.Failed("no"), 2), (failures.Misused("no"), 4)])
def test_a_command_that_gives_up_says_so_in_one_line(
    error: Exception, status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    assert ending_with(error, monkeypatch) == status
    assert capsys.readouterr().err == "litmus: no\n"


def test_an_interrupted_command_is_quiet(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    assert ending_with(KeyboardInterrupt(), monkeypatch) == 130
    assert capsys.readouterr() == ("", "")


def test_a_reader_that_leaves_ends_the_command_quietly():
    program = [sys.executable, "-m", "litmus", "install", "--render"]
    buffered = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=buffered) as started:
        assert started.stdout
        assert started.stderr
        started.stdout.readline()
        started.stdout.close()
        assert started.stderr.read() == ""
    assert started.returncode == 130


def test_a_defect_of_ours_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(ZeroDivisionError):
        ending_with(ZeroDivisionError(), monkeypatch)


def test_rendering_needs_no_cluster(capsys: pytest.CaptureFixture[str]):
    assert "KUBECONFIG" not in os.environ
    assert run("install", "--render", "--image", "litmus:mine") == 0
    assert "image: litmus:mine" in capsys.readouterr().out


def test_the_image_comes_from_the_environment_when_none_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("LITMUS_IMAGE", "litmus:env")

    run("install", "--render")

    assert "image: litmus:env" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["run", "plan"])
def test_a_dash_means_standard_input(command):
    _, bound, _ = app.app.parse_args([command, "-"])
    assert str(bound.arguments["engine"]) == "-"
