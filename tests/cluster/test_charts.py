"""What the hub hands out is taken by kubectl and the API server, for every experiment. Nothing of it stays."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from litmus.experiments import catalogue
from litmus.experiments.declaration import Experiment
from litmus.hub import charts, model, ours
from tests.cluster import stage as stages
from tests.cluster.stage import Stage

EXPERIMENTS = catalogue.everything()
CLUSTERWIDE = ("ClusterRole", "ClusterRoleBinding")


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda experiment: experiment.name)
def test_kubectl_applies_a_chart(stage: Stage, experiment: Experiment) -> None:
    files = charts.table([experiment], namespace=stage.name)
    folder = f"charts/{experiment.chart}/{experiment.name}"
    for name in charts.FILES:
        said = stage.kubectl("apply", "--dry-run=server", "-f", "-", stdin=files[f"{folder}/{name}"]())
        assert "(server dry run)" in said
        assert "Warning" not in said


@pytest.fixture
def tree(stage: Stage, tmp_path: Path) -> Iterator[Path]:
    """The hub's files on disk, as somebody has them who fetched the hub. Objects of the whole cluster go afterwards."""
    hub = ours.hub(namespace=stage.name, image=stages.IMAGE or charts.DEFAULT_IMAGE)
    for path, content in hub.files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content)
    yield tmp_path
    names = [f"{experiment.name}-sa" for experiment in EXPERIMENTS if experiment.scope == "Cluster"]
    for kind in CLUSTERWIDE:
        stages.kubectl("delete", kind, *names, "--ignore-not-found", "--wait=false")


def objects(root: Path, *names: str) -> list[tuple[Path, dict[str, Any]]]:
    """What is written in the files with these names."""
    found = [path for path in sorted(root.rglob("*.yaml")) if path.name in names]
    return [(path, document) for path in found for document in yaml.safe_load_all(path.read_text())]


@pytest.mark.alone  # it binds roles of the whole cluster to accounts of its own namespace
def test_the_whole_tree_arrives_on_the_cluster(stage: Stage, tree: Path) -> None:
    """Experiments, bundles and roles at once, as ``kubectl apply -R`` takes a folder, without what describes charts."""
    for path in tree.rglob("*"):
        if path.is_file() and path.name not in (charts.BUNDLE, "experiment.yaml", "rbac.yaml", "engine.yaml"):
            path.unlink()
    engines = objects(tree, "engine.yaml")
    for path, _ in engines:
        path.unlink()
    stage.kubectl("delete", "chaosexperiments", "--all")

    said = stage.kubectl("apply", "-R", "-f", str(tree / "charts"))

    assert "Warning" not in said
    expected = {
        (d["kind"], d["metadata"]["name"]) for _, d in objects(tree, charts.BUNDLE, "experiment.yaml", "rbac.yaml")
    }
    arrived = {
        (kind, found["metadata"]["name"])
        for kind in sorted({kind for kind, _ in expected})
        for found in stage.get(kind)
        if (kind, found["metadata"]["name"]) in expected
    }
    assert arrived == expected
    assert len([kind for kind, _ in expected if kind == "ChaosExperiment"]) == len(EXPERIMENTS)
    for binding in stage.get("RoleBinding") + stage.get("ClusterRoleBinding"):
        if (binding["kind"], binding["metadata"]["name"]) in expected:
            assert [s.get("namespace", stage.name) for s in binding["subjects"]] == [stage.name]


@pytest.mark.alone
def test_every_engine_of_the_tree_arrives_as_it_is_written(stage: Stage, tree: Path) -> None:
    """One after the other, because they have the same name; stopped, because arriving is all that they shall do."""
    engines = objects(tree, "engine.yaml")
    assert len(engines) == len(EXPERIMENTS)
    for path, engine in engines:
        stage.apply(engine | {"spec": engine["spec"] | {"engineState": "stop"}})
        arrived = stage.get("chaosengine", engine["metadata"]["name"])["spec"]["experiments"]
        assert [entry["name"] for entry in arrived] == [path.parent.name]
        assert arrived[0]["spec"]["components"]["env"] == engine["spec"]["experiments"][0]["spec"]["components"]["env"]
        stage.kubectl("delete", "chaosengine", engine["metadata"]["name"])


def test_the_server_refuses_what_only_describes_charts(stage: Stage) -> None:
    """So nobody can take the metadata of a hub for objects of a cluster."""
    hub: model.Hub = ours.hub()
    path = "charts/generic/pod-delete/pod-delete.chartserviceversion.yaml"
    done = stages.run(["kubectl", "apply", "-f", "-"], check=False, stdin=hub.files[path].decode())
    assert done.status != 0
    assert "ChartServiceVersion" in done.err
