"""`litmus report`: from a cluster and from files, in every form, and one sentence for what can't be."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from litmus.cli import app, failures
from litmus.cli.report import markdown
from tests import apiserver
from tests.cli import runs


async def ran(*arguments: str) -> int:
    """The command in a thread of its own, beside the server of the test."""
    return await asyncio.to_thread(app.main, ["report", *arguments])


def add(server: apiserver.Server, *manifests: dict[str, Any]) -> None:
    plurals = {"ChaosResult": "chaosresults", "ChaosEngine": "chaosengines", "Event": "events"}
    for manifest in manifests:
        server.put(plurals[manifest["kind"]], manifest)


@pytest.fixture
def saved(tmp_path: Path) -> str:
    file = tmp_path / "saved.json"
    file.write_text(json.dumps(runs.saved()))
    return str(file)


async def test_a_result_of_a_cluster_comes_with_its_engine_its_events_and_the_version(
    server: apiserver.Server, kubeconfig: str, capsys: pytest.CaptureFixture[str]
):
    add(server, runs.result(), runs.engine(), *runs.events())
    assert await ran("shop-chaos-pod-delete", "--json", "--kubeconfig", kubeconfig) == 0
    told = json.loads(capsys.readouterr().out)
    [entry] = told["results"]
    assert entry["versions"] == {"kubernetes": "v1.31.2"}
    assert len(entry["events"]) == 4
    assert entry["engine"]["metadata"]["name"] == runs.ENGINE
    assert told["resilienceScore"]["value"] == 50.0


async def test_an_engine_is_reported_with_all_its_results_and_the_score_counts_what_never_ran(
    server: apiserver.Server, kubeconfig: str, capsys: pytest.CaptureFixture[str]
):
    experiments = [{"name": "pod-delete"}, {"name": "node-drain"}]
    add(server, runs.result(), runs.engine(experiments=experiments))
    assert await ran("--engine", runs.ENGINE, "--kubeconfig", kubeconfig, "--lang", "en") == 0
    out = capsys.readouterr().out
    assert "Resilience score: 25 %" in out
    assert "node-drain of shop-chaos: did not run to its end, so it counts as 0" in out


async def test_the_engines_of_a_schedule_are_reported_together(
    server: apiserver.Server, kubeconfig: str, capsys: pytest.CaptureFixture[str]
):
    engine = runs.engine()
    owner = {"apiVersion": "litmuschaos.io/v1alpha1", "kind": "ChaosSchedule", "name": "nightly", "uid": "s"}
    engine["metadata"]["ownerReferences"] = [owner]
    add(server, runs.result(), engine)
    assert await ran("--schedule", "nightly", "--json", "--kubeconfig", kubeconfig) == 0
    assert [r["name"] for r in json.loads(capsys.readouterr().out)["results"]] == ["shop-chaos-pod-delete"]


async def test_events_that_a_role_may_not_read_are_left_out_and_said(
    server: apiserver.Server, kubeconfig: str, capsys: pytest.CaptureFixture[str]
):
    add(server, runs.result(), *runs.events())
    server.forbid("list", "events")
    assert await ran("shop-chaos-pod-delete", "--kubeconfig", kubeconfig) == 0
    assert capsys.readouterr().err.startswith("! events are left out: ")


async def test_a_result_that_is_not_there_is_one_sentence_with_those_that_are(
    server: apiserver.Server, kubeconfig: str, capsys: pytest.CaptureFixture[str]
):
    add(server, runs.result())
    assert await ran("nginx", "--kubeconfig", kubeconfig) == failures.REFUSED
    said = capsys.readouterr().err
    assert said == "litmus: there is no result nginx in namespace shop; there is shop-chaos-pod-delete\n"


def test_the_page_is_written_and_its_place_is_printed(saved: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = tmp_path / "report.html"
    assert app.main(["report", "--from", saved, "--html", str(file), "--lang", "ja"]) == 0
    assert file.read_text(encoding="utf-8").startswith('<!doctype html>\n<html lang="ja">')
    assert capsys.readouterr().out == f"Fail: pod-delete - shop-chaos\n{file}\n"


def test_what_was_written_as_json_is_read_again_and_says_the_same(
    saved: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert app.main(["report", "--from", saved, "--json"]) == 0
    first = capsys.readouterr().out
    again = tmp_path / "again.json"
    again.write_text(first)
    assert app.main(["report", "--from", str(again), "--json"]) == 0
    second = json.loads(capsys.readouterr().out)
    assert second["results"] == json.loads(first)["results"]
    assert second["resilienceScore"] == json.loads(first)["resilienceScore"]


def test_the_form_for_programs_is_stable(saved: str, capsys: pytest.CaptureFixture[str]):
    assert app.main(["report", "--from", saved, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert list(told) == ["kind", "form", "created", "litmus", "resilienceScore", "results"]
    assert (told["kind"], told["form"]) == ("ChaosReport", 1)
    assert list(told["results"][0]) == [
        "name", "namespace", "engineName", "experiment", "verdict", "why", "versions", "timeline", "result", "engine",
        "events",
    ]  # fmt: skip
    assert told["results"][0]["timeline"][4] == {
        "at": "2026-05-04T12:00:25Z",
        "sort": "chaos",
        "text": "The chaos begins",
    }


def test_yaml_of_several_documents_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = tmp_path / "saved.yaml"
    file.write_text(yaml.safe_dump_all([runs.result(), runs.engine()]))
    assert app.main(["report", "--from", str(file), "--lang", "en"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Fail: criterion availability >= 99% was missed")
    assert lines[1] == "  pod-delete, shop/shop-chaos-pod-delete, 2026-05-04 12:00:00 UTC, 1 min 44 s"
    assert lines[2] == "  ✗ Availability >= 99%: 72.4 % (66.1 to 78.2)"


def test_markdown_for_a_pull_request(saved: str, capsys: pytest.CaptureFixture[str]):
    assert app.main(["report", "--from", saved, "--markdown", "--lang", "en"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("### ❌ Fail: criterion availability >= 99% was missed: 72.4 % (66.1 to 78.2) of")
    assert "| ✅ | Time to recover | `<= 20s` | 3.6 s (3.2 to 4.3) | 3.6 s are within 20 s |\n" in out
    assert "| Availability | 99.8 % (98.9 to 100) | 72.4 % (66.1 to 78.2) | 98.7 % (97.2 to 99.5) |\n" in out
    assert "**Resilience score: 50 %**" in out
    assert out.count("<details>") == out.count("</details>") == 4


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a | b", r"a \| b"),
        ("<b>", r"\<b>"),
        ("[x](y)", r"\[x\](y)"),
        ("two\nlines", "two lines"),
        ("@team", "@\u200bteam"),
        ("fixes #1", "fixes #\u200b1"),
        ("see https://x", "see https:\u200b//x"),
        ("&lt;", "&amp;lt;"),
        ("`a`", r"\`a\`"),
    ],
)
def test_text_of_a_result_is_no_markdown(text: str, shown: str):
    assert markdown.escaped(text) == shown


@pytest.mark.parametrize(("text", "shown"), [("a", "`a`"), ("a`b", "`` a`b ``"), ("a|b", r"`a\|b`"), ("", "")])
def test_code_ends_where_it_ends(text: str, shown: str):
    assert markdown.code(text) == shown


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "does not exist"),
        ("", "has no ChaosResult"),
        ("{", "is not JSON"),
        ("a: [", "is not YAML"),
        ("just text", "must hold Kubernetes objects; it holds str"),
        ("[1]", "must hold Kubernetes objects; it holds int"),
        ('{"items": 3}', "items must be a list; it is int"),
        ('{"items": [3]}', "must hold Kubernetes objects; one of them is int"),
        ('{"kind": "ChaosResult", "status": {"targets": 3}}', "a ChaosResult can't be read: Expected `array`"),
        ('{"kind": "ChaosReport", "results": [{}]}', "must hold Kubernetes objects; one of them is NoneType"),
        ('{"kind": "Pod"}', "has no ChaosResult"),
    ],
)
def test_a_file_that_is_no_result_is_one_sentence(
    content: str | None, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    file = tmp_path / "file"
    if content is not None:
        file.write_text(content)
    assert app.main(["report", "--from", str(file)]) == failures.USAGE
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "name results, or --engine, or --schedule, or a file by --from"),
        (["r", "--engine", "e"], "name results, or --engine"),
        (["r", "--json", "--markdown"], "exclude each other; choose one"),
        (["r", "--html", "/nowhere/at/all.html"], "folder /nowhere/at does not exist; create it first"),
        (["--from", "f", "--engine", "e"], "with --from, name the results"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]):
    assert app.main(["report", *arguments]) == failures.USAGE
    assert sentence in capsys.readouterr().err


def test_a_name_that_a_file_does_not_have_is_one_sentence(saved: str, capsys: pytest.CaptureFixture[str]):
    assert app.main(["report", "nginx", "--from", saved]) == failures.USAGE
    assert "has no ChaosResult nginx; there is shop-chaos-pod-delete" in capsys.readouterr().err
