"""The kinds that need little: their defaults and what is said of bad ones, as a real server (1.20) answered."""

from typing import Any

import pytest

from litmus.sandbox.machinery import resources, strategies
from litmus.sandbox.machinery.objects import Obj
from tests.sandbox.machinery import desk
from tests.sandbox.machinery.desk import Desk

RBAC = "rbac.authorization.k8s.io"


def of(kind: str, api_version: str = "v1", name: str = "x", **fields: Any) -> Obj:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name}, **fields}


def role(*rules: Obj, kind: str = "Role", **fields: Any) -> Obj:
    return of(kind, f"{RBAC}/v1", rules=list(rules), **fields)


def binding(kind: str = "RoleBinding", **fields: Any) -> Obj:
    reference = {"kind": "ClusterRole", "name": "view"}
    return of(kind, f"{RBAC}/v1", **{"roleRef": reference, **fields})


def budget(**spec: Any) -> Obj:
    return of("PodDisruptionBudget", "policy/v1", spec={"selector": {"matchLabels": {"a": "b"}}, **spec})


def ingress(**spec: Any) -> Obj:
    backend = {"service": {"name": "x", "port": {"number": 80}}}
    rules = [{"host": "a.b", "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}]
    return of("Ingress", "networking.k8s.io/v1", spec={"rules": rules, **spec})


DEFAULTED = {
    "a secret": (
        of("Secret", stringData={"a": "b"}, data={"c": "YWE="}),
        {"data": {"a": "Yg==", "c": "YWE="}, "type": "Opaque"},
    ),
    "a config map": (of("ConfigMap", data={}), {}),
    "a namespace": (
        of("Namespace"),
        {"spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}},
    ),
    "an empty role": (role(), {"rules": None}),
    "a binding": (
        binding(subjects=[{"kind": "User", "name": "u"}, {"kind": "ServiceAccount", "name": "s", "namespace": "n"}]),
        {
            "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": "view"},
            "subjects": [
                {"apiGroup": RBAC, "kind": "User", "name": "u"},
                {"kind": "ServiceAccount", "name": "s", "namespace": "n"},
            ],
        },
    ),
    "a budget": (
        budget(minAvailable=1),
        {
            "spec": {"minAvailable": 1, "selector": {"matchLabels": {"a": "b"}}},
            "status": {"disruptionsAllowed": 0, "currentHealthy": 0, "desiredHealthy": 0, "expectedPods": 0},
        },
    ),
    "an event": (
        of("Event", involvedObject={"kind": "Pod", "namespace": desk.NAMESPACE, "name": "p"}, reason="r", count=1),
        {
            "involvedObject": {"kind": "Pod", "namespace": desk.NAMESPACE, "name": "p"},
            "reason": "r",
            "count": 1,
            "source": {},
            "firstTimestamp": None,
            "lastTimestamp": None,
            "eventTime": None,
            "reportingComponent": "",
            "reportingInstance": "",
        },
    ),
    "a priority class": (
        of("PriorityClass", "scheduling.k8s.io/v1", value=5),
        {"value": 5, "preemptionPolicy": "PreemptLowerPriority"},
    ),
    "a network policy": (
        of("NetworkPolicy", "networking.k8s.io/v1", spec={"podSelector": {}, "ingress": [{"ports": [{"port": 80}]}]}),
        {
            "spec": {
                "podSelector": {},
                "ingress": [{"ports": [{"port": 80, "protocol": "TCP"}]}],
                "policyTypes": ["Ingress"],
            }
        },
    ),
    "an autoscaler": (
        of(
            "HorizontalPodAutoscaler",
            "autoscaling/v2",
            spec={"maxReplicas": 3, "scaleTargetRef": {"kind": "Deployment", "name": "x"}},
        ),
        {
            "spec": {
                "minReplicas": 1,
                "maxReplicas": 3,
                "scaleTargetRef": {"kind": "Deployment", "name": "x"},
                "metrics": [
                    {
                        "type": "Resource",
                        "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}},
                    }
                ],
            },
            "status": {"currentMetrics": None, "desiredReplicas": 0},
        },
    ),
    "a limit range": (
        of(
            "LimitRange",
            spec={"limits": [{"type": "Container", "max": {"cpu": 1}, "min": {"cpu": 0.1, "memory": "1Mi"}}]},
        ),
        {
            "spec": {
                "limits": [
                    {
                        "type": "Container",
                        "max": {"cpu": "1"},
                        "min": {"cpu": "100m", "memory": "1Mi"},
                        "default": {"cpu": "1"},
                        "defaultRequest": {"cpu": "1", "memory": "1Mi"},
                    }
                ]
            }
        },
    ),
    "a claim": (
        of(
            "PersistentVolumeClaim",
            spec={"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1024Mi"}}},
        ),
        {
            "spec": {
                "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "1Gi"}},
                "volumeMode": "Filesystem",
            },
            "status": {"phase": "Pending"},
        },
    ),
    "a slice": (
        of(
            "EndpointSlice",
            "discovery.k8s.io/v1",
            addressType="IPv4",
            endpoints=[{"addresses": ["127.5.1.2"]}],
            ports=[{"port": 80}],
        ),
        {
            "addressType": "IPv4",
            "endpoints": [{"addresses": ["127.5.1.2"], "conditions": {}}],
            "ports": [{"name": "", "port": 80, "protocol": "TCP"}],
        },
    ),
    "endpoints": (
        of("Endpoints", subsets=[{"addresses": [{"ip": "127.5.1.2"}], "ports": [{"port": 80}]}]),
        {"subsets": [{"addresses": [{"ip": "127.5.1.2"}], "ports": [{"port": 80, "protocol": "TCP"}]}]},
    ),
    "a storage class": (
        of("StorageClass", "storage.k8s.io/v1", provisioner="a.b/c"),
        {"provisioner": "a.b/c", "reclaimPolicy": "Delete", "volumeBindingMode": "Immediate"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", DEFAULTED)
def test_an_object_gets_the_defaults_of_a_real_server(what: str) -> None:
    obj, expected = DEFAULTED[what]
    made = Desk().create(obj)
    assert {name: value for name, value in made.items() if name not in ("apiVersion", "kind", "metadata")} == expected


@pytest.mark.parametrize(
    ("obj", "causes"),
    [
        (
            {**of("ConfigMap"), "data": {"a": "b"}, "binaryData": {"a": "YQ=="}},
            [("data[a]", 'Invalid value: "a": duplicate of key present in binaryData')],
        ),
        (of("ConfigMap", data={"a": "x" * 1_100_000}), [("[]", "Too long: may not be more than 1048576 bytes")]),
        (
            of("Secret", type="kubernetes.io/tls"),
            [("data[tls.crt]", "Required value"), ("data[tls.key]", "Required value")],
        ),
        (
            of("Secret", type="kubernetes.io/dockerconfigjson", data={".dockerconfigjson": "YQ=="}),
            [
                (
                    "data[.dockerconfigjson]",
                    'Invalid value: "<secret contents redacted>": '
                    "invalid character 'a' looking for beginning of value",
                )
            ],
        ),
        (of("Namespace", name="a.b"), [("metadata.name", 'Invalid value: "a.b": must not contain dots')]),
        (of("Node", spec={"taints": [{"key": "a"}]}), [("metadata.taints[0].effect", "Required value")]),
        (
            of("Node", spec={"taints": [{"key": "a", "effect": "NoSchedule"}, {"key": "a", "effect": "NoSchedule"}]}),
            [
                (
                    "metadata.taints[1]",
                    'Duplicate value: {"Key":"a","Value":"","Effect":"NoSchedule","TimeAdded":null}: '
                    "taints must be unique by key and effect pair",
                )
            ],
        ),
        (role({"verbs": ["get"]}), [
            ("rules[0].apiGroups", "Required value: resource rules must supply at least one api group"),
            ("rules[0].resources", "Required value: resource rules must supply at least one resource"),
        ]),
        (
            role({"nonResourceURLs": ["/x"], "verbs": ["get"]}),
            [("rules[0].nonResourceURLs", 'Invalid value: ["/x"]: namespaced rules cannot apply to non-resource URLs')],
        ),
        (
            role(kind="ClusterRole", aggregationRule={}),
            [
                (
                    "aggregationRule.clusterRoleSelectors",
                    "Required value: at least one clusterRoleSelector required if aggregationRule is non-nil",
                )
            ],
        ),
        (
            binding("ClusterRoleBinding", roleRef={"kind": "Role", "name": "x"}),
            [("roleRef.kind", 'Unsupported value: "Role": supported values: "ClusterRole"')],
        ),
        (
            binding(subjects=[{"kind": "x", "name": "y"}]),
            [("subjects[0].kind", 'Unsupported value: "x": supported values: "ServiceAccount", "User", "Group"')],
        ),
        (
            binding("ClusterRoleBinding", subjects=[{"kind": "ServiceAccount", "name": "y"}]),
            [("subjects[0].namespace", "Required value")],
        ),
        (
            budget(minAvailable=1, maxUnavailable=1),
            [
                (
                    "spec",
                    'Invalid value: {"MinAvailable":1,"Selector":{"matchLabels":{"a":"b"}},"MaxUnavailable":1,'
                    '"UnhealthyPodEvictionPolicy":null}: minAvailable and maxUnavailable cannot be both set',
                )
            ],
        ),
        (
            budget(minAvailable="101%"),
            [("spec.minAvailable", 'Invalid value: "101%": must not be greater than 100%')],
        ),
        (
            of("Event", involvedObject={"kind": "Pod", "namespace": "other"}),
            [("involvedObject.namespace", 'Invalid value: "other": does not match event.namespace')],
        ),
        (
            of("Lease", "coordination.k8s.io/v1", spec={"leaseDurationSeconds": 0}),
            [("spec.leaseDurationSeconds", "Invalid value: 0: must be greater than 0")],
        ),
        (
            of("PriorityClass", "scheduling.k8s.io/v1", value=2_000_000_000),
            [("value", "Forbidden: maximum allowed value of a user defined priority is 1000000000")],
        ),
        (
            ingress(rules=[]),
            [("spec", "Invalid value: null: either `defaultBackend` or `rules` must be specified")],
        ),
        (
            ingress(rules=[{"host": "1.2.3.4"}]),
            [("spec.rules[0].host", 'Invalid value: "1.2.3.4": must be a DNS name, not an IP address')],
        ),
        (
            of("LimitRange", spec={"limits": [{"type": "Pod", "min": {"cpu": "2"}, "max": {"cpu": "1"}}]}),
            [("spec.limits[0].min[cpu]", 'Invalid value: "2": min value 2 is greater than max value 1')],
        ),
        (
            of("ResourceQuota", spec={"hard": {"foo": "1"}}),
            [
                ("spec.hard[foo]", 'Invalid value: "foo": must be a standard resource type or fully qualified'),
                ("spec.hard[foo]", 'Invalid value: "foo": must be a standard resource for quota'),
            ],
        ),
        (of("ResourceQuota", spec={"hard": {"pods": "1.5"}}), [
            ("spec.hard[pods]", 'Invalid value: "1500m": must be an integer')
        ]),
        (
            of("PersistentVolumeClaim", spec={"accessModes": [], "resources": {"requests": {"storage": "0"}}}),
            [
                ("spec.accessModes", "Required value: at least 1 access mode is required"),
                ("spec.resources[storage]", 'Invalid value: "0": must be greater than zero'),
            ],
        ),
        (of("StorageClass", "storage.k8s.io/v1", provisioner=""), [("provisioner", "Required value")]),
        (of("ControllerRevision", "apps/v1", revision=1), [("data", "Required value: data is mandatory")]),
        (
            of("EndpointSlice", "discovery.k8s.io/v1", addressType="IPv4", endpoints=[{"addresses": ["::1"]}]),
            [("endpoints[0].addresses[0]", 'Invalid value: "::1": must be a valid IPv4 address')],
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_named_as_a_real_server_names_it(obj: Obj, causes: list[tuple[str, str]]) -> None:
    assert Desk().causes(obj) == causes


FROZEN = "Forbidden: field is immutable when `immutable` is set"


@pytest.mark.parametrize(
    ("obj", "change", "causes"),
    [
        (of("ConfigMap", immutable=True, data={"a": "b"}), {"data": {"a": "c"}}, [("data", FROZEN)]),
        (of("Secret", immutable=True, data={"a": "YQ=="}), {"immutable": False}, [("immutable", FROZEN)]),
        (of("Secret"), {"type": "other"}, [("type", 'Invalid value: "other": field is immutable')]),
        (
            binding(),
            {"roleRef": {"kind": "ClusterRole", "name": "edit", "apiGroup": RBAC}},
            [
                (
                    "roleRef",
                    f'Invalid value: {{"APIGroup":"{RBAC}","Kind":"ClusterRole","Name":"edit"}}: cannot change roleRef',
                )
            ],
        ),
        (
            of("PriorityClass", "scheduling.k8s.io/v1", value=5),
            {"value": 6},
            [("value", "Forbidden: may not be changed in an update.")],
        ),
        (
            of("StorageClass", "storage.k8s.io/v1", provisioner="a.b/c"),
            {"parameters": {"a": "b"}},
            [("parameters", "Forbidden: updates to parameters are forbidden.")],
        ),
    ],
)
def test_what_may_not_change_does_not(obj: Obj, change: Obj, causes: list[tuple[str, str]]) -> None:
    at = Desk()
    assert at.update_causes({**at.create(obj), **change}) == causes


def test_a_namespace_bears_its_name_as_a_label() -> None:
    assert Desk().create(of("Namespace"))["metadata"]["labels"] == {"kubernetes.io/metadata.name": "x"}


def test_the_finalizers_of_a_namespace_are_not_taken_away_in_passing() -> None:
    at = Desk()
    made = at.create(of("Namespace"))
    made["spec"] = {}
    assert at.update(made)["spec"] == {"finalizers": ["kubernetes"]}


def test_the_phase_of_a_namespace_agrees_with_its_deletion() -> None:
    at = Desk()
    made = at.create(of("Namespace"))
    made["status"]["phase"] = "Terminating"
    resource = at.registry.catalogue.named("namespaces")
    strategy = strategies.of(resource)
    (cause,) = strategy.validate_status_update(made, at.get(made))
    assert str(cause) == (
        "status.Phase: Invalid value: \"Terminating\": may only be 'Active' if `deletionTimestamp` is empty"
    )


def test_roles_may_have_colons_in_their_names() -> None:
    Desk().create({**role(), "metadata": {"name": "system:mine"}})


@pytest.mark.parametrize("resource", resources.BUILT_IN, ids=lambda resource: resource.qualified)
def test_every_built_in_kind_has_a_strategy(resource: resources.Resource) -> None:
    assert isinstance(strategies.of(resource), strategies.Strategy)
