"""What the runner tells an experiment through its environment, ours or the original's."""

import pytest

from litmus.api.targeting import ANY_OWNER, AppTarget
from litmus.experiments import setting, verdicts

MINIMAL = {"CHAOSENGINE": "shop-chaos", "CHAOS_NAMESPACE": "shop"}
OF_1_10 = MINIMAL | {
    "CHAOS_UID": "uid",
    "EXPERIMENT_NAME": "pod-delete",
    "APP_NAMESPACE": "web",
    "APP_LABEL": "app=web",
    "APP_KIND": "deployment",
    "AUXILIARY_APPINFO": "db:app=db",
    "POD_NAME": "pod-delete-x",
    "STATUS_CHECK_DELAY": "5",
    "STATUS_CHECK_TIMEOUT": "60",
}


def test_the_environment_of_a_runner_of_1_10_is_understood():
    read = setting.read(OF_1_10)
    assert (read.engine, read.namespace, read.engine_uid, read.pod) == ("shop-chaos", "shop", "uid", "pod-delete-x")
    assert read.targets == (AppTarget(kind="deployment", namespace="web", labels="app=web"),)
    assert read.auxiliary == (AppTarget(kind=ANY_OWNER, namespace="db", labels="app=db"),)
    assert read.check_timeout_s == 60
    assert read.health_checks is True


def test_the_targets_of_a_runner_of_3_x_go_before_those_of_1_10():
    read = setting.read(OF_1_10 | {"TARGETS": "statefulset:db:[db-a,db-b];deployment:shop:[app=api]"})
    assert read.targets == (
        AppTarget(kind="statefulset", namespace="db", names=("db-a", "db-b")),
        AppTarget(kind="deployment", namespace="shop", labels="app=api"),
    )


def test_without_anything_said_there_is_no_application_and_the_originals_times_hold():
    read = setting.read(MINIMAL)
    assert read.targets == read.auxiliary == ()
    assert (read.check_timeout_s, read.health_checks) == (180, True)
    assert (read.engine_uid, read.pod, read.instance) == ("", "", "")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"APP_LABEL": "app=web"}, AppTarget(kind=ANY_OWNER, namespace="shop", labels="app=web")),
        ({"APP_KIND": "daemonset"}, AppTarget(kind="daemonset", namespace="shop")),
        ({"APP_NAMESPACE": "web"}, AppTarget(kind=ANY_OWNER, namespace="web")),
    ],
)
def test_what_is_left_out_means_pods_of_any_owner_in_the_engines_namespace(changes, expected):
    assert setting.read(MINIMAL | changes).targets == (expected,)


@pytest.mark.parametrize(
    ("env", "words"),
    [
        ({}, "CHAOSENGINE and CHAOS_NAMESPACE not set"),
        ({"CHAOSENGINE": "e"}, "CHAOS_NAMESPACE not set"),
        ({"CHAOS_NAMESPACE": "n", "CHAOSENGINE": ""}, "CHAOSENGINE not set"),
    ],
)
def test_outside_a_run_it_is_said_how_one_is_started(env, words):
    with pytest.raises(verdicts.CannotRun, match=words) as caught:
        setting.read(env)
    assert "apply a ChaosEngine, or use litmus run" in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"TARGETS": "deployment:web"}, "TARGETS entry 'deployment:web' is not of the form"),
        ({"AUXILIARY_APPINFO": "db"}, "auxiliaryAppInfo: 'db' is not of the form namespace:label"),
        ({"STATUS_CHECK_TIMEOUT": "soon"}, "STATUS_CHECK_TIMEOUT='soon': must be a whole number of seconds"),
    ],
)
def test_a_variable_that_can_not_be_read_is_named_with_its_value(changes, words):
    with pytest.raises(verdicts.CannotRun, match=words) as caught:
        setting.read(MINIMAL | changes)
    assert caught.value.code == verdicts.TUNABLE


@pytest.mark.parametrize(
    ("value", "checked"), [("false", False), ("False", False), ("true", True), ("", True), ("no", True)]
)
def test_health_is_checked_unless_that_is_switched_off(value, checked):
    assert setting.read(MINIMAL | {"DEFAULT_HEALTH_CHECK": value}).health_checks is checked


@pytest.mark.parametrize("text", ["²", "٣"])
def test_a_digit_of_another_script_is_no_time(text):
    with pytest.raises(verdicts.CannotRun, match="STATUS_CHECK_TIMEOUT"):
        setting.read(MINIMAL | {"STATUS_CHECK_TIMEOUT": text})


def test_a_label_without_a_value_is_a_label_and_no_name():
    [target] = setting.read(MINIMAL | {"TARGETS": "KIND:shop:[tier]"}).targets
    assert (target.labels, target.names) == ("tier", ())


def test_targets_without_a_namespace_are_in_the_engines():
    [target] = setting.read(MINIMAL | {"TARGETS": "deployment::[web]"}).targets
    assert target.namespace == "shop"
