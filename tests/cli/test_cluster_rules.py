"""What switch and caps forbid is told by `litmus plan` and refused by `litmus run`, with nothing created."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from litmus.api import names
from litmus.cli import app, run
from litmus.experiments import caps
from litmus.kube import events, switch
from litmus.operator import engine as operator
from litmus.operator.rules import Rules
from tests import apiserver, samples

CONTAINERS = {"containers": [{"name": "operator", "image": "litmus"}]}
HERE = {"metadata": {"name": names.OPERATOR_NAME, "namespace": "chaos"}, "spec": {"template": {"spec": CONTAINERS}}}
DAY = [{"name": "TOTAL_CHAOS_DURATION", "value": "86400"}]
SENTENCE = (
    "refused by the cap longestDuration (3600 s) of this cluster: TOTAL_CHAOS_DURATION of pod-delete is 86400 s. "
    "Who administers namespace chaos may change it: kubectl edit configmap litmus-caps -n chaos"
)


@pytest.fixture
def server(server: apiserver.Server) -> apiserver.Server:
    server.put("deployments", HERE, namespace="chaos")
    server.put("deployments", samples.workload(annotations={names.CHAOS_ANNOTATION: "true"}))
    server.put("chaosexperiments", samples.experiment())
    server.put("serviceaccounts", {"metadata": {"name": samples.engine()["spec"]["chaosServiceAccount"]}})
    server.put("replicasets", {"metadata": {"name": "web-5d7f9"}})
    server.put("pods", samples.pod())
    server.forbid("create", "subjectaccessreviews")  # which the plan would ask for; nobody answers them here
    return server


def manifest(env: list[dict[str, str]] | None = None) -> dict[str, Any]:
    entry = {"name": "pod-delete", "spec": {"components": {"env": env or []}}}
    written = samples.engine(experiments=[entry])
    about = {"name": written["metadata"]["name"], "namespace": "shop"}
    return {"apiVersion": "litmuschaos.io/v1alpha1", "kind": "ChaosEngine", "metadata": about, "spec": written["spec"]}


@pytest.fixture
def long(tmp_path: Path) -> str:
    return written(tmp_path, DAY)


def written(folder: Path, env: list[dict[str, str]]) -> str:
    file = folder / "engine.yaml"
    file.write_text(yaml.safe_dump(manifest(env)))
    return str(file)


def caps_are(server: apiserver.Server, text: str) -> None:
    about = {"name": caps.CONFIG_MAP, "namespace": "chaos"}
    server.put("configmaps", {"metadata": about, "data": {"caps.yaml": text}}, namespace="chaos")


def stop_all(server: apiserver.Server) -> None:
    data = {"by": "ada on lab", "at": "2026-03-02T09:00:00Z", "why": "incident 7"}
    server.put("configmaps", {"metadata": {"name": switch.NAME}, "data": data}, namespace="chaos")


async def ran(*arguments: str) -> int:
    """The command in a thread of its own, beside the server of the test."""
    async with asyncio.timeout(20):
        return await asyncio.to_thread(app.main, list(arguments))


def touched(server: apiserver.Server) -> bool:
    """Whether anything was changed; a plan's question about rights is no change."""
    asked = {one.verb for one in server.asked if one.plural != "subjectaccessreviews"}
    return not asked <= {"get", "list", "watch"}


async def test_a_run_that_a_cap_forbids_is_an_error_and_nothing_is_created(server, kubeconfig, long, tmp_path, capsys):
    report = tmp_path / "report.xml"
    assert await ran("run", long, "--junit", str(report), "--kubeconfig", kubeconfig) == 2
    assert capsys.readouterr().out == f"Error: engine shop-chaos was not created: {SENTENCE}\n"
    assert SENTENCE in report.read_text()
    assert not touched(server)


async def test_programs_read_it_where_they_read_every_other_error(server, kubeconfig, long, capsys):
    assert await ran("run", long, "--json", "--kubeconfig", kubeconfig) == 2
    told = json.loads(capsys.readouterr().out)
    assert told["exitStatus"] == 2
    [entry] = told["experiments"]
    assert (entry["verdict"], entry["failStep"], entry["result"]) == ("Error", SENTENCE, None)


async def test_the_plan_says_the_same(server, kubeconfig, long, capsys):
    assert await ran("plan", long, "--json", "--kubeconfig", kubeconfig) == 2
    told = json.loads(capsys.readouterr().out)
    assert {"level": "blocks", "text": SENTENCE} in told["findings"]
    assert not touched(server)


async def test_the_operator_says_the_same(server, cluster):
    server.put("chaosengines", samples.engine(experiments=manifest(DAY)["spec"]["experiments"]))
    rules = Rules(caps=caps.standard("chaos"))
    poster = events.Poster(cluster, names.OPERATOR_NAME)
    await operator.Reconciler(
        cluster, poster, namespace="shop", name="shop-chaos", image="litmus", rules=rules
    ).reconcile()
    assert SENTENCE in [event["message"] for event in server.all("events")]


async def test_while_all_is_stopped_neither_begins_and_both_say_who_stopped_it(server, kubeconfig, tmp_path, capsys):
    stop_all(server)
    file = written(tmp_path, [])
    for command in ("run", "plan"):
        assert await ran(command, file, "--kubeconfig", kubeconfig) == 2
        said = " ".join(capsys.readouterr().out.split())
        assert "stopped by ada on lab at 2026-03-02T09:00:00Z (incident 7)" in said
        assert "litmus stop --lift" in said
    assert not touched(server)


async def test_caps_that_make_no_sense_let_nothing_begin(server, kubeconfig, tmp_path, capsys):
    caps_are(server, "longestDuration: soon")
    assert await ran("run", written(tmp_path, []), "--kubeconfig", kubeconfig) == 2
    assert "caps.yaml line 1: longestDuration: 'soon' must be a time with its unit" in capsys.readouterr().out
    assert not touched(server)


@pytest.mark.parametrize(("verb", "plural"), [("get", "configmaps"), ("list", "deployments")])
async def test_who_may_not_look_leaves_it_to_the_operator(server, kubeconfig, long, verb, plural, monkeypatch):
    server.forbid(verb, plural)
    monkeypatch.setattr(run, "_OPERATOR_DEADLINE_S", 0.05)
    await ran("run", long, "--kubeconfig", kubeconfig)
    assert touched(server)


async def test_what_the_caps_allow_is_applied(server, kubeconfig, long, monkeypatch):
    caps_are(server, "longestDuration: 2d")
    monkeypatch.setattr(run, "_OPERATOR_DEADLINE_S", 0.05)
    await ran("run", long, "--kubeconfig", kubeconfig)
    assert touched(server)
