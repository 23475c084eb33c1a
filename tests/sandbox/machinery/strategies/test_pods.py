"""What a real server (Kubernetes 1.20) answered, less what newer versions say otherwise."""

from typing import Any

import pytest

from litmus.sandbox.machinery import names, objects, status
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.strategies import pod_defaults, pods, qos
from tests.sandbox.machinery import desk
from tests.sandbox.machinery.desk import Desk

AT = "spec.containers[0]"
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def test_a_pod_gets_the_defaults_of_a_real_server() -> None:
    made = Desk().create(
        desk.pod(
            containers=[
                desk.container(
                    ports=[{"containerPort": 80}],
                    resources={"limits": {"memory": "1024Mi", "cpu": 0.5}},
                    env=[
                        {"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
                        {"name": "B", "value": ""},
                    ],
                    livenessProbe={"httpGet": {"port": 80}},
                )
            ],
            volumes=[
                {"name": "v"},
                {"name": "c", "configMap": {"name": "x"}},
                {"name": "h", "hostPath": {"path": "/x"}},
            ],
        )
    )
    assert made["spec"]["containers"] == [
        {
            "name": "main",
            "image": "nginx",
            "imagePullPolicy": "Always",
            "ports": [{"containerPort": 80, "protocol": "TCP"}],
            "env": [
                {"name": "A", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}}},
                {"name": "B"},
            ],
            "resources": {"limits": {"cpu": "500m", "memory": "1Gi"}, "requests": {"cpu": "500m", "memory": "1Gi"}},
            "livenessProbe": {
                "httpGet": {"path": "/", "port": 80, "scheme": "HTTP"},
                "failureThreshold": 3,
                "periodSeconds": 10,
                "successThreshold": 1,
                "timeoutSeconds": 1,
            },
            "terminationMessagePath": "/dev/termination-log",
            "terminationMessagePolicy": "File",
        }
    ]
    rest = {name: value for name, value in made["spec"].items() if name != "containers"}
    away = {"operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
    assert rest == {
        "automountServiceAccountToken": False,
        "dnsPolicy": "ClusterFirst",
        "enableServiceLinks": True,
        "preemptionPolicy": "PreemptLowerPriority",
        "priority": 0,
        "restartPolicy": "Always",
        "schedulerName": "default-scheduler",
        "securityContext": {},
        "serviceAccount": "default",
        "serviceAccountName": "default",
        "terminationGracePeriodSeconds": 30,
        "tolerations": [
            {"key": "node.kubernetes.io/not-ready", **away},
            {"key": "node.kubernetes.io/unreachable", **away},
        ],
        "volumes": [
            {"name": "v", "emptyDir": {}},
            {"name": "c", "configMap": {"name": "x", "defaultMode": 420}},
            {"name": "h", "hostPath": {"path": "/x", "type": ""}},
        ],
    }
    assert made["status"] == {"phase": "Pending", "qosClass": "Guaranteed"}
    assert made["metadata"]["generation"] == 1


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("nginx", "Always"),
        ("nginx:latest", "Always"),
        ("nginx:1.2", "IfNotPresent"),
        ("host:5000/nginx", "Always"),
        ("host:5000/nginx:1", "IfNotPresent"),
        ("nginx@sha256:" + "0" * 64, "IfNotPresent"),
    ],
)
def test_an_image_that_may_move_under_its_name_is_always_pulled(image: str, policy: str) -> None:
    assert pod_defaults.pull_policy(image) == policy


@pytest.mark.parametrize(
    ("resources", "found"),
    [
        ([{}], "BestEffort"),
        ([{"requests": {"cpu": "1"}}], "Burstable"),
        ([{"limits": {"cpu": "1", "memory": "1"}, "requests": {"cpu": "1", "memory": "1"}}], "Guaranteed"),
        ([{"limits": {"cpu": "1", "memory": "1"}, "requests": {"cpu": "500m", "memory": "1"}}], "Burstable"),
        ([{"limits": {"cpu": "1", "memory": "1"}, "requests": {"cpu": "1000m", "memory": "1"}}, {}], "Burstable"),
        ([{"limits": {"example.com/gpu": "1"}}], "BestEffort"),
    ],
)
def test_the_quality_of_service_follows_from_cpu_and_memory(resources: list[Obj], found: str) -> None:
    assert qos.of({"spec": {"containers": [{"resources": one} for one in resources]}}) == found


def broken(**fields: Any) -> Obj:
    return desk.pod(containers=[desk.container(**fields)])


@pytest.mark.parametrize(
    ("obj", "causes"),
    [
        (desk.pod(containers=[]), [("spec.containers", "Required value")]),
        (desk.pod(containers=[{"name": "a"}]), [(f"{AT}.image", "Required value")]),
        (desk.pod(containers=[{"image": "b"}]), [(f"{AT}.name", "Required value")]),
        (
            desk.pod(containers=[desk.container(), desk.container()]),
            [("spec.containers[1].name", 'Duplicate value: "main"')],
        ),
        (
            desk.pod(initContainers=[desk.container()]),
            [("spec.initContainers[0].name", 'Duplicate value: "main"')],
        ),
        (
            broken(image=" nginx"),
            [(f"{AT}.image", 'Invalid value: " nginx": must not have leading or trailing whitespace')],
        ),
        (
            broken(imagePullPolicy="never"),
            [
                (
                    f"{AT}.imagePullPolicy",
                    'Unsupported value: "never": supported values: "Always", "IfNotPresent", "Never"',
                )
            ],
        ),
        (broken(ports=[{"containerPort": 0}]), [(f"{AT}.ports[0].containerPort", "Required value")]),
        (
            broken(ports=[{"containerPort": 70000}]),
            [(f"{AT}.ports[0].containerPort", "Invalid value: 70000: must be between 1 and 65535, inclusive")],
        ),
        (
            broken(ports=[{"containerPort": 80, "hostPort": 5}, {"containerPort": 81, "hostPort": 5}]),
            [(f"{AT}.ports[1].hostPort", 'Duplicate value: "TCP//5"')],
        ),
        (broken(env=[{"name": ""}]), [(f"{AT}.env[0].name", "Required value")]),
        (broken(env=[{"name": "a=b"}]), [(f"{AT}.env[0].name", f'Invalid value: "a=b": {names.ENV_TEXT}')]),
        (
            broken(env=[{"name": "A", "value": "b", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]),
            [(f"{AT}.env[0].valueFrom", 'Invalid value: "": may not be specified when `value` is not empty')],
        ),
        (
            broken(env=[{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "x.y"}}}]),
            [
                (
                    f"{AT}.env[0].valueFrom.fieldRef.fieldPath",
                    'Invalid value: "x.y": error converting fieldPath: field label not supported: x.y',
                )
            ],
        ),
        (
            broken(envFrom=[{}]),
            [(f"{AT}.envFrom", 'Invalid value: "": must specify one of: `configMapRef` or `secretRef`')],
        ),
        (
            broken(resources={"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}),
            [(f"{AT}.resources.requests", 'Invalid value: "2": must be less than or equal to cpu limit of 1')],
        ),
        (
            broken(resources={"requests": {"memory": "-1Gi"}}),
            [
                (
                    f"{AT}.resources.requests[memory]",
                    'Invalid value: "-1Gi": must be greater than or equal to 0',
                )
            ],
        ),
        (
            broken(resources={"requests": {"pods": "1"}}),
            [(f"{AT}.resources.requests[pods]", 'Invalid value: "pods": must be a standard resource for containers')],
        ),
        (broken(livenessProbe={}), [(f"{AT}.livenessProbe", "Required value: must specify a handler type")]),
        (
            broken(livenessProbe={"exec": {"command": ["a"]}, "httpGet": {"port": 80}}),
            [(f"{AT}.livenessProbe.httpGet", "Forbidden: may not specify more than 1 handler type")],
        ),
        (
            broken(startupProbe={"tcpSocket": {"port": 80}, "successThreshold": 2}),
            [(f"{AT}.startupProbe.successThreshold", "Invalid value: 2: must be 1")],
        ),
        (broken(lifecycle={"postStart": {"exec": {}}}), [(f"{AT}.lifecycle.postStart.exec.command", "Required value")]),
        (broken(volumeMounts=[{"name": "v", "mountPath": "/x"}]), [(f"{AT}.volumeMounts[0].name", 'Not found: "v"')]),
        (desk.pod(volumes=[{"name": "v"}, {"name": "v"}]), [("spec.volumes[1].name", 'Duplicate value: "v"')]),
        (
            desk.pod(volumes=[{"name": "v", "emptyDir": {}, "hostPath": {"path": "/x"}}]),
            [("spec.volumes[0].hostPath", "Forbidden: may not specify more than 1 volume type")],
        ),
        (
            desk.pod(volumes=[{"name": "v", "secret": {"secretName": "x", "items": [{"key": "a", "path": "../x"}]}}]),
            [("spec.volumes[0].secret.items[0].path", "Invalid value: \"../x\": must not contain '..'")],
        ),
        (
            desk.pod(restartPolicy="always"),
            [
                (
                    "spec.restartPolicy",
                    'Unsupported value: "always": supported values: "Always", "OnFailure", "Never"',
                )
            ],
        ),
        (
            desk.pod(tolerations=[{"key": ""}]),
            [
                (
                    "spec.tolerations[0].operator",
                    'Invalid value: "": operator must be Exists when `key` is empty, '
                    'which means "match all values and all keys"',
                )
            ],
        ),
        (
            desk.pod(affinity={"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": []}}}),
            [
                (
                    f"spec.affinity.nodeAffinity.{REQUIRED}.nodeSelectorTerms",
                    "Required value: must have at least one node selector term",
                )
            ],
        ),
        (
            desk.pod(activeDeadlineSeconds=0),
            [("spec.activeDeadlineSeconds", "Invalid value: 0: must be between 1 and 2147483647, inclusive")],
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_named_as_a_real_server_names_it(obj: Obj, causes: list[tuple[str, str]]) -> None:
    assert Desk().causes(obj) == causes


def test_a_sidecar_may_have_probes_and_other_init_containers_may_not() -> None:
    probe = {"tcpSocket": {"port": 80}}
    Desk().create(
        desk.pod(initContainers=[{"name": "i", "image": "b", "restartPolicy": "Always", "livenessProbe": probe}])
    )
    causes = Desk().causes(desk.pod(initContainers=[{"name": "i", "image": "b", "livenessProbe": probe}]))
    assert [field for field, _ in causes] == ["spec.initContainers[0].livenessProbe"]


def test_the_image_of_a_container_may_change() -> None:
    at = Desk()
    made = at.create(desk.pod())
    made["spec"]["containers"][0]["image"] = "nginx:2"
    changed = at.update(made)
    assert changed["spec"]["containers"][0]["image"] == "nginx:2"
    assert changed["metadata"]["generation"] == 2


def test_hardly_anything_else_of_a_pod_may_change() -> None:
    at = Desk()
    made = at.create(desk.pod())
    made["spec"]["restartPolicy"] = "Never"
    ((field, message),) = at.update_causes(made)
    assert field == "spec"
    assert message.startswith("Forbidden: pod updates may not change fields other than `spec.containers[*].image`,")
    assert 'restartPolicy: "Always" → "Never"' in message


def test_containers_cannot_be_added_to_a_pod() -> None:
    at = Desk()
    made = at.create(desk.pod())
    made["spec"]["containers"].append({"name": "more", "image": "b"})
    assert at.update_causes(made) == [("spec.containers", "Forbidden: pod updates may not add or remove containers")]


def test_a_deadline_can_only_come_nearer() -> None:
    at = Desk()
    made = at.create(desk.pod(activeDeadlineSeconds=50))
    made["spec"]["activeDeadlineSeconds"] = 60
    assert at.update_causes(made) == [
        ("spec.activeDeadlineSeconds", "Invalid value: 60: must be less than or equal to previous value")
    ]
    made["spec"]["activeDeadlineSeconds"] = 40
    assert at.update(made)["spec"]["activeDeadlineSeconds"] == 40


def test_tolerations_can_only_be_added() -> None:
    at = Desk()
    made = at.create(desk.pod())
    made["spec"]["tolerations"].append({"key": "k", "operator": "Exists"})
    made = at.update(made)
    made["spec"]["tolerations"] = []
    causes = at.update_causes(made)
    assert causes == [
        ("spec.tolerations", "Forbidden: existing toleration can not be modified except its tolerationSeconds")
    ]


def test_what_a_user_says_of_the_status_is_ignored_on_the_pod_itself() -> None:
    at = Desk()
    made = at.create(desk.pod())
    made["status"]["phase"] = "Running"
    assert at.update(made)["status"]["phase"] == "Pending"
    assert at.update(made, subresource="status")["status"]["phase"] == "Running"


def test_a_container_that_may_not_restart_stays_terminated() -> None:
    at = Desk()
    made = at.create(desk.pod(restartPolicy="Never"))
    made["status"]["containerStatuses"] = [{"name": "main", "state": {"terminated": {"exitCode": 1}}}]
    made = at.update(made, subresource="status")
    made["status"]["containerStatuses"][0]["state"] = {"running": {}}
    with pytest.raises(status.Refusal) as refused:
        at.update(made, subresource="status")
    assert desk.said(refused.value) == [
        ("status.containerStatuses[0].state", "Forbidden: may not be transitioned to non-terminated state")
    ]


@pytest.mark.parametrize(
    ("spec", "phase", "asked", "grace_s"),
    [
        ({"nodeName": "n", "terminationGracePeriodSeconds": 30}, "Running", None, 30),
        ({"nodeName": "n", "terminationGracePeriodSeconds": 30}, "Running", 5, 5),
        ({"nodeName": "n", "terminationGracePeriodSeconds": 30}, "Running", 0, 0),
        ({"nodeName": "n", "terminationGracePeriodSeconds": 0}, "Running", None, 0),
        ({"nodeName": "n", "terminationGracePeriodSeconds": -5}, "Running", None, 1),
        ({"nodeName": "n", "terminationGracePeriodSeconds": 30}, "Succeeded", None, 0),
        ({"terminationGracePeriodSeconds": 30}, "Pending", None, 0),
    ],
)
def test_a_pod_has_the_time_that_it_needs_to_end(spec: Obj, phase: str, asked: int | None, grace_s: int) -> None:
    assert pods.Pods().grace_s({"spec": spec, "status": {"phase": phase}}, asked) == grace_s


def test_binding_puts_a_pod_on_a_node() -> None:
    pod = objects.copy(Desk().create(desk.pod()))
    pods.bind(pod, {"metadata": {"annotations": {"a": "b"}}, "target": {"kind": "Node", "name": "node1"}})
    assert pod["spec"]["nodeName"] == "node1"
    assert pod["metadata"]["annotations"] == {"a": "b"}
    (condition,) = pod["status"]["conditions"]
    assert (condition["type"], condition["status"]) == ("PodScheduled", "True")


def test_a_pod_is_bound_once() -> None:
    pod = Desk().create(desk.pod(nodeName="node1"))
    with pytest.raises(status.Refusal) as refused:
        pods.bind(pod, {"target": {"name": "node2"}})
    assert refused.value.code == 409
    assert refused.value.message == (
        'Operation cannot be fulfilled on pods/binding "web": pod web is already assigned to node "node1"'
    )


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ({"name": ""}, "target.name: Required value"),
        ({"kind": "Pod", "name": "n"}, 'target.kind: Unsupported value: "Pod": supported values: "Node", "<empty>"'),
    ],
)
def test_a_binding_names_a_node(target: Obj, message: str) -> None:
    with pytest.raises(status.Refusal) as refused:
        pods.bind(Desk().create(desk.pod()), {"target": target})
    assert (refused.value.code, refused.value.message) == (500, message)
