"""``litmus run``, ``plan`` and ``stop`` on a real cluster: output, files and exit statuses as users get them."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import yaml

from tests.cluster import stage as stages
from tests.cluster.stage import Stage


def written(tmp_path: Path, engine: dict[str, Any]) -> str:
    file = tmp_path / "engine.yaml"
    file.write_text(yaml.safe_dump(engine), encoding="utf-8")
    return str(file)


def test_a_run_that_passes_exits_with_0_and_shows_its_targets(stage: Stage, tmp_path: Path) -> None:
    stage.deploy(2)
    before = stage.pods()
    done = stages.litmus("run", written(tmp_path, stage.engine("pod-delete")), "--junit", str(tmp_path / "junit.xml"))
    assert done.status == 0, str(done)
    hit = {before[uid] for uid in set(before) - set(stage.pods())}
    assert all(f"→ {name} on" in done.out for name in hit)
    assert "pod-delete: Pass" in done.out
    suite = ElementTree.parse(tmp_path / "junit.xml").getroot()
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("1", "0", "0")


def test_a_run_that_fails_exits_with_1_and_says_what_failed(stage: Stage, tmp_path: Path) -> None:
    meta = {"name": "bare", "labels": {"app": "web"}}
    stage.apply({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": stage.pod_spec()})
    stage.kubectl("wait", "pod/bare", "--for=condition=Ready", "--timeout=150s")
    engine = stage.engine("pod-delete", annotationCheck="false")
    engine["spec"]["appinfo"]["appkind"] = ""
    engine["spec"]["experiments"][0]["spec"]["components"]["statusCheckTimeouts"]["timeout"] = 4
    done = stages.litmus("run", written(tmp_path, engine), "--json", "--junit", str(tmp_path / "junit.xml"))
    assert done.status == 1, str(done)
    report = json.loads(done.out)
    assert report["experiments"][0]["verdict"] == "Fail"
    assert "bare (no new pod)" in report["experiments"][0]["failStep"]
    assert ElementTree.parse(tmp_path / "junit.xml").find("testcase/failure") is not None


def test_a_run_that_can_not_be_done_exits_with_2(stage: Stage, tmp_path: Path) -> None:
    stage.deploy(1)
    engine = stage.engine({"pod-delete": {"SEQUENCE": "sideways"}})
    done = stages.litmus("run", written(tmp_path, engine))
    assert done.status == 2, str(done)
    assert "SEQUENCE='sideways'" in done.out


def test_an_interrupted_run_stops_the_engine_and_exits_with_3(stage: Stage, tmp_path: Path) -> None:
    stage.deploy(1)
    file = written(tmp_path, stage.engine({"pod-delete": {"TOTAL_CHAOS_DURATION": 120, "CHAOS_INTERVAL": 5}}))
    command = [str(Path(sys.executable).with_name("litmus")), "run", file]
    process = subprocess.Popen(command, env=stages.environment(), stdout=subprocess.PIPE, text=True)
    stage.started()
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 3, out
    assert stage.engine_status()["engineStatus"] == "stopped"
    stage.swept()


def test_mistakes_in_the_file_exit_with_4_before_anything_is_touched(stage: Stage, tmp_path: Path) -> None:
    engine = stage.engine("pod-delete", engineSate="active", jobCleanUpPolicy="delet")
    done = stages.litmus("run", written(tmp_path, engine))
    assert done.status == 4
    assert "spec.engineSate: unknown field; did you mean engineState?" in done.err
    assert "spec.jobCleanUpPolicy: 'delet' is not one of delete, retain" in done.err
    assert stage.get("chaosengine", "chaos") is None


def test_the_plan_names_who_is_hit_and_then_exactly_those_are_hit(stage: Stage, tmp_path: Path) -> None:
    stage.deploy(4)
    file = written(tmp_path, stage.engine({"pod-delete": {"PODS_AFFECTED_PERC": 50, "FORCE": "true"}}))
    before = stage.pods()
    plan = stages.litmus("plan", file, "--json")
    assert plan.status == 0, str(plan)
    foreseen = {pod["uid"] for pod in json.loads(plan.out)["experiments"][0]["firstRound"]}
    assert len(foreseen) == 2
    assert stage.pods() == before
    assert stage.get("chaosengine", "chaos") is None
    assert stages.litmus("run", file).status == 0
    assert set(before) - set(stage.pods()) == foreseen


def test_the_plan_tells_what_stands_in_the_way(stage: Stage, tmp_path: Path) -> None:
    stage.deploy(2)
    stage.apply(
        {
            "apiVersion": "policy/v1beta1" if "policy/v1beta1" in stages.kubectl("api-versions") else "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": {"name": "all-of-them"},
            "spec": {"minAvailable": 2, "selector": {"matchLabels": {"app": "web"}}},
        }
    )
    stage.kubectl("wait", "--for=jsonpath={.status.currentHealthy}=2", "pdb/all-of-them", "--timeout=5s", check=False)
    stages.grant(stage, rules=[{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}])
    done = stages.litmus("plan", written(tmp_path, stage.engine({"pod-delete": {"PODS_AFFECTED_PERC": 100}})))
    assert done.status == 2
    assert "PodDisruptionBudget all-of-them would be violated: it allows 0 disruptions now" in done.out
    assert "all 2 pods of deployment web are hit at once" in done.out
    assert "service account chaos-sa lacks: create, get, patch on events" in done.out
    assert "delete on pods" in done.out


def test_stop_all_stops_every_engine_that_runs(stage: Stage) -> None:
    stage.deploy(1)
    stage.apply(stage.engine({"pod-delete": {"TOTAL_CHAOS_DURATION": 120, "CHAOS_INTERVAL": 5}}))
    stage.started()
    done = stages.litmus("stop", "--all", "-n", stage.name)
    assert done.status == 0, str(done)
    assert f"{stage.name}/chaos stopped" in done.out
    assert stage.engine_status()["engineStatus"] == "stopped"


def test_a_cluster_that_is_not_there_is_one_line_and_no_traceback(operator: None, tmp_path: Path) -> None:
    text = Path(stages.KUBECONFIG).read_text(encoding="utf-8")
    config = yaml.safe_load(text)
    config["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:1"
    nowhere = tmp_path / "config"
    nowhere.write_text(yaml.safe_dump(config), encoding="utf-8")
    done = stages.litmus("stop", "--all", "--kubeconfig", str(nowhere))
    assert done.status == 2
    assert done.err.count("\n") == 1
    assert "https://127.0.0.1:1 does not answer" in done.err
