"""`litmus compare`: which runs it takes, what it says of them, and the status for CI."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from litmus.cli import app, failures
from tests import apiserver
from tests.cli import runs


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    """A run that went well, and one that did not."""
    good = runs.result(impact=runs.impact(availability=(99.2, 98.0, 99.8), recovery=0.9))
    good["status"]["experimentstatus"]["verdict"] = "Pass"
    places = (tmp_path / "good.json", tmp_path / "bad.json")
    for place, result in zip(places, (good, runs.result()), strict=True):
        place.write_text(json.dumps(result))
    return str(places[0]), str(places[1])


def many(name: str, *availabilities: float, verdict: str = "Pass", **labels: str) -> dict[str, Any]:
    """A result with these runs in its history."""
    past = [
        {"number": n, "verdict": verdict, "availability": a, "recoverySeconds": 1.0 + n / 10}
        for n, a in enumerate(availabilities, start=1)
    ]
    result = runs.result(name, history={"runs": past})
    result["metadata"]["labels"] = labels
    return result


async def ran(kubeconfig: str, *arguments: str) -> int:
    return await asyncio.to_thread(app.main, ["compare", *arguments, "--kubeconfig", kubeconfig])


def test_two_runs_of_files_tell_which_figures_changed_and_by_how_much(
    files: tuple[str, str], capsys: pytest.CaptureFixture[str]
):
    assert app.main(["compare", *files]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "pod-delete",
        "  before: shop-chaos-pod-delete@4 Pass",
        "  after:  shop-chaos-pod-delete@4 Fail",
        "  ✗  availability    99.2 → 72.4 %  −26.8 (−33.13 to −20.88)  worse",
        "  ✗  recovery        0.9 → 3.6 s    +2.7 (+1.9 to +3.5)       worse",
        "  =  longest outage  10.2 → 10.2 s  +0.0 (−0.5 to +0.5)       no certain change",
        "  =  latency p95     81 → 81 ms     +0 (−14.6 to +14.6)       no certain change",
        "  ! One run each: this says whether these two runs differ, not whether the next ones will; 5 runs on each "
        "side would.",
        "",
        "Judged at an error rate of 0.05 for all figures together.",
    ]


def test_better_or_the_same_is_no_failure(files: tuple[str, str]):
    good, bad = files
    assert app.main(["compare", bad, good]) == 0
    assert app.main(["compare", good, good, "--strict"]) == 0


def test_json_has_every_figure_and_the_status(files: tuple[str, str], capsys: pytest.CaptureFixture[str]):
    assert app.main(["compare", *files, "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["exitStatus"] == 1
    [experiment] = told["experiments"]
    first = experiment["figures"][0]
    assert (first["name"], first["unit"], first["judgement"]) == ("availability", "%", "worse")
    assert first["difference"] == pytest.approx(-26.8)


async def test_runs_of_a_history_before_and_after_a_release(
    server: apiserver.Server, kubeconfig: str, capsys: pytest.CaptureFixture[str]
):
    server.put("chaosresults", many("web", 99.9, 99.8, 99.7, 99.9, 99.6, 99.5, 91.0, 90.2, 92.5, 89.9, 93.3, 90.0))
    assert await ran(kubeconfig, "web@1-6", "web@7-12") == 1
    out = capsys.readouterr().out
    assert "✗  availability" in out
    assert "worse, p = 0.0022" in out
    assert await ran(kubeconfig, "web@1-6", "web@1-6") == 0


async def test_sets_by_label_and_by_names(server: apiserver.Server, kubeconfig: str):
    for n in range(5):
        for release, availability in (("1", 99.0 + n / 10), ("2", 80.0 + n)):
            impact = runs.impact(availability=(availability, availability - 1, availability + 0.5))
            result = runs.result(f"r{release}-{n}", impact=impact)
            result["metadata"]["labels"] = {"release": release}
            server.put("chaosresults", result)
    assert await ran(kubeconfig, "release=1", "release=2") == 1
    assert await ran(kubeconfig, "r1-0,r1-1,r1-2,r1-3,r1-4", "r2-0,r2-1,r2-2,r2-3,r2-4") == 1
    assert await ran(kubeconfig, "release=2", "release=1") == 0


async def test_too_few_runs_are_no_failure_unless_strict(
    server: apiserver.Server, kubeconfig: str, capsys: pytest.CaptureFixture[str]
):
    server.put("chaosresults", many("web", 99.9, 99.8, 91.0, 90.2))
    assert await ran(kubeconfig, "web@1-2", "web@3-4") == 0
    assert "2 and 2 runs can show nothing at this error rate" in capsys.readouterr().out
    assert await ran(kubeconfig, "web@1-2", "web@3-4", "--strict") == failures.REFUSED


async def test_a_run_without_a_verdict_is_left_out_and_said(
    server: apiserver.Server, kubeconfig: str, capsys: pytest.CaptureFixture[str]
):
    broken = many("web", 99.9, 99.8)
    broken["status"]["history"]["runs"][0]["verdict"] = "Error"
    server.put("chaosresults", broken)
    assert await ran(kubeconfig, "web@1-2", "web@2") == 0
    assert "web@1 is left out: Error" in capsys.readouterr().out
    assert await ran(kubeconfig, "web@1", "web@2") == failures.REFUSED
    assert "no run before has ended with Pass or Fail (web@1 Error)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("sets", "sentence"),
    [
        (("nginx", "web"), "there is no result nginx in namespace shop, and no file of that name"),
        (("web@9", "web"), "web@9: result web has no such runs; it has 1 to 2"),
        (("release=9", "web"), "no result in namespace shop has the labels release=9"),
        (("missing.json", "missing.json"), "missing.json does not exist"),
        ((",", "web"), "',' names no runs"),
        (("web", "web", "--error", "2"), "--error: 2 is no error rate"),
    ],
)
async def test_what_can_not_be_compared_is_one_sentence(
    sets: tuple[str, ...],
    sentence: str,
    server: apiserver.Server,
    kubeconfig: str,
    capsys: pytest.CaptureFixture[str],
):
    server.put("chaosresults", many("web", 99.9, 99.8))
    assert await ran(kubeconfig, *sets) in (failures.REFUSED, failures.USAGE)
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1


def test_experiments_are_compared_with_themselves(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    drain = runs.result("other")
    drain["spec"]["experiment"] = "node-drain"
    both, one = tmp_path / "both.json", tmp_path / "one.json"
    both.write_text(json.dumps({"kind": "List", "items": [runs.result(), drain]}))
    one.write_text(json.dumps(drain))
    assert app.main(["compare", str(both), str(both)]) == 0
    assert [line for line in capsys.readouterr().out.splitlines() if not line.startswith(" ")][:1] == ["pod-delete"]
    assert app.main(["compare", str(both), str(one)]) == 0
    assert capsys.readouterr().out.startswith("node-drain\n")


def test_a_quantile_beyond_all_answers_is_worse_than_any_number(files: tuple[str, str], tmp_path: Path):
    impact = runs.impact(availability=(99.2, 98.0, 99.8), recovery=0.9)
    impact["signals"][0]["fault"]["latencyP95"] = {"low": 300.0, "unit": "ms", "note": "more failed than it leaves out"}
    endless = tmp_path / "endless.json"
    endless.write_text(json.dumps(runs.result(impact=impact)))
    assert app.main(["compare", files[0], str(endless)]) == 1
