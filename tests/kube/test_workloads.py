"""From what an engine names to the pods that are meant."""

import pytest

from litmus.api import names
from litmus.api.targeting import ANY_OWNER, POD, AppTarget
from litmus.kube import errors, workloads
from litmus.kube.objects import LabelSelector
from tests import samples


@pytest.mark.parametrize(
    ("owner", "labels", "expected"),
    [
        (("ReplicaSet", "web-5d7f9"), {"pod-template-hash": "5d7f9"}, ("deployment", "web")),
        (("ReplicaSet", "my-web-api-abc"), {"pod-template-hash": "abc"}, ("deployment", "my-web-api")),
        (("ReplicaSet", "web-77"), {"rollouts-pod-template-hash": "77"}, ("rollout", "web")),
        (("ReplicaSet", "web-5d7f9"), {"pod-template-hash": "other"}, ("replicaset", "web-5d7f9")),
        (("ReplicaSet", "alone"), {}, ("replicaset", "alone")),
        (("StatefulSet", "db"), {}, ("statefulset", "db")),
        (("DaemonSet", "agent"), {}, ("daemonset", "agent")),
        (("ReplicationController", "web-3"), {"deploymentconfig": "web"}, ("deploymentconfig", "web")),
        (("ReplicationController", "web-3"), {}, ("replicationcontroller", "web-3")),
        (("Job", "migrate"), {}, ("job", "migrate")),
        (None, {}, ("", "")),
    ],
)
def test_the_workload_of_a_pod_is_told_from_its_owner_and_labels_alone(owner, labels, expected):
    assert workloads.workload_of(samples.a_pod(owner=owner, labels=labels)) == expected


def test_an_owner_that_does_not_control_the_pod_is_not_its_workload():
    reference = {"apiVersion": "v1", "kind": "Node", "name": "n", "uid": "u"}
    assert workloads.workload_of(samples.a_pod(ownerReferences=[reference])) == ("", "")


def deployment(*names_: str) -> AppTarget:
    return AppTarget(kind="deployment", namespace="shop", names=names_)


@pytest.mark.parametrize(
    ("target", "belongs"),
    [
        (deployment(), True),
        (deployment("web"), True),
        (deployment("api", "web"), True),
        (deployment("api"), False),
        (AppTarget(kind="statefulset", namespace="shop"), False),
        (AppTarget(kind=ANY_OWNER, namespace="shop"), True),
        (AppTarget(kind=POD, namespace="shop", names=("web-5d7f9-abcde",)), True),
        (AppTarget(kind=POD, namespace="shop", names=("web",)), False),
    ],
)
def test_a_pod_belongs_to_a_target_by_kind_and_name_of_its_workload_or_by_its_own_name(target, belongs):
    assert workloads.belongs(samples.a_pod(), target) is belongs


@pytest.mark.parametrize(
    "pod",
    [
        samples.a_pod(labels={names.CHAOS_UID: "x"}),
        samples.a_pod(labels={"name": "chaos-operator"}),
        samples.a_pod(phase="Succeeded"),
        samples.a_pod(phase="Failed"),
    ],
    ids=["ours", "the operator", "completed", "evicted"],
)
@pytest.mark.parametrize("kind", [ANY_OWNER, POD, "deployment"])
def test_neither_our_own_pods_nor_those_that_have_ended_belong_to_an_application(pod, kind):
    target = AppTarget(kind=kind, namespace="shop", names=(pod.metadata.name,) if kind == POD else ())
    assert not workloads.belongs(pod, target)


@pytest.mark.parametrize("phase", ["Pending", "Running", "Unknown"])
def test_pods_that_are_not_ready_still_belong_to_their_application(phase):
    assert workloads.belongs(samples.a_pod(phase=phase, ready=False), deployment("web"))


async def test_the_pods_of_a_target_are_read_by_its_labels_and_told_in_order_of_their_names(server, cluster):
    for name in ("web-5d7f9-b", "web-5d7f9-a"):
        server.put("pods", samples.pod(name))
    server.put("pods", samples.pod("db-0", owner=("StatefulSet", "db")))
    server.put("pods", samples.pod("other", labels={"app": "other"}))
    found = await workloads.pods(cluster, AppTarget(kind="deployment", namespace="shop", labels="app=web"))
    assert [pod.metadata.name for pod in found] == ["web-5d7f9-a", "web-5d7f9-b"]
    assert [str(asked) for asked in server.asked] == ["list pods"]


def workload(name: str, *, annotation: str | None = None) -> dict:
    annotations = {names.CHAOS_ANNOTATION: annotation} if annotation else {}
    return {"kind": "Deployment", "metadata": {"name": name, "labels": {"app": "web"}, "annotations": annotations}}


async def test_a_workload_agrees_to_chaos_by_the_annotation_true_and_by_nothing_else(server, cluster):
    for name, annotation in {"yes": "true", "no": "false", "typo": "True", "silent": None}.items():
        server.put("deployments", workload(name, annotation=annotation))
    target = AppTarget(kind="deployment", namespace="shop", labels="app=web")
    assert await workloads.annotated(cluster, target) == (["yes"], 4)


async def test_workloads_that_are_named_are_the_only_ones_asked_for_their_annotation(server, cluster):
    server.put("deployments", workload("a", annotation="true"))
    server.put("deployments", workload("b", annotation="true"))
    assert await workloads.annotated(cluster, deployment("a", "gone")) == (["a"], 1)


async def test_an_application_without_a_workload_kind_is_annotated_on_its_pods(server, cluster):
    server.put("pods", samples.pod("one", annotations={names.CHAOS_ANNOTATION: "true"}))
    server.put("pods", samples.pod("two"))
    target = AppTarget(kind=ANY_OWNER, namespace="shop", labels="app=web")
    assert await workloads.annotated(cluster, target) == (["one"], 2)


def rule(operator: str, *values: str) -> LabelSelector:
    return LabelSelector(match_expressions=[{"key": "tier", "operator": operator, "values": list(values)}])


@pytest.mark.parametrize(
    ("selector", "labels", "expected"),
    [
        (None, {"tier": "db"}, False),
        (LabelSelector(), {}, True),
        (LabelSelector(match_labels={"tier": "db"}), {"tier": "db", "x": "y"}, True),
        (LabelSelector(match_labels={"tier": "db"}), {"tier": "web"}, False),
        (LabelSelector(match_labels={"tier": "db", "x": "y"}), {"tier": "db"}, False),
        (rule("In", "db", "web"), {"tier": "web"}, True),
        (rule("In", "db"), {}, False),
        (rule("NotIn", "db"), {"tier": "db"}, False),
        (rule("NotIn", "db"), {}, True),
        (rule("Exists"), {"tier": ""}, True),
        (rule("Exists"), {}, False),
        (rule("DoesNotExist"), {}, True),
        (rule("DoesNotExist"), {"tier": "db"}, False),
        (rule("Near", "db"), {"tier": "db"}, False),
    ],
)
def test_a_label_selector_matches_as_in_kubernetes(selector, labels, expected):
    assert workloads.selects(selector, labels) is expected


def test_labels_and_expressions_of_a_selector_must_all_match():
    selector = LabelSelector(match_labels={"app": "web"}, match_expressions=rule("Exists").match_expressions)
    assert workloads.selects(selector, {"app": "web", "tier": "db"})
    assert not workloads.selects(selector, {"app": "web"})
    assert not workloads.selects(selector, {"tier": "db"})


async def test_nodes_are_found_by_their_label(server, cluster):
    server.put("nodes", {"metadata": {"name": "one", "labels": {"zone": "a"}}}, namespace="")
    server.put("nodes", {"metadata": {"name": "two", "labels": {"zone": "b"}}}, namespace="")
    assert await workloads.nodes_with(cluster, "zone=a") == {"one"}


async def test_a_role_that_may_not_list_nodes_is_told_what_to_grant(server, cluster):
    server.forbid("list", "nodes")
    with pytest.raises(errors.Forbidden, match=r"needs the right to list nodes.*by a ClusterRole"):
        await workloads.nodes_with(cluster, "zone=a")
