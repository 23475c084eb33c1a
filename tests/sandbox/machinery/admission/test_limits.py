"""Limit ranges and quotas; the texts are those of a real server (Kubernetes 1.20, "for: …" since 1.24)."""

from typing import Any

import pytest

from litmus.sandbox.machinery.admission import pod_resources
from litmus.sandbox.machinery.objects import Obj
from tests.sandbox.machinery import desk
from tests.sandbox.machinery.desk import Desk

ANNOTATION = "kubernetes.io/limit-ranger"


def ranged(*limits: Obj) -> Desk:
    at = Desk()
    obj = {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "l"}, "spec": {"limits": list(limits)}}
    at.create(obj)
    return at


def quotaed(hard: dict[str, str], **spec: Any) -> Desk:
    at = Desk()
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q"}, "spec": {"hard": hard, **spec}}
    at.create(quota)
    return at


def asking(**resources: Any) -> Obj:
    return desk.pod(containers=[desk.container(resources=resources)])


def test_a_container_that_asks_for_nothing_gets_the_defaults() -> None:
    at = ranged(
        {
            "type": "Container",
            "max": {"cpu": "1", "memory": "1Gi"},
            "default": {"cpu": "500m", "memory": "512Mi"},
            "defaultRequest": {"cpu": "200m"},
        }
    )
    made = at.create(desk.pod())
    assert made["spec"]["containers"][0]["resources"] == {
        "limits": {"cpu": "500m", "memory": "512Mi"},
        "requests": {"cpu": "200m", "memory": "512Mi"},
    }
    assert made["metadata"]["annotations"][ANNOTATION] == (
        "LimitRanger plugin set: cpu, memory request for container main; cpu, memory limit for container main"
    )
    assert made["status"]["qosClass"] == "Burstable"


def test_what_a_container_asks_for_stays() -> None:
    at = ranged({"type": "Container", "default": {"cpu": "500m"}})
    made = at.create(asking(limits={"cpu": "300m"}))
    assert made["spec"]["containers"][0]["resources"] == {"limits": {"cpu": "300m"}, "requests": {"cpu": "300m"}}
    assert "annotations" not in made["metadata"]


@pytest.mark.parametrize(
    ("item", "resources", "why"),
    [
        (
            {"type": "Container", "max": {"cpu": "1"}},
            {"limits": {"cpu": "2"}},
            "maximum cpu usage per Container is 1, but limit is 2",
        ),
        (
            {"type": "Container", "min": {"cpu": "100m"}},
            {"requests": {"cpu": "50m"}},
            "minimum cpu usage per Container is 100m, but request is 50m",
        ),
        (
            {"type": "Container", "min": {"cpu": "100m"}, "max": {"memory": "1Gi"}},
            {"limits": {"cpu": "50m", "memory": "2Gi"}},
            "[minimum cpu usage per Container is 100m, but request is 50m, "
            "maximum memory usage per Container is 1Gi, but limit is 2Gi]",
        ),
        (
            {"type": "Pod", "min": {"memory": "1Mi"}},
            {},
            "minimum memory usage per Pod is 1Mi.  No request is specified",
        ),
        (
            {"type": "Container", "maxLimitRequestRatio": {"cpu": "2"}},
            {"limits": {"cpu": "1"}, "requests": {"cpu": "100m"}},
            "cpu max limit to request ratio per Container is 2, but provided ratio is 10.000000",
        ),
    ],
)
def test_a_pod_outside_the_limits_is_refused(item: Obj, resources: Obj, why: str) -> None:
    refusal = ranged(item).refusal(asking(**resources))
    assert (refusal.code, refusal.message) == (403, f'pods "web" is forbidden: {why}')


def test_a_claim_outside_the_limits_is_refused() -> None:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "2Gi"}}}
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "c"}, "spec": spec}
    refusal = ranged({"type": "PersistentVolumeClaim", "max": {"storage": "1Gi"}}).refusal(claim)
    assert refusal.message == (
        'persistentvolumeclaims "c" is forbidden: '
        "maximum storage usage per PersistentVolumeClaim is 1Gi, but request is 2Gi"
    )


def test_init_containers_count_by_the_hungriest_and_sidecars_count_all_the_time() -> None:
    def hungry(cpu: str, **more: str) -> Obj:
        return {"resources": {"requests": {"cpu": cpu}}, **more}

    pod = {"spec": {"containers": [hungry("1"), hungry("1")], "initContainers": [hungry("3"), hungry("500m")]}}
    assert pod_resources.total(pod, "requests") == {"cpu": "3"}
    pod["spec"]["initContainers"] = [hungry("1", restartPolicy="Always"), hungry("3")]
    assert pod_resources.total(pod, "requests") == {"cpu": "4"}


def test_a_quota_counts_objects() -> None:
    at = quotaed({"pods": "1"})
    at.create(desk.pod("first"))
    refusal = at.refusal(desk.pod("second"))
    assert (refusal.code, refusal.message) == (
        403,
        'pods "second" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1',
    )


def test_what_is_deleted_no_longer_counts() -> None:
    at = quotaed({"count/pods": "1"})
    first = at.create(desk.pod("first"))
    at.delete(first)
    at.create(desk.pod("second"))


def test_pods_that_are_over_use_no_resources() -> None:
    at = quotaed({"pods": "1"})
    over = at.create(desk.pod("first"))
    over["status"]["phase"] = "Succeeded"
    at.update(over, subresource="status")
    at.create(desk.pod("second"))


def test_a_quota_of_resources_counts_what_containers_ask_for() -> None:
    at = quotaed({"cpu": "1", "limits.memory": "1Gi"})
    at.create(desk.pod("first", containers=[desk.container(resources={"limits": {"cpu": "500m", "memory": "1Gi"}})]))
    refusal = at.refusal(asking(limits={"cpu": "1", "memory": "1Mi"}))
    assert refusal.message == (
        'pods "web" is forbidden: exceeded quota: q, requested: cpu=1,limits.memory=1Mi, '
        "used: cpu=500m,limits.memory=1Gi, limited: cpu=1,limits.memory=1Gi"
    )


def test_a_container_must_say_what_it_needs_where_that_is_limited() -> None:
    refusal = quotaed({"requests.cpu": "1", "limits.memory": "1Gi", "pods": "5"}).refusal(desk.pod())
    assert refusal.message == (
        'pods "web" is forbidden: failed quota: q: must specify limits.memory for: main; requests.cpu for: main'
    )


def test_a_quota_may_be_about_some_pods_only() -> None:
    at = quotaed({"pods": "0"}, scopes=["NotBestEffort"])
    at.create(desk.pod())
    assert at.refusal(asking(requests={"cpu": "1"})).code == 403


def test_a_service_may_not_grow_out_of_its_quota() -> None:
    at = quotaed({"services.nodeports": "0"})
    made = at.create(desk.service())
    made["spec"]["type"] = "NodePort"
    with pytest.raises(Exception, match=r"exceeded quota: q, requested: services.nodeports=1"):
        at.update(made)


def test_other_namespaces_have_other_quotas() -> None:
    at = quotaed({"configmaps": "0"})
    at.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "default"}})
