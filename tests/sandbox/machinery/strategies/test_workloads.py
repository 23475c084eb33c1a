from typing import Any

import pytest

from litmus.sandbox.machinery.objects import Obj
from tests.sandbox.machinery import desk
from tests.sandbox.machinery.desk import Desk, workload

MISMATCH = 'Invalid value: {"app":"web"}: `selector` does not match template `labels`'
POD_SPEC = {
    "containers": [
        {
            "name": "main",
            "image": "nginx",
            "imagePullPolicy": "Always",
            "resources": {},
            "terminationMessagePath": "/dev/termination-log",
            "terminationMessagePolicy": "File",
        }
    ],
    "dnsPolicy": "ClusterFirst",
    "restartPolicy": "Always",
    "schedulerName": "default-scheduler",
    "securityContext": {},
    "terminationGracePeriodSeconds": 30,
}
SHARED = {
    "selector": {"matchLabels": {"app": "web"}},
    "template": {"metadata": {"labels": {"app": "web"}}, "spec": POD_SPEC},
}


@pytest.mark.parametrize(
    ("kind", "spec", "status"),
    [
        (
            "Deployment",
            {
                "replicas": 1,
                "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"}},
                "revisionHistoryLimit": 10,
                "progressDeadlineSeconds": 600,
            },
            {},
        ),
        ("ReplicaSet", {"replicas": 1}, {"replicas": 0}),
        (
            "StatefulSet",
            {
                "replicas": 1,
                "podManagementPolicy": "OrderedReady",
                "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
                "revisionHistoryLimit": 10,
                "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
            },
            {"replicas": 0, "availableReplicas": 0},
        ),
        (
            "DaemonSet",
            {
                "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}},
                "revisionHistoryLimit": 10,
            },
            {"currentNumberScheduled": 0, "numberMisscheduled": 0, "desiredNumberScheduled": 0, "numberReady": 0},
        ),
    ],
)
def test_a_workload_gets_the_defaults_of_a_real_server(kind: str, spec: Obj, status: Obj) -> None:
    made = Desk().create(workload(kind))
    made["spec"].pop("serviceName", None)
    assert made["spec"] == {**SHARED, **spec}
    assert made["status"] == status
    assert made["metadata"]["generation"] == 1


def test_requests_of_a_template_do_not_come_from_its_limits() -> None:
    template = {
        "metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [desk.container(resources={"limits": {"cpu": 1}})]},
    }
    made = Desk().create(workload("Deployment", template=template))
    assert made["spec"]["template"]["spec"]["containers"][0]["resources"] == {"limits": {"cpu": "1"}}


@pytest.mark.parametrize("kind", ["Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"])
def test_the_selector_matches_the_template(kind: str) -> None:
    causes = Desk().causes(workload(kind, selector={"matchLabels": {"app": "db"}}))
    assert causes == [("spec.template.metadata.labels", MISMATCH)]


@pytest.mark.parametrize(
    ("kind", "causes"),
    [
        ("Deployment", [("spec.selector", "Required value"), ("spec.template.metadata.labels", MISMATCH)]),
        ("DaemonSet", [("spec.template.metadata.labels", MISMATCH)]),
    ],
)
def test_a_workload_without_selector_matches_nothing(kind: str, causes: list[tuple[str, str]]) -> None:
    obj = workload(kind)
    del obj["spec"]["selector"]
    assert Desk().causes(obj) == causes


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        ("Deployment", "deployment"),
        ("ReplicaSet", "deployment"),
        ("StatefulSet", "statefulset"),
        ("DaemonSet", "daemonset"),
    ],
)
def test_an_empty_selector_would_take_everything(kind: str, word: str) -> None:
    causes = Desk().causes(workload(kind, selector={}))
    assert ("spec.selector", f"Invalid value: {{}}: empty selector is invalid for {word}") in causes


@pytest.mark.parametrize("kind", ["Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"])
def test_pods_that_are_kept_running_restart_always(kind: str) -> None:
    obj = workload(kind)
    obj["spec"]["template"]["spec"]["restartPolicy"] = "Never"
    assert Desk().causes(obj) == [
        ("spec.template.spec.restartPolicy", 'Unsupported value: "Never": supported values: "Always"')
    ]


@pytest.mark.parametrize(
    ("spec", "causes"),
    [
        ({"replicas": -1}, [("spec.replicas", "Invalid value: -1: must be greater than or equal to 0")]),
        (
            {"strategy": {"type": "x"}},
            [
                (
                    "spec.strategy",
                    'Unsupported value: {"Type":"x","RollingUpdate":null}: '
                    'supported values: "Recreate", "RollingUpdate"',
                )
            ],
        ),
        (
            {"strategy": {"type": "Recreate", "rollingUpdate": {"maxSurge": 1}}},
            [("spec.strategy.rollingUpdate", "Forbidden: may not be specified when strategy `type` is 'Recreate'")],
        ),
        (
            {"strategy": {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 0}}},
            [("spec.strategy.rollingUpdate.maxUnavailable", "Invalid value: 0: may not be 0 when `maxSurge` is 0")],
        ),
        (
            {"strategy": {"rollingUpdate": {"maxUnavailable": "101%"}}},
            [("spec.strategy.rollingUpdate.maxUnavailable", 'Invalid value: "101%": must not be greater than 100%')],
        ),
        (
            {"minReadySeconds": 600},
            [("spec.progressDeadlineSeconds", "Invalid value: 600: must be greater than minReadySeconds")],
        ),
    ],
)
def test_a_deployment_that_cannot_roll_is_refused(spec: dict[str, Any], causes: list[tuple[str, str]]) -> None:
    assert Desk().causes(workload("Deployment", **spec)) == causes


@pytest.mark.parametrize("kind", ["Deployment", "ReplicaSet", "DaemonSet"])
def test_a_selector_is_chosen_once(kind: str) -> None:
    at = Desk()
    made = at.create(workload(kind))
    made["spec"]["selector"] = {"matchLabels": {"app": "db"}}
    made["spec"]["template"]["metadata"]["labels"] = {"app": "db"}
    assert at.update_causes(made) == [
        ("spec.selector", 'Invalid value: {"matchLabels":{"app":"db"}}: field is immutable')
    ]


def test_containers_of_a_stateful_set_mount_its_claims() -> None:
    claim = {
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}},
    }
    wanted = workload("StatefulSet", serviceName="web", volumeClaimTemplates=[claim])
    wanted["spec"]["template"]["spec"]["containers"][0]["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
    made = Desk().create(wanted)
    assert "volumes" not in made["spec"]["template"]["spec"]
    wanted["spec"]["volumeClaimTemplates"] = []
    assert Desk().causes(wanted) == [("spec.template.spec.containers[0].volumeMounts[0].name", 'Not found: "data"')]


def test_a_stateful_set_changes_in_few_fields() -> None:
    at = Desk()
    made = at.create(workload("StatefulSet", serviceName="web"))
    made["spec"]["replicas"] = 3
    made = at.update(made)
    made["spec"]["serviceName"] = "other"
    ((field, message),) = at.update_causes(made)
    assert field == "spec"
    assert message.startswith("Forbidden: updates to statefulset spec for fields other than 'replicas'")


@pytest.mark.parametrize(
    ("kind", "after"), [("Deployment", 2), ("ReplicaSet", 1), ("StatefulSet", 1), ("DaemonSet", 1)]
)
def test_annotations_are_a_new_generation_of_a_deployment_only(kind: str, after: int) -> None:
    at = Desk()
    made = at.create(workload(kind))
    made["metadata"].setdefault("annotations", {})["a"] = "b"
    assert at.update(made)["metadata"]["generation"] == after


@pytest.mark.parametrize("kind", ["Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"])
def test_the_generation_rises_with_the_spec_and_not_with_labels_or_status(kind: str) -> None:
    at = Desk()
    made = at.create(workload(kind))
    made["metadata"]["labels"] = {"a": "b"}
    made = at.update(made)
    made["status"]["observedGeneration"] = 1
    made = at.update(made, subresource="status")
    assert made["metadata"]["generation"] == 1
    made["spec"]["template"]["spec"]["containers"][0]["image"] = "nginx:2"
    assert at.update(made)["metadata"]["generation"] == 2


def test_a_daemon_set_counts_its_templates_in_an_annotation() -> None:
    at = Desk()
    name = "deprecated.daemonset.template.generation"
    made = at.create(workload("DaemonSet"))
    assert made["metadata"]["annotations"] == {name: "1"}
    made["spec"]["minReadySeconds"] = 5
    made = at.update(made)
    assert made["metadata"]["annotations"] == {name: "1"}
    made["spec"]["template"]["spec"]["containers"][0]["image"] = "nginx:2"
    assert at.update(made)["metadata"]["annotations"] == {name: "2"}


def test_a_replication_controller_takes_its_selector_from_the_template() -> None:
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [desk.container()]}}
    obj = {
        "apiVersion": "v1",
        "kind": "ReplicationController",
        "metadata": {"name": "web"},
        "spec": {"template": template},
    }
    made = Desk().create(obj)
    assert made["spec"]["selector"] == made["metadata"]["labels"] == {"app": "web"}
    del obj["spec"]["template"]
    assert ("spec.template", "Required value") in Desk().causes(obj)
