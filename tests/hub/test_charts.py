"""The charts: what they promise to users, to our runner and to the original's."""

import os
import subprocess
from pathlib import Path

import msgspec
import pytest
import yaml

from litmus import api
from litmus.api import strict
from litmus.experiments import catalogue, node_fault, tunables
from litmus.experiments.declaration import Experiment
from litmus.experiments.pod_delete import PodDelete
from litmus.hub import charts, documents
from litmus.runner import job

EXPERIMENTS = catalogue.everything()
ALL = pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda experiment: experiment.name)


class NodeFlood(node_fault.NodeFault):
    """An experiment on nodes that can't do without being told how deep."""

    name = "node-flood"
    title = "Node flood"
    help = "Floods nodes."
    tunables = (
        tunables.DURATION.listed("60"),
        tunables.TARGET_NODES.listed(),
        tunables.NODES_AFFECTED.listed(),
        tunables.Tunable(name="DEPTH", default="", read=tunables.whole_seconds(1), unit="m", help="Depth.", chart=""),
    )


def written(experiment: Experiment, file: str, **options: str) -> list[dict]:
    text = charts.table([experiment], **options)[f"charts/generic/{experiment.name}/{file}"]()
    return list(yaml.safe_load_all(text))


@ALL
def test_a_chaos_experiment_has_no_mistake(experiment: Experiment):
    [resource] = written(experiment, "experiment.yaml")

    assert strict.mistakes(api.ChaosExperiment, resource) == []


@ALL
def test_an_engine_to_start_from_has_no_mistake(experiment: Experiment):
    [engine] = written(experiment, "engine.yaml")

    assert strict.mistakes(api.ChaosEngine, engine) == []


@ALL
def test_the_values_of_a_chart_and_of_its_engine_are_values_that_the_experiment_takes(experiment: Experiment):
    known = {tunable.name: tunable for tunable in experiment.all_tunables()}
    [resource] = written(experiment, "experiment.yaml")
    [engine] = written(experiment, "engine.yaml")

    for variable in (
        *resource["spec"]["definition"]["env"],
        *engine["spec"]["experiments"][0]["spec"]["components"]["env"],
    ):
        tunable = known[variable["name"]]
        tunable.value(variable["value"] or tunable.default)


@ALL
def test_a_chart_lists_exactly_the_tunables_that_the_declaration_lists(experiment: Experiment):
    [resource] = written(experiment, "experiment.yaml")

    assert {v["name"]: v["value"] for v in resource["spec"]["definition"]["env"]} == {
        tunable.name: tunable.chart for tunable in experiment.all_tunables() if tunable.chart is not None
    }


@ALL
def test_every_tunable_has_its_help_and_its_unit_above_it(experiment: Experiment):
    text = charts.bundle([experiment], image="i")

    for tunable in experiment.all_tunables():
        if tunable.chart is not None:
            above = text[: text.index(f"- name: {tunable.name}\n")].rsplit("- name:", 1)[-1]
            comment = " ".join(line.strip(" #") for line in above.splitlines() if line.strip().startswith("#"))
            assert tunable.help in comment
            assert ("In seconds." in comment) == (tunable.unit == "s")


@ALL
def test_an_experiment_starts_under_a_runner_that_ignores_the_command(experiment: Experiment, tmp_path: Path):
    """The runner of 1.10 always starts /bin/bash with the arguments of the ChaosExperiment."""
    stub = tmp_path / "litmus"
    stub.write_text("#!/bin/sh\necho $$ $*\n")
    stub.chmod(0o755)
    [resource] = written(experiment, "experiment.yaml")
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}

    with subprocess.Popen(
        ["/bin/bash", *resource["spec"]["definition"]["args"]], env=environment, stdout=subprocess.PIPE, text=True
    ) as started:
        said, _ = started.communicate(timeout=30)

    assert said == f"{started.pid} experiment {experiment.name}\n"  # the same process, so that it gets the signals


@ALL
def test_an_experiment_starts_under_our_runner(experiment: Experiment):
    resource = msgspec.convert(written(experiment, "experiment.yaml", image="litmus:mine")[0], api.ChaosExperiment)
    engine = msgspec.convert(written(experiment, "engine.yaml")[0], api.ChaosEngine)

    made = job.manifest(engine, engine.spec.experiments[0], resource, job_name="j", targets="", application={})

    pod = made["spec"]["template"]["spec"]
    assert pod["serviceAccountName"] == f"{experiment.name}-sa"
    assert pod["containers"][0]["command"] == ["/bin/bash"]
    assert pod["containers"][0]["args"] == ["-c", f"exec litmus experiment {experiment.name}"]
    assert pod["containers"][0]["image"] == "litmus:mine"
    assert pod["containers"][0]["imagePullPolicy"] == "IfNotPresent"


@ALL
def test_an_experiment_leaves_the_namespace_to_kubectl(experiment: Experiment):
    for file in charts.FILES:
        if file == "rbac.yaml" and experiment.scope == "Cluster":
            continue  # the binding of a ClusterRole has to name one
        for document in written(experiment, file):
            assert "namespace" not in document["metadata"]


def test_the_role_of_a_pod_experiment_is_the_small_role_of_the_field():
    account, role, binding = written(PodDelete(), "rbac.yaml")

    assert [account["kind"], role["kind"], binding["kind"]] == ["ServiceAccount", "Role", "RoleBinding"]
    assert {document["metadata"]["name"] for document in (account, role, binding)} == {"pod-delete-sa"}
    assert all(document["metadata"]["labels"]["name"] == "pod-delete-sa" for document in (account, role, binding))
    [rule] = role["rules"]
    assert rule["apiGroups"] == ["", "litmuschaos.io", "batch", "apps"]
    assert set(rule["resources"]) == {
        *("pods", "deployments", "pods/log", "events", "jobs", "chaosengines", "chaosexperiments", "chaosresults")
    }
    assert set(rule["verbs"]) == {"create", "list", "get", "patch", "update", "delete", "deletecollection"}
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "pod-delete-sa"}]


def test_a_namespace_that_was_asked_for_stands_wherever_it_may():
    account, role, binding = written(PodDelete(), "rbac.yaml", namespace="nginx")
    [engine] = written(PodDelete(), "engine.yaml", namespace="nginx")

    assert {d["metadata"]["namespace"] for d in (account, role, binding, engine)} == {"nginx"}
    assert binding["subjects"][0]["namespace"] == "nginx"
    assert engine["spec"]["appinfo"]["appns"] == "nginx"


def test_a_cluster_role_and_its_account_name_the_namespace_that_the_binding_needs():
    account, role, binding = written(NodeFlood(), "rbac.yaml")

    assert [role["kind"], binding["kind"]] == ["ClusterRole", "ClusterRoleBinding"]
    assert "namespace" not in role["metadata"]
    assert "namespace" not in binding["metadata"]
    assert account["metadata"]["namespace"] == binding["subjects"][0]["namespace"] == "default"
    assert "&namespace=NAME" in charts.role(NodeFlood())


def test_the_engine_of_a_node_experiment_has_a_place_for_the_node_and_for_what_it_can_not_do_without():
    [engine] = written(NodeFlood(), "engine.yaml")

    values = {v["name"]: v["value"] for v in engine["spec"]["experiments"][0]["spec"]["components"]["env"]}
    assert values == {"TOTAL_CHAOS_DURATION": "30", "TARGET_NODES": "", "DEPTH": ""}
    assert engine["spec"]["annotationCheck"] == "false"
    assert "the node of one of its pods is hit" in " ".join(charts.engine(NodeFlood()).replace("#", "").split())


def test_the_bundle_of_a_group_holds_each_of_its_experiments_once():
    bundle = charts.table(EXPERIMENTS)["charts/generic/experiments.yaml"]()

    resources = list(yaml.safe_load_all(bundle))
    assert [r["metadata"]["name"] for r in resources] == [e.name for e in EXPERIMENTS if e.chart == "generic"]
    assert resources == [documents.plain(charts.custom_resource(e)) for e in EXPERIMENTS if e.chart == "generic"]


def test_the_engine_of_pod_delete_is_that_of_the_tutorial():
    [engine] = written(PodDelete(), "engine.yaml", namespace="nginx")

    spec = engine["spec"]
    assert engine["metadata"] == {"name": "nginx-chaos", "namespace": "nginx"}
    assert spec["appinfo"] == {"appns": "nginx", "applabel": "app=nginx", "appkind": "deployment"}
    assert (spec["annotationCheck"], spec["engineState"], spec["jobCleanUpPolicy"]) == ("true", "active", "delete")
    assert spec["chaosServiceAccount"] == "pod-delete-sa"
    values = {v["name"]: v["value"] for v in spec["experiments"][0]["spec"]["components"]["env"]}
    assert values | {"TOTAL_CHAOS_DURATION": "30", "CHAOS_INTERVAL": "10", "FORCE": "false"} == values


@pytest.mark.parametrize("name", ["nginx", "a", "a-1", "0a", "a" * 63])
def test_a_name_that_kubernetes_takes_is_a_namespace(name: str):
    assert charts.is_namespace(name)


@pytest.mark.parametrize("name", ["", "A", "a_b", "-a", "a-", "a.b", "a\n", "a" * 64])
def test_a_name_that_kubernetes_refuses_is_no_namespace(name: str):
    assert not charts.is_namespace(name)
