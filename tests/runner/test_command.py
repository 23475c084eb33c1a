"""`litmus runner`: it is started by the operator, and by nobody else."""

import pytest

from litmus.kube import Cluster, errors
from litmus.runner import command


@pytest.mark.parametrize(
    ("env", "arguments", "words"),
    [
        ({}, [], "CHAOSENGINE, CHAOS_NAMESPACE"),
        ({"CHAOSENGINE": "e"}, [], "CHAOS_NAMESPACE"),
        ({"CHAOSENGINE": "e", "CHAOS_NAMESPACE": "n"}, ["more"], "arguments"),
    ],
)
def test_without_an_engine_or_with_arguments_it_says_who_starts_it(monkeypatch, capsys, env, arguments, words):
    for name in ("CHAOSENGINE", "CHAOS_NAMESPACE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    assert command.main(arguments) == 4
    assert f"litmus runner: {words}: a runner is started by the operator" in capsys.readouterr().err


def test_a_cluster_that_can_not_be_reached_makes_the_kubelet_start_it_again(monkeypatch):
    def refuse(**_: object) -> None:
        raise errors.Unreachable("nobody answers")

    monkeypatch.setenv("CHAOSENGINE", "e")
    monkeypatch.setenv("CHAOS_NAMESPACE", "n")
    monkeypatch.setattr(Cluster, "connect", refuse)
    assert command.main([]) == 1
