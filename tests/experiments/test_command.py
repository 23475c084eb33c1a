"""`litmus experiment NAME`: the exit status that the Job sees, and the sentence that people read in the log."""

import pytest

from litmus.experiments import command, lifecycle, verdicts


@pytest.fixture(autouse=True)
def _kubeconfig(tmp_path, monkeypatch):
    text = """
current-context: c
clusters: [{name: k, cluster: {server: "http://127.0.0.1:1", insecure-skip-tls-verify: true}}]
contexts: [{name: c, context: {cluster: k, user: u}}]
users: [{name: u, user: {token: t}}]
"""
    (tmp_path / "config").write_text(text)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    for name in ("CHAOSENGINE", "CHAOS_NAMESPACE"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(("verdict", "status"), [("Pass", 0), ("Fail", 0), ("Error", 0), ("Stopped", 1)])
def test_every_verdict_that_was_written_is_a_success_of_the_job_but_an_abort(monkeypatch, verdict, status):
    async def execute(*_: object) -> str:
        return verdict

    monkeypatch.setattr(lifecycle, "execute", execute)
    assert command.main(["pod-delete"]) == status


@pytest.mark.parametrize("arguments", [[], ["pod-delete", "container-kill"]])
def test_without_exactly_one_name_the_usage_is_told(capsys, arguments):
    assert command.main(arguments) == 4
    assert "usage: litmus experiment NAME" in capsys.readouterr().err


def test_an_unknown_experiment_is_told_in_one_sentence(capsys):
    assert command.main(["pod-delet"]) == 2
    assert "did you mean pod-delete?" in capsys.readouterr().err


def test_outside_a_run_it_is_told_how_one_is_started(capsys):
    assert command.main(["pod-delete"]) == 2
    assert "an experiment is started by a runner" in capsys.readouterr().err


def test_a_run_that_could_not_write_a_verdict_is_told_by_its_status(monkeypatch, capsys):
    async def execute(*_: object) -> str:
        raise verdicts.CannotRun("nowhere to write")

    monkeypatch.setattr(lifecycle, "execute", execute)
    assert command.main(["pod-delete"]) == 2
    assert "nowhere to write" in capsys.readouterr().err
