"""The runner pod serves our runner and the original's of 1.10 and of 3.x."""

import re

import pytest

from litmus.api import names, targeting
from litmus.api.targeting import AppTarget
from litmus.operator import runner_pod
from tests import samples

WEB = [AppTarget(kind="deployment", namespace="shop", names=("web",))]


def manifest(*, image: str = "litmus:1", targets=WEB, runner: dict | None = None, **spec) -> dict:
    engine = samples.an_engine(**({"components": {"runner": runner or {}}} | spec))
    return runner_pod.manifest(engine, targets, image=image)


def container(**changes) -> dict:
    [only] = manifest(**changes)["spec"]["containers"]
    return only


def env(**changes) -> dict[str, str]:
    return {variable["name"]: variable["value"] for variable in container(**changes)["env"]}


def test_the_pod_has_the_name_and_the_labels_that_tools_look_for():
    metadata = manifest()["metadata"]
    assert metadata["name"] == "shop-chaos-runner"
    assert metadata["labels"][names.APP] == "engine"
    assert metadata["labels"][names.CHAOS_UID] == samples.ENGINE_UID
    assert metadata["labels"][names.COMPONENT] == "chaos-runner"
    assert metadata["labels"][names.PART_OF] == "litmus"


def test_the_pod_is_owned_by_the_engine():
    [owner] = manifest()["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["uid"]) == ("ChaosEngine", samples.ENGINE_UID)
    assert "blockOwnerDeletion" not in owner


def test_a_runner_that_crashes_is_started_again_as_the_engines_service_account():
    spec = manifest()["spec"]
    assert spec["restartPolicy"] == "OnFailure"
    assert spec["serviceAccountName"] == "pod-delete-sa"
    assert spec["containers"][0]["name"] == "chaos-runner"


def test_the_environment_is_that_of_1_10_and_that_of_3_x():
    read = env(
        auxiliaryAppInfo="db:app=db",
        experiments=[{"name": "pod-delete"}, {"name": "container-kill"}],
    )
    assert read == {
        "CHAOSENGINE": "shop-chaos",
        "CHAOS_NAMESPACE": "shop",
        "EXPERIMENT_LIST": "pod-delete,container-kill",
        "CHAOS_SVC_ACC": "pod-delete-sa",
        "AUXILIARY_APPINFO": "db:app=db",
        "CLIENT_UUID": "",
        "CHAOS_UID": samples.ENGINE_UID,
        "APP_LABEL": "app=web",
        "APP_KIND": "deployment",
        "APP_NAMESPACE": "shop",
        "TARGETS": "deployment:shop:[web]",
    }


def test_the_targets_are_those_that_were_admitted():
    assert targeting.parse(env()["TARGETS"]) == WEB
    assert env(targets=[])["TARGETS"] == ""


@pytest.mark.parametrize("image", ["litmuschaos/chaos-runner:1.10.0", "chaos-runner", "reg:5000/x/chaos-runner:3.0"])
def test_an_image_of_the_original_starts_by_itself(image):
    assert "command" not in container(image=image)
    assert "command" not in container(runner={"image": image})
    assert container(runner={"image": image})["image"] == image


@pytest.mark.parametrize("image", ["litmus:1", "mirror/my-chaos-runner:1", "ghcr.io/chaos-runner/litmus:2"])
def test_any_other_image_is_ours_and_told_its_role(image):
    assert container(runner={"image": image})["command"] == ["litmus", "runner"]


def test_a_command_that_the_engine_names_is_taken_with_any_image():
    wanted = {"image": "litmuschaos/chaos-runner:1.10.0", "command": ["run"], "args": ["--fast"]}
    assert container(runner=wanted)["command"] == ["run"]
    assert container(runner=wanted)["args"] == ["--fast"]
    assert "args" not in container()


@pytest.mark.parametrize(("policy", "expected"), [({}, "IfNotPresent"), ({"imagePullPolicy": "Always"}, "Always")])
def test_the_image_is_pulled_when_it_is_absent_unless_the_engine_says_otherwise(policy, expected):
    assert container(runner=policy)["imagePullPolicy"] == expected


def test_what_else_the_engine_wishes_for_its_runner_is_done():
    made = manifest(
        runner={
            "runnerannotation": {"a": "1", "b": "1"},
            "runnerAnnotations": {"b": "2"},
            "runnerLabels": {"team": "web", names.CHAOS_UID: "mine"},
            "nodeSelector": {"zone": "a"},
            "tolerations": [{"key": "k", "operator": "Exists"}],
            "imagePullSecrets": [{"name": "registry"}],
            "resources": {"limits": {"cpu": "100m"}},
            "configMaps": [{"name": "cm", "mountPath": "/cm"}],
            "secrets": [{"name": "key", "mountPath": "/key"}],
        },
        terminationGracePeriodSeconds=7,
    )
    spec = made["spec"]
    assert made["metadata"]["annotations"] == {"a": "1", "b": "2"}
    assert made["metadata"]["labels"]["team"] == "web"
    assert made["metadata"]["labels"][names.CHAOS_UID] == samples.ENGINE_UID
    assert spec["nodeSelector"] == {"zone": "a"}
    assert spec["tolerations"] == [{"key": "k", "operator": "Exists"}]
    assert spec["imagePullSecrets"] == [{"name": "registry"}]
    assert spec["terminationGracePeriodSeconds"] == 7
    assert spec["containers"][0]["resources"] == {"limits": {"cpu": "100m"}}
    mounts = {mount["name"]: mount["mountPath"] for mount in spec["containers"][0]["volumeMounts"]}
    assert mounts == {"cm-0": "/cm", "secret-0": "/key"}
    assert spec["volumes"] == [
        {"name": "cm-0", "configMap": {"name": "cm"}},
        {"name": "secret-0", "secret": {"secretName": "key"}},
    ]


def test_without_a_wish_kubernetes_own_grace_period_holds():
    assert "terminationGracePeriodSeconds" not in manifest()["spec"]


def test_an_image_of_the_original_that_is_named_by_its_digest_starts_by_itself():
    assert "command" not in container(image="litmuschaos/chaos-runner@sha256:" + "a" * 64)


def test_a_configmap_whose_name_no_volume_may_have_is_mounted_all_the_same():
    made = manifest(runner={"configMaps": [{"name": "kube-root-ca.crt", "mountPath": "/x"}]})
    [volume] = made["spec"]["volumes"]
    assert re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", volume["name"])
    assert volume["configMap"] == {"name": "kube-root-ca.crt"}
