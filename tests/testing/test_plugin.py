"""The plugin as pytest has it: found by its entry point, idle where it is not used, and telling where a run fails.

The inner pytest is a process of its own. Its cluster is the small API server of these tests with a played operator; the
last test has a sandbox, and runs the example of the docs.
"""

import asyncio
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from litmus.testing import chaos as chaos_
from litmus.testing import manifest
from litmus.testing.outcome import Outcome
from litmus.testing.places import Place
from tests import apiserver, samples
from tests.cli.conftest import kubeconfig  # noqa: F401 - a fixture

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "pytest" / "test_web.py"
PLUGIN = ("-p", "no:randomly", "-p", "no:cacheprovider")


@pytest.fixture
def operator(server: apiserver.Server) -> apiserver.Server:
    """A cluster whose operator ends every engine at once: with a Fail, after a fault on one pod."""
    server.put("namespaces", {"metadata": {"name": "shop"}}, namespace="")

    def carry_out(server: apiserver.Server, engine: dict[str, Any]) -> None:
        name = engine["metadata"]["name"]
        if engine.get("status"):
            return
        entry = {"name": "pod-delete", "verdict": "Fail"}
        target = {"name": "web-1", "node": "node1", "asked": "delete", "readyAfterSeconds": 4.5}
        outcome = {"phase": "Completed", "verdict": "Fail", "failStep": "2 of 3 pods are ready"}
        server.put("chaosresults", samples.result(f"{name}-pod-delete", experimentstatus=outcome, targets=[target]))
        about = {"kind": "ChaosEngine", "name": name, "namespace": "shop"}
        event = {"metadata": {"name": "e"}, "involvedObject": about, "reason": "ChaosInject", "message": "injecting"}
        server.put("events", event)
        status = {"engineStatus": "completed", "experiments": [entry]}
        server.change("chaosengines", name, {"spec": {"engineState": "stop"}, "status": status})

    server.on("patch", "chaosengines", carry_out)
    return server


def chaos_on(kubeconfig: str, outcomes: list[Outcome] | None = None) -> chaos_.Chaos:  # noqa: F811
    return chaos_.Chaos(Place(kubeconfig, is_sandbox=False), outcomes=[] if outcomes is None else outcomes)


async def test_a_run_has_its_verdict_targets_and_events_and_leaves_nothing(operator, kubeconfig):  # noqa: F811
    outcomes: list[Outcome] = []
    chaos = chaos_on(kubeconfig, outcomes)
    found = await asyncio.to_thread(chaos.run, "pod-delete", app="deployment/web", namespace="shop", duration=10)
    assert (found.verdict, found.fail_step) == ("Fail", "2 of 3 pods are ready")
    assert [target.name for target in found.targets] == ["web-1"]
    assert found.events == ("ChaosInject: injecting",)
    assert outcomes == [found]
    found.assert_recovered_within("5s")
    assert operator.all("chaosengines")
    await asyncio.to_thread(chaos.close)
    left = {plural for plural, _, _ in operator.objects}
    assert left == {"namespaces", "events"}


async def test_its_service_account_is_its_own_and_has_the_least_role(operator, kubeconfig):  # noqa: F811
    chaos = chaos_on(kubeconfig)
    await asyncio.to_thread(chaos.run, "pod-delete", app="deployment/web", namespace="shop")
    [engine], [account] = operator.all("chaosengines"), operator.all("serviceaccounts")
    [role], [binding] = operator.all("roles"), operator.all("rolebindings")
    name = account["metadata"]["name"]
    assert engine["spec"]["chaosServiceAccount"] == name == role["metadata"]["name"]
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": name, "namespace": "shop"}]


async def test_what_was_there_before_is_used_and_stays(operator, kubeconfig):  # noqa: F811
    theirs = operator.put("chaosexperiments", samples.experiment())
    chaos = chaos_on(kubeconfig)
    await asyncio.to_thread(
        chaos.run, "pod-delete", app="deployment/web", namespace="shop", service_account="their-own"
    )
    assert not operator.all("serviceaccounts")
    await asyncio.to_thread(chaos.close)
    assert operator.all("chaosexperiments") == [theirs]


async def test_a_mistake_touches_nothing(operator, kubeconfig):  # noqa: F811
    before = len(operator.asked)
    for wrong in ({"app": "web"}, {"app": "deployment/web", "traffic": "service/web"}):
        with pytest.raises(manifest.Misuse):
            await asyncio.to_thread(chaos_on(kubeconfig).run, "pod-delete", **wrong)
    assert len(operator.asked) == before


async def test_a_failed_test_shows_its_runs(operator, kubeconfig, pytester, monkeypatch):  # noqa: F811
    monkeypatch.setenv("KUBECONFIG", kubeconfig)
    pytester.makepyfile(
        """
        def test_web(chaos):
            chaos.run("pod-delete", app="deployment/web", namespace="shop").assert_passed()

        def test_fine(chaos):
            assert chaos.run("pod-delete", app="deployment/web", namespace="shop").verdict == "Fail"
        """
    )
    result = await asyncio.to_thread(pytester.runpytest_subprocess, "--litmus=cluster", *PLUGIN)
    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines(
        [
            "E * AssertionError: pod-delete: Fail - 2 of 3 pods are ready",
            "*- litmus pod-delete: Fail -*",
            "verdict  Fail - 2 of 3 pods are ready",
            "target   web-1 on node1: delete, ready after 4.5 s",
            "event    ChaosInject: injecting",
            "look     *kubectl describe chaosresult pytest-*-pod-delete -n shop",
        ]
    )
    assert not operator.all("chaosengines")
    assert not operator.all("serviceaccounts")


def test_without_a_cluster_it_says_what_to_do(pytester, monkeypatch, tmp_path):
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    pytester.makepyfile("def test_web(chaos): pass")
    result = pytester.runpytest_subprocess("--litmus=cluster", *PLUGIN)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["litmus: no kubeconfig: * does not exist; *--litmus=sandbox needs no cluster*"])
    result.stdout.no_fnmatch_line("*During handling*")


def test_a_plugin_that_nobody_uses_imports_one_small_module(pytester):
    pytester.makepyfile(
        """
        import sys

        def test_it():
            ours = sorted(name for name in sys.modules if name.partition(".")[0] in ("litmus", "lightkube", "httpx2"))
            assert ours == ["litmus", "litmus.testing", "litmus.testing.plugin"]
        """
    )
    pytester.runpytest_subprocess(*PLUGIN).assert_outcomes(passed=1)


def test_the_package_offers_the_plugin_and_needs_no_pytest():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["pytest11"] == {"litmus": "litmus.testing.plugin"}
    assert not [name for name in project["dependencies"] if name.startswith("pytest")]


def test_the_docs_show_the_example_as_it_is():
    shown = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "pytest.md").read_text(), re.DOTALL)
    assert EXAMPLE.read_text() in shown


@pytest.mark.timeout(600)
def test_the_example_passes_on_a_sandbox_of_its_own(pytester, monkeypatch):
    monkeypatch.delenv("LITMUS_IMAGE", raising=False)
    pytester.makepyfile(test_web=EXAMPLE.read_text())
    result = pytester.runpytest_subprocess(*PLUGIN, timeout=600)
    result.assert_outcomes(passed=2)
