"""k8sProbe against the small API server."""

from typing import Any

import msgspec
import pytest

from litmus import api
from litmus.api.engine import AppInfo
from litmus.api.probe import K8sCommand, K8sProbe, Probe
from litmus.probes import kubernetes
from litmus.probes.contract import Observation, ProbeError, Surroundings
from tests import apiserver, samples

TIMEOUT_S = 10.0
CORE = {
    "resources": [
        {"name": "pods", "kind": "Pod", "namespaced": True, "singularName": "pod", "shortNames": ["po"]},
        {"name": "pods/log", "kind": "Pod", "namespaced": True},
        {"name": "configmaps", "kind": "ConfigMap", "namespaced": True, "shortNames": ["cm"]},
        {"name": "nodes", "kind": "Node", "namespaced": False},
    ]
}
SHOP = {"resources": [{"name": "orders", "kind": "Order", "namespaced": True}]}
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: marker}\ndata: {a: '{{ left alone }}'}\n"


@pytest.fixture
def served(server):
    server.documents |= {
        "/api/v1": CORE,
        "/apis/shop.example": {"preferredVersion": {"version": "v2"}},
        "/apis/shop.example/v2": SHOP,
    }
    for name, labels in (("web-1", {"app": "web"}), ("web-2", {"app": "web"}), ("db-1", {"app": "db"})):
        server.put("pods", samples.pod(name, labels=labels))
    return server


def probe(operation: Any, resource: str = "pods", *, data: str | None = None, **inputs: Any) -> Probe:
    """In the words of 3.x."""
    given = K8sProbe(version=inputs.pop("version", "v1"), resource=resource, operation=operation, **inputs)
    return Probe(name="look", type="k8sProbe", mode="SOT", k8s=given, data=data)


def surroundings(cluster, *probes: Probe, appns: str = "shop") -> Surroundings:
    inner = api.EngineExperiment(name="pod-delete")
    inner = msgspec.structs.replace(inner, spec=msgspec.structs.replace(inner.spec, probe=list(probes)))
    engine = api.ChaosEngine(
        metadata=api.ObjectMeta(name="nginx-chaos", namespace="chaos", uid="u"),
        spec=api.EngineSpec(appinfo=AppInfo(appns=appns), chaos_service_account="pod-delete-sa", experiments=[inner]),
    )
    return Surroundings(cluster=cluster, engine=engine, experiment="pod-delete")


async def asked(cluster, given: Probe, *others: Probe) -> Observation:
    assert kubernetes.check(given) == []
    return await kubernetes.prober(given, surroundings(cluster, given, *others)).once(timeout_s=TIMEOUT_S)


@pytest.mark.parametrize(
    ("inputs", "there"),
    [
        ({}, True),
        ({"label_selector": "app=web"}, True),
        ({"label_selector": "app=cache"}, False),
        ({"field_selector": "metadata.name=db-1"}, True),
        ({"resource_names": "web-1, web-2"}, True),
        ({"resource_names": "web-9"}, False),
        ({"resource_names": "web-1", "label_selector": "app=db"}, False),
        ({"namespace": "elsewhere"}, False),
        ({"namespace": "*"}, True),
    ],
)
async def test_present_and_absent_are_opposites(served, cluster, inputs, there):
    assert (await asked(cluster, probe("present", **inputs))).passed is there
    assert (await asked(cluster, probe("absent", **inputs))).passed is not there


async def test_of_several_names_present_means_all_and_absent_means_none(served, cluster):
    present = await asked(cluster, probe("present", resource_names="web-1,web-9"))
    assert (present.passed, present.observed, present.error) == (False, "found 1: web-1, missing web-9", "absent")
    absent = await asked(cluster, probe("absent", resource_names="web-1,web-9"))
    assert (absent.passed, absent.observed, absent.error) == (False, "found 1: web-1", "present")


async def test_names_alone_need_only_the_right_to_get(served, cluster):
    served.forbid("list", "*")
    assert (await asked(cluster, probe("present", resource_names="web-1"))).passed


async def test_the_inputs_of_1_10_mean_the_same(served, cluster):
    command = K8sCommand(group="", version="v1", resource="pods", namespace="shop", label_selector="app=web")
    given = Probe(name="old", type="k8sProbe", mode="EOT", operation="present", k8s=K8sProbe(command=command))
    seen = await asked(cluster, given)
    assert (seen.passed, seen.observed) == (True, "found 2: web-1, web-2")
    assert seen.expected == "pods -l app=web present"


async def test_a_custom_resource_is_found_by_discovery_in_the_version_that_the_cluster_prefers(served, cluster):
    served.put("orders", {"metadata": {"name": "first"}})
    assert (await asked(cluster, probe("present", "orders", group="shop.example", version=""))).passed


async def test_what_is_of_the_whole_cluster_has_no_namespace(served, cluster):
    served.put("nodes", samples.node("node-1"), namespace="")
    assert (await asked(cluster, probe("present", "nodes", resource_names="node-1"))).passed


async def test_an_object_that_is_about_to_go_is_still_present(served, cluster):
    served.change("pods", "web-1", {"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}})
    seen = await asked(cluster, probe("absent", resource_names="web-1"))
    assert (seen.passed, seen.observed) == (False, "found 1: web-1 (terminating)")


async def test_a_created_object_stays_and_that_is_said(served, cluster, caplog):
    given = probe("create", "configmaps", data=CONFIG)
    seen = await asked(cluster, given)
    assert (seen.passed, seen.observed) == (True, "created marker; it stays, as no probe of this engine deletes it")
    assert served.get("configmaps", "marker")["data"] == {"a": "{{ left alone }}"}
    assert "leaves what it created" in caplog.text
    again = await asked(cluster, given)
    assert (again.passed, again.error) == (False, "exists")


async def test_nothing_is_said_where_another_probe_deletes_it_and_it_does(served, cluster):
    deleting = probe("delete", "configmaps", resource_names="marker")
    assert (await asked(cluster, probe("create", "configmaps", data=CONFIG), deleting)).observed == "created marker"
    assert (await asked(cluster, deleting)).observed == "deletion asked for marker"
    assert served.all("configmaps") == []
    gone = await asked(cluster, deleting)
    assert (gone.passed, gone.observed, gone.error) == (False, "nothing deleted: marker is not there", "absent")


async def test_a_creation_whose_answer_got_lost_is_recognised(served, cluster, monkeypatch):
    monkeypatch.setattr(cluster, "patience_s", 5.0)
    served.lose("create", "configmaps")
    assert (await asked(cluster, probe("create", "configmaps", data=CONFIG))).passed
    assert served.verbs("configmaps").count("create") == 2


async def test_what_is_deleted_is_what_the_selector_says(served, cluster):
    assert (await asked(cluster, probe("delete", label_selector="app=web"))).passed
    assert [pod["metadata"]["name"] for pod in served.all("pods")] == ["db-1"]


@pytest.mark.parametrize(
    ("verb", "given"),
    [
        ("list", probe("present")),
        ("get", probe("absent", resource_names="web-1")),
        ("delete", probe("delete", label_selector="app=web")),
        ("create", probe("create", "configmaps", data=CONFIG)),
    ],
)
async def test_a_missing_right_is_an_error_that_names_it(served, cluster, verb, given):
    served.forbid(verb, "*")
    with pytest.raises(ProbeError) as refused:
        await asked(cluster, given)
    told = str(refused.value)
    assert told.startswith(f"the service account pod-delete-sa lacks the right to {verb} {given.k8s.resource}; ")
    assert f"resources: ['{given.k8s.resource}'], verbs: ['{verb}']" in told
    assert len(served.all("pods")) == 3


async def test_a_quota_is_no_missing_right(served, cluster):
    def full(request: apiserver.Asked) -> Any:
        return apiserver.failure(403, "exceeded quota: objects") if request.verb == "create" else None

    with served.answer(full), pytest.raises(ProbeError, match=r"^configmaps: .*exceeded quota: objects"):
        await asked(cluster, probe("create", "configmaps", data=CONFIG))


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (probe("present", "pod"), "has no resource 'pod'; write 'pods'"),
        (probe("present", "cm"), "write 'configmaps'"),
        (probe("present", "orders", group="none.example"), "the cluster does not serve none.example/v1"),
        (probe("present", "orders", group="none.example", version=""), "serves no group 'none.example'"),
        (probe("create", "pods", data=CONFIG), "data: is a v1 ConfigMap, but k8sProbe/inputs name v1 pods"),
    ],
)
async def test_what_the_cluster_does_not_have_is_an_error(served, cluster, given, sentence):
    with pytest.raises(ProbeError, match=sentence):
        await asked(cluster, given)


async def test_a_cluster_that_does_not_answer_in_time_is_given_up(served, cluster):
    seen = await kubernetes.prober(probe("present"), surroundings(cluster)).once(timeout_s=0.0)
    assert (seen.passed, seen.error) == (False, "timeout")


BOTH = K8sProbe(resource="pods", operation="absent", command=K8sCommand(resource="nodes"))
ELSEWHERE = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: b}"


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (probe(None), "k8sProbe/inputs.operation: missing; it is one of create, delete, present, absent"),
        (probe("present", ""), "k8sProbe/inputs.resource: missing; write the plural, such as pods"),
        (probe("present", version="apps/v1"), "k8sProbe/inputs.version: 'apps/v1' must be group: apps and version: v1"),
        (probe("delete"), "k8sProbe/inputs: would delete all pods; name some by resourceNames or labelSelector"),
        (probe("create", "configmaps"), "data: missing; a k8sProbe that creates needs the manifest of one object"),
        (probe("create", "configmaps", data="a: [1"), "data: is no YAML: "),
        (probe("create", "configmaps", data="- a"), "data: must be the manifest of one object"),
        (probe("create", "configmaps", data="a: 1"), "data: needs apiVersion and kind"),
        (probe("create", "configmaps", data="apiVersion: v1\nkind: ConfigMap"), "data.metadata.name: missing"),
        (probe("create", "configmaps", data=ELSEWHERE, namespace="c"), "data.metadata.namespace: 'b', but "),
        (
            Probe(name="a", type="k8sProbe", mode="SOT", k8s=BOTH),
            "k8sProbe/inputs.resource: 'pods', but command.resource is 'nodes'; keep one of them",
        ),
        (Probe(name="a", type="k8sProbe", mode="SOT"), "k8sProbe/inputs: missing"),
    ],
)
def test_a_mistake_in_the_inputs_is_one_sentence_with_its_path(given, sentence):
    found = kubernetes.check(given)
    assert len(found) == 1
    assert found[0].startswith(sentence)
