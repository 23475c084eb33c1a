from typing import Any

import pytest

from litmus.sandbox.machinery import status
from litmus.sandbox.machinery.objects import Obj
from tests.sandbox.machinery import desk
from tests.sandbox.machinery.desk import Desk

MOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"


def config_map(name: str = "x", namespace: str = desk.NAMESPACE) -> Obj:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": namespace}}


def with_token(**spec: Any) -> Obj:
    obj = desk.pod(**spec)
    del obj["spec"]["automountServiceAccountToken"]
    return obj


def account(name: str, **fields: Any) -> Obj:
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}, **fields}


def priority_class(name: str, value: int, **fields: Any) -> Obj:
    whole = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": name}, "value": value}
    return {**whole, **fields}


def test_nothing_is_made_in_a_namespace_that_is_not_there() -> None:
    refusal = Desk().refusal(config_map(namespace="nowhere"))
    assert (refusal.code, refusal.message) == (404, 'namespaces "nowhere" not found')
    assert refusal.details == {"name": "nowhere", "kind": "namespaces"}


def test_nothing_is_made_in_a_namespace_that_is_ending() -> None:
    at = Desk()
    at.delete({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": desk.NAMESPACE}})
    refusal = at.refusal(config_map())
    assert refusal.code == 403
    assert refusal.message == (
        'configmaps "x" is forbidden: unable to create new content in namespace shop because it is being terminated'
    )
    assert refusal.details["causes"] == [
        {
            "reason": "NamespaceTerminating",
            "message": "namespace shop is being terminated",
            "field": "metadata.namespace",
        }
    ]


def test_what_is_there_may_still_change_while_its_namespace_is_ending() -> None:
    at = Desk()
    made = at.create(config_map())
    at.delete({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": desk.NAMESPACE}})
    made["data"] = {"a": "b"}
    assert at.update(made)["data"] == {"a": "b"}


def test_the_default_namespace_stays() -> None:
    with pytest.raises(status.Refusal) as refused:
        Desk().delete({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}})
    assert refused.value.message == 'namespaces "default" is forbidden: this namespace may not be deleted'


def test_a_pod_finds_the_token_of_its_account() -> None:
    spec = Desk().create(with_token(initContainers=[{"name": "first", "image": "b"}]))["spec"]
    assert spec["serviceAccountName"] == spec["serviceAccount"] == "default"
    (volume,) = spec["volumes"]
    assert volume["name"].startswith("kube-api-access-")
    assert volume["projected"] == {
        "defaultMode": 420,
        "sources": [
            {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
            {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
            {
                "downwardAPI": {
                    "items": [
                        {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}
                    ]
                }
            },
        ],
    }
    mount = {"name": volume["name"], "mountPath": MOUNT, "readOnly": True}
    assert spec["containers"][0]["volumeMounts"] == spec["initContainers"][0]["volumeMounts"] == [mount]


def test_a_copy_of_a_pod_uses_the_volume_that_it_brings_along() -> None:
    at = Desk()
    first = at.create(with_token())
    copy = desk.pod("copy", **{**first["spec"], "priority": 0})
    del copy["spec"]["automountServiceAccountToken"]
    assert at.create(copy)["spec"]["volumes"] == first["spec"]["volumes"]


@pytest.mark.parametrize(
    ("of_account", "of_pod", "mounted"),
    [(None, None, True), (False, None, False), (False, True, True), (True, False, False)],
)
def test_the_pod_has_the_last_word_on_its_token(of_account: bool | None, of_pod: bool | None, mounted: bool) -> None:
    at = Desk()
    at.create(account("quiet", **({} if of_account is None else {"automountServiceAccountToken": of_account})))
    obj = with_token(serviceAccountName="quiet")
    if of_pod is not None:
        obj["spec"]["automountServiceAccountToken"] = of_pod
    assert ("volumes" in at.create(obj)["spec"]) == mounted


def test_an_account_must_be_there() -> None:
    refusal = Desk().refusal(desk.pod(serviceAccountName="nobody"))
    assert (refusal.code, refusal.message) == (
        403,
        'pods "web" is forbidden: error looking up service account shop/nobody: serviceaccount "nobody" not found',
    )


def test_pull_secrets_come_from_the_account() -> None:
    at = Desk()
    at.create(account("puller", imagePullSecrets=[{"name": "registry"}]))
    assert at.create(desk.pod(serviceAccountName="puller"))["spec"]["imagePullSecrets"] == [{"name": "registry"}]


def test_a_new_node_takes_no_pods_yet() -> None:
    node = Desk().create({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}})
    assert node["spec"]["taints"] == [{"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}]


def test_a_pod_says_itself_how_long_it_stays_on_a_quiet_node() -> None:
    mine = [
        {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "tolerationSeconds": 5, "effect": "NoExecute"}
    ]
    made = Desk().create(desk.pod(tolerations=mine))
    assert [(one["key"], one["tolerationSeconds"]) for one in made["spec"]["tolerations"]] == [
        ("node.kubernetes.io/not-ready", 5),
        ("node.kubernetes.io/unreachable", 300),
    ]
    assert len(Desk().create(desk.pod(tolerations=[{"operator": "Exists"}]))["spec"]["tolerations"]) == 1


def test_a_priority_class_becomes_a_number() -> None:
    at = Desk()
    at.create(priority_class("high", 100, preemptionPolicy="Never"))
    spec = at.create(desk.pod(priorityClassName="high"))["spec"]
    assert (spec["priority"], spec["preemptionPolicy"]) == (100, "Never")


def test_the_default_class_is_for_pods_that_name_none() -> None:
    at = Desk()
    at.create(priority_class("usual", 7, globalDefault=True))
    spec = at.create(desk.pod())["spec"]
    assert (spec["priority"], spec["priorityClassName"]) == (7, "usual")
    assert "Only one default can exist" in at.refusal(priority_class("other", 8, globalDefault=True)).message


def test_the_classes_of_the_system_are_known_everywhere() -> None:
    assert Desk().create(desk.pod(priorityClassName="system-node-critical"))["spec"]["priority"] == 2_000_001_000


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ({"priorityClassName": "nope"}, "no PriorityClass with name nope was found"),
        (
            {"priority": 5},
            "the integer value of priority (5) must not be provided in pod spec; "
            "priority admission controller computed 0 from the given PriorityClass name",
        ),
        (
            {"preemptionPolicy": "Never"},
            "the string value of PreemptionPolicy (Never) must not be provided in pod spec; "
            "priority admission controller computed PreemptLowerPriority from the given PriorityClass name",
        ),
    ],
)
def test_a_pod_does_not_choose_its_number(spec: dict[str, Any], why: str) -> None:
    refusal = Desk().refusal(desk.pod(**spec))
    assert (refusal.code, refusal.message) == (403, f'pods "web" is forbidden: {why}')


def test_a_pod_that_is_replaced_need_not_repeat_its_priority() -> None:
    at = Desk()
    made = at.create(desk.pod())
    del made["spec"]["priority"], made["spec"]["preemptionPolicy"]
    assert at.update(made)["spec"]["priority"] == 0
