"""The chart on an API server: everything is accepted, and helm installs, upgrades and uninstalls it."""

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from litmus.experiments import catalogue
from litmus.hub import charts
from tests import helm
from tests.cluster import stage as stages
from tests.cluster.forwarding import forwarded
from tests.cluster.stage import Stage
from tests.cluster.test_hub_deployment import get


def image() -> dict[str, Any]:
    """The values that name the image of this checkout."""
    repository, _, tag = stages.IMAGE.rpartition(":")
    return {"image": {"repository": repository, "tag": tag}} if tag else {}


@pytest.mark.parametrize("scope", ["cluster", "namespaced"])
def test_the_api_server_accepts_every_object_of_the_chart(stage: Stage, scope: str, tmp_path: Path) -> None:
    made = helm.rendered({"scope": scope, "hub": {"enabled": True}}, folder=tmp_path, namespace=stage.name)

    said = stage.kubectl(
        *("apply", "--server-side", "--force-conflicts", "--dry-run=server", "--validate=true", "-f", "-"),
        stdin=yaml.safe_dump_all(made),
    )

    assert said.count("(server dry run)") == len(made)


@pytest.fixture
def alone_with_its_operator(stage: Stage) -> Iterator[None]:
    with stages.only_operator():
        yield


@pytest.mark.usefixtures("alone_with_its_operator")
def test_helm_installs_upgrades_and_uninstalls_the_hub(stage: Stage, tmp_path: Path) -> None:
    """Without an operator that runs: this cluster has one for every engine."""
    stage.kubectl("create", "secret", "generic", "chaos-hub", f"--from-file={zipped_hub(tmp_path)}")
    mine = {"name": "mine", "url": "/etc/litmus/credentials/mine.zip"}
    values = {"scope": "namespaced", "replicas": 0, "hub": {"enabled": True, "customHubs": [mine]}, **image()}
    command(stage, "install", values, tmp_path)
    with forwarded("chaos-hub", namespace=stage.name) as address:
        file = "file=charts/generic/pod-delete/experiment.yaml"
        assert b"kind: ChaosExperiment" in get(f"{address}/api/chaos/master?{file}")
        stages.until(lambda: synced(address), "the hub from the zip to be there")
        assert b"mine.example/runner:1" in get(f"{address}/api/chaos/master?{file}&hub=mine")

    values["hub"] = {"enabled": True, "podAnnotations": {"tests": "again"}, "service": {"port": 80}}
    command(stage, "upgrade", values, tmp_path)
    [pod] = [pod for pod in stage.get("pods") if "deletionTimestamp" not in pod["metadata"]]
    assert pod["metadata"]["annotations"]["tests"] == "again"
    assert stage.get("service", "chaos-hub")["spec"]["ports"][0]["port"] == 80

    values["hub"] = {"enabled": False}
    command(stage, "upgrade", values, tmp_path)
    assert stage.get("deployment", "chaos-hub") is None
    assert stage.get("deployment", "chaos-operator-ce")["spec"]["replicas"] == 0

    done = helm.run("uninstall", "litmus", "-n", stage.name, "--wait", folder=tmp_path, kubeconfig=stages.KUBECONFIG)
    assert done.returncode == 0, done.stderr
    for kind in ("deployments", "roles", "rolebindings", "services", "configmaps"):
        ours = [found for found in stage.get(kind) if found["metadata"].get("labels", {}).get("name") == "litmus"]
        assert ours == [], kind
    assert json.loads(stages.kubectl("get", "crd", "chaosengines.litmuschaos.io", "-o", "json"))


def zipped_hub(folder: Path) -> Path:
    """A hub of one experiment, with an image by which it is known."""
    file = folder / "mine.zip"
    with zipfile.ZipFile(file, "w") as made:
        for path, write in charts.table([catalogue.find("pod-delete")], image="mine.example/runner:1").items():
            made.writestr(path, write())
    return file


def synced(address: str) -> bool:
    hubs = {hub["name"]: hub for hub in json.loads(get(f"{address}/api/hubs"))}
    return b"pod-delete" in get(f"{address}/api/charts/master?hub=mine") if "mine" in hubs else False


def command(stage: Stage, verb: str, values: dict[str, Any], folder: Path) -> None:
    file = folder / "values.json"
    file.write_text(json.dumps(values))
    where = ("--namespace", stage.name, "--skip-crds", "--values", str(file), "--wait", "--timeout", "90s")
    done = helm.run(verb, "litmus", str(helm.CHART), *where, folder=folder, kubeconfig=stages.KUBECONFIG)
    assert done.returncode == 0, done.stderr
