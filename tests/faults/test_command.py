"""`litmus fault`: one request in, one report out, by the termination message and by standard output."""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from litmus.faults import command, kill, processes
from litmus.faults.contract import FaultError, Plan, Proof

LIMIT = 4096  # of a termination message, set by the kubelet


@dataclass
class Scripted:
    """A mechanism that does what its parameters say, and notes the order in which it was used."""

    does: str = "hold"
    words: str = "done"
    log: list[str] = field(default_factory=list)

    def plan(self) -> Plan:
        LOG.append(f"plan {self.words}")
        if self.does == "refuse":
            raise FaultError(self.words)
        return Plan(changes="")

    def inject(self) -> None:
        LOG.append(f"inject {self.words}")

    def prove(self) -> Proof:
        LOG.append(f"prove {self.words}")
        return Proof(asked="it", delivered=self.words, holds=self.does == "hold")

    def revert(self) -> None: ...


LOG: list[str] = []


@pytest.fixture
def run(monkeypatch, tmp_path, capsys):
    LOG.clear()
    monkeypatch.setattr(command, "mechanism_class", {"scripted": Scripted, "kill": kill.Kill}.__getitem__)
    monkeypatch.setattr(command, "TERMINATION_LOG", tmp_path / "termination-log")

    def request(*targets: dict, **changes) -> tuple[int, dict, str]:
        text = json.dumps({"mechanism": "scripted", "targets": targets, **changes})
        code = command.main([text])
        written = (tmp_path / "termination-log").read_text()
        assert capsys.readouterr().out.strip() == written
        return code, json.loads(written), written

    return request


def target(name: str, **parameters: str) -> dict:
    return {"name": name, "parameters": parameters}


def test_targets_that_were_hit_are_counted(run):
    code, report, _ = run(target("web-1/web"), target("web-2/web", words="ended after 0.01 s"))
    assert code == 0
    assert report == {"held": 2, "failed": []}


def test_all_targets_are_hit_before_the_first_is_proven(run):
    run(target("a", words="a"), target("b", words="b"))
    assert LOG == ["plan a", "inject a", "plan b", "inject b", "prove a", "prove b"]


def test_a_target_that_can_not_be_hit_is_reported_beside_those_that_were(run):
    code, report, _ = run(target("a"), target("b", does="refuse", words="no process here"), target("c"))
    assert code == 2
    assert report == {
        "held": 2,
        "failed": [{"name": "b", "holds": False, "asked": "", "delivered": "no process here"}],
    }


def test_a_target_without_an_effect_is_a_failure(run):
    code, report, _ = run(target("a", does="nothing"))
    assert code == 2
    assert report == {"held": 0, "failed": [{"name": "a", "holds": False, "asked": "it", "delivered": "done"}]}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "IndexError"),
        (["not json"], "JSONDecodeError"),
        (["{}"], "mechanism"),
        (['{"mechanism":"kill"}'], "targets"),
        (['{"mechanism":"earthquake","targets":[]}'], "earthquake"),
        (['{"mechanism":"kill","targets":[{"name":"a","parameters":{"colour":"red"}}]}'], "colour"),
        (['{"mechanism":"kill","targets":[{"name":"a"}]}'], "parameters"),
        (["[]"], "TypeError"),
    ],
)
def test_a_request_that_can_not_be_read_is_answered_with_what_is_wrong(tmp_path, monkeypatch, arguments, words):
    monkeypatch.setattr(command, "TERMINATION_LOG", tmp_path / "log")
    assert command.main(arguments) == 4
    error = json.loads((tmp_path / "log").read_text())["error"]
    assert "can't be read" in error
    assert words in error


def test_a_report_of_many_hits_is_as_short_as_one_of_few(run):
    _, report, _ = run(*(target(f"web-5d7f9c8b6f-abc{n:02}/web", words="x" * 500) for n in range(110)))
    assert report == {"held": 110, "failed": []}


@pytest.mark.parametrize("letter", ["x", "é", "容"])
def test_a_report_that_is_too_long_keeps_the_count_and_as_many_failures_as_fit(run, letter):
    fine = [target(f"web-{n}/web") for n in range(7)]
    bad = [target(f"api-{n}/web", does="refuse", words=letter * 150) for n in range(110)]
    code, report, written = run(*fine, *bad)
    assert code == 2
    assert len(written.encode()) <= LIMIT
    assert report["held"] == 7
    assert 0 < len(report["failed"]) < 110
    assert report["failed"][0] == {"name": "api-0/web", "holds": False, "asked": "", "delivered": letter * 150}


def test_a_long_error_is_shortened_and_still_can_be_read(run):
    code, report, written = run(mechanism="x" * 5000)
    assert code == 4
    assert len(written) <= LIMIT
    assert report["error"].startswith("the request can't be read: KeyError")


def test_a_target_whose_signal_does_not_exist_is_reported_like_any_other_failure(run, monkeypatch):
    monkeypatch.setattr(processes, "main_process", lambda *_, **__: processes.Process(os.getpid(), 1, "web"))
    code, report, _ = run(target("a", container_id="ab" * 32, signal="SIGNOPE"), mechanism="kill")
    assert code == 2
    assert report["held"] == 0
    assert "'SIGNOPE' is no signal" in report["failed"][0]["delivered"]


def test_outside_a_pod_standard_output_has_the_report(monkeypatch, capsys):
    monkeypatch.setattr(command, "TERMINATION_LOG", Path("/nowhere/termination-log"))
    assert command.main(['{"mechanism":"kill","targets":[]}']) == 0
    assert json.loads(capsys.readouterr().out) == {"held": 0, "failed": []}
