"""The Job of one experiment: its environment serves experiment images of 1.10, of 3.x and ours."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litmus.api import names
from litmus.runner import job
from tests import samples

APPLICATION = {"APP_NAMESPACE": "shop", "APP_LABEL": "app=web", "APP_KIND": "deployment"}
TARGETS = "deployment:shop:[web]"
MONTH_S = 30 * 86400


def manifest(*, engine=None, entry=None, definition=None) -> dict:
    engine_ = samples.an_engine(**({"experiments": [entry or {"name": "pod-delete"}]} | (engine or {})))
    return job.manifest(
        engine_,
        engine_.spec.experiments[0],
        samples.an_experiment(**(definition or {})),
        job_name="pod-delete-abc123",
        targets=TARGETS,
        application=APPLICATION,
    )


def pod(**changes) -> dict:
    return manifest(**changes)["spec"]["template"]["spec"]


def container(**changes) -> dict:
    [only] = pod(**changes)["containers"]
    return only


def env(**changes) -> dict[str, dict]:
    variables = container(**changes)["env"]
    assert len({variable["name"] for variable in variables}) == len(variables)
    return {variable["name"]: variable for variable in variables}


def components(**changes) -> dict:
    return {"name": "pod-delete", "spec": {"components": changes}}


def variables(**values: str) -> list[dict]:
    return [{"name": name, "value": value} for name, value in values.items()]


def test_a_failed_experiment_is_never_run_a_second_time_by_kubernetes():
    assert manifest()["spec"]["backoffLimit"] == 0
    assert pod()["restartPolicy"] == "Never"


def test_job_and_container_have_the_name_that_users_see():
    assert manifest()["metadata"]["name"] == container()["name"] == "pod-delete-abc123"


def test_the_job_is_owned_by_the_engine_with_the_rights_of_the_smallest_role():
    [owner] = manifest()["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"], owner["uid"]) == ("ChaosEngine", "shop-chaos", samples.ENGINE_UID)
    assert "blockOwnerDeletion" not in owner


def test_job_and_pod_are_found_by_the_labels_of_engine_and_experiment():
    made = manifest(definition={"labels": {"name": "pod-delete", "own": "label"}})
    labels = made["metadata"]["labels"]
    assert labels == made["spec"]["template"]["metadata"]["labels"]
    assert labels[names.CHAOS_UID] == samples.ENGINE_UID
    assert labels[names.EXPERIMENT_LABEL] == labels["name"] == "pod-delete"
    assert labels[names.COMPONENT] == "experiment-job"
    assert labels["own"] == "label"


def test_an_experiment_can_not_take_our_labels_away():
    made = manifest(definition={"labels": {names.CHAOS_UID: "mine", names.EXPERIMENT_LABEL: "other"}})
    assert made["metadata"]["labels"][names.CHAOS_UID] == samples.ENGINE_UID
    assert made["metadata"]["labels"][names.EXPERIMENT_LABEL] == "pod-delete"


def test_the_chart_is_overridden_by_the_engine_which_is_overridden_by_what_only_the_runner_knows():
    read = env(
        definition={"env": variables(A="chart", B="chart", CHAOSENGINE="chart", STATUS_CHECK_TIMEOUT="1")},
        entry=components(env=variables(B="engine", C="engine", CHAOS_NAMESPACE="engine", TARGETS="engine")),
    )
    assert {name: read[name]["value"] for name in "ABC"} == {"A": "chart", "B": "engine", "C": "engine"}
    assert read["CHAOSENGINE"]["value"] == "shop-chaos"
    assert read["CHAOS_NAMESPACE"]["value"] == "shop"
    assert read["TARGETS"]["value"] == TARGETS
    assert read["STATUS_CHECK_TIMEOUT"]["value"] == "180"


@given(
    st.dictionaries(st.sampled_from(["A", "B", "C", "CHAOS_UID"]), st.text("xyz", max_size=3)),
    st.dictionaries(st.sampled_from(["A", "B", "C", "POD_NAME"]), st.text("xyz", max_size=3)),
)
def test_every_variable_has_one_value_whoever_sets_it(chart, engine):
    read = env(definition={"env": variables(**chart)}, entry=components(env=variables(**engine)))
    for name in "ABC":
        expected = engine.get(name, chart.get(name))
        assert (read[name]["value"] if name in read else None) == expected


def test_everything_that_runners_of_both_releases_hand_over_is_there():
    read = env(engine={"auxiliaryAppInfo": "db:app=db"})
    assert {name: variable.get("value") for name, variable in read.items() if name != "TOTAL_CHAOS_DURATION"} == {
        "CHAOSENGINE": "shop-chaos",
        "CHAOS_NAMESPACE": "shop",
        "CHAOS_UID": samples.ENGINE_UID,
        "EXPERIMENT_NAME": "pod-delete",
        "AUXILIARY_APPINFO": "db:app=db",
        "CHAOS_SERVICE_ACCOUNT": "pod-delete-sa",
        "TARGETS": TARGETS,
        "JOB_CLEANUP_POLICY": "delete",
        "STATUS_CHECK_DELAY": "2",
        "STATUS_CHECK_TIMEOUT": "180",
        "POD_NAME": None,
        **APPLICATION,
    }
    assert read["POD_NAME"]["valueFrom"] == {"fieldRef": {"fieldPath": "metadata.name"}}


@pytest.mark.parametrize(("wanted", "expected"), [(True, "true"), (False, "false")])
def test_a_health_check_that_the_engine_decides_is_handed_over(wanted, expected):
    assert env(engine={"defaultHealthCheck": wanted})["DEFAULT_HEALTH_CHECK"]["value"] == expected


def test_a_health_check_that_the_engine_leaves_open_is_the_charts_business():
    assert "DEFAULT_HEALTH_CHECK" not in env()
    assert env(definition={"env": variables(DEFAULT_HEALTH_CHECK="false")})["DEFAULT_HEALTH_CHECK"]["value"] == "false"


@pytest.mark.parametrize(
    "source",
    [
        {"secretKeyRef": {"name": "s", "key": "k", "optional": True}},
        {"configMapKeyRef": {"name": "c", "key": "k"}},
        {"fieldRef": {"fieldPath": "spec.nodeName"}},
        {"resourceFieldRef": {"resource": "limits.cpu", "divisor": "1m"}},
    ],
)
def test_a_variable_from_elsewhere_passes_through(source):
    read = env(entry=components(env=[{"name": "A", "valueFrom": source}]), definition={"env": variables(A="chart")})
    assert read["A"] == {"name": "A", "valueFrom": source}


def test_a_variable_without_a_value_is_empty():
    assert env(entry=components(env=[{"name": "A"}]))["A"] == {"name": "A", "value": ""}


def test_the_command_is_the_charts_and_that_of_1_10_where_it_has_none():
    assert container()["command"] == ["/bin/bash"]
    assert container(definition={"command": ["litmus"], "args": ["experiment", "pod-delete"]})["command"] == ["litmus"]
    assert container(definition={"command": []})["command"] == ["/bin/bash"]
    assert container()["args"] == ["-c", "./experiments -name pod-delete"]


def test_the_engine_may_name_another_image_and_its_pull_secrets():
    assert container()["image"] == "litmuschaos/go-runner:1.10.0"
    wanted = components(experimentImage="mine:2", experimentImagePullSecrets=[{"name": "registry"}])
    assert container(entry=wanted)["image"] == "mine:2"
    assert pod(entry=wanted)["imagePullSecrets"] == [{"name": "registry"}]


@pytest.mark.parametrize(("policy", "expected"), [(None, "Always"), ("", "Always"), ("Never", "Never")])
def test_an_image_is_pulled_always_unless_the_chart_says_otherwise(policy, expected):
    definition = {} if policy is None else {"imagePullPolicy": policy}
    assert container(definition=definition)["imagePullPolicy"] == expected


def test_where_and_as_whom_the_pod_runs_is_the_engines_choice():
    toleration = {"key": "k", "operator": "Exists", "effect": "NoSchedule", "tolerationSeconds": 5}
    wanted = components(
        nodeSelector={"zone": "a"}, tolerations=[toleration], resources={"limits": {"cpu": "1", "memory": 5}}
    )
    made = pod(entry=wanted, engine={"terminationGracePeriodSeconds": 7})
    assert made["serviceAccountName"] == "pod-delete-sa"
    assert made["nodeSelector"] == {"zone": "a"}
    assert made["tolerations"] == [toleration]
    assert made["terminationGracePeriodSeconds"] == 7
    assert made["containers"][0]["resources"] == {"limits": {"cpu": "1", "memory": 5}}


def test_without_a_wish_there_is_no_grace_period_and_no_limit():
    assert "terminationGracePeriodSeconds" not in pod()
    assert "resources" not in container()


def test_what_the_chart_asks_of_the_host_is_handed_over():
    made = pod(
        definition={
            "hostPID": True,
            "securityContext": {
                "podSecurityContext": {"runAsUser": 0},
                "containerSecurityContext": {"privileged": True},
            },
        }
    )
    assert made["hostPID"] is True
    assert made["securityContext"] == {"runAsUser": 0}
    assert made["containers"][0]["securityContext"] == {"privileged": True}


def test_annotations_of_chart_and_engine_in_both_spellings_are_united():
    made = manifest(
        definition={"experimentannotations": {"a": "1", "b": "1"}, "experimentAnnotations": {"b": "2", "c": "2"}},
        entry=components(experimentannotation={"c": "3", "d": "3"}, experimentAnnotations={"d": "4"}),
    )
    assert made["spec"]["template"]["metadata"]["annotations"] == {"a": "1", "b": "2", "c": "3", "d": "4"}


def test_files_are_mounted_where_they_are_wanted_and_the_engine_goes_before_the_chart():
    made = pod(
        definition={
            "configmaps": [{"name": "one", "mountPath": "/chart"}],
            "configMaps": [{"name": "two", "mountPath": "/two"}],
            "secrets": [{"name": "key", "mountPath": "/key"}],
            "hostFileVolumes": [
                {"name": "sock", "mountPath": "/run/sock", "nodePath": "/run/a.sock", "type": "Socket"}
            ],
        },
        entry=components(
            configmaps=[{"name": "one", "mountPath": "/engine"}],
            configMaps=[{"name": "three", "mountPath": "/three"}],
            secrets=[{"name": "more", "mountPath": "/more"}],
        ),
    )
    mounted = {mount["name"]: mount["mountPath"] for mount in made["containers"][0]["volumeMounts"]}
    assert mounted == {
        "cm-0": "/engine",
        "cm-1": "/two",
        "cm-2": "/three",
        "secret-0": "/key",
        "secret-1": "/more",
        "host-0": "/run/sock",
    }
    volumes = {volume["name"]: volume for volume in made["volumes"]}
    assert set(volumes) == set(mounted)
    assert volumes["cm-0"]["configMap"] == {"name": "one"}
    assert volumes["secret-0"]["secret"] == {"secretName": "key"}
    assert volumes["host-0"]["hostPath"] == {"path": "/run/a.sock", "type": "Socket"}


def seconds(**values: str) -> int:
    return job.deadline_s(variables(**values))


def test_kubernetes_ends_a_job_that_hangs_but_never_one_that_works():
    most = manifest()["spec"]["activeDeadlineSeconds"]
    assert most > 15 + 6 * 180
    assert most < 24 * 3600


@given(st.integers(1, 100_000), st.integers(0, 10_000), st.integers(0, 10_000))
def test_the_deadline_leaves_time_for_the_chaos_both_ramps_and_the_checks(chaos, ramp, check):
    found = seconds(TOTAL_CHAOS_DURATION=str(chaos), RAMP_TIME=str(ramp), STATUS_CHECK_TIMEOUT=str(check))
    assert found >= chaos + 2 * ramp + 4 * check + 60


def test_named_targets_multiply_the_chaos_as_in_the_originals_serial_mode():
    one = seconds(TOTAL_CHAOS_DURATION="1000", TARGET_PODS="a")
    assert seconds(TOTAL_CHAOS_DURATION="1000", TARGET_PODS="a,b,c") == one + 2000


@pytest.mark.parametrize("value", ["soon", "-1", "1.5", "²"])
def test_a_duration_that_only_the_experiment_can_read_may_be_a_month(value):
    assert seconds(TOTAL_CHAOS_DURATION=value) >= MONTH_S


def test_a_duration_from_a_config_map_may_be_a_month():
    source = {"configMapKeyRef": {"name": "c", "key": "k"}}
    assert job.deadline_s([{"name": "TOTAL_CHAOS_DURATION", "valueFrom": source}]) >= MONTH_S


def test_a_duration_that_is_empty_is_none_and_one_with_spaces_is_read():
    assert seconds(TOTAL_CHAOS_DURATION="") == seconds()
    assert seconds(TOTAL_CHAOS_DURATION=" 7200 ") == seconds(TOTAL_CHAOS_DURATION="7200")


def test_a_volume_has_a_name_that_kubernetes_takes_whatever_it_mounts():
    """A ConfigMap may have dots and 253 letters in its name, a volume may not."""
    made = pod(definition={"configMaps": [{"name": "kube-root-ca.crt", "mountPath": "/x"}]})
    assert [volume["name"] for volume in made["volumes"] if "configMap" in volume] == ["cm-0"]


def test_a_random_name_is_made_for_every_job():
    assert re.fullmatch(r"pod-delete-[a-z0-9]{6}", names.job("pod-delete"))
