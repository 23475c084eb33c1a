"""pod-autoscaler on a real cluster: replicas are read by kubectl from the workload and from its pods."""

from collections.abc import Iterator

import pytest

from tests.cluster import nodes
from tests.cluster.stage import Stage, kubectl, until

NAME = "pod-autoscaler"


@pytest.fixture(autouse=True)
def _granted(stage: Stage) -> Iterator[None]:
    with nodes.granted(stage, NAME):
        yield


def replicas(stage: Stage, workload: str = "deployment/web") -> int:
    kind, name = workload.split("/")
    found: int = stage.get(kind, name)["spec"]["replicas"]
    return found


def engine(stage: Stage, count: int, duration_s: int = 10, **spec: object) -> dict[str, object]:
    return stage.engine({NAME: {"REPLICA_COUNT": count, "TOTAL_CHAOS_DURATION": duration_s}}, **spec)


@pytest.mark.parametrize("count", [4, 1])
def test_a_deployment_is_scaled_and_scaled_back(stage: Stage, count: int) -> None:
    stage.deploy(2)
    stage.apply(engine(stage, count))
    nodes.during(stage, NAME)
    assert replicas(stage) == count
    assert len(stage.pods()) == count
    stage.ended()
    assert stage.verdict(NAME) == ("Pass", "N/A")
    assert replicas(stage) == 2
    assert len(stage.pods()) == 2


def test_every_workload_with_the_label_is_scaled(stage: Stage) -> None:
    stage.deploy(1)
    stage.deploy(2, name="db", kind="StatefulSet")
    for workload in ("deployment/web", "statefulset/db"):
        stage.kubectl("label", workload, "tier=all")
    for app in ("web", "db"):
        stage.kubectl("label", "pods", f"-lapp={app}", "tier=all")
    app = {"appns": stage.name, "applabel": "tier=all", "appkind": ""}
    stage.apply(engine(stage, 3, 40, appinfo=app, annotationCheck="false"))
    until(lambda: replicas(stage) == replicas(stage, "statefulset/db") == 3, "both to be scaled")
    stage.ended()
    assert stage.verdict(NAME) == ("Pass", "N/A")
    assert (replicas(stage), replicas(stage, "statefulset/db")) == (1, 2)


def test_replicas_that_find_no_place_are_a_fail_and_it_is_scaled_back(stage: Stage) -> None:
    alone = {"labelSelector": {"matchLabels": {"app": "web"}}, "topologyKey": "kubernetes.io/hostname"}
    stage.deploy(1, affinity={"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [alone]}})
    stage.apply(engine(stage, 20, 5))
    stage.ended()
    verdict, step = stage.verdict(NAME)
    assert verdict == "Fail"
    assert "deployment web did not reach 20 available replicas within 5 s: 20 there" in step
    assert replicas(stage) == 1


def test_a_stopped_engine_scales_back(stage: Stage) -> None:
    stage.deploy(1)
    stage.apply(engine(stage, 3, 300))
    nodes.during(stage, NAME)
    stage.kubectl("patch", "chaosengine/chaos", "--type=merge", "-p", '{"spec":{"engineState":"stop"}}')
    until(lambda: replicas(stage) == 1, "the deployment to be scaled back", deadline_s=10)
    stage.ended()
    assert stage.verdict(NAME)[0] == "Stopped"


def test_a_run_that_is_killed_is_scaled_back(stage: Stage) -> None:
    stage.deploy(1)
    stage.apply(engine(stage, 3, 300))
    nodes.during(stage, NAME)
    pod = stage.result(NAME)["run"]["pod"]
    stage.kubectl("delete", "pod", pod, "chaos-runner", "--grace-period=0", "--force")
    until(lambda: replicas(stage) == 1, "the deployment to be scaled back", deadline_s=30)
    stage.ended()
    assert stage.verdict(NAME)[0] == "Error"


def test_what_a_person_scales_meanwhile_stays(stage: Stage) -> None:
    stage.deploy(1)
    stage.apply(engine(stage, 3, 60))
    nodes.during(stage, NAME)
    stage.kubectl("scale", "deployment/web", "--replicas=2")
    stage.ended()
    verdict, step = stage.verdict(NAME)
    assert verdict == "Error"
    assert "deployment web was scaled to 2 by somebody else" in step
    assert replicas(stage) == 2


def test_a_workload_with_an_autoscaler_is_refused(stage: Stage) -> None:
    stage.deploy(1)
    version = "autoscaling/v2" if "autoscaling/v2\n" in kubectl("api-versions") else "autoscaling/v1"
    web = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    spec = {"minReplicas": 1, "maxReplicas": 2, "scaleTargetRef": web}
    hpa = {"apiVersion": version, "kind": "HorizontalPodAutoscaler", "metadata": {"name": "web"}, "spec": spec}
    stage.apply(hpa)
    stage.apply(engine(stage, 3))
    stage.ended()
    verdict, step = stage.verdict(NAME)
    assert verdict == "Error"
    assert "HorizontalPodAutoscaler web scales deployment web, too" in step
    assert replicas(stage) == 1
