"""The switch that stops all chaos of the cluster, and the caps: with nothing beside it, as it stops that too."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.cluster import stage as stages
from tests.cluster.stage import Stage, kubectl

pytestmark = pytest.mark.alone

LONG = {"TOTAL_CHAOS_DURATION": 120, "CHAOS_INTERVAL": 2, "FORCE": "true"}


@pytest.fixture(autouse=True)
def _as_before(operator: None) -> Iterator[None]:
    yield
    stages.litmus("stop", "--lift", check=True)
    stages.cap()


def refused(stage: Stage) -> str:
    """The sentence of an engine that did not begin."""
    stage.apply(stage.engine("pod-delete", name="refused"))
    status = stage.ended("refused")
    assert status["experiments"][0]["verdict"] == "Error"
    verdict, step = stage.verdict(name="refused")
    assert verdict == "Error"
    assert any(step[:60] in event for event in stage.events("refused", warnings=True))
    return step


def test_stop_all_ends_every_run_and_refuses_new_ones_until_it_is_lifted(stage: Stage) -> None:
    stage.deploy(2)
    names = ("one", "two", "three")
    stage.apply(*(stage.engine({"pod-delete": LONG}, name=name) for name in names))
    for name in names:
        stage.started(name=name)
    done = stages.litmus("stop", "--all", "--why", "incident 7", check=True)
    assert "3 engines stopped, every fault undone" in done.out
    for name in names:
        assert stage.ended(name)["experiments"][0]["verdict"] == "Stopped"
        assert any("incident 7" in event for event in stage.events(name) if "ChaosEngineStopped" in event)
    stage.swept()
    sentence = refused(stage)
    assert "incident 7" in sentence
    assert "litmus stop --lift" in sentence
    assert "Lifted" in stages.litmus("stop", "--lift", check=True).out
    stage.apply(stage.engine("pod-delete", name="again"))
    assert stage.ended("again")["experiments"][0]["verdict"] == "Pass"


def test_one_line_of_kubectl_stops_all_and_a_restart_of_the_operator_does_not_lift_it(stage: Stage) -> None:
    stage.deploy(2)
    stage.apply(stage.engine({"pod-delete": LONG}))
    stage.started()
    kubectl("create", "configmap", "litmus-stop", "-n", "litmus")
    assert stage.ended()["engineStatus"] == "stopped"
    kubectl("delete", "pod", "-n", "litmus", "-l", "name=chaos-operator", "--wait=false")
    kubectl("rollout", "status", "deployment/chaos-operator-ce", "-n", "litmus", "--timeout=90s")
    assert "kubectl delete configmap litmus-stop -n litmus" in refused(stage)


def test_a_cap_refuses_an_engine_in_the_plan_and_at_admission(stage: Stage, tmp_path: Path) -> None:
    stage.deploy(2)
    stages.cap("longestDuration: 4s")
    sentence = refused(stage)
    assert "longestDuration (4 s)" in sentence
    assert "kubectl edit configmap litmus-caps -n litmus" in sentence
    file = tmp_path / "engine.yaml"
    file.write_text(yaml.safe_dump(stage.engine("pod-delete")))
    plan = stages.litmus("plan", str(file))
    assert plan.status == 2
    assert "longestDuration" in plan.out


def test_caps_that_make_no_sense_let_nothing_begin(stage: Stage) -> None:
    stage.deploy(1)
    stages.cap("longestDuration: soon")
    assert "caps.yaml line 1: longestDuration: 'soon' must be a time with its unit" in refused(stage)
